// The stage: what goes in comes out, whole and in order; what does not fit is counted; what was read is wiped; and no
// bytes, however broken, lead outside.
#include "lane/stage_writer.h"

#include <fcntl.h>
#include <sched.h>
#include <sys/stat.h>

#include <algorithm>
#include <cstdlib>
#include <cstring>
#include <deque>
#include <new>
#include <optional>

#include "child.h"
#include "lane/sample.h"
#include "random.h"
#include "temp_folder.h"
#include "test.h"

namespace {
size_t allocations = 0;
}
void* operator new(size_t bytes) {
  ++allocations;
  if (void* const made = std::malloc(bytes)) return made;
  abort();
}
void operator delete(void* what) noexcept { std::free(what); }
void operator delete(void* what, size_t) noexcept { std::free(what); }

namespace footfall {
namespace {

constexpr uint8_t kBoot[16] = {1, 2, 3};
constexpr uint64_t kEpoch = 77;

struct Held {
  TempFolder folder;
  std::string path = folder / "stage";
  StageFile file;
  std::optional<StageWriter> writer;
  std::optional<StageReader> reader;
  StageFile other;
  std::optional<StageWriter> other_writer;
  std::optional<StageReader> other_reader;
  uint16_t shop = 0;
  std::string text;
  std::deque<std::string> expected;
  RawHit hit;
};
std::optional<Held> held;

int make_stage(void**) {
  held.emplace();
  Result<StageFile> made = StageFile::create(held->path, 5, kEpoch, kBoot, kStageRecordBytesMin);
  if (!made) return -1;
  held->file = std::move(*made);
  held->writer.emplace(held->file);
  held->reader.emplace(held->file, 0, 0);
  held->shop = *held->writer->add_context({"shop", {}, {}});
  return 0;
}
int remove_stage(void**) {
  held.reset();
  return 0;
}

StageHeader& header() { return held->file.header(); }
uint64_t dropped(DropReason reason) { return header().dropped[static_cast<size_t>(reason)].load(); }

void stage(const RawHit& hit) { assert_true(held->writer->append(hit, held->shop)); }
void stage(std::string_view uri) { stage(page_view(uri)); }

const RawHit& read() {
  assert_int_equal(held->reader->next(), StageReader::Outcome::hit);
  return held->reader->hit();
}
void expect_empty() { assert_int_equal(held->reader->next(), StageReader::Outcome::empty); }

// --- what goes in comes out ---

void every_field_comes_back(void**) {
  RawHit& in = held->hit;
  in.time_ms = kNoon + 1;
  in.request_time_ms = 1234;
  in.bytes_sent = 5'000'000'000;
  in.status = 404;
  in.method = Method::put;
  in.content = ContentKind::other;
  in.prefetch = in.own_bot = in.from_cache = in.uri_cut = in.events_cut = true;
  in.address = std::string_view("\x20\x01\x0d\xb8\0\0\0\0\0\0\0\0\0\0\0\x01", 16);
  in.visitor_id = "uid=1";
  in.uri = "/a\0b?c";
  in.path = "/product/7";
  in.referrer = "https://search.example/";
  in.agent = "agent";
  in.host = "shop.example:8080";
  in.country = "DE";
  in.events_header = "add_to_cart;item=\"SKU1\"";
  in.events = {{true, "purchase", "i", "12.50", "EUR", "A-1", "SKU1:1:12.50", "MAIL24", "c-9"},
               {false, "sign_up", "", "", "", "", "", "", ""}};
  const HitContext context{"other.example", {"variant", "size"}, "q", "/go/"};
  const uint16_t index = *held->writer->add_context(context);
  assert_true(held->writer->append(in, index));

  const RawHit& out = read();
  expect_number(out.time_ms, in.time_ms);
  assert_int_equal(out.request_time_ms, in.request_time_ms);
  assert_int_equal(out.bytes_sent, in.bytes_sent);
  assert_int_equal(out.status, in.status);
  assert_true(out.method == in.method && out.content == in.content);
  assert_true(out.prefetch && out.own_bot && out.from_cache && out.uri_cut && out.events_cut);
  for (auto field : {&RawHit::address, &RawHit::visitor_id, &RawHit::uri, &RawHit::path, &RawHit::referrer,
                     &RawHit::agent, &RawHit::host, &RawHit::country, &RawHit::events_header})
    expect_text(out.*field, in.*field);
  assert_int_equal(out.events.size(), 2);
  for (size_t i = 0; i < 2; ++i) {
    assert_int_equal(out.events[i].is_order, in.events[i].is_order);
    for (auto field : {&RawEvent::name, &RawEvent::item, &RawEvent::value, &RawEvent::currency, &RawEvent::id,
                       &RawEvent::items, &RawEvent::coupon, &RawEvent::customer})
      expect_text(out.events[i].*field, in.events[i].*field);
  }
  expect_text(held->reader->context().site, "other.example");
  expect_text(held->reader->context().search_argument, "q");
  expect_text(held->reader->context().codes_prefix, "/go/");
  assert_true(held->reader->context().kept_path_arguments == context.kept_path_arguments);
  expect_empty();
}

void a_request_without_anything_comes_back_empty(void**) {
  held->hit.time_ms = kNoon;
  stage(held->hit);
  const RawHit& out = read();
  assert_true(out.uri.empty() && out.address.empty() && out.events.empty());
  assert_false(out.prefetch || out.own_bot || out.from_cache || out.uri_cut || out.events_cut);
  assert_true(out.method == Method::get && out.content == ContentKind::none);
}

void hits_are_numbered_in_their_order(void**) {
  stage("/one");
  stage("/two");
  expect_text(read().uri, "/one");
  assert_int_equal(held->reader->number(), 1);  // of the next
  expect_text(read().uri, "/two");
  assert_int_equal(held->reader->number(), 2);
  held->reader->release();
  assert_int_equal(header().drained.load(), 2);
  assert_int_equal(header().staged.load(), 2);
  assert_int_equal(header().tail.load(), header().head.load());
  assert_int_equal(header().wiped.load(), header().head.load());
}

// Records of every size, drained at random: nothing is lost, mixed up or read twice over many revolutions.
void it_goes_round_and_round(void**) {
  static Random random(1);
  std::deque<std::string>& expected = held->expected;
  uint64_t read_hits = 0;
  while (header().head.load() < 12 * kStageRecordBytesMin) {
    held->text = "/" + std::to_string(random.next());
    held->text.resize(1 + random.below(random.below(4) == 0 ? kRawUriBytesMax : 300), 'x');
    if (held->writer->append(page_view(held->text), held->shop)) expected.push_back(held->text);
    if (random.below(80) != 0) continue;
    for (uint64_t count = random.below(200); count > 0 && !expected.empty(); --count) {
      expect_text(read().uri, expected.front());
      expect_text(held->reader->hit().agent, kAgent);
      expected.pop_front();
      assert_int_equal(held->reader->number(), ++read_hits);
    }
    if (expected.empty()) expect_empty();
    if (random.below(3) != 0) held->reader->release();
  }
  assert_true(dropped(DropReason::stage_full) > 0);  // the bound was met too
}

void a_full_stage_drops_and_counts(void**) {
  uint64_t fit = 0;
  held->text = std::string(1000, 'u');
  while (held->writer->append(page_view(held->text), held->shop)) ++fit;
  assert_true(fit > 200 && fit <= kStageRecordBytesMin / 1000);
  for (int i = 0; i < 4; ++i) assert_false(held->writer->append(page_view(held->text), held->shop));
  assert_int_equal(dropped(DropReason::stage_full), 5);
  assert_int_equal(header().staged.load(), fit);
  for (uint64_t i = 0; i < fit; ++i) expect_text(read().uri, held->text);
  expect_empty();
  assert_false(held->writer->append(page_view(held->text), held->shop));  // read is not yet released
  held->reader->release();
  stage("/next");
  expect_text(read().uri, "/next");
  assert_int_equal(held->reader->number(), fit + 1);
}

void a_record_may_fill_the_room_to_the_last_byte(void**) {
  held->hit = page_view("");
  held->hit.agent = {};
  held->hit.host = "shop";  // 56 + 4 of the address + 4 = 64 bytes: a divisor of the room
  while (held->writer->append(held->hit, held->shop)) {
  }
  assert_int_equal(header().head.load(), kStageRecordBytesMin);
  for (uint64_t i = 0; i < kStageRecordBytesMin / 64; ++i) read();
  expect_empty();
  held->reader->release();
  stage(held->hit);
  assert_int_equal(header().head.load(), kStageRecordBytesMin + 64);
  read();
}

void staging_allocates_nothing(void**) {
  held->hit = page_view("/cart");
  held->hit.events = {{true, "purchase", "", "1.00", "EUR", "A-1", "", "", ""}};
  const size_t before = allocations;
  for (int i = 0; i < 3000; ++i) held->writer->append(held->hit, held->shop);
  held->writer->set_clock(kNoon + 5);
  held->writer->count_drop(DropReason::signal);
  assert_int_equal(allocations - before, 0);
}

// --- bounds ---

void overlong_fields_are_cut(void**) {
  held->text = std::string(70'000, 'x');
  RawHit& in = held->hit;
  in = page_view(held->text);
  in.path = in.referrer = in.agent = in.host = in.visitor_id = in.country = in.events_header = held->text;
  in.address = std::string_view(held->text).substr(0, 17);
  stage(in);
  const RawHit& out = read();
  assert_int_equal(out.uri.size(), kRawUriBytesMax);
  assert_true(out.uri_cut);
  assert_int_equal(out.path.size(), kRawPathBytesMax + 1);  // so that it is known to be too long
  assert_int_equal(out.referrer.size(), kRawReferrerBytesMax);
  assert_int_equal(out.agent.size(), kAgentBytesMax);
  assert_int_equal(out.host.size(), kRawHostBytesMax);
  assert_int_equal(out.visitor_id.size(), kVisitorIdBytesMax);
  assert_int_equal(out.country.size(), 16);
  assert_int_equal(out.events_header.size(), kEventHeaderBytesMax + 1);  // likewise
  assert_int_equal(out.address.size(), 0);
  assert_false(out.events_cut);
}

// Whatever a request and its configuration bring, no hit is lost for its size.
void every_field_at_its_bound_fits(void**) {
  held->text = std::string(70'000, 'x');
  RawHit& in = held->hit;
  in = page_view(held->text);
  in.address = std::string_view(held->text).substr(0, 16);
  in.path = in.referrer = in.agent = in.host = in.visitor_id = in.country = in.events_header = held->text;
  in.events = {told("first", std::string_view(held->text).substr(0, 4096 - 1 - 8 * 2 - 5))};
  stage(in);
  assert_int_equal(read().events.size(), 1);
  assert_false(held->reader->hit().events_cut);
  assert_int_equal(dropped(DropReason::oversized), 0);
}

void what_is_at_its_bound_stays_whole(void**) {
  held->text = std::string(kRawUriBytesMax, 'x');
  stage(held->text);
  assert_int_equal(read().uri.size(), kRawUriBytesMax);
  assert_false(held->reader->hit().uri_cut);
}

void events_beyond_their_bound_are_told_to_be_cut(void**) {
  held->hit = page_view("/");
  held->hit.events.resize(kEventsMax, told("add_to_cart"));
  stage(held->hit);
  assert_int_equal(read().events.size(), kEventsMax);
  assert_false(held->reader->hit().events_cut);
  held->hit.events.resize(kEventsMax + 1, told("add_to_cart"));
  stage(held->hit);
  assert_int_equal(read().events.size(), kEventsMax);
  assert_true(held->reader->hit().events_cut);
  for (size_t bytes : {4090u, 65'535u, 65'536u, 70'000u}) {
    held->text = std::string(bytes, 'x');
    held->hit.events = {told("first"), told("second", held->text)};
    stage(held->hit);
    assert_int_equal(read().events.size(), 1);
    expect_text(held->reader->hit().events[0].name, "first");
    assert_true(held->reader->hit().events_cut);
  }
}

void time_never_runs_back(void**) {
  stage(page_view("/one", kNoon));
  stage(page_view("/two", kNoon - 5000));
  expect_number(read().time_ms, kNoon);
  expect_number(read().time_ms, kNoon);
  held->writer->set_clock(kNoon + 100);
  expect_number(header().clock_ms.load(), kNoon + 100);
  stage(page_view("/three", kNoon + 50));  // the clock was a promise
  expect_number(read().time_ms, kNoon + 100);
  held->writer->set_clock(kNoon);
  expect_number(header().clock_ms.load(), kNoon + 100);
}

void a_broken_clock_drops_and_counts(void**) {
  for (int64_t time_ms : {int64_t{0}, int64_t{-1}, INT64_MIN, int64_t{788'918'399'999}})
    assert_false(held->writer->append(page_view("/", time_ms), held->shop));
  assert_int_equal(dropped(DropReason::clock), 4);
  expect_empty();
  stage(page_view("/", 788'918'400'000));
}

void every_reason_has_a_name_and_a_count(void**) {
  held->writer->count_drop(DropReason::signal);
  held->writer->count_drop(DropReason::signal);
  assert_int_equal(dropped(DropReason::signal), 2);
  expect_text(drop_reason_name(DropReason::stage_full), "stage_full");
  expect_text(drop_reason_name(DropReason::oversized), "oversized");
  expect_text(drop_reason_name(DropReason::clock), "clock");
  expect_text(drop_reason_name(DropReason::signal), "signal");
}

// --- contexts ---

void a_context_is_kept_once_whoever_adds_it(void**) {
  const uint16_t other = *held->writer->add_context({"other", {"variant"}, "q"});
  assert_int_not_equal(other, held->shop);
  assert_int_equal(*held->writer->add_context({"shop", {}, {}}), held->shop);
  held->other = StageFile(std::move(StageFile::open(held->path, true).value()));
  held->other_writer.emplace(held->other);
  assert_int_equal(*held->other_writer->add_context({"other", {"variant"}, "q"}), other);
  assert_int_equal(*held->other_writer->add_context({"other", {"variant"}, "s"}), other + 1);
  assert_int_equal(*held->other_writer->add_context({"other", {"variants"}, "q"}), other + 2);
  assert_int_equal(*held->other_writer->add_context({"other", {"variants"}, "q", "/go/"}), other + 3);
  stage("/");
  read();
  expect_text(held->reader->context().site, "shop");
  assert_true(
      held->writer->append(page_view("/"), static_cast<uint16_t>(other + 1)));  // added after the first was read
  read();
  expect_text(held->reader->context().search_argument, "s");
  expect_text(held->reader->context().codes_prefix, "");
}

void the_table_of_contexts_is_bounded(void**) {
  held->text = std::string(300, 's');
  static std::string name;
  uint16_t last = 0;
  for (int i = 0;; ++i) {
    name = std::to_string(i) + held->text;
    const Result<uint16_t> added = held->writer->add_context({name, {}, {}});
    if (!added) {
      assert_int_equal(added.error().code, Error::Code::full);
      break;
    }
    last = *added;
  }
  assert_true(last > 200);
  assert_int_equal(*held->writer->add_context({"shop", {}, {}}), held->shop);  // those that are there still serve
  assert_true(held->writer->append(page_view("/"), last));
  read();
  expect_text(held->reader->context().site, (std::to_string(last - 1) + held->text).substr(0, 255));
}

// --- wiping ---

bool is_in_memory(std::string_view what) {
  const char* const begin = reinterpret_cast<const char*>(held->file.records());
  return std::search(begin, begin + header().record_bytes, what.begin(), what.end()) != begin + header().record_bytes;
}

void what_was_released_is_gone_from_memory(void**) {
  held->text = "/?email=jane.doe@mail.example";
  held->hit = page_view(held->text);
  held->hit.visitor_id = "visitor-4711";
  stage(held->hit);
  stage("/second");
  assert_true(is_in_memory(held->text) && is_in_memory(kAddress) && is_in_memory("visitor-4711"));
  read();
  held->reader->release();
  assert_false(is_in_memory(held->text));
  assert_false(is_in_memory("visitor-4711"));
  assert_true(is_in_memory("/second"));  // not read yet
  read();
  held->reader->release();
  for (uint64_t i = 0; i < header().record_bytes; ++i) assert_int_equal(held->file.records()[i], 0);
}

void wiping_goes_round_too(void**) {
  held->text = std::string(3000, 'u');
  for (int i = 0; i < 1000; ++i) {
    stage(held->text);
    read();
    held->reader->release();
  }
  assert_true(header().head.load() > 10 * kStageRecordBytesMin);
  for (uint64_t i = 0; i < header().record_bytes; ++i) assert_int_equal(held->file.records()[i], 0);
}

// --- processes that die ---

void another_writer_goes_on_where_the_first_died(void**) {
  stage("/one");
  const uint64_t head = header().head.load(), staged = header().staged.load();
  stage("/torn");  // killed between copy and head; also: counted and not shown
  header().head.store(head);
  held->other = StageFile(std::move(StageFile::open(held->path, true).value()));
  held->other_writer.emplace(held->other);
  expect_text(read().uri, "/one");
  expect_empty();
  assert_true(held->other_writer->append(page_view("/two"), held->shop));
  expect_text(read().uri, "/two");
  expect_empty();
  assert_int_equal(held->reader->number(), staged + 1);
}

// The tail moves first, then the records are wiped, then their room is given: wherever that was cut off, it is
// finished, and what was not released is still there.
void a_release_that_was_cut_off_is_finished(void**) {
  for (size_t wiped_bytes : {0u, 8u, 100u, 100'000u}) {
    make_stage(nullptr);
    stage("/one");
    stage("/two");
    stage("/three");
    read();
    read();
    const uint64_t position = held->reader->position();
    header().drained_next.store(2);
    header().tail.store(position);
    memset(held->file.records(), 0, std::min<size_t>(wiped_bytes, position));
    held->other = StageFile(std::move(StageFile::open(held->path, true).value()));
    finish_release(held->other);
    assert_int_equal(header().wiped.load(), position);
    assert_int_equal(header().drained.load(), 2);
    assert_false(is_in_memory("/one") || is_in_memory("/two"));
    held->reader.emplace(held->other, header().tail.load(), header().drained.load());
    expect_text(read().uri, "/three");
    assert_int_equal(held->reader->number(), 3);
    finish_release(held->other);  // nothing more to do
    assert_int_equal(header().wiped.load(), position);
  }
}

void room_is_given_only_when_it_is_wiped(void**) {
  held->text = std::string(4000, 'u');
  while (held->writer->append(page_view(held->text), held->shop)) read();
  header().tail.store(held->reader->position());
  assert_false(held->writer->append(page_view(held->text), held->shop));
  header().drained_next.store(held->reader->number());
  finish_release(held->file);
  stage(held->text);
}

// --- a copy ---

void a_snapshot_stays_what_it_was(void**) {
  stage("/one");
  stage("/two");
  Result<StageFile> copied = held->file.snapshot();
  assert_true(copied.ok());
  held->other = std::move(*copied);
  read();
  held->reader->release();
  stage("/three");
  held->other_reader.emplace(held->other, 0, 0);
  assert_int_equal(held->other_reader->next(), StageReader::Outcome::hit);
  expect_text(held->other_reader->hit().uri, "/one");
  assert_int_equal(held->other_reader->next(), StageReader::Outcome::hit);
  expect_text(held->other_reader->hit().uri, "/two");
  assert_int_equal(held->other_reader->next(), StageReader::Outcome::empty);
  assert_true(header().tail.load() > 0);  // which tells the reader that its copy may have been torn
}

void a_reader_that_was_passed_is_told(void**) {
  held->text = std::string(4000, 'u');
  held->other_reader.emplace(held->file, 0, 0);
  for (int i = 0; i < 100; ++i) {
    stage(held->text);
    read();
    held->reader->release();
  }
  assert_int_equal(held->other_reader->next(), StageReader::Outcome::overrun);
  held->other_reader.emplace(held->file, header().head.load() + 8, 0);
  assert_int_equal(held->other_reader->next(), StageReader::Outcome::overrun);
}

// Two processes at full speed: each hit arrives whole, once and in order.
void two_processes_lose_nothing(void**) {
  constexpr uint64_t kHits = 20'000;
  static std::optional<Child> producer;
  producer.emplace([](Child& self) {
    Result<StageFile> file = StageFile::open(held->path, true);
    child_check(file.ok());
    StageWriter writer(*file);
    Random random(8);
    std::string uri;
    for (uint64_t i = 0; i < kHits; ++i) {
      uri = "/" + std::to_string(i) + "/" + std::string(random.below(900), 'x');
      while (!writer.append(page_view(uri), 0)) sched_yield();
    }
    self.step_done();
    return true;
  });
  Random random(8);
  for (uint64_t i = 0; i < kHits;) {
    const StageReader::Outcome outcome = held->reader->next();
    if (outcome == StageReader::Outcome::empty) {
      held->reader->release();
      sched_yield();
      continue;
    }
    assert_int_equal(outcome, StageReader::Outcome::hit);
    held->text = "/" + std::to_string(i) + "/" + std::string(random.below(900), 'x');
    expect_text(held->reader->hit().uri, held->text);
    ++i;
    if (i % 64 == 0) held->reader->release();
  }
  expect_empty();
  producer->go();
  assert_true(producer->finish());
  producer.reset();
}

// --- broken bytes ---

bool lies_in(std::string_view view, const uint8_t* begin, uint64_t bytes) {
  const char* const first = reinterpret_cast<const char*>(begin);
  return view.empty() || (view.data() >= first && view.data() + view.size() <= first + bytes);
}

void expect_inside(const StageFile& file, const StageReader& reader) {
  const auto in_records = [&](std::string_view view) {
    return lies_in(view, file.records(), file.header().record_bytes);
  };
  const auto in_contexts = [&](std::string_view view) { return lies_in(view, file.contexts(), kStageContextsBytes); };
  const RawHit& hit = reader.hit();
  for (auto field : {&RawHit::address, &RawHit::visitor_id, &RawHit::uri, &RawHit::path, &RawHit::referrer,
                     &RawHit::agent, &RawHit::host, &RawHit::country, &RawHit::events_header})
    assert_true(in_records(hit.*field));
  for (const RawEvent& event : hit.events)
    for (auto field : {&RawEvent::name, &RawEvent::item, &RawEvent::value, &RawEvent::currency, &RawEvent::id,
                       &RawEvent::items, &RawEvent::coupon, &RawEvent::customer})
      assert_true(in_records(event.*field));
  assert_true(in_contexts(reader.context().site) && in_contexts(reader.context().search_argument) &&
              in_contexts(reader.context().codes_prefix));
  for (std::string_view name : reader.context().kept_path_arguments) assert_true(in_contexts(name));
}

void stage_some(int hits) {
  held->hit = page_view("/cart?sku=1");
  held->hit.events = {{true, "purchase", "", "1.00", "EUR", "A-1", "SKU:1:1.00", "", ""}, told("sign_up")};
  const uint16_t other = *held->writer->add_context({"other", {"variant", "size"}, "q", "/go/"});
  for (int i = 0; i < hits; ++i) held->writer->append(held->hit, i % 3 == 0 ? other : held->shop);
}

void broken_records_never_lead_outside(void**) {
  static Random random(5);
  stage_some(5000);  // up to the end of the room
  held->text.assign(reinterpret_cast<const char*>(held->file.contexts()), kStageContextsBytes + header().record_bytes);
  const uint64_t used = kStageContextsBytes + header().head.load();
  int corrupt = 0;
  for (int round = 0; round < 400; ++round) {
    memcpy(held->file.contexts(), held->text.data(), held->text.size());
    for (uint64_t changes = 1 + random.below(40); changes > 0; --changes) {
      const uint64_t at =
          random.below(8) == 0 ? random.below(100) : kStageContextsBytes + random.below(used - kStageContextsBytes);
      held->file.contexts()[at] = static_cast<uint8_t>(random.below(2) == 0 ? random.next() : 0xff);
    }
    // Positions that a reader may be given are multiples of 8 below head, not always a record's.
    held->other_reader.emplace(held->file, random.below(4) == 0 ? random.below(header().head.load() / 8) * 8 : 0, 0);
    StageReader::Outcome outcome;
    while ((outcome = held->other_reader->next()) == StageReader::Outcome::hit)
      expect_inside(held->file, *held->other_reader);
    corrupt += outcome == StageReader::Outcome::corrupt;
  }
  assert_true(corrupt > 100);
}

void what_cannot_be_read_is_dropped_and_its_numbers_skipped(void**) {
  stage("/one");
  const uint64_t second = header().head.load();
  for (int i = 0; i < 4; ++i) stage("/lost");
  memset(held->file.records() + second, 0, 8);
  expect_text(read().uri, "/one");
  assert_int_equal(held->reader->next(), StageReader::Outcome::corrupt);
  assert_int_equal(held->reader->next(), StageReader::Outcome::corrupt);
  assert_int_equal(held->reader->release_all(), 4);
  expect_empty();
  stage("/next");
  expect_text(read().uri, "/next");
  assert_int_equal(held->reader->number(), 6);
  assert_int_equal(header().staged.load(), 6);
  held->reader->release();
  for (uint64_t i = 0; i < header().record_bytes; ++i) assert_int_equal(held->file.records()[i], 0);
}

void write_at(off_t at, const void* bytes, size_t count) {
  const int fd = open(held->path.c_str(), O_RDWR | O_CLOEXEC);
  assert_int_equal(pwrite(fd, bytes, count, at), static_cast<ssize_t>(count));
  close(fd);
}

void random_headers_are_refused_or_harmless(void**) {
  static Random random(6);
  stage_some(100);
  const std::string good(reinterpret_cast<const char*>(&header()), sizeof(StageHeader));
  int refused = 0;
  for (int round = 0; round < 3000; ++round) {
    held->text = good;
    for (uint64_t changes = 1 + random.below(3); changes > 0; --changes)
      held->text[random.below(8) == 0 ? random.below(8) : 16 + random.below(good.size() - 16)] =
          static_cast<char>(random.below(3) == 0 ? random.next() : 1u << random.below(8));
    write_at(0, held->text.data(), held->text.size());
    for (bool writable : {true, false}) {
      Result<StageFile> opened = StageFile::open(held->path, writable);
      if (!opened) {
        ++refused;
        continue;
      }
      held->other = std::move(*opened);
      held->other_reader.emplace(held->other, held->other.header().tail.load(), held->other.header().drained.load());
      while (held->other_reader->next() == StageReader::Outcome::hit) expect_inside(held->other, *held->other_reader);
      if (!writable) continue;
      held->other_reader->release();
      held->other_writer.emplace(held->other);
      held->other_writer->append(page_view("/more"), 0);
      held->other_reader->release_all();
    }
    memset(held->file.contexts(), 0, kStageContextsBytes + kStageRecordBytesMin);
    write_at(0, good.data(), good.size());
    header().contexts_used.store(0);
    header().head.store(0);
    held->writer.emplace(held->file);
    held->shop = *held->writer->add_context({"shop", {}, {}});
    stage_some(100);
  }
  assert_true(refused > 500);
}

// --- what is opened ---

Error::Code open_fault(bool writable = true) {
  const Result<StageFile> opened = StageFile::open(held->path, writable);
  if (opened) fail_msg("opened");
  return opened.error().code;
}

void a_stage_is_opened_with_what_it_holds(void**) {
  stage("/one");
  for (bool writable : {true, false}) {
    Result<StageFile> opened = StageFile::open(held->path, writable);
    assert_true(opened.ok());
    held->other = std::move(*opened);
    assert_int_equal(held->other.header().lane, 5);
    assert_int_equal(held->other.header().epoch, kEpoch);
    assert_memory_equal(held->other.header().boot_id, kBoot, sizeof kBoot);
    held->other_reader.emplace(held->other, 0, 0);
    assert_int_equal(held->other_reader->next(), StageReader::Outcome::hit);
    expect_text(held->other_reader->hit().uri, "/one");
  }
}

void what_is_no_stage_is_refused(void**) {
  const std::string good(reinterpret_cast<const char*>(&header()), sizeof(StageHeader));
  const auto with = [&](const std::function<void(StageHeader&)>& change) {
    write_at(0, good.data(), good.size());
    change(header());
    return open_fault();
  };
  assert_int_equal(with([](StageHeader& h) { h.magic ^= 1; }), Error::Code::corrupt);
  assert_int_equal(with([](StageHeader& h) { h.version = kStageVersion + 1; }), Error::Code::version);
  assert_int_equal(with([](StageHeader& h) { h.record_bytes = 0; }), Error::Code::corrupt);
  assert_int_equal(with([](StageHeader& h) { h.record_bytes += 4096; }), Error::Code::corrupt);
  assert_int_equal(with([](StageHeader& h) { h.tail = 8; }), Error::Code::corrupt);
  assert_int_equal(with([](StageHeader& h) { h.head = 4; }), Error::Code::corrupt);
  assert_int_equal(with([](StageHeader& h) { h.head = kStageRecordBytesMin + 8; }), Error::Code::corrupt);
  assert_int_equal(with([](StageHeader& h) { h.head = h.tail = 800, h.wiped = 808; }), Error::Code::corrupt);
  assert_int_equal(with([](StageHeader& h) { h.contexts_used = kStageContextsBytes + 1; }), Error::Code::corrupt);

  // A header alone, whose room is none: what it says agrees with the file's size.
  write_at(0, good.data(), good.size());
  header().record_bytes = 0;
  assert_int_equal(truncate(held->path.c_str(), kStageHeaderBytes + kStageContextsBytes), 0);
  assert_int_equal(open_fault(), Error::Code::corrupt);
  assert_int_equal(truncate(held->path.c_str(), 4095), 0);
  assert_int_equal(open_fault(), Error::Code::corrupt);
  assert_int_equal(open_fault(false), Error::Code::corrupt);
  unlink(held->path.c_str());
  assert_int_equal(open_fault(), Error::Code::not_found);
}

void a_new_stage_is_whole_and_open_to_the_group(void**) {
  const mode_t before = umask(077);
  Result<StageFile> made = StageFile::create(held->path, 1, 1, kBoot, 1'000'000);
  umask(before);
  assert_true(made.ok());
  held->other = std::move(*made);
  assert_int_equal(held->other.header().record_bytes, 1'003'520);  // the next multiple of 4096
  struct stat file;
  assert_int_equal(stat(held->path.c_str(), &file), 0);
  assert_int_equal(file.st_mode & 0777, 0660);
  assert_true(file.st_blocks * 512 >= file.st_size);  // preallocated: no request ever waits for it or dies of it
  stage("/one");                                      // who still has the old one does not disturb the new
  assert_int_equal(held->other.header().head.load(), 0);
  assert_int_equal(StageFile::create(held->folder / "missing/stage", 1, 1, kBoot, 1).error().code, Error::Code::io);
}

}  // namespace
}  // namespace footfall

#define with_stage(test) cmocka_unit_test_setup_teardown(test, make_stage, remove_stage)

int main() {
  using namespace footfall;
  const CMUnitTest tests[] = {
      with_stage(every_field_comes_back),
      with_stage(a_request_without_anything_comes_back_empty),
      with_stage(hits_are_numbered_in_their_order),
      with_stage(it_goes_round_and_round),
      with_stage(a_full_stage_drops_and_counts),
      with_stage(a_record_may_fill_the_room_to_the_last_byte),
      with_stage(staging_allocates_nothing),
      with_stage(overlong_fields_are_cut),
      with_stage(every_field_at_its_bound_fits),
      with_stage(what_is_at_its_bound_stays_whole),
      with_stage(events_beyond_their_bound_are_told_to_be_cut),
      with_stage(time_never_runs_back),
      with_stage(a_broken_clock_drops_and_counts),
      with_stage(every_reason_has_a_name_and_a_count),
      with_stage(a_context_is_kept_once_whoever_adds_it),
      with_stage(the_table_of_contexts_is_bounded),
      with_stage(what_was_released_is_gone_from_memory),
      with_stage(wiping_goes_round_too),
      with_stage(another_writer_goes_on_where_the_first_died),
      with_stage(a_release_that_was_cut_off_is_finished),
      with_stage(room_is_given_only_when_it_is_wiped),
      with_stage(a_snapshot_stays_what_it_was),
      with_stage(a_reader_that_was_passed_is_told),
      with_stage(two_processes_lose_nothing),
      with_stage(broken_records_never_lead_outside),
      with_stage(what_cannot_be_read_is_dropped_and_its_numbers_skipped),
      with_stage(random_headers_are_refused_or_harmless),
      with_stage(a_stage_is_opened_with_what_it_holds),
      with_stage(what_is_no_stage_is_refused),
      with_stage(a_new_stage_is_whole_and_open_to_the_group),
  };
  return cmocka_run_group_tests(tests, nullptr, nullptr);
}
