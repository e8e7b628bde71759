// A strict reader of one TOML table: every key is asked for by name, with what would be right; what was not asked for
// is a fault. Used by toml.cc and site_toml.cc alone.
#pragma once

#include <functional>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "base/error.h"
#include "site/toml_header.h"

namespace footfall {

// Faults of one file, by line.
class Faults {
 public:
  explicit Faults(std::string_view file_name) : file_name_(file_name) {}

  void add(unsigned line, std::string text) { by_line_.emplace(line, std::move(text)); }
  bool none() const { return by_line_.empty(); }
  Error to_error() const;

 private:
  std::string file_name_;
  std::multimap<unsigned, std::string> by_line_;
};

// A value as it stands in the file.
struct Given {
  std::string_view text;  // a text's content, or a number as a plain decimal
  unsigned line;
};

// Takes a value and keeps it. False: the value is not right, and the reader says what would be.
using Take = std::function<bool(const Given&)>;

// `right` completes "it must be …". Every reader tells whether the key is there at all, rightly or wrongly.
class Section {
 public:
  Section(const toml::table& table, std::string path, Faults& faults);

  bool text(std::string_view key, std::string_view right, const Take& take);
  bool texts(std::string_view key, std::string_view right, const Take& take);   // each of a list
  bool number(std::string_view key, std::string_view right, const Take& take);  // whole or with a point
  bool integer(std::string_view key, int64_t min, int64_t max, int64_t& to);

  // [path.key], [[path.key]], and all of [path.*], whose names are then known.
  bool table(std::string_view key, const std::function<void(Section&)>& read);
  bool tables(std::string_view key, const std::function<void(Section&)>& read);
  void each_table(std::string_view example, const std::function<void(std::string_view name, Section&)>& read);
  // All keys are numbers, as in [rates].
  void each_number(const std::function<void(std::string_view key, const Given&)>& take);

  // A fault of the table as a whole, told at its first line: "PATH TEXT".
  void fault(const std::string& text) { faults_.add(line_, path_ + ' ' + text); }
  // A key that must be there: `example` is a line that would be right.
  void missing(std::string_view key, std::string_view example);
  // Tells the keys that nobody asked for. To be called once, last.
  void finish();

  unsigned line() const { return line_; }
  const std::string& path() const { return path_; }
  Faults& faults() { return faults_; }

 private:
  const toml::node* find(std::string_view key);
  void wrong(std::string_view key, const toml::node& node, std::string_view right);
  void read_subtable(std::string_view key, const toml::table& table, const std::function<void(Section&)>& read);

  const toml::table& table_;
  std::string path_;
  Faults& faults_;
  unsigned line_;
  std::vector<std::string> known_;
};

// As faults quote it: "text" without control characters and not longer than fits a line.
std::string quoted_word(std::string_view text);

}  // namespace footfall
