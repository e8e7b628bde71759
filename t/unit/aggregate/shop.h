// A shop and its visitors, with a clock of their own: hits go through HitBuilder into an Engine, its changes into a
// summary, and figures are read as a reader reads them.
#pragma once

#include <absl/time/time.h>

#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <tuple>

#include "aggregate/engine.h"
#include "aggregate/undo.h"
#include "hit/builder.h"
#include "rollup/summary.h"
#include "rollup/visit_parts.h"
#include "temp_folder.h"
#include "test.h"

namespace footfall {

inline constexpr std::string_view kFirefox = "Mozilla/5.0 (X11; Linux x86_64; rv:128.0) Gecko/20100101 Firefox/128.0";
inline constexpr std::string_view kPhone =
    "Mozilla/5.0 (iPhone; CPU iPhone OS 17_5 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/17.5 "
    "Mobile/15E148 Safari/604.1";
inline constexpr std::string_view kGooglebot = "Mozilla/5.0 (compatible; Googlebot/2.1)";

inline BotVerdict classify_googlebot(std::string_view agent) {
  return agent.find("Googlebot") != std::string_view::npos ? BotVerdict{BotClass::search_crawler, kAgentReasonsFrom, "Googlebot"} : classify_empty_agent(agent);
}

// "10:00", "10:00:00.001" (of 2026-10-01), "2026-10-02 10:00": UTC.
inline int64_t time_of(std::string_view text) {
  std::string whole = text.size() > 10 && text[4] == '-' ? std::string(text) : "2026-10-01 " + std::string(text);
  if (whole.size() == 16) whole += ":00";
  absl::Time time;
  std::string fault;
  if (!absl::ParseTime("%Y-%m-%d %H:%M:%E*S", whole, &time, &fault)) fail_msg("%s: %s", whole.c_str(), fault.c_str());
  return absl::ToUnixMillis(time);
}

// A shop in Berlin that counts in euros, and one with every default.
inline Config two_shops() {
  Config config;
  config.map_bytes = 64 << 20;
  SiteConfig shop = default_site("shop");
  shop.timezone = "Europe/Berlin";
  shop.hosts = {"shop.example"};
  shop.page_groups = {{"sale", "/shoes/sale*"}, {"shoes", "/shoes*"}, {"checkout", "/cart"}};
  shop.goals = {{.name = "newsletter", .event = "sign_up", .path = "", .value_micros = 2'000'000},
                {.name = "welcomed", .event = "", .path = "/welcome*", .value_micros = 500'000}};
  config.sites = {shop};
  config.rates = {{*parse_currency("USD"), 920'000'000'000}};
  return config;
}

// A row of figures: one key of one bucket. `text` is empty for null.
struct RowName {
  uint16_t site;
  Dimension dimension;
  Level level;
  int64_t bucket_s;
  std::string text;
  auto operator<=>(const RowName&) const = default;
};
using Figures = std::map<RowName, Counters>;

inline std::string times_of(const Counters& counters) { return counters.took_ms ? counters.took_ms->encode() : ""; }

class Shop {
 public:
  explicit Shop(Config config = two_shops(), Timeline timeline = Timeline::live)
      : config_(std::move(config)), timeline_(timeline), hasher_(Secret256{1, 2, 3}) {
    keys_.id = Key128{1};
    keys_.anonymous = Key128{2};
    keys_.has_anonymous = true;
    open_writer();
    restart();
  }

  // --- what visitors do ----------------------------------------------------------------------------------------------
  Shop& at(std::string_view time) { return now_ms_ = time_of(time), *this; }
  Shop& at_ms(int64_t time_ms) { return now_ms_ = time_ms, *this; }
  Shop& visitor(std::string_view id) { return visitor_ = id, *this; }
  Shop& site(std::string_view name) { return site_ = name, *this; }
  Shop& agent(std::string_view agent) { return agent_ = agent, *this; }
  Shop& country(std::string_view code) { return country_ = code, *this; }
  Shop& took(uint32_t ms) { return took_ms_ = ms, *this; }
  Shop& address(std::string_view bytes) { return address_ = bytes, *this; }  // four of them; empty: none
  Shop& late(bool late = true) { return late_ = late, *this; }
  Shop& from(std::string_view referrer) { return referrer_ = referrer, *this; }  // of the next hit

  Shop& hit(std::string_view path, std::string_view arguments = {}) { return page_with({}, path, arguments); }
  // A page whose answer carries a Footfall-Event header.
  Shop& page_with(std::string_view header, std::string_view path, std::string_view arguments = {}) {
    RawHit raw = request(path, arguments);
    raw.content = ContentKind::html;
    raw.events_header = header;
    return count(raw);
  }
  // An event without a page: the answer to a POST.
  Shop& event(std::string_view header, std::string_view arguments = {}) {
    RawHit raw = request("/action", arguments);
    raw.method = Method::post;
    raw.content = ContentKind::other;
    raw.events_header = header;
    return count(raw);
  }
  Shop& order(std::string_view id, std::string_view value, std::string_view more = {}) {
    return event("purchase;id=\"" + std::string(id) + "\";value=" + std::string(value) + std::string(more));
  }
  Shop& asset(std::string_view path) {
    RawHit raw = request(path, {});
    raw.content = ContentKind::other;
    return count(raw);
  }
  Shop& answer(uint16_t status, std::string_view path, std::string_view arguments = {}, std::string_view header = {}) {
    RawHit raw = request(path, arguments);
    raw.status = status;
    raw.content = ContentKind::html;
    raw.events_header = header;
    return count(raw);
  }
  RawHit request(std::string_view path, std::string_view arguments) {
    uri_ = std::string(path) + (arguments.empty() ? "" : "?" + std::string(arguments));
    RawHit raw;
    raw.time_ms = now_ms_;
    raw.status = 200;
    raw.bytes_sent = 1000;
    raw.visitor_id = visitor_;
    raw.uri = uri_;
    raw.agent = agent_;
    raw.country = country_;
    raw.address = address_;
    raw.request_time_ms = took_ms_;
    raw.referrer = referrer_;
    raw.host = "shop.example";
    return raw;
  }
  Shop& count(const RawHit& raw, uint32_t more_flags = 0) {
    Hit hit = builder_.build(raw, context_, keys_);
    hit.flags |= more_flags;
    return count(hit, site_, late_);
  }
  Shop& count(const Hit& hit, std::string_view site_name, bool late) {
    run_->engine.count(hit, site_name, late);
    referrer_.clear();
    figures_.reset();
    return *this;
  }

  // --- what an aggregator does ---------------------------------------------------------------------------------------
  Shop& checkpoint() {
    run_->engine.flush();
    state_.sites = run_->sites.names();
    Status saved = writer_->checkpoint(state_, run_->changes.take());
    assert_true(saved.ok());
    return *this;
  }
  Shop& fold() {
    checkpoint();
    assert_true(writer_->fold([&](uint16_t number) -> const Zone& { return run_->sites.at(number).zone; }).ok());
    return *this;
  }
  // As the aggregator does with each fold: by the clock of the hits, whose buckets are trimmed where they are settled.
  Shop& fold_at(int64_t time_ms, UpkeepTimes times = {}) {
    run_->engine.close_visits(time_ms);
    checkpoint();
    times.sites = run_->sites.size();
    (timeline_ == Timeline::live ? times.live_clock_s : times.import_clock_s) = time_ms / 1000;
    times.import = run_->changes.import();
    assert_true(writer_->fold([&](uint16_t number) -> const Zone& { return run_->sites.at(number).zone; }, times).ok());
    run_->changes.forget_names(writer_->take_lost_names());
    run_->recent_orders.clear();
    run_->engine.settle(time_ms);
    figures_.reset();
    return *this;
  }
  // As the aggregator tells it before a fold that lets old buckets go.
  Shop& keep_since(const Horizons& horizons) { return state_.kept_since_s = horizons.ends_by_s, *this; }
  // What lies in one of the summary's databases, byte for byte.
  std::map<std::string, std::string> stored(const char* database) {
    writer_.reset();
    std::map<std::string, std::string> all;
    {
      LmdbEnv env = LmdbEnv::open(folder_ / "summary", {.map_bytes = kMapBytes, .read_only = true, .databases = 16}).value();
      LmdbTxn txn = LmdbTxn::read(env).value();
      LmdbCursor cursor = LmdbCursor::open(txn, txn.database(database).value()).value();
      for (bool there = cursor.first(); there; there = cursor.next()) all.emplace(cursor.key(), cursor.value());
    }
    open_writer();
    return all;
  }
  const UpkeepCounts& upkeep_counts() const { return writer_->upkeep_counts(); }
  Shop& settle(std::string_view time) { return settle_ms(time_of(time)); }
  Shop& settle_ms(int64_t time_ms) {
    fold();
    run_->recent_orders.clear();
    run_->engine.settle(time_ms);
    figures_.reset();
    return checkpoint();
  }
  // Hits belong to that import from now on, in a shop of the imported timeline.
  Shop& import(uint16_t number) { return run_->changes.set_import(number), figures_.reset(), *this; }
  Shop& undo(uint16_t number) {
    fold();
    run_->recent_orders.clear();
    assert_true(undo_import(*writer_, state_, run_->sites, hasher_, number).ok());
    return restart();
  }
  // Imports up to that one go on as the first.
  Shop& merge_imports(uint16_t through) {
    fold();
    run_->recent_orders.clear();
    assert_true(writer_->merge_imports(through, [this](uint16_t site) -> const Zone& { return run_->sites.at(site).zone; }, state_).ok());
    return restart();
  }
  // What is kept of a visitor goes, as an aggregator does it.
  Forgotten forget(std::string_view id) {
    fold();
    run_->recent_orders.clear();
    const Hash128 visitor = visitor_key_of(id), instead{7, 7'777};
    Forgotten found{.request = 1};
    run_->engine.forget_visitor(visitor, instead, found);
    run_->engine.flush();
    assert_true(writer_->forget_visitor(visitor, instead, state_, run_->changes.take(), found).ok());
    figures_.reset();
    return state_.forgotten.back();
  }
  Hash128 visitor_key_of(std::string_view id) const { return keyed_hash(keys_.id, id); }

  // A new process, from what is stored; what came since the last checkpoint is not.
  Shop& restart() {
    run_.reset();
    state_ = writer_->load_checkpoint().value();
    run_ = std::make_unique<Run>(*this);
    assert_true(writer_->fold([&](uint16_t number) -> const Zone& { return run_->sites.at(number).zone; }).ok());
    assert_true(
        writer_
            ->each(KeyedDatabase::open_visits,
                   [&](std::string_view key, std::string_view value) { run_->engine.restore_open_visit(key, value); })
            .ok());
    figures_.reset();
    return *this;
  }

  // Has the summary to itself: one process opens an environment once.
  template <class Look>
  Shop& aside(Look look) {
    writer_.reset();
    look(folder_ / "summary");
    figures_.reset();
    open_writer();
    return *this;
  }

  const StringHasher& hasher() const { return hasher_; }

  // --- what readers see ----------------------------------------------------------------------------------------------
  // All rows of all levels, open visits too. Read before and after a fold: both must be the same.
  const Figures& figures() {
    if (figures_) return *figures_;
    checkpoint();
    Figures before = read();
    fold();
    figures_ = read();
    for (const auto& [name, counters] : before) {
      const Counters& folded = (*figures_)[name];
      if (!counters.has_sums_of(folded) || times_of(counters) != times_of(folded) ||
          counters.visitors.estimate() != folded.visitors.estimate())
        fail_msg("%s %s: not the same before the fold", std::string(dimension_name(name.dimension)).c_str(),
                 name.text.c_str());
    }
    assert_int_equal(before.size(), figures_->size());
    return *figures_;
  }
  // Over all buckets of a level.
  Counters sum(Dimension dimension, std::string_view text, Level level, uint16_t site = 0) {
    Counters sum;
    sum.visitors.set_precision(Precision::total);
    for (const auto& [name, counters] : figures())
      if (name.site == site && name.dimension == dimension && name.level == level && name.text == text)
        sum.merge(counters);
    return sum;
  }
  Counters bucket(Dimension dimension, std::string_view text, Level level, std::string_view time) {
    const int64_t start_s = run_->sites.at(0).zone.bucket_start_s(level, time_of(time) / 1000);
    const auto found = figures().find({0, dimension, level, start_s, std::string(text)});
    return found == figures().end() ? Counters() : found->second;
  }
  // The last conversion stored under an order's id.
  std::optional<Conversion> stored_order(std::string_view id, uint16_t site = 0) {
    fold();
    Conversion conversion;
    const Result<std::string> found = writer_->find(KeyedDatabase::orders, order_key(site, 0, hasher_(id)));
    return found && decode_conversion(*found, conversion) ? std::optional(conversion) : std::nullopt;
  }
  // What a reader sees, whatever was folded. use(snapshot)
  template <class Use>
  void read_snapshot(Use use) {
    checkpoint();
    writer_.reset();
    {
      SummaryReader reader = SummaryReader::open(folder_ / "summary", 64 << 20).value();
      SummarySnapshot snapshot = reader.snapshot().value();
      use(snapshot);
    }
    open_writer();
  }
  size_t open_visits() const { return run_->engine.open_visits(); }
  uint64_t unfolded_bytes() const { return writer_->unfolded_bytes(); }
  Engine& engine() { return run_->engine; }
  Sites& sites() { return run_->sites; }
  Config& config() { return config_; }

  // A figure by every level, for its days add up to its months as its minutes to its hours.
  template <class Which>
  void check(const char* file, int line, Dimension dimension, std::string_view text, Which which, int64_t expected,
             uint16_t site = 0) {
    for (Level level : kLevels) {
      const int64_t actual = static_cast<int64_t>(sum(dimension, text, level, site)[which]);
      if (actual == expected) continue;
      print_error("%.*s \"%.*s\" by %.*s: ", int(dimension_name(dimension).size()), dimension_name(dimension).data(),
                  int(text.size()), text.data(), int(level_name(level).size()), level_name(level).data());
      footfall_expect_number(actual, expected, file, line);
    }
  }
  void check(const char* file, int line, Counter counter, int64_t expected) {
    check(file, line, Dimension::total, "", counter, expected);
  }
  void check(const char* file, int line, Amount amount, int64_t expected) {
    check(file, line, Dimension::total, "", amount, expected);
  }

 private:
  struct Run {
    explicit Run(Shop& shop)
        : sites(shop.config_, shop.state_.sites),
          engine(shop.timeline_, sites, shop.hasher_, classify_googlebot, changes, recent_orders,
                 [&shop](KeyedDatabase database, std::string_view key) -> std::optional<std::string> {
                   Result<std::string> found = shop.writer_->find(database, key);
                   return found ? std::optional(std::move(found).value()) : std::nullopt;
                 },
                 [&shop](std::string_view prefix, const SeeStoredOrder& see) {
                   shop.writer_->each_of_prefix(KeyedDatabase::orders, prefix, see);
                 }) {}
    Sites sites;
    Changes changes;
    RecentOrders recent_orders;
    Engine engine;
  };

  static constexpr uint64_t kMapBytes = 512 << 20;
  void open_writer() {
    writer_ = std::make_unique<SummaryWriter>(SummaryWriter::open(folder_ / "summary", kMapBytes).value());
  }
  // One process opens an environment once: the writer is closed meanwhile.
  Figures read() {
    writer_.reset();
    Figures figures;
    {
      SummaryReader reader = SummaryReader::open(folder_ / "summary", kMapBytes).value();
      SummarySnapshot snapshot = reader.snapshot().value();
      for (uint16_t site = 0; site < run_->sites.size(); ++site) read_site(snapshot, site, figures);
    }
    open_writer();
    std::erase_if(figures, [](const auto& row) { return row.second.is_zero(); });
    return figures;
  }
  void read_site(SummarySnapshot& snapshot, uint16_t site, Figures& to) {
    constexpr int64_t kEndS = 4'000'000'000;
    const Zone& zone = run_->sites.at(site).zone;
    for (size_t i = 0; i < kDimensions * kLevels.size(); ++i) {
      const auto dimension = static_cast<Dimension>(i / kLevels.size());
      const Level level = kLevels[i % kLevels.size()];
      if (level == Level::minute && timeline_ == Timeline::imported) continue;  // none are kept
      assert_true(snapshot
                      .each_rollup(site, dimension, level, 0, kEndS, zone,
                                   [&](const RollupKey& key, const Counters& counters) {
                                     const std::optional<std::string> text =
                                         snapshot.text(key.value, key.bucket_start_s, key.bucket_start_s + 40 * kDayS);
                                     add(to, {site, dimension, level, key.bucket_start_s, text.value_or("")}, counters);
                                   })
                      .ok());
      assert_true(snapshot
                      .each_keyed(KeyedDatabase::open_visits,
                                  [&](std::string_view key, std::string_view value) {
                                    Visit visit;
                                    if (BytesReader(key).be16() != site || !decode_visit(value, visit) ||
                                        !is_booked_at_close(visit, dimension))
                                      return;
                                    each_part_of_visit(visit, [&](int64_t minute_s, const Counters& part) {
                                      add(to,
                                          {site, dimension, level, zone.bucket_start_s(level, minute_s),
                                           late_value(visit, dimension)},
                                          part);
                                    });
                                  })
                      .ok());
    }
  }
  static void add(Figures& to, RowName name, const Counters& counters) {
    const auto [place, fresh] = to.try_emplace(std::move(name));
    if (fresh && place->first.dimension == Dimension::total) place->second.visitors.set_precision(Precision::total);
    place->second.merge(counters);
    if (place->first.level == Level::minute) place->second.visitors = Distinct();  // none by minute
  }

  TempFolder folder_;
  Config config_;
  const Timeline timeline_;
  const StringHasher hasher_;
  CheckpointState state_;
  std::unique_ptr<SummaryWriter> writer_;
  std::unique_ptr<Run> run_;
  std::optional<Figures> figures_;

  HitBuilder builder_;
  VisitorKeys keys_;
  const HitContext context_{"shop", {}, "q"};  // the shop searches by ?q=
  int64_t now_ms_ = 0;
  bool late_ = false;
  uint32_t took_ms_ = 0;
  std::string visitor_ = "anna", site_ = "shop", agent_{kFirefox}, referrer_, country_, address_, uri_;
};

// The shop of the running test; a failed assertion leaves its stack by longjmp.
inline std::unique_ptr<Shop> the_shop;
inline Shop& shop() { return *the_shop; }
inline int open_shop(void**) { return the_shop = std::make_unique<Shop>(), 0; }
inline int close_shop(void**) { return the_shop.reset(), 0; }
#define shop_test(name) cmocka_unit_test_setup_teardown(name, open_shop, close_shop)

// expect_figure([dimension, text,] counter or amount, expected[, site]) over all time, by every level.
#define expect_figure(...) shop().check(__FILE__, __LINE__, __VA_ARGS__)

// What a text sums up of one bucket.
#define expect_in(bucket, counter, expected) expect_number(static_cast<int64_t>((bucket)[counter]), (expected))

}  // namespace footfall
