#include "hit/builder.h"

#include <algorithm>
#include <array>
#include <utility>

#include "base/limits.h"
#include "hit/campaign.h"
#include "hit/referrer.h"
#include "hit/rules.h"
#include "hit/url.h"

namespace footfall {
namespace {

using Address = std::array<char, 16>;

// IPv4 as ::ffff:a.b.c.d, so that a visitor is one whichever way nginx listens. False: no address.
bool read_address(std::string_view raw, Address& to) {
  if (raw.size() == to.size()) {
    std::copy(raw.begin(), raw.end(), to.begin());
    return true;
  }
  if (raw.size() != 4) return false;
  to = {};
  to[10] = to[11] = '\xFF';
  std::copy(raw.begin(), raw.end(), to.begin() + 12);
  return true;
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

// A target that was cut may end inside an escape.
std::string_view without_torn_escape(std::string_view uri) {
  if (uri.ends_with('%')) return uri.substr(0, uri.size() - 1);
  if (uri.size() >= 2 && uri[uri.size() - 2] == '%') return uri.substr(0, uri.size() - 2);
  return uri;
}

}  // namespace

const Hit& HitBuilder::build(const RawHit& raw, const HitContext& context, const VisitorKeys& keys,
                             const SiteConfig* site) {
  begin(raw);
  read_agent(raw);
  read_target(raw, context);
  if (site != nullptr && is_excluded(*site, raw.address, hit_.agent, path_without_arguments(hit_.path)))
    return exclude(raw);
  read_visitor(raw, keys);
  read_referrer(raw.referrer.substr(0, kRawReferrerBytesMax), raw.host.substr(0, kRawHostBytesMax), arena_, hit_);
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
  if (raw.prefetch) hit_.flags |= kHitPrefetch;
  if (raw.own_bot) hit_.flags |= kHitOwnBot;
}

void HitBuilder::read_agent(const RawHit& raw) {
  bool marred = raw.agent.size() > kAgentBytesMax;
  hit_.agent = clean_text(raw.agent.substr(0, kAgentBytesMax), kAgentBytesMax, arena_, marred);
  if (marred) hit_.flags |= kHitFieldCut;
}

void HitBuilder::read_visitor(const RawHit& raw, const VisitorKeys& keys) {
  const std::string_view id = raw.visitor_id.substr(0, kVisitorIdBytesMax);
  if (!id.empty()) hit_.id_key = keyed_hash(keys.id, id);

  const std::string_view agent = raw.agent.substr(0, kAgentBytesMax);
  Address address;
  if (read_address(raw.address, address)) {
    const std::string_view address_bytes(address.data(), address.size());
    if (keys.has_anonymous) hit_.anonymous_key = keyed_hash(keys.anonymous, address_bytes, agent);
    if (keys.has_previous) hit_.previous_anonymous_key = keyed_hash(keys.previous, address_bytes, agent);
  }
  wipe(address.data(), address.size());

  if (raw.visitor_id.size() > kVisitorIdBytesMax) hit_.flags |= kHitFieldCut;
  hit_.country = read_country(raw.country, arena_);
}

void HitBuilder::read_target(const RawHit& raw, const HitContext& context) {
  const bool uri_cut = raw.uri_cut || raw.uri.size() > kRawUriBytesMax;
  std::string_view uri = raw.uri.substr(0, kRawUriBytesMax);
  if (uri_cut) uri = without_torn_escape(uri);
  // A plain path is a target without a query.
  const Target target = is_plain_path(uri, kRawUriBytesMax) ? Target{uri, {}} : split_target(uri);
  query_ = target.query;
  // What was cut off belonged to the query if there is one.
  if (uri_cut) hit_.flags |= uri.find_first_of("?#") == std::string_view::npos ? kHitPathCut : kHitFieldCut;

  read_campaign(target.query, arena_, hit_);
  if (!context.search_argument.empty()) {
    bool marred = false;
    hit_.search_term = clean_text(find_argument(target.query, context.search_argument, arena_), kCampaignFieldBytesMax,
                                  arena_, marred);
    if (marred) hit_.flags |= kHitFieldCut;
  }

  const std::string_view path = own_path(raw, target.path);
  if (context.kept_path_arguments.empty() && is_plain_path(path, kPathBytesMax)) {
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

// The page's identity where the shop gives one that is a path. A request that is garbage stays garbage.
std::string_view HitBuilder::own_path(const RawHit& raw, std::string_view sent) {
  if (raw.path.empty() || raw.uri.empty()) return sent;
  const bool is_cut = raw.path.size() > kRawPathBytesMax;
  const std::string_view value = raw.path.substr(0, kRawPathBytesMax);
  const std::string_view path = split_target(is_cut ? without_torn_escape(value) : value).path;
  if (is_cut) hit_.flags |= kHitPathCut;
  return path.empty() ? sent : path;
}

void HitBuilder::read_events(const RawHit& raw, const VisitorKeys& keys, const SiteConfig* site) {
  EventRoom room{events_, arena_, keys.customer, hit_.flags};
  if (raw.events_cut) hit_.flags |= kHitEventsMalformed;
  // A cached answer repeats the header of the one that it was made from.
  if (!raw.from_cache && !raw.events_header.empty()) read_events_header(raw.events_header, room);
  for (const RawEvent& event : raw.events) read_raw_event(event, room);
  if (site != nullptr) read_rules(*site, query_, hit_, room);
}

}  // namespace footfall
