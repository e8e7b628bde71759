// A report for a spreadsheet: RFC 4180, UTF-8 without a mark at its start.
//
//   header:  the columns' names, then `row`
//   line:    the cells, then what the line is: row, other or totals (rows + other = totals)
//
// Null is an empty field, an empty text a quoted one.
#include "query/report.h"
#include "query/text.h"

namespace footfall {
namespace {

constexpr std::string_view kLineEnd = "\r\n";

// A spreadsheet would run it, and what strangers put into an address is theirs.
bool is_formula(std::string_view text) {
  return !text.empty() && std::string_view("=+-@\t\r").find(text[0]) != std::string_view::npos;
}

void put_text(std::string& to, std::string_view text) {
  std::string field = is_formula(text) ? "'" : "";
  field += valid_utf8(text);
  if (!field.empty() && field.find_first_of(",\"\r\n") == std::string::npos) {
    to += field;
    return;
  }
  to += '"';
  for (const char c : field) to.append(c == '"' ? 2 : 1, c);
  to += '"';
}

void put_line(std::string& to, const Row& row, size_t columns, std::string_view what) {
  for (size_t i = 0; i < columns; ++i) {
    if (i < row.size() && row[i].kind == Cell::Kind::text) put_text(to, row[i].text);
    if (i < row.size() && row[i].kind == Cell::Kind::number) to += row[i].text;
    to += ',';
  }
  to.append(what).append(kLineEnd);
}

}  // namespace

std::string to_csv(const Report& report) {
  std::string csv;
  for (const Column& column : report.columns) {
    put_text(csv, column.name);
    csv += ',';
  }
  csv.append("row").append(kLineEnd);
  const size_t columns = report.columns.size();
  for (const Row& row : report.rows) put_line(csv, row, columns, "row");
  if (!report.other.empty()) put_line(csv, report.other, columns, "other");
  put_line(csv, report.totals, columns, "totals");
  return csv;
}

}  // namespace footfall
