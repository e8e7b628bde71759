// A visit as it is kept for good: what it was, and each of its facts with the fact's own time. Closed visits are stored as
// rows of this form, later in blocks by columns (visit_block.h); an open visit can be read as one.
//
// A record that is no visit (kKeptIsVisit is not set) only carries facts: events and orders that had no visitor (its touch is
// direct), or the first steps of a visit with very many (kVisitStepsBytesMax). It counts as no visit, entry, exit or visitor.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "visit/kept_steps.h"
#include "visit/visit_record.h"

namespace footfall {

enum : uint8_t {  // numbers are stored
  kKeptIsVisit = 1,
  kKeptConverted = 2,  // an order or a reached goal
  kKeptWithCart = 4,
  kKeptCartLeft = 8,  // a cart and no order
  kKeptBounce = 16,   // one page view and no event
};

struct KeptVisit : KeptSteps {  // texts are views into what it was made from; empty: null
  int64_t start_ms = 0;         // its figures, but for those of its steps, belong to that time
  int64_t duration_ms = 0;      // to the last page or event
  uint64_t visitor = 0;         // what it adds to distinct counts: of the key that it began with; 0: no visitor
  uint64_t visitor_after = 0;   // of the key that took it over; 0: none did
  uint16_t import = 0;          // 0: live
  uint8_t flags = 0;
  KeptTouch first_touch;
  std::string_view country, device, browser, os;
  std::string_view new_returning;

  bool is_visit() const { return (flags & kKeptIsVisit) != 0; }
  void clear();
};

// As the visit stands. `visitor_now`: the key's part that the visit is under, as Visit::distinct_visitor.
KeptVisit kept_visit_of(const Visit& visit, uint64_t visitor_now);

// The row form; the layout stands in kept_visit.cc. The second gives the same as encoding kept_visit_of(), for less.
std::string encode_kept_visit(const KeptVisit& visit);
std::string encode_kept_visit(const Visit& visit, uint64_t visitor_now);

// Replaces what `to` holds. False: the bytes are no such row.
bool decode_kept_visit(std::string_view bytes, KeptVisit& to);

// The part of a row that tells which facts it may have, without decoding the rest.
struct KeptSpan {
  int64_t start_ms = 0;
  int64_t last_ms = 0;
};
bool read_kept_span(std::string_view bytes, KeptSpan& to);

}  // namespace footfall
