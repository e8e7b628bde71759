#include "query/openapi.h"

#include "query/attribution.h"
#include "query/cohorts.h"

#include <span>
#include <string_view>
#include <utility>
#include <vector>

#include "query/metrics.h"
#include "query/negotiation.h"
#include "query/query.h"
#include "query/range.h"
#include "query/roi.h"
#include "query/text.h"

namespace footfall {
namespace {

// Those that look at all journeys come last.
std::vector<std::string_view> all_models() {
  std::vector<std::string_view> names(kModelNames.begin(), kModelNames.end());
  names.insert(names.end(), kJourneyModelNames.begin(), kJourneyModelNames.end());
  return names;
}

// What stands between @ comes from the tables.
constexpr std::string_view kDocument = R"json({
"openapi": "3.0.3",
"info": {
  "title": "footfall",
  "version": @version@,
  "description": "Web-shop analytics made from nginx itself: how visitors came, what they looked at, what they bought. Everything is only read: GET and HEAD.",
  "license": {"name": "Apache-2.0", "url": "https://www.apache.org/licenses/LICENSE-2.0"}
},
"servers": [{"url": ".", "description": "the footfall_status location that this document lies in"}],
"paths": {
  "/v1/query": {"get": {
    "operationId": "query",
    "summary": "Figures by time and by what visitors did",
    "description": @query_description@,
    "parameters": [
      @time_parameters@
      {"name": "by", "in": "query", "style": "form", "explode": false, "description": "At most two dimensions, and one of time.",
       "schema": {"type": "array", "maxItems": 3, "uniqueItems": true, "items": {"$ref": "#/components/schemas/Dimension"}}},
      {"name": "metrics", "in": "query", "style": "form", "explode": false, "description": "Default: what goes with the dimension.",
       "schema": {"type": "array", "uniqueItems": true, "items": {"$ref": "#/components/schemas/Metric"}}},
      {"name": "filter", "in": "query", "description": @filter_description@, "schema": {"type": "string"}, "example": "channel:is:email|sms;page:starts:/sale"},
      {"name": "compare", "in": "query", "description": "Adds to each metric `_previous` (the same range moved back by its length, or the same dates of the year before) and `_change`, a ratio.",
       "schema": {"type": "string", "enum": @comparisons@}},
      @page_parameters@
      {"name": "model", "in": "query", "description": "Who gets the credit for an order. markov and shapley look at all journeys of the range: they tell channels, markov campaigns too.",
       "schema": {"type": "string", "default": "last_non_direct", "enum": @all_models@}},
      {"name": "lookback", "in": "query", "description": "How far back touches get credit; by default the site's own setting.", "schema": {"type": "string", "enum": ["1d", "7d", "30d", "90d"]}},
      {"name": "ci", "in": "query", "description": "Bounds NAME_lo and NAME_hi behind each rate, between which the truth lies in 95 of 100 cases.", "schema": {"type": "string", "enum": ["95"]}},
      @form_parameters@
    ],
    "responses": {
      @report_responses@
    }
  }},
  "/v1/ledger": {"get": {
    "operationId": "ledger",
    "summary": "Who was a bot, and why",
    "description": @ledger_description@,
    "parameters": [
      @time_parameters@
      @page_parameters@
      @form_parameters@
    ],
    "responses": {
      @report_responses@
    }
  }},
  "/v1/attribution": {"get": {
    "operationId": "attribution",
    "summary": "Who earned the orders, by each model side by side",
    "description": @attribution_description@,
    "parameters": [
      @time_parameters@
      {"name": "by", "in": "query", "schema": {"type": "string", "default": "channel", "enum": @attribution_choices@}},
      {"name": "lookback", "in": "query", "description": "How far back touches get credit; by default the site's own setting.", "schema": {"type": "string", "enum": ["1d", "7d", "30d", "90d"]}},
      {"name": "limit", "in": "query", "schema": {"type": "integer", "default": @limit_default@, "minimum": 1, "maximum": @limit_max@}},
      {"name": "cursor", "in": "query", "schema": {"type": "string"}},
      @form_parameters@
    ],
    "responses": {
      @report_responses@
    }
  }},
  "/v1/roi": {"get": {
    "operationId": "roi",
    "summary": "What marketing returned, how sure that is, and what to do",
    "description": @roi_description@,
    "parameters": [
      @time_parameters@
      {"name": "by", "in": "query", "schema": {"type": "string", "default": "channel", "enum": @roi_choices@}},
      {"name": "model", "in": "query", "description": "Who gets the credit for an order.",
       "schema": {"type": "string", "default": "last_non_direct", "enum": @models@}},
      {"name": "compare", "in": "query", "description": "Adds roas_previous, roas_difference and order_rate_difference, the last two with _lo and _hi.",
       "schema": {"type": "string", "enum": @comparisons@}},
      {"name": "levels", "in": "query", "description": "1: adds what one more unit spent a day brought more, by days of less and more spend (marginal_low, marginal_high, with _lo and _hi).",
       "schema": {"type": "string", "enum": ["0", "1"]}},
      {"name": "advice", "in": "query", "description": "1: the same in words, by what is at stake; columns are then the dimension, verdict, stake, advice.",
       "schema": {"type": "string", "enum": ["0", "1"]}},
      @page_parameters@
      @form_parameters@
    ],
    "responses": {
      @report_responses@
    }
  }},
  "/v1/spend": {"get": {
    "operationId": "spend",
    "summary": "Spend that nobody came by, and paid touches without spend",
    "description": @spend_description@,
    "parameters": [
      @time_parameters@
      @page_parameters@
      @form_parameters@
    ],
    "responses": {
      @report_responses@
    }
  }},
  "/v1/cohorts": {"get": {
    "operationId": "cohorts",
    "summary": "What customers brought after their first order, against what was spent",
    "description": @cohorts_description@,
    "parameters": [
      @time_parameters@
      {"name": "by", "in": "query", "schema": {"type": "string", "default": "month", "enum": @cohorts_choices@}},
      {"name": "limit", "in": "query", "schema": {"type": "integer", "default": @limit_default@, "minimum": 1, "maximum": @limit_max@}},
      {"name": "cursor", "in": "query", "schema": {"type": "string"}},
      @form_parameters@
    ],
    "responses": {
      @report_responses@
    }
  }},
  "/v1/health": {"get": {
    "operationId": "health",
    "summary": "Capture, aggregator and store, true whoever is dead",
    "responses": {
      "200": {"description": "The health.", "content": {"application/json": {"schema": {"$ref": "#/components/schemas/Health"}}}},
      "403": {"$ref": "#/components/responses/Forbidden"},
      "405": {"$ref": "#/components/responses/MethodNotAllowed"},
      "429": {"$ref": "#/components/responses/TooManyQueries"},
      "503": {"$ref": "#/components/responses/Unavailable"}
    }
  }},
  "/metrics": {"get": {
    "operationId": "metrics",
    "summary": "Counters and gauges for Prometheus",
    "responses": {
      "200": {"description": "Text format 0.0.4.", "content": {"text/plain": {"schema": {"type": "string"}}}},
      "403": {"$ref": "#/components/responses/Forbidden"},
      "405": {"$ref": "#/components/responses/MethodNotAllowed"},
      "429": {"$ref": "#/components/responses/TooManyQueries"},
      "503": {"$ref": "#/components/responses/Unavailable"}
    }
  }},
  "/openapi.json": {"get": {
    "operationId": "openapi",
    "summary": "This document",
    "parameters": [{"$ref": "#/components/parameters/IfNoneMatch"}],
    "responses": {
      "200": {"description": "OpenAPI 3.0.", "content": {"application/json": {"schema": {"type": "object"}}}},
      "304": {"description": "The document of that tag still holds."},
      "403": {"$ref": "#/components/responses/Forbidden"},
      "405": {"$ref": "#/components/responses/MethodNotAllowed"},
      "429": {"$ref": "#/components/responses/TooManyQueries"}
    }
  }}
},
"components": {
  "parameters": {
    "IfNoneMatch": {"name": "If-None-Match", "in": "header", "description": "Tags of answers that are known.", "schema": {"type": "string"}}
  },
  "responses": {
    "BadRequest": {"description": "The query says what footfall does not know; `allowed` names what would be right.", "content": {"application/json": {"schema": {"$ref": "#/components/schemas/Error"}}}},
    "Forbidden": {"description": "The location does not answer this reader.", "content": {"application/json": {"schema": {"$ref": "#/components/schemas/Error"}}}},
    "MethodNotAllowed": {"description": "Neither GET nor HEAD.", "content": {"application/json": {"schema": {"$ref": "#/components/schemas/Error"}}}},
    "TooManyQueries": {"description": "Two queries are running in this worker.", "content": {"application/json": {"schema": {"$ref": "#/components/schemas/Error"}}}},
    "Unavailable": {"description": "Nothing was counted yet, the store has a fault, or the query took over 5 seconds.", "content": {"application/json": {"schema": {"$ref": "#/components/schemas/Error"}}}}
  },
  "schemas": {
    "Metric": {"type": "string", "description": @metric_description@, "enum": @metrics@},
    "Dimension": {"type": "string", "description": @dimension_description@, "enum": @dimensions@},
    "Cell": {"description": "A text, a number, or null: no value, or one that cannot be computed.", "nullable": true, "anyOf": [{"type": "string"}, {"type": "number"}]},
    "Row": {"type": "array", "description": "One cell a column.", "items": {"$ref": "#/components/schemas/Cell"}},
    "Report": {
      "type": "object",
      "required": ["query", "columns", "rows", "other", "totals", "meta"],
      "properties": {
        "query": {"type": "object", "description": "The question, normalised.", "additionalProperties": true},
        "columns": {"type": "array", "items": {
          "type": "object",
          "required": ["name", "type"],
          "properties": {
            "name": {"type": "string"},
            "type": {"type": "string", "enum": @column_types@},
            "currency": {"type": "string", "description": "Of a money column."}
          }
        }},
        "rows": {"type": "array", "items": {"$ref": "#/components/schemas/Row"}},
        "other": {"type": "array", "nullable": true, "description": "Totals without rows; null where there is no dimension.", "items": {"$ref": "#/components/schemas/Cell"}},
        "totals": {"$ref": "#/components/schemas/Row"},
        "meta": {
          "type": "object",
          "required": ["rows_total", "next_cursor", "time_zone", "currency", "as_of", "complete_through", "lost_hits", "approximate", "restricted", "warnings", "unconverted"],
          "properties": {
            "rows_total": {"type": "integer", "description": "Rows on all pages."},
            "next_cursor": {"type": "string", "nullable": true},
            "time_zone": {"type": "string"},
            "currency": {"type": "string"},
            "as_of": {"type": "string", "format": "date-time", "nullable": true},
            "complete_through": {"type": "string", "format": "date-time", "nullable": true, "description": "Every hit before it is counted."},
            "lost_hits": {"type": "integer"},
            "approximate": {"type": "array", "description": "Metrics that are estimates here.", "items": {"type": "string"}},
            "restricted": {"type": "array", "description": "What this location may not show.", "items": {"type": "string"}},
            "warnings": {"type": "array", "items": {"type": "string"}},
            "unconverted": {"type": "array", "description": "Revenue and cost in currencies without a rate: part of no figure.", "items": {
              "type": "object",
              "required": ["currency", "orders", "revenue"],
              "properties": {"currency": {"type": "string"}, "orders": {"type": "number"}, "revenue": {"type": "number"}, "cost": {"type": "number"}}
            }}
          }
        }
      }
    },
    "Health": {
      "type": "object",
      "required": ["status", "capture", "aggregator", "store", "faults", "warnings", "version"],
      "properties": {
        "status": {"type": "string", "enum": ["ok", "stale", "degraded"]},
        "capture": {"type": "object", "properties": {
          "configured": {"type": "string", "format": "date-time", "nullable": true, "description": "Since when rules and exclusions are these."},
          "note": {"type": "string", "description": "Where there are none yet: what that means."},
          "lanes": {"type": "array", "items": {"type": "object", "properties": {
          "lane": {"type": "integer"},
          "pid": {"type": "integer", "nullable": true},
          "hits": {"type": "integer"},
          "dropped": {"type": "object", "description": "Hits that were not kept, by reason.", "additionalProperties": {"type": "integer"}},
          "overwritten": {"type": "integer"},
          "malformed_events": {"type": "integer"},
          "ring_bytes": {"type": "integer"},
          "ring_used": {"type": "integer"},
          "oldest": {"type": "string", "format": "date-time", "nullable": true},
          "newest": {"type": "string", "format": "date-time", "nullable": true},
          "lag_hits": {"type": "integer"}
        }}}}},
        "aggregator": {"type": "object", "properties": {
          "pid": {"type": "integer", "nullable": true},
          "as_of": {"type": "string", "format": "date-time", "nullable": true},
          "complete_through": {"type": "string", "format": "date-time", "nullable": true},
          "lag_hits": {"type": "integer"},
          "lag_ms": {"type": "integer"},
          "lost_hits": {"type": "integer"},
          "late_hits": {"type": "integer"},
          "refused_hits": {"type": "integer"},
          "checkpoint": {"type": "integer"}
        }},
        "store": {"type": "object", "properties": {"bytes": {"type": "integer"}, "free_bytes": {"type": "integer"}}},
        "faults": {"type": "array", "items": {"type": "object", "properties": {
          "lane": {"type": "integer", "nullable": true},
          "text": {"type": "string"},
          "since": {"type": "string", "format": "date-time", "nullable": true}
        }}},
        "warnings": {"type": "array", "items": {"type": "string"}},
        "version": {"type": "string"}
      }
    },
    "Error": {
      "type": "object",
      "required": ["error"],
      "properties": {"error": {
        "type": "object",
        "required": ["code", "message", "param", "allowed"],
        "properties": {
          "code": {"type": "string"},
          "message": {"type": "string"},
          "param": {"type": "string", "nullable": true, "description": "The parameter at fault."},
          "allowed": {"type": "array", "description": "What would be right.", "items": {"type": "string"}}
        }
      }}
    }
  }
}
}
)json";

// What reports have in common.
constexpr std::string_view kTimeParameters = R"json({"name": "site", "in": "query", "description": "The site's name; may be left out where there is one.", "schema": {"type": "string"}},
      {"name": "range", "in": "query", "description": "A time of the site's zone, today included. Not together with `from` and `to`.",
       "schema": {"type": "string", "default": "30d", "enum": @ranges@}},
      {"name": "from", "in": "query", "description": "A date of the site's zone (included), or an RFC 3339 instant.", "schema": {"type": "string"}, "example": "2026-10-01"},
      {"name": "to", "in": "query", "description": "A date of the site's zone (included), or an RFC 3339 instant (not included). Default: today.", "schema": {"type": "string"}, "example": "2026-10-31"},)json";
constexpr std::string_view kPageParameters = R"json({"name": "order", "in": "query", "description": "A column of the answer; a `-` before it: descending.", "schema": {"type": "string"}, "example": "-revenue"},
      {"name": "limit", "in": "query", "description": "Rows of one answer; what the others hold is in `other`.",
       "schema": {"type": "integer", "minimum": 1, "maximum": @limit_max@, "default": @limit_default@}},
      {"name": "cursor", "in": "query", "description": "`meta.next_cursor` of the page before, with the same query.", "schema": {"type": "string"}},)json";
constexpr std::string_view kFormParameters = R"json({"name": "format", "in": "query", "description": "Goes before the header `Accept`.", "schema": {"type": "string", "enum": @formats@}},
      {"$ref": "#/components/parameters/IfNoneMatch"})json";
constexpr std::string_view kReportResponses = R"json("200": {
        "description": "The figures.",
        "headers": {"ETag": {"description": "Weak: changes with the figures, the configuration and the question.", "schema": {"type": "string"}}},
        "content": {
          "application/json": {"schema": {"$ref": "#/components/schemas/Report"}},
          "text/csv": {"schema": {"type": "string", "description": "RFC 4180: the columns, then a column `row` that says row, other or totals. Text that begins as a formula would has a ' before it."}},
          "application/x-protobuf": {"schema": {"type": "string", "format": "binary", "description": "footfall.v1.Report"}}
        }
      },
      "304": {"description": "The answer of that tag still holds."},
      "400": {"$ref": "#/components/responses/BadRequest"},
      "403": {"$ref": "#/components/responses/Forbidden"},
      "405": {"$ref": "#/components/responses/MethodNotAllowed"},
      "429": {"$ref": "#/components/responses/TooManyQueries"},
      "503": {"$ref": "#/components/responses/Unavailable"})json";

constexpr std::string_view kQueryDescription =
    "Rows + `other` = `totals` for every metric that adds up. What is not known, not right or not there yet is a 400 "
    "that names what would be right.";

constexpr std::string_view kSpendDescription =
    "A row for each key of spend (columns channel, source, medium, campaign, content, term, code, as far as they were told) with its cost, "
    "the visits that began by it, and the orders and revenue credited to it (last_non_direct); then one for each kind of paid touch that "
    "has no spend, also where it came within a visit and led to a conversion. note says what is missing, and which name may have been "
    "meant: nobody came by it: campaign \"Spring\" may be \"spring\" (letter case). rows + other = totals. Visits are known as far "
    "back as they are kept; before, visits, orders, revenue and note are null.";

constexpr std::string_view kLedgerDescription =
    "Hits by class and reason: of an agent its name, of a visitor what it did (robots.txt, too many pages, referrer spam), own flag, no "
    "user agent. The row without a class are people. `share` is of all hits; rows + `other` = `totals`.";

constexpr std::string_view kRoiDescription =
    "Columns: the dimension, visits, orders, revenue, cost, cpo, roas, roas_lo, roas_hi, roi, verdict (raise, cut, keep, too_early, "
    "depends_on_model), visits_needed, break_even (1 / margin; of rows with cost, and of totals), mer (all revenue / all cost; of totals alone). "
    "Null where nothing was spent, and what needs the margin where the site has none. Rows + `other` = `totals`. It reaches as far back as "
    "figures are kept.";

constexpr std::string_view kCohortsDescription =
    "Customers by the month of their first order, or by what brought them first (then the range is that of the first touch): orders, revenue and "
    "margin of the first day (`orders_0`, …) and of the first 30, 90, 180 and 365 days, cost of the same time, the first of these ages by which the margin has "
    "reached it (payback_days), and how many days are over for all of them (days_complete). Rows + `other` = `totals`.";

constexpr std::string_view kAttributionDescription =
    "Orders and revenue by channel, source, campaign or code, as `orders_MODEL` and `revenue_MODEL`. Each order is shared among the touches of "
    "the lookback; for each model rows + `other` = `totals`, which are the same for all. It reaches as far back as "
    "figures are kept, by any `lookback`. `markov` tells channels and campaigns, `shapley` channels; else they are null.";

template <class Names>
std::string json_list(const Names& names) {
  std::string list = "[";
  for (const auto& name : names) list.append(list.size() > 1 ? ", " : "").append(json_string(name));
  return list + "]";
}

template <class Infos>
std::string json_names(const Infos& infos) {
  std::vector<std::string_view> names;
  for (const auto& info : infos) names.push_back(info.name);
  return json_list(names);
}

std::string column_types() {
  std::vector<std::string_view> names;
  for (int type = 0; type <= static_cast<int>(ColumnType::seconds); ++type)
    names.push_back(column_type_name(static_cast<ColumnType>(type)));
  return json_list(names);
}

std::string metric_description() {
  std::string text;
  for (const Metric& metric : metrics()) {
    text.append("- `").append(metric.name).append("` (").append(metric.unit).append("): ").append(metric.is);
    text += ". By";
    for (const std::string& name : dimensions_of(metric)) text += " " + name;
    text += '\n';
  }
  return text;
}

std::string filter_description() {
  std::string text =
      "Conditions DIMENSION:OP:VALUE, all of which hold, with `;` between them; `|` between values, of which one holds (of "
      "is_not: none). An empty value is null, a backslash comes before a `;`, `|` or backslash that is meant as such. Ops:";
  for (const std::string_view op : kFilterOpNames) text.append(" ").append(op);
  return text + " (`*` is any run of characters).";
}

std::string dimension_description() {
  std::string text;
  for (const DimensionInfo& dimension : dimensions()) {
    text.append("- `").append(dimension.name).append("`");
    if (dimension.is_time()) text += ", of time";
    text.append("; by default: ").append(dimension.default_metrics).append("\n");
  }
  return text;
}

// Each @name@ by its value.
std::string filled(std::string_view text, std::span<const std::pair<std::string_view, std::string>> values) {
  std::string all;
  for (;;) {
    const size_t from = text.find('@');
    all += text.substr(0, from);
    if (from == std::string_view::npos) return all;
    const size_t to = text.find('@', from + 1);
    for (const auto& [name, value] : values)
      if (name == text.substr(from + 1, to - from - 1)) all += value;
    text.remove_prefix(to + 1);
  }
}

}  // namespace

std::string openapi_json() {
  const std::pair<std::string_view, std::string> tables[] = {
      {"version", json_string(FOOTFALL_VERSION)},
      {"query_description", json_string(kQueryDescription)},
      {"ledger_description", json_string(kLedgerDescription)},
      {"spend_description", json_string(kSpendDescription)},
      {"attribution_description", json_string(kAttributionDescription)},
      {"attribution_choices", json_list(attribution_report().choices)},
      {"roi_description", json_string(kRoiDescription)},
      {"roi_choices", json_list(roi_report().choices)},
      {"cohorts_description", json_string(kCohortsDescription)},
      {"cohorts_choices", json_list(cohorts_report().choices)},
      {"ranges", json_list(range_names())},
      {"limit_max", std::to_string(kLimitMax)},
      {"limit_default", std::to_string(kLimitDefault)},
      {"models", json_list(kModelNames)},
      {"all_models", json_list(all_models())},
      {"formats", json_list(kFormatNames)},
      {"comparisons", json_list(kCompareNames)},
      {"filter_description", json_string(filter_description())},
      {"metrics", json_names(metrics())},
      {"metric_description", json_string(metric_description())},
      {"dimensions", json_names(dimensions())},
      {"dimension_description", json_string(dimension_description())},
      {"column_types", column_types()},
  };
  // Shared parts first: they have holes themselves.
  const std::pair<std::string_view, std::string> parts[] = {
      {"time_parameters", filled(kTimeParameters, tables)},
      {"page_parameters", filled(kPageParameters, tables)},
      {"form_parameters", filled(kFormParameters, tables)},
      {"report_responses", std::string(kReportResponses)},
  };
  std::vector<std::pair<std::string_view, std::string>> values(std::begin(tables), std::end(tables));
  values.insert(values.end(), std::begin(parts), std::end(parts));
  return filled(kDocument, values);
}

}  // namespace footfall

