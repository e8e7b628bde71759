#include "hit/lists.h"

#include <absl/container/flat_hash_map.h>
#include <absl/container/flat_hash_set.h>

#include <cassert>
#include <utility>

#include "hit/list_texts.h"

namespace footfall {
namespace {

using Index = absl::flat_hash_map<std::string_view, KnownSource>;

std::string_view take_until(std::string_view& from, char end) {
  const size_t at = from.find(end);
  const std::string_view taken = from.substr(0, at);
  from.remove_prefix(at == std::string_view::npos ? from.size() : at + 1);
  return taken;
}

template <class OnLine>
void each_line(std::string_view text, OnLine on_line) {
  while (!text.empty()) {
    const std::string_view line = take_until(text, '\n');
    if (!line.empty() && line.front() != '#') on_line(line);
  }
}

SourceKind kind_named(std::string_view name) {
  if (name == "search") return SourceKind::search;
  if (name == "social") return SourceKind::social;
  if (name == "ai") return SourceKind::ai;
  if (name == "site") return SourceKind::none;
  assert(false && "extra.txt names an unknown kind");
  return SourceKind::none;
}

class Lists {
 public:
  Lists() {
    // In the order of precedence: what is there already stays.
    add(SourceKind::payment, list_texts::payment);
    add(SourceKind::ai, list_texts::ai);
    add_extra(SourceKind::ai);
    add(SourceKind::video, list_texts::video);
    add(SourceKind::shopping, list_texts::shopping);
    add(SourceKind::email, list_texts::email);
    add(SourceKind::social, list_texts::social);
    add_extra(SourceKind::social);
    add(SourceKind::search, list_texts::search);
    add_extra(SourceKind::search);
    add_extra(SourceKind::none);
    each_line(list_texts::aliases, [this](std::string_view line) {
      const std::string_view alias = take_until(line, '\t');
      const auto named = names_.find(line);
      assert(named != names_.end() && "aliases.txt names an unknown source");
      if (named != names_.end()) names_.try_emplace(alias, KnownSource(named->second));
    });
  }

  const KnownSource* host(std::string_view host) const {
    while (!host.empty()) {
      if (const KnownSource* found = find(hosts_, host)) return found;
      if (const KnownSource* found = any_country(host)) return found;
      take_until(host, '.');
    }
    return nullptr;
  }

  const KnownSource* name(std::string_view name) const { return find(names_, name); }
  size_t hosts() const { return hosts_.size() + any_country_.size(); }
  size_t names() const { return names_.size(); }

 private:
  static const KnownSource* find(const Index& index, std::string_view key) {
    const auto found = index.find(key);
    return found == index.end() ? nullptr : &found->second;
  }

  void add(SourceKind kind, std::string_view text) {
    each_line(text, [&](std::string_view line) { add_line(kind, line); });
  }

  void add_extra(SourceKind kind) {
    each_line(list_texts::extra, [&](std::string_view line) {
      if (kind_named(take_until(line, '\t')) == kind) add_line(kind, line);
    });
  }

  void add_line(SourceKind kind, std::string_view line) {
    std::string_view host = take_until(line, '\t');
    const std::string_view name = take_until(line, '\t');
    const KnownSource source{name, kind, line};
    const bool any = host.ends_with(".*");
    if (any) host.remove_suffix(2);
    (any ? any_country_ : hosts_).try_emplace(host, source);
    names_.try_emplace(name, source);
  }

  // `google.*` stands for google.com, google.de, google.co.uk, google.com.au. Every domain of two letters is a
  // country's, so no list of countries is needed; google.cat is the one region's that the large engines use.
  const KnownSource* any_country(std::string_view host) const {
    const size_t last = host.rfind('.');
    if (last == std::string_view::npos || last == 0) return nullptr;
    const std::string_view top = host.substr(last + 1);
    if (top == "com" || top == "cat") return find(any_country_, host.substr(0, last));
    if (top.size() != 2) return nullptr;
    if (const KnownSource* found = find(any_country_, host.substr(0, last))) return found;
    const size_t second = host.rfind('.', last - 1);
    if (second == std::string_view::npos) return nullptr;
    const std::string_view below = host.substr(second + 1, last - second - 1);
    if (below != "co" && below != "com") return nullptr;
    return find(any_country_, host.substr(0, second));
  }

  Index hosts_;
  Index any_country_;  // by what stands before `.*`
  Index names_;        // aliases too
};

const Lists& lists() {
  static const Lists made;
  return made;
}

// Some 2,300 views of the text: 70 kB.
const absl::flat_hash_set<std::string_view>& spam() {
  static const auto made = [] {
    absl::flat_hash_set<std::string_view> hosts;
    each_line(list_texts::spam, [&](std::string_view line) { hosts.insert(line); });
    return hosts;
  }();
  return made;
}

}  // namespace

const KnownSource* find_host(std::string_view host) { return lists().host(host); }

const KnownSource* find_source(std::string_view source) {
  if (const KnownSource* named = lists().name(source)) return named;
  if (const KnownSource* host = lists().host(source.starts_with("www.") ? source.substr(4) : source)) return host;
  if (!source.ends_with("ads")) return nullptr;
  source.remove_suffix(3);
  while (!source.empty() && std::string_view("-_ .").find(source.back()) != std::string_view::npos) {
    source.remove_suffix(1);
  }
  return lists().name(source);
}

bool is_advertising_source(std::string_view source) {
  if (source == "adwords") return true;
  if (!source.ends_with("ads")) return false;
  const KnownSource* known = find_source(source);
  if (known != nullptr) return known->name != source;
  const std::string_view before = source.substr(0, source.size() - 3);
  return before.empty() || std::string_view("-_ .").find(before.back()) != std::string_view::npos;
}

bool is_referrer_spam(std::string_view host) {
  const std::string_view whole = host;
  // No top domain is listed as a whole.
  for (size_t dot = host.find('.'); dot != std::string_view::npos; dot = host.find('.')) {
    if (spam().contains(host)) return lists().host(whole) == nullptr;
    host.remove_prefix(dot + 1);
  }
  return false;
}

bool is_host_or_below(std::string_view host, std::string_view above) {
  if (above.empty() || !host.ends_with(above)) return false;
  return host.size() == above.size() || host[host.size() - above.size() - 1] == '.';
}

size_t known_hosts() { return lists().hosts(); }
size_t known_names() { return lists().names(); }
size_t spam_hosts() { return spam().size(); }

}  // namespace footfall
