// The configuration that workers go by, as a file: whole or not at all, and followed when it changes.
#include "site/config_file.h"

#include <sys/resource.h>
#include <unistd.h>

#include <csignal>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <memory>

#include "child.h"
#include "site/example.h"
#include "site/toml.h"
#include "temp_folder.h"
#include "test.h"

namespace footfall {
namespace {

struct Fixture {
  TempFolder folder;
  std::string path = folder / "config";
  Config config = *parse_config(kExampleToml, "example");
  ConfigWatch watch{path};

  bool write() { return write_config_file(path, config).ok(); }
  std::string bytes() {
    std::ifstream from(path, std::ios::binary);
    return {std::istreambuf_iterator<char>(from), {}};
  }
  void put(std::string_view bytes) { std::ofstream(path, std::ios::binary | std::ios::trunc) << bytes; }
  Error::Code fault() {
    const Result<Config> read = read_config_file(path);
    assert_false(read.ok());
    return read.error().code;
  }
};
std::unique_ptr<Fixture> f;
int begin(void**) { return f = std::make_unique<Fixture>(), 0; }
int end(void**) { return f.reset(), 0; }

void what_was_written_is_read(void**) {
  assert_true(f->fault() == Error::Code::not_found);
  assert_true(f->write());
  assert_true(*read_config_file(f->path) == f->config);
  struct stat file;
  assert_int_equal(stat(f->path.c_str(), &file), 0);
  assert_int_equal(file.st_mode & 0777, 0660);  // workers of the store's group may read it
}

void a_watch_sees_each_change_once(void**) {
  assert_false(f->watch.look());
  assert_null(f->watch.config().get());
  assert_true(f->write());
  assert_true(f->watch.look());
  assert_true(*f->watch.config() == f->config);
  assert_false(f->watch.look());
  for (int64_t gap_s = 61; gap_s < 70; ++gap_s) {
    f->config.sites[0].visit_gap_s = gap_s;
    assert_true(f->write());
    assert_true(f->watch.look());
    expect_number(f->watch.config()->sites[0].visit_gap_s, gap_s);
    assert_false(f->watch.look());
  }
}

void whoever_holds_the_old_one_keeps_it(void**) {
  assert_true(f->write());
  assert_true(f->watch.look());
  static std::shared_ptr<const Config> old;
  old = f->watch.config();
  f->config.sites[0].name = "other";
  assert_true(f->write() && f->watch.look());
  expect_text(old->sites[0].name, "shop");
  old.reset();
}

void a_file_that_is_gone_changes_nothing(void**) {
  assert_true(f->write() && f->watch.look());
  std::filesystem::remove(f->path);
  assert_false(f->watch.look());
  expect_text(f->watch.config()->sites[0].name, "shop");
}

void foreign_bytes_are_no_configuration(void**) {
  assert_true(f->write() && f->watch.look());
  static std::string good, bad;
  good = f->bytes();
  for (size_t at = 0; at < good.size(); at += 7) {
    bad = good;
    bad[at] ^= 0x20;
    f->put(bad);
    assert_true(f->fault() == Error::Code::corrupt || f->fault() == Error::Code::version);
  }
  for (size_t bytes = 0; bytes < good.size(); bytes += 13) {
    f->put(std::string_view(good).substr(0, bytes));
    assert_true(f->fault() == Error::Code::corrupt);
    assert_false(f->watch.look());
  }
  f->put(good + "x");
  assert_true(f->fault() == Error::Code::corrupt);
  bad = good;
  bad[8] = 2;
  f->put(bad);
  assert_true(f->fault() == Error::Code::version);
  assert_true(*f->watch.config() == f->config);  // the one before stays
}

void a_disk_without_room_leaves_the_old_one(void**) {
  assert_true(f->write());
  f->config.sites[0].exclude_agents.assign(1000, "a monitor of ours");
  assert_true(in_child([] {
    signal(SIGXFSZ, SIG_IGN);
    const rlimit limit{4096, 4096};
    child_check(setrlimit(RLIMIT_FSIZE, &limit) == 0);
    child_check(!f->write());
    return true;
  }));
  assert_true(read_config_file(f->path)->sites[0].exclude_agents.empty());
}

}  // namespace
}  // namespace footfall

int main() {
  using namespace footfall;
#define file_test(name) cmocka_unit_test_setup_teardown(name, begin, end)
  const CMUnitTest tests[] = {
      file_test(what_was_written_is_read),
      file_test(a_watch_sees_each_change_once),
      file_test(whoever_holds_the_old_one_keeps_it),
      file_test(a_file_that_is_gone_changes_nothing),
      file_test(foreign_bytes_are_no_configuration),
      file_test(a_disk_without_room_leaves_the_old_one),
  };
  return cmocka_run_group_tests(tests, nullptr, nullptr);
}
