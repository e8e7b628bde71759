#include "rollup/summary_codec.h"

#include "footfall/v1/summary.pb.h"

namespace footfall {

std::string encode_checkpoint(const CheckpointState& state) {
  v1::Checkpoint message;
  message.set_number(state.number);
  message.set_committed_ms(state.committed_ms);
  message.set_complete_through_ms(state.complete_through_ms);
  for (const LanePlace& place : state.lanes) {
    v1::LaneCursor* lane = message.add_lane();
    lane->set_lane(place.lane);
    lane->set_epoch(place.epoch);
    lane->set_number(place.number);
    if (place.hits != kHitsNotKnown) lane->set_hits(place.hits);
  }
  message.set_lost_hits(state.lost_hits);
  message.set_late_hits(state.late_hits);
  message.set_refused_hits(state.refused_hits);
  message.set_next_change_block(state.next_change_block);
  for (const std::string& site : state.sites) message.add_site(site);
  for (int64_t time_ms : state.first_live_ms) message.add_first_live_ms(time_ms);
  message.set_pid(state.pid);
  for (const std::string& warning : state.warnings) message.add_warning(warning);
  for (uint32_t lane : state.lagging_lanes) message.add_lagging_lane(lane);
  for (uint32_t import : state.undone_imports) message.add_undone_import(import);
  message.set_merged_imports(state.merged_imports);
  for (const auto& [import, clock_s] : state.import_clocks_s) {
    v1::ImportClock* clock = message.add_import_clock();
    clock->set_import(import);
    clock->set_time(clock_s);
  }
  for (int64_t since_s : state.kept_since_s) message.add_kept_since(since_s);
  for (const Forgotten& forgotten : state.forgotten) {
    v1::Forgotten* to = message.add_forgotten();
    to->set_request(forgotten.request);
    to->set_visitors(forgotten.visitors);
    to->set_open_visits(forgotten.open_visits);
    to->set_visits(forgotten.visits);
    to->set_conversions(forgotten.conversions);
  }
  return message.SerializeAsString();
}

Result<CheckpointState> decode_checkpoint(std::string_view bytes) {
  v1::Checkpoint message;
  if (!message.ParseFromArray(bytes.data(), static_cast<int>(bytes.size()))) return Error::corrupt("checkpoint");
  CheckpointState state;
  state.number = message.number();
  state.committed_ms = message.committed_ms();
  state.complete_through_ms = message.complete_through_ms();
  for (const v1::LaneCursor& lane : message.lane())
    state.lanes.push_back({lane.lane(), lane.epoch(), lane.number(), lane.has_hits() ? lane.hits() : kHitsNotKnown});
  state.lost_hits = message.lost_hits();
  state.late_hits = message.late_hits();
  state.refused_hits = message.refused_hits();
  state.next_change_block = message.next_change_block();
  state.sites.assign(message.site().begin(), message.site().end());
  state.first_live_ms.assign(message.first_live_ms().begin(), message.first_live_ms().end());
  state.pid = message.pid();
  state.warnings.assign(message.warning().begin(), message.warning().end());
  state.lagging_lanes.assign(message.lagging_lane().begin(), message.lagging_lane().end());
  state.undone_imports.assign(message.undone_import().begin(), message.undone_import().end());
  state.merged_imports = static_cast<uint16_t>(message.merged_imports());
  for (const v1::ImportClock& clock : message.import_clock())
    state.import_clocks_s[static_cast<uint16_t>(clock.import())] = clock.time();
  for (size_t level = 0; level < state.kept_since_s.size() && static_cast<int>(level) < message.kept_since_size(); ++level)
    state.kept_since_s[level] = message.kept_since(static_cast<int>(level));
  for (const v1::Forgotten& done : message.forgotten())
    state.forgotten.push_back({done.request(), done.visitors(), done.open_visits(), done.visits(), done.conversions()});
  return state;
}

}  // namespace footfall
