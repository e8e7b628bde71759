// Sweeps one month's dictionary: texts whose value has no row left in a bucket of that month go. Done in slices between
// folds: first the month's rows are gone through, then its texts. What is written meanwhile is told with note().
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "base/error.h"
#include "base/lmdb.h"
#include "rollup/keys.h"

namespace footfall {

class TextSweep {
 public:
  // `rows` is about how many the month has.
  TextSweep(uint16_t month, uint64_t rows);

  uint16_t month() const { return month_; }
  bool is_done() const { return phase_ == Phase::done; }
  // A row of that value is there now.
  void note(const Hash128& value);
  // Looks at about `entries` more, and adds the values whose text went.
  Status step(LmdbTxn& txn, LmdbDatabase rollups, LmdbDatabase dictionary, uint64_t entries,
              std::vector<Hash128>& removed);

 private:
  enum class Phase : uint8_t { rows, texts, done };
  Status look_at_rows(LmdbTxn& txn, LmdbDatabase rollups, uint64_t& entries);
  Status look_at_texts(LmdbTxn& txn, LmdbDatabase dictionary, uint64_t entries, std::vector<Hash128>& removed);
  bool may_be_needed(const Hash128& value) const;

  const uint16_t month_;
  Phase phase_ = Phase::rows;
  std::string from_;            // where the next slice begins
  std::vector<uint64_t> bits_;  // Bloom filter of values with a row: a few texts stay that nobody needs
};

// The first second of a month, as month_number() counts them.
int64_t month_start_s(uint16_t month);

}  // namespace footfall
