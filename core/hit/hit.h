// A hit: one finished main request with everything that figures need and nothing that names a person. Made from a RawHit
// by HitBuilder, kept in blocks by the codec. Definitions: core/README.md.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string_view>
#include <vector>

#include "base/keyed_hash.h"
#include "base/money.h"

namespace footfall {

enum class Method : uint8_t { get = 0, head = 1, post = 2, put = 3, del = 4, options = 5, other = 6 };

// What the response's Content-Type says: absent, text/html or application/xhtml+xml, or anything else.
enum class ContentKind : uint8_t { none = 0, html = 1, other = 2 };

enum class HitClass : uint8_t { error, redirect, action, page, download, asset };

// Click ids are recorded as kind present, never by value. Bit numbers are stored.
enum class ClickId : uint8_t { gclid, gbraid, wbraid, gad_source, dclid, msclkid, fbclid, ttclid, twclid, li_fat_id, yclid };
inline constexpr uint32_t click_id_bit(ClickId kind) { return 1u << static_cast<unsigned>(kind); }

// Bits of Hit::flags. Numbers are stored.
enum HitFlag : uint32_t {
  kHitPrefetch = 1u << 0,        // Sec-Purpose or Purpose said prefetch: never a page
  kHitOwnBot = 1u << 1,          // the shop's own bot flag (footfall_bot)
  kHitExcluded = 1u << 2,        // the site's `exclude` covers it: counted as excluded, nothing else
  kHitHasUtm = 1u << 3,          // a utm_* argument with a value was there
  kHitPathCut = 1u << 4,         // the path was longer than kPathBytesMax
  kHitEventsMalformed = 1u << 5, // the event header was off its grammar or too long; its events are not told
  kHitReferrerOwn = 1u << 6,     // the referrer's host is the request's own Host
  kHitEventOnly = 1u << 8,       // no request: the shop's own systems told an event by itself
  kHitTimeUnknown = 1u << 9,     // how long the request took: a log that does not tell
  kHitLastingKey = 1u << 10,     // the anonymous key is the same every day: the importer was asked for that
  kHitCodeQr = 1u << 11,         // the code was read off a printed square: the request had the argument `qr`
  kHitSpend = 1u << 12,          // told by a table of spend alone (credit/spend_hit.h): nothing that anybody did
  kHitFieldCut = 1u << 7,        // another field was cut to its bound, cleaned of bytes that are no text, or left out
};

// Why an event that claims to be an order is none.
enum class OrderFault : uint8_t { none = 0, no_id = 1, bad_value = 2, bad_currency = 3, bad_items = 4, off_grammar = 5 };

struct OrderItem {
  std::string_view id;
  int64_t quantity = 1;       // 0..1,000,000
  int64_t price_micros = 0;   // of one piece
  std::string_view category{};  // empty: none was told
};

inline constexpr std::string_view kOrderEventName = "purchase";
// Events that change an order that was told: they have its id, or a fault.
inline constexpr std::string_view kRefundEventName = "refund";
inline constexpr std::string_view kCancelledEventName = "order_cancelled";
inline constexpr std::string_view kChangedEventName = "order_changed";
inline bool changes_order(std::string_view event_name) {
  return event_name == kRefundEventName || event_name == kCancelledEventName || event_name == kChangedEventName;
}
// Told by itself alone: `id` is what one unit of `currency` is worth in the site's, `item` the day (2026-10-01).
inline constexpr std::string_view kRateEventName = "exchange_rate";

// Something that the shop reports happened. `purchase` is an order: it has an id and a value, or a fault.
struct Event {
  std::string_view name;             // 1..kEventNameBytesMax
  std::string_view item;
  std::string_view id;               // the order's
  std::string_view coupon;
  Currency currency;                 // all zero: the site's
  bool has_value = false;
  int64_t value_micros = 0;
  OrderFault fault = OrderFault::none;
  Hash128 customer;                  // keyed hash of the shop's customer id; zero: none
  std::vector<OrderItem> items;

  bool is_order() const { return name == kOrderEventName; }
  bool changes_order() const;
};

inline bool Event::changes_order() const { return footfall::changes_order(name); }

inline constexpr size_t kHitCountryBytesMax = 16;
inline constexpr size_t kHitCodeBytesMax = 64;  // what a configured code may have

// Views point into the bytes that the hit was read from or built in.
struct Hit {
  int64_t time_ms = 0;               // since 1970, UTC: when the request ended
  uint32_t request_time_ms = 0;
  uint64_t bytes_sent = 0;
  uint16_t status = 0;
  Method method = Method::get;
  ContentKind content = ContentKind::none;
  uint32_t flags = 0;                // HitFlag
  uint32_t click_ids = 0;            // click_id_bit
  uint16_t site = 0;                 // index in the block's table of sites

  // Visitor keys, before the site is mixed in; zero: none. See numbers.md §3 as told in core/README.md.
  Hash128 id_key;                    // of the id that the site hands out
  Hash128 anonymous_key;             // of address and agent under the day's salt
  Hash128 previous_anonymous_key;    // the same under yesterday's salt, for one visit gap after midnight UTC

  std::string_view path;             // normalised, with the arguments kept by footfall_args
  std::string_view agent;
  std::string_view referrer_host;    // lower-case, no port, no leading www.; empty: none
  std::string_view referrer_path;    // without query
  std::string_view referrer_term;    // what was searched for, where the referrer is a listed engine
  std::string_view source, medium, campaign, content_label, term;  // campaign arguments; empty: absent
  std::string_view country;          // two capital letters; empty: not known
  std::string_view search_term;      // the shop's own search
  std::string_view code;             // asked for below the prefix of codes, as sent; status 302: known there, 404: not
  std::vector<Event> events;

  bool has_campaign() const { return !(source.empty() && medium.empty() && campaign.empty() && content_label.empty() && term.empty()); }
};

// A hit's path without the arguments that footfall_args keeps: what rules and exclusions look at.
inline std::string_view path_without_arguments(std::string_view path) { return path.substr(0, path.find('?')); }

// The class of a hit by method, status, content kind and path: first match of numbers.md §2.
HitClass classify(const Hit& hit);
bool is_page(const Hit& hit);  // cheaper than asking for its class

}  // namespace footfall
