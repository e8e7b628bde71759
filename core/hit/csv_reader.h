// Tables as spreadsheets and shops write them: RFC 4180, with a comma, a semicolon or a tab between fields, UTF-8.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace footfall {

struct CsvRecord {
  uint64_t line = 0;  // in which it begins, from 1
  std::vector<std::string> fields;
  std::string fault;  // what is off its form; empty: nothing is
};

class CsvReader {
 public:
  // The text outlives the reader. Whichever separator the first line has most of is the table's.
  explicit CsvReader(std::string_view text);

  // The next record that is not blank. False: there is none.
  bool next(CsvRecord& to);

 private:
  bool read_field(CsvRecord& to);  // true: another one follows in the record
  void read_quoted(CsvRecord& to);

  std::string_view text_;
  size_t at_ = 0;
  uint64_t line_ = 1;
  char separator_ = ',';
};

}  // namespace footfall
