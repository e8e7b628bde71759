#include "site/config_file.h"

#include <fcntl.h>
#include <unistd.h>
#include <xxhash.h>

#include <cerrno>
#include <string_view>

#include "base/bytes.h"
#include "site/config_codec.h"

namespace footfall {
namespace {

constexpr std::string_view kMagic = "FFCONFIG";
constexpr uint32_t kVersion = 1;
constexpr size_t kHeaderBytes = 8 + 4 + 4 + 8;

std::string encode_file(const std::string& body) {
  std::string bytes;
  BytesWriter out(bytes);
  out.bytes(kMagic).le32(kVersion).le32(static_cast<uint32_t>(body.size()));
  out.le64(XXH3_64bits(body.data(), body.size())).bytes(body);
  return bytes;
}

Result<Config> decode_file(const std::string& path, std::string_view bytes) {
  BytesReader in(bytes);
  if (in.bytes(kMagic.size()) != kMagic) return Error::corrupt(path + ": no configuration of footfall");
  if (const uint32_t version = in.le32(); version != kVersion)
    return Error::version(path + ": configuration of another version: " + std::to_string(version));
  const uint32_t size = in.le32();
  const uint64_t checksum = in.le64();
  const std::string_view body = in.bytes(size);
  if (!in.ok() || !in.at_end() || XXH3_64bits(body.data(), body.size()) != checksum)
    return Error::corrupt(path + ": checksum");
  return decode_config(body);
}

Status write_all(int fd, std::string_view bytes) {
  while (!bytes.empty()) {
    const ssize_t written = write(fd, bytes.data(), bytes.size());
    if (written < 0 && errno == EINTR) continue;
    if (written <= 0) return Error::io("write", written < 0 ? errno : EIO);
    bytes.remove_prefix(static_cast<size_t>(written));
  }
  return fdatasync(fd) == 0 ? Status() : Error::io("fdatasync", errno);
}

// What is read belongs to `file`.
Result<std::string> read_all(const std::string& path, struct stat& file) {
  const int fd = ::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
  if (fd < 0) return errno == ENOENT ? Error::not_found(path) : Error::io("open " + path, errno);
  std::string bytes;
  bool whole = fstat(fd, &file) == 0;
  int fault = whole ? 0 : errno;
  if (whole && file.st_size > static_cast<off_t>(kConfigFileBytesMax + kHeaderBytes)) {
    ::close(fd);
    return Error::corrupt(path + ": too large");
  }
  if (whole) {
    bytes.resize(static_cast<size_t>(file.st_size));
    const ssize_t got = read(fd, bytes.data(), bytes.size());
    fault = got < 0 ? errno : 0;
    bytes.resize(got < 0 ? 0 : static_cast<size_t>(got));
    whole = got >= 0;
  }
  ::close(fd);
  if (!whole) return Error::io("read " + path, fault);
  return bytes;
}

bool is_same_file(const struct stat& left, const struct stat& right) {
  return left.st_ino == right.st_ino && left.st_dev == right.st_dev && left.st_size == right.st_size &&
         left.st_mtim.tv_sec == right.st_mtim.tv_sec && left.st_mtim.tv_nsec == right.st_mtim.tv_nsec;
}

}  // namespace

Status write_config_file(const std::string& path, const Config& config) {
  const std::string body = encode_config(config);
  if (body.size() > kConfigFileBytesMax) return Error::full(path + ": the configuration has more than 32 MiB");
  const std::string beside = path + ".new";
  const int fd = ::open(beside.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOFOLLOW, 0660);
  if (fd < 0) return Error::io("create " + beside, errno);
  fchmod(fd, 0660);
  Status done = write_all(fd, encode_file(body));
  ::close(fd);
  if (!done) return Error{done.error().code, beside + ": " + done.error().text};
  if (rename(beside.c_str(), path.c_str()) != 0) return Error::io("rename " + beside, errno);
  return {};
}

Result<Config> read_config_file(const std::string& path) {
  struct stat file;
  const Result<std::string> bytes = read_all(path, file);
  if (!bytes) return bytes.error();
  return decode_file(path, *bytes);
}

bool ConfigWatch::look() {
  struct stat now;
  if (stat(path_.c_str(), &now) != 0 || is_same_file(now, seen_)) return false;
  const Result<std::string> bytes = read_all(path_, now);
  if (!bytes) return false;
  seen_ = now;  // what cannot be decoded is not tried again
  Result<Config> config = decode_file(path_, *bytes);
  if (!config) return false;
  config_ = std::make_shared<const Config>(std::move(*config));
  return true;
}

}  // namespace footfall
