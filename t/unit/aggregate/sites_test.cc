#include "aggregate/sites.h"

#include <memory>

#include "base/limits.h"
#include "test.h"

namespace footfall {
namespace {

std::unique_ptr<Sites> sites;  // of the running test

void open_sites(const std::vector<std::string>& names = {},
                std::vector<std::string> hosts = {"shop.example", "m.shop.example"}) {
  Config config;
  SiteConfig shop = default_site("shop");
  shop.timezone = "Europe/Berlin";
  shop.hosts = std::move(hosts);
  config.sites = {shop};
  sites = std::make_unique<Sites>(std::move(config), names);
}
int end(void**) { return sites.reset(), 0; }

void a_site_goes_by_its_name(void**) {
  open_sites();
  Site& shop = sites->find("shop");
  expect_text(shop.config.name, "shop");
  expect_text(shop.zone.name(), "Europe/Berlin");
  assert_ptr_equal(&shop, &sites->find("shop"));
}

void hosts_stand_for_their_site(void**) {
  open_sites();
  Site& shop = sites->find("m.shop.example");
  expect_text(shop.config.name, "shop");
  assert_ptr_equal(&shop, &sites->find("shop"));
  assert_ptr_equal(&shop, &sites->find("shop.example"));
  expect_number(sites->size(), 1);
  expect_number(sites->names().size(), 1);
  expect_text(sites->names()[0], "shop");
}

void an_unknown_name_is_a_site_with_defaults(void**) {
  open_sites();
  Site& blog = sites->find("blog.example");
  expect_text(blog.config.name, "blog.example");
  expect_text(blog.config.currency.text(), "EUR");
  expect_text(blog.zone.name(), "UTC");
}

void numbers_are_those_of_the_checkpoint(void**) {
  open_sites({"old", "shop", "blog"});
  expect_number(sites->find("blog").number, 2);
  expect_number(sites->find("shop").number, 1);
  expect_number(sites->find("shop.example").number, 1);
  expect_number(sites->find("old").number, 0);
  expect_number(sites->find("new").number, 3);
  expect_text(sites->names()[3], "new");
}

// Its figures stay under its old number; what comes from now on belongs to the site that names it.
void a_name_that_became_a_host_goes_to_its_site(void**) {
  open_sites({"shop.example"});
  Site& shop = sites->find("shop.example");
  expect_text(shop.config.name, "shop");
  expect_number(shop.number, 1);
  assert_ptr_equal(&shop, &sites->find("shop"));
  expect_text(sites->names()[0], "shop.example");
}

void past_the_most_sites_all_are_other(void**) {
  open_sites();
  for (size_t i = 0; i < kSitesMax; ++i) {
    static std::string name;
    name = "site" + std::to_string(i);
    expect_number(sites->find(name).number, static_cast<int64_t>(i));
  }
  Site& other = sites->find("one.more");
  expect_number(other.number, kSitesMax);
  assert_ptr_equal(&other, &sites->find("and.another"));
  assert_ptr_equal(&other, &sites->find("shop.example"));
  expect_text(sites->names().back(), "other");
  expect_number(sites->size(), kSitesMax + 1);
  expect_number(sites->find("site7").number, 7);

  static std::vector<std::string> names;
  names = sites->names();
  open_sites(names);  // and so after a restart
  expect_number(sites->size(), kSitesMax + 1);
  expect_number(sites->find("one.more").number, kSitesMax);
}

void a_zone_that_is_gone_is_utc(void**) {
  Config config;
  config.sites = {default_site("shop")};
  config.sites[0].timezone = "Middle/Earth";
  sites = std::make_unique<Sites>(std::move(config), std::vector<std::string>());
  expect_text(sites->find("shop").zone.name(), "UTC");
}

}  // namespace
}  // namespace footfall

int main() {
  using namespace footfall;
  const CMUnitTest tests[] = {
      cmocka_unit_test_teardown(a_site_goes_by_its_name, end),
      cmocka_unit_test_teardown(hosts_stand_for_their_site, end),
      cmocka_unit_test_teardown(an_unknown_name_is_a_site_with_defaults, end),
      cmocka_unit_test_teardown(numbers_are_those_of_the_checkpoint, end),
      cmocka_unit_test_teardown(a_name_that_became_a_host_goes_to_its_site, end),
      cmocka_unit_test_teardown(past_the_most_sites_all_are_other, end),
      cmocka_unit_test_teardown(a_zone_that_is_gone_is_utc, end),
  };
  return cmocka_run_group_tests(tests, nullptr, nullptr);
}
