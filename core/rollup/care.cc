#include "rollup/care.h"

#include "base/bytes.h"

namespace footfall {
namespace {

constexpr uint8_t kVersion = 1;

}  // namespace

std::string encode_care(const CareNotes& notes) {
  std::string bytes;
  BytesWriter writer(bytes);
  writer.u8(kVersion);
  for (const CareNote& note : notes)
    writer.u8(static_cast<uint8_t>(note.kind)).be16(note.site).be64(static_cast<uint64_t>(note.day_s));
  return bytes;
}

CareNotes decode_care(std::string_view bytes) {
  BytesReader reader(bytes);
  CareNotes notes;
  if (reader.u8() != kVersion) return notes;
  while (reader.ok() && !reader.at_end()) {
    CareNote note;
    note.kind = static_cast<CareNote::Kind>(reader.u8());
    note.site = reader.be16();
    note.day_s = static_cast<int64_t>(reader.be64());
    if (reader.ok()) notes.insert(note);
  }
  return notes;
}

Status add_care(LmdbEnv& summary, const CareNotes& notes) {
  Result<LmdbTxn> txn = LmdbTxn::write(summary);
  if (!txn) return txn.error();
  const Result<LmdbDatabase> meta = txn->database("meta");
  if (!meta) return meta.error();
  CareNotes all = notes;
  if (const Result<std::string_view> stored = txn->get(*meta, kCareKey)) all.merge(decode_care(*stored));
  if (Status status = txn->put(*meta, kCareKey, encode_care(all)); !status) return status;
  return txn->commit();
}

}  // namespace footfall
