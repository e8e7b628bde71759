#include "aggregate/journeys.h"

#include <algorithm>
#include <array>
#include <string_view>

#include "credit/journey_steps.h"
#include "credit/model.h"
#include "site/config.h"

namespace footfall {
namespace {

constexpr size_t kGroupBytesMax = 768;

int64_t lookback_ms(size_t lookback) { return kLookbackDays[lookback] * kDayS * 1000; }

std::vector<std::string> steps_of(std::span<const Touch> touches, std::string Touch::*text, bool with_set) {
  std::vector<std::string_view> values;
  for (const Touch& touch : touches) values.push_back(touch.*text);
  return journey_steps(values, with_set);
}

JourneySteps steps_of(std::span<const Touch> touches) {
  JourneySteps steps{steps_of(touches, &Touch::channel, true), steps_of(touches, &Touch::campaign, false)};
  for (const auto* texts : {&steps.channels, &steps.campaigns})
    for (const std::string& text : *texts) steps.bytes += text.size() + sizeof(std::string);
  return steps;
}

// One for all lookbacks that begin at the same touch.
std::vector<StandingJourney> by_begin(std::span<const Touch> touches, const std::array<size_t, kLookbacks>& begins, JourneyMemo& memo) {
  std::vector<StandingJourney> journeys;
  for (size_t lookback = 0; lookback < kLookbacks; ++lookback) {
    const bool goes_on = lookback > 0 && begins[lookback] == begins[lookback - 1];  // longer ones begin no later
    if (!goes_on) journeys.push_back(memo.journey(touches.subspan(begins[lookback])));
    journeys.back().lookbacks |= static_cast<uint8_t>(1 << lookback);
  }
  return journeys;
}

const StandingJourney* find(const std::vector<StandingJourney>& journeys, size_t lookback) {
  const auto found = std::find_if(journeys.begin(), journeys.end(), [&](const StandingJourney& journey) {
    return (journey.lookbacks >> lookback & 1) != 0;
  });
  return found == journeys.end() ? nullptr : &*found;
}

template <class Book>
void each_step(const JourneySteps& steps, uint8_t lookbacks, Book book) {
  for (const std::string& step : steps.channels) book(Dimension::journey_channel, with_lookbacks(lookbacks, step));
  for (const std::string& step : steps.campaigns) book(Dimension::journey_campaign, with_lookbacks(lookbacks, step));
}

void book_standing(Bookings& bookings, const Site& site, const StandingJourney& journey, uint8_t lookbacks, int64_t now_ms, int sign) {
  if (lookbacks == 0) return;
  // A late touch changes what stands when the last one came, before which it was not booked.
  now_ms = std::max(now_ms, journey.last_ms);
  const auto see_each = [&](const auto& see) { each_step(*journey.steps, lookbacks, see); };
  // Rows of a group are remembered: those of short journeys, which many have.
  if (journey.steps->channels.size() > 1 && journey.steps->bytes <= kGroupBytesMax)
    return bookings.journey_stands(site, journey.values, lookbacks, now_ms, journey.last_ms, sign, see_each);
  see_each([&](Dimension dimension, const std::string& step) {
    bookings.step_stands(site, dimension, step, now_ms, journey.last_ms, sign);
  });
}

bool is_ordered(const Visitor& visitor, const Touch& touch) {
  return visitor.ordered_ms != 0 && touch.time_ms <= visitor.ordered_ms;
}

}  // namespace

StandingJourney JourneyMemo::journey(std::span<const Touch> touches) {
  values_.clear();
  BytesWriter writer(values_);
  for (const Touch& touch : touches) writer.text16(touch.channel).text16(touch.campaign);
  const Hash128 values = hasher_(values_);
  std::unique_ptr<JourneySteps>& steps = steps_[values];
  if (!steps) {
    steps = std::make_unique<JourneySteps>(steps_of(touches));
    bytes_ += steps->bytes + kBytesOfEntry;
  }
  return {.first_ms = touches.front().time_ms, .last_ms = touches.back().time_ms, .values = values, .steps = steps.get()};
}

std::vector<StandingJourney> standing_journeys(const Visitor& visitor, JourneyMemo& memo) {
  const std::span<const Touch> touches = visitor.touches;
  const auto first = std::find_if(touches.begin(), touches.end(), [&](const Touch& touch) { return !is_ordered(visitor, touch); });
  if (first == touches.end()) return {};
  std::array<size_t, kLookbacks> begins;
  begins.fill(touches.size() - 1);
  const auto least = static_cast<size_t>(first - touches.begin());
  for (size_t lookback = 0; lookback < kLookbacks; ++lookback) {
    size_t& begin = begins[lookback];
    while (begin > least && touches[begin].time_ms - touches[begin - 1].time_ms <= lookback_ms(lookback)) --begin;
  }
  return by_begin(touches, begins, memo);
}

void JourneyChange::settle(Bookings& bookings, const Site& site, const Visitor& visitor, int64_t now_ms, Why why) const {
  // As most are: nothing stood before.
  if (before_.empty() && visitor.touches.size() == 1) {
    const Touch& only = visitor.touches.front();
    if (only.campaign.empty() && only.time_ms == now_ms && !is_ordered(visitor, only)) return bookings.journey_begins(site, only);
  }
  const std::vector<StandingJourney> after = standing_journeys(visitor, memo_);
  uint8_t same = 0;
  for (const StandingJourney& journey : before_) {
    uint8_t gone = 0;
    for (size_t lookback = 0; lookback < kLookbacks; ++lookback) {
      const auto bit = static_cast<uint8_t>(1 << lookback);
      if ((journey.lookbacks & bit) == 0) continue;
      const StandingJourney* now = find(after, lookback);
      if (now != nullptr && now->is_same(journey)) same |= bit;
      else if (why == Why::moved || (why == Why::order && journey.last_ms >= now_ms - lookback_ms(lookback)) ||
               (why == Why::touch && now != nullptr && now->first_ms <= journey.last_ms))
        gone |= bit;
    }
    book_standing(bookings, site, journey, gone, now_ms, -1);
  }
  for (const StandingJourney& journey : after)
    book_standing(bookings, site, journey, static_cast<uint8_t>(journey.lookbacks & ~same), now_ms, 1);
}

// Who came by nothing that is known came directly.
void book_converted(Bookings& bookings, const Site& site, int64_t time_ms, std::span<const Touch> touches) {
  const std::span<const Touch> all = journey(touches, time_ms, lookback_ms(kLookbacks - 1));
  std::array<size_t, kLookbacks> begins;
  for (size_t lookback = 0; lookback < kLookbacks; ++lookback)
    begins[lookback] = all.size() - journey(all, time_ms, lookback_ms(lookback)).size();
  static const Touch kNoTouch;
  std::vector<Touch> known(all.begin(), all.end());
  known.push_back(kNoTouch);  // for lookbacks that reach no touch, which begin there
  for (size_t lookback = 0; lookback < kLookbacks;) {
    const size_t begin = begins[lookback];
    uint8_t lookbacks = 0;
    for (; lookback < kLookbacks && begins[lookback] == begin; ++lookback) lookbacks |= static_cast<uint8_t>(1 << lookback);
    const size_t count = begin == all.size() ? 1 : all.size() - begin;
    each_step(steps_of(std::span<const Touch>(known).subspan(begin, count)), lookbacks,
              [&](Dimension dimension, const std::string& step) { bookings.journey_converted(site, dimension, step, time_ms); });
  }
}

}  // namespace footfall
