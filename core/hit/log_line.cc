#include "hit/log_line.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <cstring>
#include <deque>
#include <optional>
#include <utility>

#include "base/bytes.h"
#include "hit/byte_block.h"
#include "hit/log_json.h"
#include "hit/text.h"
#include "site/checks.h"

namespace footfall {
namespace {

constexpr std::string_view kByteOrderMark = "\xEF\xBB\xBF";
constexpr char kAbsent = '-';

constexpr struct {
  std::string_view name, text;
} kFaults[] = {
    {"none", "no fault"},
    {"too_long", "longer than 1 MiB"},
    {"off_format", "off the log's format"},
    {"not_json", "not one JSON object"},
    {"no_time", "no time"},
    {"bad_time", "no such time"},
    {"no_request", "no request"},
    {"bad_status", "no such status"},
    {"bad_number", "no number"},
};
static_assert(std::size(kFaults) == static_cast<size_t>(LineFault::bad_number) + 1);

std::string_view without_frame(std::string_view line) {
  if (line.starts_with(kByteOrderMark)) line.remove_prefix(kByteOrderMark.size());
  if (line.ends_with('\r')) line.remove_suffix(1);
  return line;
}

bool is_escaped(const char* quote, const char* begin) {
  const char* at = quote;
  while (at > begin && at[-1] == '\\') --at;
  return (quote - at) % 2 != 0;
}

bool is_blank(char c) { return c == ' ' || c == '\t'; }

// The next `c`; nullptr: none. Most fields are a few bytes long: a call costs more than looking at them.
inline const char* find_byte(const char* from, const char* end, char c) {
  constexpr int kBlocksNear = 2;
  for (int block = 0; block < kBlocksNear && end - from >= static_cast<ptrdiff_t>(kByteBlock); ++block, from += kByteBlock)
    if (const ByteBlock found = load_block(from) == static_cast<int8_t>(c); any(found)) return from + first_of(found);
  return static_cast<const char*>(std::memchr(from, c, static_cast<size_t>(end - from)));
}

// Whether `until` stands at `from`, where its first byte and room for all of it are known to be.
inline bool goes_on_as(const char* from, std::string_view until) {
  for (size_t at = 1; at < until.size(); ++at)
    if (from[at] != until[at]) return false;
  return true;
}

// Where the field at `at` ends; nullptr: nowhere. `is_end` judges the place behind the text that ends it. A quoted
// field ends at its first quote that is not escaped or not at all: two lines torn into one are none.
template <class IsEnd>
const char* find_until(const char* at, const char* end, const LogStep& step, IsEnd&& is_end) {
  const std::string_view until = step.until;
  const bool is_quoted = step.quoted && until[0] == '"';
  if (static_cast<size_t>(end - at) < step.bytes_min + until.size()) return nullptr;
  const char* const last = end - until.size() + 1;  // `until` begins before it
  for (const char* from = at + step.bytes_min; from < last; ++from) {
    from = find_byte(from, last, until[0]);
    if (from == nullptr) return nullptr;
    if (is_quoted && is_escaped(from, at)) continue;
    if (goes_on_as(from, until) && is_end(from + until.size())) return from;
    if (is_quoted) return nullptr;
  }
  return nullptr;
}

// The same for what nearly all fields are: the first place that could end it does. nullptr: look closer.
inline const char* find_first_until(const char* at, const char* end, const LogStep& step) {
  constexpr ptrdiff_t kWordBytes = sizeof step.until_word;
  if (end - at < static_cast<ptrdiff_t>(step.bytes_min) + kWordBytes) return nullptr;
  const char* const last = end - kWordBytes + 1;
  const char* const from = find_byte(at + step.bytes_min, last, static_cast<char>(step.until_word));
  if (from == nullptr || (load_le64(from) & step.until_mask) != step.until_word) return nullptr;
  return from == at || from[-1] != '\\' ? from : nullptr;
}

const char* find_last_end(const char* at, const char* end, const LogStep& step, bool is_open_ended) {
  if (!step.until.empty())
    return find_until(at, end, step,
                      [&](const char* behind) { return behind == end || (is_open_ended && is_blank(*behind)); });
  return is_open_ended ? std::find_if(at, end, is_blank) : end;
}

// A count of bytes; nothing where it is none.
std::optional<uint64_t> read_count(std::string_view text) {
  constexpr size_t kDigitsThatFit = 19;  // whatever they are
  uint64_t count = 0;
  if (!text.empty() && text.size() <= kDigitsThatFit) {
    for (const char c : text) {
      const unsigned digit = static_cast<unsigned>(c) - '0';
      if (digit > 9) return std::nullopt;
      count = count * 10 + digit;
    }
    return count;
  }
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), count);
  if (error != std::errc() || end != text.data() + text.size()) return std::nullopt;
  return count;
}

std::optional<uint16_t> read_status(std::string_view text) {
  if (text.size() > 3) return std::nullopt;
  const std::optional<uint64_t> status = read_count(text);
  return status ? std::optional(static_cast<uint16_t>(*status)) : std::nullopt;
}

// As in nginx's `if=`.
bool is_set(std::string_view flag) { return !flag.empty() && flag != "0"; }

// Statuses under which nginx logs a request line that it could not read, and live capture has no target.
bool may_be_unread(uint16_t status) { return status == 400 || status == 414 || status == 505; }

std::string_view without_port(std::string_view host) {
  if (host.empty()) return host;
  const size_t digits = host.find_last_not_of("0123456789");
  return digits != std::string_view::npos && host[digits] == ':' ? host.substr(0, digits) : host;
}

}  // namespace

std::string_view line_fault_name(LineFault fault) { return kFaults[static_cast<size_t>(fault)].name; }
std::string_view line_fault_text(LineFault fault) { return kFaults[static_cast<size_t>(fault)].text; }

LineOutcome LogReader::read(std::string_view line) {
  fault_ = LineFault::none;
  fault_variable_ = {};
  if (line.size() > kLogLineBytesMax) return reject(LineFault::too_long), LineOutcome::rejected;
  line = without_frame(line);
  if (line.empty() || (is_space(line.front()) && trim(line).empty())) return LineOutcome::blank;

  if (!split(line) || !read_time() || !read_numbers()) return LineOutcome::rejected;
  if (value(LogField::signals) == "drop") return LineOutcome::dropped;
  read_request();
  read_host();
  read_texts();
  read_site();
  return LineOutcome::hit;
}

bool LogReader::reject(LineFault fault, std::string_view variable) {
  fault_ = fault;
  fault_variable_ = variable;
  return false;
}

bool LogReader::split(std::string_view line) {
  unescaped_.clear();
  undo_escapes_ = format_.has_escapes() && std::memchr(line.data(), '\\', line.size()) != nullptr;
  if (undo_escapes_ && unescaped_.capacity() < line.size()) unescaped_.reserve(line.size());
  return format_.is_json() ? split_json(line) : split_text(line);
}

inline void LogReader::set(LogField field, std::string_view text) {
  if (text.size() == 1 && text[0] == kAbsent) text.remove_prefix(1);
  if (undo_escapes_) text = without_escapes(text);
  values_[static_cast<size_t>(field)] = text;
}

std::string_view LogReader::without_escapes(std::string_view text) {
  if (std::memchr(text.data(), '\\', text.size()) == nullptr) return text;
  const size_t start = unescaped_.size();
  append_unescaped(text, unescaped_);
  return std::string_view(unescaped_).substr(start);
}

// Each field of the format is set, or the line is refused: what the line before said stays nowhere.
bool LogReader::split_text(std::string_view line) {
  if (!line.starts_with(format_.start())) return reject(LineFault::off_format);
  const char* at = line.data() + format_.start().size();
  const char* const end = line.data() + line.size();
  const LogStep* const last = &format_.steps().back();
  for (const LogStep& step : format_.steps()) {
    if (step.after_blanks)
      while (at != end && is_blank(*at)) ++at;
    const char* stop = &step == last ? find_last_end(at, end, step, format_.is_open_ended())
                                     : find_first_until(at, end, step);
    if (stop == nullptr && &step != last) stop = find_until(at, end, step, [](const char*) { return true; });
    if (stop == nullptr) return reject(LineFault::off_format, step.variable);
    if (step.field != LogField::skipped) set(step.field, {at, static_cast<size_t>(stop - at)});
    at = stop + step.until.size();
  }
  return at == end || format_.is_open_ended() ? true : reject(LineFault::off_format);
}

bool LogReader::split_json(std::string_view line) {
  values_.fill({});
  JsonMembers members(line);
  JsonMember member;
  while (members.next(member)) {
    const LogField field = log_field(member.key);
    if (field != LogField::skipped) set(field, member.value);
  }
  if (!members.ok()) return reject(LineFault::not_json);
  if (value(LogField::request).data() == nullptr && value(LogField::request_uri).data() == nullptr)
    return reject(LineFault::no_request);
  return true;
}

bool LogReader::read_time() {
  // The finest first. A line that has one has to have it right.
  static constexpr std::pair<LogField, std::string_view> kTimes[] = {
      {LogField::msec, "msec"}, {LogField::time_iso8601, "time_iso8601"}, {LogField::time_local, "time_local"}};
  for (const auto& [field, variable] : kTimes) {
    if (value(field).empty()) continue;
    const std::string_view text = trim(value(field));
    if (text.empty()) continue;
    std::optional<int64_t> time_ms = time_.read_ms(text);
    // A user's name may hold ` [`, a time does not.
    if (const size_t bracket = time_ms ? std::string_view::npos : text.rfind('['); bracket != std::string_view::npos)
      time_ms = time_.read_ms(text.substr(bracket + 1));
    if (!time_ms) return reject(LineFault::bad_time, variable);
    hit_.time_ms = *time_ms;
    return true;
  }
  return reject(LineFault::no_time);
}

bool LogReader::read_numbers() {
  const std::optional<uint16_t> status = read_status(trim(value(LogField::status)));
  if (!status) return reject(LineFault::bad_status, "status");
  hit_.status = *status;

  // Of bytes, what was sent is what live capture tells; the body alone is better than nothing.
  const bool has_sent = !value(LogField::bytes_sent).empty();
  const std::string_view bytes_text = trim(value(has_sent ? LogField::bytes_sent : LogField::body_bytes_sent));
  const std::optional<uint64_t> bytes = bytes_text.empty() ? 0 : read_count(bytes_text);
  if (!bytes) return reject(LineFault::bad_number, has_sent ? "bytes_sent" : "body_bytes_sent");
  hit_.bytes_sent = *bytes;

  hit_.request_time_ms = 0;
  const std::string_view seconds = trim(value(LogField::request_time));
  hit_.time_unknown = seconds.empty();
  if (!seconds.empty()) {
    const std::optional<int64_t> took_ms = seconds_as_ms(seconds);
    if (!took_ms) return reject(LineFault::bad_number, "request_time");
    hit_.request_time_ms = static_cast<uint32_t>(std::min<int64_t>(*took_ms, UINT32_MAX));
  }

  const std::string_view address = trim(value(LogField::remote_addr));
  hit_.address = read_log_address(address, address_);
  // One with a blank inside is two fields: the line is of another format. IPv4 addresses have none.
  const bool has_blank = hit_.address.size() != 4 && address.find(' ') != std::string_view::npos;
  return has_blank ? reject(LineFault::off_format, "remote_addr") : true;
}

void LogReader::read_request() {
  const RequestLine line = split_request(value(LogField::request));
  const bool has_method = !value(LogField::request_method).empty();
  const bool has_request = value(LogField::request).data() != nullptr;
  hit_.method = has_method    ? method_of(value(LogField::request_method))
                : has_request ? line.method
                              : Method::get;  // a log of targets alone tells none
  hit_.uri = line.target;
  if (value(LogField::request_uri).data() != nullptr) {
    hit_.uri = value(LogField::request_uri);
  } else if (may_be_unread(hit_.status) && (!is_well_formed(line) || hit_.status == 505)) {
    hit_.uri = {};
  }
}

void LogReader::read_texts() {
  const bool is_anonymous = value(LogField::signals) == "anonymous";
  hit_.content = content_kind_of(value(LogField::content_type));
  hit_.prefetch = is_set(value(LogField::prefetch));
  hit_.own_bot = is_set(value(LogField::bot));
  hit_.visitor_id = is_anonymous ? std::string_view() : value(LogField::visitor);
  hit_.referrer = value(LogField::referrer);
  hit_.agent = value(LogField::agent);
  if (hit_.agent.data() == nullptr) hit_.agent = kAgentNotLogged;
  hit_.path = value(LogField::path);
  hit_.country = value(LogField::country);
  hit_.events_header = value(LogField::events);
}

void LogReader::read_host() {
  // As nginx has it: a host in the request line goes before the Host header.
  const std::string_view authority = take_authority(hit_.uri);
  if (!authority.empty()) {
    hit_.host = authority;
  } else if (value(LogField::http_host).data() != nullptr) {
    hit_.host = value(LogField::http_host);
  } else {
    hit_.host = value(value(LogField::host).empty() ? LogField::server_name : LogField::host);
  }
}

// As hosts are compared: in lower case, without the dot that ends a full name.
std::string_view LogReader::plain_host(std::string_view host) {
  if (host.ends_with('.')) host.remove_suffix(1);
  if (std::none_of(host.begin(), host.end(), [](char c) { return c >= 'A' && c <= 'Z'; })) return host;
  host_.assign(host);
  for (char& c : host_)
    if (c >= 'A' && c <= 'Z') c = static_cast<char>(c + 32);
  return host_;
}

void LogReader::read_site() {
  site_ = value(LogField::site);
  for (const LogField field : {LogField::server_name, LogField::host})
    if (site_.empty()) site_ = plain_host(without_port(value(field)));
  if (!site_.empty() && !is_site_name(site_)) site_ = {};
}

// A line speaks for the format that reads most out of it: one of `footfall` that was cut off is still one of
// `combined`.
Result<LogFormat> detect_log_format(std::span<const std::string_view> first_lines) {
  static constexpr std::string_view kNames[] = {"footfall", "json", "vhost", "combined", "common"};
  std::deque<LogReader> readers;  // they do not move
  for (const std::string_view name : kNames) readers.emplace_back(*LogFormat::parse(name));
  std::array<size_t, std::size(kNames)> lines{};
  for (const std::string_view line : first_lines) {
    const auto takes = [line](LogReader& reader) {
      const LineOutcome outcome = reader.read(line);
      return outcome == LineOutcome::hit || outcome == LineOutcome::dropped;
    };
    const auto reader = std::find_if(readers.begin(), readers.end(), takes);
    if (reader != readers.end()) ++lines[static_cast<size_t>(reader - readers.begin())];
  }
  const auto most = std::max_element(lines.begin(), lines.end());
  if (*most > 0) return LogFormat::parse(kNames[static_cast<size_t>(most - lines.begin())]);
  return Error::invalid(
      "the log's first lines are in none of the formats footfall, json, vhost, combined, common: "
      "give its log_format");
}

}  // namespace footfall
