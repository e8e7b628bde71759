#include "hit/csv_reader.h"

#include <algorithm>

namespace footfall {

CsvReader::CsvReader(std::string_view text) : text_(text) {
  if (text_.starts_with("\xEF\xBB\xBF")) text_.remove_prefix(3);
  const std::string_view head = text_.substr(0, text_.find('\n'));
  for (const char separator : {';', '\t'})
    if (std::count(head.begin(), head.end(), separator) > std::count(head.begin(), head.end(), separator_))
      separator_ = separator;
}

bool CsvReader::next(CsvRecord& to) {
  while (at_ < text_.size()) {
    to.line = line_;
    to.fields.clear();
    to.fault.clear();
    while (read_field(to)) {}
    const bool is_blank = to.fields.size() == 1 && to.fields.front().find_first_not_of(" \t") == std::string::npos;
    if (!is_blank || !to.fault.empty()) return true;
  }
  return false;
}

bool CsvReader::read_field(CsvRecord& to) {
  std::string& field = to.fields.emplace_back();
  if (at_ < text_.size() && text_[at_] == '"') {
    read_quoted(to);
  } else {
    const size_t end = std::min(text_.find_first_of(std::string{separator_, '\n'}, at_), text_.size());
    field = text_.substr(at_, end - at_);
    at_ = end;
  }
  if (at_ < text_.size() && text_[at_] == separator_) return ++at_, true;
  if (at_ < text_.size()) ++at_, ++line_;
  if (field.ends_with('\r')) field.pop_back();
  return false;
}

void CsvReader::read_quoted(CsvRecord& to) {
  std::string& field = to.fields.back();
  for (++at_; at_ < text_.size(); ++at_) {
    const char c = text_[at_];
    if (c == '\n') ++line_;
    if (c != '"') {
      field.push_back(c);
    } else if (at_ + 1 < text_.size() && text_[at_ + 1] == '"') {
      field.push_back(text_[at_++]);
    } else {
      break;
    }
  }
  if (at_ >= text_.size()) return void(to.fault = "a quote is opened and never closed");
  ++at_;
  const size_t end = std::min(text_.find_first_of(std::string{separator_, '\n'}, at_), text_.size());
  if (text_.substr(at_, end - at_).find_first_not_of(" \r") != std::string_view::npos)
    to.fault = "text follows a closed quote; a quote within a field is written twice";
  at_ = end;
}

}  // namespace footfall
