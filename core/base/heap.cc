#include "base/heap.h"

#include <malloc.h>
#include <sys/mman.h>
#include <unistd.h>

#include <cstdint>
#include <cstdlib>

namespace footfall {

// glibc has a tunable for this, but that takes the environment of a process that has not begun yet.
void use_large_pages(size_t bytes) {
  constexpr uintptr_t kPageBytes = 2 << 20;
  constexpr int kMmapBytes = 32 << 20;  // the most that glibc takes: nearly all is to lie in the heap
  mallopt(M_MMAP_THRESHOLD, kMmapBytes);
  mallopt(M_TRIM_THRESHOLD, static_cast<int>(2 * bytes));
  mallopt(M_TOP_PAD, static_cast<int>(bytes));
  void* volatile grown = std::malloc(kPageBytes);  // more than is there: the heap grows by `bytes`
  std::free(grown);
  const uintptr_t end = reinterpret_cast<uintptr_t>(sbrk(0)) / kPageBytes * kPageBytes;
  madvise(reinterpret_cast<void*>(end - bytes), bytes, MADV_HUGEPAGE);
}

}  // namespace footfall
