// spend: version u8 | kSpendKind u8 | day_ms i64 | parts u8 (1 clicks, 2 impressions, 4 has_rate, 8 booked by other rows) |
//        currency 3 | booked currency 3 | cost zigzag | booked cost zigzag | [clicks varint] | [impressions varint] |
//        key: 7 x text | [rows: 7 x text]
#include "credit/spend_record.h"

#include <algorithm>

#include "base/bytes.h"

namespace footfall {
namespace {

constexpr uint8_t kVersion = 2;  // as conversions have it
enum Part : uint8_t { kClicks = 1, kImpressions = 2, kHasRate = 4, kOtherRows = 8 };

constexpr std::string SpendKey::* kTexts[] = {&SpendKey::channel, &SpendKey::source, &SpendKey::medium, &SpendKey::campaign,
                                              &SpendKey::content, &SpendKey::term,   &SpendKey::code};

void write_key(const SpendKey& key, BytesWriter& to) {
  for (const auto text : kTexts) to.text(key.*text);
}

void read_key(BytesReader& from, SpendKey& to) {
  for (const auto text : kTexts) to.*text = from.text();
}

Currency read_currency(BytesReader& from) {
  Currency currency;
  const std::string_view code = from.bytes(currency.code.size());
  std::copy(code.begin(), code.end(), currency.code.begin());
  return currency;
}

}  // namespace

std::string spend_name(const SpendKey& key, std::string_view day) {
  std::string name(day);
  BytesWriter writer(name);
  write_key(key, writer);
  return name;
}

std::string encode_spend(const SpendRecord& record) {
  const SpendBooking& booked = record.booked;
  const bool by_other_rows = booked.rows != record.key;
  std::string bytes;
  BytesWriter writer(bytes);
  writer.u8(kVersion).u8(kSpendKind).le64(static_cast<uint64_t>(record.day_ms));
  writer.u8(static_cast<uint8_t>((record.told.clicks ? kClicks : 0) | (record.told.impressions ? kImpressions : 0) |
                                 (booked.has_rate ? kHasRate : 0) | (by_other_rows ? kOtherRows : 0)));
  writer.bytes(record.told.currency.value_or(booked.currency).text()).bytes(booked.currency.text());
  writer.zigzag(record.told.cost_micros).zigzag(booked.cost_micros);
  if (record.told.clicks) writer.varint(*record.told.clicks);
  if (record.told.impressions) writer.varint(*record.told.impressions);
  write_key(record.key, writer);
  if (by_other_rows) write_key(booked.rows, writer);
  return bytes;
}

bool decode_spend(std::string_view bytes, SpendRecord& to) {
  BytesReader reader(bytes);
  to = {};
  if (reader.u8() != kVersion || reader.u8() != kSpendKind) return false;
  to.day_ms = static_cast<int64_t>(reader.le64());
  const uint8_t parts = reader.u8();
  to.told.currency = read_currency(reader);
  to.booked.currency = read_currency(reader);
  to.told.cost_micros = reader.zigzag();
  to.booked.cost_micros = reader.zigzag();
  if (parts & kClicks) to.told.clicks = reader.varint();
  if (parts & kImpressions) to.told.impressions = reader.varint();
  to.booked.has_rate = (parts & kHasRate) != 0;
  to.booked.clicks = static_cast<int64_t>(to.told.clicks.value_or(0));
  to.booked.impressions = static_cast<int64_t>(to.told.impressions.value_or(0));
  read_key(reader, to.key);
  to.booked.rows = to.key;
  if (parts & kOtherRows) read_key(reader, to.booked.rows);
  return reader.ok() && reader.at_end();
}

}  // namespace footfall
