// Distinct counter: exact up to a bound, then HyperLogLog. add · merge · encode · decode; merging equals adding, in any
// order, so the same members give the same bytes whatever the way they came.
//
// Error beyond the bound: 2^14 registers 0.81 %, 2^12 registers 1.63 % (standard error; measured in core/rollup/README.md).
//
//   encoded: kind u8 (0 empty | 1 exact | 2 dense) | precision u8 | exact: hashes u64 ascending | dense: 6-bit registers
#pragma once

#include <absl/container/inlined_vector.h>

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "base/box.h"

namespace footfall {

// How exact a counter is; both sides of a merge must agree.
enum class Precision : uint8_t {
  row = 12,    // by a dimension: exact up to 256
  total = 14,  // a bucket's total: exact up to 1,000
};

class Distinct {
 public:
  explicit Distinct(Precision precision = Precision::row) : precision_(precision) {}

  // A uniformly distributed 64-bit hash of the member.
  void add(uint64_t hash);
  // The one with the lower precision wins where they differ: then both are brought down to it. An empty one has none.
  void merge(const Distinct& other);

  bool empty() const { return !members_; }
  bool is_exact() const {
    settle();
    return !members_ || members_->registers.empty();
  }
  uint64_t estimate() const;

  std::string encode() const;
  // False: no such encoding; the counter is then empty.
  bool decode(std::string_view bytes);

  void set_precision(Precision precision);  // only while empty
  void lower_precision(Precision to);       // as if all had been added to one of that precision; never raises it

 private:
  size_t exact_max() const { return precision_ == Precision::total ? 1000 : 256; }
  void settle() const;  // sorts what was added; what is told of the set stays the same
  void densify() const;

  struct Members {
    absl::InlinedVector<uint64_t, 2> exact;  // the first `sorted` of them ascending and distinct
    size_t sorted = 0;
    std::vector<uint8_t> registers;  // one byte each in memory; empty while exact
  };

  Precision precision_;
  mutable Box<Members> members_;  // absent while empty
};

}  // namespace footfall
