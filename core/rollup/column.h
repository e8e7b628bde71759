// One column of a block as bytes: numbers by the planes of their bytes, texts as a dictionary and codes; both packed where
// that is smaller.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace footfall {

// The layout stands in column.cc. `by_difference`: each number as its difference from the one before.
void encode_ints(const std::vector<int64_t>& values, bool by_difference, bool is_packed, std::string& to);
// Exactly `rows` of them. False: broken.
bool decode_ints(std::string_view bytes, size_t rows, std::vector<int64_t>& to);

struct TextColumn {
  std::vector<std::string_view> texts;  // each once; texts[0] is null
  std::vector<uint32_t> codes;          // of each row: its text's place
};

void encode_texts(const TextColumn& column, bool is_packed, std::string& to);
// The texts are views into `bytes`, or into `unpacked`, which then holds them. False: broken.
bool decode_texts(std::string_view bytes, size_t rows, TextColumn& to, std::string& unpacked);

}  // namespace footfall
