// Random numbers that are the same in every run: a failure can be looked at again.
#pragma once

#include <cstdint>
#include <string>

namespace footfall {

class Random {
 public:
  explicit Random(uint64_t seed) : state_(seed) {}

  // splitmix64: every value of 64 bits is as likely.
  uint64_t next() {
    uint64_t z = state_ += 0x9e3779b97f4a7c15;
    z = (z ^ z >> 30) * 0xbf58476d1ce4e5b9;
    z = (z ^ z >> 27) * 0x94d049bb133111eb;
    return z ^ z >> 31;
  }
  uint64_t below(uint64_t bound) { return next() % bound; }

  // One to four bytes changed, cut off or put in.
  void mutate(std::string& bytes) {
    for (uint64_t changes = 1 + below(4); changes > 0 && !bytes.empty(); --changes) {
      const size_t at = below(bytes.size());
      switch (below(4)) {
        case 0:
          bytes[at] = static_cast<char>(next());
          break;
        case 1:
          bytes[at] = static_cast<char>(bytes[at] ^ 1 << below(8));
          break;
        case 2:
          bytes.resize(at);
          break;
        case 3:
          bytes.insert(at, 1, static_cast<char>(next()));
          break;
      }
    }
  }

 private:
  uint64_t state_;
};

}  // namespace footfall
