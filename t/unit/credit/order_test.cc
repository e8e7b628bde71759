#include "credit/order.h"

#include "base/limits.h"
#include "random.h"
#include "test.h"

namespace footfall {
namespace {

Conversion conversion;  // of the running test

int begin(void**) {
  conversion = Conversion();
  conversion.kind = ConversionKind::goal;
  conversion.time_ms = 1'790'848'800'123;
  conversion.visitor = {0x0123456789abcdef, 0xfedcba9876543210};
  conversion.value_micros = -129'900'000;
  conversion.currency = *parse_currency("USD");
  conversion.items = 100'000'000;
  for (int i = 0; i < 2; ++i) {
    Touch touch;
    touch.time_ms = 1000 * i;
    touch.campaign = i == 0 ? "spring" : "";
    conversion.touches.push_back(std::move(touch));
  }
  return 0;
}

void what_is_stored_comes_back(void**) {
  static Conversion back;
  assert_true(decode_conversion(encode_conversion(conversion), back));
  assert_true(back.kind == ConversionKind::goal);
  expect_number(back.time_ms, conversion.time_ms);
  assert_true(back.visitor == conversion.visitor);
  expect_number(back.value_micros, -129'900'000);
  expect_text(back.currency.text(), "USD");
  expect_number(back.items, 100'000'000);
  assert_true(back.touches == conversion.touches);
}

void as_many_touches_as_are_kept_can_be_stored(void**) {
  conversion.touches.resize(kTouchesMax);
  static Conversion back;
  assert_true(decode_conversion(encode_conversion(conversion), back));
  expect_number(back.touches.size(), kTouchesMax);
}

void bytes_that_are_no_conversion_are_refused(void**) {
  static std::string bytes, bad;
  static Conversion back;
  bytes = encode_conversion(conversion);
  for (size_t length = 0; length < bytes.size(); ++length)
    assert_false(decode_conversion({bytes.data(), length}, back));
  bad = bytes + "x";
  assert_false(decode_conversion(bad, back));
  bad = bytes;
  bad[0] = 99;  // another version
  assert_false(decode_conversion(bad, back));
  bad = bytes;
  bad[1] = 3;  // a kind that there is not
  assert_false(decode_conversion(bad, back));
  static Random random(5);
  for (int round = 0; round < 5000; ++round) {
    bad = bytes;
    random.mutate(bad);
    if (decode_conversion(bad, back)) assert_true(back.kind <= ConversionKind::event);
  }
}

}  // namespace
}  // namespace footfall

int main() {
  using namespace footfall;
  const CMUnitTest tests[] = {
      cmocka_unit_test_setup(what_is_stored_comes_back, begin),
      cmocka_unit_test_setup(as_many_touches_as_are_kept_can_be_stored, begin),
      cmocka_unit_test_setup(bytes_that_are_no_conversion_are_refused, begin),
  };
  return cmocka_run_group_tests(tests, nullptr, nullptr);
}
