#include "aggregate/importer.h"

#include <algorithm>

#include "hit/codec.h"

namespace footfall {
namespace {

constexpr int64_t kReorderMs = 10'000;
constexpr size_t kLinesAtOnce = 256;  // so that what is read is near when it is counted
constexpr size_t kPutBytes = 16 << 20;
constexpr size_t kSpareSecondsMax = 2'000;  // of a quiet log; a busy one has few seconds at once
constexpr size_t kSpareBytesMax = 16 << 10;
constexpr int64_t kFirstMs = 788'918'400'000;        // 1995-01-01
constexpr int64_t kAheadMs = 3'600'000;              // as live hits may be
constexpr int64_t kEventsAheadMs = 25 * 3'600'000;   // what is told by the day alone may be of any hour of it
constexpr size_t kFormatLines = 100;  // looked at to tell a file's format

int64_t second_of(int64_t time_ms) { return time_ms >= 0 ? time_ms / 1000 : (time_ms - 999) / 1000; }

// A row's reason may begin with what stood in it: counted without that.
std::string without_its_text(const std::string& reason) {
  const size_t quote = reason.rfind("\" is no ");
  return reason.starts_with('"') && quote != std::string::npos ? reason.substr(quote + 2) : reason;
}

std::vector<std::string_view> first_lines(std::string_view head) {
  std::vector<std::string_view> lines;
  while (!head.empty() && lines.size() < kFormatLines) {
    const size_t end = head.find('\n');
    if (end == std::string_view::npos && !lines.empty()) break;  // cut by the head's end
    lines.push_back(head.substr(0, end));
    head.remove_prefix(end == std::string_view::npos ? head.size() : end + 1);
  }
  return lines;
}

}  // namespace

struct Importer::Input {
  Input(std::unique_ptr<LogFile> file, LogFormat format) : file(std::move(file)), reader(std::move(format)) {}

  std::unique_ptr<LogFile> file;
  LogReader reader;
  uint16_t number = 0;
  Hash128 identity;
  FilePlace place;
  bool gave_hits = false;  // in this import
  int64_t newest_ms = INT64_MIN;
  std::string site_told;        // by the last line that was a hit
  SiteContext* site = nullptr;  // which that is
  bool ended = false;
};

struct Importer::SiteContext {
  std::string name;
  SiteConfig config;
  HitContext context;
  int64_t first_live_ms = 0;
};

struct Importer::Line {
  int64_t time_ms;
  uint64_t position;
  const SiteContext* site;
  uint32_t offset, bytes;  // of the encoded hit, in the second's
  uint16_t input;
};

// Lines of one second that wait for older ones.
struct Importer::Second {
  std::string hits;
  std::vector<Line> lines;
};

Importer::Importer(const Store& store, const Config& config, ImportLane& lane,
                   std::vector<std::unique_ptr<LogFile>> files, ImportOptions options, Hooks hooks)
    : store_(store),
      config_(config),
      lane_(lane),
      options_(std::move(options)),
      hooks_(std::move(hooks)),
      files_(std::move(files)),
      hasher_(store.secret()) {
  keys_.id = derive_key(store.secret(), "visitor id");
  keys_.customer = derive_key(store.secret(), "customer");
  keys_.anonymous_lasts = options_.one_salt;
}

Importer::~Importer() = default;

Status Importer::add_file(std::unique_ptr<LogFile> file) {
  const std::string& path = file->path();
  const std::string_view head = file->head();
  if (head.empty()) {
    if (!file->fault().empty()) return Error::invalid(path + " " + file->fault());
    return {};  // an empty file is imported at once
  }
  Result<LogFormat> format = options_.events || options_.spend ? LogFormat::parse("json")  // read by another reader
                             : options_.format.empty() || options_.format == "auto" ? detect_log_format(first_lines(head))
                                                                                  : LogFormat::parse(options_.format);
  if (!format) return Error::invalid(path + ": " + format.error().text);
  auto input = std::make_unique<Input>(std::move(file), std::move(*format));
  input->number = static_cast<uint16_t>(inputs_.size());
  input->identity = hasher_(head);
  for (const std::unique_ptr<Input>& other : inputs_)
    if (other->identity == input->identity) return {};  // the same file twice
  std::optional<FilePlace> known = lane_.find_file(input->identity);
  // A file that was shorter when it was seen last is known by that shorter head.
  const std::vector<uint32_t> sizes = lane_.head_sizes();
  for (auto size = sizes.rbegin(); !known && size != sizes.rend(); ++size)
    if (*size < head.size()) known = lane_.find_file(hasher_(head.substr(0, *size)));
  if (known) input->place = *known;
  input->place.head_bytes = static_cast<uint32_t>(head.size());
  input->file->skip_to(input->place.read_from);
  inputs_.push_back(std::move(input));
  return {};
}

Importer::SiteContext& Importer::context_of(std::string_view told) {
  const bool is_told = options_.site.empty() || (options_.told_site_first && !told.empty());
  const std::string_view name = is_told ? told : std::string_view(options_.site);
  const auto known = sites_.find(name);
  if (known != sites_.end()) return *known->second;
  auto site = std::make_unique<SiteContext>();
  site->name = imported_site(config_, name, {});
  site->config = site_or_default(config_, site->name);
  site->context.site = site->name;
  site->context.search_argument = site->config.search_argument;
  site->context.codes_prefix = site->config.codes_prefix;
  for (const std::string& argument : site->config.arguments) site->context.kept_path_arguments.push_back(argument);
  site->first_live_ms = hooks_.first_live_ms(site->name);
  return *sites_.emplace(std::string(name), std::move(site)).first->second;
}

// Salts of imported days are derived, so that an import that was cut off goes on with the same keys.
const VisitorKeys& Importer::keys_of(int64_t time_ms, int64_t visit_gap_ms) {
  const auto key_of = [&](int64_t day) {
    const std::string purpose = options_.one_salt ? "imported visitors" : "imported visitors " + std::to_string(day);
    return derive_key(store_.secret(), purpose);
  };
  const int64_t day = utc_day(time_ms);
  if (day != keys_day_) {
    keys_.anonymous = key_of(day);
    keys_.previous = key_of(day - 1);
    keys_.has_anonymous = true;
    keys_day_ = day;
  }
  keys_.has_previous = !options_.one_salt && time_ms - day * kMsPerDay < visit_gap_ms;
  return keys_;
}

void Importer::reject(const Input& input, std::string reason) {
  note_rejected({input.file->path(), input.file->line_number(), std::move(reason)});
}

void Importer::note_rejected(RejectedLine line) {
  ++totals_.rejected;
  ++totals_.rejected_reasons[without_its_text(line.reason)];
  if (totals_.examples.size() < kRejectedExamplesMax) totals_.examples.push_back(std::move(line));
}

bool Importer::names_site(const Input& input, uint64_t position, std::string_view told) {
  if (!told.empty() || !options_.site.empty() || config_.sites.size() < 2) return true;
  if (position >= input.place.read_to) reject(input, no_site_fault(config_));
  return false;
}

// One clock that was wrong would have that of the import run ahead of all else.
bool Importer::has_right_time(const Input& input, uint64_t position, int64_t time_ms, int64_t ahead_ms) {
  if (time_ms >= kFirstMs && time_ms <= now_ms_ + ahead_ms) return true;
  if (position >= input.place.read_to) reject(input, time_ms < kFirstMs ? "is of a time before 1995" : "is of a time that is to come");
  return false;
}

void Importer::take(Input& input, std::string_view line, uint64_t position) {
  switch (input.reader.read(line)) {
    case LineOutcome::hit: break;
    case LineOutcome::blank: return;
    case LineOutcome::dropped: ++totals_.dropped; return;
    case LineOutcome::rejected: {
      input.file->give_back_unended();
      if (position < input.place.read_to) return;  // told by the run before
      std::string reason(line_fault_text(input.reader.fault()));
      if (!input.reader.fault_variable().empty()) reason += " ($" + std::string(input.reader.fault_variable()) + ")";
      return reject(input, std::move(reason));
    }
  }
  const RawHit& raw = input.reader.hit();
  if (!names_site(input, position, input.reader.site()) || !has_right_time(input, position, raw.time_ms, kAheadMs)) return;
  if (input.place.is_settled(position, raw.time_ms)) {
    ++totals_.known;
    return;
  }
  input.newest_ms = std::max(input.newest_ms, raw.time_ms);
  // Most lines are of the site of the line before.
  if (input.site == nullptr || input.site_told != input.reader.site()) {
    input.site = &context_of(input.reader.site());
    input.site_told = input.reader.site();
  }
  SiteContext& site = *input.site;
  if (!options_.overlap && site.first_live_ms != 0 && raw.time_ms >= site.first_live_ms) {
    ++totals_.skipped;
    return;
  }
  const Hit& hit = hits_.build(raw, site.context, keys_of(raw.time_ms, site.config.visit_gap_s * 1000), &site.config);
  totals_.agents_not_logged += raw.agent == kAgentNotLogged;
  totals_.nobodys += hit.id_key.is_zero() && hit.anonymous_key.is_zero() && !(hit.flags & kHitExcluded);
  if ((hit.flags & kHitEventsMalformed) && position >= input.place.read_to)
    reject(input, "has events that are off their grammar: the request counts, they do not");
  keep(input, hit, position, site);
}

// Never skipped for being of a time that is live: nginx has not seen it.
void Importer::take_event(Input& input, std::string_view line, uint64_t position) {
  const LineOutcome outcome = events_.read(line);
  if (outcome == LineOutcome::blank) return;
  if (outcome == LineOutcome::rejected) {
    input.file->give_back_unended();
    if (position >= input.place.read_to) reject(input, events_.fault());
    return;
  }
  const EventLine& event = events_.event();
  if (!names_site(input, position, event.site) || !has_right_time(input, position, event.time_ms, kEventsAheadMs)) return;
  if (input.place.is_settled(position, event.time_ms)) {
    ++totals_.known;
    return;
  }
  input.newest_ms = std::max(input.newest_ms, event.time_ms);
  keep(input, hits_.build_event(event, keys_), position, context_of(event.site));
}

void Importer::take_spend(Input& input, std::string_view line, uint64_t position) {
  const LineOutcome outcome = spend_.read(line);
  if (outcome == LineOutcome::blank) return;
  if (outcome == LineOutcome::rejected) return reject(input, "is no line of spend");  // none that a table was made into
  const Hit& hit = spend_.hit();
  if (input.place.is_settled(position, hit.time_ms)) {
    ++totals_.known;
    return;
  }
  input.newest_ms = std::max(input.newest_ms, hit.time_ms);
  keep(input, hit, position, context_of(spend_.site_name()));
}

Importer::Second& Importer::second_at(int64_t second) {
  if (last_second_ != waiting_.end() && last_second_->first == second) return last_second_->second;
  const auto known = waiting_.lower_bound(second);
  if (known != waiting_.end() && known->first == second) {
    last_second_ = known;
  } else if (spare_seconds_.empty()) {
    last_second_ = waiting_.emplace_hint(known, second, Second());
  } else {
    auto spare = std::move(spare_seconds_.back());
    spare_seconds_.pop_back();
    spare.key() = second;
    last_second_ = waiting_.insert(known, std::move(spare));
  }
  return last_second_->second;
}

void Importer::keep(Input& input, const Hit& hit, uint64_t position, const SiteContext& site) {
  input.gave_hits = true;
  if (hit.time_ms < released_ms_) {  // too late to be put in its place
    std::string late;
    encode_hit(hit, late);
    return emit(late, hit.time_ms, site);
  }
  Second& second = second_at(second_of(hit.time_ms));
  const size_t offset = second.hits.size();
  encode_hit(hit, second.hits);
  second.lines.push_back({hit.time_ms, position, &site, static_cast<uint32_t>(offset),
                          static_cast<uint32_t>(second.hits.size() - offset), input.number});
}

void Importer::read_some(Input& input) {
  std::string_view line;
  uint64_t position = 0;
  for (size_t read = 0; read < kLinesAtOnce; ++read) {
    if (!input.file->next(line, position)) {
      input.ended = true;
      if (!input.file->fault().empty()) reject(input, "the file " + input.file->fault());
      break;
    }
    ++totals_.lines;
    if (options_.spend) take_spend(input, line, position);
    else options_.events ? take_event(input, line, position) : take(input, line, position);
  }
  input.place.read_to = std::max(input.place.read_to, input.file->position());
}

void Importer::put_in_block(std::string_view hit, int64_t time_ms, const SiteContext& site) {
  if (block_.empty()) block_.begin(kImportLane, record_.number, next_number_);
  if (!block_.add_encoded(hit, time_ms, site.name)) {
    blocks_.emplace_back(block_.finish());
    blocks_bytes_ += blocks_.back().size();
    block_.begin(kImportLane, record_.number, next_number_);
    block_.add_encoded(hit, time_ms, site.name);
  }
}

void Importer::emit(std::string_view hit, int64_t time_ms, const SiteContext& site) {
  if (!hooks_.count) {
    put_in_block(hit, time_ms, site);
  } else if (decode_hit(hit, decoded_[0])) {  // what encode_hit wrote always is
    hooks_.count(static_cast<uint16_t>(record_.number), decoded_[0], site.name);
  }
  note_emitted(time_ms);
}

void Importer::note_emitted(int64_t time_ms) {
  ++next_number_;
  ++totals_.hits;
  record_.first_ms = record_.hits == 0 ? time_ms : std::min(record_.first_ms, time_ms);
  record_.last_ms = record_.hits == 0 ? time_ms : std::max(record_.last_ms, time_ms);
  ++record_.hits;
}

// Whole seconds only, so that what went out of a file can be told by its time.
void Importer::release_before(int64_t time_ms) {
  last_second_ = waiting_.end();
  const auto end = waiting_.lower_bound(time_ms == INT64_MAX ? INT64_MAX : second_of(time_ms));
  released_.clear();
  for (auto second = waiting_.begin(); second != end; ++second) {
    std::vector<Line>& lines = second->second.lines;
    const auto is_before = [](const Line& a, const Line& b) {
      return a.time_ms != b.time_ms ? a.time_ms < b.time_ms
             : a.input != b.input   ? a.input < b.input
                                    : a.position < b.position;
    };
    // One file's lines mostly are; sorting would ask for memory.
    if (!std::is_sorted(lines.begin(), lines.end(), is_before)) std::stable_sort(lines.begin(), lines.end(), is_before);
    for (const Line& line : lines)
      released_.push_back({std::string_view(second->second.hits).substr(line.offset, line.bytes), line.time_ms, line.site});
  }
  emit_released();
  while (waiting_.begin() != end) {
    auto spare = waiting_.extract(waiting_.begin());
    spare.mapped().hits.clear();
    spare.mapped().lines.clear();
    if (spare_seconds_.size() < kSpareSecondsMax && spare.mapped().hits.capacity() <= kSpareBytesMax)
      spare_seconds_.push_back(std::move(spare));
  }
  if (time_ms != INT64_MAX) released_ms_ = std::max(released_ms_, second_of(time_ms) * 1000);
}

// Whoever counts them hears of each a little earlier: what is known of its visitor lies anywhere in memory.
void Importer::emit_released() {
  if (!hooks_.count) {
    for (const Released& line : released_) emit(line.hit, line.time_ms, *line.site);
    return;
  }
  const auto decoded = [&](size_t i) -> Hit& { return decoded_[i % decoded_.size()]; };
  size_t read = 0;
  for (size_t i = 0; i < released_.size(); ++i) {
    for (; read < released_.size() && read < i + decoded_.size(); ++read)
      if (decode_hit(released_[read].hit, decoded(read)))  // what encode_hit wrote always is
        hooks_.expect(decoded(read), released_[read].site->name);
    hooks_.count(static_cast<uint16_t>(record_.number), decoded(i), released_[i].site->name);
    note_emitted(released_[i].time_ms);
  }
}

// How far each file is settled by what went out so far.
std::map<Hash128, FilePlace> Importer::places() {
  std::map<Hash128, FilePlace> places;
  for (const std::unique_ptr<Input>& input : inputs_) {
    input->place.read_from = input->file->position();
    input->place.settled_before_ms = std::max(input->place.settled_before_ms, released_ms_);
    if (!input->gave_hits || record_.hits == 0 || input->place.import == record_.number) continue;
    input->place.from_import = input->place.import;
    input->place.import = record_.number;
  }
  for (const auto& [second, waiting] : waiting_)
    for (const Line& line : waiting.lines) {
      FilePlace& place = inputs_[line.input]->place;
      place.read_from = std::min(place.read_from, line.position);
    }
  // A file that nothing was taken of may be imported once more, another way.
  for (const std::unique_ptr<Input>& input : inputs_)
    if (input->gave_hits || input->place.import != 0) places[input->identity] = input->place;
  return places;
}

Status Importer::store_counted() {
  record_.rejected = totals_.rejected;
  record_.skipped = totals_.skipped;
  if (Status status = lane_.prepare(places(), record_, next_number_); !status) return status;
  if (next_number_ > 0)
    if (Status status = hooks_.store(record_.number, next_number_); !status) return status;
  return lane_.settle(record_.number, next_number_);
}

Status Importer::put_blocks() {
  if (!block_.empty()) {
    blocks_.emplace_back(block_.finish());
    block_.begin(kImportLane, record_.number, next_number_);
  }
  record_.rejected = totals_.rejected;
  record_.skipped = totals_.skipped;
  if (Status status = lane_.put(blocks_, places(), record_); !status) return status;
  blocks_.clear();
  blocks_bytes_ = 0;
  return hooks_.drain(record_.number, next_number_);
}

Status Importer::run() {
  for (std::unique_ptr<LogFile>& file : files_) {
    record_.files += (record_.files.empty() ? "" : " ") + file->path();
    if (Status status = add_file(std::move(file)); !status) return status;
  }
  const std::vector<ImportRecord> before = lane_.records();
  record_.number = totals_.number = before.empty() ? 1 : before.back().number + 1;
  if (record_.number >= UINT16_MAX) return Error::full("65,534 imports have been made; undo old ones");
  record_.started_ms = now_ms();

  ImportProgress progress;
  for (const std::unique_ptr<Input>& input : inputs_) progress.bytes_total += input->file->packed_bytes();
  for (;;) {
    // The file that is behind is read on, so that no file's lines wait for long.
    Input* behind = nullptr;
    for (const std::unique_ptr<Input>& input : inputs_)
      if (!input->ended && (behind == nullptr || input->newest_ms < behind->newest_ms)) behind = input.get();
    if (behind == nullptr || hooks_.stop_wanted()) break;
    read_some(*behind);
    int64_t settled_ms = INT64_MAX;
    for (const std::unique_ptr<Input>& input : inputs_)
      if (!input->ended)
        settled_ms = std::min(settled_ms, input->newest_ms == INT64_MIN ? INT64_MIN : input->newest_ms - kReorderMs);
    if (settled_ms != INT64_MAX && settled_ms != INT64_MIN) release_before(settled_ms);
    if (hooks_.count ? hooks_.is_much_counted() : blocks_bytes_ >= kPutBytes)
      if (Status status = hooks_.count ? store_counted() : put_blocks(); !status) return status;
    progress.lines = totals_.lines;
    progress.bytes = 0;
    for (const std::unique_ptr<Input>& input : inputs_) progress.bytes += input->file->packed_bytes_read();
    hooks_.progress(progress);
  }
  return finish();
}

// Whoever stops early leaves what waits to the next run; at the end of all files nothing older can come.
Status Importer::finish() {
  const bool ended = std::all_of(inputs_.begin(), inputs_.end(), [](const auto& input) { return input->ended; });
  if (ended) {
    release_before(INT64_MAX);
    record_.ended_ms = now_ms();
  }
  return hooks_.count ? store_counted() : put_blocks();
}

}  // namespace footfall
