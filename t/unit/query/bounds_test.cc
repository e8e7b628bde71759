// ci=95: the bounds beside rates, from rollups. That kept visits tell the same: t/bounds.t.
#include <memory>
#include <string>

#include "query/shop.h"
#include "test.h"

using namespace footfall;

namespace {

std::unique_ptr<Shop> the_shop;

int open_shop(void**) {
  the_shop = std::make_unique<Shop>();
  return 0;
}
int close_shop(void**) {
  the_shop.reset();
  return 0;
}

constexpr std::string_view kTime = "2026-10-31T10:00:00Z";

// As many equal orders, in a channel and in all, by every model.
void orders(std::string_view channel, int64_t visits, int64_t number, int64_t micros) {
  for (const Dimension dimension : {Dimension::total, Dimension::channel}) {
    Counters& to = dimension == Dimension::total ? the_shop->at(dimension, kTime, {}) : the_shop->at(dimension, kTime, channel);
    to[Counter::visits] += visits;
    to[Counter::visits_converted] += number;
    for (const Model model : {Model::last, Model::last_non_direct, Model::first}) {
      to[credited(Counter::orders_last, model)] += number * kCreditWhole;
      to[credited(Amount::revenue_last, model)] += number * micros;
    }
    to[Amount::revenue_squares_last] += static_cast<__int128>(micros) * micros * number;
  }
}

void rates_have_the_bounds_of_wilson(void**) {
  orders("email", 200, 10, 40'000'000);
  orders("print", 50, 0, 0);
  orders("audio", 12, 3, 40'000'000);
  the_shop->commit(true);
  const Report& report = the_shop->ask("by=channel&metrics=cr,visits&ci=95&order=channel");
  std::string names;
  for (const Column& column : report.columns) names += column.name + " " + std::string(column_type_name(column.type)) + " ";
  expect_text(names, "channel string cr ratio cr_lo ratio cr_hi ratio visits integer ");
  expect_text(lines(report), "audio 0.25 0.08894 0.53231 12\nemail 0.05 0.027382 0.089579 200\nprint 0 0 0.07135 50\n");
  expect_text(line(report.totals), "- 0.049618 0.029223 0.08303 262");
  expect_text(shown(report, "ci"), "95");
  expect_text(lines(the_shop->ask("by=channel&metrics=cr&ci=95&order=-cr_hi&limit=1")), "audio 0.25 0.08894 0.53231\n");
}

// 25 orders of 5,000 visits at 40.00 each: 0.20 times and over exp(1.96 sqrt(0.995/25)).
void rpv_has_a_log_normal_one_by_each_model(void**) {
  orders("email", 5000, 25, 40'000'000);
  orders("print", 10, 0, 0);
  the_shop->commit(false);
  for (const std::string_view model : kModelNames) {
    const bool shares = model == "linear" || model == "position" || model == "time_decay";
    const Report& report = the_shop->ask("by=channel&metrics=rpv&ci=95&order=channel&model=" + std::string(model));
    expect_text(lines(report), "email 0.20 0.14 0.30\nprint 0.00 - -\n");
    expect_text(line(report.totals), "- 0.20 0.14 0.30");
    expect_text(joined(report.meta.warnings),
                std::string("rpv_lo and rpv_hi are null where nothing was earned, or orders weigh more "
                            "than visits") + (shares ? "; and of several values together, which share orders" : ""));
    expect_text(line(the_shop->ask("by=channel&metrics=rpv&ci=95&limit=1&order=-channel&model=" + std::string(model)).other),
                shares ? "- 0.20 - -" : "- 0.20 0.14 0.30");
    expect_text(line(the_shop->ask("metrics=rpv&ci=95&filter=channel:is:email&model=" + std::string(model)).totals), "0.20 0.14 0.30");
    expect_text(line(the_shop->ask("metrics=rpv&ci=95&model=" + std::string(model)).totals), "0.20 0.14 0.30");
  }
}

void what_was_before_has_bounds_too(void**) {
  orders("email", 200, 10, 40'000'000);
  the_shop->at(Dimension::channel, "2026-10-30T10:00:00Z", "email")[Counter::visits] += 50;
  the_shop->commit(true);
  const Report& report = the_shop->ask("by=channel&metrics=cr&ci=95&range=today&compare=previous");
  std::string names;
  for (const Column& column : report.columns) names += column.name + " ";
  expect_text(names, "channel cr cr_lo cr_hi cr_previous cr_previous_lo cr_previous_hi cr_change ");
  expect_text(lines(report), "email 0.05 0.027382 0.089579 0 0 0.07135 -\n");
}

void rows_are_the_same_without_it(void**) {
  orders("email", 200, 10, 40'000'000);
  the_shop->at(Dimension::channel, kTime, "odd")[Counter::orders_last_non_direct] += kCreditWhole;  // nothing that rpv is made of
  the_shop->commit(true);
  expect_text(lines(the_shop->ask("by=channel&metrics=rpv")), "email 2.00\n");
  expect_text(lines(the_shop->ask("by=channel&metrics=rpv&ci=95")), "email 2.00 1.09 3.66\n");
}

void what_is_no_rate_has_none(void**) {
  orders("email", 200, 10, 40'000'000);
  the_shop->commit(true);
  const Report& report = the_shop->ask("by=channel&metrics=visits,aov&ci=95");
  expect_text(lines(report), "email 200 40.00\n");
  expect_text(joined(report.meta.warnings), "ci tells bounds of rates, as cr, rpv and roas: none of the metrics is one");
  const QueryError& error = the_shop->refused("metrics=cr&ci=90");
  expect_text(error.param + " " + error.message + " " + joined(error.allowed), "ci intervals are told of 95 %, not of \"90\" 95");
}

}  // namespace

int main() {
  const CMUnitTest tests[] = {
      cmocka_unit_test_setup_teardown(rates_have_the_bounds_of_wilson, open_shop, close_shop),
      cmocka_unit_test_setup_teardown(rpv_has_a_log_normal_one_by_each_model, open_shop, close_shop),
      cmocka_unit_test_setup_teardown(what_was_before_has_bounds_too, open_shop, close_shop),
      cmocka_unit_test_setup_teardown(rows_are_the_same_without_it, open_shop, close_shop),
      cmocka_unit_test_setup_teardown(what_is_no_rate_has_none, open_shop, close_shop),
  };
  return cmocka_run_group_tests(tests, nullptr, nullptr);
}
