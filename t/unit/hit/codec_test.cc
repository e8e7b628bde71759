// The stored form of a hit: round trip, bounds, and bytes that are no hit.
#include "hit/codec.h"

#include "base/bytes.h"
#include "base/limits.h"
#include "test.h"

namespace footfall {
namespace {

Hit hit, decoded;  // statics: a failed assertion leaves by longjmp
std::string bytes, again, text;

Hit full_hit() {
  Hit full;
  full.time_ms = 1'790'000'000'123;
  full.request_time_ms = 45;
  full.bytes_sent = UINT64_MAX;
  full.status = 304;
  full.method = Method::other;
  full.content = ContentKind::other;
  full.flags = 0xFFFFFFFF;
  full.click_ids = 0x7FF;
  full.site = 256;
  full.id_key = {1, 2};
  full.anonymous_key = {3, 4};
  full.previous_anonymous_key = {5, 6};
  full.path = "/p?size=1";
  full.agent = "agent";
  full.referrer_host = "blog.example";
  full.referrer_path = "/post";
  full.referrer_term = "rterm";
  full.source = "source";
  full.medium = "medium";
  full.campaign = "campaign";
  full.content_label = "content";
  full.term = "term";
  full.country = "DE";
  full.search_term = "shoes";
  full.code = "SPRING24";
  Event order;
  order.name = "purchase";
  order.item = "item";
  order.id = "A-1";
  order.coupon = "MAIL24";
  order.currency = *parse_currency("EUR");
  order.has_value = true;
  order.value_micros = -5;
  order.fault = OrderFault::bad_value;
  order.customer = {7, 8};
  order.items = {{"SKU1", 1'000'000, 999'999'999'999'999, {}}, {"SKU2", 0, -1, "Toys"}};
  Event plain;
  plain.name = "sign_up";
  full.events = {order, plain};
  return full;
}

int begin(void**) { return bytes.clear(), again.clear(), hit = full_hit(), decoded = Hit(), 0; }

bool decode(std::string_view from) { return decode_hit(from, decoded); }

void an_encoded_hit_reads_back(void**) {
  assert_true(encode_hit(hit, bytes));
  std::string_view from = bytes;
  assert_true(decode_hit(from, decoded));
  assert_true(from.empty());

  expect_number(decoded.time_ms, hit.time_ms);
  expect_number(decoded.request_time_ms, 45);
  assert_true(decoded.bytes_sent == UINT64_MAX);
  expect_number(decoded.status, 304);
  assert_true(decoded.method == Method::other && decoded.content == ContentKind::other);
  expect_number(decoded.flags, 0xFFFFFFFF);
  expect_number(decoded.click_ids, 0x7FF);
  expect_number(decoded.site, 256);
  assert_true(decoded.id_key == hit.id_key && decoded.anonymous_key == hit.anonymous_key);
  assert_true(decoded.previous_anonymous_key == hit.previous_anonymous_key);
  expect_text(decoded.path, "/p?size=1");
  expect_text(decoded.agent, "agent");
  expect_text(decoded.referrer_host, "blog.example");
  expect_text(decoded.referrer_path, "/post");
  expect_text(decoded.referrer_term, "rterm");
  expect_text(decoded.source, "source");
  expect_text(decoded.medium, "medium");
  expect_text(decoded.campaign, "campaign");
  expect_text(decoded.content_label, "content");
  expect_text(decoded.term, "term");
  expect_text(decoded.country, "DE");
  expect_text(decoded.search_term, "shoes");
  expect_text(decoded.code, "SPRING24");

  expect_number(decoded.events.size(), 2);
  const Event& order = decoded.events[0];
  expect_text(order.name, "purchase");
  expect_text(order.item, "item");
  expect_text(order.id, "A-1");
  expect_text(order.coupon, "MAIL24");
  expect_text(order.currency.text(), "EUR");
  assert_true(order.has_value && order.fault == OrderFault::bad_value);
  expect_number(order.value_micros, -5);
  assert_true(order.customer == hit.events[0].customer);
  expect_number(order.items.size(), 2);
  expect_text(order.items[0].id, "SKU1");
  expect_number(order.items[0].quantity, 1'000'000);
  expect_number(order.items[0].price_micros, 999'999'999'999'999);
  expect_number(order.items[1].price_micros, -1);
  expect_text(order.items[0].category, "");
  expect_text(order.items[1].category, "Toys");
  const Event& plain = decoded.events[1];
  expect_text(plain.name, "sign_up");
  assert_false(plain.has_value);
  assert_true(plain.customer.is_zero() && plain.currency == Currency() && plain.items.empty());

  assert_true(encode_hit(decoded, again));
  assert_true(again == bytes);
}

void a_plain_hit_is_small_and_clears_what_was_there(void**) {
  hit = Hit();
  hit.path = "/";
  assert_true(encode_hit(hit, bytes));
  assert_true(bytes.size() <= 44);
  decoded = full_hit();
  assert_true(decode(bytes));
  expect_text(decoded.path, "/");
  expect_text(decoded.agent, "");
  expect_text(decoded.search_term, "");
  expect_text(decoded.code, "");
  assert_true(decoded.id_key.is_zero() && decoded.previous_anonymous_key.is_zero());
  assert_true(decoded.events.empty());
}

void hits_follow_one_another(void**) {
  for (int at = 0; at < 5; ++at) {
    hit.status = static_cast<uint16_t>(200 + at);
    encode_hit(hit, bytes);
  }
  std::string_view from = bytes;
  for (int at = 0; at < 5; ++at) {
    assert_true(decode_hit(from, decoded));
    expect_number(decoded.status, 200 + at);
  }
  assert_false(decode_hit(from, decoded));
  assert_true(from.empty());
}

void the_layout_is_for_good(void**) {
  hit = Hit();
  hit.time_ms = 0x0102030405060708;
  hit.request_time_ms = 0x11121314;
  hit.bytes_sent = 0x21;
  hit.status = 200;
  hit.method = Method::post;
  hit.content = ContentKind::html;
  hit.flags = kHitPathCut;
  hit.click_ids = 3;
  hit.site = 2;
  hit.path = "/a";
  encode_hit(hit, bytes);
  expect_text(bytes, std::string_view("\x2A\0\x01\x12\x08\x07\x06\x05\x04\x03\x02\x01\x14\x13\x12\x11\x21\0\0\0\0\0\0\0"
                                      "\xC8\0\x02\0\x10\0\0\0\x03\0\0\0\x08\0\0\0\x02\0/a",
                                      44));
}

void a_field_of_a_later_version_is_skipped(void**) {
  encode_hit(hit, bytes);
  const size_t present_place = 36;
  store_le32(bytes.data() + present_place, load_le32(bytes.data() + present_place) | 1u << 31 | 1u << 20);
  BytesWriter(bytes).text16("later").text16("");
  store_le16(bytes.data(), static_cast<uint16_t>(bytes.size() - 2));
  assert_true(decode(bytes));
  expect_text(decoded.search_term, "shoes");
  expect_number(decoded.events.size(), 2);
}

// Between the other texts and the events, in a bit that earlier readers skip.
void a_code_lies_behind_the_other_texts(void**) {
  hit.events.clear();
  hit.code = {};
  encode_hit(hit, bytes);
  const size_t present_place = 36;
  store_le32(bytes.data() + present_place, load_le32(bytes.data() + present_place) | 1u << 15);
  BytesWriter(bytes).text16("MAIL");
  store_le16(bytes.data(), static_cast<uint16_t>(bytes.size() - 2));
  assert_true(decode(bytes));
  expect_text(decoded.search_term, "shoes");
  expect_text(decoded.code, "MAIL");
  expect_number(decoded.events.size(), 0);
  store_le16(bytes.data(), static_cast<uint16_t>(bytes.size() - 3));
  bytes.pop_back();
  assert_false(decode(bytes));
}

void a_hit_too_large_loses_items_then_events(void**) {
  text = std::string(kCampaignFieldBytesMax, 'v');
  hit.flags = 0;
  hit.events[0].items.assign(kOrderItemsMax, {std::string_view(text).substr(0, kEventItemBytesMax), 1, 1, {}});
  assert_false(encode_hit(hit, bytes));
  assert_true(bytes.size() <= kHitBytesMax && decode(bytes));
  expect_number(decoded.flags, kHitFieldCut);
  expect_number(decoded.events.size(), 2);
  expect_number(decoded.events[0].items.size(), 0);
  expect_text(decoded.events[0].id, "A-1");

  bytes.clear();
  Event large;
  large.name = std::string_view(text).substr(0, kEventNameBytesMax);
  large.id = large.item = large.coupon = std::string_view(text).substr(0, kOrderIdBytesMax);
  hit.events.assign(kEventsMax, large);
  static std::string path(kPathBytesMax, 'p'), agent(kAgentBytesMax, 'a');
  hit.path = path;
  hit.agent = agent;
  hit.source = hit.medium = hit.campaign = hit.content_label = hit.term = hit.search_term = hit.referrer_term = text;
  hit.code = std::string_view(text).substr(0, kHitCodeBytesMax);
  assert_false(encode_hit(hit, bytes));
  assert_true(bytes.size() <= kHitBytesMax && decode(bytes));
  assert_true(decoded.events.size() > 0 && decoded.events.size() < kEventsMax);
  expect_text(decoded.path, path);
  expect_text(decoded.events[0].id, large.id);
}

void fields_over_their_bounds_are_cut_and_told(void**) {
  text = std::string(100'000, 'x');
  hit.path = hit.agent = hit.term = hit.code = text;
  hit.events[0].id = text;
  hit.flags = 0;
  assert_false(encode_hit(hit, bytes));
  assert_true(decode(bytes));
  expect_number(static_cast<int64_t>(decoded.path.size()), kPathBytesMax);
  expect_number(static_cast<int64_t>(decoded.term.size()), kCampaignFieldBytesMax);
  expect_number(static_cast<int64_t>(decoded.code.size()), kHitCodeBytesMax);
  expect_number(static_cast<int64_t>(decoded.events[0].id.size()), kOrderIdBytesMax);
  expect_number(decoded.flags, kHitFieldCut);

  bytes.clear();
  hit.events.assign(kEventsMax + 1, hit.events[1]);
  assert_false(encode_hit(hit, bytes));
  assert_true(decode(bytes));
  expect_number(static_cast<int64_t>(decoded.events.size()), kEventsMax);
}

void truncated_bytes_are_no_hit(void**) {
  encode_hit(hit, bytes);
  for (size_t length = 0; length < bytes.size(); ++length) {
    text.assign(bytes, 0, length);
    text.shrink_to_fit();  // so that a sanitizer sees a read past the end
    std::string_view from = text;
    assert_false(decode_hit(from, decoded));
    assert_ptr_equal(from.data(), text.data());
    expect_number(static_cast<int64_t>(from.size()), static_cast<int64_t>(length));
    if (length < 2) continue;
    store_le16(text.data(), static_cast<uint16_t>(length - 2));  // a whole record that ends too soon
    assert_false(decode_hit(from, decoded));
  }
}

void bytes_that_cannot_be_are_no_hit(void**) {
  encode_hit(hit, bytes);
  const auto expect_no_hit_with = [](size_t place, uint8_t value) {
    again = bytes;
    again[place] = static_cast<char>(value);
    assert_false(decode(again));
  };
  assert_true(decode(bytes));
  expect_no_hit_with(2, 0);  // version
  expect_no_hit_with(2, 2);
  expect_no_hit_with(3, 0x07);  // method
  expect_no_hit_with(3, 0x30);  // content
  again = bytes;
  BytesWriter(again).u8(0);
  store_le16(again.data(), static_cast<uint16_t>(again.size() - 2));  // a byte too many
  assert_false(decode(again));
  again.assign(40'000, '\0');
  again[1] = static_cast<char>(0x80);  // longer than any hit
  assert_false(decode(again));
}

// Whatever it says, what it gives lies inside the bytes and within the bounds.
void expect_inside(std::string_view whole, std::string_view part) {
  if (part.empty()) return;
  assert_true(part.data() >= whole.data() && part.data() + part.size() <= whole.data() + whole.size());
}

void mutated_bytes_never_lead_outside(void**) {
  encode_hit(hit, bytes);
  uint64_t state = 11;
  const auto random = [&state](uint64_t below) {
    state = state * 6364136223846793005u + 1442695040888963407u;
    return static_cast<size_t>((state >> 33) % below);
  };
  int good = 0;
  for (int round = 0; round < 30'000; ++round) {
    text = bytes;
    for (size_t changes = 1 + random(4); changes > 0; --changes) {
      text[random(text.size())] = random(3) == 0 ? '\xFF' : static_cast<char>(random(256));
    }
    if (random(4) == 0) text.resize(random(text.size()));
    if (random(2) == 0 && text.size() >= 2) store_le16(text.data(), static_cast<uint16_t>(text.size() - 2));
    text.shrink_to_fit();
    std::string_view from = text;
    if (!decode_hit(from, decoded)) {
      assert_ptr_equal(from.data(), text.data());
      continue;
    }
    ++good;
    assert_true(from.size() < text.size());
    for (const std::string_view part : {decoded.path, decoded.agent, decoded.source, decoded.search_term, decoded.code}) {
      expect_inside(text, part);
    }
    assert_true(decoded.events.size() <= kEventsMax);
    for (const Event& event : decoded.events) {
      expect_inside(text, event.name);
      expect_inside(text, event.coupon);
      assert_true(event.items.size() <= kOrderItemsMax);
      for (const OrderItem& item : event.items) expect_inside(text, item.id);
    }
  }
  assert_true(good > 1000);
}

void random_bytes_are_hardly_ever_a_hit(void**) {
  uint64_t state = 5;
  for (int round = 0; round < 20'000; ++round) {
    text.clear();
    for (int at = 0; at < 64; ++at) {
      state = state * 6364136223846793005u + 1442695040888963407u;
      text.push_back(static_cast<char>(state >> 56));
    }
    store_le16(text.data(), 62);
    assert_false(decode(text));
  }
}

}  // namespace
}  // namespace footfall

int main() {
  using namespace footfall;
  const CMUnitTest tests[] = {
      cmocka_unit_test_setup(an_encoded_hit_reads_back, begin),
      cmocka_unit_test_setup(a_plain_hit_is_small_and_clears_what_was_there, begin),
      cmocka_unit_test_setup(hits_follow_one_another, begin),
      cmocka_unit_test_setup(the_layout_is_for_good, begin),
      cmocka_unit_test_setup(a_field_of_a_later_version_is_skipped, begin),
      cmocka_unit_test_setup(a_code_lies_behind_the_other_texts, begin),
      cmocka_unit_test_setup(a_hit_too_large_loses_items_then_events, begin),
      cmocka_unit_test_setup(fields_over_their_bounds_are_cut_and_told, begin),
      cmocka_unit_test_setup(truncated_bytes_are_no_hit, begin),
      cmocka_unit_test_setup(bytes_that_cannot_be_are_no_hit, begin),
      cmocka_unit_test_setup(mutated_bytes_never_lead_outside, begin),
      cmocka_unit_test_setup(random_bytes_are_hardly_ever_a_hit, begin),
  };
  return cmocka_run_group_tests(tests, nullptr, nullptr);
}
