// Names that match nothing, such as a campaign of spend that no visitor came by, and what was probably meant.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace footfall {

// In falling order of how sure it is.
enum class Nearness : uint8_t {
  letter_case,  // Spring and spring
  alias,        // fb and facebook: the same known source
  spelling,     // spring_sale and spring-sale, newsleter and newsletter; figures in it are the same
};

struct NearMiss {
  std::string name, known;
  Nearness how = Nearness::spelling;
};

// For each name that is not among the known ones, the known one that is nearest, if any is near; of equals the first in the
// order of bytes. In the order of names, each once. Up to 5 letters one edit is near, from 6 on two; names below 4 letters
// and over 64 bytes have no spelling. Bounded: after kSpellingTriesMax comparisons spelling is not asked any more, after kPairsMax
// looks at a pair of names nothing is.
std::vector<NearMiss> near_misses(std::vector<std::string> names, std::vector<std::string> known);
inline constexpr size_t kSpellingTriesMax = 50'000;
inline constexpr size_t kPairsMax = 5'000'000;  // about half a second

}  // namespace footfall
