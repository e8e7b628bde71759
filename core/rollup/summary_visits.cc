// The kept visits of a snapshot.
#include <algorithm>
#include <vector>

#include "base/bytes.h"
#include "rollup/kept_visit.h"
#include "rollup/summary.h"
#include "rollup/visit_block.h"

namespace footfall {
namespace {

constexpr size_t kVisitsOfBlock = 4'096;

// Records that stand in no block, gathered into blocks.
class LooseVisits {
 public:
  LooseVisits(int64_t from_s, int64_t to_s, const SummarySnapshot::ReadBlock& read)
      : from_s_(from_s), to_s_(to_s), read_(read) {}

  Status add(const KeptVisit& visit) {
    if (!may_have_fact(visit)) return {};
    builder_.add(visit);
    return builder_.visits() >= kVisitsOfBlock ? flush() : Status();
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
};

}  // namespace

Status SummarySnapshot::each_visit_block(uint16_t site, int64_t from_s, int64_t to_s, const ReadBlock& read) {
  LooseVisits loose(from_s, to_s, read);
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

int64_t SummarySnapshot::visits_kept_from_s(uint16_t) const { return INT64_MIN; }

}  // namespace footfall
