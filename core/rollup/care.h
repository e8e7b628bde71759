// What a repair could not make whole again, so that it is told and not found anew by every check: days of which some
// kept visits are gone, or some remembered orders. In the summary: meta "care" → version u8 | entries x (kind u8 | site
// u16 | start of the day u64).
#pragma once

#include <compare>
#include <cstdint>
#include <set>
#include <string>
#include <string_view>

#include "base/error.h"
#include "base/lmdb.h"

namespace footfall {

struct CareNote {
  enum class Kind : uint8_t { visits = 0, orders = 1 };  // numbers are stored
  Kind kind = Kind::visits;
  uint16_t site = 0;
  int64_t day_s = 0;
  auto operator<=>(const CareNote&) const = default;
};
using CareNotes = std::set<CareNote>;

inline constexpr std::string_view kCareKey = "care";
std::string encode_care(const CareNotes& notes);
CareNotes decode_care(std::string_view bytes);  // broken ones: none

// Adds to those of a summary that nobody else has open for writing.
Status add_care(LmdbEnv& summary, const CareNotes& notes);

}  // namespace footfall
