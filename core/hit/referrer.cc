#include "hit/referrer.h"

#include <algorithm>

#include "base/limits.h"
#include "hit/byte_block.h"
#include "hit/lists.h"
#include "hit/url.h"

namespace footfall {
namespace {

constexpr std::string_view kSchemes[] = {"https", "http", "android-app"};
constexpr std::string_view kWww = "www.";

// A host as nearly all are sent: small letters, digits, `-` and `_`, with single dots between them.
constexpr ByteSet kPlainNameChars("abcdefghijklmnopqrstuvwxyz0123456789-_");

bool is_digit(char c) { return c >= '0' && c <= '9'; }

constexpr ByteSet kNameChars("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-._");
constexpr ByteSet kAuthorityEnds("/?#\\");

bool is_address_char(char c) {
  c = lower_ascii(c);
  return is_digit(c) || (c >= 'a' && c <= 'f') || c == ':' || c == '.';
}

// `:443`, `:` or nothing.
bool is_port(std::string_view text) {
  if (text.empty()) return true;
  return text.front() == ':' && std::all_of(text.begin() + 1, text.end(), is_digit);
}

// The literal with its brackets; empty if it is none.
std::string_view ipv6_literal(std::string_view host) {
  const size_t end = host.find(']');
  if (end == std::string_view::npos || !is_port(host.substr(end + 1))) return {};
  const std::string_view address = host.substr(1, end - 1);
  if (std::count(address.begin(), address.end(), ':') < 2) return {};
  if (!std::all_of(address.begin(), address.end(), is_address_char)) return {};
  return host.substr(0, end + 1);
}

std::string_view without_www(std::string_view host) {
  const bool has_www = host.size() > kWww.size() && equal_ignoring_case(host.substr(0, kWww.size()), kWww);
  return has_www && host.find('.', kWww.size()) != std::string_view::npos ? host.substr(kWww.size()) : host;
}

// The plain name at the front of `text`, which is all of it if it ends where the authority does; empty: it does not.
std::string_view plain_name(std::string_view text) {
  size_t end = 0;
  for (; end < text.size(); ++end) {
    if (kPlainNameChars.has(text[end])) continue;
    if (text[end] != '.' || end == 0 || text[end - 1] == '.') break;
  }
  const bool ends = end == text.size() || kAuthorityEnds.has(text[end]);
  return ends && end > 0 && end <= kReferrerHostBytesMax && text[end - 1] != '.' ? text.substr(0, end)
                                                                                 : std::string_view();
}

std::string_view host_name(std::string_view host) {
  const size_t colon = std::min(host.find(':'), host.size());
  if (!is_port(host.substr(colon))) return {};
  host = host.substr(0, colon);
  if (host.ends_with('.')) host.remove_suffix(1);
  if (!std::all_of(host.begin(), host.end(), [](char c) { return kNameChars.has(c); })) return {};
  if (host.starts_with('.') || host.ends_with('.') || host.find("..") != std::string_view::npos) return {};
  return without_www(host);
}

// What follows `scheme://`, of a scheme that counts; empty otherwise.
std::string_view behind_scheme(std::string_view url) {
  if (url.starts_with("https://")) return url.substr(8);
  for (const std::string_view scheme : kSchemes) {
    if (!equal_ignoring_case(url.substr(0, scheme.size()), scheme)) continue;
    if (url.substr(scheme.size()).starts_with("://")) return url.substr(scheme.size() + 3);
  }
  return {};
}

// Where a query or a fragment begins.
size_t page_end(std::string_view url) {
  if (url.size() < kByteBlock) return ByteSet("?#").find(url);
  return find_in_blocks(url.data(), url.size(), [](const char* from) {
    const ByteBlock block = load_block(from);
    return (block == '?') | (block == '#');
  });
}

}  // namespace

std::string_view normal_host(std::string_view authority, TextArena& arena) {
  if (const std::string_view name = plain_name(authority); name.size() == authority.size()) return without_www(name);
  const size_t at_sign = authority.rfind('@');
  if (at_sign != std::string_view::npos) authority.remove_prefix(at_sign + 1);
  const std::string_view host = authority.starts_with('[') ? ipv6_literal(authority) : host_name(authority);
  if (host.size() > kReferrerHostBytesMax) return {};
  return lower_ascii(host, arena);
}

ReferrerPage read_referrer_page(std::string_view page, TextArena& arena) {
  const std::string_view rest = behind_scheme(page);
  const std::string_view name = plain_name(rest);
  // Browsers take a backslash for a slash here, so `http://ours\@theirs/` is not theirs.
  const size_t authority_end = name.empty() ? kAuthorityEnds.find(rest) : name.size();
  const std::string_view host = name.empty() ? normal_host(rest.substr(0, authority_end), arena) : without_www(name);
  if (host.empty()) return {};
  const std::string_view path = rest.substr(authority_end);
  if (is_plain_path(path, kReferrerPathBytesMax)) return {host, path};
  const size_t start = arena.size();
  std::string* to = arena.room_for(normal_path_room(kReferrerPathBytesMax));
  const bool whole = to != nullptr && append_normal_path(path, kReferrerPathBytesMax, *to);
  return {host, arena.since(start), whole};
}

ReferrerPage ReferrerReader::page_of(std::string_view page, TextArena& arena) {
  const bool is_taken = pages_.takes(page);
  page_ = is_taken ? pages_.find(page) : nullptr;
  if (page_ != nullptr)
    return {page.substr(page_->host_begin, page_->host_bytes), page.substr(page_->path_begin, page_->path_bytes)};

  const size_t before = arena.size();
  const ReferrerPage read = read_referrer_page(page, arena);
  // What had to be spelt anew is not remembered: it lies in the arena.
  if (is_taken && !read.host.empty() && arena.size() == before) {
    const auto place = [&](std::string_view part) { return static_cast<uint16_t>(part.data() - page.data()); };
    const auto bytes = [](std::string_view part) { return static_cast<uint16_t>(part.size()); };
    page_ = &pages_.put(page, {place(read.host), bytes(read.host), place(read.path), bytes(read.path)});
  }
  return read;
}

// Looked for where there is a query alone: most have none, as browsers send no more than the host.
const KnownSource* ReferrerReader::source_of(std::string_view host) {
  if (page_ == nullptr) return find_host(host);
  if (!page_->is_source_known) page_->source = find_host(host), page_->is_source_known = true;
  return page_->source;
}

bool ReferrerReader::is_own(std::string_view host, std::string_view own_host, TextArena& arena) {
  if (own_host.empty()) return false;
  own_host = own_host.substr(0, own_sent_.size());
  if (own_host != std::string_view(own_sent_.data(), own_sent_bytes_)) {
    const std::string_view normal = normal_host(trim(own_host), arena);
    own_sent_bytes_ = own_host.copy(own_sent_.data(), own_sent_.size());
    own_bytes_ = normal.copy(own_.data(), own_.size());
  }
  return host == std::string_view(own_.data(), own_bytes_);
}

void ReferrerReader::read(std::string_view referrer, std::string_view own_host, TextArena& arena, Hit& hit) {
  referrer = trim(referrer);
  if (referrer.empty()) return;
  const size_t page_bytes = page_end(referrer);
  const ReferrerPage page = page_of(referrer.substr(0, page_bytes), arena);
  if (page.host.empty()) return;
  hit.referrer_host = page.host;
  hit.referrer_path = page.path;
  if (!page.whole) hit.flags |= kHitFieldCut;
  if (is_own(page.host, own_host, arena)) {
    hit.flags |= kHitReferrerOwn;
  } else if (page_bytes < referrer.size() && referrer[page_bytes] == '?') {
    const KnownSource* source = source_of(page.host);
    if (source == nullptr) return;
    bool marred = false;
    hit.referrer_term = search_term_of(*source, referrer.substr(page_bytes + 1), arena, marred);
    if (marred) hit.flags |= kHitFieldCut;
  }
}

std::string_view search_term_of(const KnownSource& source, std::string_view query, TextArena& arena, bool& marred) {
  query = query.substr(0, query.find('#'));
  for (std::string_view names = source.term_arguments; !names.empty();) {
    const size_t end = std::min(names.find(','), names.size());
    const std::string_view term = find_argument(query, names.substr(0, end), arena);
    if (!term.empty()) return clean_text(term, kCampaignFieldBytesMax, arena, marred);
    names.remove_prefix(std::min(end + 1, names.size()));
  }
  return {};
}

}  // namespace footfall
