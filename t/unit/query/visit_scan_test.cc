// Kept visits summed up: any question that they answer, against a second count of the same visits.
#include "query/visit_scan.h"

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "query/recount.h"
#include "query/shop.h"
#include "query/visit_measures.h"
#include "random.h"
#include "rollup/kept_visits.h"
#include "test.h"

using namespace footfall;

namespace {

constexpr int64_t kDayOfVisitsS = 1'760'000'000;  // where most of the random visits begin
constexpr size_t kBlockVisits = 70;

const StringHasher& hasher() {
  static const StringHasher the_hasher{Secret256{}};
  return the_hasher;
}

// Visits and the blocks that hold them; gone with the next ones.
struct Kept {
  explicit Kept(uint64_t seed) : random(seed), texts(seed) {}

  // As an aggregator would have kept it.
  void add(KeptVisit visit) {
    std::set<std::string_view> pages;
    for (KeptView& view : visit.views)
      if (!pages.insert(view.page).second) view.flags &= static_cast<uint8_t>(~kViewFirstOfPage);
    for (KeptConversion& conversion : visit.conversions) {
      if (!conversion.has_rate) conversion.value_micros = 0;
      if (!conversion.is_goal) conversion.goal_value_micros = 0;
      if (!conversion.is_goal) continue;
      conversion.value_micros = conversion.own_value_micros = conversion.quantity = 0;
      conversion.has_rate = true;
      if (conversion.items.size() > 1) conversion.items.resize(1);
      for (KeptItem& item : conversion.items) item.category = {};
    }
    visits.push_back(visit);
  }
  void fill(size_t number) {
    for (size_t i = 0; i < number; ++i) add(texts.next());
  }
  void pack() {
    VisitBlockBuilder builder;
    for (const KeptVisit& visit : visits) {
      builder.add(visit);
      if (builder.visits() == kBlockVisits) blocks.push_back(builder.finish());
    }
    if (builder.visits() > 0) blocks.push_back(builder.finish());
  }

  Random random;
  KeptVisits texts;
  std::vector<KeptVisit> visits;
  std::vector<std::string> blocks;
  std::vector<PageGroup> groups{{"ones", "/page/1*"}, {"twos", "/page/*2*"}, {"ones", "/page/5*"}};
};
std::unique_ptr<Kept> the_kept;
Kept& kept(uint64_t seed = 1) {
  the_kept.reset();
  the_kept = std::make_unique<Kept>(seed);
  return *the_kept;
}

// A question of those visits, and its answer in sums.
struct Asked {
  Asked(const std::string& arguments, const TimeRange& range) {
    Config config;
    config.sites.push_back(default_site("shop"));
    config.sites.back().timezone = "Asia/Kolkata";
    const std::vector<std::string> sites{"shop"};
    const QueryContext context{
        .now_ms = (kDayOfVisitsS + 2 * kDayS) * 1000, .sites = sites, .config = config, .first_day_s = {}};
    auto parsed = parse_query(arguments + "&range=today", context);
    if (const auto* error = std::get_if<QueryError>(&parsed))
      fail_msg("%s refused: %s", arguments.c_str(), error->message.c_str());
    query = std::get<Query>(parsed);
    query.range = range;
    table = std::make_unique<PartTable>(query);
    sums = std::make_unique<Collected>(query, *table);
  }

  void scan(Kept& of) {
    VisitScan scan(query, query.range, *table, hasher(), of.groups, *sums);
    for (const std::string& bytes : of.blocks) {
      std::optional<VisitBlock> block = VisitBlock::open(bytes);
      assert_true(block.has_value());
      const auto fault = scan.take(*block);
      if (fault) fail_msg("%s", fault->message.c_str());
    }
    scan.finish();
  }

  std::string text(const Hash128& value) const {
    if (value == kNullValue) return {};
    const std::string* text = sums->texts.find(value);
    if (text == nullptr) fail_msg("a value without text");
    return *text;
  }

  Query query;
  std::unique_ptr<PartTable> table;
  std::unique_ptr<Collected> sums;
};
std::unique_ptr<Asked> the_asked;
Asked& ask(const std::string& arguments, const TimeRange& range = {0, INT32_MAX}) {
  the_asked.reset();
  the_asked = std::make_unique<Asked>(arguments, range);
  the_asked->scan(*the_kept);
  return *the_asked;
}

// --- against the second count ----------------------------------------------------------------------------------------

std::string shown(__int128 number) { return format_micros(number * 1'000'000, 0); }

void expect_recounted(const std::string& arguments, const TimeRange& range) {
  Asked& asked = ask(arguments, range);
  static std::unique_ptr<Recount> recount;
  recount = std::make_unique<Recount>(asked.query, the_kept->visits, the_kept->groups);
  for (size_t metric = 0; metric < asked.query.metrics.size(); ++metric) {
    const Metric& info = *asked.query.metrics[metric];
    const std::string name(info.name);
    if (info.is_visitors()) {
      const size_t visitors = recount->visitors().size();
      if (visitors <= 256 && asked.sums->totals.visitors(0).estimate() != visitors)
        fail_msg("%s: %zu visitors", arguments.c_str(), visitors);
      continue;
    }
    const Recount::Sums expected = recount->count(info);
    const __int128 total = asked.table->top(metric, asked.sums->totals.sums(0));
    if (total != expected.total)
      fail_msg("%s: %s is %s, recounted %s", arguments.c_str(), name.c_str(), shown(total).c_str(),
               shown(expected.total).c_str());
    if (asked.query.by.empty()) continue;
    size_t rows = 0;
    for (size_t group = 0; group < asked.sums->rows.size(); ++group) {
      const __int128 sum = asked.table->top(metric, asked.sums->rows.sums(group));
      if (sum == 0) continue;
      ++rows;
      const GroupKey& key = asked.sums->rows.key(group);
      const auto found = expected.rows.find({key.time_s, asked.text(key.value), asked.text(key.second)});
      if (found == expected.rows.end() || found->second != sum)
        fail_msg("%s: %s of %s, %s is %s", arguments.c_str(), name.c_str(), asked.text(key.value).c_str(),
                 asked.text(key.second).c_str(), shown(sum).c_str());
    }
    if (rows != expected.rows.size())
      fail_msg("%s: %zu rows of %s, recounted %zu", arguments.c_str(), rows, name.c_str(), expected.rows.size());
  }
}

std::vector<const DimensionInfo*> kept_dimensions() {
  std::vector<const DimensionInfo*> kept;
  for (const DimensionInfo& dimension : dimensions())
    if (is_kept_with_visits(dimension)) kept.push_back(&dimension);
  return kept;
}

// Single sums, that go with all of the dimensions.
std::string metrics_for(const std::vector<const DimensionInfo*>& used, bool by_minute) {
  std::string names;
  for (const Metric& metric : metrics()) {
    if (metric.bottom.kind != Part::Kind::none || !is_kept_with_visits(metric)) continue;
    if (metric.is_visitors() && by_minute) continue;
    if (std::all_of(used.begin(), used.end(), [&](const auto* one) { return goes_with(metric, *one); }))
      names.append(names.empty() ? "" : ",").append(metric.name);
  }
  return names;
}

std::string random_condition(Random& random, const DimensionInfo& dimension) {
  static constexpr const char* kPrefixes[] = {"touch", "/page/", "c", "device", "event", "sku", "goal", "term ", "CU"};
  std::string text = std::string(dimension.name) + ":" + std::string(kFilterOpNames[random.below(5)]);
  for (uint64_t left = 1 + random.below(3), i = 0; i < left; ++i) {
    std::string value = random.below(5) == 0 ? "" : kPrefixes[random.below(std::size(kPrefixes))];
    if (!value.empty() && random.below(3) != 0) value += std::to_string(1 + random.below(9));
    if (!value.empty() && random.below(4) == 0) value = "*" + value.substr(1) + "*";
    text += (i == 0 ? ":" : "|") + value;
  }
  return text;
}

void any_question_is_answered_as_by_a_second_count(void**) {
  static const auto all = kept_dimensions();
  static constexpr const char* kTimes[] = {"minute", "hour", "day", "week", "month"};
  static constexpr const char* kLookbacks[] = {"1d", "7d", "30d", "90d"};
  static std::vector<const DimensionInfo*> used;
  static std::string by, filter, metrics;
  size_t asked = 0;
  for (uint64_t round = 0; round < 14; ++round) {
    Kept& of = kept(round);
    of.fill(20 + round * 15);
    of.pack();
    for (int i = 0; i < 25; ++i) {
      used.clear();
      by.clear();
      filter.clear();
      for (uint64_t left = of.random.below(3); left > 0; --left) {
        const DimensionInfo* dimension = all[of.random.below(all.size())];
        if (std::find(used.begin(), used.end(), dimension) != used.end()) continue;
        used.push_back(dimension);
        by.append(by.empty() ? "" : ",").append(dimension->name);
      }
      for (uint64_t left = of.random.below(3); left > 0; --left) {
        const DimensionInfo* dimension = all[of.random.below(all.size())];
        used.push_back(dimension);
        filter.append(filter.empty() ? "" : ";").append(random_condition(of.random, *dimension));
      }
      const bool timed = of.random.below(3) == 0;
      const char* time = kTimes[of.random.below(std::size(kTimes))];
      if (timed) by.append(by.empty() ? "" : ",").append(time);
      metrics = metrics_for(used, timed && time == kTimes[0]);
      if (metrics.empty()) continue;
      ++asked;
      TimeRange range{0, INT32_MAX};
      if (of.random.below(2) == 0) {
        range.from_s = kDayOfVisitsS - kDayOfVisitsS % 60 + 60 * static_cast<int64_t>(of.random.below(1440));
        range.to_s = range.from_s + 60 * (1 + static_cast<int64_t>(of.random.below(1440)));
      }
      expect_recounted("metrics=" + metrics + (by.empty() ? "" : "&by=" + by) +
                           (filter.empty() ? "" : "&filter=" + filter) + "&model=" + std::string(kModelNames[of.random.below(kModels)]) +
                           "&lookback=" + kLookbacks[of.random.below(4)],
                       range);
    }
  }
  assert_true(asked > 150);
}

// filter=D:is:V has the row V of by=D as its totals, for every metric and dimension that go together.
void a_filter_on_one_value_totals_that_values_row(void**) {
  Kept& of = kept(77);
  of.fill(300);
  of.pack();
  for (const DimensionInfo* dimension : kept_dimensions()) {
    static std::string metrics;
    metrics = metrics_for({dimension}, false);
    if (metrics.empty()) continue;
    static std::vector<std::pair<std::string, std::vector<__int128>>> rows;
    rows.clear();
    Asked& all = ask("by=" + std::string(dimension->name) + "&metrics=" + metrics);
    for (size_t group = 0; group < all.sums->rows.size(); ++group) {
      const auto sums = all.sums->rows.sums(group);
      rows.emplace_back(all.text(all.sums->rows.key(group).value), std::vector<__int128>(sums.begin(), sums.end()));
      if (all.table->has_visitors())
        rows.back().second.push_back(static_cast<__int128>(all.sums->rows.visitors(group).estimate()));
    }
    assert_true(!rows.empty());
    for (const auto& [text, sums] : rows) {
      Asked& one = ask("filter=" + std::string(dimension->name) + ":is:" + text + "&metrics=" + metrics);
      const auto totals = one.sums->totals.sums(0);
      for (size_t part = 0; part < totals.size(); ++part)
        if (totals[part] != sums[part])
          fail_msg("%s %s: %s", dimension->name.data(), text.c_str(), one.query.metrics[part]->name.data());
      if (one.table->has_visitors()) assert_true(one.sums->totals.visitors(0).estimate() == sums.back());
    }
  }
}

// --- by hand ---------------------------------------------------------------------------------------------------------

KeptVisit visit_of(std::string_view channel, std::vector<KeptView> views) {
  KeptVisit visit;
  visit.start_ms = kDayOfVisitsS * 1000;
  visit.flags = kKeptIsVisit;
  visit.first_touch.channel = channel;
  visit.views = std::move(views);
  return visit;
}

__int128 total(Asked& asked, size_t metric = 0) { return asked.table->top(metric, asked.sums->totals.sums(0)); }

void a_visit_of_several_pages_is_one_visit(void**) {
  Kept& of = kept();
  of.add(visit_of("email",
                  {{.page = "/a", .flags = kViewFirstOfPage}, {.time_s = 5, .page = "/b", .flags = kViewFirstOfPage}}));
  of.add(visit_of("email", {{.page = "/a", .flags = kViewFirstOfPage}, {.time_s = 5, .page = "/a"}}));
  of.add(visit_of("direct", {}));
  of.pack();
  assert_true(total(ask("metrics=visits&filter=page:is:/a|/b")) == 2);
  assert_true(total(ask("metrics=visits&filter=page:is:/b")) == 1);
  assert_true(total(ask("metrics=visits&by=page,channel")) == 3);
  assert_true(total(ask("metrics=visits&by=page&filter=page:starts:/;channel:is:email")) == 2);
  assert_true(total(ask("metrics=pageviews&filter=page:is:/a;channel:is:email")) == 3);
}

void an_order_of_several_items_is_one_order(void**) {
  Kept& of = kept();
  KeptVisit visit = visit_of("email", {});
  KeptConversion order{.event = "purchase", .value_micros = 100, .quantity = 4};
  order.touches = {{.channel = "email"}};
  order.items = {{"cup", "kitchen", 1, 30}, {"bowl", "kitchen", 2, 40}};
  visit.conversions = {order};
  of.add(visit);
  of.pack();
  Asked& both = ask("metrics=orders,items,revenue&filter=item:is:cup|bowl;channel:is:email");
  assert_true(total(both, 0) == kCreditWhole);
  assert_true(total(both, 1) == 3 * kCreditWhole);
  assert_true(total(both, 2) == 70);
  Asked& rest = ask("metrics=orders,items,revenue&filter=item:is:;channel:is:email");
  assert_true(total(rest, 0) == 0);  // shipping is no order
  assert_true(total(rest, 1) == kCreditWhole);
  assert_true(total(rest, 2) == 30);
}

// A model that shares an order shares each of its items, and what they leave.
void an_order_of_several_items_and_touches_is_shared_by_both(void**) {
  Kept& of = kept();
  KeptVisit visit = visit_of("email", {});
  KeptConversion order{.event = "purchase", .value_micros = 100, .quantity = 4};
  order.touches = {{.age_s = 9, .channel = "email"}, {.age_s = 8, .channel = "display"}, {.channel = "email"}};
  order.items = {{"cup", "kitchen", 1, 31}, {"bowl", "kitchen", 2, 40}};
  visit.conversions = {order};
  of.add(visit);
  of.pack();
  const auto is = [](const char* filter, int64_t millionths, int64_t pieces_millionths, int64_t micros) {
    Asked& asked = ask("metrics=orders,items,revenue&model=linear&filter=" + std::string(filter));
    assert_true(total(asked, 0) == millionths);
    assert_true(total(asked, 1) == pieces_millionths);
    assert_true(total(asked, 2) == micros);
  };
  is("channel:is:email", 666'667, 4 * 666'667, 67);  // 33 and what is left, 34
  is("channel:is:email;item:is:cup", 666'667, 666'667, 21);
  is("channel:is:display;item:is:cup", 333'333, 333'333, 10);
  is("channel:is:email;item:is:cup|bowl", 666'667, 3 * 666'667, 21 + 27);
  is("channel:is:email;item:is:", 0, 666'667, 67 - 48);
  is("channel:is:display;item:is:", 0, 333'333, 33 - 10 - 13);
}

void a_page_is_looked_at_until_the_next(void**) {
  Kept& of = kept();
  of.add(visit_of("email", {{.page = "/a", .ms = 900}, {.time_s = 5, .page = "/b", .ms = 100}, {.time_s = 3, .page = "/c", .flags = kViewLate},
                            {.time_s = 12, .page = "/a"}}));
  of.add(visit_of("direct", {{.page = "/a"}}));
  of.pack();
  const auto sums = [](const char* filter) {
    Asked& asked = ask(std::string("metrics=time_on_page&by=device&filter=") + filter);
    const auto totals = asked.sums->totals.sums(0);
    return shown(asked.table->top(0, totals)) + " of " + shown(asked.table->bottom(0, totals));
  };
  expect_text(sums("page:is:/a"), "4200 of 1");
  expect_text(sums("page:is:/b"), "6900 of 1");
  expect_text(sums("page:is:/c"), "0 of 0");
  expect_text(sums("channel:is:direct"), "0 of 0");
}

void another_lookback_credits_another_touch(void**) {
  Kept& of = kept();
  KeptVisit visit = visit_of("direct", {});
  KeptConversion order{.event = "purchase", .value_micros = 100};
  order.touches = {
      {.age_s = 40 * kDayS, .channel = "print"}, {.age_s = 7 * kDayS, .channel = "email"}, {.channel = "direct"}};
  visit.conversions = {order};
  of.add(visit);
  of.pack();
  const auto credited = [&](const char* rest, const char* channel) {
    return total(ask(std::string("metrics=orders&by=country&filter=channel:is:") + channel + rest)) == kCreditWhole;
  };
  assert_true(credited("&model=first&lookback=90d", "print"));
  assert_true(credited("&model=first&lookback=30d", "email"));
  assert_true(credited("&model=first&lookback=7d", "email"));
  assert_true(credited("&model=first&lookback=1d", "direct"));
  assert_true(credited("&lookback=7d", "email"));
  assert_true(credited("&lookback=1d", "direct"));
  assert_true(credited("&model=last&lookback=90d", "direct"));
}

void money_without_a_rate_is_listed_apart(void**) {
  Kept& of = kept();
  KeptVisit visit = visit_of("email", {});
  visit.conversions = {{.has_rate = false, .event = "purchase", .currency = "JPY", .own_value_micros = 4'500'000'000},
                       {.event = "purchase", .value_micros = 7, .currency = "EUR"}};
  of.add(visit);
  of.pack();
  Asked& asked = ask("metrics=orders,revenue&by=country,device");
  assert_true(total(asked, 0) == 2 * kCreditWhole && total(asked, 1) == 7);
  expect_number(static_cast<int64_t>(asked.sums->unconverted.size()), 1);
  expect_text(asked.sums->unconverted[0].revenue, "4500");
  expect_text(asked.sums->unconverted[0].orders, "1");
  assert_true(ask("metrics=orders,revenue&filter=country:is:DE;channel:is:x").sums->unconverted.empty());
}

void too_many_rows_are_refused(void**) {
  Kept& of = kept();
  static std::vector<std::string> pages;
  for (int i = 0; i < 210'000; ++i) pages.push_back("/" + std::to_string(i));
  for (size_t i = 0; i < pages.size(); i += 100) {
    KeptVisit visit = visit_of("email", {});
    for (size_t k = i; k < i + 100; ++k) visit.views.push_back({.page = pages[k]});
    of.add(visit);
  }
  of.pack();
  the_asked = std::make_unique<Asked>("metrics=pageviews&by=page,channel", TimeRange{0, INT32_MAX});
  VisitScan scan(the_asked->query, the_asked->query.range, *the_asked->table, hasher(), {}, *the_asked->sums);
  bool refused = false;
  for (const std::string& bytes : of.blocks) {
    std::optional<VisitBlock> block = VisitBlock::open(bytes);
    const auto fault = scan.take(*block);
    refused = refused || (fault && fault->http_status == 400);
  }
  assert_true(refused);
}

int forget(void**) {
  the_asked.reset();
  the_kept.reset();
  return 0;
}

}  // namespace

int main() {
  const CMUnitTest tests[] = {
      cmocka_unit_test(a_visit_of_several_pages_is_one_visit),
      cmocka_unit_test(an_order_of_several_items_is_one_order),
      cmocka_unit_test(an_order_of_several_items_and_touches_is_shared_by_both),
      cmocka_unit_test(a_page_is_looked_at_until_the_next),
      cmocka_unit_test(another_lookback_credits_another_touch),
      cmocka_unit_test(money_without_a_rate_is_listed_apart),
      cmocka_unit_test(any_question_is_answered_as_by_a_second_count),
      cmocka_unit_test(a_filter_on_one_value_totals_that_values_row),
      cmocka_unit_test(too_many_rows_are_refused),
  };
  return cmocka_run_group_tests(tests, nullptr, forget);
}
