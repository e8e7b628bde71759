#include "credit/near_miss.h"

#include <algorithm>

#include "random.h"
#include "test.h"

namespace footfall {
namespace {

std::string near(std::vector<std::string> names, std::vector<std::string> known) {
  constexpr std::string_view kHow[] = {"case", "alias", "spelling"};
  std::string text;
  for (const NearMiss& miss : near_misses(std::move(names), std::move(known)))
    text.append(text.empty() ? "" : ", ").append(miss.name).append(" ").append(kHow[static_cast<size_t>(miss.how)]).append(" ").append(miss.known);
  return text;
}

void letter_case_goes_first(void**) {
  expect_text(near({"Spring"}, {"sprung", "spring", "spring2"}), "Spring case spring");
  expect_text(near({"FB"}, {"facebook", "fb"}), "FB case fb");
}

void aliases_are_the_same_source(void**) {
  expect_text(near({"fb", "m.facebook.com"}, {"facebook", "google"}), "fb alias facebook, m.facebook.com alias facebook");
  expect_text(near({"facebook"}, {"fb"}), "facebook alias fb");
}

void the_nearest_spelling_is_taken(void**) {
  expect_text(near({"newsleter"}, {"newsletters", "newsletter", "newspaper"}), "newsleter spelling newsletter");
  expect_text(near({"spring_sale", "Spring Sale"}, {"spring-sale"}), "Spring Sale spelling spring-sale, spring_sale spelling spring-sale");
  expect_text(near({"mailx"}, {"mails", "mailo"}), "mailx spelling mailo");  // the first of equals
}

void what_is_far_is_no_near_miss(void**) {
  expect_text(near({"summer"}, {"winter", "spring"}), "");
  expect_text(near({"mailx"}, {"mayly"}), "");         // two edits of five letters
  expect_text(near({"newslexxer"}, {"newsletter"}), "newslexxer spelling newsletter");
  expect_text(near({"newsxxxxer"}, {"newsletter"}), "");
  expect_text(near({"tv"}, {"tw", "tk"}), "");         // too short
  expect_text(near({std::string(65, 'a')}, {std::string(65, 'a') + "b"}), "");
}

void other_figures_are_another_name(void**) {
  expect_text(near({"mailing-2026-10"}, {"mailing-2026-11", "mailing-2026-01"}), "");
  expect_text(near({"mailing2026-10"}, {"mailing-2026-10"}), "mailing2026-10 spelling mailing-2026-10");
}

void known_names_are_no_miss(void**) {
  expect_text(near({"fb", "fb"}, {"fb", "facebook"}), "");
  expect_text(near({"Fb", "Fb"}, {"fb"}), "Fb case fb");
  expect_text(near({}, {"a"}), "");
  expect_text(near({"a"}, {}), "");
  expect_text(near({"", "a"}, {""}), "");
}

void order_makes_no_difference(void**) {
  Random random(1);
  std::vector<std::string> names, known;
  for (int i = 0; i < 200; ++i) {
    std::string name = "campaign";
    for (int edits = 0; edits < 3; ++edits) name[random.below(name.size())] = static_cast<char>('a' + random.below(26));
    (i % 2 == 0 ? names : known).push_back(name);
  }
  const std::string text = near(names, known);
  assert_true(text.size() > 100);
  std::reverse(names.begin(), names.end()), std::reverse(known.begin(), known.end());
  expect_text(near(names, known), text);
}

// 2,000 by 2,000 names of the same letters, each 64 long: it gives up spelling, and nothing else.
void hostile_names_end(void**) {
  Random random(2);
  std::vector<std::string> names, known;
  for (int i = 0; i < 4000; ++i) {
    std::string name;
    for (int j = 0; j < 32; ++j) name += random.below(2) == 0 ? "ab" : "ba";
    (i % 2 == 0 ? names : known).push_back(name);
  }
  names.insert(names.end(), {"newsleter", "x"}), known.insert(known.end(), {"newsletter", "X"});
  const std::vector<NearMiss> misses = near_misses(names, known);
  expect_text(misses.back().name, "x");
  assert_true(misses.back().how == Nearness::letter_case);
  assert_true(std::none_of(misses.begin(), misses.end(), [](const NearMiss& miss) { return miss.name == "newsleter"; }));
}

}  // namespace
}  // namespace footfall

int main() {
  using namespace footfall;
  const CMUnitTest tests[] = {
      cmocka_unit_test(letter_case_goes_first),
      cmocka_unit_test(aliases_are_the_same_source),
      cmocka_unit_test(the_nearest_spelling_is_taken),
      cmocka_unit_test(what_is_far_is_no_near_miss),
      cmocka_unit_test(other_figures_are_another_name),
      cmocka_unit_test(known_names_are_no_miss),
      cmocka_unit_test(order_makes_no_difference),
      cmocka_unit_test(hostile_names_end),
  };
  return cmocka_run_group_tests(tests, nullptr, nullptr);
}
