// Campaign arguments and click ids of a query.
#include "hit/campaign.h"

#include "base/limits.h"
#include "test.h"

namespace footfall {
namespace {

TextArena arena;
Hit hit;
std::string query;

const Hit& read(std::string_view text) {
  arena.clear();
  hit = Hit();
  read_campaign(text, arena, hit);
  return hit;
}

// source|medium|campaign|content|term
std::string fields() {
  std::string all;
  for (const std::string_view field : {hit.source, hit.medium, hit.campaign, hit.content_label, hit.term}) {
    all.append(field).append("|");
  }
  all.pop_back();
  return all;
}

void the_parts_of_a_touch_are_read(void**) {
  static constexpr struct {
    std::string_view query, fields;
    bool has_utm;
  } kCases[] = {
      {"", "||||", false},
      {"utm_source=google&utm_medium=cpc&utm_campaign=spring&utm_content=red&utm_term=shoes",
       "google|cpc|spring|red|shoes", true},
      {"source=mail", "mail||||", false},
      {"ref=blog", "blog||||", false},
      {"ref=blog&source=mail", "mail||||", false},               // source before ref
      {"ref=blog&source=mail&utm_source=Ads", "ads||||", true},  // utm_source before both
      {"utm_source=&ref=blog", "blog||||", false},               // empty is absent
      {"utm_source=+&source=mail", "mail||||", false},
      {"utm_id=77", "||77||", true},
      {"utm_id=77&utm_campaign=spring", "||spring||", true},
      {"utm_id=77&utm_campaign=%20", "||77||", true},
      {"utm_source=a&utm_source=b", "a||||", true},  // the first of equal names
      {"utm_source=&utm_source=b", "b||||", true},
      {"UTM_SOURCE=a&Utm_Medium=b", "||||", false},  // names are case-sensitive
      {"utm%5Fsource=a", "a||||", true},
      {"utm_source=News%20Letter&utm_medium=E-MAIL&utm_campaign=Spring+Sale", "news letter|e-mail|Spring Sale||", true},
      {"utm_source=%C3%84RZTE", "\u00C4rzte||||", true},  // lower case is A-Z alone
      {"utm_source=++a++b++", "a  b||||", true},
      {"utm_source=a%26b%3Dc", "a&b=c||||", true},
      {"utm_source=a;utm_medium=b", "a;utm_medium=b||||", true},
      {"utm_source_platform=x", "||||", true},  // any utm_ argument with a value
      {"utm_=x", "||||", false},
      {"utm_nooverride=", "||||", false},
      {"xutm_source=a&utm_source2=", "||||", false},
      {"utm_source", "||||", false},
  };
  for (const auto& c : kCases) {
    read(c.query);
    expect_text(fields(), c.fields);
    assert_int_equal((hit.flags & kHitHasUtm) != 0, c.has_utm);
    assert_int_equal(hit.flags & kHitFieldCut, 0);
  }
}

void click_ids_are_kept_by_kind_alone(void**) {
  static constexpr struct {
    std::string_view name;
    ClickId kind;
  } kCases[] = {
      {"gclid", ClickId::gclid},           {"gbraid", ClickId::gbraid}, {"wbraid", ClickId::wbraid},
      {"gad_source", ClickId::gad_source}, {"dclid", ClickId::dclid},   {"msclkid", ClickId::msclkid},
      {"fbclid", ClickId::fbclid},         {"ttclid", ClickId::ttclid}, {"twclid", ClickId::twclid},
      {"li_fat_id", ClickId::li_fat_id},   {"yclid", ClickId::yclid},
  };
  for (const auto& c : kCases) {
    query = std::string(c.name) + "=secret%20value";
    expect_number(read(query).click_ids, click_id_bit(c.kind));
    assert_false(hit.has_campaign());
    assert_int_equal(hit.flags, 0);
    query = std::string(c.name) + "=";
    expect_number(read(query).click_ids, 0);
  }
  expect_number(read("gclid=1&fbclid=2&GCLID=3&yclid").click_ids,
                click_id_bit(ClickId::gclid) | click_id_bit(ClickId::fbclid));
}

void bytes_that_are_no_text_are_replaced_and_counted(void**) {
  static constexpr struct {
    std::string_view query, campaign;
  } kCases[] = {
      {"utm_campaign=a%00b", "a\uFFFDb"}, {"utm_campaign=a%0D%0ASet-Cookie:x", "a\uFFFD\uFFFDSet-Cookie:x"},
      {"utm_campaign=%FF", "\uFFFD"},     {"utm_campaign=\xC3", "\uFFFD"},
      {"utm_campaign=%C3%28", "\uFFFD("},
  };
  for (const auto& c : kCases) {
    expect_text(read(c.query).campaign, c.campaign);
    assert_true((hit.flags & kHitFieldCut) != 0);
  }
}

void long_values_are_cut_and_counted(void**) {
  query = "utm_term=" + std::string(kCampaignFieldBytesMax, 'x');
  expect_number(static_cast<int64_t>(read(query).term.size()), kCampaignFieldBytesMax);
  assert_int_equal(hit.flags & kHitFieldCut, 0);
  query += "x";
  expect_number(static_cast<int64_t>(read(query).term.size()), kCampaignFieldBytesMax);
  assert_true((hit.flags & kHitFieldCut) != 0);
  query = "utm_source=" + std::string(kCampaignFieldBytesMax - 1, 'X') + "%C3%A9";
  expect_text(read(query).source, std::string(kCampaignFieldBytesMax - 1, 'x'));
}

void a_value_that_nobody_shows_is_not_counted_as_cut(void**) {
  query = "source=" + std::string(500, 'x') + "&utm_source=mail&gclid=" + std::string(3000, '%');
  expect_text(read(query).source, "mail");
  assert_int_equal(hit.flags & kHitFieldCut, 0);
}

void a_thousand_arguments_fill_nothing(void**) {
  query.clear();
  for (int at = 0; at < 1000; ++at) query += "gclid=%20+x" + std::to_string(at) + "&utm_medium=+&noise=%41&";
  query += "utm_medium=cpc";
  expect_text(read(query).medium, "cpc");
  assert_true(arena.size() < 100);
}

}  // namespace
}  // namespace footfall

int main() {
  using namespace footfall;
  const CMUnitTest tests[] = {
      cmocka_unit_test(the_parts_of_a_touch_are_read),
      cmocka_unit_test(click_ids_are_kept_by_kind_alone),
      cmocka_unit_test(bytes_that_are_no_text_are_replaced_and_counted),
      cmocka_unit_test(long_values_are_cut_and_counted),
      cmocka_unit_test(a_value_that_nobody_shows_is_not_counted_as_cut),
      cmocka_unit_test(a_thousand_arguments_fill_nothing),
  };
  return cmocka_run_group_tests(tests, nullptr, nullptr);
}
