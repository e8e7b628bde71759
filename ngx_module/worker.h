// The module's life in nginx's processes. The master makes the store; each worker (or the single process) claims a
// lane, moves its hits with footfall's own threads, and ticks.
#pragma once

#include <cstdint>
#include <optional>
#include <string_view>

#include "hit/raw_hit.h"
#include "lane/stage_writer.h"
#include "ngx.h"
#include "query/health.h"

namespace footfall {

// What the log phase writes to. The event loop's alone.
struct Capture {
  StageWriter* writer = nullptr;  // null: this process holds no lane (yet)
  RawHit* hit = nullptr;          // overwritten by each request; its events are reserved once
  uint64_t missed = 0;            // hits that ended while there was no lane
};
extern Capture capture;

// The index of the site in the stage's table of contexts, for what is told outside of requests. kNoContext: this process
// has no lane, or the table is full.
uint16_t context_of_site(std::string_view site);

// Why this process captures nothing, if so. Any thread may ask.
std::optional<HealthFault> capture_fault();

// Faults are warnings: nginx starts and serves whatever state the store is in.
ngx_int_t init_module(ngx_cycle_t* cycle) noexcept;
ngx_int_t init_process(ngx_cycle_t* cycle) noexcept;
void exit_process(ngx_cycle_t* cycle) noexcept;

}  // namespace footfall
