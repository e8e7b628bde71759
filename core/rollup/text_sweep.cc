#include "rollup/text_sweep.h"

#include <absl/time/civil_time.h>
#include <absl/time/time.h>

#include <algorithm>
#include <bit>

namespace footfall {
namespace {

constexpr uint64_t kBitsPerRow = 10;  // 1 % are taken for needed that are not
constexpr uint64_t kBitsMin = 1 << 16, kBitsMax = uint64_t{1} << 28;
constexpr unsigned kProbes = 6;
constexpr int64_t kDaySeconds = 86'400;

// A text lies in the UTC month of the minute that named it. Rows begin earlier: a day by up to a day, a month by more.
int64_t first_bucket_s(Level level, int64_t month_start) {
  return month_start - (level == Level::month ? 32 : 2) * kDaySeconds;
}

}  // namespace

int64_t month_start_s(uint16_t month) {
  return absl::ToUnixSeconds(absl::FromCivil(absl::CivilMonth(1970, 1) + month, absl::UTCTimeZone()));
}

TextSweep::TextSweep(uint16_t month, uint64_t rows)
    : month_(month), bits_(std::bit_ceil(std::clamp(rows * kBitsPerRow, kBitsMin, kBitsMax)) / 64) {}

// The value is a hash already: its halves are the two that all probes are made of.
void TextSweep::note(const Hash128& value) {
  uint64_t at = value.high;
  for (unsigned i = 0; i < kProbes; ++i, at += value.low | 1) {
    const uint64_t bit = at % (bits_.size() * 64);
    bits_[bit / 64] |= uint64_t{1} << bit % 64;
  }
}

bool TextSweep::may_be_needed(const Hash128& value) const {
  uint64_t at = value.high;
  for (unsigned i = 0; i < kProbes; ++i, at += value.low | 1) {
    const uint64_t bit = at % (bits_.size() * 64);
    if ((bits_[bit / 64] >> bit % 64 & 1) == 0) return false;
  }
  return true;
}

Status TextSweep::step(LmdbTxn& txn, LmdbDatabase rollups, LmdbDatabase dictionary, uint64_t entries,
                       std::vector<Hash128>& removed) {
  if (phase_ == Phase::rows)
    if (Status status = look_at_rows(txn, rollups, entries); !status) return status;
  if (phase_ == Phase::texts)
    if (Status status = look_at_texts(txn, dictionary, entries, removed); !status) return status;
  return {};
}

Status TextSweep::look_at_rows(LmdbTxn& txn, LmdbDatabase rollups, uint64_t& entries) {
  Result<LmdbCursor> cursor = LmdbCursor::open(txn, rollups);
  if (!cursor) return cursor.error();
  const int64_t start_s = month_start_s(month_), end_s = month_start_s(static_cast<uint16_t>(month_ + 1));
  for (bool there = from_.empty() ? cursor->first() : cursor->seek(from_); there; --entries) {
    if (entries == 0) {
      from_ = cursor->key();
      return {};
    }
    const std::optional<RollupKey> key = decode_rollup_key(cursor->key());
    if (!key) return Error::corrupt("rollup key");
    const int64_t from_s = first_bucket_s(key->level, start_s);
    if (key->bucket_start_s < from_s) {
      there = cursor->seek(bucket_prefix(key->site, key->dimension, key->level, from_s));
    } else if (key->bucket_start_s >= end_s) {
      there = cursor->seek(bucket_prefix(key->site, key->dimension, key->level, INT64_MAX));
    } else {
      note(key->value);
      there = cursor->next();
    }
  }
  phase_ = Phase::texts;
  from_ = dictionary_key(month_, Hash128{});
  return {};
}

Status TextSweep::look_at_texts(LmdbTxn& txn, LmdbDatabase dictionary, uint64_t entries,
                                std::vector<Hash128>& removed) {
  Result<LmdbCursor> cursor = LmdbCursor::open(txn, dictionary);
  if (!cursor) return cursor.error();
  const std::string month = dictionary_key(month_, Hash128{}).substr(0, sizeof month_);
  for (bool there = cursor->seek(from_); there && cursor->key().starts_with(month); there = cursor->next(), --entries) {
    if (entries == 0) {
      from_ = cursor->key();
      return {};
    }
    BytesReader key(cursor->key().substr(sizeof month_));
    const Hash128 value = key.hash();
    if (may_be_needed(value)) continue;
    if (Status status = cursor->remove(); !status) return status;
    removed.push_back(value);
  }
  phase_ = Phase::done;
  return {};
}

}  // namespace footfall
