// An access log as lines: plain, .gz or .zst (told by its first bytes), or standard input. Positions are bytes of the
// unpacked text, so they stay the same when a log is packed.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <utility>

#include "base/error.h"

namespace footfall {

inline constexpr size_t kLogHeadBytes = 64 * 1024;  // what a file is known by

class LogFile {
 public:
  // `path` `-`: standard input.
  static Result<std::unique_ptr<LogFile>> open(const std::string& path);
  // Lines that were made of another file, known by that one's path.
  static Result<std::unique_ptr<LogFile>> of_text(const std::string& path, std::string_view text);
  ~LogFile();

  const std::string& path() const { return path_; }
  std::string_view head() const { return head_; }  // its first bytes, at most kLogHeadBytes

  // Goes on at that byte; only forward, and before the first line.
  void skip_to(uint64_t position);

  // The next line without its line feed, and where it began. False: the end, or a fault. A line over kLogLineBytesMax
  // comes cut behind that length. The view lives until the next call.
  // What a fault cut off in the midst of a line is none.
  bool next(std::string_view& line, uint64_t& position);
  // The last line, if nothing ended it, may be one that is still being written: the position goes back to its beginning.
  void give_back_unended() { position_ -= std::exchange(unended_bytes_, 0); }
  uint64_t position() const { return position_; }   // where the next line begins
  uint64_t line_number() const { return lines_; }   // of the last line, from 1; lines that were skipped count
  const std::string& fault() const { return fault_; }  // why it ended early; empty: it did not

  uint64_t packed_bytes() const { return packed_bytes_; }        // of the file; 0: not known
  uint64_t packed_bytes_read() const { return packed_read_; }

 private:
  struct Unpacker;
  struct Plain;
  struct Gzip;
  struct Zstd;

  LogFile() = default;
  static Result<std::unique_ptr<LogFile>> read(const std::string& path, int fd);
  std::string_view unread() const { return {buffer_.data() + at_, end_ - at_}; }
  bool fill();  // false: nothing more
  size_t read_packed(char* to, size_t bytes);

  std::string path_;
  int fd_ = -1;
  std::unique_ptr<Unpacker> unpacker_;
  std::string head_;
  std::string buffer_;  // its bytes are set once, and read into again and again
  size_t at_ = 0;       // what is unread lies between these two
  size_t end_ = 0;
  uint64_t position_ = 0;
  uint64_t lines_ = 0;
  uint64_t unended_bytes_ = 0;  // of the last line given, without a line feed
  bool ended_ = false;
  std::string fault_;
  std::string packed_;       // bytes read ahead to tell how the file is packed
  size_t packed_at_ = 0;
  uint64_t packed_bytes_ = 0;
  uint64_t packed_read_ = 0;
};

}  // namespace footfall
