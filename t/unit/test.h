// What every unit test includes: cmocka as it wants to be included, and comparisons that print what they compared.
//
// cmocka leaves a failed test by longjmp: keep what has a destructor in statics or fixtures, not on the test's stack.
#pragma once

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

extern "C" {
#include <cmocka.h>
}

#include <string>
#include <string_view>

// Texts of any kind, shown in full when they differ.
#define expect_text(actual, expected) footfall_expect_text((actual), (expected), __FILE__, __LINE__)

inline void footfall_expect_text(std::string_view actual, std::string_view expected, const char* file, int line) {
  if (actual == expected) return;
  print_error("%s:%d: \"%.*s\" is not \"%.*s\"\n", file, line, static_cast<int>(actual.size()), actual.data(),
              static_cast<int>(expected.size()), expected.data());
  _fail(file, line);
}

// Signed numbers: cmocka's own macros compare and print unsigned ones.
#define expect_number(actual, expected) footfall_expect_number((actual), (expected), __FILE__, __LINE__)

inline void footfall_expect_number(int64_t actual, int64_t expected, const char* file, int line) {
  if (actual == expected) return;
  print_error("%s:%d: %lld is not %lld\n", file, line, static_cast<long long>(actual),
              static_cast<long long>(expected));
  _fail(file, line);
}
