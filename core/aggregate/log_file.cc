#include "aggregate/log_file.h"

#include <fcntl.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>
#include <xxhash.h>
#include <zlib.h>
#include <zstd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>

#include "hit/log_line.h"

namespace footfall {
namespace {

constexpr size_t kReadBytes = 256 * 1024;

}  // namespace

// Writes up to kReadBytes to `to` and tells how many; 0: the end.
struct LogFile::Unpacker {
  virtual ~Unpacker() = default;
  virtual size_t unpack(LogFile& file, char* to) = 0;
};

struct LogFile::Plain : Unpacker {
  size_t unpack(LogFile& file, char* to) override { return file.read_packed(to, kReadBytes); }
};

struct LogFile::Gzip : Unpacker {
  Gzip() { inflateInit2(&stream, 15 + 16); }
  ~Gzip() override { inflateEnd(&stream); }

  size_t unpack(LogFile& file, char* to) override {
    stream.next_out = reinterpret_cast<Bytef*>(to);
    stream.avail_out = kReadBytes;
    while (stream.avail_out > 0) {
      if (stream.avail_in == 0) {
        in.resize(kReadBytes);
        in.resize(file.read_packed(in.data(), in.size()));
        stream.next_in = reinterpret_cast<Bytef*>(in.data());
        stream.avail_in = static_cast<uInt>(in.size());
        if (in.empty()) {
          if (!between_members) file.fault_ = "ends in the midst of its packed data";
          break;
        }
      }
      between_members = false;
      const int code = inflate(&stream, Z_NO_FLUSH);
      if (code == Z_STREAM_END) {  // more members may follow
        inflateReset(&stream);
        between_members = true;
      } else if (code != Z_OK && code != Z_BUF_ERROR) {
        file.fault_ = std::string("cannot be unpacked: ") + (stream.msg != nullptr ? stream.msg : "damaged data");
        break;
      }
    }
    return kReadBytes - stream.avail_out;
  }

  z_stream stream{};
  std::string in;
  bool between_members = true;
};

struct LogFile::Zstd : Unpacker {
  ~Zstd() override { ZSTD_freeDStream(stream); }

  size_t unpack(LogFile& file, char* to) override {
    ZSTD_outBuffer out{to, kReadBytes, 0};
    while (out.pos < out.size) {
      if (input.pos == input.size) {
        in.resize(kReadBytes);
        in.resize(file.read_packed(in.data(), in.size()));
        input = {in.data(), in.size(), 0};
        if (in.empty()) {
          if (wanted != 0) file.fault_ = "ends in the midst of its packed data";
          break;
        }
      }
      wanted = ZSTD_decompressStream(stream, &out, &input);
      if (ZSTD_isError(wanted)) {
        file.fault_ = std::string("cannot be unpacked: ") + ZSTD_getErrorName(wanted);
        break;
      }
    }
    return out.pos;
  }

  ZSTD_DStream* stream = ZSTD_createDStream();
  std::string in;
  ZSTD_inBuffer input{nullptr, 0, 0};
  size_t wanted = 0;
};

Result<std::unique_ptr<LogFile>> LogFile::open(const std::string& path) {
  const int fd = path == "-" ? STDIN_FILENO : ::open(path.c_str(), O_RDONLY | O_CLOEXEC);
  if (fd < 0) return Error::io("open " + path, errno);
  return read(path, fd);
}

Result<std::unique_ptr<LogFile>> LogFile::of_text(const std::string& path, std::string_view text) {
  const int fd = memfd_create("footfall import", MFD_CLOEXEC);
  if (fd < 0) return Error::io("memory for " + path, errno);
  for (size_t written = 0; written < text.size();) {
    const ssize_t more = write(fd, text.data() + written, text.size() - written);
    if (more <= 0) {
      const int reason = errno;
      ::close(fd);
      return Error::io("memory for " + path, reason);
    }
    written += static_cast<size_t>(more);
  }
  lseek(fd, 0, SEEK_SET);
  Result<std::unique_ptr<LogFile>> file = read(path, fd);
  if (!file) return file.error();
  // Known by all of it: rows may have come anywhere.
  const XXH128_hash_t hash = XXH3_128bits(text.data(), text.size());
  (*file)->head_.assign(reinterpret_cast<const char*>(&hash), sizeof hash);
  return file;
}

Result<std::unique_ptr<LogFile>> LogFile::read(const std::string& path, int fd) {
  std::unique_ptr<LogFile> file(new LogFile());
  file->path_ = path;
  file->fd_ = fd;
  struct stat about;
  if (fstat(file->fd_, &about) == 0) {
    if (S_ISDIR(about.st_mode)) return Error::invalid(path + " is a folder; name its files");
    if (S_ISREG(about.st_mode)) file->packed_bytes_ = static_cast<uint64_t>(about.st_size);
  }
  std::string start(4, '\0');
  start.resize(file->read_packed(start.data(), start.size()));
  file->packed_ = start;
  if (start.starts_with("\x1f\x8b")) {
    file->unpacker_ = std::make_unique<Gzip>();
  } else if (start == "\x28\xb5\x2f\xfd") {
    file->unpacker_ = std::make_unique<Zstd>();
  } else {
    file->unpacker_ = std::make_unique<Plain>();
  }
  while (file->end_ < kLogHeadBytes && file->fill()) {}
  file->head_ = file->unread().substr(0, kLogHeadBytes);
  return file;
}

LogFile::~LogFile() {
  if (fd_ > STDIN_FILENO) ::close(fd_);
}

size_t LogFile::read_packed(char* to, size_t bytes) {
  if (packed_at_ < packed_.size()) {
    const size_t taken = std::min(bytes, packed_.size() - packed_at_);
    std::memcpy(to, packed_.data() + packed_at_, taken);
    packed_at_ += taken;
    return taken;
  }
  size_t got = 0;
  while (got < bytes) {
    const ssize_t more = ::read(fd_, to + got, bytes - got);
    if (more < 0 && errno == EINTR) continue;
    if (more < 0) fault_ = std::string("cannot be read: ") + std::strerror(errno);
    if (more <= 0) break;
    got += static_cast<size_t>(more);
    if (bytes <= 4) continue;
    break;
  }
  packed_read_ += got;
  return got;
}

bool LogFile::fill() {
  if (ended_) return false;
  end_ -= at_;
  if (at_ > 0) std::memmove(buffer_.data(), buffer_.data() + at_, end_);
  at_ = 0;
  if (buffer_.size() < end_ + kReadBytes) buffer_.resize(end_ + kReadBytes);
  const size_t more = unpacker_->unpack(*this, buffer_.data() + end_);
  end_ += more;
  if (more == 0 || !fault_.empty()) ended_ = true;
  return more > 0;
}

void LogFile::skip_to(uint64_t position) {
  while (position_ < position) {
    std::string_view line;
    uint64_t begin;
    if (!next(line, begin)) return;
  }
}

bool LogFile::next(std::string_view& line, uint64_t& position) {
  position = position_;
  std::string_view rest = unread();
  size_t end = rest.find('\n');
  size_t cut_bytes = 0;  // of a line too long to be held
  while (end == std::string_view::npos && !ended_) {
    if (rest.size() > kLogLineBytesMax) {
      // Only its beginning is kept: enough to refuse it.
      cut_bytes += rest.size() - (kLogLineBytesMax + 1);
      end_ = at_ + kLogLineBytesMax + 1;
    }
    const size_t searched = end_ - at_;
    fill();
    rest = unread();
    end = rest.find('\n', searched);
  }
  if (end == std::string_view::npos) {
    if (rest.empty() || !fault_.empty()) return false;
    line = rest;  // the last line without a line feed
    at_ += rest.size();
    unended_bytes_ = rest.size() + cut_bytes;
    position_ += unended_bytes_;
  } else {
    line = rest.substr(0, end);
    at_ += end + 1;
    position_ += end + 1 + cut_bytes;
  }
  if (line.size() > kLogLineBytesMax) line = line.substr(0, kLogLineBytesMax + 1);
  ++lines_;
  return true;
}

}  // namespace footfall
