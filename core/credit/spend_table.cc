#include "credit/spend_table.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <tuple>

#include "base/limits.h"
#include "hit/csv_reader.h"
#include "hit/text.h"
#include "site/checks.h"

namespace footfall {
namespace {

enum class Column : uint8_t { date, channel, source, medium, campaign, campaign_id, content, term, code, cost, currency, clicks, impressions, note, site };

// Where a table has several names of one column, the first of these is taken. In lower case, _ between words.
struct ColumnNames {
  Column column;
  std::vector<std::string_view> names;
};
const std::vector<ColumnNames>& column_names() {
  static const std::vector<ColumnNames> kNames = {
      {Column::date, {"date", "day"}},
      {Column::channel, {"channel"}},
      {Column::source, {"source", "utm_source", "utmsource", "campaign_source", "manual_source", "source_name"}},
      {Column::medium, {"medium", "utm_medium", "utmmedium", "campaign_medium", "manual_medium"}},
      {Column::campaign, {"campaign", "utm_campaign", "utmcampaign", "campaign_name", "manual_campaign_name"}},
      {Column::campaign_id, {"utm_id", "campaign_id", "manual_campaign_id"}},
      {Column::content, {"content", "utm_content", "utmcontent", "campaign_content", "manual_ad_content", "adcontent"}},
      {Column::term, {"term", "utm_term", "utmterm", "campaign_term", "manual_term", "keyword"}},
      {Column::code, {"code"}},
      {Column::cost, {"cost", "expenses", "adcost", "total_cost", "spend"}},
      {Column::currency, {"currency", "currency_code"}},
      {Column::clicks, {"clicks", "adclicks"}},
      {Column::impressions, {"impressions"}},
      {Column::note, {"note"}},
      {Column::site, {"site"}},
  };
  return kNames;
}
constexpr size_t kColumns = 15;
constexpr std::string_view kOwnHeader = "date,channel,source,medium,campaign,content,term,code,cost,currency,clicks,impressions,note";
constexpr size_t kNoteBytesMax = 1024;

std::string plain_name(std::string_view text) {
  std::string name = lower_ascii(trim(text));
  std::replace_if(name.begin(), name.end(), [](char c) { return c == ' ' || c == '-'; }, '_');
  return name.starts_with("ga:") ? name.substr(3) : name;
}

std::optional<absl::CivilDay> parse_day(std::string_view text) {
  std::string digits(text);
  if (digits.size() > 10 && (digits[10] == ' ' || digits[10] == 'T')) digits.resize(10);  // an instant: its day, as it is written
  if (digits.size() == 8) digits.insert(6, 1, '-').insert(4, 1, '-');
  if (digits.size() != 10 || digits[4] != '-' || digits[7] != '-') return std::nullopt;
  for (const size_t at : {0, 1, 2, 3, 5, 6, 8, 9})
    if (digits[at] < '0' || digits[at] > '9') return std::nullopt;
  const auto number = [&](size_t at, size_t bytes) { return std::stoi(digits.substr(at, bytes)); };
  const int year = number(0, 4), month = number(5, 2), date = number(8, 2);
  const absl::CivilDay day(year, month, date);
  const bool is_day = day.year() == year && day.month() == month && day.day() == date;  // 2026-02-30 is none
  return is_day && year >= 1995 && year < 2200 ? std::optional(day) : std::nullopt;
}

class Table {
 public:
  explicit Table(const std::string& path) : path_(path) { places_.fill(-1); }

  Status read_header(const CsvRecord& header) {
    fields_ = header.fields.size();
    std::vector<std::string> names;
    for (const std::string& field : header.fields) names.push_back(plain_name(field));
    for (const ColumnNames& known : column_names())
      for (const std::string_view name : known.names) {
        const auto found = std::find(names.begin(), names.end(), name);
        if (found == names.end()) continue;
        if (std::find(found + 1, names.end(), name) != names.end()) return fault_of(header, "has two columns " + std::string(name));
        int& place = places_[static_cast<size_t>(known.column)];
        if (place < 0) place = static_cast<int>(found - names.begin());
      }
    for (const Column needed : {Column::date, Column::cost})
      if (!has(needed)) return fault_of(header, "names no column " + std::string(needed == Column::date ? "date" : "cost"));
    for (const Column key : {Column::channel, Column::source, Column::medium, Column::campaign, Column::campaign_id,
                             Column::content, Column::term, Column::code})
      if (has(key)) return {};
    return fault_of(header, "names nothing that was paid for, such as channel, source or code");
  }

  void take(const CsvRecord& record) {
    ++table_.records;
    SpendRow row;
    row.line = record.line;
    std::string fault = record.fault;
    if (fault.empty() && record.fields.size() != fields_)
      fault = "has " + std::to_string(record.fields.size()) + " fields, the header " + std::to_string(fields_);
    if (fault.empty()) fault = read(record, row);
    if (fault.empty()) table_.rows.push_back(std::move(row));
    else table_.rejected.push_back({path_, record.line, std::move(fault)});
  }

  SpendTable table() { return std::move(table_); }

 private:
  bool has(Column column) const { return places_[static_cast<size_t>(column)] >= 0; }
  Error fault_of(const CsvRecord& header, const std::string& what) const {
    return Error::invalid(path_ + ":" + std::to_string(header.line) + ": the header " + what + "; right would be: " + std::string(kOwnHeader));
  }
  // Bounded, and fit to be shown. Google writes `(not set)` where there is nothing.
  std::string field(const CsvRecord& record, Column column, size_t bytes_max = kCampaignFieldBytesMax) {
    if (!has(column)) return {};
    arena_.clear();
    bool marred = false;
    const std::string_view raw = record.fields[static_cast<size_t>(places_[static_cast<size_t>(column)])];
    const std::string_view text = clean_text(raw, bytes_max, arena_, marred);
    return text == "(not set)" || text == "(none)" ? std::string() : std::string(text);
  }

  std::string read(const CsvRecord& record, SpendRow& row) {
    if (std::string fault = read_dates(field(record, Column::date), row); !fault.empty()) return fault;
    if (std::string fault = read_amounts(record, row.amounts); !fault.empty()) return fault;
    row.note = field(record, Column::note, kNoteBytesMax);
    row.site = field(record, Column::site);
    return read_key(record, row.key);
  }

  static std::string read_dates(const std::string& text, SpendRow& row) {
    const size_t slash = std::min(text.find('/'), text.size());
    const auto first = parse_day(std::string_view(text).substr(0, slash));
    const auto last = slash == text.size() ? first : parse_day(std::string_view(text).substr(slash + 1));
    if (!first || !last) return "\"" + text + "\" is no date; right would be 2026-10-31 or 2026-10-01/2026-10-31";
    row.first = *first, row.last = *last;
    if (*last < *first) return "\"" + text + "\" ends before it begins";
    if (*last - *first >= kSpendDaysMax) return "\"" + text + "\" spans more than " + std::to_string(kSpendDaysMax) + " days";
    return {};
  }

  std::string read_amounts(const CsvRecord& record, SpendAmounts& amounts) {
    const std::string cost = field(record, Column::cost);
    const std::optional<int64_t> micros = parse_micros(cost);
    if (!micros || *micros < 0) return "\"" + cost + "\" is no cost; right would be 1234.50";
    amounts.cost_micros = *micros;
    if (const std::string code = field(record, Column::currency); !code.empty()) {
      amounts.currency = parse_currency(code);
      if (!amounts.currency) return "\"" + code + "\" is no currency; right would be EUR";
    }
    for (const auto& [column, count, name] : {std::tuple(Column::clicks, &amounts.clicks, "clicks"), std::tuple(Column::impressions, &amounts.impressions, "impressions")}) {
      const std::string text = field(record, column);
      if (text.empty()) continue;
      uint64_t number = 0;
      const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
      if (error != std::errc() || end != text.data() + text.size() || number > kCountMax)
        return "\"" + text + "\" is no number of " + name;
      *count = number;
    }
    return {};
  }

  std::string read_key(const CsvRecord& record, SpendKey& key) {
    key.channel = lower_ascii(field(record, Column::channel));
    key.source = lower_ascii(field(record, Column::source));
    key.medium = lower_ascii(field(record, Column::medium));
    key.campaign = field(record, Column::campaign);
    if (key.campaign.empty()) key.campaign = field(record, Column::campaign_id);
    key.content = field(record, Column::content);
    key.term = field(record, Column::term);
    std::string code = lower_ascii(field(record, Column::code));
    if (!code.empty() && !key.empty()) return "has a code and more; a code stands by itself";
    key.code = std::move(code);
    return key.empty() ? "names nothing that was paid for: no channel, source, medium, campaign, content, term or code" : "";
  }

  static constexpr uint64_t kCountMax = 1'000'000'000'000;  // so that a million such rows still are a number

  const std::string path_;
  std::array<int, kColumns> places_{};
  size_t fields_ = 0;
  TextArena arena_;
  SpendTable table_;
};

}  // namespace

Result<SpendTable> read_spend(const std::string& path, std::string_view text) {
  CsvReader reader(text);
  CsvRecord record;
  if (!reader.next(record)) return Error::invalid(path + " is empty; its first line names the columns");
  if (!record.fault.empty()) return Error::invalid(path + ":1: " + record.fault);
  Table table(path);
  if (Status read = table.read_header(record); !read) return read.error();
  while (reader.next(record)) table.take(record);
  return table.table();
}

}  // namespace footfall
