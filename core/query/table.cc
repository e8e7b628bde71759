// A report for a terminal.
#include <algorithm>

#include "query/report.h"
#include "query/text.h"

namespace footfall {
namespace {

constexpr std::string_view kGap = "  ";

using Line = std::vector<std::string>;

bool is_text(const Column& column) { return column.type == ColumnType::string || column.type == ColumnType::time; }

std::string shown(const Cell& cell) { return cell.kind == Cell::Kind::null ? "-" : terminal_text(cell.text); }

// A line of the rows that are none: `label` stands where the first dimension would.
Line labelled(const Row& row, const std::vector<Column>& columns, std::string_view label) {
  Line line;
  for (size_t i = 0; i < columns.size(); ++i)
    line.push_back(is_text(columns[i]) ? std::string(i == 0 ? label : "") : i < row.size() ? shown(row[i]) : "");
  return line;
}

std::string heading(const Column& column) {
  return column.currency.empty() ? column.name : column.name + " " + column.currency;
}

class Table {
 public:
  explicit Table(const std::vector<Column>& columns) : columns_(columns), widths_(columns.size()) {}

  void add(Line line) {
    for (size_t i = 0; i < line.size(); ++i) widths_[i] = std::max(widths_[i], terminal_width(line[i]));
    lines_.push_back(std::move(line));
  }
  void rule() { lines_.emplace_back(); }

  std::string text() const {
    std::string out;
    for (const Line& line : lines_) {
      std::string shown;
      for (size_t i = 0; i < columns_.size(); ++i) {
        if (i > 0) shown += kGap;
        if (line.empty())
          shown.append(widths_[i], '-');
        else
          put(shown, line[i], i);
      }
      shown.erase(shown.find_last_not_of(' ') + 1);
      out += shown + '\n';
    }
    return out;
  }

 private:
  void put(std::string& to, const std::string& cell, size_t column) const {
    const size_t padding = widths_[column] - terminal_width(cell);
    if (!is_text(columns_[column])) to.append(padding, ' ');
    to += cell;
    if (is_text(columns_[column])) to.append(padding, ' ');
  }

  const std::vector<Column>& columns_;
  std::vector<size_t> widths_;
  std::vector<Line> lines_;  // an empty one is a rule
};

std::string of_query(const Report& report, std::string_view name) {
  for (const auto& [known, value] : report.query)
    if (known == name) return value.size() >= 2 && value.front() == '"' ? value.substr(1, value.size() - 2) : value;
  return {};
}

}  // namespace

std::string to_table(const Report& report) {
  Table table(report.columns);
  Line head;
  for (const Column& column : report.columns) head.push_back(heading(column));
  table.add(std::move(head));
  table.rule();
  for (const Row& row : report.rows) {
    Line line;
    for (const Cell& cell : row) line.push_back(shown(cell));
    table.add(std::move(line));
  }
  const bool by_something = !report.columns.empty() && is_text(report.columns[0]);
  if (by_something) {
    table.rule();
    if (!report.other.empty()) table.add(labelled(report.other, report.columns, "(other)"));
    table.add(labelled(report.totals, report.columns, "(total)"));
  }

  std::string out = terminal_text(of_query(report, "site")) + ": " + of_query(report, "from") + " to " +
                    of_query(report, "to") + ", " + report.meta.time_zone + "\n\n" + table.text() + '\n';
  if (report.rows.size() < report.meta.rows_total)
    out += std::to_string(report.rows.size()) + " of " + std::to_string(report.meta.rows_total) + " rows" +
           (report.meta.next_cursor.empty() ? "" : "; on with --cursor " + report.meta.next_cursor) + '\n';
  for (const std::string& metric : report.meta.approximate) out += "estimated: " + metric + '\n';
  for (const std::string& warning : report.meta.warnings) out += "note: " + terminal_text(warning) + '\n';
  if (report.meta.lost_hits > 0) out += "hits lost so far: " + std::to_string(report.meta.lost_hits) + '\n';
  return out + "as of " + (report.meta.as_of.empty() ? "-" : report.meta.as_of) + '\n';
}

}  // namespace footfall
