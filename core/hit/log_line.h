// One line of an access log, read into the RawHit that live capture would have made of the same request. Formats:
// log_format.h. Lines are hostile: whatever they hold, they are read as a hit or refused with a reason.
#pragma once

#include <array>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <utility>

#include "base/error.h"
#include "hit/log_format.h"
#include "hit/log_text.h"
#include "hit/log_time.h"
#include "hit/raw_hit.h"

namespace footfall {

inline constexpr size_t kLogLineBytesMax = 1024 * 1024;

enum class LineOutcome : uint8_t {
  hit,
  blank,     // nothing but blanks: not counted, and no fault
  dropped,   // footfall_signals said `drop`: not a hit, as live
  rejected,  // see fault()
};

// Why a line is no hit. A request that is garbage is no fault: it is a hit with an empty uri.
enum class LineFault : uint8_t {
  none,
  too_long,    // over kLogLineBytesMax
  off_format,  // the text between two fields is missing, or something follows the last one
  not_json,    // not one JSON object
  no_time,
  bad_time,
  no_request,
  bad_status,
  bad_number,  // bytes or the request's time
};
std::string_view line_fault_name(LineFault fault);  // a word for counters, as the enumerator
std::string_view line_fault_text(LineFault fault);  // for people

// The agent of requests whose log does not tell agents: nobody knows it, which is not that the client sent none.
inline constexpr std::string_view kAgentNotLogged = "unknown";

// Not thread-safe; keep one per thread. Does not allocate once warm.
class LogReader {
 public:
  explicit LogReader(LogFormat format) : format_(std::move(format)) {}
  LogReader(const LogReader&) = delete;

  // `line` without its line feed; a carriage return and a byte order mark are taken off. What it gives lives until the
  // next read, and no longer than the line.
  LineOutcome read(std::string_view line);

  // Unread values, cut by nobody yet, and no events of directives: $footfall_events tells them in the header's form.
  const RawHit& hit() const { return hit_; }
  // The name of the site that the line tells ($footfall_site, else $server_name, else $host as hosts are compared); empty: none,
  // or no name that a site can have. Hosts are what clients sent.
  std::string_view site() const { return site_; }

  LineFault fault() const { return fault_; }
  // Which variable's value the fault lies in, without `$`; empty: none in particular.
  std::string_view fault_variable() const { return fault_variable_; }

  const LogFormat& format() const { return format_; }

 private:
  bool split(std::string_view line);
  bool split_text(std::string_view line);
  bool split_json(std::string_view line);
  bool read_numbers();
  bool read_time();
  void read_request();
  void read_host();
  void read_texts();
  std::string_view plain_host(std::string_view host);
  void read_site();

  // What the line says of a field; data() is null where it does not have it. A `-` is empty.
  std::string_view value(LogField field) const { return values_[static_cast<size_t>(field)]; }
  void set(LogField field, std::string_view text);
  std::string_view without_escapes(std::string_view text);
  bool reject(LineFault fault, std::string_view variable = {});

  LogFormat format_;
  std::array<std::string_view, kLogFields> values_{};
  std::string unescaped_;  // reserved to the line's length, so that views stay
  bool undo_escapes_ = false;
  LogTime time_;
  AddressRoom address_{};
  RawHit hit_;
  std::string_view site_;
  std::string host_;  // in lower case, where it was sent otherwise
  LineFault fault_ = LineFault::none;
  std::string_view fault_variable_;
};

// The named format that most of a file's first lines speak for, each for the one that tells most of those that read it.
// Error::invalid: there is no line, or none reads any.
Result<LogFormat> detect_log_format(std::span<const std::string_view> first_lines);

}  // namespace footfall
