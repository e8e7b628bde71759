// A touch: one arrival of a visitor, at a visit's start or again inside a visit, and the reader that tells it from a
// hit.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/bytes.h"
#include "hit/hit.h"
#include "hit/lists.h"
#include "site/config.h"
#include "visit/channel.h"

namespace footfall {

// Only `channel` and `source` are always there; the rest is empty where nothing was sent.
struct Touch {
  int64_t time_ms = 0;
  std::string channel{kDirectChannel};
  std::string source{kDirectSource};
  std::string medium, campaign, content_label, term;
  std::string code;
  std::string referrer_host;       // of an external referrer that is no payment or login host
  std::string referrer;            // host and path of that one, without query
  uint64_t carried_arguments = 0;  // names the campaign arguments as they were sent; 0: none were
  uint16_t import = 0;             // whose hit made it; 0: a live one. Stored with a visitor alone

  bool is_direct() const { return channel == kDirectChannel; }
  bool operator==(const Touch&) const = default;
};

// Appends the touch; its time and lengths take a few bytes, absent parts none. The layout stands in touch.cc.
void encode_touch(const Touch& touch, BytesWriter& to);

// False: the bytes are no touch; the reader is then bad.
bool decode_touch(BytesReader& from, Touch& to);

bool is_same_code(std::string_view left, std::string_view right);  // in any case of letters

// The code that a hit came by, as its finder (code_finder.h) tells it.
struct CodeArrival {
  const CodeConfig* code = nullptr;  // nullptr: none
  std::string_view medium;           // `qr` for a printed one
  uint64_t target_arguments = 0;     // campaign arguments of the page that it leads to, as Touch::carried_arguments
};

uint64_t carried_arguments(const Hit& hit);  // 0: none

// Reads touches of one site's hits. Reads only; usable from any thread, but not while the configuration changes.
class TouchReader {
 public:
  explicit TouchReader(const SiteConfig& site);

  // The touch of a visit's first hit: a direct one if nothing is known.
  Touch first_touch(const Hit& hit, const CodeArrival& by = {}) const;

  // The touch of a later page or event of the visit, if it carries something else than `last` did. The caller asks
  // neither for errors nor for redirects other than those of codes.
  std::optional<Touch> further_touch(const Hit& hit, const Touch& last, const CodeArrival& by = {}) const;

  // The touch of an order whose coupon tells the code.
  Touch touch_of_code(const CodeConfig& code, int64_t time_ms) const;

  // The hit's referrer where it is another site's and may make a touch; else empty.
  std::string_view external_referrer(const Hit& hit) const { return referrer_of(hit).host; }

 private:
  struct Referrer {
    std::string_view host;               // empty: none that makes a touch
    const KnownSource* known = nullptr;  // what the host is listed as
    std::string_view name() const { return known != nullptr ? known->name : host; }
  };
  Referrer referrer_of(const Hit& hit) const;
  Touch touch_of(const Hit& hit, const CodeArrival& by, const Referrer& referrer) const;
  bool is_own(std::string_view host) const;

  std::vector<std::string> own_hosts_, payment_hosts_;
  std::vector<ChannelRule> rules_;
};

}  // namespace footfall
