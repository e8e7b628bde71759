#include "base/packing.h"

#include <zstd.h>

#include <memory>

namespace footfall {
namespace {

struct Free {
  void operator()(ZSTD_CCtx* context) const { ZSTD_freeCCtx(context); }
  void operator()(ZSTD_DCtx* context) const { ZSTD_freeDCtx(context); }
};

ZSTD_CCtx* packer() {
  thread_local std::unique_ptr<ZSTD_CCtx, Free> context(ZSTD_createCCtx());
  return context.get();
}

ZSTD_DCtx* unpacker() {
  thread_local std::unique_ptr<ZSTD_DCtx, Free> context(ZSTD_createDCtx());
  return context.get();
}

}  // namespace

bool pack(std::string_view bytes, int level, std::string& to) {
  ZSTD_CCtx* context = packer();
  if (context == nullptr || bytes.empty()) return false;
  const size_t before = to.size();
  to.resize(before + ZSTD_compressBound(bytes.size()));
  // Their length is known to whoever unpacks: the frame need not say it.
  ZSTD_CCtx_setParameter(context, ZSTD_c_contentSizeFlag, 0);
  ZSTD_CCtx_setParameter(context, ZSTD_c_compressionLevel, level);
  const size_t packed = ZSTD_compress2(context, to.data() + before, to.size() - before, bytes.data(), bytes.size());
  const bool is_smaller = ZSTD_isError(packed) == 0 && packed < bytes.size();
  to.resize(before + (is_smaller ? packed : 0));
  return is_smaller;
}

bool unpack(std::string_view packed, size_t bytes, std::string& to) {
  ZSTD_DCtx* context = unpacker();
  if (context == nullptr) return false;
  to.resize(bytes);
  return ZSTD_decompressDCtx(context, to.data(), to.size(), packed.data(), packed.size()) == bytes;
}

}  // namespace footfall
