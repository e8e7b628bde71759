// hit:      bytes u16 (of all that follows) | version u8 = 1 | kind u8 (method, 16 x content) | time_ms i64 |
//           request_time_ms u32 | bytes_sent u64 | status u16 | site u16 | flags u32 | click_ids u32 | present u32 |
//           for each bit set in `present`, lowest first: field
// field:    bytes u16 | bytes
//           bits 0–2: id_key, anonymous_key, previous_anonymous_key (hash: high u64, low u64, big-endian)
//           bits 3–14: text, by kTextFields · bit 15: arguments · bit 16: events · others: of later versions, skipped
// arguments: count u8 | count x (name bytes u16 | name | value bytes u16 | value)
// events:   count u8 | count x (bytes u16 | event)
// event:    parts u8 (1 value, 2 currency, 4 customer) | fault u8 | name u8+bytes | item u8+bytes | id u8+bytes |
//           coupon u8+bytes | value_micros i64 if 1 | currency 3 if 2 | customer hash if 4 | items u8 |
//           items x (quantity u32 | price_micros i64 | id u8+bytes) | what later versions add
// Numbers are little-endian. The fixed part changes with the version only.
#include "hit/codec.h"

#include <algorithm>
#include <cstring>
#include <iterator>

#include "base/bytes.h"
#include "base/limits.h"

namespace footfall {
namespace {

constexpr uint8_t kVersion = 1;
constexpr size_t kArgumentsMax = 32;
constexpr size_t kArgumentNameBytesMax = 128;
constexpr size_t kShortTextBytesMax = 255;
constexpr size_t kFixedBytes = 2 + 2 + 8 + 4 + 8 + 2 + 2 + 4 + 4 + 4;

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
};
constexpr unsigned kArgumentsBit = 15;
constexpr unsigned kEventsBit = 16;

constexpr size_t plain_bytes_max() {
  size_t bytes = kFixedBytes + std::size(kKeyFields) * (2 + 16);
  for (const TextField& field : kTextFields) bytes += 2 + field.bytes_max;
  return bytes;
}
static_assert(plain_bytes_max() < kHitBytesMax, "a hit without arguments and events always fits");
static_assert(kOrderItemsMax <= 255 && kEventsMax <= 255 && kArgumentsMax <= 255, "counts are bytes");
static_assert(kEventNameBytesMax <= kShortTextBytesMax && kOrderIdBytesMax <= kShortTextBytesMax &&
              kEventItemBytesMax <= kShortTextBytesMax && kCouponBytesMax <= kShortTextBytesMax);

enum EventPart : uint8_t { kHasValue = 1, kHasCurrency = 2, kHasCustomer = 4 };

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
  out.u8(static_cast<uint8_t>((event.has_value ? kHasValue : 0) | (has_currency ? kHasCurrency : 0) |
                              (has_customer ? kHasCustomer : 0)));
  out.u8(static_cast<uint8_t>(event.fault));
  write_short_text(event.name, kEventNameBytesMax, out, whole);
  write_short_text(event.item, kEventItemBytesMax, out, whole);
  write_short_text(event.id, kOrderIdBytesMax, out, whole);
  write_short_text(event.coupon, kCouponBytesMax, out, whole);
  if (event.has_value) out.le64(static_cast<uint64_t>(event.value_micros));
  if (has_currency) out.bytes(event.currency.text());
  if (has_customer) out.hash(event.customer);

  const size_t items = with_items ? std::min(event.items.size(), kOrderItemsMax) : 0;
  whole &= items == event.items.size();
  out.u8(static_cast<uint8_t>(items));
  for (size_t at = 0; at < items; ++at) {
    const OrderItem& item = event.items[at];
    out.le32(static_cast<uint32_t>(item.quantity)).le64(static_cast<uint64_t>(item.price_micros));
    write_short_text(item.id, kEventItemBytesMax, out, whole);
  }
}

void write_arguments(const Hit& hit, std::string& to, bool& whole) {
  const Counted bytes(to);
  BytesWriter out(to);
  const size_t count = std::min(hit.arguments.size(), kArgumentsMax);
  whole &= count == hit.arguments.size();
  out.u8(static_cast<uint8_t>(count));
  for (size_t at = 0; at < count; ++at) {
    const KeptArgument& argument = hit.arguments[at];
    whole &= argument.name.size() <= kArgumentNameBytesMax && argument.value.size() <= kCampaignFieldBytesMax;
    out.text16(argument.name.substr(0, kArgumentNameBytesMax));
    out.text16(argument.value.substr(0, kCampaignFieldBytesMax));
  }
}

void write_events(const Hit& hit, size_t count, bool with_items, std::string& to, bool& whole) {
  const Counted bytes(to);
  BytesWriter(to).u8(static_cast<uint8_t>(count));
  for (size_t at = 0; at < count; ++at) write_event(hit.events[at], with_items, to, whole);
}

// Numbers as they lie in memory, one behind the other.
class PlaceWriter {
 public:
  explicit PlaceWriter(char* to) : to_(to) {}

  template <class T>
  PlaceWriter& put(T number) {
    std::memcpy(to_, &number, sizeof number);
    to_ += sizeof number;
    return *this;
  }
  PlaceWriter& bytes(std::string_view text) {
    std::memcpy(to_, text.data(), text.size());
    to_ += text.size();
    return *this;
  }
  const char* end() const { return to_; }

 private:
  char* to_;
};

// Everything before the arguments; `present` is filled in by the caller.
uint32_t write_plain(const Hit& hit, std::string& to, bool& whole) {
  // Its bytes are counted first, so that the string grows once.
  size_t bytes = kFixedBytes - 2;
  for (const KeyField& field : kKeyFields) bytes += (hit.*field.key).is_zero() ? 0 : 2 + 16;
  for (const TextField& field : kTextFields) bytes += 2 + std::min((hit.*field.text).size(), field.bytes_max);
  const size_t start = to.size();
  to.resize(start + bytes);

  PlaceWriter out(to.data() + start);
  out.put(kVersion).put(
      static_cast<uint8_t>(static_cast<unsigned>(hit.method) | static_cast<unsigned>(hit.content) << 4));
  out.put(hit.time_ms).put(hit.request_time_ms).put(hit.bytes_sent);
  out.put(hit.status).put(hit.site).put(hit.flags).put(hit.click_ids).put(uint32_t{0});
  uint32_t present = 0;
  for (const KeyField& field : kKeyFields) {
    const Hash128& key = hit.*field.key;
    if (key.is_zero()) continue;
    present |= 1u << field.bit;
    out.put(uint16_t{16}).put(__builtin_bswap64(key.high)).put(__builtin_bswap64(key.low));
  }
  for (const TextField& field : kTextFields) {
    const std::string_view text = (hit.*field.text).substr(0, field.bytes_max);
    if (text.empty()) continue;
    present |= 1u << field.bit;
    whole &= text.size() == (hit.*field.text).size();
    out.put(static_cast<uint16_t>(text.size())).bytes(text);
  }
  to.resize(out.end() - to.data());
  return present;
}

// --- read ---

std::string_view read_short_text(BytesReader& in) { return in.bytes(in.u8()); }

bool read_item(BytesReader& in, OrderItem& to) {
  to.quantity = in.le32();
  to.price_micros = static_cast<int64_t>(in.le64());
  to.id = read_short_text(in);
  return in.ok();
}

bool read_event(std::string_view bytes, Event& to) {
  BytesReader in(bytes);
  const uint8_t parts = in.u8();
  const uint8_t fault = in.u8();
  if (fault > static_cast<uint8_t>(OrderFault::bad_items)) return false;
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
  return std::all_of(to.items.begin(), to.items.end(), [&](OrderItem& item) { return read_item(in, item); });
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

bool read_arguments(std::string_view bytes, Hit& to) {
  BytesReader in(bytes);
  const size_t count = in.u8();
  if (!in.ok() || count > kArgumentsMax) return false;
  to.arguments.resize(count);
  for (KeptArgument& argument : to.arguments) {
    argument.name = in.text16();
    argument.value = in.text16();
  }
  return in.ok();
}

bool read_key(std::string_view bytes, Hash128& to) {
  BytesReader in(bytes);
  to = in.hash();
  return in.ok() && in.at_end();
}

bool read_fixed(BytesReader& in, Hit& to) {
  const uint8_t version = in.u8();
  const uint8_t kind = in.u8();
  const unsigned method = kind & 15u;
  const unsigned content = kind >> 4;
  if (version != kVersion || method > static_cast<unsigned>(Method::other) ||
      content > static_cast<unsigned>(ContentKind::other)) {
    return false;
  }
  to.method = static_cast<Method>(method);
  to.content = static_cast<ContentKind>(content);
  to.time_ms = static_cast<int64_t>(in.le64());
  to.request_time_ms = in.le32();
  to.bytes_sent = in.le64();
  to.status = in.le16();
  to.site = in.le16();
  to.flags = in.le32();
  to.click_ids = in.le32();
  return in.ok();
}

bool read_fields(BytesReader& in, Hit& to) {
  const uint32_t present = in.le32();
  const auto field = [&](unsigned bit) { return (present >> bit & 1) != 0 ? in.text16() : std::string_view(); };
  for (const KeyField& key : kKeyFields) {
    to.*key.key = {};
    const std::string_view bytes = field(key.bit);
    if (!bytes.empty() && !read_key(bytes, to.*key.key)) return false;
  }
  for (const TextField& text : kTextFields) {
    to.*text.text = field(text.bit);
    if ((to.*text.text).size() > text.bytes_max) return false;
  }
  const std::string_view arguments = field(kArgumentsBit);
  const std::string_view events = field(kEventsBit);
  for (unsigned bit = kEventsBit + 1; bit < 32; ++bit) field(bit);
  if (!in.ok() || !in.at_end()) return false;

  to.arguments.clear();
  to.events.clear();
  return (arguments.empty() || read_arguments(arguments, to)) && (events.empty() || read_events(events, to));
}

}  // namespace

void set_encoded_site(char* hit, uint16_t site) {
  constexpr size_t kSiteOffset = 2 + 1 + 1 + 8 + 4 + 8 + 2;
  store_le16(hit + kSiteOffset, site);
}

bool encode_hit(const Hit& hit, std::string& to) {
  const size_t start = to.size();
  const size_t present_place = start + kFixedBytes - 4;
  bool whole = true;
  uint32_t present = 0;
  {
    const Counted bytes(to);
    present = write_plain(hit, to, whole);
    const size_t plain_end = to.size();
    const auto fits = [&] { return to.size() - start <= kHitBytesMax; };

    if (!hit.arguments.empty()) write_arguments(hit, to, whole);
    const size_t arguments_end = to.size();
    size_t events = std::min(hit.events.size(), kEventsMax);
    whole &= events == hit.events.size();
    if (events > 0) write_events(hit, events, true, to, whole);

    // Too large: what may go goes in the order that the header gives.
    bool with_arguments = !hit.arguments.empty();
    if (!fits() && with_arguments) {
      to.erase(plain_end, arguments_end - plain_end);
      with_arguments = whole = false;
    }
    for (bool with_items = true; !fits(); with_items = false) {
      to.resize(plain_end);
      whole = false;
      if (!with_items) --events;
      if (events > 0) write_events(hit, events, false, to, whole);
    }
    if (with_arguments) present |= 1u << kArgumentsBit;
    if (events > 0) present |= 1u << kEventsBit;
  }
  store_le32(to.data() + present_place, present);
  if (!whole) store_le32(to.data() + present_place - 8, hit.flags | kHitFieldCut);
  return whole;
}

bool decode_hit(std::string_view& from, Hit& to) {
  BytesReader in(from);
  const std::string_view record = in.text16();
  if (!in.ok() || record.size() + 2 > kHitBytesMax) return false;
  BytesReader fields(record);
  if (!read_fixed(fields, to) || !read_fields(fields, to)) return false;
  from.remove_prefix(record.size() + 2);
  return true;
}

}  // namespace footfall
