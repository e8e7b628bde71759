#include "aggregate/spend_book.h"

#include <optional>
#include <string>

#include "base/bytes.h"
#include "credit/spend_hit.h"

namespace footfall {
namespace {

uint16_t import_of(std::string_view key) { return load_be16(key.data() + kOrderKeyIdBytes); }

// In time for its own day, however long ago that is: what cost something has a row before what did not.
class AtDay {
 public:
  AtDay(Bookings& bookings, int64_t day_ms) : bookings_(bookings), clock_s_(bookings.clock_s()) {
    bookings_.set_clock_s(day_ms / 1000);
  }
  ~AtDay() { bookings_.set_clock_s(clock_s_); }
  AtDay(const AtDay&) = delete;
  AtDay& operator=(const AtDay&) = delete;

 private:
  Bookings& bookings_;
  const int64_t clock_s_;
};

}  // namespace

std::optional<SpendRecord> SpendBook::newest(std::string_view prefix) const {
  std::optional<SpendRecord> newest;
  uint16_t of_import = 0;
  orders_.each(prefix, [&](std::string_view key, std::string_view value) {
    SpendRecord told;
    if (newest && import_of(key) < of_import) return;
    if (!decode_spend(value, told)) return;
    newest = std::move(told);
    of_import = import_of(key);
  });
  return newest;
}

void SpendBook::take(const Site& site, const Hit& hit) {
  ToldSpend told;
  if (!spend_of(hit, told)) return bookings_.count(site, hit.time_ms, Counter::malformed_events);
  const std::string day = absl::FormatCivilTime(told.day);
  const Result<int64_t> day_s = site.zone.parse_date(day);
  if (!day_s) return bookings_.count(site, hit.time_ms, Counter::malformed_events);

  SpendRecord record{.day_ms = *day_s * 1000, .key = std::move(told.key), .told = told.amounts, .booked = {}};
  SpendBooking& booked = record.booked;
  if (!record.told.currency) record.told.currency = site.config.currency;
  const std::optional<Rate> rate = orders_.rate_of(site, *record.told.currency, record.day_ms);
  booked.rows = rows_of_spend(record.key, site.config);
  booked.has_rate = rate.has_value();
  booked.currency = rate ? site.config.currency : *record.told.currency;
  booked.cost_micros = rate ? convert_micros(record.told.cost_micros, *rate) : record.told.cost_micros;
  booked.clicks = static_cast<int64_t>(record.told.clicks.value_or(0));
  booked.impressions = static_cast<int64_t>(record.told.impressions.value_or(0));

  std::string key = order_key(site.number, kSpendKind, hasher_(spend_name(record.key, day)), changes_.import());
  const std::optional<SpendRecord> before = newest(std::string_view(key).substr(0, kOrderKeyIdBytes));
  if (!before || before->booked != booked || before->day_ms != record.day_ms) {
    const AtDay in_time(bookings_, record.day_ms);
    if (before) bookings_.spend(site, before->day_ms, before->booked, -1);
    bookings_.spend(site, record.day_ms, booked, 1);
  }
  orders_.set(std::move(key), encode_spend(record));
}

Status pass_on_spend(SummaryWriter& summary, Sites& sites, uint16_t import, Changes& changes, Bookings& bookings) {
  // Of one key and day, in the order of imports.
  std::string prefix;
  std::optional<SpendRecord> before, gone;
  const Status status = summary.each(KeyedDatabase::orders, [&](std::string_view key, std::string_view value) {
    if (key.size() != kOrderKeyIdBytes + sizeof(uint16_t) || static_cast<uint8_t>(key[2]) != kSpendKind) return;
    if (!key.starts_with(prefix) || prefix.empty()) {
      prefix = key.substr(0, kOrderKeyIdBytes);
      before.reset(), gone.reset();
    }
    SpendRecord record;
    const uint16_t site = load_be16(key.data());
    const bool is_wanted = import_of(key) <= import || gone;
    if (!is_wanted || site >= sites.size() || !decode_spend(value, record)) return;
    if (import_of(key) < import) return void(before = std::move(record));
    if (import_of(key) == import) return void(gone = std::move(record));
    changes.set_import(import_of(key));
    if (before) bookings.spend(sites.at(site), before->day_ms, before->booked, -1);
    bookings.spend(sites.at(site), gone->day_ms, gone->booked, 1);
    gone.reset();
  });
  changes.set_import(0);
  return status;
}

}  // namespace footfall
