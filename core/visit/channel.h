// The channel of an arrival: the site's own rules, then one ordered table; the first match wins. A marketer can audit
// the table in channel.cc line by line.
#pragma once

#include <cstdint>
#include <span>
#include <string_view>

#include "site/config.h"

namespace footfall {

inline constexpr std::string_view kDirectSource = "(direct)";
inline constexpr std::string_view kDirectChannel = "direct";

// What the table looks at. Source and medium in lower case, as the arrival will show them; campaign in any case.
struct Arrival {
  std::string_view source = kDirectSource;
  std::string_view medium = {};
  std::string_view campaign = {};
  std::string_view referrer_host = {};  // of an external referrer; empty: none
  std::string_view code_channel = {};   // the channel of the code that the arrival came by; empty: no code
  uint32_t click_ids = 0;               // click_id_bit
  bool has_campaign = false;            // any campaign argument, `source` and `ref` among them
  bool has_utm = false;                 // a utm_* argument
};

// The channel's name; lives as long as rules and arrival.
std::string_view channel_of(const Arrival& arrival, std::span<const ChannelRule> rules);

// The table's channels in its order, without codes' own. Positions are stored (touch.cc): new ones go to the end.
std::span<const std::string_view> table_channels();

}  // namespace footfall
