// How long requests took: a sketch that tells any quantile of milliseconds within 2 % of the value that it would be, from
// counts by size alone. State is add · merge · encode · decode in integers: merging equals adding, whatever the order,
// and the same counts give the same bytes.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace footfall {

class Quantiles {
 public:
  // Up to 63 ms each value is told apart; beyond, each doubling has 32 steps.
  void add(uint32_t value_ms, uint64_t times = 1);
  void merge(const Quantiles& other);

  bool empty() const { return steps_.empty(); }
  uint64_t count() const;

  // The smallest value that at least `percent` of all are not above (nearest rank), off by at most 1/64 of it;
  // 0 < percent <= 100. 0 where there is none.
  uint64_t at(unsigned percent) const;

  // Nothing for none.
  std::string encode() const;
  // False: no such encoding; the sketch is then empty.
  bool decode(std::string_view bytes);

 private:
  struct Step {
    uint32_t number;
    uint64_t count;  // never zero; stays at its most
  };
  void add_step(uint32_t number, uint64_t count);

  std::vector<Step> steps_;  // in order; only those that something fell on
};

}  // namespace footfall
