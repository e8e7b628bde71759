// Other processes of a test. What runs in them answers with a bool (a failed cmocka assertion would jump back into the
// test runner's copy), and may meet its parent step by step: no test needs to sleep.
#pragma once

#include <signal.h>
#include <stdio.h>
#include <sys/wait.h>
#include <unistd.h>

#include <functional>

namespace footfall {

class Child {
 public:
  // Forks; the process ends when `work` does, well if it gave true.
  explicit Child(const std::function<bool(Child&)>& work) {
    if (pipe(to_parent_) != 0 || pipe(to_child_) != 0) return;
    fflush(nullptr);
    pid_ = fork();
    if (pid_ != 0) {
      close(to_parent_[1]);
      close(to_child_[0]);
      return;
    }
    close(to_parent_[0]);
    close(to_child_[1]);
    const bool well = work(*this);
    _exit(well ? 0 : 1);
  }
  Child(const Child&) = delete;
  ~Child() {
    if (pid_ > 0) kill();
    close(to_parent_[0]);
    close(to_child_[1]);
  }

  // In the child: says that a step is done, and waits for go().
  void step_done() {
    char step = 's';
    if (write(to_parent_[1], &step, 1) != 1 || read(to_child_[0], &step, 1) != 1) _exit(2);
  }

  // In the parent: waits until the child has done a step. False: it ended instead.
  bool await_step() {
    char step;
    return read(to_parent_[0], &step, 1) == 1;
  }
  void go() { (void)!write(to_child_[1], "g", 1); }
  void kill() {
    ::kill(pid_, SIGKILL);
    finish();
  }
  // Waits for the end. True: it ended by itself and well.
  bool finish() {
    int status = 0;
    const pid_t pid = pid_;
    pid_ = 0;
    return waitpid(pid, &status, 0) == pid && WIFEXITED(status) && WEXITSTATUS(status) == 0;
  }
  pid_t pid() const { return pid_; }

 private:
  int to_parent_[2] = {-1, -1};
  int to_child_[2] = {-1, -1};
  pid_t pid_ = 0;
};

// Runs `work` in a process of its own and gives what it gave.
inline bool in_child(const std::function<bool()>& work) {
  return Child([&](Child&) { return work(); }).finish();
}

// A check in a child: tells where it failed.
#define child_check(condition)                                                    \
  do {                                                                            \
    if (!(condition)) {                                                           \
      fprintf(stderr, "%s:%d: in a child: %s\n", __FILE__, __LINE__, #condition); \
      return false;                                                               \
    }                                                                             \
  } while (false)

}  // namespace footfall
