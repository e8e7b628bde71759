// Spend on its way and as it is remembered: whatever a table tells comes out as it went in, and broken bytes are refused.
#include "credit/spend_record.h"

#include "credit/spend_hit.h"
#include "hit/codec.h"
#include "random.h"
#include "test.h"

namespace footfall {
namespace {

SpendRecord record, read;
ToldSpend told, came;
SpendLineReader lines;
std::string bytes, line;
Hit decoded;

int begin(void**) {
  told = {.day = absl::CivilDay(2026, 10, 31), .key = {.source = "google", .medium = "cpc", .campaign = "Spring \xC3\xA9t\xC3\xA9"}, .amounts = {}};
  told.amounts.cost_micros = 12'345'678;
  record = {};
  record.day_ms = 1'793'404'800'000;
  record.key = told.key;
  record.told = told.amounts;
  record.told.currency = parse_currency("USD");
  record.booked = {.rows = told.key, .currency = *parse_currency("EUR"), .cost_micros = 11'111'110};
  return 0;
}

// By line, hit and codec, as an import takes it.
void expect_to_come_through() {
  line = spend_line(told, "shop");
  assert_true(lines.read(line) == LineOutcome::hit);
  expect_text(lines.site_name(), "shop");
  bytes.clear();
  assert_true(encode_hit(lines.hit(), bytes));
  std::string_view from = bytes;
  assert_true(decode_hit(from, decoded) && from.empty());
  assert_true((decoded.flags & kHitSpend) != 0 && decoded.time_ms == spend_time_ms(told.day));
  assert_true(spend_of(decoded, came));
  assert_true(came == told);
}

void a_day_comes_through(void**) {
  expect_to_come_through();
  told.amounts.currency = parse_currency("CHF");
  told.amounts.clicks = 0;
  expect_to_come_through();
  told.amounts.impressions = 1'000'000'000'000;
  told.key = {.code = "spring24"};
  expect_to_come_through();
  told.key = {.channel = "radio", .content = "a|b", .term = "#c"};
  told.amounts.cost_micros = 999'999'999'999'999;
  expect_to_come_through();
  told.key = {.channel = std::string(kSpendChannelBytesMax, 'c'), .source = std::string(256, 's'), .medium = std::string(256, 'm'),
              .campaign = std::string(256, 'k'), .content = std::string(256, 'x'), .term = std::string(256, 't')};
  expect_to_come_through();
}

void lines_off_the_form_are_none(void**) {
  line = spend_head_line({1, 2});
  assert_true(lines.read(line) == LineOutcome::blank);
  line = spend_line(told, "shop");
  for (const std::string& broken : {line + "\t", line.substr(0, line.rfind('\t')), "x" + line, std::string("2026-10-31")}) {
    bytes = broken;
    assert_true(lines.read(bytes) == LineOutcome::rejected);
  }
  told.amounts.cost_micros = -1;
  line = spend_line(told, "shop");
  assert_true(lines.read(line) == LineOutcome::rejected);
}

void a_hit_of_something_else_tells_no_spend(void**) {
  Hit other;
  assert_false(spend_of(other, came));
  other.events.emplace_back().name = "purchase";
  assert_false(spend_of(other, came));
  other.events.front().name = "marketing_spend";
  assert_false(spend_of(other, came));
  other.events.front().item = "2026-13-01";
  other.events.front().has_value = true;
  assert_false(spend_of(other, came));
}

void expect_to_be_kept() {
  bytes = encode_spend(record);
  assert_true(decode_spend(bytes, read));
  assert_true(read == record);
}

void a_record_is_kept(void**) {
  expect_to_be_kept();
  record.told.clicks = 7, record.booked.clicks = 7;
  record.told.impressions = 0;
  record.booked.has_rate = false;
  expect_to_be_kept();
  record.key = {.code = "spring24"};
  record.booked.rows = {.channel = "direct_mail", .source = "SPRING24", .campaign = "spring", .code = "SPRING24"};
  expect_to_be_kept();
}

void broken_records_are_refused(void**) {
  record.booked.rows.channel = "paid_search";
  bytes = encode_spend(record);
  static std::string cut;
  for (size_t size = 0; size < bytes.size(); ++size) {
    cut = bytes.substr(0, size);
    assert_false(decode_spend(cut, read));
  }
  cut = bytes + "x";
  assert_false(decode_spend(cut, read));
  Random random(7);
  for (int i = 0; i < 20'000; ++i) {
    cut = bytes;
    cut[random.below(cut.size())] = static_cast<char>(random.below(256));
    decode_spend(cut, read);  // whatever it is, it is read or refused
  }
}

void keys_have_names_of_their_own(void**) {
  assert_true(spend_name({.source = "ab"}, "2026-10-31") != spend_name({.source = "a", .medium = "b"}, "2026-10-31"));
  assert_true(spend_name({.source = "ab"}, "2026-10-31") != spend_name({.medium = "ab"}, "2026-10-31"));
  assert_true(spend_name({.source = "ab"}, "2026-10-31") != spend_name({.source = "ab"}, "2026-10-30"));
}

}  // namespace
}  // namespace footfall

int main() {
  using namespace footfall;
  const CMUnitTest tests[] = {
      cmocka_unit_test_setup(a_day_comes_through, begin),
      cmocka_unit_test_setup(lines_off_the_form_are_none, begin),
      cmocka_unit_test_setup(a_hit_of_something_else_tells_no_spend, begin),
      cmocka_unit_test_setup(a_record_is_kept, begin),
      cmocka_unit_test_setup(broken_records_are_refused, begin),
      cmocka_unit_test_setup(keys_have_names_of_their_own, begin),
  };
  return cmocka_run_group_tests(tests, nullptr, nullptr);
}
