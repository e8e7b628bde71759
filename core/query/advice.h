// What the figures of /v1/roi say one should do, in plain words: only where they carry it and the models agree; else what is missing.
//
//   <dimension> verdict stake advice      ranked by stake, what is at stake: profit or loss of the time, or what was spent unjudged
//
// A row without verdict says what nobody told so far (the margin, spend); it comes first.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "query/query.h"
#include "query/report.h"
#include "query/roi.h"

namespace footfall {

// `base`: time, currency and warnings are taken from it.
Report advise(const Query& query, const RoiRows& rows, const JourneyShares* of_journeys, Report base);

// A stranger's name within a sentence: in quotes that it cannot close, printable, cut to 64 bytes.
std::string named_in_words(std::string_view name);

}  // namespace footfall
