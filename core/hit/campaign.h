// What a query says of how a visitor came: campaign arguments and click ids. Meaning: numbers.md §2, as told in
// core/README.md.
#pragma once

#include <array>
#include <cstdint>
#include <string_view>

#include "hit/hit.h"
#include "hit/text.h"
#include "hit/text_memo.h"

namespace footfall {

// Sets the hit's campaign fields, click ids and kHitHasUtm, and kHitFieldCut where a value was cut or cleaned. The
// views point into the query or the arena. Whether all values of the query are in the hit now.
bool read_campaign(std::string_view query, TextArena& arena, Hit& hit);

// The same, for one who reads many: a link is followed by many visitors. Remembers queries whose values are all kept
// in hits, and no others, as they may hold anything. Not thread-safe.
class CampaignReader {
 public:
  // The views live until the next read, too.
  void read(std::string_view query, TextArena& arena, Hit& hit);

 private:
  static constexpr size_t kQueryBytesMax = 192;
  struct Campaign {
    uint32_t flags;
    std::array<uint16_t, 5> bytes;           // of each field
    std::array<char, kQueryBytesMax> text;  // the fields, one behind the other
  };
  static bool pack(const Hit& hit, Campaign& to);

  TextMemo<Campaign, kQueryBytesMax, 512> campaigns_;
};

}  // namespace footfall
