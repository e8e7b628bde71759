// Events as the shop tells them: the header's strict grammar, directives, orders and their faults, items.
#include "hit/event_list.h"

#include <vector>

#include "base/limits.h"
#include "test.h"

namespace footfall {
namespace {

constexpr Key128 kCustomerKey = {1, 2, 3};

TextArena arena;
std::vector<Event> events;  // statics: a failed assertion leaves by longjmp
EventList list(events);
uint32_t flags;
std::string text;

int begin(void**) { return list.clear(), arena.clear(), flags = 0, 0; }

void read_header(std::string_view header) {
  begin(nullptr);
  EventRoom room{list, arena, kCustomerKey, flags};
  read_events_header(header, room);
}

void read_directive(const RawEvent& raw) {
  EventRoom room{list, arena, kCustomerKey, flags};
  read_raw_event(raw, room);
}

RawEvent order(std::string_view id, std::string_view value) {
  RawEvent raw;
  raw.is_order = true;
  raw.id = id;
  raw.value = value;
  return raw;
}

void expect_fault(OrderFault actual, OrderFault expected) {
  expect_number(static_cast<int>(actual), static_cast<int>(expected));
}

void an_order_and_an_event_are_told(void**) {
  read_header(
      R"(purchase;id="A-1001";value=129.90;currency="EUR";coupon="MAIL24";items="SKU1:2:29.95 SKU2:1:70.00", sign_up)");
  expect_number(events.size(), 2);
  expect_number(flags, 0);
  const Event& purchase = events[0];
  assert_true(purchase.is_order());
  expect_text(purchase.id, "A-1001");
  assert_true(purchase.has_value);
  expect_number(purchase.value_micros, 129'900'000);
  expect_text(purchase.currency.text(), "EUR");
  expect_text(purchase.coupon, "MAIL24");
  expect_fault(purchase.fault, OrderFault::none);
  expect_number(purchase.items.size(), 2);
  expect_text(purchase.items[0].id, "SKU1");
  expect_number(purchase.items[0].quantity, 2);
  expect_number(purchase.items[0].price_micros, 29'950'000);
  expect_text(purchase.items[1].id, "SKU2");
  expect_number(purchase.items[1].price_micros, 70'000'000);
  expect_text(events[1].name, "sign_up");
  assert_false(events[1].has_value);
  assert_false(events[1].is_order());
}

void what_the_grammar_allows_is_read(void**) {
  static constexpr struct {
    std::string_view header;
    int events;
  } kCases[] = {
      {"", 0},
      {"   ", 0},
      {"a", 1},
      {"  a  ", 1},
      {"a,b", 2},
      {"a \t, \tb", 2},
      {"a,b\t", 2},
      {"*any", 1},
      {"A.b-c_d:e/f!#$%&'*+^`|~9", 1},
      {"a;x", 1},
      {"a; x;  y=1;z=?0", 1},
      {"a;*x=1;y.z-_9=2", 1},
      {"a;x=123456789012345", 1},
      {"a;x=-5;y=123456789012.123", 1},
      {"a;x=\"\\\"quoted\\\\\"", 1},
      {"a;x=\", ; =\",b", 2},
      {"a;x=:aGVsbG8=:", 1},
      {"a;x=:aGVsbG8:", 1},
      {"a;x=::", 1},
      {"a;x=token/1:2", 1},
      {"view_item;unknown=1", 1},
  };
  for (const auto& c : kCases) {
    read_header(c.header);
    if (flags != 0) print_error("%.*s\n", static_cast<int>(c.header.size()), c.header.data());
    expect_number(events.size(), c.events);
    expect_number(flags, 0);
  }
}

void what_is_off_the_grammar_tells_no_event(void**) {
  static const std::string_view kHeaders[] = {
      ",",
      "a,",
      "a,,b",
      ",a",
      "a b",
      "a;",
      "a; ",
      "a ;x",
      "a;X=1",
      "a;1=2",
      "a;x=",
      "a;x= 1",
      "a;x =1",
      "a;x=\"open",
      "a;x=\"\\n\"",
      "a;x=\"\\",
      "a;x=\"é\"",
      "a;x=\"\t\"",
      "a;x=1.",
      "a;x=.5",
      "a;x=1.2345",
      "a;x=1e3",
      "a;x=-",
      "a;x=--1",
      "a;x=+1",
      "a;x=?2",
      "a;x=?",
      "a;x=:open",
      "a;x=:a*:",
      "a;x=:a=b:",
      "a;x=:aaaaa:",
      "a;x=:a===:",
      "a;x=1234567890123456",
      "a;x=1234567890123.1",
      "a;x=(1 2)",
      "(a b)",
      "(a b);x",
      "\"a\"",
      "1",
      "1.5",
      "?1",
      ":YQ==:",
      "9lives",
      "_a",
      "é",
      "a\r\nb",
      "a;x=1\n",
      "a;x=@1",
      "a;x='1'",
      "{\"event\":\"purchase\"}",
      std::string_view("a\0", 2),
      std::string_view("a;x=\"\0\"", 7),
      "sign_up, purchase;id=\"1\";value=1, oops oops",
  };
  for (const std::string_view header : kHeaders) {
    read_header(header);
    if (flags != kHitEventsMalformed) print_error("%.*s\n", static_cast<int>(header.size()), header.data());
    expect_number(flags, kHitEventsMalformed);
    expect_number(events.size(), 0);
  }
}

void values_come_as_numbers_or_strings(void**) {
  static constexpr struct {
    std::string_view header;
    int64_t micros;
  } kCases[] = {
      {"a;value=5", 5'000'000},
      {"a;value=5.125", 5'125'000},
      {"a;value=\"5.123456\"", 5'123'456},
      {"a;value=\" 5 \"", 5'000'000},
      {"a;value=-5.0", -5'000'000},      // only an order must not be negative
      {"a;value=1;value=2", 2'000'000},  // the last of equal keys, as RFC 8941 says
      {"a;value=x;value=2", 2'000'000},
      {"a;value=:NQ==:;value=\"5\"", 5'000'000},
  };
  for (const auto& c : kCases) {
    read_header(c.header);
    expect_number(flags, 0);
    assert_true(events[0].has_value);
    expect_number(events[0].value_micros, c.micros);
  }
  for (const std::string_view header : {"a;value=abc", "a;value", "a;value=:NQ==:", "a;value=\"5,00\"",
                                        "a;value=\"1e3\"", "a;value=1000000000", "a;value=5;currency=\"EURO\""}) {
    read_header(header);
    expect_number(events.size(), 1);  // it happened; only its value is unknown
    assert_false(events[0].has_value);
    expect_fault(events[0].fault, OrderFault::none);
    expect_number(flags, kHitFieldCut);
  }
}

void an_order_without_id_or_value_stays_with_its_fault(void**) {
  static constexpr struct {
    std::string_view header;
    OrderFault fault;
  } kCases[] = {
      {"purchase;id=\"A\";value=0", OrderFault::none},
      {"purchase;id=A-1;value=\"1.5\"", OrderFault::none},
      {"purchase;id=1001;value=1;currency=usd", OrderFault::none},
      {"purchase;id=\"A\";value=1;currency=\"\"", OrderFault::none},
      {"purchase;id=:QQ==:;value=1", OrderFault::none},
      {"purchase", OrderFault::no_id},
      {"purchase;value=1", OrderFault::no_id},
      {"purchase;id=\"\";value=1", OrderFault::no_id},
      {"purchase;id=\"  \";value=1", OrderFault::no_id},
      {"purchase;id;value=1", OrderFault::no_id},
      {"purchase;id=:QQA=:;value=1", OrderFault::no_id},  // "A\0"
      {"purchase;id=:/w==:;value=1", OrderFault::no_id},  // no UTF-8
      {"purchase;id=\"A\"", OrderFault::bad_value},
      {"purchase;id=\"A\";value=\"\"", OrderFault::bad_value},
      {"purchase;id=\"A\";value", OrderFault::bad_value},
      {"purchase;id=\"A\";value=free", OrderFault::bad_value},
      {"purchase;id=\"A\";value=-0.01", OrderFault::bad_value},
      {"purchase;id=\"A\";value=1000000000", OrderFault::bad_value},
      {"purchase;id=\"A\";value=\"12,50\"", OrderFault::bad_value},
      {"purchase;id=\"A\";value=\"NaN\"", OrderFault::bad_value},
      {"purchase;id=\"A\";value=1;currency=\"EURO\"", OrderFault::bad_currency},
      {"purchase;id=\"A\";value=1;currency=978", OrderFault::bad_currency},
  };
  for (const auto& c : kCases) {
    read_header(c.header);
    expect_number(events.size(), 1);
    if (events[0].fault != c.fault) print_error("%.*s\n", static_cast<int>(c.header.size()), c.header.data());
    expect_fault(events[0].fault, c.fault);
    expect_number(flags & kHitEventsMalformed, 0);
  }
  read_header("Purchase;value=1");  // names are case-sensitive
  assert_false(events[0].is_order());
  expect_fault(events[0].fault, OrderFault::none);
  read_header("purchase;id=1001;value=1;currency=usd");
  expect_text(events[0].id, "1001");
  expect_text(events[0].currency.text(), "USD");
}

void a_header_over_a_limit_tells_no_event(void**) {
  const auto expect_events = [](int count) {
    read_header(text);
    expect_number(events.size(), count);
    expect_number(flags, count == 0 ? int64_t{kHitEventsMalformed} : 0);
  };
  text = "a;x=\"" + std::string(kEventHeaderBytesMax - 6, 'x') + "\"";
  expect_events(1);
  text += " ";
  expect_events(0);

  text = "a";
  for (size_t at = 1; at < kEventsMax; ++at) text += ",a";
  expect_events(kEventsMax);
  text += ",a";
  expect_events(0);
  text.clear();
  for (int at = 0; at < 1000; ++at) text += "a, ";
  text += "a";
  expect_events(0);

  text = std::string(kEventNameBytesMax, 'n');
  expect_events(1);
  text += "n";
  expect_events(0);

  text = "purchase;value=1;id=\"" + std::string(kOrderIdBytesMax, '7') + "\"";
  expect_events(1);
  expect_number(static_cast<int64_t>(events[0].id.size()), kOrderIdBytesMax);
  text.insert(text.size() - 1, "7");
  expect_events(0);

  text = "purchase;id=1;value=1;items=\"";
  for (size_t at = 0; at < kOrderItemsMax; ++at) text += "a:1:1 ";
  text += "\"";
  expect_events(1);
  expect_number(static_cast<int64_t>(events[0].items.size()), kOrderItemsMax);
  text.insert(text.size() - 1, "a:1:1");
  expect_events(0);
}

void items_off_their_form_are_left_out_and_the_order_stays(void**) {
  static constexpr struct {
    std::string_view items;
    int count;
  } kCases[] = {
      {"", 0}, {"a:1:2.50", 1}, {" a:0:0  b:1000000:1 ", 2}, {"a%3Ab%20c:1:2", 1}, {"%C3%A9:1:2", 1}, {"a+b:1:2", 1},
      {"a:1:2:3", 1}, {"a:1:2: b:1:2:x", 2}, {"a:1:2:b%20c%3A", 1},
  };
  for (const auto& c : kCases) {
    text = "purchase;id=1;value=1;items=\"" + std::string(c.items) + "\"";
    read_header(text);
    expect_number(events[0].items.size(), c.count);
    expect_number(flags, 0);
  }
  for (const std::string_view items : {"a",           "a:1",         "a:1:",          "a::2",
                                       ":1:2",        "%20:1:2",     "a:-1:2",        "a:1.5:2",
                                       "a:1:-2",      "a:1000001:2", "a:99999999:2",  "a:1:2:3:4",
                                       "a:1:2,b:1:2", "a:1:2+b:1:2", "a:1:2%20b:1:2", "a b:1:2",
                                       "%FF:1:2",     "a%00:1:2",    "a:1:1e3",       "a:1:1000000000",
                                       "a:1:2 b",     "a:1 :2",      "a:1:2:%FF",     "a:1:2:b c"}) {
    text = "purchase;id=1;value=1;items=\"" + std::string(items) + "\"";
    read_header(text);
    expect_number(events.size(), 1);
    expect_number(events[0].items.size(), 0);
    expect_fault(events[0].fault, OrderFault::none);
    if (flags != kHitFieldCut) print_error("%s\n", text.c_str());
    expect_number(flags, kHitFieldCut);
  }
  read_header("purchase;id=1;value=1;items=\"a%3Ab%20c:1:2\"");
  expect_text(events[0].items[0].id, "a:b c");
  text = "purchase;id=1;value=1;items=\"" + std::string(kEventItemBytesMax + 1, 'x') + ":1:1\"";
  read_header(text);
  expect_number(events[0].items.size(), 0);
}

void an_item_may_have_a_category(void**) {
  read_header(R"(purchase;id=1;value=1;items="a:1:2:Home%20%26%20garden b:1:2 c:1:2:%20x%3Ay%20")");
  expect_number(events[0].items.size(), 3);
  expect_text(events[0].items[0].category, "Home & garden");
  expect_text(events[0].items[1].category, "");
  expect_text(events[0].items[2].category, "x:y");
  text = "purchase;id=1;value=1;items=\"a:1:2:" + std::string(kEventItemBytesMax + 1, 'x') + "\"";
  read_header(text);
  expect_number(events[0].items.size(), 0);
}

// In an argument a blank within a category looks like one between items.
void categories_of_a_directive_hold_blanks(void**) {
  static constexpr std::string_view kItems[] = {
      "a:1:2:Home%20goods b:1:2:Toys",     "a:1:2:Home%20goods+b:1:2:Toys",           "a:1:2:Home%20goods%20b:1:2:Toys",
      "a:1:2:Home%20goods%20b:1:2:Toys%20", "a%3A1%3A2%3AHome%2520goods+b%3A1%3A2%3AToys"};
  for (const std::string_view items : kItems) {
    begin(nullptr);
    RawEvent raw = order("A-1", "5");
    raw.items = items;
    read_directive(raw);
    expect_number(events[0].items.size(), 2);
    expect_text(events[0].items[0].category, "Home goods");
    expect_text(events[0].items[1].id, "b");
    expect_text(events[0].items[1].category, "Toys");
    expect_number(flags, 0);
  }
}

void a_customer_is_only_kept_as_a_hash(void**) {
  read_header("purchase;id=1;value=1;customer=\"c-42\", a;customer=c-42, b;customer=42, c;customer=\"\", d");
  assert_true(events[0].customer == keyed_hash(kCustomerKey, "c-42"));
  assert_true(events[1].customer == events[0].customer);
  assert_true(events[2].customer == keyed_hash(kCustomerKey, "42"));
  assert_true(events[3].customer.is_zero());
  assert_true(events[4].customer.is_zero());
}

void texts_are_undone_and_bounded(void**) {
  read_header(R"(add_to_cart;item="SKU \"7\"";coupon="a\\b")");
  expect_text(events[0].item, "SKU \"7\"");
  expect_text(events[0].coupon, "a\\b");
  text = "a;item=\"" + std::string(kEventItemBytesMax, 'i') + "\"";
  read_header(text);
  expect_number(flags, 0);
  text = "a;item=\"" + std::string(kEventItemBytesMax + 1, 'i') + "\";coupon=:/w==:";
  read_header(text);
  expect_number(static_cast<int64_t>(events[0].item.size()), kEventItemBytesMax);
  expect_text(events[0].coupon, "\uFFFD");
  expect_number(flags, kHitFieldCut);
}

void a_directive_tells_the_same_event(void**) {
  RawEvent raw = order(" A-1001 ", "129.90");
  raw.currency = "eur";
  raw.items = "SKU1:2:29.95 SKU2:1:70.00";
  raw.coupon = "MAIL24";
  raw.customer = "c-42";
  read_directive(raw);
  expect_number(events.size(), 1);
  expect_text(events[0].name, "purchase");
  expect_text(events[0].id, "A-1001");
  expect_number(events[0].value_micros, 129'900'000);
  expect_text(events[0].currency.text(), "EUR");
  expect_number(events[0].items.size(), 2);
  expect_text(events[0].coupon, "MAIL24");
  assert_true(events[0].customer == keyed_hash(kCustomerKey, "c-42"));

  raw = {};
  raw.name = "add_to_cart";
  raw.item = "SKU1";
  raw.value = "9.95";
  read_directive(raw);
  expect_text(events[1].name, "add_to_cart");
  expect_text(events[1].item, "SKU1");
  expect_number(events[1].value_micros, 9'950'000);
  expect_number(flags, 0);
}

void a_confirmation_page_with_neither_id_nor_value_is_just_a_page(void**) {
  static constexpr struct {
    std::string_view id, value;
    int events;
    OrderFault fault;
  } kCases[] = {
      {"", "", 0, OrderFault::none},         {" ", "\t", 0, OrderFault::none},
      {"%20", "", 0, OrderFault::none},      {"", "5", 1, OrderFault::no_id},
      {"A", "", 1, OrderFault::bad_value},   {"A", "five", 1, OrderFault::bad_value},
      {"A", "-1", 1, OrderFault::bad_value}, {"A", "99999999999999999999", 1, OrderFault::bad_value},
      {"A%00", "5", 1, OrderFault::no_id},   {"A\xFF", "5", 1, OrderFault::no_id},
      {"A", "5", 1, OrderFault::none},
  };
  for (const auto& c : kCases) {
    begin(nullptr);
    read_directive(order(c.id, c.value));
    expect_number(events.size(), c.events);
    if (c.events == 1) expect_fault(events[0].fault, c.fault);
    expect_number(flags, 0);
  }
  begin(nullptr);
  text = std::string(kOrderIdBytesMax + 1, '7');  // never cut: two orders could become one
  read_directive(order(text, "5"));
  expect_fault(events[0].fault, OrderFault::no_id);
  expect_text(events[0].id, "");
}

void values_from_a_query_are_undone(void**) {
  RawEvent raw = order("A%2D1%2F7", "12%2E50");
  raw.coupon = "MAIL%2024";
  static constexpr std::string_view kItems[] = {"SKU1:2:29.95 SKU2:1:70.00", "SKU1:2:29.95+SKU2:1:70.00",
                                                "SKU1:2:29.95%20SKU2:1:70.00", "SKU1%3A2%3A29.95+SKU2%3A1%3A70.00",
                                                "SKU1%3A2%3A29.95%20SKU2%3a1%3a70.00"};
  for (const std::string_view items : kItems) {
    begin(nullptr);
    raw.items = items;
    read_directive(raw);
    expect_text(events[0].id, "A-1/7");
    expect_number(events[0].value_micros, 12'500'000);
    expect_text(events[0].coupon, "MAIL 24");
    expect_number(events[0].items.size(), 2);
    expect_text(events[0].items[1].id, "SKU2");
    expect_number(events[0].items[1].price_micros, 70'000'000);
    expect_number(flags, 0);
  }
}

void a_value_too_long_is_no_value(void**) {
  static const std::string longest = "5." + std::string(kValueBytesMax - 2, '0');
  read_directive(order("A-1", longest));
  expect_fault(events[0].fault, OrderFault::none);
  expect_number(events[0].value_micros, 5'000'000);

  static const std::string escaped = longest.substr(0, kValueBytesMax - 3) + "%30%30";  // decoded it would do
  for (const std::string& value : {longest + '0', longest + 'x', escaped}) {
    begin(nullptr);
    read_directive(order("A-1", value));
    expect_fault(events[0].fault, OrderFault::bad_value);
  }
}

void an_event_with_a_broken_name_is_dropped_and_counted(void**) {
  static const std::string long_name(kEventNameBytesMax + 1, 'n');
  for (const std::string_view name : {std::string_view(""), std::string_view("add to cart"), std::string_view("1st"),
                                      std::string_view("é"), std::string_view("a\nb"), std::string_view(long_name)}) {
    begin(nullptr);
    RawEvent raw;
    raw.name = name;
    read_directive(raw);
    expect_number(events.size(), 0);
    expect_number(flags, kHitEventsMalformed);
  }
}

void more_than_a_hits_events_are_dropped_and_counted(void**) {
  RawEvent raw;
  raw.name = "a";
  for (size_t at = 0; at < kEventsMax; ++at) read_directive(raw);
  expect_number(flags, 0);
  read_directive(raw);
  expect_number(events.size(), kEventsMax);
  expect_number(flags, kHitEventsMalformed);
}

void too_many_items_of_a_directive_leave_the_order(void**) {
  text.clear();
  for (size_t at = 0; at <= kOrderItemsMax; ++at) text += "a:1:1 ";
  RawEvent raw = order("A", "5");
  raw.items = text;
  read_directive(raw);
  expect_number(events.size(), 1);
  expect_number(events[0].items.size(), 0);
  expect_number(flags, kHitFieldCut);
}

void random_headers_never_leave_half_an_event(void**) {
  static constexpr std::string_view kPieces[] = {
      "purchase", "sign_up", ";",    "id=", "value=", "\"A\"", "1.5",      ",", " ",       "items=", "\"a:1:1", "\"",
      "\\",       ":",       "YQ==", "?1",  "(",      "\x80",  "currency", "=", "\"EUR\"", "*",      "-",       "\t"};
  uint64_t state = 7;
  const auto random = [&state](uint64_t below) {
    state = state * 6364136223846793005u + 1442695040888963407u;
    return (state >> 33) % below;
  };
  int well_formed = 0;
  for (int round = 0; round < 20'000; ++round) {
    text.clear();
    for (uint64_t at = random(12); at > 0; --at) text += kPieces[random(std::size(kPieces))];
    read_header(text);
    if ((flags & kHitEventsMalformed) != 0) {
      expect_number(events.size(), 0);
    } else {
      ++well_formed;
    }
    for (const Event& event : events) {
      assert_true(!event.name.empty() && event.name.size() <= kEventNameBytesMax);
      if (event.is_order() && event.fault == OrderFault::none) assert_true(!event.id.empty() && event.has_value);
    }
  }
  assert_true(well_formed > 100);
}

}  // namespace
}  // namespace footfall

int main() {
  using namespace footfall;
  const CMUnitTest tests[] = {
      cmocka_unit_test_setup(an_order_and_an_event_are_told, begin),
      cmocka_unit_test_setup(what_the_grammar_allows_is_read, begin),
      cmocka_unit_test_setup(what_is_off_the_grammar_tells_no_event, begin),
      cmocka_unit_test_setup(values_come_as_numbers_or_strings, begin),
      cmocka_unit_test_setup(an_order_without_id_or_value_stays_with_its_fault, begin),
      cmocka_unit_test_setup(a_header_over_a_limit_tells_no_event, begin),
      cmocka_unit_test_setup(items_off_their_form_are_left_out_and_the_order_stays, begin),
      cmocka_unit_test_setup(an_item_may_have_a_category, begin),
      cmocka_unit_test_setup(categories_of_a_directive_hold_blanks, begin),
      cmocka_unit_test_setup(a_customer_is_only_kept_as_a_hash, begin),
      cmocka_unit_test_setup(texts_are_undone_and_bounded, begin),
      cmocka_unit_test_setup(a_directive_tells_the_same_event, begin),
      cmocka_unit_test_setup(a_confirmation_page_with_neither_id_nor_value_is_just_a_page, begin),
      cmocka_unit_test_setup(values_from_a_query_are_undone, begin),
      cmocka_unit_test_setup(a_value_too_long_is_no_value, begin),
      cmocka_unit_test_setup(an_event_with_a_broken_name_is_dropped_and_counted, begin),
      cmocka_unit_test_setup(more_than_a_hits_events_are_dropped_and_counted, begin),
      cmocka_unit_test_setup(too_many_items_of_a_directive_leave_the_order, begin),
      cmocka_unit_test_setup(random_headers_never_leave_half_an_event, begin),
  };
  return cmocka_run_group_tests(tests, nullptr, nullptr);
}
