// The configuration's stored form: everything comes back, and foreign bytes are told from ours.
#include "site/config_codec.h"

#include <google/protobuf/stubs/logging.h>

#include <string>

#include "footfall/v1/config.pb.h"
#include "site/example.h"
#include "site/toml.h"
#include "test.h"

using namespace footfall;

namespace {

// Every field set, and to something that its neighbours are not.
Config everything() {
  Config config = *parse_config(kExampleToml, "example");
  config.map_bytes = 1 << 30;
  config.open_visits_max = 11;
  config.orders_max = 12;
  config.rates.push_back({*parse_currency("IDR"), 57'300'000});
  config.retention = {1, 2, 3, 4, 5, 6, 7, 8};
  config.desks[0].sites = {"shop", "second"};
  SiteConfig& shop = config.sites[0];
  shop.lookback_days = 7;
  shop.visit_gap_s = 600;
  shop.payment_hosts = {"pay.example"};
  shop.exclude.push_back(*parse_address_range("2001:db8::/32"));
  shop.exclude_agents = {"UptimeRobot"};
  shop.exclude_paths = {"/admin/*"};
  shop.codes[0].source = "mailing";
  shop.channels.push_back({"partner", {"a.example"}, {"b"}, {"c"}, {"d*"}});
  shop.events.push_back({"view_item", "/p/*", "sku", "price", "cur"});
  shop.order_page->customer_argument = "who";
  shop.goals.push_back({"welcome", "", "/welcome", 0});
  shop.page_groups = {{"products", "/p/*"}, {"rest", "*"}};
  config.sites.push_back(default_site("second"));
  return config;
}

void test_everything_comes_back(void**) {
  static Config config = everything();
  static Result<Config> back = decode_config(encode_config(config));
  assert_true(back.ok());
  assert_true(*back == config);
}

void test_defaults_come_back(void**) {
  static Result<Config> back = decode_config(encode_config(Config{}));
  assert_true(back.ok());
  assert_true(*back == Config{});
}

void test_a_margin_of_zero_is_not_a_missing_one(void**) {
  static Config config;
  config.sites = {default_site("none"), default_site("zero")};
  config.sites[1].margin_micros = 0;
  static Result<Config> back = decode_config(encode_config(config));
  assert_true(back.ok());
  assert_false(back->sites[0].margin_micros.has_value());
  assert_true(back->sites[1].margin_micros == 0);
}

void test_equal_configurations_give_equal_bytes(void**) {
  static std::string one, two;
  one = encode_config(everything());
  two = encode_config(everything());
  assert_true(one == two);
  static Config other = everything();
  other.sites[0].goals[0].value_micros += 1;
  assert_false(encode_config(other) == one);
}

void expect_corrupt(const v1::Config& message, std::string_view fault) {
  static Result<Config> back = Error::corrupt("");
  back = decode_config(message.SerializeAsString());
  assert_false(back.ok());
  assert_true(back.error().code == Error::Code::corrupt);
  expect_text(back.error().text, fault);
}

v1::Config& fresh() {
  static v1::Config message;
  assert_true(message.ParseFromString(encode_config(everything())));
  return message;
}

void test_bytes_of_others_are_corrupt(void**) {
  static Result<Config> back = decode_config("");
  assert_false(back.ok());
  expect_text(back.error().text, "stored configuration: no message of ours in 0 bytes");
  back = decode_config("\xff\xff\xff\xff");
  assert_false(back.ok());
  static const std::string whole = encode_config(everything());
  back = decode_config(std::string_view(whole).substr(0, whole.size() - 1));
  assert_false(back.ok());
}

void test_values_that_others_rely_on_are_checked_again(void**) {
  const struct {
    void (*spoil)(v1::Config& message);
    const char* fault;
  } kRows[] = {
      {[](v1::Config& m) { m.mutable_sites(0)->set_currency("eur"); }, "site \"shop\": currency"},
      {[](v1::Config& m) { m.mutable_sites(0)->set_visit_gap_s(0); }, "site \"shop\": visit_gap_s"},
      {[](v1::Config& m) { m.mutable_sites(0)->set_lookback_days(-1); }, "site \"shop\": lookback_days"},
      {[](v1::Config& m) { m.mutable_sites(0)->mutable_exclude(0)->set_address("1234"); }, "site \"shop\": exclude"},
      {[](v1::Config& m) { m.mutable_sites(0)->mutable_exclude(1)->set_prefix_bits(129); }, "site \"shop\": exclude"},
      {[](v1::Config& m) { m.mutable_sites(1)->clear_name(); }, "site \"\": name"},
      {[](v1::Config& m) { m.mutable_rates(0)->set_trillionths(0); }, "rate \"USD\""},
      {[](v1::Config& m) { m.mutable_rates(0)->set_currency("$"); }, "rate \"$\""},
  };
  for (const auto& row : kRows) {
    v1::Config& message = fresh();
    row.spoil(message);
    expect_corrupt(message, std::string("stored configuration: ") + row.fault);
  }
}

// Cut and changed bytes: any answer is right but a crash (the sanitized build looks closer).
void test_mutilated_bytes_do_no_harm(void**) {
  const google::protobuf::LogSilencer quiet;  // it tells every text that is no UTF-8
  static const std::string whole = encode_config(everything());
  static std::string bytes;
  uint32_t random = 12345;
  const auto next = [&random] { return random = random * 1664525 + 1013904223; };
  for (int round = 0; round < 2000; ++round) {
    bytes = whole.substr(0, next() % (whole.size() + 1));
    for (int change = 0; change < 3 && !bytes.empty(); ++change) {
      bytes[(next() >> 8) % bytes.size()] = static_cast<char>(next() >> 16);
    }
    static Result<Config> back = Error::corrupt("");
    back = decode_config(bytes);
    if (back.ok()) assert_true(*decode_config(encode_config(*back)) == *back);
  }
}

}  // namespace

int main() {
  const CMUnitTest tests[] = {
      cmocka_unit_test(test_everything_comes_back),
      cmocka_unit_test(test_defaults_come_back),
      cmocka_unit_test(test_a_margin_of_zero_is_not_a_missing_one),
      cmocka_unit_test(test_equal_configurations_give_equal_bytes),
      cmocka_unit_test(test_bytes_of_others_are_corrupt),
      cmocka_unit_test(test_values_that_others_rely_on_are_checked_again),
      cmocka_unit_test(test_mutilated_bytes_do_no_harm),
  };
  return cmocka_run_group_tests(tests, nullptr, nullptr);
}
