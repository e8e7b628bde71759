// Blocks: hits and their sites come back with their numbers; nothing broken is read.
#include "lane/block.h"

#define XXH_INLINE_ALL
#include <xxhash.h>

#include <optional>

#include "base/bytes.h"
#include "random.h"
#include "test.h"

namespace footfall {
namespace {

struct Held {
  BlockBuilder builder;
  std::optional<BlockReader> reader;
  std::string bytes;
  std::string text;
  Hit hit;
  uint64_t number = 0;
};
std::optional<Held> held;

int start_afresh(void**) {
  held.emplace();
  held->builder.begin(3, 77, 1000);
  return 0;
}

Hit hit_of(std::string_view path, int64_t time_ms = 1'790'000'000'000) {
  Hit hit;
  hit.time_ms = time_ms;
  hit.status = 200;
  hit.path = path;
  return hit;
}

void open(std::string_view bytes) {
  Result<BlockReader> opened = BlockReader::open(bytes);
  if (!opened) fail_msg("%s", opened.error().text.c_str());
  held->reader.emplace(std::move(*opened));
}

void finish_and_open() {
  held->bytes = held->builder.finish();
  open(held->bytes);
}

void expect_hit(std::string_view path, std::string_view site, uint64_t number) {
  assert_true(held->reader->next(held->hit, held->number));
  expect_text(held->hit.path, path);
  expect_text(held->reader->site_of(held->hit), site);
  assert_int_equal(held->number, number);
}
void expect_end() { assert_false(held->reader->next(held->hit, held->number)); }

Error::Code open_fault(std::string_view bytes) {
  const Result<BlockReader> opened = BlockReader::open(bytes);
  if (opened) fail_msg("opened");
  return opened.error().code;
}

// A block whose checksum is right, whatever it holds.
void seal(std::string& bytes) { store_le64(bytes.data(), XXH3_64bits(bytes.data() + 8, bytes.size() - 8)); }

void hits_come_back_with_sites_and_numbers(void**) {
  assert_true(held->builder.add(hit_of("/", 100), "shop"));
  assert_true(held->builder.add(hit_of("/cart", 200), "other"));
  assert_true(held->builder.add(hit_of("/thanks", 300), "shop"));
  finish_and_open();
  const BlockHeader& header = held->reader->header();
  assert_int_equal(header.lane, 3);
  assert_int_equal(header.epoch, 77);
  assert_int_equal(header.first_number, 1000);
  assert_int_equal(header.hits, 3);
  assert_int_equal(header.next_number(), 1003);
  expect_number(header.first_time_ms, 100);
  expect_number(header.last_time_ms, 300);
  assert_int_equal(held->reader->sites().size(), 2);
  expect_hit("/", "shop", 1000);
  expect_hit("/cart", "other", 1001);
  expect_hit("/thanks", "shop", 1002);
  expect_end();
  expect_end();
}

// An event told by itself may be older than what lies before it.
void the_newest_time_is_the_blocks_last(void**) {
  for (const int64_t time_ms : {200, 300, 100}) assert_true(held->builder.add(hit_of("/", time_ms), "shop"));
  finish_and_open();
  expect_number(held->reader->header().first_time_ms, 200);
  expect_number(held->reader->header().last_time_ms, 300);
}

void a_block_without_hits_is_a_block(void**) {
  assert_true(held->builder.empty());
  finish_and_open();
  assert_int_equal(held->reader->header().next_number(), 1000);
  expect_end();
}

void a_finished_block_may_grow(void**) {
  held->builder.add(hit_of("/"), "shop");
  finish_and_open();
  expect_hit("/", "shop", 1000);
  expect_end();
  held->builder.add(hit_of("/cart"), "other");
  finish_and_open();
  expect_hit("/", "shop", 1000);
  expect_hit("/cart", "other", 1001);
  expect_end();
  held->builder.begin(3, 77, 1002);
  assert_true(held->builder.empty());
  finish_and_open();
  assert_int_equal(held->reader->sites().size(), 0);
}

void a_full_block_refuses_and_stays_as_it_was(void**) {
  static Random random(1);
  for (int round = 0; round < 20; ++round) {
    start_afresh(nullptr);
    uint64_t hits = 0;
    for (;; ++hits) {
      held->text = "/" + std::to_string(hits) + std::string(random.below(1000), 'x');
      if (!held->builder.add(hit_of(held->text), "shop " + std::to_string(random.below(40)))) break;
      assert_true(held->builder.bytes() <= kBlockBytesMax);
    }
    assert_true(hits > kBlockBytesMax / 1200);
    assert_int_equal(held->builder.header().hits, hits);
    finish_and_open();
    assert_int_equal(held->bytes.size(), held->builder.bytes());
    assert_true(held->bytes.size() > kBlockBytesMax - 1200);
    for (uint64_t i = 0; i < hits; ++i) {
      assert_true(held->reader->next(held->hit, held->number));
      assert_int_equal(held->number, 1000 + i);
      held->text = "/" + std::to_string(i);
      expect_text(held->hit.path.substr(0, held->text.size()), held->text);
    }
    expect_end();
  }
}

void sites_are_bounded(void**) {
  for (size_t i = 0; i < kBlockSitesMax; ++i) assert_true(held->builder.add(hit_of("/"), "shop " + std::to_string(i)));
  assert_false(held->builder.add(hit_of("/"), "one more"));
  assert_true(held->builder.add(hit_of("/"), "shop 0"));
  finish_and_open();
  assert_int_equal(held->reader->sites().size(), kBlockSitesMax);
  for (size_t i = 0; i < kBlockSitesMax; ++i) expect_hit("/", "shop " + std::to_string(i), 1000 + i);
}

void a_long_name_of_a_site_is_cut(void**) {
  held->text = std::string(kSiteNameBytesMax + 10, 's');
  held->builder.add(hit_of("/"), held->text);
  held->builder.add(hit_of("/"), held->text.substr(0, kSiteNameBytesMax + 1));
  finish_and_open();
  assert_int_equal(held->reader->sites().size(), 1);
  expect_hit("/", std::string(kSiteNameBytesMax, 's'), 1000);
}

void any_changed_byte_is_found(void**) {
  held->builder.add(hit_of("/"), "shop");
  held->builder.add(hit_of("/cart"), "other");
  finish_and_open();
  for (size_t at = 0; at < held->bytes.size(); ++at) {
    held->text = held->bytes;
    held->text[at] = static_cast<char>(held->text[at] ^ 1 << at % 8);
    assert_int_equal(open_fault(held->text), Error::Code::corrupt);
    assert_int_equal(open_fault(held->bytes.substr(0, at)), Error::Code::corrupt);
  }
  assert_int_equal(open_fault(held->bytes + '\0'), Error::Code::corrupt);
  assert_int_equal(open_fault(std::string(kBlockBytesMax + 1, '\0')), Error::Code::corrupt);
}

void another_format_is_told_apart_from_damage(void**) {
  held->builder.add(hit_of("/"), "shop");
  held->bytes = held->builder.finish();
  store_le16(held->bytes.data() + 8, kBlockFormat + 1);
  assert_int_equal(open_fault(held->bytes), Error::Code::corrupt);
  seal(held->bytes);
  assert_int_equal(open_fault(held->bytes), Error::Code::version);
}

void counts_that_cannot_be_are_refused(void**) {
  held->builder.add(hit_of("/"), "shop");
  const std::string good(held->builder.finish());
  held->bytes = good;
  store_le32(held->bytes.data() + 12, UINT32_MAX);  // hits
  seal(held->bytes);
  assert_int_equal(open_fault(held->bytes), Error::Code::corrupt);
  held->bytes = good;
  store_le16(held->bytes.data() + 48, UINT16_MAX);  // sites
  seal(held->bytes);
  assert_int_equal(open_fault(held->bytes), Error::Code::corrupt);
  held->bytes = good;
  store_le32(held->bytes.data() + 12, 2);  // one more than there are
  seal(held->bytes);
  open(held->bytes);
  expect_hit("/", "shop", 1000);
  expect_end();
  held->bytes = good;
  store_le16(held->bytes.data() + 48, 0);  // no site: the hit's is none
  held->bytes.erase(50, 5);
  seal(held->bytes);
  open(held->bytes);
  expect_end();
}

// A right checksum over anything: what is read stays inside, and comes to an end.
void broken_blocks_never_lead_outside(void**) {
  static Random random(2);
  Hit& hit = held->hit;
  hit = hit_of("/cart");
  hit.agent = "agent";
  hit.events.resize(2);
  hit.events[0].name = "purchase";
  hit.events[0].id = "A-1";
  hit.events[0].items = {{"SKU", 1, 5}};
  hit.events[1].name = "sign_up";
  for (int i = 0; i < 20; ++i) held->builder.add(hit, "shop " + std::to_string(i % 3));
  const std::string good(held->builder.finish());
  for (int round = 0; round < 6000; ++round) {
    held->bytes = good;
    random.mutate(held->bytes);
    if (held->bytes.size() < 8) continue;
    seal(held->bytes);
    Result<BlockReader> opened = BlockReader::open(held->bytes);
    if (!opened) continue;
    held->reader.emplace(std::move(*opened));
    const auto inside = [&](std::string_view view) {
      return view.empty() || (view.data() >= held->bytes.data() &&
                              view.data() + view.size() <= held->bytes.data() + held->bytes.size());
    };
    uint64_t hits = 0;
    while (held->reader->next(hit, held->number)) {
      ++hits;
      assert_true(inside(hit.path) && inside(hit.agent) && inside(held->reader->site_of(hit)));
      for (const Event& event : hit.events) {
        assert_true(inside(event.name) && inside(event.id));
        for (const OrderItem& item : event.items) assert_true(inside(item.id));
      }
    }
    assert_true(hits <= held->reader->header().hits && hits <= 21);
  }
}

}  // namespace
}  // namespace footfall

int main() {
  using namespace footfall;
  const CMUnitTest tests[] = {
      cmocka_unit_test_setup(hits_come_back_with_sites_and_numbers, start_afresh),
      cmocka_unit_test_setup(the_newest_time_is_the_blocks_last, start_afresh),
      cmocka_unit_test_setup(a_block_without_hits_is_a_block, start_afresh),
      cmocka_unit_test_setup(a_finished_block_may_grow, start_afresh),
      cmocka_unit_test_setup(a_full_block_refuses_and_stays_as_it_was, start_afresh),
      cmocka_unit_test_setup(sites_are_bounded, start_afresh),
      cmocka_unit_test_setup(a_long_name_of_a_site_is_cut, start_afresh),
      cmocka_unit_test_setup(any_changed_byte_is_found, start_afresh),
      cmocka_unit_test_setup(another_format_is_told_apart_from_damage, start_afresh),
      cmocka_unit_test_setup(counts_that_cannot_be_are_refused, start_afresh),
      cmocka_unit_test_setup(broken_blocks_never_lead_outside, start_afresh),
  };
  return cmocka_run_group_tests(tests, nullptr, nullptr);
}
