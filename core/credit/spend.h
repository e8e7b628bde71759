// What marketing cost: rows of spend as plain values, spread over their days. Read by spend_table.h.
#pragma once

#include <absl/time/civil_time.h>

#include <compare>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/money.h"
#include "site/config.h"

namespace footfall {

// What money was spent on, spelt as touches are: source, medium and channel in lower case; a code in lower case and alone.
// Empty: not told, so it holds whatever touches have there.
struct SpendKey {
  std::string channel = {}, source = {}, medium = {}, campaign = {}, content = {}, term = {}, code = {};

  bool empty() const { return *this == SpendKey(); }
  auto operator<=>(const SpendKey&) const = default;
};

struct SpendAmounts {
  int64_t cost_micros = 0;  // in `currency`, not below 0
  std::optional<Currency> currency;  // none: the site's
  std::optional<uint64_t> clicks, impressions;

  bool operator==(const SpendAmounts&) const = default;
};

struct SpendRow {
  uint64_t line = 0;  // of the table, from 1
  SpendKey key;
  absl::CivilDay first, last;  // of the site's calendar, both included; last >= first
  SpendAmounts amounts;
  std::string note, site;  // empty: not told
};
inline constexpr int64_t kSpendDaysMax = 3'660;  // that a row may span

struct SpendDay {
  absl::CivilDay day;
  SpendAmounts amounts;
};

// The row's days in order. Cost, clicks and impressions are spread evenly, cut to whole ones; the last day has the rest, so
// that they add up exactly.
std::vector<SpendDay> days_of(const SpendRow& row);

// The channel that spend belongs to: its own, else its code's, else what the site's rules and the table of channels say of a
// touch so tagged. Empty: of a code that the site does not have.
std::string channel_of_spend(const SpendKey& key, const SiteConfig& site);

// The values of a touch's dimensions whose rows the spend goes to: those that a touch so tagged has, source by its known name.
// A code's are those of its touches. Empty: null.
SpendKey rows_of_spend(const SpendKey& key, const SiteConfig& site);

// The name by which sources of spend and of touches are joined: the known source's that it is an alias or a host of, else itself.
std::string_view joined_source(std::string_view source);

}  // namespace footfall
