#include "rollup/row_writer.h"

#include <algorithm>

#include "base/bytes.h"

namespace footfall {

Status RowWriter::add(const RollupKey& key, const Counters& counters, When when) {
  encode_key(key, key_);
  if (when != when_ || key_.compare(0, kBucketPrefixBytes, bucket_) != 0) {
    if (Status status = begin_bucket(key_.substr(0, kBucketPrefixBytes), when); !status) return status;
    encode_key(key, key_);  // the bucket before wrote its rows `other`
  }
  import_ = std::min(import_, key.import);
  was_kept_ = false;
  // Rows `other` are written when the bucket is done.
  if (key.value == kOtherValue) return add_to_other(key, counters), Status{};
  // Of what was in time each key comes once; of what was late, once for each way of being so.
  const bool found = (keys_before_.keys > 0 || (when != When::in_time && keys_.keys > 0)) && find_stored();
  if (!found) {
    const Result<bool> room = has_room(key);
    if (!room) return room.error();
    if (!*room) return add_to_other(key, counters), Status{};
  }
  was_kept_ = true;
  if (!found) return put_or_remove(counters, false);
  sum_ = counters;
  if (Status status = merge_stored(sum_); !status) return status;
  return put_or_remove(sum_, true);
}

// By the cursor: it mostly stands on the key's page already.
Status RowWriter::merge_stored(Counters& counters) {
  return merge_encoded_counters(to_.value(), counters) ? Status() : Error::corrupt("rollup");
}

// A value that another import brought has its place already.
Result<bool> RowWriter::has_room(const RollupKey& key) {
  if (keys_.trimmed) {
    const std::string_view value = std::string_view(key_).substr(0, key_.size() - sizeof key.import);
    Result<LmdbCursor> cursor = LmdbCursor::open(txn_, databases_.rollups);
    if (!cursor) return cursor.error();
    return cursor->seek(value) && cursor->key().starts_with(value);
  }
  if (when_ == When::too_late) return keys_.keys < keys_max(key.level);
  if (keys_.keys < candidates_max(key.level)) return true;
  ++overrun_;
  keys_.overrun = true;
  return false;
}

// A row of which nothing is left is none: whether it ever was there must not matter.
Status RowWriter::put_or_remove(const Counters& counters, bool was_there) {
  if (was_there && counters.is_zero()) {
    --keys_.keys;
    return txn_.remove(databases_.rollups, key_);
  }
  keys_.keys += !was_there;
  encode_counters(counters, value_);
  return to_.put(key_, value_);
}

Status RowWriter::begin_bucket(std::string bucket, When when) {
  if (Status status = finish(); !status) return status;
  bucket_ = std::move(bucket);
  when_ = when;
  if (Status status = load_keys(); !status) return status;
  return when == When::in_time ? Status() : settle();
}

Status RowWriter::load_keys() {
  const Result<std::string_view> stored = txn_.get(databases_.key_counts, bucket_);
  if (!stored && stored.error().code != Error::Code::not_found) return stored.error();
  keys_ = keys_before_ = stored ? decode_bucket_keys(*stored) : BucketKeys();
  return {};
}

// What comes now was booked after the bucket was settled.
Status RowWriter::settle() {
  const bool is_settled = keys_.trimmed || (keys_.whole && when_ == When::late);
  if (is_settled) return {};
  if (keys_.keys <= keys_max(static_cast<Level>(bucket_[3]))) {
    keys_.whole = true;
    return {};
  }
  trimmed_.emplace_back(bucket_, 0);
  if (Status status = trim_bucket(txn_, databases_, bucket_, trimmed_.back().second); !status) return status;
  return load_keys();
}

void RowWriter::add_to_other(RollupKey key, const Counters& counters) {
  key.value = kOtherValue;
  others_[key].merge(counters);
}

Status RowWriter::finish() {
  for (auto& [key, counters] : others_) {
    encode_key(key, key_);
    if (find_stored())
      if (Status status = merge_stored(counters); !status) return status;
    encode_counters(counters, value_);
    const Status status = counters.is_zero() ? txn_.remove(databases_.rollups, key_) : to_.put(key_, value_);
    if (!status) return status;
  }
  others_.clear();
  const uint16_t import = std::exchange(import_, UINT16_MAX);
  if (bucket_.empty()) return {};
  const bool holds_too_much = !keys_.trimmed && keys_.keys > keys_max(static_cast<Level>(bucket_[3]));
  keys_.whole = keys_.whole && holds_too_much;  // else it goes without saying
  if (holds_too_much) {
    std::string written;
    BytesWriter(written).be16(import).be64(static_cast<uint64_t>(now_s_));
    if (Status status = txn_.put(databases_.to_trim, bucket_, written); !status) return status;
  }
  if (keys_ == keys_before_) return {};
  keys_before_ = keys_;
  if (keys_ == BucketKeys()) return txn_.remove(databases_.key_counts, bucket_);
  return txn_.put(databases_.key_counts, bucket_, encode_bucket_keys(keys_));
}

}  // namespace footfall
