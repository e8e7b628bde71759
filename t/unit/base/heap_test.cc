// A heap in large pages: whether the kernel was asked for them, where glibc's own heap lies.
#include "base/heap.h"

#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <fstream>
#include <string>

#include "test.h"

namespace footfall {
namespace {

constexpr size_t kBytes = 64 << 20;

// The flags of the mapping that holds the address, as /proc/self/smaps has them; empty: not found.
std::string mapping_flags(const void* address) {
  const auto wanted = reinterpret_cast<uintptr_t>(address);
  std::ifstream smaps("/proc/self/smaps");
  bool is_wanted = false;
  for (std::string line; std::getline(smaps, line);) {
    unsigned long begin = 0, end = 0;
    if (std::sscanf(line.c_str(), "%lx-%lx ", &begin, &end) == 2) is_wanted = begin <= wanted && wanted < end;
    if (is_wanted && line.rfind("VmFlags:", 0) == 0) return line + " ";
  }
  return {};
}

void the_heap_asks_for_large_pages(void**) {
#ifdef __SANITIZE_ADDRESS__
  skip();  // has a heap of its own
#endif
  use_large_pages(kBytes);
  void* const small = std::malloc(1000);
  void* const large = std::malloc(kBytes / 4);  // by itself it would be a mapping of its own
  const std::string flags = mapping_flags(static_cast<char*>(large) + kBytes / 8);
  std::free(large);
  std::free(small);
  assert_non_null(std::strstr(flags.c_str(), " hg "));
}

}  // namespace
}  // namespace footfall

int main() {
  using namespace footfall;
  const CMUnitTest tests[] = {cmocka_unit_test(the_heap_asks_for_large_pages)};
  return cmocka_run_group_tests(tests, nullptr, nullptr);
}
