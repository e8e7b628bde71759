#include "rollup/check.h"

#include <algorithm>
#include <utility>

#include "base/bytes.h"
#include "credit/order.h"
#include "rollup/visit_parts.h"
#include "visit/visitor.h"

namespace footfall {
namespace {

constexpr uint64_t kEntriesPerTick = 4'096;

}  // namespace

SummaryCheck::SummaryCheck(SummarySnapshot& snapshot, const StringHasher& hasher, OnFault fault, OnProgress progress)
    : snapshot_(snapshot), hasher_(hasher), on_fault_(std::move(fault)), on_progress_(std::move(progress)) {}

Status SummaryCheck::run() {
  if (Status status = begin(); !status) return status;
  if (Status status = read_open_visits(); !status) return status;
  if (Status status = read_rollups(); !status) return status;
  if (Status status = read_key_counts(); !status) return status;
  if (Status status = read_dictionary(); !status) return status;
  if (Status status = read_visitors(); !status) return status;
  if (Status status = read_orders(); !status) return status;
  if (Status status = read_kept_visits(); !status) return status;
  for (size_t site = 0; site < zones_.size(); ++site)
    if (Status status = compare_site(static_cast<uint16_t>(site)); !status) return status;
  return {};
}

Status SummaryCheck::begin() {
  kept_since_ = snapshot_.checkpoint().kept_since_s;
  for (const std::string& name : snapshot_.checkpoint().sites) {
    Result<Zone> zone = Zone::load(site_or_default(snapshot_.config(), name).timezone);
    if (!zone) return zone.error();
    zones_.push_back(std::move(*zone));
  }
  const Result<LmdbDatabase> key_counts = snapshot_.txn_.database("key_counts");
  if (!key_counts) return key_counts.error();
  key_counts_ = *key_counts;
  const Result<LmdbDatabase> to_trim = snapshot_.txn_.database("to_trim");
  if (to_trim) to_trim_ = *to_trim;  // else an older version wrote it
  std::vector<LmdbDatabase> all = {snapshot_.rollups_, key_counts_, snapshot_.dictionary_};
  all.insert(all.end(), std::begin(snapshot_.keyed_), std::end(snapshot_.keyed_));
  if (snapshot_.visits_) all.insert(all.end(), {*snapshot_.visit_rows_, *snapshot_.visits_});
  for (const LmdbDatabase database : all) total_ += snapshot_.txn_.entries(database);
  return {};
}

Status SummaryCheck::read_rollups() {
  const Status status = each(snapshot_.rollups_, [&](std::string_view bytes, std::string_view value) {
    ++found_.rollups;
    const std::optional<RollupKey> key = decode_rollup_key(bytes);
    if (!key) return fault("rollups: key " + hex_text(bytes) + " is none");
    Counters counters;
    if (key->dimension == Dimension::total) counters.visitors.set_precision(Precision::total);
    if (!merge_encoded_counters(value, counters))
      return fault(place_text(key->site, key->dimension, {key->level, key->bucket_start_s, key->import}) + ": row " +
                   hex_text(bytes.substr(kBucketPrefixBytes)) + " cannot be read");
    begin_bucket(bytes.substr(0, kBucketPrefixBytes));
    add_row(*key, counters);
  });
  settle_bucket();
  settle_dimension();
  settle_site();
  return status;
}

void SummaryCheck::begin_bucket(std::string_view prefix) {
  if (prefix == bucket_) return;
  settle_bucket();
  bucket_ = prefix;
  bucket_keys_ = 0;
  ++found_.buckets;
}

void SummaryCheck::settle_bucket() {
  if (bucket_.empty()) return;
  const Result<std::string_view> stored = snapshot_.txn_.get(key_counts_, bucket_);
  const BucketKeys said = stored ? decode_bucket_keys(*stored) : BucketKeys();
  if (said.keys != bucket_keys_)
    fault(bucket_text(bucket_) + ": key_counts says " + std::to_string(said.keys) + ", " +
          std::to_string(bucket_keys_) + " rows are there");
  const auto level = static_cast<Level>(bucket_[kBucketPrefixBytes - sizeof(int64_t) - 1]);
  if (said.trimmed || bucket_keys_ <= keys_max(level) || !to_trim_ || snapshot_.txn_.get(*to_trim_, bucket_)) return;
  fault(bucket_text(bucket_) + ": holds " + std::to_string(bucket_keys_) +
        " values, and nobody will cut off the lightest");
}

void SummaryCheck::add_row(const RollupKey& key, const Counters& counters) {
  const Running now{key.site, key.dimension};
  if (running_ != now) {
    settle_dimension();
    if (running_ && running_->site != now.site) settle_site();
    running_ = now;
  }
  if (key.site >= zones_.size()) fault("rollups: site " + std::to_string(key.site) + " is not known");
  rows_[{key.level, key.bucket_start_s, key.import}].add(key.value, counters);
  if (key.value == kOtherValue) return;
  ++bucket_keys_;
  check_text(key);
}

// A value's text is in the month in which its bucket begins, or, of a bucket that begins in the zone's month before,
// the next.
void SummaryCheck::check_text(const RollupKey& key) {
  if (key.value == kNullValue) return;
  if (snapshot_.text(key.value, key.bucket_start_s, zone_of(key.site).next_bucket_s(key.level, key.bucket_start_s)))
    return;
  std::string value;
  BytesWriter(value).hash(key.value);
  fault(place_text(key.site, key.dimension, {key.level, key.bucket_start_s, key.import}) + ": the text of " +
        hex_text(value) + " is gone");
}

void SummaryCheck::settle_dimension() {
  if (!running_) return;
  const auto [site, dimension] = *running_;
  seen_[static_cast<size_t>(dimension)] = true;
  compare_levels(rows_, zone_of(site), kept_since_, tell_of(site, dimension));
  if (dimension == Dimension::total)
    totals_ = std::exchange(rows_, {});
  else
    settle_rows(site, dimension);
}

void SummaryCheck::settle_rows(uint16_t site, Dimension dimension) {
  add_open_visits(site, dimension);
  leave_out_old(zone_of(site), kept_since_, rows_);
  leave_out_old(zone_of(site), kept_since_, totals_);
  static const PlaceSums kNothing;  // another lookback moves credit, and gives none
  compare_with_totals(is_by_lookback(dimension) ? kNothing : totals_, rows_, dimension, tell_of(site, dimension));
  rows_.clear();
}

// Dimensions of which no row is there at all have totals to answer for, too.
void SummaryCheck::settle_site() {
  if (!running_) return;
  for (size_t dimension = 0; dimension < kDimensions; ++dimension)
    if (!seen_[dimension]) settle_rows(running_->site, static_cast<Dimension>(dimension));
  seen_.fill(false);
  totals_.clear();
}

// Totals have them already.
void SummaryCheck::add_open_visits(uint16_t site, Dimension dimension) {
  const Zone& zone = zone_of(site);
  const auto [first, last] = open_visits_.equal_range(site);
  for (auto open = first; open != last; ++open) {
    const Visit& visit = open->second;
    if (!is_booked_at_close(visit, dimension)) continue;
    each_part_of_visit(visit, [&](int64_t minute_s, const Counters& part) {
      for (const Level level : kLevels) {
        const Place place{level, zone.bucket_start_s(level, minute_s), visit.import};
        if (level != Level::minute || visit.import == 0) rows_[place].add(kOtherValue, part);
      }
    });
  }
}

// Those of buckets are looked at with them.
Status SummaryCheck::read_key_counts() {
  Result<LmdbCursor> rollups = LmdbCursor::open(snapshot_.txn_, snapshot_.rollups_);
  if (!rollups) return rollups.error();
  return each(key_counts_, [&](std::string_view prefix, std::string_view value) {
    const bool has_rows =
        prefix.size() == kBucketPrefixBytes && rollups->seek(prefix) && rollups->key().starts_with(prefix);
    if (!has_rows && decode_bucket_keys(value).keys != 0)
      fault(bucket_text(prefix) + ": key_counts knows it, no row is there");
  });
}

Status SummaryCheck::read_dictionary() {
  return each(snapshot_.dictionary_, [&](std::string_view key, std::string_view text) {
    ++found_.texts;
    if (key.size() != 2 + 16 || text.empty()) fault("dictionary: key " + hex_text(key) + " is none");
  });
}

Status SummaryCheck::each(LmdbDatabase database,
                          const std::function<void(std::string_view key, std::string_view value)>& visit) {
  Result<LmdbCursor> cursor = LmdbCursor::open(snapshot_.txn_, database);
  if (!cursor) return cursor.error();
  for (bool there = cursor->first(); there; there = cursor->next()) {
    visit(cursor->key(), cursor->value());
    if (++done_ % kEntriesPerTick == 0) on_progress_(done_, std::max(done_, total_));
  }
  return {};
}

const Zone& SummaryCheck::zone_of(uint16_t site) const {
  static const Zone kUtc;
  return site < zones_.size() ? zones_[site] : kUtc;
}

std::string SummaryCheck::site_name(uint16_t site) const {
  const std::vector<std::string>& sites = snapshot_.checkpoint().sites;
  return site < sites.size() ? sites[site] : "number " + std::to_string(site);
}

std::string SummaryCheck::place_text(uint16_t site, Dimension dimension, const Place& place) const {
  return footfall::place_text(site_name(site), zone_of(site), dimension, place);
}

std::string SummaryCheck::bucket_text(std::string_view prefix) const {
  const std::optional<RollupKey> key = decode_bucket_prefix(prefix);
  if (!key) return "bucket " + hex_text(prefix);
  return place_text(key->site, key->dimension, {key->level, key->bucket_start_s, 0});
}

OnWrongSum SummaryCheck::tell_of(uint16_t site, Dimension dimension) {
  return [this, site, dimension](const Place& place, const std::string& text) {
    fault(place_text(site, dimension, place) + ": " + text);
  };
}

void SummaryCheck::fault(std::string text) {
  ++found_.faults;
  on_fault_(std::move(text));
}

}  // namespace footfall
