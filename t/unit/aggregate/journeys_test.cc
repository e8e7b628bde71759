// Journeys as rollups count them, against the same visitors' journeys told one by one.
#include "query/journeys.h"

#include <algorithm>
#include <map>
#include <string>
#include <vector>

#include "aggregate/shop.h"
#include "credit/journey_steps.h"
#include "credit/shares.h"
#include "random.h"

namespace footfall {
namespace {

constexpr int64_t kHourMs = 3'600'000;

struct Came {
  int64_t time_ms;
  int visitor;
  std::string channel, campaign;
  bool orders = false;
};
std::vector<Came> all;  // in time order

struct Arrival {
  std::string_view channel, campaign, arguments;
};
constexpr Arrival kArrivals[] = {{"direct", "", ""},
                                 {"email", "letter", "utm_source=news&utm_medium=email&utm_campaign=letter"},
                                 {"display", "banner", "utm_source=ads&utm_medium=banner&utm_campaign=banner"},
                                 {"display", "2:odd^-", "utm_source=ads&utm_medium=banner&utm_campaign=2%3Aodd%5E-"},
                                 {"affiliate", "", "utm_source=friend&utm_medium=affiliate"}};

void comes(int64_t time_ms, int visitor, const Arrival& by, bool orders) {
  shop().at_ms(time_ms).visitor("v" + std::to_string(visitor));
  const std::string id = "o" + std::to_string(all.size());
  shop().page_with(orders ? "purchase;id=\"" + id + "\";value=10.00" : "", "/", by.arguments);
  all.push_back({time_ms, visitor, std::string(by.channel), std::string(by.campaign), orders});
}

// Touches of one visitor, in time order, that a journey is made of.
using Told = std::vector<const Came*>;

// What the range's journeys are by the words of core/credit/README.md: those behind orders, each with its own window; and of what
// comes after an order, or a pause longer than the lookback, those whose last touch is not older than `touched_s`.
void each_journey(int64_t touched_s, int64_t from_s, int64_t to_s, int64_t lookback_ms,
                  const std::function<void(const Told& journey, bool converts)>& see) {
  std::map<int, Told> by_visitor;
  for (const Came& came : all)
    if (came.time_ms < to_s * 1000) by_visitor[came.visitor].push_back(&came);
  for (const auto& [visitor, hits] : by_visitor) {
    Told standing;
    const auto lose = [&] {
      if (!standing.empty() && standing.back()->time_ms >= touched_s * 1000) see(standing, false);
      standing.clear();
    };
    for (size_t i = 0; i < hits.size(); ++i) {
      if (!standing.empty() && hits[i]->time_ms - standing.back()->time_ms > lookback_ms) lose();
      standing.push_back(hits[i]);
      if (!hits[i]->orders) continue;
      Told window;
      for (size_t j = 0; j <= i; ++j)
        if (hits[j]->time_ms >= hits[i]->time_ms - lookback_ms) window.push_back(hits[j]);
      if (hits[i]->time_ms >= from_s * 1000) see(window, true);
      standing.clear();
    }
    lose();
  }
}

void expect_journeys(const char* from, const char* to, int days, std::string_view by) {
  const Zone& zone = shop().sites().at(0).zone;
  Query query;
  query.site_number = 0;
  query.zone = zone;
  query.range = {zone.bucket_start_s(Level::day, time_of(from) / 1000), zone.bucket_start_s(Level::day, time_of(to) / 1000)};
  query.lookback_days = days;
  query.by = {find_dimension(by)};
  const int64_t touched_s = zone.bucket_start_s(Level::day, query.range.from_s - days * kDayS + kDayS / 2);

  Transitions transitions;
  ChannelSets sets;
  int64_t orders = 0;
  each_journey(touched_s, query.range.from_s, query.range.to_s, days * kDayS * 1000, [&](const Told& journey, bool converts) {
    std::vector<std::string_view> values;
    for (const Came* came : journey) values.push_back(by == "channel" ? came->channel : came->campaign);
    transitions.add(values, converts);
    sets.add(values, converts);
    orders += converts;
  });
  std::map<std::string, int64_t> markov, shapley;
  for (const MarkovRow& row : transitions.solve().rows) markov[row.value] = row.share;
  for (const ShapleyRow& row : sets.solve()) shapley[row.channel] = row.share;

  shop().read_snapshot([&](SummarySnapshot& snapshot) {
    const auto told = credit_by_journeys(query, snapshot, [] { return false; });
    assert_true(std::holds_alternative<JourneyCredit>(told));
    const JourneyCredit& credit = std::get<JourneyCredit>(told);
    assert_false(credit.is_approximate);
    expect_number(static_cast<int64_t>(credit.all.orders_millionths), orders * kCreditWhole);
    expect_number(static_cast<int64_t>(credit.all.revenue_micros), orders * 10'000'000);
    assert_int_equal(credit.markov.has_value(), orders > 0);
    const auto expect_shares = [&](const GivenByValue& given, const std::map<std::string, int64_t>& shares) {
      std::string is, must_be;
      std::vector<int64_t> list;
      for (const auto& [value, share] : shares) list.push_back(share);
      const std::vector<__int128> parts = split_by_shares(credit.all.revenue_micros, list);
      size_t at = 0;
      for (const auto& [value, share] : shares) must_be += value + "=" + std::to_string(static_cast<int64_t>(parts[at++])) + " ";
      for (const auto& [value, of] : given) is += value + "=" + std::to_string(static_cast<int64_t>(of.revenue_micros)) + " ";
      expect_text(is, must_be);
    };
    if (orders == 0) return;
    expect_shares(*credit.markov, markov);
    if (by == "channel") expect_shares(*credit.shapley, shapley);
  });
}

int begin(void** state) { return all.clear(), open_shop(state); }

void journeys_of_any_range_and_lookback(void**) {
  Random random(11);
  int64_t time_ms = time_of("2026-08-01 00:10");
  for (int i = 0; i < 700; ++i) {
    time_ms += kHourMs + static_cast<int64_t>(random.below(8)) * kHourMs;
    const int visitor = static_cast<int>(random.below(40));
    comes(time_ms, visitor, kArrivals[random.below(std::size(kArrivals))], random.below(6) == 0);
    if (random.below(40) == 0) shop().fold_at(time_ms);
    if (random.below(150) == 0) shop().fold().restart();
  }
  shop().fold();
  for (const int days : kLookbackDays)
    for (const char* by : {"channel", "campaign"}) {
      expect_journeys("2026-08-01 12:00", "2027-03-01 12:00", days, by);
      expect_journeys("2026-09-03 12:00", "2026-10-28 12:00", days, by);  // the clock goes back meanwhile
      expect_journeys("2026-11-01 12:00", "2026-11-02 12:00", days, by);
      expect_journeys("2026-07-01 12:00", "2026-07-20 12:00", days, by);  // nobody was there
    }
}

// A visitor whose consent comes in mid-visit takes the journey along.
void a_journey_goes_over_to_another_key(void**) {
  shop().address("\1\2\3\4").visitor("").at("2026-10-02 10:00").hit("/", kArrivals[1].arguments);
  shop().visitor("known").at("2026-10-02 10:05").hit("/basket").order("A", "10");
  all = {{time_of("2026-10-02 10:00"), 1, "email", "letter", false}};
  shop().fold();
  shop().read_snapshot([&](SummarySnapshot& snapshot) {
    Query query;
    query.site_number = 0;
    query.zone = shop().sites().at(0).zone;
    query.range = {time_of("2026-10-01 00:00") / 1000, time_of("2026-10-05 00:00") / 1000};
    query.by = {find_dimension("channel")};
    const JourneyCredit credit = std::get<JourneyCredit>(credit_by_journeys(query, snapshot, [] { return false; }));
    assert_false(credit.is_approximate);
    expect_number(static_cast<int64_t>(credit.markov->at("email").orders_millionths), kCreditWhole);
  });
  // One journey, which converted: of none that did not is there anything left.
  int64_t standing = 0, converted = 0;
  for (const auto& [name, counters] : shop().figures())
    if (name.dimension == Dimension::journey_channel && name.level == Level::day)
      standing += counters[Counter::journeys_standing], converted += counters[Counter::journeys_converted];
  expect_number(standing, 0);
  expect_number(converted, 1);
}

// An older touch that comes late changes the journey that stands: not before it stood.
void a_late_touch_takes_nothing_off_before_it_was_there(void**) {
  shop().visitor("a").at("2026-10-20 10:00").hit("/", kArrivals[1].arguments);
  shop().visitor("b").late().at("2026-10-05 10:00").hit("/", kArrivals[1].arguments);
  shop().order("B", "10").visitor("a").at("2026-10-01 10:00").hit("/", kArrivals[2].arguments);
  shop().fold();
  shop().read_snapshot([&](SummarySnapshot& snapshot) {
    Query query;
    query.site_number = 0;
    query.zone = shop().sites().at(0).zone;
    query.by = {find_dimension("channel")};
    // From the 20th on it is one that went by the banner, then by email, and was lost: half of the banner's would be lost, too.
    for (const auto& [to, of_email] : {std::pair("2026-10-10 00:00", kCreditWhole), std::pair("2026-10-21 00:00", int64_t{666'667})}) {
      query.range = {time_of("2026-10-01 00:00") / 1000, time_of(to) / 1000};
      const JourneyCredit credit = std::get<JourneyCredit>(credit_by_journeys(query, snapshot, [] { return false; }));
      assert_false(credit.is_approximate);
      expect_number(static_cast<int64_t>(credit.markov->at("email").orders_millionths), of_email);
    }
  });
}

}  // namespace
}  // namespace footfall

int main() {
  using namespace footfall;
  const CMUnitTest tests[] = {
      cmocka_unit_test_setup_teardown(journeys_of_any_range_and_lookback, begin, close_shop),
      cmocka_unit_test_setup_teardown(a_journey_goes_over_to_another_key, begin, close_shop),
      cmocka_unit_test_setup_teardown(a_late_touch_takes_nothing_off_before_it_was_there, begin, close_shop),
  };
  return cmocka_run_group_tests(tests, nullptr, nullptr);
}
