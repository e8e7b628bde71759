#include "aggregate/undo.h"

#include <map>
#include <string>

#include "aggregate/bookings.h"
#include "base/bytes.h"
#include "rollup/changes.h"
#include "visit/visit_record.h"

namespace footfall {
namespace {

// Visits that went over into another import, as they stood: by the key of that import.
using CarriedVisits = std::map<std::string, Visit, std::less<>>;

Status read_carried(SummaryWriter& summary, size_t sites, uint16_t import, CarriedVisits& to) {
  return summary.each(KeyedDatabase::orders, [&](std::string_view key, std::string_view value) {
    if (key.size() != kOrderKeyIdBytes + 2 || static_cast<uint8_t>(key[2]) != kCarriedVisitKind) return;
    Visit visit;
    if (load_be16(key.data()) >= sites || !decode_visit(value, visit)) return;
    if (visit.import == import || load_be16(key.data() + kOrderKeyIdBytes) == import) to.emplace(key, std::move(visit));
  });
}

// One undo, while it is being made.
class Undo {
 public:
  Undo(SummaryWriter& summary, Sites& sites, const StringHasher& hasher, uint16_t import)
      : summary_(summary), sites_(sites), import_(import), bookings_(changes_, hasher) {}

  Status run(CheckpointState& state) {
    if (Status read = read_carried(summary_, sites_.size(), import_, carried_); !read) return read;
    for (const auto& [key, visit] : carried_) {
      if (visit.import == import_) {
        give_to_next(key, visit);
      } else {
        open_again(key, visit);
      }
    }
    return summary_.remove_import(import_, state, changes_.empty() ? std::string() : changes_.take());
  }

 private:
  // A later import went on with the visit: it stands there alone now, or follows on a still earlier one.
  void give_to_next(const std::string& key, const Visit& visit) {
    const Site& site = sites_.at(load_be16(key.data()));
    changes_.set_import(load_be16(key.data() + kOrderKeyIdBytes));
    bookings_.visit_carried(site, visit, 1);
    std::string came_by = key.substr(0, kOrderKeyIdBytes);
    BytesWriter(came_by).be16(import_);
    const auto before = carried_.find(came_by);
    const bool has_before = before != carried_.end() && before->second.start_ms == visit.start_ms;
    if (has_before) bookings_.visit_carried(site, before->second, -1);
    changes_.set(KeyedDatabase::orders, key, has_before ? encode_visit(before->second) : std::string());
  }

  // The visit is open still, and this import was the last to go on with it: it is as it was before.
  void open_again(const std::string& key, const Visit& visit) {
    BytesReader reader(std::string_view(key).substr(0, kOrderKeyIdBytes));
    const uint16_t number = reader.be16();
    reader.u8();
    const std::string open_key = visitor_key(number, reader.hash(), Timeline::imported);
    const Result<std::string> stored = summary_.find(KeyedDatabase::open_visits, open_key);
    Visit open;
    if (!stored || !decode_visit(*stored, open) || open.import != import_ || open.start_ms != visit.start_ms) return;
    changes_.set_import(visit.import);
    bookings_.visit_reopened(sites_.at(number), visit);
    changes_.set(KeyedDatabase::open_visits, open_key, encode_visit(visit));
  }

  SummaryWriter& summary_;
  Sites& sites_;
  const uint16_t import_;
  Changes changes_;
  Bookings bookings_;
  CarriedVisits carried_;
};

}  // namespace

Status undo_import(SummaryWriter& summary, CheckpointState& state, Sites& sites, const StringHasher& hasher, uint16_t import) {
  return Undo(summary, sites, hasher, import).run(state);
}

}  // namespace footfall
