// The heap of a process that is to keep much in it for a while, and reads it all over: in large pages, which the processor
// finds its way to sooner.
#pragma once

#include <cstddef>

namespace footfall {

// Once, before the process has threads. `bytes`: by which the heap grows at a time; they are memory in use only as they
// are written to, 2 MiB at once. Where the kernel gives no large pages, or it is no such heap, nothing changes.
void use_large_pages(size_t bytes);

}  // namespace footfall
