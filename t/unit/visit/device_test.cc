#include "visit/device.h"

#include "test.h"

using namespace footfall;

namespace {

void expect_device(std::string_view agent, std::string_view expected) {
  expect_text(device_name(device_of(agent, false)), expected);
}

void tells_each_device(void**) {
  expect_device("Mozilla/5.0 (Web0S; Linux/SmartTV) Chrome/108.0 Safari/537.36", "tv");
  expect_device("Mozilla/5.0 (iPad; CPU OS 16_6 like Mac OS X) Version/16.6 Mobile/15E148 Safari/604.1", "tablet");
  expect_device("Mozilla/5.0 (Linux; Android 13; SM-X700) Chrome/124.0 Safari/537.36", "tablet");
  expect_device("Mozilla/5.0 (Android 13; Tablet; rv:128.0) Gecko/128.0 Firefox/128.0", "tablet");
  expect_device("Mozilla/5.0 (Linux; Android 9; KFTRWI) Silk/108.4.6 like Chrome/108.0 Mobile Safari/537.36", "tablet");
  expect_device("Mozilla/5.0 (X11; U; Linux armv7l like Android; en-us) Version/5.0 Kindle/3.0+ Mobile", "tablet");
  expect_device("Mozilla/5.0 (Linux; Android 10; K) Chrome/131.0 Mobile Safari/537.36", "mobile");
  expect_device("Mozilla/5.0 (iPhone; CPU iPhone OS 17_5 like Mac OS X) Safari/604.1", "mobile");
  expect_device("Mozilla/5.0 (iPod touch; CPU OS 12_0 like Mac OS X)", "mobile");
  expect_device("Opera/9.80 (J2ME/MIDP; Opera Mini/9.80) Presto/2.12.423", "mobile");
  expect_device("Mozilla/5.0 (Windows NT 10.0; Win64; x64) Chrome/131.0 Safari/537.36", "desktop");
  expect_device("Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15_7) Safari/605.1.15", "desktop");
  expect_device("Mozilla/5.0 (X11; Linux x86_64; rv:128.0) Gecko/20100101 Firefox/128.0", "desktop");
  expect_device("Mozilla/5.0 (CrOS x86_64 14541.0.0) Chrome/131.0", "desktop");
  expect_device("Lynx/2.8.9rel.1 libwww-FM/2.14", "other");
  expect_device("", "other");
}

void tablet_pc_is_a_desktop(void**) {
  expect_device("Mozilla/5.0 (compatible; MSIE 9.0; Windows NT 6.1; Tablet PC 2.0)", "desktop");
  expect_device("Mozilla/5.0 (Windows NT 6.1; Tablet PC 2.0; Tablet)", "tablet");
}

void television_goes_before_tablet(void**) {
  expect_device("Mozilla/5.0 (Linux; Android 11; BRAVIA 4K GoogleTV) Chrome/108.0 Safari/537.36", "tv");
}

void a_bot_is_a_bot_whatever_it_says(void**) {
  expect_text(device_name(device_of("Mozilla/5.0 (iPhone; compatible; Googlebot/2.1)", true)), "bot");
  expect_text(device_name(static_cast<Device>(99)), "other");
}

}  // namespace

int main() {
  const CMUnitTest tests[] = {
      cmocka_unit_test(tells_each_device),
      cmocka_unit_test(tablet_pc_is_a_desktop),
      cmocka_unit_test(television_goes_before_tablet),
      cmocka_unit_test(a_bot_is_a_bot_whatever_it_says),
  };
  return cmocka_run_group_tests(tests, nullptr, nullptr);
}
