// Every bound of footfall in one place, proven together. Sources: the caps that `core/README.md` states to users.
#pragma once

#include <cstddef>
#include <cstdint>

namespace footfall {

// What one request may bring; longer values are cut (never inside an escape or a character) or refused, and counted.
inline constexpr size_t kPathBytesMax = 1024;          // normalised path with its kept arguments
inline constexpr size_t kAgentBytesMax = 512;          // cut before hashing
inline constexpr size_t kReferrerHostBytesMax = 253;   // longest DNS name
inline constexpr size_t kReferrerPathBytesMax = 512;
inline constexpr size_t kCampaignFieldBytesMax = 256;  // each of source, medium, campaign, content, term
inline constexpr size_t kVisitorIdBytesMax = 256;
inline constexpr size_t kEventHeaderBytesMax = 4096;   // a longer header is refused whole
inline constexpr size_t kEventsMax = 16;               // of one hit
inline constexpr size_t kEventNameBytesMax = 64;
inline constexpr size_t kEventItemBytesMax = 128;
inline constexpr size_t kOrderIdBytesMax = 128;
inline constexpr size_t kOrderItemsMax = 100;
inline constexpr size_t kCouponBytesMax = 128;
inline constexpr size_t kSiteNameBytesMax = 64;
inline constexpr size_t kSitesMax = 256;               // more go to the site `other`
inline constexpr int64_t kValueUnitsMax = 1'000'000'000;  // an order's or event's |value| lies below, in currency units

// What the raw record keeps of one request before it is read.
inline constexpr size_t kRawUriBytesMax = 4096;
inline constexpr size_t kRawPathBytesMax = 2048;       // footfall_path's value
inline constexpr size_t kRawReferrerBytesMax = 2048;
inline constexpr size_t kRawHostBytesMax = 255;
inline constexpr size_t kRawRecordBytesMax = 20 * 1024;

inline constexpr size_t kHitBytesMax = 8 * 1024;       // one encoded hit
inline constexpr size_t kBlockBytesMax = 65'472;       // a ring block: fits 16 LMDB overflow pages of 4 KiB
inline constexpr size_t kBlockSitesMax = kSitesMax + 1;
inline constexpr unsigned kLanesMax = 256;

static_assert(kHitBytesMax < kBlockBytesMax / 2, "a block holds several of the largest hits");
static_assert(kRawUriBytesMax + kRawPathBytesMax + kRawReferrerBytesMax + kAgentBytesMax + kVisitorIdBytesMax +
                  kRawHostBytesMax + 2 * kEventHeaderBytesMax + 256 < kRawRecordBytesMax,
              "every field at its bound, and as many events of directives as a header holds, fit a raw record");

// What the aggregator keeps of one visitor.
inline constexpr size_t kTouchesMax = 50;              // the first and the newest 49
inline constexpr size_t kVisitPagesMax = 4096;         // distinct pages of one visit told apart; more count as views alone

}  // namespace footfall
