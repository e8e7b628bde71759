// What was read from texts that requests bring again and again: agents, referrers, links' arguments. A table of fixed
// size, in which a newcomer takes the place of another; what it answers is what was put in, so that whoever asks it gets
// what reading the text anew would give. Texts are compared byte by byte: no two are ever taken for one another.
#pragma once

#include <array>
#include <bit>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <memory>
#include <string_view>

#include "base/bytes.h"
#include "base/keyed_hash.h"

namespace footfall {

// Not thread-safe. Allocates when it is made, never later. Value is trivially copyable and holds no views.
template <class Value, size_t kTextBytesMax, size_t kEntries>
class TextMemo {
 public:
  TextMemo() : entries_(std::make_unique_for_overwrite<Entry[]>(kEntries)) {}
  ~TextMemo() { wipe(); }
  TextMemo(const TextMemo&) = delete;

  // Shorter texts are read as soon as they are looked up, longer ones are rare.
  static bool takes(std::string_view text) { return text.size() >= kTextBytesMin && text.size() <= kTextBytesMax; }

  // What was put in for this text; nullptr: nothing, or another took its place. Of a text that it takes.
  Value* find(std::string_view text) {
    asked_ = hash(text);
    const size_t first = (asked_ >> kSetShift) * 2;
    for (place_ = first; place_ < first + 2; ++place_) {
      Entry& entry = entries_[place_];
      if (hashes_[place_] == asked_ && entry.bytes == text.size() &&
          std::memcmp(entry.text.data(), text.data(), text.size()) == 0) {
        return &entry.value;
      }
    }
    place_ = first + (next_way_ ^= 1);
    return nullptr;
  }

  // Puts it in for the text that find() has just not found.
  Value& put(std::string_view text, const Value& value) {
    Entry& entry = entries_[place_];
    hashes_[place_] = asked_;
    entry.bytes = static_cast<uint32_t>(text.size());
    std::memcpy(entry.text.data(), text.data(), text.size());
    entry.value = value;
    return entry.value;
  }

  // Leaves nothing of any text or value in memory.
  void wipe() {
    for (size_t at = 0; at < kEntries; ++at)
      if (hashes_[at] != 0) footfall::wipe(&entries_[at], sizeof entries_[at]);
    hashes_.fill(0);
  }

 private:
  static constexpr size_t kTextBytesMin = 16;
  static constexpr int kSetShift = 64 - std::countr_zero(kEntries / 2);  // two places each
  static_assert(kTextBytesMax >= kTextBytesMin && std::has_single_bit(kEntries) && kEntries >= 4);

  struct Entry {
    Value value;
    uint32_t bytes;
    std::array<char, kTextBytesMax> text;
  };

  // Sixteen bytes a step, the last ones once more. Whoever finds texts of one hash gains nothing but a slower reading.
  static uint64_t hash(std::string_view text) {
    const char* from = text.data();
    const char* const last = from + text.size() - 16;
    uint64_t state = text.size();
    for (; from < last; from += 16) state = mix(load_le64(from) ^ state, load_le64(from + 8));
    return (mix(load_le64(last) ^ state, load_le64(last + 8)) * 0x9e3779b97f4a7c15) | 1;  // 0: an empty place
  }
  static uint64_t mix(uint64_t left, uint64_t right) {
    const auto product = static_cast<unsigned __int128>(left ^ 0x9e3779b97f4a7c15) * (right ^ 0xd1b54a32d192ed03);
    return static_cast<uint64_t>(product) ^ static_cast<uint64_t>(product >> 64);
  }

  std::array<uint64_t, kEntries> hashes_{};
  std::unique_ptr<Entry[]> entries_;
  uint64_t asked_ = 0;
  size_t place_ = 0;
  size_t next_way_ = 0;
};

}  // namespace footfall
