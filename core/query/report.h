// One Report, many renderers (JSON, CSV, protobuf, table, the module's page). Every figure in it is final: numbers are
// already rounded and spelt, so that a renderer does no arithmetic and all of them show the same.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

namespace footfall {

enum class ColumnType : uint8_t { string, time, integer, decimal, money, ratio, seconds };
std::string_view column_type_name(ColumnType type);

struct Column {
  std::string name;
  ColumnType type;
  std::string currency;  // of a money column
};

// Null, a text, or a number spelt as JSON spells it.
struct Cell {
  enum class Kind : uint8_t { null, text, number };
  Kind kind = Kind::null;
  std::string text;

  static Cell null() { return {}; }
  static Cell of_text(std::string text) { return {Kind::text, std::move(text)}; }
  static Cell of_number(std::string text) { return {Kind::number, std::move(text)}; }
};
using Row = std::vector<Cell>;

// Amounts that could not be turned into the site's currency: no rate. Listed apart, in no figure.
struct Unconverted {
  std::string currency;
  std::string orders;
  std::string revenue;
  std::string cost = {};  // empty: none was asked for, or there is none
};

struct ReportMeta {
  uint64_t rows_total = 0;
  std::string next_cursor;  // empty: no further page
  std::string time_zone;
  std::string currency;
  std::string as_of;             // RFC 3339 UTC: the snapshot's commit
  std::string complete_through;  // RFC 3339 UTC: every hit before it is counted
  uint64_t lost_hits = 0;
  std::vector<std::string> approximate;  // metrics that are estimates in this answer
  std::vector<std::string> restricted;
  std::vector<std::string> warnings;
  std::vector<Unconverted> unconverted;
};

struct Report {
  std::vector<std::pair<std::string, std::string>> query;  // normalised: name, value as JSON text
  std::vector<Column> columns;
  std::vector<Row> rows;
  Row other;
  Row totals;
  ReportMeta meta;
};

// A refused query: `code` is a word (bad_request, not_found, …), `param` the parameter at fault, `allowed` what would
// be right.
struct QueryError {
  int http_status = 400;
  std::string code;
  std::string message;
  std::string param;
  std::vector<std::string> allowed;
};

std::string to_json(const Report& report);
std::string to_json(const QueryError& error);
std::string to_csv(const Report& report);       // RFC 4180; csv.cc has the layout
std::string to_protobuf(const Report& report);  // footfall.v1.Report
std::string to_table(const Report& report);     // for a terminal: aligned, control characters shown as escapes

}  // namespace footfall
