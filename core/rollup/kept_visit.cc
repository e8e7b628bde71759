#include "rollup/kept_visit.h"

#include <algorithm>

namespace footfall {
namespace {

// row: version u8 | start_ms u64 | duration_ms varint | flags u8 | import varint | visitor u64 | visitor_after varint |
//      touch | country, device, browser, os, new_returning: text each | steps      (touch, steps: visit/kept_steps.cc)
constexpr uint8_t kVersion = 1;

std::string encode_head(const KeptVisit& visit, size_t steps_bytes) {
  std::string bytes;
  bytes.reserve(160 + steps_bytes);
  BytesWriter writer(bytes);
  writer.u8(kVersion).le64(static_cast<uint64_t>(visit.start_ms));
  writer.varint(static_cast<uint64_t>(std::max<int64_t>(visit.duration_ms, 0))).u8(visit.flags).varint(visit.import);
  writer.le64(visit.visitor).varint(visit.visitor_after);
  encode_kept_touch(visit.first_touch, writer);
  writer.text(visit.country).text(visit.device).text(visit.browser).text(visit.os).text(visit.new_returning);
  return bytes;
}

KeptVisit head_of(const Visit& visit, uint64_t visitor_now) {
  const VisitFigures figures = visit.figures();
  KeptVisit kept;
  kept.start_ms = visit.start_ms;
  kept.duration_ms = figures.duration_ms;
  kept.visitor = visit.distinct_visitor;
  kept.visitor_after = visitor_now == visit.distinct_visitor ? 0 : visitor_now;
  kept.import = visit.import;
  kept.flags = static_cast<uint8_t>(kKeptIsVisit | (figures.converted != 0 ? kKeptConverted : 0) |
                                    (figures.with_cart != 0 ? kKeptWithCart : 0) |
                                    (figures.cart_left != 0 ? kKeptCartLeft : 0) | (figures.bounces != 0 ? kKeptBounce : 0));
  kept.first_touch = kept_touch_of(visit.first_touch);
  kept.country = visit.country;
  kept.device = device_name(visit.device);
  kept.browser = browser_name(visit.browser);
  kept.os = system_name(visit.system);
  kept.new_returning = new_returning_name(visit.new_returning);
  return kept;
}

}  // namespace

void KeptVisit::clear() {
  KeptSteps steps = std::move(static_cast<KeptSteps&>(*this));  // keeps its room
  steps.views.clear();
  steps.events.clear();
  steps.conversions.clear();
  *this = KeptVisit();
  static_cast<KeptSteps&>(*this) = std::move(steps);
}

KeptVisit kept_visit_of(const Visit& visit, uint64_t visitor_now) {
  KeptVisit kept = head_of(visit, visitor_now);
  decode_steps(visit.steps, kept);
  return kept;
}

std::string encode_kept_visit(const KeptVisit& visit) {
  const std::string steps = encode_steps(visit);
  return encode_head(visit, steps.size()) + steps;
}

std::string encode_kept_visit(const Visit& visit, uint64_t visitor_now) {
  std::string bytes = encode_head(head_of(visit, visitor_now), visit.steps.size());
  return bytes.append(visit.steps);
}

bool decode_kept_visit(std::string_view bytes, KeptVisit& to) {
  BytesReader reader(bytes);
  to.clear();
  if (reader.u8() != kVersion) return false;
  to.start_ms = static_cast<int64_t>(reader.le64());
  to.duration_ms = static_cast<int64_t>(reader.varint() & INT64_MAX);
  to.flags = reader.u8();
  to.import = static_cast<uint16_t>(reader.varint());
  to.visitor = reader.le64();
  to.visitor_after = reader.varint();
  to.first_touch = decode_kept_touch(reader);
  to.country = reader.text();
  to.device = reader.text();
  to.browser = reader.text();
  to.os = reader.text();
  to.new_returning = reader.text();
  return reader.ok() && decode_steps(reader.bytes(reader.left()), to);
}

bool read_kept_span(std::string_view bytes, KeptSpan& to) {
  BytesReader reader(bytes);
  if (reader.u8() != kVersion) return false;
  to.start_ms = static_cast<int64_t>(reader.le64());
  to.last_ms = to.start_ms + static_cast<int64_t>(reader.varint() & (INT64_MAX >> 1));
  return reader.ok();
}

}  // namespace footfall
