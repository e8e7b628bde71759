#include "aggregate/undo.h"

#include <algorithm>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "aggregate/bookings.h"
#include "aggregate/order_book.h"
#include "aggregate/spend_book.h"
#include "base/bytes.h"
#include "credit/order_change.h"
#include "rollup/changes.h"
#include "rollup/visit_cut.h"
#include "visit/visit_record.h"

namespace footfall {
namespace {

// Visits that went over into another import, as they stood: by the key of that import.
using CarriedVisits = std::map<std::string, Visit, std::less<>>;

struct ChangedOrder {
  uint16_t site = 0;
  Hash128 id;
  bool operator==(const ChangedOrder&) const = default;
};

struct Concerned {
  CarriedVisits carried;
  std::vector<ChangedOrder> orders;  // of which other imports, or live hits, told something later
};

Status read_concerned(SummaryWriter& summary, size_t sites, uint16_t import, Concerned& to) {
  return summary.each(KeyedDatabase::orders, [&](std::string_view key, std::string_view value) {
    if (key.size() != kOrderKeyIdBytes + 2 || load_be16(key.data()) >= sites) return;
    const auto kind = static_cast<uint8_t>(key[2]);
    Visit visit;
    if (kind == kCarriedVisitKind && decode_visit(value, visit)) to.carried.emplace(key, std::move(visit));
    if (kind != kOrderChangesKind || load_be16(key.data() + kOrderKeyIdBytes) == import) return;
    BytesReader reader(key);
    ChangedOrder order{.site = reader.be16(), .id = {}};
    reader.u8();
    order.id = reader.hash();
    if (to.orders.empty() || to.orders.back() != order) to.orders.push_back(order);
  });
}

// Later than any hit: what is booked finds the row of what it takes back, or else `other`.
constexpr int64_t kLateClockS = int64_t{1} << 40;

// One undo, while it is being made.
class Undo {
 public:
  Undo(SummaryWriter& summary, Sites& sites, const StringHasher& hasher, uint16_t import)
      : summary_(summary), sites_(sites), import_(import), bookings_(changes_, hasher), late_bookings_(changes_, hasher),
        orders_(sites, hasher, changes_, late_bookings_, recent_orders_, [&](std::string_view prefix, const SeeStoredOrder& see) {
          summary.each_of_prefix(KeyedDatabase::orders, prefix, see);
        }) {
    late_bookings_.set_clock_s(kLateClockS);
  }

  Status run(CheckpointState& state) {
    Concerned concerned;
    if (Status read = read_concerned(summary_, sites_.size(), import_, concerned); !read) return read;
    carried_ = std::move(concerned.carried);
    for (const ChangedOrder& order : concerned.orders) orders_.leave_out(sites_.at(order.site), order.id, import_);
    for (const auto& [key, visit] : carried_) {
      if (visit.import == import_) {
        give_to_next(key, visit);
      } else if (load_be16(key.data() + kOrderKeyIdBytes) == import_) {
        open_again(key, visit);
      }
    }
    if (Status passed = pass_on_spend(summary_, sites_, import_, changes_, bookings_); !passed) return passed;
    return summary_.remove_import(import_, state, changes_.empty() ? std::string() : changes_.take(), cuts_);
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
    take_out_steps(key, visit, has_before ? count_steps(before->second.steps) : StepCounts(), count_steps(visit.steps));
  }

  // What the visit did in this import, wherever it stands by now: kept, open, or gone over into one more import.
  void take_out_steps(const std::string& key, const Visit& visit, const StepCounts& from, const StepCounts& to) {
    const std::string_view of_visitor = std::string_view(key).substr(0, kOrderKeyIdBytes);
    uint16_t now_in = load_be16(key.data() + kOrderKeyIdBytes);
    // Each import that it went over into, and came by: not more often than there are.
    for (size_t left = carried_.size(); left > 0; --left) {
      const auto next = std::find_if(carried_.begin(), carried_.end(), [&](const auto& other) {
        return other.first.starts_with(of_visitor) && other.second.import == now_in &&
               other.second.start_ms == visit.start_ms;
      });
      if (next == carried_.end()) break;
      cut(next->second, from, to);
      changes_.set(KeyedDatabase::orders, next->first, encode_visit(next->second));
      now_in = load_be16(next->first.data() + kOrderKeyIdBytes);
    }
    const uint16_t site = load_be16(key.data());
    const int64_t day_s = sites_.at(site).zone.bucket_start_s(Level::day, whole_s(visit.start_ms));
    cuts_.push_back({site, now_in, day_s, visit.start_ms, visit.distinct_visitor, from, to});
    const std::string open_key = open_key_of(key);
    if (std::optional<Visit> open = find_open(open_key, now_in, visit.start_ms)) {
      cut(*open, from, to);
      changes_.set(KeyedDatabase::open_visits, open_key, encode_visit(*open));
    }
  }

  static void cut(Visit& visit, const StepCounts& from, const StepCounts& to) {
    KeptSteps steps;
    if (!decode_steps(visit.steps, steps)) return;
    cut_steps(steps, from, to);
    visit.steps = encode_steps(steps);
  }

  // Of the visitor whose carried visit that key is.
  static std::string open_key_of(const std::string& key) {
    BytesReader reader(std::string_view(key).substr(0, kOrderKeyIdBytes));
    const uint16_t site = reader.be16();
    reader.u8();
    return visitor_key(site, reader.hash(), Timeline::imported);
  }

  std::optional<Visit> find_open(const std::string& open_key, uint16_t import, int64_t start_ms) {
    const Result<std::string> stored = summary_.find(KeyedDatabase::open_visits, open_key);
    Visit open;
    if (!stored || !decode_visit(*stored, open) || open.import != import || open.start_ms != start_ms)
      return std::nullopt;
    return open;
  }

  // It is kept as it was then, unless it went over from this import into one more.
  void keep_again(const std::string& key, const Visit& visit) {
    const std::string_view of_visitor = std::string_view(key).substr(0, kOrderKeyIdBytes);
    for (const auto& [other_key, other] : carried_)
      if (other_key.starts_with(of_visitor) && other.import == import_ && other.start_ms == visit.start_ms) return;
    BytesReader reader(of_visitor);
    const uint16_t site = reader.be16();
    reader.u8();
    changes_.set_import(visit.import);
    changes_.keep(site, encode_kept_visit(visit, reader.hash().low));
  }

  // This import was the last to go on with it: it is as it was before, open still or closed.
  void open_again(const std::string& key, const Visit& visit) {
    const std::string open_key = open_key_of(key);
    if (!find_open(open_key, import_, visit.start_ms)) return keep_again(key, visit);
    changes_.set_import(visit.import);
    bookings_.visit_reopened(sites_.at(load_be16(key.data())), visit);
    changes_.set(KeyedDatabase::open_visits, open_key, encode_visit(visit));
  }

  SummaryWriter& summary_;
  Sites& sites_;
  const uint16_t import_;
  Changes changes_;
  Bookings bookings_;
  Bookings late_bookings_;
  RecentOrders recent_orders_;  // none: everything is folded
  OrderBook orders_;
  CarriedVisits carried_;
  std::vector<VisitCut> cuts_;
};

}  // namespace

Status undo_import(SummaryWriter& summary, CheckpointState& state, Sites& sites, const StringHasher& hasher, uint16_t import) {
  return Undo(summary, sites, hasher, import).run(state);
}

}  // namespace footfall
