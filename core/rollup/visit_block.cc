#include "rollup/visit_block.h"

#define XXH_INLINE_ALL
#include <xxhash.h>

#include <algorithm>

#include "base/bytes.h"
#include "rollup/visit_columns.h"

namespace footfall {
namespace {

constexpr uint32_t kRowsMax = 1u << 24;

constexpr VisitColumn count_column(VisitTable nested) {
  switch (nested) {
    case VisitTable::views:
      return VisitColumn::views;
    case VisitTable::events:
      return VisitColumn::events;
    case VisitTable::conversions:
      return VisitColumn::conversions;
    case VisitTable::touches:
      return VisitColumn::conversion_touches;
    default:
      return VisitColumn::conversion_items;
  }
}

size_t at(VisitColumn column) { return static_cast<size_t>(column); }

using IsText = std::array<bool, kVisitColumns>;

template <class Record>
void note_texts(IsText& to) {
  const Record record{};
  each_field(record, [&](VisitColumn column, const auto& value) { to[at(column)] = kIsText<decltype(value)>; });
}

IsText note_texts() {
  IsText is_text{};
  note_texts<KeptVisit>(is_text);
  note_texts<KeptView>(is_text);
  note_texts<KeptEvent>(is_text);
  note_texts<KeptConversion>(is_text);
  note_texts<KeptTouch>(is_text);
  note_texts<KeptItem>(is_text);
  return is_text;
}

}  // namespace

VisitTable table_of(VisitColumn column) {
  if (column <= VisitColumn::new_returning) return VisitTable::visits;
  if (column <= VisitColumn::view_ms) return VisitTable::views;
  if (column <= VisitColumn::event_views_before) return VisitTable::events;
  if (column <= VisitColumn::conversion_refund_micros) return VisitTable::conversions;
  return column <= VisitColumn::touch_referrer ? VisitTable::touches : VisitTable::items;
}

bool is_text(VisitColumn column) {
  static const IsText kKnown = note_texts();
  return kKnown[at(column)];
}

std::optional<VisitBlock> VisitBlock::open(std::string_view bytes) {
  std::optional<VisitBlock> block{VisitBlock()};
  if (!block->load(bytes)) block.reset();
  return block;
}

std::optional<VisitBlock> VisitBlock::own(std::string bytes) {
  auto owned = std::make_shared<const std::string>(std::move(bytes));
  std::optional<VisitBlock> block = open(*owned);
  if (block) block->owned_ = std::move(owned);
  return block;
}

bool VisitBlock::load(std::string_view bytes) {
  if (bytes.size() < sizeof(uint64_t)) return false;
  const std::string_view checked = bytes.substr(0, bytes.size() - sizeof(uint64_t));
  if (load_le64(bytes.data() + checked.size()) != XXH3_64bits(checked.data(), checked.size())) return false;
  BytesReader reader(checked);
  if (reader.le32() != kVisitBlockMagic) return false;
  for (uint32_t& rows : rows_) {
    const uint64_t count = reader.varint();
    if (count > kRowsMax) return false;
    rows = static_cast<uint32_t>(count);
  }
  bounds_.start_min = reader.zigzag();
  bounds_.start_max = reader.zigzag();
  bounds_.first = reader.zigzag();
  bounds_.last = reader.zigzag();
  std::vector<std::pair<uint64_t, uint64_t>> directory;  // column, bytes
  for (uint64_t left = reader.varint(); left > 0 && reader.ok(); --left) {
    const uint64_t column = reader.varint();
    directory.emplace_back(column, reader.varint());
  }
  for (const auto& [column, size] : directory) {
    const std::string_view stored = reader.bytes(size);
    if (column < kVisitColumns) stored_[column] = stored;  // others are of a later version
  }
  return reader.ok() && reader.at_end();
}

const std::vector<int64_t>* VisitBlock::ints(VisitColumn column) {
  if (is_text(column)) return nullptr;
  std::unique_ptr<std::vector<int64_t>>& known = ints_[at(column)];
  if (known) return known.get();
  auto values = std::make_unique<std::vector<int64_t>>();
  const size_t count = rows(table_of(column));
  const std::string_view stored = stored_[at(column)];
  if (stored.empty()) {
    values->assign(count, 0);
  } else if (!decode_ints(stored, count, *values)) {
    return nullptr;
  }
  if (column == VisitColumn::view_flags && !mark_entries_and_exits(*values)) return nullptr;
  known = std::move(values);
  return known.get();
}

// A visit's entry is its first view, its exit the last that was not late.
bool VisitBlock::mark_entries_and_exits(std::vector<int64_t>& view_flags) {
  const std::vector<int64_t>* flags = ints(VisitColumn::flags);
  const std::vector<uint32_t>* views = offsets(VisitTable::views);
  if (flags == nullptr || views == nullptr) return false;
  for (size_t row = 0; row < flags->size(); ++row) {
    const size_t begin = (*views)[row], end = (*views)[row + 1];
    if (begin == end || ((*flags)[row] & kKeptIsVisit) == 0) continue;
    size_t exit = end - 1;
    while (exit > begin && (view_flags[exit] & kViewLate) != 0) --exit;
    view_flags[begin] |= kViewEntry;
    view_flags[exit] |= kViewExit;
  }
  return true;
}

const TextColumn* VisitBlock::texts(VisitColumn column) {
  if (!is_text(column)) return nullptr;
  std::unique_ptr<Texts>& known = texts_[at(column)];
  if (known) return &known->column;
  auto texts = std::make_unique<Texts>();
  const size_t count = rows(table_of(column));
  const std::string_view stored = stored_[at(column)];
  if (stored.empty()) {
    texts->column.texts.emplace_back();
    texts->column.codes.assign(count, 0);
  } else if (!decode_texts(stored, count, texts->column, texts->unpacked)) {
    return nullptr;
  }
  known = std::move(texts);
  return &known->column;
}

const std::vector<uint32_t>* VisitBlock::offsets(VisitTable nested) {
  if (nested == VisitTable::visits) return nullptr;
  std::unique_ptr<std::vector<uint32_t>>& known = offsets_[static_cast<size_t>(nested)];
  if (known) return known.get();
  const std::vector<int64_t>* counts = ints(count_column(nested));
  if (counts == nullptr) return nullptr;
  auto sums = std::make_unique<std::vector<uint32_t>>();
  sums->reserve(counts->size() + 1);
  sums->push_back(0);
  const uint64_t all = rows(nested);
  for (const int64_t count : *counts) {
    if (count < 0 || static_cast<uint64_t>(count) > all - sums->back()) return nullptr;
    sums->push_back(sums->back() + static_cast<uint32_t>(count));
  }
  if (sums->back() != all) return nullptr;
  known = std::move(sums);
  return known.get();
}

template <class Record>
bool VisitBlock::read_row(size_t row, Record& to) {
  bool is_whole = true;
  each_field(to, [&](VisitColumn column, auto& value) {
    if constexpr (kIsText<decltype(value)>) {
      const TextColumn* values = texts(column);
      is_whole &= values != nullptr;
      if (values != nullptr) value = values->texts[values->codes[row]];
    } else {
      const std::vector<int64_t>* values = ints(column);
      is_whole &= values != nullptr;
      if (values != nullptr) value = static_cast<std::remove_reference_t<decltype(value)>>((*values)[row]);
    }
  });
  return is_whole;
}

template <class Record, class ReadMore>
bool VisitBlock::read_nested(VisitTable table, size_t owner, std::vector<Record>& to, ReadMore read_more) {
  const std::vector<uint32_t>* rows_of = offsets(table);
  if (rows_of == nullptr) return false;
  to.clear();
  for (size_t row = (*rows_of)[owner]; row < (*rows_of)[owner + 1]; ++row)
    if (!read_row(row, to.emplace_back()) || !read_more(row, to.back())) return false;
  return true;
}

bool VisitBlock::read(size_t row, KeptVisit& to) {
  to.clear();
  const auto nothing_more = [](size_t, const auto&) { return true; };
  const bool is_whole =
      row < rows(VisitTable::visits) && read_row(row, to) &&
      read_nested(VisitTable::views, row, to.views, nothing_more) &&
      read_nested(VisitTable::events, row, to.events, nothing_more) &&
      read_nested(VisitTable::conversions, row, to.conversions, [&](size_t conversion, KeptConversion& of) {
        return read_nested(VisitTable::touches, conversion, of.touches, nothing_more) &&
               read_nested(VisitTable::items, conversion, of.items, nothing_more);
      });
  for (KeptView& view : to.views) view.flags &= kViewFlagsStored;
  return is_whole;
}

}  // namespace footfall
