// Steps of journeys, as `journeys.h` tells them.
#include "aggregate/bookings.h"
#include "credit/journey_steps.h"

namespace footfall {

void Bookings::journey_begins(const Site& site, const Touch& touch) {
  const auto step_of = [&](Dimension dimension, std::string_view value) {
    return row(dimension, with_lookbacks(kAllLookbacks, journey_steps({&value, 1}, false).front()));
  };
  const RowGroup& rows = changes_.group({kOfJourneys, value_of(touch.channel).low}, [&] {
    return RowGroup{step_of(Dimension::journey_channel, touch.channel), step_of(Dimension::journey_campaign, {})};
  });
  Counters& counters = changes_.at(site.number, bucket(site, touch.time_ms), rows);
  counters[Counter::journeys_standing] += 1;
  counters[Counter::journeys_last_touched] += 1;
}

void Bookings::step_stands(const Site& site, Dimension dimension, std::string_view step, int64_t now_ms, int64_t last_touch_ms, int sign) {
  const Page value = page_of(step);
  Counters& now = at(site, dimension, now_ms, value);
  now[Counter::journeys_standing] += sign;
  Counters& then = now_ms == last_touch_ms ? now : at(site, dimension, last_touch_ms, value);
  then[Counter::journeys_last_touched] += sign;
}

Hash128 Bookings::name_of_journey(const Hash128& values, uint8_t lookbacks) {
  return {kOfStandingJourneys | lookbacks, values.low};
}

void Bookings::journey_stands(const Site& site, const RowGroup& rows, int64_t now_ms, int64_t last_touch_ms, int sign) {
  Counters& now = changes_.at(site.number, bucket(site, now_ms), rows);
  now[Counter::journeys_standing] += sign;
  Counters& then = now_ms == last_touch_ms ? now : changes_.at(site.number, bucket(site, last_touch_ms), rows);
  then[Counter::journeys_last_touched] += sign;
}

void Bookings::journey_converted(const Site& site, Dimension dimension, std::string_view step, int64_t time_ms) {
  at(site, dimension, time_ms, step)[Counter::journeys_converted] += 1;
}

}  // namespace footfall
