// The checked configuration as a file of the store, for workers: capture must not hang on the summary, whose damage can
// kill who opens it. Written whole or not at all by the aggregator, each time it stores a configuration.
//
//   file: "FFCONFIG" | version u32 = 1 | bytes u32 | xxh3 u64 of the bytes | footfall.v1.Config
#pragma once

#include <sys/stat.h>

#include <cstdint>
#include <memory>
#include <string>

#include "base/error.h"
#include "site/config.h"

namespace footfall {

inline constexpr uint32_t kConfigFileBytesMax = 32 << 20;  // a toml has half of that at most

// Durable when it returns; a reader sees the old file or the new one.
Status write_config_file(const std::string& path, const Config& config);

// Error::not_found: nothing was written yet. Error::corrupt, Error::version: nothing of ours.
Result<Config> read_config_file(const std::string& path);

// Follows the file. Not thread-safe.
class ConfigWatch {
 public:
  explicit ConfigWatch(std::string path) : path_(std::move(path)) {}

  // True: the file is another one than at the last look, and could be read. One that cannot, or is gone, changes
  // nothing. A look at an unchanged file costs one system call.
  bool look();
  // As last read; null: never yet.
  std::shared_ptr<const Config> config() const { return config_; }

 private:
  const std::string path_;
  struct stat seen_ {};
  std::shared_ptr<const Config> config_;
};

}  // namespace footfall
