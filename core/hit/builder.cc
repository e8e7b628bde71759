#include "hit/builder.h"

#include <algorithm>
#include <optional>
#include <utility>

#include "base/bytes.h"
#include "base/limits.h"
#include "hit/campaign.h"
#include "hit/code.h"
#include "hit/referrer.h"
#include "hit/rules.h"
#include "hit/url.h"

namespace footfall {
namespace {

// As IPv6 has it, so that a visitor is one whichever way nginx listens; as numbers, so that no copy of it is left in
// memory.
struct Address {
  uint64_t first, second;
};
std::optional<Address> read_address(std::string_view raw) {
  if (raw.size() == 4) return Address{0, uint64_t{load_le32(raw.data())} << 32 | 0xFFFF0000};  // ::ffff:a.b.c.d
  if (raw.size() == 16) return Address{load_le64(raw.data()), load_le64(raw.data() + 8)};
  return std::nullopt;
}

// Two letters, as GeoIP databases tell countries; `-`, names and whatever else a VALUE may give are none.
std::string_view read_country(std::string_view raw, TextArena& arena) {
  const std::string_view text = trim(raw);
  const auto is_letter = [](char c) { return (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z'); };
  if (text.size() != 2 || !is_letter(text[0]) || !is_letter(text[1])) return {};
  std::string* const to = arena.room_for(2);
  if (to == nullptr) return {};
  const size_t start = arena.size();
  for (const char c : text) to->push_back(c >= 'a' ? static_cast<char>(c - 'a' + 'A') : c);
  return arena.since(start);
}

// Most sites exclude nothing.
bool may_exclude(const SiteConfig& site) {
  return !site.exclude.empty() || !site.exclude_agents.empty() || !site.exclude_paths.empty();
}

// A target that was cut may end inside an escape.
std::string_view without_torn_escape(std::string_view uri) {
  if (uri.ends_with('%')) return uri.substr(0, uri.size() - 1);
  if (uri.size() >= 2 && uri[uri.size() - 2] == '%') return uri.substr(0, uri.size() - 2);
  return uri;
}

}  // namespace

HitBuilder::~HitBuilder() {
  wipe(&agent_, sizeof agent_);
  wipe(anonymous_.data(), anonymous_.size());
  wipe(previous_.data(), previous_.size());
}

const Hit& HitBuilder::build(const RawHit& raw, const HitContext& context, const VisitorKeys& keys,
                             const SiteConfig* site) {
  begin(raw);
  keep_to(keys);
  read_agent(raw);
  read_target(raw, context);
  if (site != nullptr && may_exclude(*site) && is_excluded(*site, raw.address, hit_.agent, path_without_arguments(hit_.path)))
    return exclude(raw);
  read_visitor(raw, keys);
  referrers_.read(raw.referrer.substr(0, kRawReferrerBytesMax), raw.host.substr(0, kRawHostBytesMax), arena_, hit_);
  read_events(raw, keys, site);
  return hit_;
}

const Hit& HitBuilder::build_event(const EventLine& line, const VisitorKeys& keys) {
  RawHit raw;
  raw.time_ms = line.time_ms;
  begin(raw);
  hit_.path = "/";
  hit_.flags |= kHitEventOnly;
  if (!line.visitor.empty()) hit_.id_key = keyed_hash(keys.id, line.visitor);
  EventRoom room{events_, arena_, keys.customer, hit_.flags};
  take_event(line.fields, room);
  return hit_;
}

const Hit& HitBuilder::build_told(const RawHit& raw, const VisitorKeys& keys) {
  const RawEvent& event = raw.events.front();
  EventLine line;
  line.time_ms = raw.time_ms;
  line.visitor = raw.visitor_id;
  line.fields = {event.name,  event.item,   event.value, event.currency, event.id,
                 event.items, event.coupon, event.customer};
  return build_event(line, keys);
}

// Begun anew: what was read so far goes no further.
const Hit& HitBuilder::exclude(const RawHit& raw) {
  begin(raw);
  hit_.path = "/";
  hit_.flags |= kHitExcluded;
  return hit_;
}

void HitBuilder::begin(const RawHit& raw) {
  arena_.clear();
  events_.clear();
  std::vector<Event> events = std::move(hit_.events);  // it keeps its memory
  hit_ = Hit();
  hit_.events = std::move(events);

  hit_.time_ms = raw.time_ms;
  hit_.request_time_ms = raw.request_time_ms;
  hit_.bytes_sent = raw.bytes_sent;
  hit_.status = raw.status;
  hit_.method = raw.method;
  hit_.content = raw.content;
  if (raw.time_unknown) hit_.flags |= kHitTimeUnknown;
  if (raw.prefetch) hit_.flags |= kHitPrefetch;
  if (raw.own_bot) hit_.flags |= kHitOwnBot;
}

// What was hashed under keys that have had their time goes with them.
void HitBuilder::keep_to(const VisitorKeys& keys) {
  const bool same = (!keys.has_anonymous || keys.anonymous == anonymous_) &&
                    (!keys.has_previous || keys.previous == previous_);
  if (same) return;
  agents_.wipe();
  agent_ = {};
  anonymous_ = keys.anonymous;
  previous_ = keys.previous;
}

void HitBuilder::read_agent(const RawHit& raw) {
  const std::string_view agent = raw.agent.substr(0, kAgentBytesMax);
  const bool is_taken = agents_.takes(agent);
  if (is_taken) {
    agent_at_ = agents_.find(agent);
    if (agent_at_ != nullptr) {
      hit_.agent = agent.substr(agent_at_->begin, agent_at_->bytes);
      return;
    }
  }
  bool marred = raw.agent.size() > kAgentBytesMax;
  hit_.agent = clean_text(agent, kAgentBytesMax, arena_, marred);
  agent_ = {};
  agent_at_ = &agent_;
  if (marred) {
    hit_.flags |= kHitFieldCut;
  } else if (is_taken) {
    agent_.begin = static_cast<uint16_t>(hit_.agent.empty() ? 0 : hit_.agent.data() - agent.data());
    agent_.bytes = static_cast<uint16_t>(hit_.agent.size());
    agent_at_ = &agents_.put(agent, agent_);
  }
}

void HitBuilder::read_visitor(const RawHit& raw, const VisitorKeys& keys) {
  const std::string_view id = raw.visitor_id.substr(0, kVisitorIdBytesMax);
  if (!id.empty()) hit_.id_key = keyed_hash(keys.id, id);
  if (raw.visitor_id.size() > kVisitorIdBytesMax) hit_.flags |= kHitFieldCut;
  read_anonymous(raw, keys);
  if (keys.anonymous_lasts) hit_.flags |= kHitLastingKey;
  hit_.country = read_country(raw.country, arena_);
}

// The agent as it was sent, though cut; it is hashed once for all its visitors.
void HitBuilder::read_anonymous(const RawHit& raw, const VisitorKeys& keys) {
  const std::optional<Address> address = read_address(raw.address);
  if (!address) return;
  const std::string_view agent = raw.agent.substr(0, kAgentBytesMax);
  if (keys.has_anonymous) {
    if (!agent_at_->has_visitor) agent_at_->visitor = HashBeginning(keys.anonymous, agent), agent_at_->has_visitor = true;
    hit_.anonymous_key = agent_at_->visitor.with_end(address->first, address->second);
  }
  if (keys.has_previous) {
    if (!agent_at_->has_previous) agent_at_->previous = HashBeginning(keys.previous, agent), agent_at_->has_previous = true;
    hit_.previous_anonymous_key = agent_at_->previous.with_end(address->first, address->second);
  }
}

void HitBuilder::read_target(const RawHit& raw, const HitContext& context) {
  const bool uri_cut = raw.uri_cut || raw.uri.size() > kRawUriBytesMax;
  std::string_view uri = raw.uri.substr(0, kRawUriBytesMax);
  if (uri_cut) uri = without_torn_escape(uri);
  // Nearly all targets begin with what is their path already.
  const size_t plain_end = uri.starts_with('/') ? plain_path_end(uri) : 0;
  const bool is_plain = plain_end > 0 && (plain_end == uri.size() || uri[plain_end] == '?');
  const Target target = is_plain ? Target{uri.substr(0, plain_end), query_behind(uri, plain_end)} : split_target(uri);
  query_ = target.query;
  // What was cut off belonged to the query if there is one.
  if (uri_cut) hit_.flags |= uri.find_first_of("?#") == std::string_view::npos ? kHitPathCut : kHitFieldCut;

  campaigns_.read(target.query, arena_, hit_);
  if (!context.search_argument.empty()) {
    bool marred = false;
    hit_.search_term = clean_text(find_argument(target.query, context.search_argument, arena_), kCampaignFieldBytesMax,
                                  arena_, marred);
    if (marred) hit_.flags |= kHitFieldCut;
  }

  read_code(target.path, context);
  const std::string_view path = own_path(raw, target.path);
  const bool is_normal = path.data() == uri.data() ? is_plain && path.size() <= kPathBytesMax
                                                   : is_plain_path(path, kPathBytesMax);
  if (context.kept_path_arguments.empty() && is_normal) {
    hit_.path = path;
    return;
  }
  const KeptPathArguments kept(target.query, context.kept_path_arguments, arena_);
  const size_t start = arena_.size();
  std::string* to = arena_.room_for(normal_path_room(kPathBytesMax));
  if (to == nullptr) {  // no input is that large; a path there must be
    hit_.path = "/";
    hit_.flags |= kHitPathCut;
    return;
  }
  const bool whole = append_normal_path(path, kPathBytesMax, *to) && kept.append(*to, start, kPathBytesMax);
  if (!whole) hit_.flags |= kHitPathCut;
  hit_.path = arena_.since(start);
}

// Whether the code is one the aggregator asks the configuration: the answer tells only that there was one or none.
void HitBuilder::read_code(std::string_view path, const HitContext& context) {
  if (context.codes_prefix.empty() || (hit_.status != 302 && hit_.status != 404)) return;
  bool marred = false;
  hit_.code = code_of_path(path, context.codes_prefix, arena_, marred);
  if (marred) hit_.flags |= kHitFieldCut;
  if (!hit_.code.empty() && says_qr(query_)) hit_.flags |= kHitCodeQr;
}

// The page's identity where the shop gives one that is a path. A request that is garbage stays garbage.
std::string_view HitBuilder::own_path(const RawHit& raw, std::string_view sent) {
  if (raw.path.empty() || raw.uri.empty()) return sent;
  const bool is_cut = raw.path.size() > kRawPathBytesMax;
  const std::string_view value = raw.path.substr(0, kRawPathBytesMax);
  const std::string_view path = split_target(is_cut ? without_torn_escape(value) : value).path;
  if (is_cut) hit_.flags |= kHitPathCut;
  return path.empty() ? sent : path;
}

// What nobody can read may have been an order: a shop that tells its orders so has to see that none is taken.
void HitBuilder::note_lost_order(std::string_view header, EventRoom& room) {
  if (header.find(kOrderEventName) == std::string_view::npos) return;
  Event& event = room.events.add();
  event.name = kOrderEventName;
  event.fault = OrderFault::off_grammar;
}

void HitBuilder::read_events(const RawHit& raw, const VisitorKeys& keys, const SiteConfig* site) {
  EventRoom room{events_, arena_, keys.customer, hit_.flags};
  if (raw.events_cut) hit_.flags |= kHitEventsMalformed;
  // A cached answer repeats the header of the one that it was made from.
  const bool has_header = !raw.from_cache && !raw.events_header.empty();
  const bool is_lost = has_header && !read_events_header(raw.events_header, room);
  for (const RawEvent& event : raw.events) read_raw_event(event, room);
  if (is_lost && room.events.size() == 0) note_lost_order(raw.events_header, room);
  if (site != nullptr) read_rules(*site, query_, hit_, room);
}

}  // namespace footfall
