#include "site/toml.h"

#include <algorithm>
#include <cerrno>
#include <cstdio>
#include <memory>
#include <set>
#include <vector>

#include "base/limits.h"
#include "site/checks.h"
#include "site/desk.h"
#include "site/site_toml.h"
#include "site/toml_section.h"
#include "site/units.h"

namespace footfall {
namespace {

constexpr int64_t kMapBytesMin = int64_t{16} << 20;
constexpr int64_t kMapBytesMax = int64_t{16} << 40;
constexpr int64_t kMapStepBytes = int64_t{1} << 20;
constexpr int64_t kVisitsBytesMin = int64_t{1} << 20;

void read_store(Section& root, Config& config) {
  root.text("store", "an absolute path, as \"/var/lib/footfall\"", [&](const Given& given) {
    config.store = given.text;
    return given.text.starts_with('/') && is_label(given.text, 3072);
  });
  root.text("map", "a size from 16MiB to 16TiB, as \"32GiB\"", [&](const Given& given) {
    const std::optional<int64_t> bytes = parse_size_bytes(given.text);
    if (!bytes || *bytes < kMapBytesMin || *bytes > kMapBytesMax) return false;
    config.map_bytes = (*bytes + kMapStepBytes - 1) / kMapStepBytes * kMapStepBytes;  // LMDB wants whole pages
    return true;
  });
  root.integer("open_visits_max", 1, 1'000'000'000, config.open_visits_max);
  root.integer("orders_max", 1, 1'000'000'000, config.orders_max);
}

void read_rates(Section& section, Config& config) {
  section.each_number([&](std::string_view key, const Given& given) {
    const std::string path = section.path() + '.' + std::string(key);
    const std::optional<Currency> currency = parse_currency(key);
    const std::optional<int64_t> trillionths = parse_trillionths(given.text);
    if (!currency || currency->text() != key) {
      section.faults().add(given.line, path + " is no currency; it must be three capital letters, as USD = 0.92");
    } else if (!trillionths) {
      section.faults().add(given.line, path + " is " + std::string(given.text) +
                                           "; it must be a number above 0 and below 1000000: what one " +
                                           std::string(key) + " is worth in the site's currency");
    } else {
      config.rates.push_back({*currency, *trillionths});
    }
  });
}

void read_retention(Section& section, Retention& retention) {
  const auto duration = [&](std::string_view key, std::string_view example, int64_t& to) {
    const std::string right = "a duration of at least 1h or \"forever\", as \"" + std::string(example) + '"';
    section.text(key, right, [&to](const Given& given) {
      const std::optional<int64_t> duration_s = parse_duration_s(given.text);
      if (duration_s) to = *duration_s;
      return duration_s && *duration_s >= 3600;
    });
  };
  duration("minute", "2d", retention.minute_s);
  duration("hour", "90d", retention.hour_s);
  duration("day", "5y", retention.day_s);
  duration("month", "forever", retention.month_s);
  duration("visitors", "400d", retention.visitors_s);
  duration("orders", "400d", retention.orders_s);
  duration("visits", "90d", retention.visits_s);
  section.text("visits_max", "a size of at least 1MiB, as \"10GiB\"", [&](const Given& given) {
    const std::optional<int64_t> bytes = parse_size_bytes(given.text);
    if (bytes) retention.visits_bytes_max = *bytes;
    return bytes && *bytes >= kVisitsBytesMin;
  });
}

// "one of channels, campaigns, …", from a table of words.
template <size_t N>
std::string choice(const std::array<DeskWord, N>& words) {
  std::string text;
  for (const DeskWord& word : words) text += (text.empty() ? "" : ", ") + std::string(word.name);
  return text;
}

template <size_t N>
Take each_word_to(std::vector<std::string>& to, const std::array<DeskWord, N>& words) {
  return [&to, &words](const Given& given) {
    to.emplace_back(given.text);
    return std::any_of(words.begin(), words.end(), [&](const DeskWord& word) { return word.name == given.text; });
  };
}

void read_desk(std::string_view name, Section& section, Config& config) {
  DeskConfig desk;
  desk.name = name;
  if (!is_site_name(name)) {
    section.fault("has a name that is none; it must be 1 to 64 letters, digits and . _ - : *, as [desk.marketing]");
  }
  section.texts("reports", "reports out of " + choice(kDeskReports), each_word_to(desk.reports, kDeskReports));
  section.texts("metrics", "metric classes out of " + choice(kDeskMetrics), each_word_to(desk.metrics, kDeskMetrics));
  section.texts("sites", "sites' names, as [\"shop\"]", [&](const Given& given) {
    desk.sites.emplace_back(given.text);
    return is_site_name(given.text);
  });
  config.desks.push_back(std::move(desk));
}

void read_root(Section& root, Config& config) {
  read_store(root, config);
  root.table("site", [&](Section& sites) {
    HostOwners owners;
    sites.each_table("[site.shop]", [&](std::string_view name, Section& section) {
      config.sites.push_back(read_site(name, section, owners));
    });
    if (config.sites.size() > kSitesMax) {
      sites.fault("has " + std::to_string(config.sites.size()) + " sites; it must have at most " +
                  std::to_string(kSitesMax));
    }
  });
  root.table("rates", [&](Section& rates) { read_rates(rates, config); });
  root.table("retention", [&](Section& retention) { read_retention(retention, config.retention); });
  root.table("desk", [&](Section& desks) {
    desks.each_table("[desk.marketing]",
                     [&](std::string_view name, Section& section) { read_desk(name, section, config); });
  });
  root.finish();
}

struct CloseFile {
  void operator()(std::FILE* file) const { std::fclose(file); }
};

// The whole file, or why not. Bounded, so that a device or a log given by mistake does not fill the memory.
Result<std::string> read_file(const std::string& path) {
  const std::unique_ptr<std::FILE, CloseFile> file(std::fopen(path.c_str(), "rbe"));
  if (file == nullptr) {
    if (errno == ENOENT) return Error::not_found(path + ": no such file");
    return Error::io(path + ": cannot be opened", errno);
  }
  std::string text;
  char buffer[16 * 1024];
  size_t got = 0;
  errno = 0;
  while ((got = std::fread(buffer, 1, sizeof buffer, file.get())) > 0) {
    text.append(buffer, got);
    if (text.size() > kConfigBytesMax)
      return Error::invalid(path + ":1: the file is over 16 MiB; it must be a footfall.toml");
  }
  if (std::ferror(file.get())) return Error::io(path + ": cannot be read", errno);
  return text;
}

}  // namespace

Result<Config> parse_config(std::string_view text, std::string_view file_name) {
  Faults faults(file_name);
  const toml::parse_result parsed = toml::parse(text, file_name);
  if (!parsed) {
    const toml::parse_error& fault = parsed.error();
    faults.add(fault.source().begin.line, "off TOML's grammar: " + std::string(fault.description()));
    return faults.to_error();
  }
  Config config;
  Section root(parsed.table(), "", faults);
  read_root(root, config);
  if (!faults.none()) return faults.to_error();
  return config;
}

Result<Config> load_config(const std::string& path) {
  Result<std::string> text = read_file(path);
  if (!text) return text.error();
  return parse_config(*text, path);
}

}  // namespace footfall
