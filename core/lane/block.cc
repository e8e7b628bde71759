#include "lane/block.h"

#if defined(__x86_64__) && __has_include(<xxh_x86dispatch.h>)
#include <xxh_x86dispatch.h>  // takes the widest vectors that the processor has
#else
#include <xxhash.h>
#endif

#include <algorithm>
#include <cstring>

#include "base/bytes.h"
#include "hit/codec.h"

namespace footfall {
namespace {

constexpr size_t kFixedBytes = 8 + 2 + 2 + 4 + 8 + 8 + 8 + 8 + 2;
constexpr size_t kRoomBytes = kBlockBytesMax + 1 + kSiteNameBytesMax + kHitBytesMax;

uint64_t checksum(std::string_view bytes) { return XXH3_64bits(bytes.data(), bytes.size()); }

}  // namespace

BlockBuilder::BlockBuilder() : block_(std::make_unique_for_overwrite<char[]>(kRoomBytes)) {}

void BlockBuilder::begin(uint16_t lane, uint64_t epoch, uint64_t first_number) {
  header_ = BlockHeader{.lane = lane, .epoch = epoch, .first_number = first_number};
  sites_.clear();
  last_site_ = 0;
  sites_end_ = bytes_ = kFixedBytes;
}

bool BlockBuilder::add(const Hit& hit, std::string_view site) {
  if (hit.events.empty()) {
    char* const at = block_.get() + bytes_;
    return take(static_cast<size_t>(encode_plain_hit(hit, at) - at), hit.time_ms, site);
  }
  encoded_.clear();
  encode_hit(hit, encoded_);
  return add_encoded(encoded_, hit.time_ms, site);
}

bool BlockBuilder::add_encoded(std::string_view hit, int64_t time_ms, std::string_view site) {
  if (bytes_ + hit.size() > kBlockBytesMax) return false;
  hit.copy(block_.get() + bytes_, hit.size());
  return take(hit.size(), time_ms, site);
}

// The hit lies behind the block's end already. Nothing is changed where it does not fit.
bool BlockBuilder::take(size_t hit_bytes, int64_t time_ms, std::string_view site) {
  site = site.substr(0, kSiteNameBytesMax);
  size_t index = last_site_;
  if (index >= sites_.size() || sites_[index] != site)
    index = static_cast<size_t>(std::find(sites_.begin(), sites_.end(), site) - sites_.begin());
  const bool new_site = index == sites_.size();
  if (new_site && sites_.size() == kBlockSitesMax) return false;
  if (bytes_ + hit_bytes + (new_site ? 1 + site.size() : 0) > kBlockBytesMax) return false;
  if (new_site) add_site(site, hit_bytes);
  set_encoded_site(block_.get() + bytes_, static_cast<uint16_t>(index));
  last_site_ = index;
  bytes_ += hit_bytes;
  if (header_.hits++ == 0) header_.first_time_ms = time_ms;
  header_.last_time_ms = std::max(header_.last_time_ms, time_ms);  // an event told by itself may be older
  return true;
}

// The hits make room: sites stand before them, and are few.
void BlockBuilder::add_site(std::string_view site, size_t hit_bytes) {
  const size_t site_bytes = 1 + site.size();
  char* const at = block_.get() + sites_end_;
  std::memmove(at + site_bytes, at, bytes_ + hit_bytes - sites_end_);
  at[0] = static_cast<char>(site.size());
  site.copy(at + 1, site.size());
  sites_.emplace_back(site);
  sites_end_ += site_bytes;
  bytes_ += site_bytes;
}

std::string_view BlockBuilder::finish() {
  PlaceWriter(block_.get() + 8)
      .put(kBlockFormat)
      .put(header_.lane)
      .put(header_.hits)
      .put(header_.epoch)
      .put(header_.first_number)
      .put(header_.first_time_ms)
      .put(header_.last_time_ms)
      .put(static_cast<uint16_t>(sites_.size()));
  store_le64(block_.get(), checksum({block_.get() + 8, bytes_ - 8}));
  return {block_.get(), bytes_};
}

size_t block_length(std::string_view bytes) {
  BytesReader reader(bytes.substr(0, kBlockBytesMax));
  reader.le64();  // checksum
  if (reader.le16() != kBlockFormat) return 0;
  reader.le16();
  uint32_t hits = reader.le32();
  for (int i = 0; i < 4; ++i) reader.le64();
  for (uint16_t sites = reader.le16(); sites > 0 && reader.ok(); --sites) reader.bytes(reader.u8());
  if (!reader.ok() || hits > reader.left()) return 0;
  std::string_view left = reader.bytes(reader.left());
  const char* const end = left.data() + left.size();
  for (Hit hit; hits > 0; --hits)
    if (!decode_hit(left, hit)) return 0;
  return static_cast<size_t>(end - bytes.data()) - left.size();
}

Result<BlockReader> BlockReader::open(std::string_view bytes) {
  if (bytes.size() < kFixedBytes || bytes.size() > kBlockBytesMax) return Error::corrupt("block: size");
  if (load_le64(bytes.data()) != checksum(bytes.substr(8)))
    return Error::corrupt("block: checksum");
  BytesReader reader(bytes.substr(8));
  if (const uint16_t format = reader.le16(); format != kBlockFormat)
    return Error::version("block format " + std::to_string(format));
  BlockReader block;
  block.header_.lane = reader.le16();
  block.header_.hits = reader.le32();
  block.header_.epoch = reader.le64();
  block.header_.first_number = reader.le64();
  block.header_.first_time_ms = static_cast<int64_t>(reader.le64());
  block.header_.last_time_ms = static_cast<int64_t>(reader.le64());
  for (uint16_t sites = reader.le16(); sites > 0 && reader.ok(); --sites) block.sites_.push_back(reader.bytes(reader.u8()));
  if (!reader.ok() || block.header_.hits > reader.left()) return Error::corrupt("block: more hits than bytes");
  block.left_ = reader.bytes(reader.left());
  block.number_ = block.header_.first_number;
  return block;
}

bool BlockReader::next(Hit& hit, uint64_t& number) {
  if (number_ == header_.next_number() || !decode_hit(left_, hit) || hit.site >= sites_.size()) return false;
  number = number_++;
  return true;
}

}  // namespace footfall
