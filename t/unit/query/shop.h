// A store with a summary, filled fact by fact as an aggregator would, and asked as a reader would.
#pragma once

#include <absl/time/time.h>

#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "lane/store.h"
#include "query/service.h"
#include "random.h"
#include "rollup/summary.h"
#include "temp_folder.h"
#include "test.h"
#include "visit/visit_record.h"

namespace footfall {

inline int64_t utc_s(std::string_view text) {
  absl::Time time;
  std::string fault;
  if (!absl::ParseTime(absl::RFC3339_full, std::string(text), &time, &fault)) fail_msg("%s", fault.c_str());
  return absl::ToUnixSeconds(time);
}

class Shop {
 public:
  explicit Shop(std::vector<std::string> sites = {"shop"}, std::string timezone = "Europe/Berlin") {
    store_ = std::make_unique<Store>(std::move(Store::create(folder_ / "store", std::nullopt)).value());
    hasher_ = std::make_unique<StringHasher>(store_->secret());
    state_.sites = std::move(sites);
    state_.committed_ms = utc_s("2026-10-31T12:00:00Z") * 1000;
    state_.complete_through_ms = state_.committed_ms - 2000;
    for (const std::string& name : state_.sites) {
      config_.sites.push_back(default_site(name));
      config_.sites.back().timezone = timezone;
    }
    zone_ = Zone::load(timezone).value();
  }

  const std::string& store_path() const { return store_->path(); }
  Config& config() { return config_; }
  CheckpointState& state() { return state_; }
  const Zone& zone() const { return zone_; }

  // The counters of a minute; a null text is null, `other` the bucket's own row.
  Counters& at(Dimension dimension, std::string_view time, std::optional<std::string_view> text) {
    const int64_t time_s = utc_s(time);
    const Hash128 value = text ? (*hasher_)(*text) : kNullValue;
    if (text) changes_.name(month_number(time_s), value, *text);
    return changes_.at(0, dimension, minute_start_s(time_s * 1000), value);
  }
  Counters& other_at(Dimension dimension, std::string_view time) {
    return changes_.at(0, dimension, minute_start_s(utc_s(time) * 1000), kOtherValue);
  }
  Counters& nameless_at(Dimension dimension, std::string_view time, uint64_t hash) {
    return changes_.at(0, dimension, minute_start_s(utc_s(time) * 1000), {hash, hash});
  }

  // A visit of one channel, with as many views of one page.
  void visit(std::string_view time, std::string_view channel, std::string_view page, int views, uint64_t visitor) {
    add_visit(at(Dimension::total, time, {}), views, visitor);
    add_visit(at(Dimension::channel, time, channel), views, visitor);
    Counters& of_page = at(Dimension::page, time, page);
    of_page[Counter::pageviews] += views;
    of_page[Counter::visits] += 1;
    of_page[Counter::entries] += 1;
    of_page[Counter::exits] += 1;
    of_page[Counter::bounces] += views == 1;
  }

  // An order that every model credits to the channel.
  void order(std::string_view time, std::string_view channel, int64_t micros) {
    for (Dimension dimension : {Dimension::total, Dimension::channel}) {
      Counters& to = dimension == Dimension::total ? at(dimension, time, {}) : at(dimension, time, channel);
      for (const Model model : {Model::last, Model::last_non_direct, Model::first}) {
        to[credited(Counter::orders_last, model)] += 1'000'000;
        to[credited(Counter::conversions_last, model)] += 1'000'000;
        to[credited(Amount::revenue_last, model)] += micros;
      }
    }
  }

  void open_visit(const Visit& visit, uint64_t visitor) {
    changes_.set(KeyedDatabase::open_visits, visitor_key(0, {visitor, visitor}), encode_visit(visit));
  }

  // Makes all of it durable; `fold`: into the keyed databases too.
  void commit(bool fold) {
    Result<SummaryWriter> writer = SummaryWriter::open(store_->summary_path(), 64 << 20);
    assert_true(writer.ok());
    assert_true(writer->store_config(config_).ok());
    assert_true(writer->checkpoint(state_, changes_.take()).ok());
    if (fold) assert_true(writer->fold([this](uint16_t) -> const Zone& { return zone_; }).ok());
    service_.reset();  // one environment of a path in a process at a time
  }

  std::variant<Report, QueryError> query(std::string_view arguments, std::string_view now = "2026-10-31T12:00:00Z") {
    if (!service_) service_ = std::make_unique<QueryService>(store_->path());
    return service_->query(arguments, utc_s(now) * 1000);
  }
  const Report& ask(std::string_view arguments, std::string_view now = "2026-10-31T12:00:00Z") {
    answer_ = query(arguments, now);
    if (const auto* error = std::get_if<QueryError>(&answer_))
      fail_msg("refused: %s (%s)", error->message.c_str(), error->param.c_str());
    return std::get<Report>(answer_);
  }
  const QueryError& refused(std::string_view arguments) {
    answer_ = query(arguments);
    if (std::holds_alternative<Report>(answer_)) fail_msg("answered: %.*s", int(arguments.size()), arguments.data());
    return std::get<QueryError>(answer_);
  }
  QueryService& service() {
    if (!service_) service_ = std::make_unique<QueryService>(store_->path());
    return *service_;
  }

 private:
  static void add_visit(Counters& to, int views, uint64_t visitor) {
    to[Counter::visits] += 1;
    to[Counter::pageviews] += views;
    to[Counter::entries] += 1;
    to[Counter::exits] += 1;
    to[Counter::bounces] += views == 1;
    to[Counter::duration_ms] += 1500 * (views - 1);
    to.visitors.add(Random(visitor).next());
  }

  TempFolder folder_;
  std::unique_ptr<Store> store_;
  std::unique_ptr<StringHasher> hasher_;
  Config config_;
  CheckpointState state_;
  Zone zone_;
  Changes changes_;
  std::unique_ptr<QueryService> service_;
  std::variant<Report, QueryError> answer_;
};

// A row as its cells, between spaces; null as `-`.
inline std::string line(const Row& row) {
  std::string text;
  for (const Cell& cell : row)
    text.append(text.empty() ? "" : " ").append(cell.kind == Cell::Kind::null ? "-" : cell.text);
  return text;
}
inline std::string lines(const Report& report) {
  std::string text;
  for (const Row& row : report.rows) text += line(row) + "\n";
  return text;
}
inline std::string joined(const std::vector<std::string>& texts) {
  std::string text;
  for (const std::string& one : texts) text.append(text.empty() ? "" : " ").append(one);
  return text;
}
inline std::string shown(const Report& report, std::string_view name) {
  for (const auto& [known, value] : report.query)
    if (known == name) return value;
  return {};
}

}  // namespace footfall
