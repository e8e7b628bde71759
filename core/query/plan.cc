#include "query/plan.h"

namespace footfall {
namespace {

void cover(int64_t from_s, int64_t to_s, Level level, const Zone& zone, std::vector<PlanPart>& plan) {
  if (from_s >= to_s) return;
  if (level == Level::minute) {
    plan.push_back({level, from_s, to_s});
    return;
  }
  const Level finer = static_cast<Level>(static_cast<int>(level) - 1);
  const int64_t before_s = zone.bucket_start_s(level, from_s);
  const int64_t first_s = before_s == from_s ? from_s : zone.next_bucket_s(level, from_s);
  const int64_t last_s = zone.bucket_start_s(level, to_s);
  if (first_s >= last_s) return cover(from_s, to_s, finer, zone, plan);
  cover(from_s, first_s, finer, zone, plan);
  plan.push_back({level, first_s, last_s});
  cover(last_s, to_s, finer, zone, plan);
}

}  // namespace

Level level_of(TimeUnit unit) {
  switch (unit) {
    case TimeUnit::minute:
      return Level::minute;
    case TimeUnit::hour:
      return Level::hour;
    case TimeUnit::day:
    case TimeUnit::week:
      return Level::day;
    case TimeUnit::month:
      return Level::month;
  }
  return Level::minute;
}

std::vector<PlanPart> plan_buckets(int64_t from_s, int64_t to_s, std::optional<TimeUnit> unit, const Zone& zone) {
  std::vector<PlanPart> plan;
  cover(from_s, to_s, unit ? level_of(*unit) : Level::month, zone, plan);
  return plan;
}

int64_t unit_start_s(TimeUnit unit, int64_t time_s, const Zone& zone) {
  return unit == TimeUnit::week ? zone.week_start_s(time_s) : zone.bucket_start_s(level_of(unit), time_s);
}

int64_t next_unit_s(TimeUnit unit, int64_t start_s, const Zone& zone) {
  return unit == TimeUnit::week ? zone.next_week_s(start_s) : zone.next_bucket_s(level_of(unit), start_s);
}

std::string unit_text(TimeUnit unit, int64_t start_s, const Zone& zone) {
  return zone.bucket_text(level_of(unit), start_s);
}

}  // namespace footfall
