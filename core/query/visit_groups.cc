#include "query/visit_groups.h"

#include <algorithm>

namespace footfall {
namespace {

constexpr uint64_t kDenseMax = 1 << 18;
constexpr uint32_t kNotYet = UINT32_MAX;

}  // namespace

VisitGroups::VisitGroups(const Query& query, const StringHasher& hasher, std::vector<Codes> codes, Collected& to)
    : query_(query), hasher_(hasher), codes_(std::move(codes)), to_(to), time_(query.time()) {
  for (const Codes& one : codes_) {
    hashes_.emplace_back(one.size());
    combinations_ *= one.size();
  }
}

std::optional<uint32_t> VisitGroups::find(int64_t time_s, uint32_t first, uint32_t second) {
  const uint32_t bucket_place = bucket(time_s);
  uint64_t combination = codes_.empty() ? 0 : first;
  if (codes_.size() > 1) combination = combination * codes_[1].size() + second;
  uint32_t& group = place(bucket_place * combinations_ + combination);
  if (group != kNotYet) return group;
  GroupKey key;
  if (time_ != nullptr) key.time_s = bucket_starts_[bucket_place];
  if (codes_.size() > 0) key.value = hash_of(0, first);
  if (codes_.size() > 1) key.second = hash_of(1, second);
  const std::optional<size_t> found = to_.rows.find_or_add(key);
  if (!found) return std::nullopt;
  group = static_cast<uint32_t>(*found);
  return group;
}

uint32_t VisitGroups::bucket(int64_t time_s) {
  if (time_ == nullptr || (time_s >= bucket_start_s_ && time_s < bucket_end_s_)) return bucket_;
  bucket_start_s_ = unit_start_s(time_->unit, time_s, query_.zone);
  bucket_end_s_ = next_unit_s(time_->unit, bucket_start_s_, query_.zone);
  const auto [known, fresh] = buckets_.try_emplace(bucket_start_s_, static_cast<uint32_t>(bucket_starts_.size()));
  if (fresh) bucket_starts_.push_back(bucket_start_s_);
  bucket_ = known->second;
  return bucket_;
}

const Hash128& VisitGroups::hash_of(size_t dimension, uint32_t code) {
  std::optional<Hash128>& hash = hashes_[dimension][code];
  if (hash) return *hash;
  const std::string_view text = codes_[dimension].text(code);
  hash = text.empty() ? kNullValue : hasher_(text);
  if (!text.empty()) to_.texts.know(*hash, text);
  return *hash;
}

// Few combinations lie in a table, many in a map.
uint32_t& VisitGroups::place(uint64_t combination) {
  if (combination >= kDenseMax) return sparse_.try_emplace(combination, kNotYet).first->second;
  if (combination >= dense_.size())
    dense_.resize(std::min(kDenseMax, std::max(combination + 1, uint64_t{dense_.size()} * 2)), kNotYet);
  return dense_[combination];
}

}  // namespace footfall
