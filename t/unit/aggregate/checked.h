// The check of a shop's summary, for tests.
#pragma once

#include <string>
#include <vector>

#include "aggregate/shop.h"
#include "rollup/check.h"

namespace footfall {

inline constexpr uint64_t kCheckMapBytes = 64 << 20;

// As an aggregator does when it begins: whose zones the days are of.
inline void store_config(Shop& shop) {
  shop.aside([&](const std::string& path) {
    assert_true(SummaryWriter::open(path, kCheckMapBytes).value().store_config(shop.config()).ok());
  });
}

inline void check(Shop& shop, std::vector<std::string>& faults) {
  faults.clear();
  shop.aside([&](const std::string& path) {
    SummaryReader reader = SummaryReader::open(path, kCheckMapBytes).value();
    SummarySnapshot snapshot = reader.snapshot().value();
    SummaryCheck check(
        snapshot, shop.hasher(), [&](std::string fault) { faults.push_back(std::move(fault)); },
        [](uint64_t, uint64_t) {});
    assert_true(check.run().ok());
    assert_int_equal(check.found().faults, faults.size());
  });
}

inline void expect_whole(Shop& shop, const std::string& when) {
  static std::vector<std::string> faults;
  check(shop, faults);
  for (const std::string& fault : faults) print_error("%s: %s\n", when.c_str(), fault.c_str());
  assert_int_equal(faults.size(), 0);
}

}  // namespace footfall
