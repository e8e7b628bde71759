// Fixed-width numbers in byte strings: their order, their round trip, and readers that meet the end too soon.
#include "base/bytes.h"

#include "test.h"

namespace footfall {
namespace {

std::string bytes;  // a static: a failed assertion leaves by longjmp

int begin(void**) { return bytes.clear(), 0; }

void numbers_lie_as_their_names_say(void**) {
  BytesWriter(bytes).u8(0xAB).le16(0x0102).le32(0x01020304).be16(0x0102).be32(0x01020304);
  expect_text(bytes, std::string_view("\xAB\x02\x01\x04\x03\x02\x01\x01\x02\x01\x02\x03\x04", 13));
}

void everything_reads_back_in_turn(void**) {
  const Hash128 hash{0x1122334455667788, 0x99AABBCCDDEEFF00};
  BytesWriter(bytes).u8(7).le16(65'535).le32(4'000'000'000).le64(UINT64_MAX).be16(1).be32(2).be64(3).hash(hash);
  BytesWriter(bytes).text16("").text16("path").bytes("rest");

  BytesReader in(bytes);
  expect_number(in.u8(), 7);
  expect_number(in.le16(), 65'535);
  expect_number(in.le32(), 4'000'000'000);
  assert_true(in.le64() == UINT64_MAX);
  expect_number(in.be16(), 1);
  expect_number(in.be32(), 2);
  expect_number(static_cast<int64_t>(in.be64()), 3);
  assert_true(in.hash() == hash);
  expect_text(in.text16(), "");
  expect_text(in.text16(), "path");
  expect_number(static_cast<int64_t>(in.left()), 4);
  expect_text(in.bytes(4), "rest");
  assert_true(in.ok() && in.at_end());
}

void big_endian_keys_sort_as_their_numbers(void**) {
  static std::string last, next;
  last.clear();
  for (const uint64_t number : {uint64_t{0}, uint64_t{1}, uint64_t{255}, uint64_t{256}, uint64_t{65'536}, UINT64_MAX}) {
    next.clear();
    BytesWriter(next).be64(number);
    assert_true(last < next);
    assert_true(load_be64(next.data()) == number);
    last = next;
  }
}

void a_reader_past_its_end_stays_bad(void**) {
  BytesWriter(bytes).le16(500).u8(1);
  BytesReader in(bytes);
  expect_number(in.le32(), 0);
  assert_false(in.ok());
  expect_number(in.u8(), 0);  // though a byte would be there
  expect_text(in.bytes(1), "");
  assert_true(in.hash().is_zero());
  assert_false(in.ok());
}

void a_text_longer_than_what_is_left_is_refused(void**) {
  BytesWriter(bytes).le16(500).bytes("short");
  BytesReader in(bytes);
  expect_text(in.text16(), "");
  assert_false(in.ok());

  BytesReader huge(bytes);
  expect_text(huge.bytes(SIZE_MAX), "");
  assert_false(huge.ok());
}

void an_empty_reader_is_well_and_at_its_end(void**) {
  BytesReader in("");
  assert_true(in.ok() && in.at_end());
  expect_text(in.bytes(0), "");
  assert_true(in.ok());
}

}  // namespace
}  // namespace footfall

int main() {
  using namespace footfall;
  const CMUnitTest tests[] = {
      cmocka_unit_test_setup(numbers_lie_as_their_names_say, begin),
      cmocka_unit_test_setup(everything_reads_back_in_turn, begin),
      cmocka_unit_test_setup(big_endian_keys_sort_as_their_numbers, begin),
      cmocka_unit_test_setup(a_reader_past_its_end_stays_bad, begin),
      cmocka_unit_test_setup(a_text_longer_than_what_is_left_is_refused, begin),
      cmocka_unit_test_setup(an_empty_reader_is_well_and_at_its_end, begin),
  };
  return cmocka_run_group_tests(tests, nullptr, nullptr);
}
