// Staged events that no request told: the hit that an import makes of the same event, and no salt of their day.
#include "lane/hit_maker.h"

#include <filesystem>
#include <optional>
#include <string>

#include "hit/codec.h"
#include "lane/sample.h"
#include "temp_folder.h"
#include "test.h"

namespace footfall {
namespace {

struct Held {
  TempFolder folder;
  std::optional<Store> store;
  std::optional<HitMaker> hits;
  std::optional<HitBuilder> imported;
  HitContext shop{"shop", {}, {}};
  RawHit raw;
  std::string bytes, expected;
};
std::optional<Held> held;

int make_store(void**) {
  held.emplace();
  Result<Store> made = Store::create(held->folder / "store", std::nullopt);
  if (!made) return -1;
  held->store.emplace(std::move(*made));
  held->hits.emplace(*held->store);
  held->imported.emplace();
  held->raw.event_only = true;
  held->raw.time_ms = kNoon - 5 * 86'400'000;
  return 0;
}
int remove_store(void**) {
  held.reset();
  return 0;
}

bool has_salts() {
  for (const auto& entry : std::filesystem::directory_iterator(held->store->path()))
    if (entry.path().filename().string().starts_with("salt.")) return true;
  return false;
}

void an_event_is_the_one_that_an_import_makes(void**) {
  EventLine line;
  line.time_ms = held->raw.time_ms;
  line.visitor = "v1";
  line.fields.name = "purchase";
  line.fields.id = "A%201";  // no address: it has no escapes to undo
  line.fields.value = "129.90";
  line.fields.currency = "usd";
  line.fields.items = "SKU%3A1:2:29.95 SKU2:1:70.00:Shoes";
  line.fields.coupon = "MAIL+24";
  line.fields.customer = "c7";
  RawEvent event;
  event.name = line.fields.name, event.id = line.fields.id, event.value = line.fields.value;
  event.currency = line.fields.currency, event.items = line.fields.items, event.coupon = line.fields.coupon;
  event.customer = line.fields.customer;
  held->raw.visitor_id = line.visitor;
  held->raw.events = {event};
  VisitorKeys keys;
  keys.id = derive_key(held->store->secret(), "visitor id");
  keys.customer = derive_key(held->store->secret(), "customer");
  encode_hit(held->imported->build_event(line, keys), held->expected);
  const Hit& hit = held->hits->make(held->raw, held->shop);
  encode_hit(hit, held->bytes);
  assert_true(held->bytes == held->expected);
  expect_number(hit.flags, kHitEventOnly);
  expect_text(hit.events[0].id, "A%201");
  assert_false(hit.id_key.is_zero() || hit.events[0].customer.is_zero());
  assert_false(has_salts());
}

void a_request_after_it_has_its_salt(void**) {
  held->raw.events = {told("sign_up")};
  held->hits->make(held->raw, held->shop);
  const Hit& page = held->hits->make(page_view("/"), held->shop);
  assert_true(has_salts());
  assert_false(page.anonymous_key.is_zero());
  expect_number(page.flags, 0);
}

}  // namespace
}  // namespace footfall

int main() {
  using namespace footfall;
  const CMUnitTest tests[] = {
      cmocka_unit_test_setup_teardown(an_event_is_the_one_that_an_import_makes, make_store, remove_store),
      cmocka_unit_test_setup_teardown(a_request_after_it_has_its_salt, make_store, remove_store),
  };
  return cmocka_run_group_tests(tests, nullptr, nullptr);
}
