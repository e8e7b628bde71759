// A report as footfall.v1.Report.
#include "footfall/v1/report.pb.h"
#include "query/report.h"
#include "query/text.h"

namespace footfall {
namespace {

v1::ColumnType type_of(ColumnType type) {
  switch (type) {
    case ColumnType::string:
      return v1::COLUMN_TYPE_STRING;
    case ColumnType::time:
      return v1::COLUMN_TYPE_TIME;
    case ColumnType::integer:
      return v1::COLUMN_TYPE_INTEGER;
    case ColumnType::decimal:
      return v1::COLUMN_TYPE_DECIMAL;
    case ColumnType::money:
      return v1::COLUMN_TYPE_MONEY;
    case ColumnType::ratio:
      return v1::COLUMN_TYPE_RATIO;
    case ColumnType::seconds:
      return v1::COLUMN_TYPE_SECONDS;
  }
  return v1::COLUMN_TYPE_UNSPECIFIED;
}

void put(const Row& row, v1::Row& to) {
  for (const Cell& cell : row) {
    v1::Cell& made = *to.add_cells();
    if (cell.kind == Cell::Kind::text) made.set_text(valid_utf8(cell.text));
    if (cell.kind == Cell::Kind::number) made.set_number(cell.text);
  }
}

void put(const ReportMeta& meta, v1::Meta& to) {
  to.set_rows_total(meta.rows_total);
  to.set_next_cursor(meta.next_cursor);
  to.set_time_zone(meta.time_zone);
  to.set_currency(meta.currency);
  to.set_as_of(meta.as_of);
  to.set_complete_through(meta.complete_through);
  to.set_lost_hits(meta.lost_hits);
  for (const std::string& metric : meta.approximate) to.add_approximate(metric);
  for (const std::string& name : meta.restricted) to.add_restricted(valid_utf8(name));
  for (const std::string& warning : meta.warnings) to.add_warnings(valid_utf8(warning));
  for (const Unconverted& amount : meta.unconverted) {
    v1::Unconverted& made = *to.add_unconverted();
    made.set_currency(amount.currency);
    made.set_orders(amount.orders);
    made.set_revenue(amount.revenue);
    made.set_cost(amount.cost);
  }
}

}  // namespace

std::string to_protobuf(const Report& report) {
  v1::Report made;
  for (const auto& [name, value] : report.query) {
    v1::Parameter& parameter = *made.add_query();
    parameter.set_name(name);
    parameter.set_json(value);
  }
  for (const Column& column : report.columns) {
    v1::Column& to = *made.add_columns();
    to.set_name(column.name);
    to.set_type(type_of(column.type));
    to.set_currency(column.currency);
  }
  for (const Row& row : report.rows) put(row, *made.add_rows());
  if (!report.other.empty()) put(report.other, *made.mutable_other());
  put(report.totals, *made.mutable_totals());
  put(report.meta, *made.mutable_meta());
  return made.SerializeAsString();
}

}  // namespace footfall
