// A record as it lies in the stage; see the drawing in stage.h. For the stage's own files.
#pragma once

#include <cstdint>
#include <string_view>

#include "hit/raw_hit.h"

namespace footfall {

// The fixed part. The fields' bytes follow in the order of the drawing; these are their lengths.
struct StageRecord {
  uint32_t bytes;
  uint16_t context;
  uint16_t status;
  int64_t time_ms;
  uint64_t bytes_sent;
  uint32_t request_time_ms;
  Method method;
  ContentKind content;
  uint16_t flags;
  uint8_t address;
  uint8_t country;
  uint16_t events;
  uint16_t uri;
  uint16_t path;
  uint16_t referrer;
  uint16_t agent;
  uint16_t host;
  uint16_t visitor;
  uint16_t header;
  uint16_t unused[3];
};
static_assert(sizeof(StageRecord) == 56 && alignof(StageRecord) == 8);

enum StageRecordFlag : uint16_t {
  kRecordPrefetch = 1,
  kRecordOwnBot = 2,
  kRecordFromCache = 4,
  kRecordUriCut = 8,
  kRecordEventsCut = 16,
  kRecordEventOnly = 32,
};

// The fields of an event, in their order.
inline constexpr std::string_view RawEvent::*kRecordEventFields[] = {
    &RawEvent::name, &RawEvent::item,  &RawEvent::value,  &RawEvent::currency,
    &RawEvent::id,   &RawEvent::items, &RawEvent::coupon, &RawEvent::customer};

constexpr uint32_t round_up_to_8(size_t bytes) { return static_cast<uint32_t>((bytes + 7) / 8 * 8); }

}  // namespace footfall
