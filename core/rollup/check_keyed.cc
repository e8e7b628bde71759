// What of a summary stands for itself: records by key, and blocks of kept visits.
#include "base/bytes.h"
#include "rollup/check.h"
#include "rollup/order_entry.h"
#include "rollup/visit_log.h"
#include "visit/visitor.h"

namespace footfall {
namespace {

constexpr size_t kHexBytesMax = 40;

bool is_visitor_key(std::string_view key) { return key.size() == 2 + 16 + 1; }

}  // namespace

std::string hex_text(std::string_view bytes) {
  static constexpr char kDigits[] = "0123456789abcdef";
  std::string text;
  for (const char byte : bytes.substr(0, kHexBytesMax)) {
    text += kDigits[static_cast<uint8_t>(byte) >> 4];
    text += kDigits[static_cast<uint8_t>(byte) & 15];
  }
  return text;
}

Status SummaryCheck::read_keyed(KeyedDatabase database, uint64_t& found,
                                const std::function<bool(std::string_view, std::string_view)>& is_whole) {
  static constexpr std::string_view kNames[kKeyedDatabases] = {"visitors", "open_visits", "orders"};
  const size_t number = static_cast<size_t>(database);
  return each(snapshot_.keyed_[number], [&, number](std::string_view key, std::string_view value) {
    ++found;
    if (!is_whole(key, value)) fault(std::string(kNames[number]) + ": " + hex_text(key) + " cannot be read");
  });
}

Status SummaryCheck::read_open_visits() {
  return read_keyed(KeyedDatabase::open_visits, found_.open_visits, [&](std::string_view key, std::string_view value) {
    Visit visit;
    if (!is_visitor_key(key) || !decode_visit(value, visit)) return false;
    open_visits_.emplace(load_be16(key.data()), std::move(visit));
    return true;
  });
}

Status SummaryCheck::read_visitors() {
  return read_keyed(KeyedDatabase::visitors, found_.visitors, [](std::string_view key, std::string_view value) {
    Visitor visitor;
    return is_visitor_key(key) && decode_visitor(value, visitor);
  });
}

Status SummaryCheck::read_orders() {
  return read_keyed(KeyedDatabase::orders, found_.orders, is_order_entry);
}

// Of a site with a broken one nothing is added up: what is missing would be told again and again.
Status SummaryCheck::read_kept_visits() {
  if (!snapshot_.visits_) return {};
  const auto broken = [&](const std::optional<VisitLogKey>& key, std::string_view bytes, const std::string& what) {
    if (!key) return fault("kept visits: key " + hex_text(bytes) + " is none");
    broken_visits_.insert(key->site);
    fault("site " + site_name(key->site) + ", kept visits, day " +
          zone_of(key->site).bucket_text(Level::day, key->day_s) + ": " + what + std::to_string(key->number));
  };
  const auto belongs = [&](const VisitLogKey& key, int64_t start_ms) {
    return zone_of(key.site).bucket_start_s(Level::day, whole_s(start_ms)) == key.day_s;
  };
  const auto read_block = [&](std::string_view bytes, std::string_view value) {
    const std::optional<VisitLogKey> key = decode_visit_key(bytes);
    const std::optional<VisitBlock> block = VisitBlock::open(value);
    if (!key || !block) return broken(key, bytes, "broken block ");
    found_.kept_visits += block->rows(VisitTable::visits);
    if (!belongs(*key, block->start_ms_min()) || !belongs(*key, block->start_ms_max()))
      broken(key, bytes, "visits of another day in block ");
  };
  const auto read_row = [&](std::string_view bytes, std::string_view value) {
    const std::optional<VisitLogKey> key = decode_visit_key(bytes);
    KeptVisit visit;
    if (!key || !decode_kept_visit(value, visit)) return broken(key, bytes, "broken row ");
    ++found_.kept_visits;
    if (!belongs(*key, visit.start_ms)) broken(key, bytes, "a visit of another day in row ");
  };
  if (Status status = each(*snapshot_.visits_, read_block); !status) return status;
  return each(*snapshot_.visit_rows_, read_row);
}

}  // namespace footfall
