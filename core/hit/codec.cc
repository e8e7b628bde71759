// hit:      bytes u16 (of all that follows) | version u8 = 1 | kind u8 (method, 16 x content) | time_ms i64 |
//           request_time_ms u32 | bytes_sent u64 | status u16 | site u16 | flags u32 | click_ids u32 | present u32 |
//           for each bit set in `present`, lowest first: field
// field:    bytes u16 | bytes
//           bits 0–2: id_key, anonymous_key, previous_anonymous_key (hash: high u64, low u64, big-endian)
//           bits 3–15: text, by kTextFields (15, the code, came last: earlier readers skip it) · bit 16: events ·
//           others: of later versions, skipped
// events:   count u8 | count x (bytes u16 | event)
// event:    parts u8 (1 value, 2 currency, 4 customer, 8 categories) | fault u8 | name u8+bytes | item u8+bytes | id u8+bytes |
//           coupon u8+bytes | value_micros i64 if 1 | currency 3 if 2 | customer hash if 4 | items u8 |
//           items x (quantity u32 | price_micros i64 | id u8+bytes) | items x (category u8+bytes) if 8 |
//           what later versions add
// Numbers are little-endian. The fixed part changes with the version only.
#include "hit/codec.h"

#include <algorithm>
#include <cstring>
#include <iterator>
#include <span>
#include <type_traits>
#include <utility>

#include "base/bytes.h"
#include "base/limits.h"

namespace footfall {
namespace {

constexpr uint8_t kVersion = 1;
constexpr size_t kShortTextBytesMax = 255;
constexpr size_t kSitePlace = 2 + 2 + 8 + 4 + 8 + 2;
constexpr size_t kFlagsPlace = kSitePlace + 2;
constexpr size_t kPresentPlace = kFlagsPlace + 4 + 4;
constexpr size_t kFixedBytes = kPresentPlace + 4;

struct KeyField {
  unsigned bit;
  Hash128 Hit::*key;
};
constexpr KeyField kKeyFields[] = {{0, &Hit::id_key}, {1, &Hit::anonymous_key}, {2, &Hit::previous_anonymous_key}};

struct TextField {
  unsigned bit;
  std::string_view Hit::*text;
  size_t bytes_max;
};
constexpr TextField kTextFields[] = {
    {3, &Hit::path, kPathBytesMax},
    {4, &Hit::agent, kAgentBytesMax},
    {5, &Hit::referrer_host, kReferrerHostBytesMax},
    {6, &Hit::referrer_path, kReferrerPathBytesMax},
    {7, &Hit::referrer_term, kCampaignFieldBytesMax},
    {8, &Hit::source, kCampaignFieldBytesMax},
    {9, &Hit::medium, kCampaignFieldBytesMax},
    {10, &Hit::campaign, kCampaignFieldBytesMax},
    {11, &Hit::content_label, kCampaignFieldBytesMax},
    {12, &Hit::term, kCampaignFieldBytesMax},
    {13, &Hit::country, kHitCountryBytesMax},
    {14, &Hit::search_term, kCampaignFieldBytesMax},
    {15, &Hit::code, kHitCodeBytesMax},
};
constexpr unsigned kEventsBit = 16;
constexpr uint32_t kLaterBits = ~uint32_t{0} << (kEventsBit + 1);

constexpr size_t plain_bytes_max() {
  size_t bytes = kFixedBytes + std::size(kKeyFields) * (2 + 16);
  for (const TextField& field : kTextFields) bytes += 2 + field.bytes_max;
  return bytes;
}
static_assert(plain_bytes_max() < kHitBytesMax, "a hit without events always fits");
static_assert(kOrderItemsMax <= 255 && kEventsMax <= 255, "counts are bytes");
static_assert(kEventNameBytesMax <= kShortTextBytesMax && kOrderIdBytesMax <= kShortTextBytesMax &&
              kEventItemBytesMax <= kShortTextBytesMax && kCouponBytesMax <= kShortTextBytesMax);

// Calls `what` for each field of a table, known when compiled: what is absent costs a comparison.
template <const auto& table, class What>
inline void for_each_field(What&& what) {
  [&]<size_t... at>(std::index_sequence<at...>) { (what(std::integral_constant<size_t, at>()), ...); }
  (std::make_index_sequence<std::size(table)>());
}

enum EventPart : uint8_t { kHasValue = 1, kHasCurrency = 2, kHasCustomer = 4, kHasCategories = 8 };

// --- write ---

// A length that is written before it is known.
class Counted {
 public:
  explicit Counted(std::string& to) : to_(to), start_(to.size()) { to_.append(2, '\0'); }
  ~Counted() { store_le16(to_.data() + start_, static_cast<uint16_t>(to_.size() - start_ - 2)); }

 private:
  std::string& to_;
  const size_t start_;
};

void write_short_text(std::string_view text, size_t bytes_max, BytesWriter& out, bool& whole) {
  whole &= text.size() <= bytes_max;
  text = text.substr(0, bytes_max);
  out.u8(static_cast<uint8_t>(text.size())).bytes(text);
}

void write_event(const Event& event, bool with_items, std::string& to, bool& whole) {
  const Counted bytes(to);
  BytesWriter out(to);
  const bool has_currency = event.currency != Currency();
  const bool has_customer = !event.customer.is_zero();
  const size_t items = with_items ? std::min(event.items.size(), kOrderItemsMax) : 0;
  const std::span<const OrderItem> told(event.items.data(), items);
  const bool has_categories =
      std::any_of(told.begin(), told.end(), [](const OrderItem& item) { return !item.category.empty(); });
  out.u8(static_cast<uint8_t>((event.has_value ? kHasValue : 0) | (has_currency ? kHasCurrency : 0) |
                              (has_customer ? kHasCustomer : 0) | (has_categories ? kHasCategories : 0)));
  out.u8(static_cast<uint8_t>(event.fault));
  write_short_text(event.name, kEventNameBytesMax, out, whole);
  write_short_text(event.item, kEventItemBytesMax, out, whole);
  write_short_text(event.id, kOrderIdBytesMax, out, whole);
  write_short_text(event.coupon, kCouponBytesMax, out, whole);
  if (event.has_value) out.le64(static_cast<uint64_t>(event.value_micros));
  if (has_currency) out.bytes(event.currency.text());
  if (has_customer) out.hash(event.customer);

  whole &= items == event.items.size();
  out.u8(static_cast<uint8_t>(items));
  for (const OrderItem& item : told) {
    out.le32(static_cast<uint32_t>(item.quantity)).le64(static_cast<uint64_t>(item.price_micros));
    write_short_text(item.id, kEventItemBytesMax, out, whole);
  }
  if (!has_categories) return;
  for (const OrderItem& item : told) write_short_text(item.category, kEventItemBytesMax, out, whole);
}

void write_events(const Hit& hit, size_t count, bool with_items, std::string& to, bool& whole) {
  const Counted bytes(to);
  BytesWriter(to).u8(static_cast<uint8_t>(count));
  for (size_t at = 0; at < count; ++at) write_event(hit.events[at], with_items, to, whole);
}

// Events of the hit that begins at `start`. Too large: first the items go, then the last events. False: none is left.
bool write_events_that_fit(const Hit& hit, size_t start, std::string& to, bool& whole) {
  const size_t plain_end = to.size();
  size_t events = std::min(hit.events.size(), kEventsMax);
  whole &= events == hit.events.size();
  write_events(hit, events, true, to, whole);
  for (bool with_items = true; to.size() - start > kHitBytesMax; with_items = false) {
    to.resize(plain_end);
    whole = false;
    if (!with_items) --events;
    if (events > 0) write_events(hit, events, false, to, whole);
  }
  return events > 0;
}

// What write_plain writes at most.
size_t plain_room(const Hit& hit) {
  size_t bytes = kFixedBytes + std::size(kKeyFields) * (2 + 16) + std::size(kTextFields) * 2;
  for_each_field<kTextFields>([&](auto at) { bytes += (hit.*kTextFields[at].text).size(); });
  return bytes;
}

// Everything before the events, and its end; the length and `present` are filled in by finish().
char* write_plain(const Hit& hit, char* to, uint32_t& present, bool& whole) {
  PlaceWriter out(to);
  out.put(uint16_t{0})
      .put(kVersion)
      .put(static_cast<uint8_t>(static_cast<unsigned>(hit.method) | static_cast<unsigned>(hit.content) << 4));
  out.put(hit.time_ms).put(hit.request_time_ms).put(hit.bytes_sent);
  out.put(hit.status).put(hit.site).put(hit.flags).put(hit.click_ids).put(uint32_t{0});
  for_each_field<kKeyFields>([&](auto at) {
    const Hash128& key = hit.*kKeyFields[at].key;
    if (key.is_zero()) return;
    present |= 1u << kKeyFields[at].bit;
    out.put(uint16_t{16}).put(__builtin_bswap64(key.high)).put(__builtin_bswap64(key.low));
  });
  for_each_field<kTextFields>([&](auto at) {
    constexpr TextField field = kTextFields[at];
    std::string_view text = hit.*field.text;
    if (text.empty()) return;
    if (text.size() > field.bytes_max) text = text.substr(0, field.bytes_max), whole = false;
    present |= 1u << field.bit;
    out.put(static_cast<uint16_t>(text.size())).bytes(text);
  });
  return out.end();
}

void finish(const Hit& hit, char* encoded, const char* end, uint32_t present, bool whole) {
  store_le16(encoded, static_cast<uint16_t>(end - encoded - 2));
  store_le32(encoded + kPresentPlace, present);
  if (!whole) store_le32(encoded + kFlagsPlace, hit.flags | kHitFieldCut);
}

// --- read ---

// Numbers one behind the other, of which there are known to be enough.
class PlaceReader {
 public:
  explicit PlaceReader(const char* from) : from_(from) {}

  template <class T>
  T take() {
    T number;
    take(number);
    return number;
  }
  template <class T>
  PlaceReader& take(T& number) {
    std::memcpy(&number, from_, sizeof number);
    from_ += sizeof number;
    return *this;
  }

 private:
  const char* from_;
};

std::string_view read_short_text(BytesReader& in) { return in.bytes(in.u8()); }

bool read_item(BytesReader& in, OrderItem& to) {
  to.quantity = in.le32();
  to.price_micros = static_cast<int64_t>(in.le64());
  to.id = read_short_text(in);
  to.category = {};
  return in.ok();
}

bool read_event(std::string_view bytes, Event& to) {
  BytesReader in(bytes);
  const uint8_t parts = in.u8();
  const uint8_t fault = in.u8();
  if (fault > static_cast<uint8_t>(OrderFault::off_grammar)) return false;
  to.fault = static_cast<OrderFault>(fault);
  to.name = read_short_text(in);
  to.item = read_short_text(in);
  to.id = read_short_text(in);
  to.coupon = read_short_text(in);
  to.has_value = (parts & kHasValue) != 0;
  to.value_micros = to.has_value ? static_cast<int64_t>(in.le64()) : 0;
  to.currency = {};
  if ((parts & kHasCurrency) != 0) {
    const std::string_view code = in.bytes(to.currency.code.size());
    std::copy(code.begin(), code.end(), to.currency.code.begin());
  }
  to.customer = (parts & kHasCustomer) != 0 ? in.hash() : Hash128();

  const size_t count = in.u8();
  if (!in.ok() || to.name.empty() || count > kOrderItemsMax) return false;
  to.items.resize(count);
  const bool good = std::all_of(to.items.begin(), to.items.end(), [&](OrderItem& item) { return read_item(in, item); });
  if (good && (parts & kHasCategories) != 0)
    for (OrderItem& item : to.items) item.category = read_short_text(in);
  return good && in.ok();
}

bool read_events(std::string_view bytes, Hit& to) {
  BytesReader in(bytes);
  const size_t count = in.u8();
  if (!in.ok() || count > kEventsMax) return false;
  to.events.resize(count);
  return std::all_of(to.events.begin(), to.events.end(), [&](Event& event) {
    const std::string_view event_bytes = in.text16();
    return in.ok() && read_event(event_bytes, event);
  });
}

bool read_key(std::string_view bytes, Hash128& to) {
  BytesReader in(bytes);
  to = in.hash();
  return in.ok() && in.at_end();
}

bool read_fixed(BytesReader& in, Hit& to, uint32_t& present) {
  const std::string_view fixed = in.bytes(kFixedBytes - 2);
  if (!in.ok()) return false;
  PlaceReader from(fixed.data());
  const auto version = from.take<uint8_t>();
  const auto kind = from.take<uint8_t>();
  const unsigned method = kind & 15u;
  const unsigned content = kind >> 4;
  if (version != kVersion || method > static_cast<unsigned>(Method::other) ||
      content > static_cast<unsigned>(ContentKind::other)) {
    return false;
  }
  to.method = static_cast<Method>(method);
  to.content = static_cast<ContentKind>(content);
  from.take(to.time_ms).take(to.request_time_ms).take(to.bytes_sent);
  from.take(to.status).take(to.site).take(to.flags).take(to.click_ids).take(present);
  return true;
}

bool read_fields(BytesReader& in, uint32_t present, Hit& to) {
  bool good = true;
  for_each_field<kKeyFields>([&](auto at) {
    Hash128& key = to.*kKeyFields[at].key;
    key = {};
    if ((present >> kKeyFields[at].bit & 1) == 0) return;
    const std::string_view bytes = in.text16();
    if (!bytes.empty()) good &= read_key(bytes, key);
  });
  for_each_field<kTextFields>([&](auto at) {
    constexpr TextField field = kTextFields[at];
    std::string_view& text = to.*field.text;
    text = {};
    if ((present >> field.bit & 1) == 0) return;
    text = in.text16();
    good &= text.size() <= field.bytes_max;
  });
  to.events.clear();
  if ((present >> kEventsBit) == 0) return good && in.ok() && in.at_end();  // as most are

  const std::string_view events = (present >> kEventsBit & 1) != 0 ? in.text16() : std::string_view();
  for (uint32_t later = present & kLaterBits; later != 0; later &= later - 1) in.text16();
  if (!good || !in.ok() || !in.at_end()) return false;
  return events.empty() || read_events(events, to);
}

}  // namespace

void set_encoded_site(char* hit, uint16_t site) { store_le16(hit + kSitePlace, site); }

char* encode_plain_hit(const Hit& hit, char* to) {
  bool whole = true;
  uint32_t present = 0;
  char* const end = write_plain(hit, to, present, whole);
  finish(hit, to, end, present, whole);
  return end;
}

bool encode_hit(const Hit& hit, std::string& to) {
  const size_t start = to.size();
  bool whole = true;
  uint32_t present = 0;
  to.resize(start + plain_room(hit));
  to.resize(static_cast<size_t>(write_plain(hit, to.data() + start, present, whole) - to.data()));
  if (!hit.events.empty() && write_events_that_fit(hit, start, to, whole)) present |= 1u << kEventsBit;
  finish(hit, to.data() + start, to.data() + to.size(), present, whole);
  return whole;
}

bool decode_hit(std::string_view& from, Hit& to) {
  BytesReader in(from);
  const std::string_view record = in.text16();
  if (!in.ok() || record.size() + 2 > kHitBytesMax) return false;
  BytesReader fields(record);
  uint32_t present = 0;
  if (!read_fixed(fields, to, present) || !read_fields(fields, present, to)) return false;
  from.remove_prefix(record.size() + 2);
  return true;
}

}  // namespace footfall
