#include "rollup/repair.h"

#include <fcntl.h>
#include <unistd.h>

#include <cerrno>

#include "base/bytes.h"
#include "footfall/v1/summary.pb.h"
#include "rollup/counters_codec.h"
#include "rollup/kept_visit.h"
#include "rollup/order_entry.h"
#include "rollup/summary_codec.h"
#include "rollup/visit_log.h"
#include "site/config_codec.h"
#include "visit/visitor.h"

namespace footfall {
namespace {

std::string hex_of(std::string_view bytes) {
  static constexpr char kDigits[] = "0123456789abcdef";
  std::string text;
  for (const char byte : bytes) {
    text += kDigits[static_cast<uint8_t>(byte) >> 4];
    text += kDigits[static_cast<uint8_t>(byte) & 15];
  }
  return text;
}

bool is_visitor_key(std::string_view key) { return key.size() == 2 + 16 + 1; }

bool is_counters(std::string_view bytes, Dimension dimension) {
  Counters counters;
  if (dimension == Dimension::total) counters.visitors.set_precision(Precision::total);
  return merge_encoded_counters(bytes, counters);
}

bool is_change_block(std::string_view, std::string_view value) {
  v1::ChangeBlock block;
  if (!block.ParseFromArray(value.data(), static_cast<int>(value.size()))) return false;
  for (const v1::Delta& delta : block.delta()) {
    const std::optional<RollupKey> key = decode_rollup_key(delta.key());
    Counters counters;
    if (key && key->dimension == Dimension::total) counters.visitors.set_precision(Precision::total);
    if (!key || !merge_rollup(delta.rollup(), counters)) return false;
  }
  KeptSpan span;
  for (const v1::KeptRow& kept : block.kept())
    if (!read_kept_span(kept.row(), span)) return false;
  return true;
}

bool is_visitor(std::string_view key, std::string_view value) {
  Visitor visitor;
  return is_visitor_key(key) && decode_visitor(value, visitor);
}

bool is_open_visit(std::string_view key, std::string_view value) {
  Visit visit;
  return is_visitor_key(key) && decode_visit(value, visit);
}

bool is_dictionary_text(std::string_view key, std::string_view value) { return key.size() == 2 + 16 && !value.empty(); }

}  // namespace

Status SummaryRepair::run() {
  Result<LmdbTxn> txn = LmdbTxn::write(env_);
  if (!txn) return txn.error();
  txn_ = std::move(*txn);
  if (Status status = load(); !status) return status;
  if (Status status = set_aside_broken(); !status) return status;
  for (size_t site = 0; site < zones_.size(); ++site) {
    site_ = static_cast<uint16_t>(site);
    if (Status status = repair_site(); !status) return status;
  }
  if (Status status = remove_orphans(); !status) return status;
  if (set_aside_ == 0 && done_ == 0) return txn_.abort(), Status();
  if (Status status = write_aside(); !status) return status;
  return txn_.commit();
}

// Without these nothing can be told of the rest.
Status SummaryRepair::load() {
  for (const auto& [name, to] : {std::pair("rollups", &rollups_), std::pair("key_counts", &key_counts_),
                                 std::pair("to_trim", &to_trim_), std::pair("dictionary", &dictionary_)}) {
    Result<LmdbDatabase> database = txn_.database(name);
    if (!database) return database.error();
    *to = *database;
  }
  const Result<LmdbDatabase> meta = txn_.database("meta");
  if (!meta) return meta.error();
  Config config;
  if (const Result<std::string_view> stored = txn_.get(*meta, "checkpoint")) {
    Result<CheckpointState> checkpoint = decode_checkpoint(*stored);
    if (!checkpoint) return checkpoint.error();
    checkpoint_ = std::move(*checkpoint);
  }
  if (const Result<std::string_view> stored = txn_.get(*meta, "config")) {
    Result<Config> decoded = decode_config(*stored);
    if (!decoded) return decoded.error();
    config = std::move(*decoded);
  }
  for (const std::string& name : checkpoint_.sites) {
    Result<Zone> zone = Zone::load(site_or_default(config, name).timezone);
    if (!zone) return zone.error();
    zones_.push_back(std::move(*zone));
  }
  kept_since_ = checkpoint_.kept_since_s;
  return {};
}

Status SummaryRepair::set_aside_broken() {
  const auto is_row = [&](std::string_view bytes, std::string_view value) {
    const std::optional<RollupKey> key = decode_rollup_key(bytes);
    return key && key->site < zones_.size() && is_counters(value, key->dimension);
  };
  const auto belongs = [&](const VisitLogKey& key, int64_t start_ms) {
    return zones_[key.site].bucket_start_s(Level::day, whole_s(start_ms)) == key.day_s;
  };
  const auto is_kept_row = [&](std::string_view bytes, std::string_view value) {
    const std::optional<VisitLogKey> key = decode_visit_key(bytes);
    KeptVisit visit;
    return key && key->site < zones_.size() && decode_kept_visit(value, visit) && belongs(*key, visit.start_ms);
  };
  const auto is_block = [&](std::string_view bytes, std::string_view value) {
    const std::optional<VisitLogKey> key = decode_visit_key(bytes);
    const std::optional<VisitBlock> block = VisitBlock::open(value);
    return key && key->site < zones_.size() && block && belongs(*key, block->start_ms_min()) &&
           belongs(*key, block->start_ms_max());
  };
  const std::pair<const char*, IsWhole> databases[] = {{"changes", is_change_block},       {"rollups", is_row},
                                                       {"dictionary", is_dictionary_text}, {"visitors", is_visitor},
                                                       {"open_visits", is_open_visit},     {"orders", is_order_entry},
                                                       {"visit_rows", is_kept_row},        {"visits", is_block}};
  for (const auto& [name, is_whole] : databases)
    if (Status status = set_aside(name, is_whole); !status) return status;
  return {};
}

Status SummaryRepair::set_aside(const char* name, const IsWhole& is_whole) {
  const Result<LmdbDatabase> database = txn_.database(name);
  if (!database) return database.error();
  Result<LmdbCursor> cursor = LmdbCursor::open(txn_, *database);
  if (!cursor) return cursor.error();
  uint64_t broken = 0;
  for (bool there = cursor->first(); there; there = cursor->next()) {
    if (is_whole(cursor->key(), cursor->value())) continue;
    aside_ += std::string(name) + ' ' + hex_of(cursor->key()) + ' ' + hex_of(cursor->value()) + '\n';
    if (Status status = cursor->remove(); !status) return status;
    ++broken;
  }
  set_aside_ += broken;
  if (broken > 0)
    told_(std::string(name) + ": " + std::to_string(broken) + " entries that cannot be read are set aside");
  return {};
}

// Before the commit: what is taken out lies there.
Status SummaryRepair::write_aside() {
  if (aside_.empty()) return {};
  const int fd = ::open(aside_path_.c_str(), O_WRONLY | O_CREAT | O_APPEND | O_NOFOLLOW | O_CLOEXEC, 0660);
  if (fd < 0) return Error::io("open " + aside_path_, errno);
  size_t written = 0;
  while (written < aside_.size()) {
    const ssize_t more = ::write(fd, aside_.data() + written, aside_.size() - written);
    if (more < 0 && errno == EINTR) continue;
    if (more <= 0) break;
    written += static_cast<size_t>(more);
  }
  const bool is_whole = written == aside_.size() && fsync(fd) == 0;
  const int write_errno = errno;
  ::close(fd);
  return is_whole ? Status() : Error::io("write " + aside_path_, write_errno);
}

// Counts of buckets that are gone.
Status SummaryRepair::remove_orphans() {
  Result<LmdbCursor> counts = LmdbCursor::open(txn_, key_counts_), rows = LmdbCursor::open(txn_, rollups_);
  if (!counts || !rows) return counts ? rows.error() : counts.error();
  uint64_t removed = 0;
  for (bool there = counts->first(); there; there = counts->next()) {
    const std::string prefix(counts->key());
    if (decode_bucket_keys(counts->value()).keys == 0 && prefix.size() == kBucketPrefixBytes) continue;
    if (prefix.size() == kBucketPrefixBytes && rows->seek(prefix) && rows->key().starts_with(prefix)) continue;
    if (Status status = counts->remove(); !status) return status;
    ++removed;
  }
  done_ += removed;
  if (removed > 0) told_("key_counts: " + std::to_string(removed) + " of buckets that are not there");
  return {};
}

}  // namespace footfall
