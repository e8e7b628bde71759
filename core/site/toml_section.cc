#define TOML_IMPLEMENTATION
#include "site/toml_section.h"

#include <algorithm>

#include "site/checks.h"
#include "site/toml.h"

namespace footfall {
namespace {

constexpr size_t kQuotedBytesMax = 80;

unsigned line_of(const toml::node& node) { return node.source().begin.line; }

// Numbers as plain decimals, so that 1 and 1.0 read alike; empty for anything else.
std::string number_text(const toml::node& node) {
  if (const auto* whole = node.as_integer()) return std::to_string(whole->get());
  if (const auto* real = node.as_floating_point()) return plain_decimal(real->get());
  return {};
}

std::string shown(const toml::node& node) {
  if (const auto* text = node.as_string()) return quoted_word(text->get());
  if (const auto* boolean = node.as_boolean()) return boolean->get() ? "true" : "false";
  if (node.is_number()) {
    const std::string text = number_text(node);
    return text.empty() ? "no finite number" : text;
  }
  if (node.is_table()) return "a table";
  if (node.is_array()) return "a list";
  return "a date or time";
}

// The known key that is nearest to a wrong one, if it is near enough to have been meant.
std::string nearest(std::string_view wrong, const std::vector<std::string>& known) {
  std::string best;
  size_t least = std::max<size_t>(2, wrong.size() / 3) + 1;
  for (const std::string& key : known) {
    const size_t distance = edit_distance(wrong, key);
    if (distance < least && distance < key.size()) {
      least = distance;
      best = key;
    }
  }
  return best;
}

std::string joined(const std::vector<std::string>& words) {
  std::string text;
  for (const std::string& word : words) text += (text.empty() ? "" : ", ") + word;
  return text;
}

}  // namespace

Error Faults::to_error() const {
  std::string text;
  size_t told = 0;
  for (const auto& [line, what] : by_line_) {
    if (told == kConfigErrorsMax) break;
    if (told++ > 0) text += '\n';
    text += file_name_ + ':' + std::to_string(line) + ": " + what;
  }
  if (by_line_.size() > told) text += "\nand " + std::to_string(by_line_.size() - told) + " more";
  return Error::invalid(std::move(text));
}

std::string quoted_word(std::string_view text) {
  std::string result = "\"";
  for (const char c : text.substr(0, kQuotedBytesMax)) result += static_cast<unsigned char>(c) < ' ' ? '?' : c;
  return result + (text.size() > kQuotedBytesMax ? "…\"" : "\"");
}

Section::Section(const toml::table& table, std::string path, Faults& faults)
    : table_(table), path_(std::move(path)), faults_(faults), line_(std::max(1u, line_of(table))) {}

const toml::node* Section::find(std::string_view key) {
  known_.emplace_back(key);
  return table_.get(key);
}

void Section::wrong(std::string_view key, const toml::node& node, std::string_view right) {
  const std::string full = (path_.empty() ? "" : path_ + '.') + std::string(key);
  faults_.add(line_of(node), full + " is " + shown(node) + "; it must be " + std::string(right));
}

bool Section::text(std::string_view key, std::string_view right, const Take& take) {
  const toml::node* node = find(key);
  if (node == nullptr) return false;
  const auto* value = node->as_string();
  if (value == nullptr || !take({value->get(), line_of(*node)})) wrong(key, *node, right);
  return true;
}

bool Section::texts(std::string_view key, std::string_view right, const Take& take) {
  const toml::node* node = find(key);
  if (node == nullptr) return false;
  const toml::array* list = node->as_array();
  if (list == nullptr) {
    wrong(key, *node, "a list of " + std::string(right));
    return true;
  }
  for (const toml::node& element : *list) {
    const auto* value = element.as_string();
    if (value == nullptr || !take({value->get(), line_of(element)})) {
      faults_.add(line_of(element), path_ + '.' + std::string(key) + " has " + shown(element) +
                                        "; it must be a list of " + std::string(right));
    }
  }
  return true;
}

bool Section::number(std::string_view key, std::string_view right, const Take& take) {
  const toml::node* node = find(key);
  if (node == nullptr) return false;
  const std::string text = number_text(*node);
  if (text.empty() || !take({text, line_of(*node)})) wrong(key, *node, right);
  return true;
}

bool Section::integer(std::string_view key, int64_t min, int64_t max, int64_t& to) {
  const toml::node* node = find(key);
  if (node == nullptr) return false;
  const auto* value = node->as_integer();
  if (value == nullptr || value->get() < min || value->get() > max) {
    wrong(key, *node, "a whole number from " + std::to_string(min) + " to " + std::to_string(max));
  } else {
    to = value->get();
  }
  return true;
}

void Section::read_subtable(std::string_view key, const toml::table& table, const std::function<void(Section&)>& read) {
  Section section(table, (path_.empty() ? "" : path_ + '.') + std::string(key), faults_);
  read(section);
  section.finish();
}

bool Section::table(std::string_view key, const std::function<void(Section&)>& read) {
  const toml::node* node = find(key);
  if (node == nullptr) return false;
  const std::string full = (path_.empty() ? "" : path_ + '.') + std::string(key);
  if (const toml::table* table = node->as_table()) {
    read_subtable(key, *table, read);
  } else {
    wrong(key, *node, node->is_array() ? "one table, as [" + full + "]" : "a table, as [" + full + "]");
  }
  return true;
}

bool Section::tables(std::string_view key, const std::function<void(Section&)>& read) {
  const toml::node* node = find(key);
  if (node == nullptr) return false;
  const std::string right = "a list of tables, each begun by [[" + path_ + '.' + std::string(key) + "]]";
  const toml::array* list = node->as_array();
  if (list == nullptr) {
    wrong(key, *node, right);
    return true;
  }
  for (const toml::node& element : *list) {
    if (const toml::table* table = element.as_table()) {
      read_subtable(key, *table, read);
    } else {
      wrong(key, element, right);
    }
  }
  return true;
}

void Section::each_table(std::string_view example, const std::function<void(std::string_view, Section&)>& read) {
  for (const auto& [key, node] : table_) {
    known_.emplace_back(key.str());
    if (const toml::table* table = node.as_table()) {
      read_subtable(key.str(), *table, [&](Section& section) { read(key.str(), section); });
    } else {
      wrong(key.str(), node, "a table with a name of its own, as " + std::string(example));
    }
  }
}

void Section::each_number(const std::function<void(std::string_view, const Given&)>& take) {
  for (const auto& [key, node] : table_) {
    known_.emplace_back(key.str());
    const std::string text = number_text(node);
    if (text.empty()) {
      wrong(key.str(), node, "a number");
    } else {
      take(key.str(), {text, line_of(node)});
    }
  }
}

void Section::missing(std::string_view key, std::string_view example) {
  fault("has no " + std::string(key) + "; it must have one, as " + std::string(example));
}

void Section::finish() {
  for (const auto& [key, node] : table_) {
    if (std::find(known_.begin(), known_.end(), key.str()) != known_.end()) continue;
    const std::string near = nearest(key.str(), known_);
    const std::string name = std::string(key.str());
    faults_.add(key.source().begin.line,
                (path_.empty() ? "" : path_ + '.') + name + " is unknown; " +
                    (near.empty() ? "known here are " + joined(known_) : "did you mean \"" + near + "\"?"));
  }
}

}  // namespace footfall
