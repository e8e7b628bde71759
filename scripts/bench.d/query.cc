// The bench of queries: scripts/bench.d/query.
#include "query/query.h"

#include <time.h>

#include <algorithm>
#include <cmath>
#include <cstdio>
#include <cstdlib>
#include <deque>
#include <fstream>
#include <random>
#include <string>
#include <vector>

#include "credit/cohort.h"
#include "credit/journey_steps.h"
#include "lane/store.h"
#include "query/service.h"
#include "query/visit_scan.h"
#include "rollup/changes.h"
#include "rollup/summary.h"
#include "rollup/visit_block.h"

using namespace footfall;

namespace {

constexpr int64_t kNowS = 1'793'446'200;  // 2026-10-31 11:30 UTC
constexpr int kDays = 365;
constexpr int kRounds = 7;
constexpr size_t kBlockVisits = 4096;
constexpr uint64_t kMapBytes = uint64_t{8} << 30;

double cpu_ms() {
  timespec now{};
  clock_gettime(CLOCK_THREAD_CPUTIME_ID, &now);
  return static_cast<double>(now.tv_sec) * 1e3 + static_cast<double>(now.tv_nsec) / 1e6;
}

template <class Work>
double median_ms(Work work) {
  std::vector<double> times;
  for (int round = 0; round < kRounds; ++round) {
    const double begin = cpu_ms();
    work();
    times.push_back(cpu_ms() - begin);
  }
  std::sort(times.begin(), times.end());
  return times[times.size() / 2];
}

[[noreturn]] void die(const std::string& text) {
  std::fprintf(stderr, "bench: %s\n", text.c_str());
  std::exit(1);
}

// Few of many: the n-th value comes as often as 1/n^0.9.
class Zipf {
 public:
  Zipf(const char* prefix, int values) {
    double sum = 0;
    for (int i = 0; i < values; ++i) {
      names_.push_back(prefix + std::to_string(i));
      ends_.push_back(sum += std::pow(i + 1, -0.9));
    }
  }
  const std::string& pick(std::mt19937_64& random) {
    const double at = std::uniform_real_distribution<>(0, ends_.back())(random);
    return names_[static_cast<size_t>(std::lower_bound(ends_.begin(), ends_.end(), at) - ends_.begin())];
  }
  const std::vector<std::string>& all() const { return names_; }

 private:
  std::vector<std::string> names_;
  std::vector<double> ends_;
};

// --- a year of rollups -----------------------------------------------------------------------------------------------

struct Year {
  explicit Year(const std::string& folder) : path(folder + "/store") {
    Result<Store> store = Store::create(path, std::nullopt);
    if (!store) die(store.error().text);
    const StringHasher hasher(store->secret());
    Result<SummaryWriter> writer = SummaryWriter::open(store->summary_path(), kMapBytes);
    if (!writer) die(writer.error().text);
    Config config;
    config.map_bytes = kMapBytes;
    config.sites.push_back(default_site("shop"));
    config.sites.back().timezone = "Europe/Berlin";
    config.sites.back().margin_micros = 350'000;
    if (Status status = writer->store_config(config); !status) die(status.error().text);
    const Zone zone = Zone::load("Europe/Berlin").value();
    CheckpointState state;
    state.sites = {"shop"};
    state.first_live_ms = {1};
    Changes changes;
    changes.set_import(1);  // of which hours are the finest that is kept
    int64_t day_s = zone.bucket_start_s(Level::day, kNowS - (kDays - 1) * kDayS);
    for (int day = 0; day < kDays; ++day, day_s = zone.next_bucket_s(Level::day, day_s)) {
      one_day(changes, hasher, day_s);
      state.committed_ms = (day_s + kDayS) * 1000;
      if (Status status = writer->fold([&](uint16_t) -> const Zone& { return zone; }, changes, state); !status)
        die(status.error().text);
    }
  }

  // 5,000 pages and 1,000 campaigns a day, as many as a day keeps; hours for the channels, the rest at noon.
  void one_day(Changes& changes, const StringHasher& hasher, int64_t day_s) {
    const auto put = [&](Dimension dimension, int64_t time_s, const std::string& text, int64_t weight) {
      Counters& to = changes.at(0, dimension, time_s, text.empty() ? kNullValue : hasher(text), text);
      to[Counter::visits] += weight;
      to[Counter::pageviews] += 4 * weight;
      to[Counter::entries] += weight;
      to[Counter::exits] += weight;
      to[Counter::bounces] += weight / 3;
      to[Counter::orders_last_non_direct] += weight * 20'000;
      to[Amount::revenue_last_non_direct] += weight * 1'990'000;
      if (dimension == Dimension::page) return;
      if (const auto week = by_lookback(dimension, 7)) {  // every value gets somewhat less, or more, by it
        Counters& beyond = changes.at(0, *week, time_s, hasher(text), text);
        beyond[Counter::orders_first] -= weight * 1'000;
        beyond[Counter::orders_linear] -= weight * 500;
        beyond[Amount::revenue_first] -= weight * 90'000;
        beyond[Amount::revenue_linear] -= weight * 45'000;
      }
      to[Counter::orders_last] += weight * 20'000;
      to[Amount::revenue_last] += weight * 1'990'000;
      to[Amount::revenue_squares_last] += weight * 200'000'000'000'000;
      for (const Model model : {Model::linear, Model::position, Model::time_decay}) {  // somewhat less than that
        to[credited(Counter::orders_last, model)] -= weight * 1'000;
        to[credited(Amount::revenue_last, model)] -= weight * 90'000;
        to[credited(Amount::revenue_squares_last, model)] -= weight * 20'000'000'000'000;
        to[order_squares(model)] -= weight * 2'000'000'000;
      }
      for (const Model model : kAllModels) to.see_revenue(model, 400'000'000);
      to[Amount::cost] += weight * 900'000;
      for (int64_t i = 0; i < std::min<int64_t>(weight, 40); ++i) to.visitors.add(random());
    };
    for (int hour = 0; hour < 24; ++hour)
      for (const std::string& channel : channels.all()) put(Dimension::channel, day_s + hour * 3600, channel, 20);
    for (int hour = 0; hour < 24; ++hour) put(Dimension::total, day_s + hour * 3600, "", 400);
    const int64_t noon_s = day_s + 12 * 3600;
    for (size_t i = 0; i < 5000; ++i)
      put(Dimension::page, noon_s, pages.all()[(i + random() % 3000) % pages.all().size()], 2);
    for (const std::string& campaign : campaigns.all()) put(Dimension::campaign, noon_s, campaign, 8);
    for (const std::string& code : codes.all()) put(Dimension::code, noon_s, code, 8);
    journeys(changes, hasher, noon_s);
  }

  // Of channels all steps that there are, of campaigns as many as a day keeps.
  void journeys(Changes& changes, const StringHasher& hasher, int64_t time_s) {
    const auto count = [&](Dimension dimension, const std::vector<std::string_view>& values, int64_t weight) {
      for (const std::string& step : journey_steps(values, dimension == Dimension::journey_channel)) {
        const std::string text = with_lookbacks(kAllLookbacks, step);
        Counters& to = changes.at(0, dimension, time_s, hasher(text), text);
        to[Counter::journeys_converted] += weight;
        to[Counter::journeys_standing] += 40 * weight;
        to[Counter::journeys_last_touched] += 40 * weight;
      }
    };
    for (size_t age = 0; age <= kCohortAges; ++age) {
      const std::string text = cohort_text(age, {});
      Counters& to = changes.at(0, Dimension::cohort_month, time_s, hasher(text), text);
      to[Counter::customers] += age == 0 ? 900 : 0;
      to[Counter::orders_last] += 300 * kCreditWhole;
      to[Amount::revenue_last] += 30'000'000'000;
    }
    for (const std::string& from : channels.all()) {
      count(Dimension::journey_channel, {from}, 50);
      for (const std::string& to : channels.all()) count(Dimension::journey_channel, {from, to, channels.pick(random)}, 1);
    }
    for (const std::string& from : campaigns.all()) {
      count(Dimension::journey_campaign, {from}, 8);
      count(Dimension::journey_campaign, {from, campaigns.pick(random), from}, 1);
    }
  }

  const std::string path;
  std::mt19937_64 random{7};
  Zipf channels{"channel-", 20}, campaigns{"campaign-", 1000}, pages{"/shoes/trail-", 8000}, codes{"code-", 200};
};

// --- kept visits -----------------------------------------------------------------------------------------------------

struct Visits {
  explicit Visits(size_t number) {
    VisitBlockBuilder builder;
    for (size_t i = 0; i < number; ++i) {
      add(builder, kNowS - 5 * kDayS + static_cast<int64_t>(i * 4 * kDayS / number));
      if (builder.visits() == kBlockVisits || i + 1 == number) {
        blocks.push_back(builder.finish());
        bytes += blocks.back().size();
      }
    }
    count = number;
  }

  void add(VisitBlockBuilder& builder, int64_t start_s) {
    KeptVisit visit;
    visit.start_ms = start_s * 1000 + static_cast<int64_t>(random() % 1000);
    visit.visitor = random();
    visit.flags = kKeptIsVisit;
    visit.first_touch.channel = channels.pick(random);
    visit.first_touch.source = sources.pick(random);
    if (random() % 3 == 0) visit.first_touch.medium = mediums.pick(random);
    if (random() % 3 == 0) visit.first_touch.campaign = campaigns.pick(random);
    if (random() % 2 == 0) visit.first_touch.referrer_host = hosts.pick(random);
    visit.country = countries.pick(random);
    visit.device = devices.pick(random);
    int64_t after_s = 0;
    for (uint64_t left = 1 + random() % 7; left > 0; --left, after_s += static_cast<int64_t>(random() % 90))
      visit.views.push_back(
          {.time_s = after_s, .page = pages.pick(random), .search_term = {}, .flags = kViewFirstOfPage});
    visit.duration_ms = after_s * 1000;
    if (visit.views.size() == 1) visit.flags |= kKeptBounce;
    if (random() % 40 == 0) {
      KeptConversion order;
      order.time_s = after_s;
      order.event = "purchase";
      order.value_micros = 49'900'000;
      order.quantity = 2;
      order.touches.push_back(visit.first_touch);
      visit.events.push_back({.time_s = after_s, .name = "purchase", .item = {}, .views_before = 1});
      visit.conversions.push_back(std::move(order));
      visit.flags |= kKeptConverted;
    }
    builder.add(visit);
  }

  std::mt19937_64 random{11};
  Zipf channels{"channel-", 18}, sources{"source-", 300}, mediums{"medium-", 8}, campaigns{"campaign-", 120},
      hosts{"host-", 500}, countries{"C", 40}, devices{"device-", 4}, pages{"/shoes/trail-", 4000};
  std::vector<std::string> blocks;
  size_t count = 0, bytes = 0;
};

struct Line {
  std::string what, asked;
  double ms = 0;
  double visits_per_s = 0;  // 0: of rollups
};

double scan_ms(const Visits& visits, const std::string& arguments) {
  Config config;
  config.sites.push_back(default_site("shop"));
  const std::vector<std::string> sites{"shop"};
  const QueryContext context{.now_ms = kNowS * 1000, .sites = sites, .config = config, .first_day_s = {}};
  auto parsed = parse_query(arguments, context);
  if (const auto* error = std::get_if<QueryError>(&parsed)) die(arguments + ": " + error->message);
  const Query& query = std::get<Query>(parsed);
  const PartTable table(query);
  const StringHasher hasher{Secret256{}};
  return median_ms([&] {
    Collected sums(query, table);
    VisitScan scan(query, query.range, table, hasher, {}, sums);
    for (const std::string& bytes : visits.blocks) {
      std::optional<VisitBlock> block = VisitBlock::open(bytes);
      if (!block) die("a block is broken");
      if (const auto fault = scan.take(*block)) die(fault->message);
    }
    scan.finish();
    if (sums.totals.is_zero(0)) die(arguments + ": nothing is found");
  });
}

void print(const std::vector<Line>& lines, const char* out) {
  std::ofstream json(out);
  json << "{\"queries\":[";
  std::printf("%-44s %10s %16s\n", "asked", "CPU ms", "visits/CPU s");
  for (size_t i = 0; i < lines.size(); ++i) {
    const Line& line = lines[i];
    std::printf("%-44s %10.1f", line.what.c_str(), line.ms);
    if (line.visits_per_s > 0) std::printf(" %16.0f", line.visits_per_s);
    std::printf("\n");
    json << (i > 0 ? "," : "") << "\n{\"what\":\"" << line.what << "\",\"query\":\"" << line.asked
         << "\",\"cpu_ms\":" << line.ms;
    if (line.visits_per_s > 0) json << ",\"visits_per_cpu_s\":" << static_cast<long long>(line.visits_per_s);
    json << "}";
  }
  json << "\n]}\n";
}

}  // namespace

int main(int arguments, char** values) {
  if (arguments != 4) die("usage: bench_query FOLDER VISITS OUT");
  std::vector<Line> lines;
  {
    const Year year(values[1]);
    QueryService service(year.path);
    const struct {
      const char *what, *query, *report = "query";
    } asked[] = {
        {"a year", "range=year"},
        {"a year by channel", "by=channel"},
        {"a year by day and channel", "by=day,channel"},
        {"a year by campaign", "by=campaign"},
        {"a year by page", "by=page"},
        {"a year by page, page:starts:/shoes/trail-1", "by=page&filter=page:starts:/shoes/trail-1"},
        {"a year by day, page:is:/shoes/trail-1", "by=day&filter=page:is:/shoes/trail-1"},
        {"a year by channel, compare=previous", "by=channel&compare=previous"},
        {"credit of a year by channel", "by=channel", "attribution"},
        {"credit of a year by code", "by=code", "attribution"},
        {"credit of a year by campaign", "by=campaign", "attribution"},
        {"credit of a year by campaign, lookback=7d", "by=campaign&lookback=7d", "attribution"},
        {"a year by campaign, lookback=7d", "by=campaign&lookback=7d&metrics=orders,revenue&model=linear"},
        {"a year by campaign, model=markov", "by=campaign&metrics=orders,revenue&model=markov"},
        {"cohorts of a year by month", "by=month", "cohorts"},
        {"return of a year by channel", "by=channel", "roi"},
        {"return of a year by code", "by=code", "roi"},
        {"return of a year by campaign", "by=campaign", "roi"},
        {"return of a year by campaign, levels=1", "by=campaign&levels=1", "roi"},
    };
    for (const auto& [what, query, of] : asked) {
      const std::string range =
          std::string(query).find("range=") == std::string::npos ? "from=2025-11-10&to=2026-10-31&" : "";
      lines.push_back({what, range + query, 0, 0});
      lines.back().ms = median_ms([&] {
        const auto report = service.query(lines.back().asked, kNowS * 1000, of);
        if (const auto* error = std::get_if<QueryError>(&report)) die(error->message);
      });
    }
  }
  const Visits visits(static_cast<size_t>(std::atoll(values[2])));
  std::printf("%zu visits in %zu blocks, %.1f bytes a visit\n", visits.count, visits.blocks.size(),
              static_cast<double>(visits.bytes) / static_cast<double>(visits.count));
  const std::pair<const char*, const char*> scanned[] = {
      {"visits, a channel", "metrics=visits&by=device&filter=channel:is:channel-1"},
      {"visits, 3 conditions",
       "metrics=visits&filter=channel:is:channel-1|channel-2;country:is:C1|C2;device:is_not:device-2"},
      {"visits by channel and country", "metrics=visits&by=channel,country"},
      {"visits, visitors by channel and device", "metrics=visits,visitors,bounces&by=channel,device"},
      {"page views by page, a channel", "metrics=pageviews,entries,exits&by=page&filter=channel:is:channel-1"},
      {"visits that viewed a page", "metrics=visits&by=channel&filter=page:is:/shoes/trail-1"},
      {"orders by campaign, a country", "metrics=orders,revenue&by=campaign&filter=country:is:C1"},
  };
  for (const auto& [what, query] : scanned) {
    lines.push_back({what, query, scan_ms(visits, query), 0});
    lines.back().visits_per_s = static_cast<double>(visits.count) / lines.back().ms * 1e3;
  }
  print(lines, values[3]);
  return 0;
}
