// Random kept visits for tests: their texts lie in a store that outlives them.
#pragma once

#include <deque>
#include <string>
#include <string_view>

#include "random.h"
#include "rollup/kept_visit.h"

namespace footfall {

class KeptVisits {
 public:
  explicit KeptVisits(uint64_t seed) : random_(seed) {}

  KeptVisit next() {
    KeptVisit visit;
    visit.start_ms = 1'760'000'000'000 + static_cast<int64_t>(random_.below(86'400'000)) - (random_.below(50) == 0 ? 4'000'000'000'000 : 0);
    visit.duration_ms = static_cast<int64_t>(random_.below(3'600'000));
    visit.visitor = random_.next();
    visit.visitor_after = random_.below(10) == 0 ? random_.next() : 0;
    visit.import = static_cast<uint16_t>(random_.below(3));
    visit.flags = static_cast<uint8_t>(random_.below(32));
    visit.first_touch = touch(0);
    visit.country = text("c", 20);
    visit.device = text("device", 4);
    visit.browser = text("browser", 6);
    visit.os = text("os", 5);
    visit.new_returning = text("n", 3);
    for (uint64_t left = random_.below(8); left > 0; --left) {
      visit.views.push_back({time(), text("/page/", 600), random_.below(4) == 0 ? text("term ", 50) : std::string_view(),
                             static_cast<uint8_t>(random_.below(8)), static_cast<uint16_t>(random_.below(2) * random_.below(1000))});
      if (random_.below(3) == 0)
        visit.events.push_back({time(), text("event", 9), text("sku", 40), static_cast<uint32_t>(visit.views.size())});
    }
    for (uint64_t left = random_.below(12) / 9; left > 0; --left) visit.conversions.push_back(conversion());
    return visit;
  }

  // One of so many texts, or null.
  std::string_view text(const char* prefix, uint64_t kinds) {
    const uint64_t kind = random_.below(kinds + 1);
    if (kind == 0) return {};
    return texts_.emplace_back(prefix + std::to_string(kind));
  }

 private:
  int64_t time() { return static_cast<int64_t>(random_.below(5'000)) - 100; }

  KeptTouch touch(int64_t age_s) {
    KeptTouch touch{.age_s = age_s};
    for (const auto part : kKeptTouchTexts)
      if (random_.below(2) == 0) touch.*part = text("touch", 30);
    return touch;
  }

  KeptConversion conversion() {
    KeptConversion conversion;
    conversion.is_goal = random_.below(2) == 0;
    conversion.has_rate = random_.below(5) != 0;
    conversion.is_change = !conversion.is_goal && random_.below(3) == 0;
    conversion.time_s = time();
    conversion.event = text("event", 9);
    conversion.goal = text("goal", 3);
    conversion.value_micros = static_cast<int64_t>(random_.below(1'000'000'000));
    conversion.goal_value_micros = static_cast<int64_t>(random_.below(3)) * 1'000'000;
    conversion.currency = text("CU", 5);
    conversion.own_value_micros = static_cast<int64_t>(random_.next() >> 8) - (int64_t{1} << 54);
    if (conversion.is_change) conversion.refund_micros = static_cast<int64_t>(random_.below(1'000'000'000));
    conversion.coupon = text("coupon", 5);
    conversion.quantity = static_cast<int64_t>(random_.below(9));
    for (uint64_t left = random_.below(4); left > 0; --left)
      conversion.touches.push_back(touch(static_cast<int64_t>(random_.below(8'000'000))));
    for (uint64_t left = random_.below(4); left > 0; --left)
      conversion.items.push_back({text("sku", 40), text("category", 6), static_cast<int64_t>(random_.below(5)),
                                  static_cast<int64_t>(random_.below(1'000'000'000))});
    return conversion;
  }

  Random random_;
  std::deque<std::string> texts_;
};

// What a block or a row gives back.
inline bool is_same(const KeptVisit& a, const KeptVisit& b) {
  return static_cast<const KeptSteps&>(a) == static_cast<const KeptSteps&>(b) && a.start_ms == b.start_ms &&
         a.duration_ms == b.duration_ms && a.visitor == b.visitor && a.visitor_after == b.visitor_after &&
         a.import == b.import && a.flags == b.flags && a.first_touch == b.first_touch && a.country == b.country &&
         a.device == b.device && a.browser == b.browser && a.os == b.os && a.new_returning == b.new_returning;
}

}  // namespace footfall
