// The kept visits of a snapshot.
#include <algorithm>
#include <vector>

#include "base/bytes.h"
#include "rollup/kept_visit.h"
#include "rollup/summary.h"
#include "rollup/visit_block.h"
#include "rollup/visit_log.h"

namespace footfall {
namespace {

constexpr int64_t kLatestS = kDayS;  // facts that came late lie before their visit's start, by a visit's gap at most

int64_t less(int64_t time_s, int64_t by_s) { return time_s < INT64_MIN + by_s ? INT64_MIN : time_s - by_s; }

// Records that stand in no block, gathered into blocks.
class LooseVisits {
 public:
  LooseVisits(int64_t from_s, int64_t to_s, const SummarySnapshot::ReadBlock& read)
      : from_s_(from_s), to_s_(to_s), read_(read) {}

  Status add(std::string_view row) {
    KeptSpan span;
    if (!read_kept_span(row, span)) return Error::corrupt("row of a visit");
    if (whole_s(span.last_ms) < from_s_ || less(whole_s(span.start_ms), kLatestS) >= to_s_) return {};
    if (!decode_kept_visit(row, visit_)) return Error::corrupt("row of a visit");
    return add(visit_);
  }

  Status add(const KeptVisit& visit) {
    if (!may_have_fact(visit)) return {};
    builder_.add(visit);
    return builder_.visits() >= kVisitsOfBlockMax ? flush() : Status();
  }

  Status flush() {
    if (builder_.visits() == 0) return {};
    std::optional<VisitBlock> block = VisitBlock::own(builder_.finish(VisitBlockBuilder::Packing::none));
    return block ? read_(*block) : Error::corrupt("block of visits");
  }

 private:
  bool may_have_fact(const KeptVisit& visit) const {
    const int64_t start_s = whole_s(visit.start_ms);
    int64_t first_s = start_s, last_s = start_s;
    const auto hold = [&](const auto& facts) {
      for (const auto& fact : facts) {
        first_s = std::min(first_s, start_s + fact.time_s);
        last_s = std::max(last_s, start_s + fact.time_s);
      }
    };
    hold(visit.views);
    hold(visit.events);
    hold(visit.conversions);
    return first_s < to_s_ && last_s >= from_s_;
  }

  const int64_t from_s_, to_s_;
  const SummarySnapshot::ReadBlock& read_;
  VisitBlockBuilder builder_;
  KeptVisit visit_;
};

}  // namespace

Status SummarySnapshot::load_visit_log(LmdbDatabase meta) {
  if (const Result<std::string_view> stored = txn_.get(meta, kCareKey)) care_ = decode_care(*stored);
  VisitLogState log;
  if (const Result<std::string_view> stored = txn_.get(meta, "visits")) {
    Result<VisitLogState> decoded = decode_visit_log(*stored);
    if (!decoded) return decoded.error();
    log = std::move(*decoded);
    const Result<LmdbDatabase> rows = txn_.database("visit_rows"), blocks = txn_.database("visits");
    if (!rows || !blocks) return rows ? blocks.error() : rows.error();
    visit_rows_ = *rows;
    visits_ = *blocks;
  }
  visit_log_ = std::make_shared<const VisitLogState>(std::move(log));
  return {};
}

Status SummarySnapshot::each_visit_block(uint16_t site, int64_t from_s, int64_t to_s, const ReadBlock& read) {
  if (visits_)
    if (Status status = each_packed_block(site, from_s, to_s, read); !status) return status;
  LooseVisits loose(from_s, to_s, read);
  if (visit_rows_)
    if (Status status = each_stored_row(site, [&](std::string_view row) { return loose.add(row); }); !status)
      return status;
  for (const KeptRow& kept : pending_kept_)
    if (kept.site == site)
      if (Status status = loose.add(kept.row); !status) return status;
  Status status;
  const Status scanned = each_keyed(KeyedDatabase::open_visits, [&](std::string_view key, std::string_view value) {
    BytesReader reader(key);
    footfall::Visit visit;
    if (!status || reader.be16() != site || !decode_visit(value, visit)) return;
    status = loose.add(kept_visit_of(visit, reader.hash().low));
  });
  if (!scanned) return scanned;
  return status ? loose.flush() : status;
}

Status SummarySnapshot::each_packed_block(uint16_t site, int64_t from_s, int64_t to_s, const ReadBlock& read) {
  if (site >= visit_log_->sites.size()) return {};
  const VisitLogSite& known = visit_log_->sites[site];
  Result<LmdbCursor> cursor = LmdbCursor::open(txn_, *visits_);
  if (!cursor) return cursor.error();
  const std::string first = encode_visit_key({site, less(from_s, known.after_s), 0, 0});
  for (bool there = cursor->seek(first); there; there = cursor->next()) {
    const std::optional<VisitLogKey> key = decode_visit_key(cursor->key());
    if (!key) return Error::corrupt("key of a visit");
    if (key->site != site || less(key->day_s, known.before_s) >= to_s) break;
    std::optional<VisitBlock> block = VisitBlock::open(cursor->value());
    if (!block) return Error::corrupt("block of visits");
    if (whole_s(block->first_ms()) >= to_s || whole_s(block->last_ms()) < from_s) continue;
    if (Status status = read(*block); !status) return status;
  }
  return {};
}

Status SummarySnapshot::each_stored_row(uint16_t site, const std::function<Status(std::string_view row)>& read) {
  Result<LmdbCursor> cursor = LmdbCursor::open(txn_, *visit_rows_);
  if (!cursor) return cursor.error();
  for (bool there = cursor->seek(encode_visit_key({site, INT64_MIN, 0, 0})); there; there = cursor->next()) {
    const std::optional<VisitLogKey> key = decode_visit_key(cursor->key());
    if (!key) return Error::corrupt("key of a visit");
    if (key->site != site) break;
    if (Status status = read(cursor->value()); !status) return status;
  }
  return {};
}

int64_t SummarySnapshot::visits_kept_from_s(uint16_t site) const {
  return site < visit_log_->sites.size() ? visit_log_->sites[site].whole_from_s : visit_log_->kept_since_s;
}

}  // namespace footfall
