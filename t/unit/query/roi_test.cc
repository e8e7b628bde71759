// What marketing returned: figures, verdicts and advice from rollups.
#include <cmath>
#include <memory>
#include <string>

#include "query/advice.h"
#include "query/roi_rows.h"
#include "query/shop.h"
#include "random.h"
#include "test.h"

using namespace footfall;

namespace {

std::unique_ptr<Shop> the_shop;

int open_shop(void**) {
  the_shop = std::make_unique<Shop>();
  the_shop->config().sites[0].margin_micros = 600'000;
  return 0;
}
int close_shop(void**) {
  the_shop.reset();
  return 0;
}

constexpr std::string_view kToday = "2026-10-31T10:00:00Z", kYesterday = "2026-10-30T10:00:00Z";
constexpr __int128 kMillion = 1'000'000;

// What a form of marketing brought in a minute: money in whole units.
struct Brought {
  int64_t visits = 0, orders = 0;
  double revenue = 0, squares = 0, largest = 0, cost = 0;
};
Brought equal_orders(int64_t visits, int64_t orders, double mean, double sd, double cost) {
  const auto k = static_cast<double>(orders);
  return {visits, orders, k * mean, k * (mean * mean + sd * sd), mean, cost};
}

// By every model alike.
void add_orders(Counters& to, const Brought& of) {
  const auto micros = [](double money) { return static_cast<__int128>(std::llround(money * 1e6)); };
  for (const Model model : {Model::last, Model::last_non_direct, Model::first}) {
    to[credited(Counter::orders_last, model)] += of.orders * kCreditWhole;
    to[credited(Amount::revenue_last, model)] += micros(of.revenue);
  }
  to[Amount::revenue_squares_last] += micros(of.squares) * kMillion;
  to.see_revenue(static_cast<int64_t>(micros(of.largest)));
}

void book(Dimension dimension, std::string_view time, std::optional<std::string_view> text, const Brought& of) {
  for (const bool is_total : {true, false}) {
    Counters& to = is_total ? the_shop->at(Dimension::total, time, {}) : the_shop->at(dimension, time, text);
    to[Counter::visits] += of.visits;
    to[Amount::cost] += static_cast<__int128>(std::llround(of.cost * 1e6));
    add_orders(to, of);
  }
}

const Report& ask(const std::string& arguments, const std::string& range = "range=today&") {
  static std::variant<Report, QueryError> answer;
  answer = the_shop->service().query(range + arguments, utc_s("2026-10-31T12:00:00Z") * 1000, "roi");
  if (const auto* error = std::get_if<QueryError>(&answer)) fail_msg("refused: %s", error->message.c_str());
  return std::get<Report>(answer);
}

std::string names(const Report& report) {
  std::string names;
  for (const Column& column : report.columns) names.append(names.empty() ? "" : " ").append(column.name);
  return names;
}

void fill_vectors() {
  book(Dimension::campaign, kToday, "mailing", equal_orders(5000, 25, 40, 25, 3000));
  book(Dimension::campaign, kToday, "banner", equal_orders(400, 16, 60, 30, 300));
  book(Dimension::campaign, kToday, std::nullopt, equal_orders(900, 9, 50, 10, 0));
}

// --- figures ---------------------------------------------------------------------------------------------------------

void the_vectors(void**) {
  fill_vectors();
  the_shop->commit(true);
  const Report& report = ask("by=campaign");
  expect_text(names(report), "campaign visits orders revenue cost cpo roas roas_lo roas_hi roi verdict visits_needed break_even mer");
  expect_text(lines(report),
              "mailing 5000 25 1000.00 3000.00 120.00 0.333333 0.210126 0.528782 -0.8 cut - 1.666667 -\n"
              "banner 400 16 960.00 300.00 18.75 3.2 1.86666 5.485733 0.92 raise - 1.666667 -\n"
              "- 900 9 450.00 0.00 - - - - - - - - -\n");
  expect_text(line(report.totals), "- 6300 50 2410.00 3300.00 66.00 0.730303 0.532919 1.000794 -0.561818 - - 1.666667 0.730303");
  expect_text(joined(report.meta.warnings), "cpo, roas, roi and verdict are null where nothing was spent");
  expect_text(shown(report, "by") + shown(report, "order") + shown(report, "model") + shown(report, "report"), "[\"campaign\"]\"-cost\"\"last_non_direct\"\"roi\"");
}

void rows_and_other_are_the_totals(void**) {
  fill_vectors();
  the_shop->commit(false);
  const Report& report = ask("by=campaign&limit=1&order=-roas");
  expect_text(report.rows[0][0].text, "banner");
  expect_text(line(report.other).substr(0, 30), "- 5900 34 1450.00 3000.00 88.2");
  static std::string cursor;
  cursor = report.meta.next_cursor;
  expect_text(ask("by=campaign&limit=1&order=-roas&cursor=" + cursor).rows[0][0].text, "mailing");
  expect_text(ask("by=campaign&limit=1&order=campaign").rows[0][0].text, "banner");
  expect_text(ask("by=campaign&limit=1&order=-verdict").rows[0][0].text, "mailing");
}

void without_margin_or_spend_null_and_said(void**) {
  fill_vectors();
  the_shop->config().sites[0].margin_micros.reset();
  the_shop->commit(true);
  const Report& report = ask("by=campaign&order=campaign&limit=1");
  expect_text(lines(report), "banner 400 16 960.00 300.00 18.75 3.2 1.86666 5.485733 - - - - -\n");
  assert_true(joined(report.meta.warnings).find("[site.shop] margin = 0.35 sets it") != std::string::npos);
  const Report& before = ask("by=campaign", "range=yesterday&");
  expect_number(before.rows.size(), 0);
  assert_true(joined(before.meta.warnings).find("footfall import spend FILE.csv") != std::string::npos);
}

void sources_are_joined_by_known_name(void**) {
  book(Dimension::source, kToday, "fb", {.visits = 70});
  book(Dimension::source, kToday, "m.facebook.com", {.visits = 30});
  book(Dimension::source, kToday, "facebook", {.cost = 50});
  book(Dimension::source, kToday, "google", {.cost = 7});
  the_shop->commit(true);
  const Report& report = ask("by=source");
  expect_number(report.rows.size(), 2);
  expect_text(line(report.rows[0]).substr(0, 21), "fb 100 0 0.00 50.00 -");  // as queries by source show its cost
  expect_text(line(report.rows[1]).substr(0, 22), "google 0 0 0.00 7.00 -");
}

void models_that_do_not_agree_are_said_so(void**) {
  fill_vectors();
  Counters& banner = the_shop->at(Dimension::campaign, kToday, "banner");
  banner[Amount::revenue_position] -= 700'000'000;  // by position it is below break-even
  the_shop->commit(true);
  expect_text(ask("by=campaign&order=campaign").rows[0][10].text, "depends_on_model");
  const Report& advice = ask("by=campaign&advice=1");
  std::string words;
  for (const Row& row : advice.rows)
    if (row[0].text == "banner") words = row[3].text;
  expect_text(words, "Do not change \"banner\" on these figures: models do not agree, it returned 3.20 by last_non_direct, 0.87 by position; "
                     "break-even is 1.67 (300.00 EUR spent, 16 orders)");
}

void what_was_before_is_compared_with_intervals(void**) {
  book(Dimension::campaign, kYesterday, "mail", equal_orders(5000, 25, 40, 25, 3000));
  book(Dimension::campaign, kToday, "mail", equal_orders(400, 16, 60, 30, 300));
  the_shop->commit(true);
  const Report& report = ask("by=campaign&compare=previous");
  expect_text(names(report).substr(std::string("campaign visits orders revenue cost cpo roas roas_lo roas_hi roi verdict visits_needed break_even mer ").size()),
              "roas_previous roas_difference roas_difference_lo roas_difference_hi order_rate_difference order_rate_difference_lo order_rate_difference_hi");
  std::string text;
  for (size_t at = 14; at < report.columns.size(); ++at) text += report.rows[0][at].text + " ";
  expect_text(text, "0.333333 2.866667 1.519078 5.155718 0.035 0.019585 0.059037 ");
}

void what_matches_nothing_is_said(void**) {
  book(Dimension::campaign, kToday, "Spring", {.visits = 70});
  book(Dimension::campaign, kToday, "spring", {.cost = 50});
  for (int i = 0; i < 6; ++i) book(Dimension::campaign, kToday, "nobody" + std::to_string(i), {.cost = 1});
  book(Dimension::channel, kToday, "paid_search", {.visits = 300});
  the_shop->commit(true);
  const auto says = [](const Report& report, std::string_view what) { return joined(report.meta.warnings).find(what) != std::string::npos; };
  const Report& by_campaign = ask("by=campaign");
  assert_true(says(by_campaign, "nobody came by campaign \"spring\", which cost 50.00 EUR: \"Spring\" may be meant (letter case)"));
  assert_true(says(by_campaign, "nor by 2 more with cost: /v1/spend"));
  assert_true(says(ask(""), "paid_search has 300 visits and no spend: nobody told what they cost"));
}

// --- levels of spend -------------------------------------------------------------------------------------------------

void days_of_more_spend_are_held_against_days_of_less(void**) {
  std::vector<MoneyOfDay> days;
  for (int day = 0; day < 30; ++day) {
    const int level = day % 3, noise = day % 2 == 0 ? 10 : -10;
    days.push_back({level * 100, (level == 0 ? 500 : level == 1 ? 800 : 900) + noise});
  }
  const SpendLevels levels = spend_levels(days);
  assert_true(levels.low && levels.high);
  assert_true(std::fabs(levels.low->returned - 3) < 1e-9 && std::fabs(levels.high->returned - 1) < 1e-9);
  assert_true(levels.low->interval.low > 2.8 && levels.low->interval.low < 3 && levels.low->interval.high < 3.2);
  days.resize(27);  // nine of each
  assert_true(!spend_levels(days).low && !spend_levels(days).high);
  days.assign(40, {100, 500});  // the same every day: nothing to hold against each other
  assert_true(!spend_levels(days).low && !spend_levels(days).high);
  assert_true(!spend_levels({}).low);
}

void levels_are_read_day_by_day(void**) {
  for (int day = 1; day <= 30; ++day) {
    const std::string time = "2026-10-" + std::string(day < 10 ? "0" : "") + std::to_string(day) + "T10:00:00Z";
    const int level = day % 3;
    book(Dimension::channel, time, "display", {.visits = 10, .orders = 1, .revenue = level == 0 ? 500.0 : level == 1 ? 800.0 : 900.0, .squares = 250'000, .largest = 500, .cost = level * 100.0});
  }
  the_shop->commit(true);
  const Report& report = ask("levels=1", "from=2026-10-01&to=2026-10-30&");
  std::string text;
  for (size_t at = 14; at < report.columns.size(); ++at) text += report.columns[at].name + "=" + report.rows[0][at].text + " ";
  expect_text(text, "marginal_low=3 marginal_low_lo=3 marginal_low_hi=3 marginal_high=1 marginal_high_lo=1 marginal_high_hi=1 ");
  expect_text(line(ask("levels=1", "from=2026-10-30T08:00:00Z&to=2026-10-30T12:00:00Z&").rows[0]).substr(0, 10), "display 10");
}

// --- advice ----------------------------------------------------------------------------------------------------------

void advice_is_ranked_by_what_is_at_stake(void**) {
  fill_vectors();
  book(Dimension::campaign, kToday, "early", equal_orders(100, 4, 50, 0, 100));
  the_shop->commit(true);
  const Report& report = ask("by=campaign&advice=1");
  expect_text(names(report), "campaign verdict stake advice");
  expect_text(lines(report),
              "mailing cut 2400.00 Cut \"mailing\": it returned 0.33 (0.21 to 0.53) for each 1.00 spent; break-even is 1.67 (3000.00 EUR spent, "
              "25 orders). It lost 2400.00 EUR\n"
              "banner raise 276.00 Raise \"banner\": it returned 3.20 (1.87 to 5.49) for each 1.00 spent; break-even is 1.67 (300.00 EUR spent, 16 "
              "orders). It earned 276.00 EUR above its cost\n"
              "early too_early 100.00 Wait with \"early\": it returned 2.00 (0.77 to 5.22) for each 1.00 spent; break-even is 1.67 (100.00 EUR "
              "spent, 4 orders). About 668 more visits of the same kind would tell\n");
}

void what_is_missing_is_said(void**) {
  book(Dimension::channel, kToday, "paid_search", equal_orders(300, 12, 50, 0, 0));
  the_shop->config().sites[0].margin_micros.reset();
  the_shop->commit(true);
  expect_text(lines(ask("advice=1")),
              "- - - Nothing can be said of return yet: nobody told what marketing cost in this time. Import it: footfall import spend FILE.csv\n"
              "- - - There is no break-even to compare with: the margin is not set. Set it in footfall.toml: [site.shop] margin = 0.35\n"
              "paid_search - 600.00 Tell what \"paid_search\" cost: 300 visits and 12 orders came by it, and no spend of it is known\n");
}

void hostile_names_stay_names(void**) {
  expect_text(named_in_words("a\" is fine. Raise \"b"), "\"a' is fine. Raise 'b\"");
  expect_text(named_in_words("\x1b[31mred\n"), "\"\\x1b[31mred\\x0a\"");
  assert_true(named_in_words(std::string(500, 'x')).size() < 80);
  book(Dimension::campaign, kToday, "=cmd()|' <script>\xe2\x80\xae,\"x", equal_orders(400, 16, 60, 30, 300));
  the_shop->commit(true);
  const Report& report = ask("by=campaign&advice=1");
  assert_true(report.rows[0][3].text.starts_with("Raise \"=cmd()|' <script>\\u{202e},'x\": it returned"));
  assert_true(to_csv(report).find("'=cmd()") != std::string::npos);
}

// --- how often they are right ----------------------------------------------------------------------------------------

double exponential(Random& random) { return -std::log((static_cast<double>(random.next() >> 11) + 0.5) / 9007199254740992.0); }

// A campaign of so many orders to be expected, of values around 50 with a spread of 1/sqrt(shape).
Brought simulate(Random& random, double expected, int shape) {
  Brought of{.visits = static_cast<int64_t>(expected / 0.025)};
  for (int64_t visit = 0; visit < of.visits; ++visit) {
    if (random.below(1000) >= 25) continue;
    double value = 0;
    for (int part = 0; part < shape; ++part) value += exponential(random) * 50 / shape;
    of.orders += 1;
    of.revenue += value;
    of.squares += value * value;
    of.largest = std::max(of.largest, value);
  }
  return of;
}

struct Cell4 {
  double expected;
  int shape;
};
constexpr Cell4 kCells[] = {{30, 4}, {50, 4}, {50, 1}, {100, 1}};
constexpr double kTruths[] = {0.6, 0.9, 1.1, 1.6, 2.5};  // true roas, over break-even
constexpr int kRuns = 1000;

void intervals_hold_the_truth_and_verdicts_are_right(void**) {
  Random random(7);
  for (size_t cell = 0; cell < std::size(kCells); ++cell)
    for (int run = 0; run < kRuns; ++run) {
      Brought of = simulate(random, kCells[cell].expected, kCells[cell].shape);
      of.cost = kCells[cell].expected * 50 / (kTruths[run % 5] / 0.6);
      book(Dimension::campaign, kToday, std::to_string(cell) + "." + std::to_string(run), of);
    }
  the_shop->commit(true);
  static Report report;
  report = ask("by=campaign&limit=10000");
  expect_number(report.rows.size(), std::size(kCells) * kRuns);
  int held[std::size(kCells)] = {}, wrong[std::size(kCells)] = {}, decided = 0;
  for (const Row& row : report.rows) {
    const size_t cell = static_cast<size_t>(row[0].text[0] - '0');
    const double truth = kTruths[std::stoi(row[0].text.substr(2)) % 5] / 0.6;
    held[cell] += std::stod(row[7].text) <= truth && truth <= std::stod(row[8].text);
    const bool is_raise = row[10].text == "raise", is_cut = row[10].text == "cut";
    wrong[cell] += (is_raise && truth < 1 / 0.6) || (is_cut && truth > 1 / 0.6);
    decided += is_raise || is_cut;
  }
  for (size_t cell = 0; cell < std::size(kCells); ++cell) {
    print_message("orders %.0f, shape %d: held %d of %d, wrong %d\n", kCells[cell].expected, kCells[cell].shape, held[cell], kRuns, wrong[cell]);
    assert_in_range(held[cell], kRuns * 93 / 100, kRuns * 97 / 100);
    assert_in_range(wrong[cell], 0, kRuns * 5 / 100);
  }
  assert_true(decided > kRuns);
}

// --- refusals --------------------------------------------------------------------------------------------------------

void what_it_does_not_know_is_refused(void**) {
  fill_vectors();
  the_shop->commit(true);
  for (const auto& [arguments, param] : {std::pair{"by=page", "by"}, {"by=channel,day", "by"}, {"model=markov", "model"}, {"model=shapley", "model"},
                                         {"lookback=7d", "lookback"}, {"metrics=visits", "metrics"}, {"filter=channel:is:a", "filter"},
                                         {"advice=yes", "advice"}, {"levels=2", "levels"}, {"order=-roas_previous", "order"}, {"ci=95", "ci"},
                                         {"limit=0", "limit"}, {"compare=week", "compare"}}) {
    const auto answer = the_shop->service().query(arguments, utc_s("2026-10-31T12:00:00Z") * 1000, "roi");
    const auto* error = std::get_if<QueryError>(&answer);
    assert_non_null(error);
    expect_number(error->http_status, 400);
    expect_text(error->param, param);
  }
}

}  // namespace

int main() {
#define TEST(name) cmocka_unit_test_setup_teardown(name, open_shop, close_shop)
  const CMUnitTest tests[] = {
      TEST(the_vectors),
      TEST(rows_and_other_are_the_totals),
      TEST(without_margin_or_spend_null_and_said),
      TEST(sources_are_joined_by_known_name),
      TEST(models_that_do_not_agree_are_said_so),
      TEST(what_was_before_is_compared_with_intervals),
      TEST(what_matches_nothing_is_said),
      TEST(days_of_more_spend_are_held_against_days_of_less),
      TEST(levels_are_read_day_by_day),
      TEST(advice_is_ranked_by_what_is_at_stake),
      TEST(what_is_missing_is_said),
      TEST(hostile_names_stay_names),
      TEST(intervals_hold_the_truth_and_verdicts_are_right),
      TEST(what_it_does_not_know_is_refused),
  };
  return cmocka_run_group_tests(tests, nullptr, nullptr);
}
