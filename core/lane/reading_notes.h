// In which ring the aggregator is, kept outside LMDB: a damaged ring can kill whoever reads it. By these notes the next one
// knows that a ring killed the ones before it. One process at a time writes them: the holder of `writer`.
//
//   PATH/reading, mapped:  magic u64 | lane + 1 u32, 0: in no ring | generation u32 | per lane: generation u32, deaths u32
#pragma once

#include <atomic>
#include <cstdint>
#include <memory>
#include <string>

#include "base/error.h"
#include "base/limits.h"

namespace footfall {

class ReadingNotes {
 public:
  // Notes that end with this process: where no file can be made.
  ReadingNotes();
  ReadingNotes(ReadingNotes&& other) noexcept;
  ReadingNotes& operator=(ReadingNotes&&) = delete;
  ~ReadingNotes();

  // Made where it is missing. A note that is found there was left by the dead, and is counted.
  static Result<ReadingNotes> open(const std::string& path);

  // Held while LMDB is in that ring.
  class Inside {
   public:
    Inside(ReadingNotes& notes, unsigned lane, uint32_t generation);
    ~Inside();
    Inside(const Inside&) = delete;
    Inside& operator=(const Inside&) = delete;

   private:
    ReadingNotes& notes_;
  };

  // How many readers in a row died in that ring.
  uint32_t deaths(unsigned lane, uint32_t generation) const;
  // It was read to its end.
  void survived(unsigned lane, uint32_t generation);

 private:
  struct Table;

  void count_death();

  Table* table_ = nullptr;
  std::unique_ptr<Table> own_;  // instead of a mapped one
};

}  // namespace footfall
