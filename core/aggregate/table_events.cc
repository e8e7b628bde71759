#include "aggregate/table_events.h"

#include <absl/time/clock.h>
#include <absl/time/time.h>
#include <rapidjson/stringbuffer.h>
#include <rapidjson/writer.h>

#include <algorithm>
#include <array>
#include <optional>

#include "base/money.h"
#include "hit/csv_reader.h"
#include "hit/event_line.h"
#include "site/checks.h"

namespace footfall {
namespace {

enum class Column : uint8_t { id, time, value, currency, items, coupon, customer, visitor, site, status, rate };
constexpr size_t kColumns = 11;

// The names that shops' exports have for it, in lower case with _ between words: of several that are there, the first here.
struct ColumnNames {
  Column column;
  std::vector<std::string_view> names;
};
const std::vector<ColumnNames>& column_names() {
  static const std::vector<ColumnNames> kNames = {
      // A refund may have an id of its own beside the order's.
      {Column::id, {"order_id", "transaction_id", "order_number", "order_name", "order", "id"}},
      {Column::time, {"time", "date", "day", "refunded_at", "ordered_at", "created_at", "datetime"}},
      {Column::value, {"value", "refund_value", "refunded_amount", "refund", "total", "total_price", "revenue", "purchase_revenue", "amount"}},
      {Column::currency, {"currency", "currency_code"}},
      {Column::items, {"items", "line_items"}},
      {Column::coupon, {"coupon", "coupon_code", "discount_code"}},
      {Column::customer, {"customer", "customer_id"}},
      {Column::visitor, {"visitor", "visitor_id", "client_id"}},
      {Column::site, {"site"}},
      {Column::status, {"status", "financial_status", "order_status"}},
      {Column::rate, {"rate", "value", "exchange_rate"}},
  };
  return kNames;
}

std::vector<Column> needed(TableKind kind) {
  if (kind == TableKind::orders) return {Column::id, Column::time, Column::value};
  if (kind == TableKind::refunds) return {Column::id, Column::time};
  return {Column::time, Column::currency, Column::rate};
}

std::string_view name_of(Column column) {
  for (const ColumnNames& known : column_names())
    if (known.column == column) return column == Column::time ? "date" : column == Column::id ? "id" : known.names.front();
  return {};
}

std::string plain_name(std::string_view text) {
  std::string name = lower_ascii(text);
  const auto is_space = [](char c) { return c == ' ' || c == '\t'; };
  while (!name.empty() && is_space(name.back())) name.pop_back();
  name.erase(0, std::min(name.find_first_not_of(" \t"), name.size()));
  std::replace_if(name.begin(), name.end(), [](char c) { return c == ' ' || c == '-'; }, '_');
  return name;
}

std::string_view trimmed(std::string_view text) {
  const size_t first = text.find_first_not_of(" \t\r\n");
  if (first == std::string_view::npos) return {};
  return text.substr(first, text.find_last_not_of(" \t\r\n") - first + 1);
}

class Table {
 public:
  Table(TableKind kind, const std::string& path, const Config& config, const std::string& site)
      : kind_(kind), path_(path), config_(config), site_(site) {
    places_.fill(-1);
  }

  Status read_header(const CsvRecord& header) {
    std::vector<std::string> names;
    for (const std::string& field : header.fields) names.push_back(plain_name(field));
    for (const ColumnNames& known : column_names())
      if (takes(known.column)) places_[static_cast<size_t>(known.column)] = place_of(known, names);
    fields_ = header.fields.size();
    std::string missing, all;
    for (const Column column : needed(kind_))
      if (place(column) < 0) missing.append(missing.empty() ? "" : ", ").append(name_of(column));
    if (missing.empty()) return {};
    for (const ColumnNames& known : column_names())
      if (takes(known.column)) all.append(all.empty() ? "" : ",").append(name_of(known.column));
    return Error::invalid(path_ + ":" + std::to_string(header.line) + ": the header names no column " + missing +
                          "; right would be: " + all);
  }

  // Whoever mistypes a year would have the clock of the import run ahead of all else.
  bool is_to_come(absl::Time time) { return time > absl::Now() + absl::Hours(24) && (fault_ = "is of a day that is to come", true); }

  void take(const CsvRecord& record) {
    fault_ = record.fault;
    if (fault_.empty() && record.fields.size() != fields_)
      fault_ = "has " + std::to_string(record.fields.size()) + " fields, the header " + std::to_string(fields_);
    if (fault_.empty() && site_.empty() && field(record, Column::site).empty()) fault_ = no_site_fault(config_);
    if (fault_.empty()) (kind_ == TableKind::rates) ? take_rate(record) : take_order(record);
    if (!fault_.empty()) rejected_.push_back({path_, record.line, fault_});
  }

  TableEvents events(uint64_t rows) {
    std::stable_sort(lines_.begin(), lines_.end(), [](const auto& a, const auto& b) { return a.first < b.first; });
    TableEvents events;
    for (const auto& [time_ms, line] : lines_) events.lines.append(line).append("\n");
    events.rows = rows;
    events.rejected = std::move(rejected_);
    return events;
  }

 private:
  using Members = std::vector<std::pair<const char*, std::string>>;

  int place(Column column) const { return places_[static_cast<size_t>(column)]; }
  bool takes(Column column) const {
    if (kind_ == TableKind::rates)
      return column == Column::time || column == Column::currency || column == Column::rate || column == Column::site;
    if (column == Column::rate) return false;
    const bool of_orders = column == Column::coupon || column == Column::customer || column == Column::visitor || column == Column::status;
    return kind_ == TableKind::orders || !of_orders;
  }
  // -1: the header has none of its names.
  int place_of(const ColumnNames& known, const std::vector<std::string>& names) const {
    for (const std::string_view name : known.names) {
      if (kind_ == TableKind::orders && name.starts_with("refund")) continue;
      const auto found = std::find(names.begin(), names.end(), name);
      if (found != names.end()) return static_cast<int>(found - names.begin());
    }
    return -1;
  }
  std::string field(const CsvRecord& record, Column column) const {
    return place(column) < 0 ? std::string() : std::string(trimmed(record.fields[static_cast<size_t>(place(column))]));
  }
  bool fail(std::string text) { return fault_ = std::move(text), false; }

  const SiteConfig* settings(const CsvRecord& record) const {
    std::string name = field(record, Column::site);
    if (name.empty()) name = site_;
    if (name.empty()) return config_.sites.size() == 1 ? &config_.sites.front() : nullptr;
    return resolve_site(config_, name);
  }

  // An instant, or the clock of the shop; a day alone is its noon.
  bool read_time(const CsvRecord& record, absl::Time& to) {
    const std::string text = field(record, Column::time);
    std::string ignored;
    if (absl::ParseTime(absl::RFC3339_full, text, &to, &ignored)) return true;
    if (absl::ParseTime("%Y-%m-%d %H:%M:%E*S %z", text, &to, &ignored)) return true;
    const SiteConfig* site = settings(record);
    absl::TimeZone zone = absl::UTCTimeZone();
    if (site != nullptr) absl::LoadTimeZone(site->timezone, &zone);
    for (const char* form : {"%Y-%m-%d %H:%M:%E*S", "%Y-%m-%dT%H:%M:%E*S", "%Y-%m-%d %H:%M"})
      if (absl::ParseTime(form, text, zone, &to, &ignored)) return true;
    absl::CivilDay day;
    if (text.size() == 10 && absl::ParseCivilTime(text, &day))
      return to = absl::FromCivil(absl::CivilHour(day) + 12, zone), true;
    return fail("\"" + text + "\" is no " + std::string(name_of(Column::time)) +
                "; 2026-10-31, 2026-10-31 18:05 or 2026-10-31T18:05:00+01:00 is right");
  }

  void take_rate(const CsvRecord& record) {
    absl::Time time;
    if (!read_time(record, time)) return;
    const std::string rate = field(record, Column::rate);
    if (!parse_trillionths(rate)) return void(fail("\"" + rate + "\" is no rate; a plain decimal above 0 is right, such as 0.92"));
    if (!parse_currency(field(record, Column::currency)))
      return void(fail("\"" + field(record, Column::currency) + "\" is no currency; three letters are right, such as USD"));
    absl::TimeZone zone = absl::UTCTimeZone();
    if (const SiteConfig* site = settings(record)) absl::LoadTimeZone(site->timezone, &zone);
    add(record, time, {{"event", std::string(kRateEventName)}, {"id", rate}, {"currency", field(record, Column::currency)},
                       {"item", absl::FormatCivilTime(absl::ToCivilDay(time, zone))}});
  }

  void take_order(const CsvRecord& record) {
    absl::Time time;
    if (!read_time(record, time)) return;
    const std::string status = lower_ascii(field(record, Column::status));
    const auto is_any = [&](std::initializer_list<std::string_view> words) {
      return std::find(words.begin(), words.end(), std::string_view(status)) != words.end();
    };
    const bool never_was = is_any({"voided", "failed"});  // where it was told before, it is gone
    const bool is_gone = never_was || is_any({"cancelled", "canceled", "refunded"});
    const bool is_changed = is_any({"changed"});
    Members members{{"id", field(record, Column::id)}, {"currency", field(record, Column::currency)}};
    members.emplace_back("value", field(record, Column::value));
    if (kind_ == TableKind::orders)
      for (const auto& [name, column] : {std::pair("coupon", Column::coupon), std::pair("customer", Column::customer),
                                         std::pair("visitor", Column::visitor)})
        members.emplace_back(name, field(record, column));
    items_ = field(record, Column::items);
    members.emplace_back("event", std::string(kind_ == TableKind::refunds ? kRefundEventName : kOrderEventName));
    if (!never_was && !add(record, time, members)) return;
    if (!is_gone && !is_changed) return;
    items_.clear();
    const std::string id = field(record, Column::id);
    const absl::Time after = time + absl::Milliseconds(1);
    if (is_gone) return void(add(record, after, {{"event", std::string(kCancelledEventName)}, {"id", id}}));
    add(record, after, {{"event", std::string(kChangedEventName)}, {"id", id}, {"value", field(record, Column::value)}, {"currency", field(record, Column::currency)}});
  }

  bool add(const CsvRecord& record, absl::Time time, const Members& members) {
    if (is_to_come(time)) return false;
    rapidjson::StringBuffer buffer;
    rapidjson::Writer<rapidjson::StringBuffer> writer(buffer);
    const auto put = [&](std::string_view text) { writer.String(text.data(), static_cast<rapidjson::SizeType>(text.size())); };
    writer.StartObject();
    writer.Key("time");
    put(absl::FormatTime(absl::RFC3339_full, time, absl::UTCTimeZone()));
    for (const auto& [name, text] : members) {
      if (text.empty()) continue;
      writer.Key(name);
      put(text);
    }
    if (const std::string site = field(record, Column::site); !site.empty()) {
      writer.Key("site");
      put(site);
    }
    if (!items_.empty()) {
      writer.Key("items");
      writer.StartArray();
      for (size_t at = 0; at < items_.size();) {
        const size_t end = std::min(items_.find(' ', at), items_.size());
        if (end > at) put(std::string_view(items_).substr(at, end - at));
        at = end + 1;
      }
      writer.EndArray();
    }
    writer.EndObject();
    std::string line(buffer.GetString(), buffer.GetSize());
    if (reader_.read(line) != LineOutcome::hit) return fail(reader_.fault());
    lines_.emplace_back(reader_.event().time_ms, std::move(line));
    return true;
  }

  const TableKind kind_;
  const std::string path_;
  const Config& config_;
  const std::string site_;
  std::array<int, kColumns> places_{};
  size_t fields_ = 0;
  std::string fault_, items_;
  EventLineReader reader_;
  std::vector<std::pair<int64_t, std::string>> lines_;
  std::vector<RejectedLine> rejected_;
};

}  // namespace

Result<TableEvents> events_of_table(TableKind kind, const std::string& path, std::string_view text, const Config& config,
                                    const std::string& site) {
  Table table(kind, path, config, site);
  CsvReader reader(text);
  CsvRecord record;
  uint64_t rows = 0;
  if (!reader.next(record)) return Error::invalid(path + " is empty; its first line names the columns");
  if (!record.fault.empty()) return Error::invalid(path + ":1: " + record.fault);
  if (Status read = table.read_header(record); !read) return read.error();
  for (; reader.next(record); ++rows) table.take(record);
  return table.events(rows);
}

}  // namespace footfall
