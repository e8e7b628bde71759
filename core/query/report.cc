#include "query/report.h"

#include <rapidjson/stringbuffer.h>
#include <rapidjson/writer.h>

#include "query/text.h"

namespace footfall {
namespace {

using Json = rapidjson::Writer<rapidjson::StringBuffer>;

void put(Json& json, std::string_view text) {
  const std::string valid = valid_utf8(text);
  json.String(valid.data(), static_cast<rapidjson::SizeType>(valid.size()));
}

void put_or_null(Json& json, const std::string& text) {
  if (text.empty())
    json.Null();
  else
    put(json, text);
}

void put_raw(Json& json, const std::string& value, rapidjson::Type type) {
  json.RawValue(value.data(), value.size(), type);
}

void put(Json& json, const Cell& cell) {
  switch (cell.kind) {
    case Cell::Kind::null:
      json.Null();
      break;
    case Cell::Kind::text:
      put(json, cell.text);
      break;
    case Cell::Kind::number:
      put_raw(json, cell.text, rapidjson::kNumberType);
      break;
  }
}

void put(Json& json, const Row& row) {
  json.StartArray();
  for (const Cell& cell : row) put(json, cell);
  json.EndArray();
}

void put(Json& json, const std::vector<std::string>& texts) {
  json.StartArray();
  for (const std::string& text : texts) put(json, text);
  json.EndArray();
}

void put(Json& json, const Column& column) {
  json.StartObject();
  json.Key("name");
  put(json, column.name);
  json.Key("type");
  put(json, column_type_name(column.type));
  if (!column.currency.empty()) {
    json.Key("currency");
    put(json, column.currency);
  }
  json.EndObject();
}

void put(Json& json, const ReportMeta& meta) {
  json.StartObject();
  json.Key("rows_total");
  json.Uint64(meta.rows_total);
  json.Key("next_cursor");
  put_or_null(json, meta.next_cursor);
  json.Key("time_zone");
  put(json, meta.time_zone);
  json.Key("currency");
  put(json, meta.currency);
  json.Key("as_of");
  put_or_null(json, meta.as_of);
  json.Key("complete_through");
  put_or_null(json, meta.complete_through);
  json.Key("lost_hits");
  json.Uint64(meta.lost_hits);
  json.Key("approximate");
  put(json, meta.approximate);
  json.Key("restricted");
  put(json, meta.restricted);
  json.Key("warnings");
  put(json, meta.warnings);
  json.Key("unconverted");
  json.StartArray();
  for (const Unconverted& amount : meta.unconverted) {
    json.StartObject();
    json.Key("currency");
    put(json, amount.currency);
    json.Key("orders");
    put_raw(json, amount.orders, rapidjson::kNumberType);
    json.Key("revenue");
    put_raw(json, amount.revenue, rapidjson::kNumberType);
    if (!amount.cost.empty()) {
      json.Key("cost");
      put_raw(json, amount.cost, rapidjson::kNumberType);
    }
    json.EndObject();
  }
  json.EndArray();
  json.EndObject();
}

}  // namespace

std::string_view column_type_name(ColumnType type) {
  switch (type) {
    case ColumnType::string:
      return "string";
    case ColumnType::time:
      return "time";
    case ColumnType::integer:
      return "integer";
    case ColumnType::decimal:
      return "decimal";
    case ColumnType::money:
      return "money";
    case ColumnType::ratio:
      return "ratio";
    case ColumnType::seconds:
      return "seconds";
  }
  return "string";
}

std::string to_json(const Report& report) {
  rapidjson::StringBuffer buffer;
  Json json(buffer);
  json.StartObject();
  json.Key("query");
  json.StartObject();
  for (const auto& [name, value] : report.query) {
    json.Key(name.data(), static_cast<rapidjson::SizeType>(name.size()));
    put_raw(json, value, rapidjson::kObjectType);
  }
  json.EndObject();
  json.Key("columns");
  json.StartArray();
  for (const Column& column : report.columns) put(json, column);
  json.EndArray();
  json.Key("rows");
  json.StartArray();
  for (const Row& row : report.rows) put(json, row);
  json.EndArray();
  json.Key("other");
  if (report.other.empty())
    json.Null();
  else
    put(json, report.other);
  json.Key("totals");
  put(json, report.totals);
  json.Key("meta");
  put(json, report.meta);
  json.EndObject();
  return {buffer.GetString(), buffer.GetSize()};
}

std::string to_json(const QueryError& error) {
  rapidjson::StringBuffer buffer;
  Json json(buffer);
  json.StartObject();
  json.Key("error");
  json.StartObject();
  json.Key("code");
  put(json, error.code);
  json.Key("message");
  put(json, error.message);
  json.Key("param");
  put_or_null(json, error.param);
  json.Key("allowed");
  put(json, error.allowed);
  json.EndObject();
  json.EndObject();
  return {buffer.GetString(), buffer.GetSize()};
}

}  // namespace footfall
