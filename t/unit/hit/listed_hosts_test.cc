// Every host of the lists that our tables were made from, in the lists' own form (t/data/lists), and what footfall
// knows it as. Where we disagree stands in core/hit/README.md, "Sources".
#include <fstream>
#include <string>
#include <vector>

#include "hit/lists.h"
#include "test.h"

namespace footfall {
namespace {

std::string_view kind_name(SourceKind kind) {
  constexpr std::string_view kNames[] = {"none", "payment", "ai", "video", "shopping", "email", "social", "search"};
  return kNames[static_cast<size_t>(kind)];
}

struct Listed {
  std::string host, name;
};

std::string unquoted(std::string text) {
  text.erase(0, text.find_first_not_of(' '));
  if (text.size() >= 2 && (text.front() == '\'' || text.front() == '"')) text = text.substr(1, text.size() - 2);
  return text;
}

// The hosts that an address of a list stands for: {} at its end is any country, at its front any subdomain. None: it is a
// page's, which a referrer's host alone cannot tell.
std::vector<std::string> hosts_of(std::string address) {
  if (address.find('/') != std::string::npos) return {};
  if (address.starts_with("www.")) address.erase(0, 4);
  if (address.starts_with("{}.")) address.replace(0, 2, "some");
  if (!address.ends_with(".{}")) return {address};
  address.resize(address.size() - 2);
  return {address + "com", address + "de", address + "co.uk", address + "fr", address + "com.br"};
}

// The plain subset of YAML that the lists are written in: names at the margin, addresses as `- text` below them, or
// below `urls:`.
std::vector<Listed> read_list(const std::string& file) {
  std::ifstream lines(FOOTFALL_SOURCE_DIR "/t/data/lists/" + file);
  std::vector<Listed> all;
  std::string name;
  bool has_addresses = true;
  for (std::string line; std::getline(lines, line);) {
    const size_t begin = line.find_first_not_of(' ');
    if (begin == std::string::npos || line[begin] == '#') continue;
    std::string text = line.substr(begin);
    if (text == "- urls:") text.erase(0, 2);
    if (begin == 0) {
      name = text.substr(0, text.rfind(':'));
      has_addresses = true;
    } else if (!text.starts_with("- ")) {
      if (text != "-") has_addresses = text.starts_with("urls:");
    } else if (has_addresses) {
      for (std::string& host : hosts_of(unquoted(text.substr(2)))) all.push_back({std::move(host), name});
    }
  }
  return all;
}

std::vector<Listed> listed;

void expect_98_percent_as(const std::string& file, SourceKind kind) {
  listed = read_list(file);
  size_t agreed = 0;
  for (const auto& [host, name] : listed) {
    const KnownSource* known = find_host(host);
    if (known != nullptr && known->kind == kind) {
      ++agreed;
      continue;
    }
    const std::string_view ours = known == nullptr ? "not known" : kind_name(known->kind);
    print_message("# %s (%s): %.*s\n", host.c_str(), name.c_str(), static_cast<int>(ours.size()), ours.data());
  }
  print_message("# %s: %zu of %zu hosts as listed, %.2f %%\n", file.c_str(), agreed, listed.size(),
                100.0 * static_cast<double>(agreed) / static_cast<double>(listed.size()));
  assert_true(listed.size() > 20);
  assert_true(agreed * 100 >= listed.size() * 98);
}

void search_engines(void**) { expect_98_percent_as("SearchEngines.yml", SourceKind::search); }
void social_networks(void**) { expect_98_percent_as("Socials.yml", SourceKind::social); }
void ai_assistants(void**) { expect_98_percent_as("AIAssistants.yml", SourceKind::ai); }

void referrer_spam(void**) {
  std::ifstream lines(FOOTFALL_SOURCE_DIR "/t/data/lists/referrer-spammers.txt");
  size_t agreed = 0, all = 0;
  for (std::string host; std::getline(lines, host); ++all) {
    for (char& c : host) c = static_cast<char>(std::tolower(static_cast<unsigned char>(c)));
    agreed += is_referrer_spam(host);
    if (!is_referrer_spam(host)) print_message("# %s: no spam\n", host.c_str());
  }
  print_message("# referrer-spammers.txt: %zu of %zu hosts as listed\n", agreed, all);
  assert_true(all > 2000);
  assert_true(agreed * 100 >= all * 98);
}

}  // namespace
}  // namespace footfall

int main() {
  using namespace footfall;
  const CMUnitTest tests[] = {
      cmocka_unit_test(search_engines),
      cmocka_unit_test(social_networks),
      cmocka_unit_test(ai_assistants),
      cmocka_unit_test(referrer_spam),
  };
  return cmocka_run_group_tests(tests, nullptr, nullptr);
}
