// Notes of where readers are: those of the dead are counted, ring by ring, until one lives through it.
#include "lane/reading_notes.h"

#include <filesystem>
#include <fstream>
#include <optional>

#include "temp_folder.h"
#include "test.h"

namespace footfall {
namespace {

struct Held {
  TempFolder folder;
  std::string path = folder / "reading";
  std::optional<ReadingNotes> notes;
};
std::optional<Held> held;

int start_afresh(void**) {
  held.emplace();
  return 0;
}
int clear_away(void**) {
  held.reset();
  return 0;
}

// The next reader's.
ReadingNotes& open_notes() {
  held->notes.reset();
  Result<ReadingNotes> opened = ReadingNotes::open(held->path);
  if (!opened) fail_msg("%s", opened.error().text.c_str());
  held->notes.emplace(std::move(*opened));
  return *held->notes;
}

// Nobody takes the note back.
void die_in(unsigned lane, uint32_t generation) {
  alignas(ReadingNotes::Inside) static char left[sizeof(ReadingNotes::Inside)];
  new (left) ReadingNotes::Inside(*held->notes, lane, generation);
}

void who_leaves_a_ring_leaves_no_note(void**) {
  open_notes();
  { const ReadingNotes::Inside inside(*held->notes, 3, 0); }
  assert_int_equal(open_notes().deaths(3, 0), 0);
}

void the_dead_are_counted_by_ring(void**) {
  open_notes();
  die_in(3, 1);
  assert_int_equal(open_notes().deaths(3, 1), 1);
  assert_int_equal(held->notes->deaths(3, 0), 0);
  assert_int_equal(held->notes->deaths(2, 1), 0);
  assert_int_equal(open_notes().deaths(3, 1), 1);  // that one is counted
  die_in(255, 0);
  open_notes();
  die_in(3, 1);
  assert_int_equal(open_notes().deaths(3, 1), 2);
  assert_int_equal(held->notes->deaths(255, 0), 1);
  die_in(3, 2);
  assert_int_equal(open_notes().deaths(3, 2), 1);  // another ring began anew
}

void who_lives_through_it_clears_it_of_that_ring(void**) {
  open_notes();
  die_in(0, 1);
  open_notes().survived(0, 0);
  assert_int_equal(held->notes->deaths(0, 1), 1);
  held->notes->survived(0, 1);
  assert_int_equal(open_notes().deaths(0, 1), 0);
}

void what_is_no_notes_is_begun_anew(void**) {
  std::ofstream(held->path, std::ios::binary) << std::string(5'000, '\xa5');
  assert_int_equal(open_notes().deaths(0, 0xa5a5a5a5), 0);
  die_in(0, 0);
  assert_int_equal(open_notes().deaths(0, 0), 1);
}

void without_a_file_nothing_is_remembered(void**) {
  std::filesystem::create_directory(held->path);
  assert_true(!ReadingNotes::open(held->path));
  held->notes.emplace();
  die_in(0, 0);
  assert_int_equal(held->notes->deaths(0, 0), 0);
}

}  // namespace
}  // namespace footfall

#define with_notes(test) cmocka_unit_test_setup_teardown(test, start_afresh, clear_away)

int main() {
  using namespace footfall;
  const CMUnitTest tests[] = {
      with_notes(who_leaves_a_ring_leaves_no_note),    with_notes(the_dead_are_counted_by_ring),
      with_notes(who_lives_through_it_clears_it_of_that_ring), with_notes(what_is_no_notes_is_begun_anew),
      with_notes(without_a_file_nothing_is_remembered),
  };
  return cmocka_run_group_tests(tests, nullptr, nullptr);
}
