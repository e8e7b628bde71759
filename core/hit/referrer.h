// Where a request says that it came from: host and path of the Referer header, and the request's own host to compare.
#pragma once

#include <array>
#include <cstdint>
#include <string_view>

#include "base/limits.h"
#include "hit/hit.h"
#include "hit/lists.h"
#include "hit/text.h"
#include "hit/text_memo.h"

namespace footfall {

// `authority` ([user@]host[:port]) as the one spelling of its host: lower-case, without port, user, trailing dot and
// leading `www.` (but `www.com` stays: what is left must hold a dot). IPv6 literals keep their brackets. Empty: no
// valid host (letters, digits, - . _ alone; at most kReferrerHostBytesMax; no empty label; international names come as
// punycode, raw ones are refused).
std::string_view normal_host(std::string_view authority, TextArena& arena);

// Where a hit came from.
struct ReferrerPage {
  std::string_view host, path;
  bool whole = true;  // false: the path was cut
};

// Of a trimmed Referer up to its query or fragment. Only http, https and android-app count; of other schemes, and
// without a valid host, there is no referrer. The path is normal (url.h).
ReferrerPage read_referrer_page(std::string_view page, TextArena& arena);

// Reads the Referer header of one hit after the other, and remembers pages, for a page leads to others and brings what
// it consists of. Not thread-safe.
class ReferrerReader {
 public:
  // Sets the hit's referrer fields, and kHitReferrerOwn where its host is that of the request. What was searched for is
  // read of others alone.
  void read(std::string_view referrer, std::string_view own_host, TextArena& arena, Hit& hit);

 private:
  struct Page {
    uint16_t host_begin, host_bytes, path_begin, path_bytes;
    bool is_source_known = false;  // `source` has been looked for
    const KnownSource* source = nullptr;
  };
  ReferrerPage page_of(std::string_view page, TextArena& arena);
  const KnownSource* source_of(std::string_view host);
  bool is_own(std::string_view host, std::string_view own_host, TextArena& arena);

  TextMemo<Page, 128, 512> pages_;
  Page* page_ = nullptr;  // the last one, where it is remembered
  // The last request's own host, as sent and normal: mostly it is the next one's.
  std::array<char, kRawHostBytesMax> own_sent_, own_;
  size_t own_sent_bytes_ = 0, own_bytes_ = 0;
};

// What was searched for, by the query of a page of `source`: of the arguments that hold a term there the first, in the
// list's order, that has a value. Read and bounded as a campaign argument is; `marred` as clean_text has it. Empty: none.
std::string_view search_term_of(const KnownSource& source, std::string_view query, TextArena& arena, bool& marred);

}  // namespace footfall
