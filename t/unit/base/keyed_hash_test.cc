// Keyed hashes: known answers, keys and parts that are told apart, and names of strings.
#include "base/keyed_hash.h"

#include <sodium.h>

#include "base/bytes.h"
#include "test.h"

namespace footfall {
namespace {

Secret256 secret_of(uint8_t fill) {
  Secret256 secret;
  secret.fill(fill);
  return secret;
}

Key128 counting_key() {
  Key128 key;
  for (size_t at = 0; at < key.size(); ++at) key[at] = static_cast<uint8_t>(at);
  return key;
}

// The answer is that of `openssl mac -macopt size:16 SIPHASH` over 09 00 00 00 "visitor-1agent". A change here would
// make every stored visitor a new one.
void the_hash_of_a_visitor_never_changes(void**) {
  const Hash128 hash = keyed_hash(counting_key(), "visitor-1", "agent");
  assert_true(hash == keyed_hash(counting_key(), "visitor-1", "agent"));
  char text[40];
  snprintf(text, sizeof text, "%016llx%016llx", static_cast<unsigned long long>(hash.high),
           static_cast<unsigned long long>(hash.low));
  expect_text(text, "a642674d9e4bf6efde1ef0cbfb08c60f");
}

void parts_are_told_apart_by_their_lengths(void**) {
  const Key128 key = counting_key();
  assert_false(keyed_hash(key, "ab", "c") == keyed_hash(key, "a", "bc"));
  assert_false(keyed_hash(key, "abc") == keyed_hash(key, "ab", "c"));
  assert_false(keyed_hash(key, "") == keyed_hash(key, std::string_view("\0", 1)));
  assert_true(keyed_hash(key, "abc") == keyed_hash(key, "abc", ""));
}

// libsodium's hash of the same message in one piece.
Hash128 whole_hash(std::string_view beginning, std::string_view end) {
  static std::string message;
  message.assign(4, '\0');
  store_le32(message.data(), static_cast<uint32_t>(beginning.size()));
  message += beginning;
  message.resize((message.size() + 7) / 8 * 8);
  message += end;
  uint8_t out[16];
  crypto_shorthash_siphashx24(out, reinterpret_cast<const uint8_t*>(message.data()), message.size(),
                              counting_key().data());
  return {load_le64(out), load_le64(out + 8)};
}

void a_hash_that_goes_on_is_that_of_the_whole(void**) {
  static std::string beginning;
  constexpr std::string_view kEnd = "sixteen bytes...";
  for (size_t bytes = 0; bytes < 600; ++bytes) {
    beginning.push_back(static_cast<char>('A' + bytes * 7 % 50));
    const HashBeginning hash(counting_key(), beginning);
    assert_true(hash.with_end(load_le64(kEnd.data()), load_le64(kEnd.data() + 8)) == whole_hash(beginning, kEnd));
    assert_false(hash.with_end(1, 2) == hash.with_end(2, 1));
  }
  assert_true(HashBeginning(counting_key(), "").with_end(load_le64(kEnd.data()), load_le64(kEnd.data() + 8)) ==
              whole_hash("", kEnd));
}

void another_key_gives_another_hash(void**) {
  const Key128 ids = derive_key(secret_of(1), "visitor id");
  const Key128 customers = derive_key(secret_of(1), "customer");
  const Key128 elsewhere = derive_key(secret_of(2), "visitor id");
  assert_true(ids == derive_key(secret_of(1), "visitor id"));
  assert_false(ids == customers);
  assert_false(ids == elsewhere);
  assert_false(keyed_hash(ids, "x") == keyed_hash(customers, "x"));
}

void messages_longer_than_the_stack_buffer_hash_alike(void**) {
  static const std::string long_text(5000, 'x');
  const Key128 key = counting_key();
  assert_true(keyed_hash(key, long_text) == keyed_hash(key, long_text));
  assert_false(keyed_hash(key, long_text) == keyed_hash(key, std::string_view(long_text).substr(1)));
  // 1020 + 4 bytes just fit, 1021 do not
  assert_false(keyed_hash(key, std::string_view(long_text).substr(0, 1020)) ==
               keyed_hash(key, std::string_view(long_text).substr(0, 1021)));
}

void string_names_depend_on_the_secret_and_the_text(void**) {
  const StringHasher ours(secret_of(1)), same(secret_of(1)), theirs(secret_of(2));
  assert_true(ours("/cart") == same("/cart"));
  assert_false(ours("/cart") == theirs("/cart"));
  assert_false(ours("/cart") == ours("/carT"));
  assert_false(ours("").is_zero());
}

void random_bytes_differ_and_wiping_leaves_zeros(void**) {
  Secret256 first{}, second{};
  random_bytes(first.data(), first.size());
  random_bytes(second.data(), second.size());
  assert_false(first == second);
  wipe(first.data(), first.size());
  assert_true(first == Secret256{});
}

void hashes_sort_by_their_high_half_first(void**) {
  assert_true((Hash128{1, 0} > Hash128{0, UINT64_MAX}));
  assert_true((Hash128{1, 1} > Hash128{1, 0}));
  assert_true(Hash128{}.is_zero());
  assert_false((Hash128{0, 1}.is_zero()));
}

}  // namespace
}  // namespace footfall

int main() {
  using namespace footfall;
  const CMUnitTest tests[] = {
      cmocka_unit_test(the_hash_of_a_visitor_never_changes),
      cmocka_unit_test(parts_are_told_apart_by_their_lengths),
      cmocka_unit_test(a_hash_that_goes_on_is_that_of_the_whole),
      cmocka_unit_test(another_key_gives_another_hash),
      cmocka_unit_test(messages_longer_than_the_stack_buffer_hash_alike),
      cmocka_unit_test(string_names_depend_on_the_secret_and_the_text),
      cmocka_unit_test(random_bytes_differ_and_wiping_leaves_zeros),
      cmocka_unit_test(hashes_sort_by_their_high_half_first),
  };
  return cmocka_run_group_tests(tests, nullptr, nullptr);
}
