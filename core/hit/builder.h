// RawHit to Hit: the one place where what a request brought is read. Used by the flusher and by imports alike, so both
// doors give the same hit.
#pragma once

#include "base/keyed_hash.h"
#include "hit/campaign.h"
#include "hit/event_line.h"
#include "hit/event_list.h"
#include "hit/raw_hit.h"
#include "hit/referrer.h"
#include "hit/text.h"
#include "hit/text_memo.h"
#include "site/config.h"

namespace footfall {

// The keys that a hit's visitor hashes are made under. `anonymous` is today's (UTC, by the hit's time); `previous` is
// yesterday's and used only where `has_previous` (within one visit gap after midnight).
struct VisitorKeys {
  Key128 id{};        // derived from the store's secret
  Key128 customer{};  // likewise, another purpose
  Key128 anonymous{};
  Key128 previous{};
  bool has_anonymous = false;  // false: no salt could be read; the hit stays without visitor, counted
  bool has_previous = false;
  bool anonymous_lasts = false;  // the anonymous key is that of all days
};

// Not thread-safe; keep one per thread. Does not allocate once warm (but to look for excluded agents).
class HitBuilder {
 public:
  HitBuilder() = default;
  ~HitBuilder();
  HitBuilder(const HitBuilder&) = delete;

  // The hit's views live until the next build, and no longer than the bytes of `raw` and `context`. Fields longer than
  // their bound are cut here, so it does not matter whether whoever made `raw` has cut them before. `site`: the settings
  // whose rules and exclusions hold; null: none are known. What they exclude is marked, and has neither visitor nor
  // events nor anything else but the request's facts.
  const Hit& build(const RawHit& raw, const HitContext& context, const VisitorKeys& keys,
                   const SiteConfig* site = nullptr);
  // The hit of an event that no request told: the event, its time and its visitor, nothing else.
  const Hit& build_event(const EventLine& line, const VisitorKeys& keys);
  // The same as it was staged: `raw` is event_only and has its event.
  const Hit& build_told(const RawHit& raw, const VisitorKeys& keys);

 private:
  // What an agent is as text and in the hashes of its visitors.
  struct Agent {
    uint16_t begin, bytes;  // where its clean text lies
    bool has_visitor, has_previous;
    HashBeginning visitor, previous;
  };

  void begin(const RawHit& raw);
  void keep_to(const VisitorKeys& keys);
  void read_agent(const RawHit& raw);
  void read_visitor(const RawHit& raw, const VisitorKeys& keys);
  void read_anonymous(const RawHit& raw, const VisitorKeys& keys);
  const Hit& exclude(const RawHit& raw);
  void read_target(const RawHit& raw, const HitContext& context);
  void read_code(std::string_view path, const HitContext& context);
  std::string_view own_path(const RawHit& raw, std::string_view sent);
  void read_events(const RawHit& raw, const VisitorKeys& keys, const SiteConfig* site);
  static void note_lost_order(std::string_view header, EventRoom& room);

  Hit hit_;
  EventList events_{hit_.events};
  std::string_view query_;  // as sent
  TextArena arena_;  // reserved once to its bound, so that views stay

  // What is remembered of the hits before: agents with what is hashed of them under `anonymous_` and `previous_`, and
  // wiped with those keys; of referrers and links what goes into hits anyway. Never an address or an id.
  TextMemo<Agent, 256, 512> agents_;
  Key128 anonymous_{}, previous_{};
  Agent agent_;  // of a hit whose agent is not remembered
  Agent* agent_at_ = nullptr;
  CampaignReader campaigns_;
  ReferrerReader referrers_;
};

}  // namespace footfall
