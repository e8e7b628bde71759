#include "dashboard/page.h"

#include <sodium.h>

#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <vector>

#include "dashboard/health.h"
#include "dashboard/html.h"
#include "dashboard/style.h"

namespace footfall {
namespace {

// The times that the page can be about, and by what each is told; the first is meant where none is chosen.
struct RangeChoice {
  std::string_view name;  // as the query API has it
  std::string_view shown;
  std::string_view unit;
};
constexpr RangeChoice kRanges[] = {{"today", "Today", "hour"},       {"yesterday", "Yesterday", "hour"},
                                   {"7d", "7 days", "day"},          {"30d", "30 days", "day"},
                                   {"month", "This month", "day"},   {"year", "This year", "month"},
                                   {"all", "All there is", "month"}};

const RangeChoice& choose_range(std::string_view arguments) {
  const std::string wanted = argument_of(arguments, "range");
  const auto found = std::find_if(std::begin(kRanges), std::end(kRanges), [&](const auto& of) { return of.name == wanted; });
  return found == std::end(kRanges) ? kRanges[0] : *found;
}

// What is asked about.
struct Subject {
  std::string site;
  const RangeChoice& range;

  std::string link() const { return "site=" + escape_url(site) + "&range=" + std::string(range.name); }
};

// A table of the page: one query, and the words that it is shown under.
struct Part {
  std::string_view title;
  std::string_view arguments;
  std::string_view of_what;  // said to be missing when there are no rows
  std::string_view null;     // what a key without value is called
  std::string_view report = "query";
  std::string_view columns = {};  // those that are shown, between commas; none: all
};
constexpr Part kParts[] = {
    {"How they found the shop", "by=channel&metrics=visits,orders,revenue,cr&order=-visits&limit=20", "visit", "(none)"},
    {"What they looked at", "by=page&metrics=pageviews,entries,exits&order=-pageviews&limit=20", "page view", "(none)"},
    {"Campaigns", "by=campaign&metrics=visits,orders,revenue,cr&filter=campaign:is_not:&order=-visits&limit=12", "visit by a campaign", "(none)"},
    {"Codes: print, mail, radio", "by=code&metrics=visits,orders,revenue,cr&filter=code:is_not:&order=-visits&limit=12", "visit by a code", "(none)"},
};
// Below what takes the page's whole width.
constexpr Part kPartsBelow[] = {
    {"Orders by ", "metrics=visits,orders,revenue&limit=240&by=", "visit", "(none)"},  // the range's unit goes behind
    {"Where visits began", "by=entry_page&metrics=visits,bounce_rate&order=-visits&limit=10", "visit", "(no page)"},
    {"People and bots", "by=bot_class&metrics=hits&order=-hits&limit=12", "hit", "(people)"},
};

constexpr Part kReturn = {"Return on what was spent", "by=channel&limit=20", "visit", "(none)", "roi",
                          "channel,visits,orders,revenue,cost,roas,roas_lo,roas_hi,verdict,visits_needed"};
constexpr Part kAttribution = {"Who earned the revenue, by each model", "by=channel&limit=20", "order", "(none)", "attribution",
                               "channel,revenue_last,revenue_last_non_direct,revenue_first,revenue_linear,revenue_position,"
                               "revenue_time_decay,revenue_markov,revenue_shapley"};
constexpr Part kCohorts[] = {
    {"Customers by what brought them first", "by=channel&limit=20", "first order of a customer", "(none)", "cohorts",
     "channel,customers,revenue_0,revenue_30,revenue_90,revenue_180,revenue_365,cost,payback_days"},
    {"Customers by the month of their first order", "by=month&limit=60", "first order of a customer", "(none)", "cohorts",
     "month,customers,revenue_0,revenue_30,revenue_90,revenue_180,revenue_365,cost,payback_days"},
};
constexpr std::string_view kAdvice = "by=channel&advice=1&limit=6";

constexpr std::string_view kHeadline = "metrics=visits,visitors,pageviews,orders,revenue,cr,bounce_rate,aov";

// Names for readers; a column that is not here goes by its own.
struct Label {
  std::string_view name, shown;
};
constexpr Label kLabels[] = {
    {"visits", "Visits"},
    {"visitors", "Visitors"},
    {"pageviews", "Page views"},
    {"orders", "Orders"},
    {"revenue", "Revenue"},
    {"cr", "Converted"},
    {"bounce_rate", "Bounce rate"},
    {"aov", "Average order"},
    {"channel", "Channel"},
    {"campaign", "Campaign"},
    {"code", "Code"},
    {"page", "Page"},
    {"hour", "Hour"},
    {"day", "Day"},
    {"month", "Month"},
    {"entry_page", "Entry page"},
    {"entries", "Entries"},
    {"exits", "Exits"},
    {"bot_class", "Bots"},
    {"hits", "Hits"},
    {"cost", "Cost"},
    {"roas", "Return"},
    {"roas_lo", "from"},
    {"roas_hi", "to"},
    {"verdict", "Verdict"},
    {"visits_needed", "Visits needed"},
    {"customers", "Customers"},
    {"revenue_0", "First day"},
    {"revenue_30", "30 days"},
    {"revenue_90", "90 days"},
    {"revenue_180", "180 days"},
    {"revenue_365", "365 days"},
    {"payback_days", "Paid back in days"},
    {"revenue_last", "Last"},
    {"revenue_last_non_direct", "Last not direct"},
    {"revenue_first", "First"},
    {"revenue_linear", "Linear"},
    {"revenue_position", "Position"},
    {"revenue_time_decay", "Time decay"},
    {"revenue_markov", "Markov"},
    {"revenue_shapley", "Shapley"},
};

std::string_view label_of(const std::string& name) {
  for (const Label& label : kLabels) {
    if (label.name == name) return label.shown;
  }
  return name;
}

std::string currency_of(const Column& column, std::string_view before) {
  return column.currency.empty() ? std::string() : std::string(before) + escape_html(column.currency);
}

std::variant<Report, QueryError> ask(QueryService& service, const Subject& subject, std::string_view arguments,
                                     int64_t now_ms, std::string_view report = "query") {
  return service.query(subject.link() + "&" + std::string(arguments), now_ms, report);
}

Report with_columns(Report report, std::string_view names) {
  if (names.empty()) return report;
  const std::string listed = "," + std::string(names) + ",";
  for (size_t at = report.columns.size(); at-- > 0;) {
    if (listed.find("," + report.columns[at].name + ",") != std::string::npos) continue;
    const auto drop = [&](auto& from) {
      if (at < from.size()) from.erase(from.begin() + static_cast<ptrdiff_t>(at));
    };
    drop(report.columns);
    for (Row& row : report.rows) drop(row);
    drop(report.other);
    drop(report.totals);
  }
  return report;
}

std::string show_refused(const QueryError& error) {
  return "<p class=warn>These figures could not be read: " + escape_html(error.message) + "</p>";
}

// --- headline --------------------------------------------------------------------------------------------------------

std::string render_headline(const Report& report) {
  const Row& figures = !report.totals.empty() || report.rows.empty() ? report.totals : report.rows.front();
  std::string out = "<dl class=figures>";
  for (size_t i = 0; i < report.columns.size() && i < figures.size(); ++i) {
    out += "<div><dt>" + escape_html(label_of(report.columns[i].name)) + "</dt><dd>" +
           show_cell(figures[i], report.columns[i]) +
           (figures[i].kind == Cell::Kind::null ? std::string() : currency_of(report.columns[i], " ")) + "</dd></div>";
  }
  return out + "</dl>";
}

std::string render_notes(const Report& report) {
  std::string out;
  for (const std::string& warning : report.meta.warnings) out += "<p class=warn>" + escape_html(warning) + "</p>";
  for (const Unconverted& amount : report.meta.unconverted) {
    if (!amount.cost.empty())
      out += "<p class=warn>Not in the cost, for want of a rate: " + escape_html(amount.cost) + " " + escape_html(amount.currency) + ".</p>";
    if (amount.orders == "0" && !amount.cost.empty()) continue;
    out += "<p class=warn>Not in the revenue, for want of a rate: " + escape_html(amount.revenue) + " " +
           escape_html(amount.currency) + " of " + escape_html(amount.orders) + " orders.</p>";
  }
  return out;
}

// --- tables ----------------------------------------------------------------------------------------------------------

std::string show_times(const Cell& cell) {
  if (cell.kind == Cell::Kind::null) return show_cell(cell, {});
  char text[32];
  std::snprintf(text, sizeof text, "%.2f", std::strtod(cell.text.c_str(), nullptr));
  return text;
}

// Names of footfall's own have their words apart.
std::string show_key(const Cell& cell, const Column& column) {
  Cell shown = cell;
  if (column.name == "channel" || column.name == "bot_class" || column.name == "verdict") std::replace(shown.text.begin(), shown.text.end(), '_', ' ');
  return show_cell(shown, column);
}

std::string render_row(const Row& row, const std::vector<Column>& columns, std::string_view null_key) {
  std::string out = "<tr>";
  for (size_t i = 0; i < columns.size() && i < row.size(); ++i) {
    const bool null = row[i].kind == Cell::Kind::null;
    if (i == 0) {
      out += "<th scope=row>" + (null ? escape_html(null_key) : show_key(row[i], columns[i])) + "</th>";
    } else {
      const bool is_return = columns[i].name.starts_with("roas");  // times, no part of all
      out += "<td>" + (is_return ? show_times(row[i]) : show_key(row[i], columns[i])) + "</td>";
    }
  }
  return out + "</tr>";
}

bool is_nothing(const Row& row) {
  return std::all_of(row.begin(), row.end(), [](const Cell& cell) {
    return cell.kind == Cell::Kind::null || cell.text.find_first_not_of("0.") == std::string::npos;
  });
}

std::string render_table(const Report& report, const Part& part, const RangeChoice& range) {
  if (report.rows.empty()) {
    return "<p class=soft>No " + std::string(part.of_what) + (&range == kRanges ? " yet today.</p>" : " in this time.</p>");
  }
  std::string out = "<div class=wide><table><thead><tr>";
  for (const Column& column : report.columns)
    out += "<th scope=col>" + escape_html(label_of(column.name)) + currency_of(column, ", ") + "</th>";
  out += "</tr></thead><tbody>";
  for (const Row& row : report.rows) out += render_row(row, report.columns, part.null);
  if (!is_nothing(report.other)) out += render_row(report.other, report.columns, "(all others)");
  out += "</tbody>";
  if (!report.totals.empty()) out += "<tfoot>" + render_row(report.totals, report.columns, "Total") + "</tfoot>";
  return out + "</table></div>";
}

std::string render_part(QueryService& service, const Subject& subject, const Part& part, int64_t now_ms) {
  const std::string_view unit = part.arguments.ends_with('=') ? subject.range.unit : std::string_view();
  std::string out = std::string(part.columns.empty() ? "<section>" : "<section class=whole>") + "<h2>" + std::string(part.title) + std::string(unit) + "</h2>";
  const auto answer = ask(service, subject, std::string(part.arguments) + std::string(unit), now_ms, part.report);
  if (const auto* refused = std::get_if<QueryError>(&answer)) {
    out += show_refused(*refused);
  } else {
    out += render_table(with_columns(std::get<Report>(answer), part.columns), part, subject.range);
  }
  return out + "</section>";
}

bool has_spend(const Report& roi) {
  for (size_t at = 0; at < roi.columns.size() && at < roi.totals.size(); ++at)
    if (roi.columns[at].name == "cost") return !is_nothing({roi.totals[at]});
  return false;
}

// What to do first, then the figures: without spend there are none.
std::string render_return(QueryService& service, const Subject& subject, int64_t now_ms) {
  std::string out = "<section class=whole><h2>" + std::string(kReturn.title) + "</h2>";
  const auto advice = ask(service, subject, kAdvice, now_ms, kReturn.report);
  const auto answer = ask(service, subject, kReturn.arguments, now_ms, kReturn.report);
  for (const auto* either : {&advice, &answer})
    if (const auto* refused = std::get_if<QueryError>(either)) return out + show_refused(*refused) + "</section>";
  out += "<ul>";
  for (const Row& row : std::get<Report>(advice).rows) out += "<li>" + escape_html(row.back().text) + ".</li>";
  out += "</ul>";
  const Report& figures = std::get<Report>(answer);
  if (has_spend(figures)) out += render_table(with_columns(figures, kReturn.columns), kReturn, subject.range);
  return out + "</section>";
}


// --- the page --------------------------------------------------------------------------------------------------------

std::string render_link(const Subject& to, std::string_view shown, bool is_current) {
  return "<a href=\"?" + escape_html(to.link()) + "\"" + (is_current ? " aria-current=page" : "") + ">" +
         escape_html(shown) + "</a>";
}

std::string render_choices(const std::vector<std::string>& sites, const Subject& subject) {
  std::string out;
  if (sites.size() > 1) {
    out += "<nav aria-label=Sites>";
    for (const std::string& site : sites) out += render_link({site, subject.range}, site, site == subject.site);
    out += "</nav>";
  }
  if (sites.empty()) return out;
  out += "<nav aria-label=Time>";
  for (const RangeChoice& range : kRanges)
    out += render_link({subject.site, range}, range.shown, &range == &subject.range);
  return out + "</nav>";
}

// Without figures: what is missing, and what to do about it.
std::string render_empty_shop(const Health& health) {
  std::string out = "<section><h2>No figures yet</h2>";
  if (health.aggregator_pid == 0) {
    out +=
        "<p>The aggregator is not running. Start it with <code>footfall aggregate --store PATH</code>, with the path "
        "that "
        "<code>footfall_store</code> names.</p>";
  }
  if (health.hits == 0) {
    out +=
        "<p>No request was captured so far. Say <code>footfall on;</code> where the shop is served, reload nginx, and "
        "open "
        "a page of the shop in a browser.</p>";
  } else {
    out += "<p>" + std::to_string(health.hits) +
           " requests were captured. Figures show a second or two after the aggregator "
           "has read them; reload this page.</p>";
  }
  return out + "<p>What marketing costs is told by <code>footfall import spend FILE.csv</code>; then the page says what it returned.</p></section>";
}

// A quiet shop's snapshot grows old although all is counted: its age says something only once nobody counts any more.
std::string render_as_of(const Report& report, const RangeChoice& range, const Health& health, int64_t now_ms) {
  const std::string when = std::string(range.shown) + ", time zone " + escape_html(report.meta.time_zone) + ". ";
  if (health.aggregator_pid == 0) {
    return "<p class=warn>" + when + "The aggregator is not running: these figures are " +
           show_age(now_ms - parse_instant_ms(report.meta.as_of)) + " old.</p>";
  }
  if (health.lag_hits != 0) {
    return "<p class=soft>" + when + std::to_string(health.lag_hits) + " hits are still to be counted.</p>";
  }
  return "<p class=soft>" + when + "Every hit so far is counted.</p>";
}

std::string render_shop(QueryService& service, const Subject& subject, const Health& health, int64_t now_ms) {
  const auto answer = ask(service, subject, kHeadline, now_ms);
  if (const auto* refused = std::get_if<QueryError>(&answer)) return show_refused(*refused);
  const auto& report = std::get<Report>(answer);
  std::string out = render_as_of(report, subject.range, health, now_ms) + render_headline(report) +
                    render_notes(report) + "<div class=parts>";
  for (const Part& part : kParts) out += render_part(service, subject, part, now_ms);
  out += render_return(service, subject, now_ms) + render_part(service, subject, kAttribution, now_ms);
  for (const Part& part : kCohorts)
    if (subject.range.unit == "month" || part.arguments.find("month") == std::string_view::npos) out += render_part(service, subject, part, now_ms);
  for (const Part& part : kPartsBelow) out += render_part(service, subject, part, now_ms);
  return out + render_health(health, now_ms) + "</div>";
}

std::string choose_site(const std::vector<std::string>& sites, std::string_view arguments) {
  std::string site = argument_of(arguments, "site");
  return site.empty() && !sites.empty() ? sites.front() : site;
}

}  // namespace

std::string render_page(QueryService& service, int64_t now_ms, std::string_view arguments) {
  const std::vector<std::string> sites = service.sites();
  const Subject subject{choose_site(sites, arguments), choose_range(arguments)};
  const std::string& site = subject.site;
  const Health health = read_health(service, now_ms);
  const std::string name = site.empty() ? "footfall" : escape_html(site) + " – footfall";

  std::string out = "<!DOCTYPE html>\n<html lang=en><head><meta charset=utf-8><title>" + name +
                    "</title><meta name=viewport content=\"width=device-width,initial-scale=1\">"
                    "<meta name=robots content=noindex><style>";
  out += kPageStyle;
  out += "</style></head><body><header><h1>" + name + "</h1>" + render_choices(sites, subject) + "</header><main>";
  if (sites.empty()) {
    out += render_empty_shop(health) + "<div class=parts>" + render_health(health, now_ms) + "</div>";
  } else {
    out += render_shop(service, subject, health, now_ms);
  }
  out += "</main><footer class=soft>Also as data: <a href=\"v1/query?" + escape_html(subject.link()) +
         "\">v1/query</a>, <a href=\"v1/health\">v1/health</a>.</footer></body></html>\n";
  return out;
}

std::string_view page_security_policy() {
  static const std::string policy = [] {
    unsigned char hash[crypto_hash_sha256_BYTES];
    crypto_hash_sha256(hash, reinterpret_cast<const unsigned char*>(kPageStyle.data()), kPageStyle.size());
    char text[sodium_base64_ENCODED_LEN(sizeof hash, sodium_base64_VARIANT_ORIGINAL)];
    sodium_bin2base64(text, sizeof text, hash, sizeof hash, sodium_base64_VARIANT_ORIGINAL);
    return "default-src 'none'; style-src 'sha256-" + std::string(text) +
           "'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'";
  }();
  return policy;
}

}  // namespace footfall
