#include "lane/block.h"

#define XXH_INLINE_ALL
#include <xxhash.h>

#include <algorithm>

#include "base/bytes.h"
#include "hit/codec.h"

namespace footfall {
namespace {

constexpr size_t kFixedBytes = 8 + 2 + 2 + 4 + 8 + 8 + 8 + 8 + 2;

}  // namespace

void BlockBuilder::begin(uint16_t lane, uint64_t epoch, uint64_t first_number) {
  header_ = BlockHeader{.lane = lane, .epoch = epoch, .first_number = first_number};
  sites_.clear();
  sites_bytes_ = 0;
  hits_.clear();
}

size_t BlockBuilder::bytes() const { return kFixedBytes + sites_bytes_ + hits_.size(); }

bool BlockBuilder::add_encoded(std::string_view hit, int64_t time_ms, std::string_view site) {
  site = site.substr(0, kSiteNameBytesMax);
  const size_t index = std::find(sites_.begin(), sites_.end(), site) - sites_.begin();
  const bool new_site = index == sites_.size();
  const size_t site_bytes = new_site ? 1 + site.size() : 0;
  if (new_site && sites_.size() == kBlockSitesMax) return false;
  if (bytes() + site_bytes + hit.size() > kBlockBytesMax) return false;
  hits_.append(hit);
  set_encoded_site(hits_.data() + hits_.size() - hit.size(), static_cast<uint16_t>(index));
  if (new_site) {
    sites_.emplace_back(site);
    sites_bytes_ += site_bytes;
  }
  if (header_.hits++ == 0) header_.first_time_ms = time_ms;
  header_.last_time_ms = time_ms;
  return true;
}

bool BlockBuilder::add(const Hit& hit, std::string_view site) {
  encoded_.clear();
  encode_hit(hit, encoded_);
  return add_encoded(encoded_, hit.time_ms, site);
}

std::string_view BlockBuilder::finish() {
  finished_.clear();
  BytesWriter writer(finished_);
  writer.le64(0).le16(kBlockFormat).le16(header_.lane).le32(header_.hits).le64(header_.epoch).le64(header_.first_number);
  writer.le64(header_.first_time_ms).le64(header_.last_time_ms).le16(static_cast<uint16_t>(sites_.size()));
  for (const std::string& site : sites_) writer.u8(static_cast<uint8_t>(site.size())).bytes(site);
  writer.bytes(hits_);
  store_le64(finished_.data(), XXH3_64bits(finished_.data() + 8, finished_.size() - 8));
  return finished_;
}

Result<BlockReader> BlockReader::open(std::string_view bytes) {
  if (bytes.size() < kFixedBytes || bytes.size() > kBlockBytesMax) return Error::corrupt("block: size");
  if (load_le64(bytes.data()) != XXH3_64bits(bytes.data() + 8, bytes.size() - 8))
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
