// The log of visits: rows become blocks, days are dropped for their age and for want of room, imports are taken out.
#include "rollup/visit_log.h"

#include <algorithm>
#include <set>

#include "rollup/changes.h"
#include "rollup/kept_visits.h"
#include "rollup/summary.h"
#include "rollup/visit_cut.h"
#include "temp_folder.h"
#include "test.h"

using namespace footfall;

namespace {

constexpr int64_t kFirstDayS = 1'760'054'400;  // 2025-10-10 UTC
constexpr uint16_t kSite = 0;

// A summary that nothing but kept visits goes into.
class Log {
 public:
  Log() : visits_(17) {
    open();
    state_.sites = {"shop"};
    store();
  }

  // Some visits of a day, from its midnight on; each has one view, at its start.
  Log& keep(int day, int visits, uint16_t import = 0, int64_t second = 0) {
    changes_.set_import(import);
    for (int i = 0; i < visits; ++i) {
      KeptVisit visit = visits_.next();
      visit.start_ms = (kFirstDayS + day * kDayS + second + i % 80'000) * 1000;
      visit.duration_ms = 0;
      visit.import = import;
      visit.views = {{.page = "/"}};
      visit.events.clear();
      visit.conversions.clear();
      changes_.keep(kSite, encode_kept_visit(visit));
    }
    changes_.set_import(0);
    return store();
  }
  Log& fold() {
    assert_true(writer_->fold(zone_of_).ok());
    return *this;
  }
  Log& import_fold() {
    assert_true(writer_->fold(zone_of_, changes_, state_).ok());
    return *this;
  }
  Log& retention(int64_t days, int64_t bytes = int64_t{10} << 30) {
    retention_.visits_s = days * kDayS;
    retention_.visits_bytes_max = bytes;
    writer_->set_retention(retention_);
    return *this;
  }
  Log& undo(uint16_t import) {
    assert_true(writer_->remove_import(import, state_, {}, {}).ok());
    return *this;
  }

  struct Seen {
    size_t blocks = 0, records = 0;
    std::set<int64_t> days;  // of their starts, counted from the first
    std::vector<size_t> sizes;
    int64_t kept_from_s = 0;
  };
  Seen seen(int64_t from_s = 0, int64_t to_s = 4'000'000'000) {
    Seen seen;
    read([&](SummarySnapshot& snapshot) {
      seen.kept_from_s = snapshot.visits_kept_from_s(kSite);
      const Status read = snapshot.each_visit_block(kSite, from_s, to_s, [&](VisitBlock& block) -> Status {
        ++seen.blocks;
        seen.sizes.push_back(block.rows(VisitTable::visits));
        for (const int64_t start_ms : *block.ints(VisitColumn::start_ms)) {
          ++seen.records;
          seen.days.insert((start_ms / 1000 - kFirstDayS) / kDayS);
        }
        return {};
      });
      assert_true(read.ok());
    });
    return seen;
  }
  size_t entries(const char* database) {
    writer_.reset();
    size_t entries = 0;
    {
      LmdbEnv env = LmdbEnv::open(folder_ / "summary", {.map_bytes = 256 << 20, .read_only = true, .databases = 16}).value();
      LmdbTxn txn = LmdbTxn::read(env).value();
      entries = txn.entries(txn.database(database).value());
    }
    open();
    return entries;
  }

 private:
  void open() {
    writer_ = std::make_unique<SummaryWriter>(SummaryWriter::open(folder_ / "summary", 256 << 20).value());
    writer_->set_retention(retention_);
  }
  Log& store() {
    assert_true(writer_->checkpoint(state_, changes_.empty() ? std::string() : changes_.take()).ok());
    return *this;
  }
  template <class Use>
  void read(Use use) {
    writer_.reset();
    {
      SummaryReader reader = SummaryReader::open(folder_ / "summary", 256 << 20).value();
      SummarySnapshot snapshot = reader.snapshot().value();
      use(snapshot);
    }
    open();
  }

  TempFolder folder_;
  KeptVisits visits_;
  Changes changes_;
  CheckpointState state_;
  Retention retention_;
  const Zone zone_;
  const ZoneOf zone_of_ = [this](uint16_t) -> const Zone& { return zone_; };
  std::unique_ptr<SummaryWriter> writer_;
};

std::unique_ptr<Log> the_log;
Log& visit_log() { return *the_log; }
int open_log(void**) { return the_log = std::make_unique<Log>(), 0; }
int close_log(void**) { return the_log.reset(), 0; }

void records_are_seen_at_once_and_once(void**) {
  visit_log().fold().keep(0, 10);
  expect_number(visit_log().seen().records, 10);
  visit_log().fold();
  expect_number(visit_log().seen().records, 10);
  expect_number(visit_log().entries("visit_rows"), 10);
  visit_log().keep(0, 5);
  expect_number(visit_log().seen().records, 15);
}

void enough_rows_become_a_block(void**) {
  visit_log().fold().keep(0, 4'000).fold();
  expect_number(visit_log().entries("visits"), 0);
  visit_log().keep(0, 200).fold();
  expect_number(visit_log().entries("visits"), 1);
  expect_number(visit_log().entries("visit_rows"), 104);
  expect_number(visit_log().seen().records, 4'200);
}

void a_day_that_is_over_becomes_a_block_and_goes_on_in_it(void**) {
  visit_log().fold().keep(0, 100).fold();
  expect_number(visit_log().entries("visits"), 0);
  visit_log().keep(1, 1, 0, 3 * 3600).fold();
  expect_number(visit_log().entries("visits"), 1);
  expect_number(visit_log().entries("visit_rows"), 1);
  visit_log().keep(0, 3).fold();  // too few to write it anew
  expect_number(visit_log().entries("visit_rows"), 4);
  visit_log().keep(0, 80).fold();
  expect_number(visit_log().entries("visits"), 1);
  expect_number(visit_log().entries("visit_rows"), 1);
  visit_log().keep(0, 5).keep(3, 1).fold();
  expect_number(visit_log().entries("visits"), 2);  // the second day is over for long
  expect_number(visit_log().seen().records, 190);
}

void an_import_is_packed_at_once(void**) {
  visit_log().fold().keep(0, 5'000, 3).keep(1, 7, 3).import_fold();
  expect_number(visit_log().entries("visit_rows"), 0);
  expect_number(visit_log().entries("visits"), 3);
  visit_log().keep(1, 9, 3).import_fold();
  expect_number(visit_log().entries("visits"), 3);
  expect_number(visit_log().seen().records, 5'016);
}

void an_import_that_is_undone_takes_its_visits_along(void**) {
  visit_log().fold().keep(0, 50, 1).import_fold().keep(0, 20, 2).import_fold().keep(0, 30).fold().keep(0, 4, 2).fold();
  visit_log().undo(2);
  expect_number(visit_log().seen().records, 80);
  visit_log().undo(1);
  expect_number(visit_log().seen().records, 30);
}

void a_range_reads_its_own_days(void**) {
  visit_log().fold();
  for (int day = 0; day < 10; ++day) visit_log().keep(day, 70);
  visit_log().fold();
  const auto seen = visit_log().seen(kFirstDayS + 3 * kDayS, kFirstDayS + 5 * kDayS);
  assert_true(seen.days == (std::set<int64_t>{3, 4}));
}

// The day before the first that is told is there too: its visits go on in that one.
void days_go_for_their_age(void**) {
  visit_log().fold().retention(5);
  expect_number(visit_log().seen().kept_from_s, INT64_MIN);
  for (int day = 0; day < 10; ++day) visit_log().keep(day, 70, 0, 3 * 3600).fold();
  auto seen = visit_log().seen();
  assert_true(seen.days == (std::set<int64_t>{3, 4, 5, 6, 7, 8, 9}));
  expect_number(seen.kept_from_s, kFirstDayS + 4 * kDayS);
  visit_log().keep(2, 10).fold();  // so old that it goes at once
  seen = visit_log().seen();
  assert_true(*seen.days.begin() == 3);
}

void the_oldest_days_go_for_want_of_room(void**) {
  visit_log().fold().retention(90, 400'000);
  for (int day = 0; day < 12; ++day) visit_log().keep(day, 4'096, 0, 3 * 3600).fold();
  const auto seen = visit_log().seen();
  assert_true(seen.days.size() > 1 && seen.days.size() < 12);
  expect_number(*seen.days.rbegin(), 11);
  expect_number(seen.days.size(), static_cast<int64_t>(12 - *seen.days.begin()));
  expect_number(seen.kept_from_s, kFirstDayS + (*seen.days.begin() + 1) * kDayS);
}

void a_state_comes_back_from_its_bytes(void**) {
  static VisitLogState state;
  state.site(2).drop_before_s = -86'400;
  state.site(2).newest_s = 5;
  state.site(1).is_cut_by_size = true;
  state.kept_since_s = 9;
  const Result<VisitLogState> read = decode_visit_log(encode_visit_log(state));
  assert_true(read.ok() && *read == state);
  const auto key = decode_visit_key(encode_visit_key({3, -86'400, 7, 11}));
  assert_true(key && key->site == 3 && key->day_s == -86'400 && key->import == 7 && key->number == 11);
  assert_true(encode_visit_key({3, -86'400, 7, 11}) < encode_visit_key({3, 0, 0, 0}));
  assert_false(decode_visit_key("short").has_value());
}

#define log_test(name) cmocka_unit_test_setup_teardown(name, open_log, close_log)

}  // namespace

int main() {
  const CMUnitTest tests[] = {
      log_test(records_are_seen_at_once_and_once),
      log_test(enough_rows_become_a_block),
      log_test(a_day_that_is_over_becomes_a_block_and_goes_on_in_it),
      log_test(an_import_is_packed_at_once),
      log_test(an_import_that_is_undone_takes_its_visits_along),
      log_test(a_range_reads_its_own_days),
      log_test(days_go_for_their_age),
      log_test(the_oldest_days_go_for_want_of_room),
      cmocka_unit_test(a_state_comes_back_from_its_bytes),
  };
  return cmocka_run_group_tests(tests, nullptr, nullptr);
}
