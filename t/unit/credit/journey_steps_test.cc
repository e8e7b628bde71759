#include "credit/journey_steps.h"

#include <string>

#include "random.h"
#include "test.h"

namespace footfall {
namespace {

std::string steps(std::vector<std::string_view> values, bool with_set = true) {
  std::string all;
  for (const std::string& step : journey_steps(values, with_set)) all += step + "\n";
  return all;
}

void a_journey_is_a_text_or_its_steps(void**) {
  expect_text(steps({}), "");
  expect_text(steps({"email"}), "o5:email\n");
  expect_text(steps({"email", "email"}), "o5:email\n");
  expect_text(steps({""}), "o-\n");
  expect_text(steps({"b", "", "", "a", "b"}), "s^1:b\ns1:b-\ns-1:a\ns1:a1:b\ns1:b^\nc-1:a1:b\n");
  expect_text(steps({"b", "a"}, false), "s^1:b\ns1:b1:a\ns1:a^\n");
  expect_text(with_lookbacks(kAllLookbacks, "o-"), "fo-");
  expect_text(with_lookbacks(0b0100, "o-"), "4o-");
}

// Whatever the values: what is read back is what was counted.
void what_is_read_is_what_was_written(void**) {
  Random random(5);
  for (int run = 0; run < 200; ++run) {
    JourneyCounts counts(2, true);
    Transitions transitions;
    ChannelSets sets;
    for (int journey = 0; journey < 20; ++journey) {
      std::vector<std::string> values;
      for (uint64_t left = 1 + random.below(6); left > 0; --left) {
        std::string& value = values.emplace_back();
        for (uint64_t bytes = random.below(4); bytes > 0; --bytes) value.push_back("3:^-o\t\0\xff"[random.below(8)]);
      }
      const std::vector<std::string_view> views(values.begin(), values.end());
      const int64_t converted = static_cast<int64_t>(random.below(3)), lost = static_cast<int64_t>(random.below(3));
      for (const std::string& step : journey_steps(views, true)) {
        assert_true(counts.add(with_lookbacks(0b0110, step), converted, lost));
        assert_true(counts.add(with_lookbacks(0b1011, step), 7, 7));  // of other lookbacks
      }
      transitions.add(views, true, static_cast<uint64_t>(converted));
      transitions.add(views, false, static_cast<uint64_t>(lost));
      sets.add(views, true, static_cast<uint64_t>(converted));
      sets.add(views, false, static_cast<uint64_t>(lost));
    }
    const JourneyCounts::Models models = counts.models();
    assert_false(models.has_negative);
    assert_true(models.transitions.encode() == transitions.encode());
    assert_true(models.sets.encode() == sets.encode());
  }
}

void parts_of_a_count_may_be_negative_its_sum_may_not(void**) {
  JourneyCounts counts(0, true);
  assert_true(counts.add("fo1:a", 0, 1));
  assert_true(counts.add("1o1:a", 0, -1));
  assert_true(counts.add("1o1:b", 0, 1));
  assert_false(counts.models().has_negative);
  expect_number(static_cast<int64_t>(counts.models().transitions.size()), 2);
  assert_true(counts.add("1o1:b", 0, -2));
  assert_true(counts.models().has_negative);
  assert_true(counts.models().transitions.empty());
}

void other_texts_are_refused(void**) {
  JourneyCounts counts(0, true);
  for (const char* text : {"", "f", "fo", "0o1:a", "go1:a", "fo1:", "fo2:a", "fo0:", "fo1:ab", "fo^", "fs1:a", "fs^^", "fs1:a1:b1:c", "fc1:a",
                           "fc1:a^", "fx1:a", "fo-1:a", "fo99999999999999999999:a", "fo1a", "fs^"})
    if (counts.add(text, 1, 1)) fail_msg("%s was taken", text);
  assert_true(counts.models().transitions.empty());
}

}  // namespace
}  // namespace footfall

int main() {
  using namespace footfall;
  const CMUnitTest tests[] = {
      cmocka_unit_test(a_journey_is_a_text_or_its_steps),
      cmocka_unit_test(what_is_read_is_what_was_written),
      cmocka_unit_test(parts_of_a_count_may_be_negative_its_sum_may_not),
      cmocka_unit_test(other_texts_are_refused),
  };
  return cmocka_run_group_tests(tests, nullptr, nullptr);
}
