#define XXH_INLINE_ALL
#include <xxhash.h>

#include <algorithm>
#include <numeric>

#include "base/bytes.h"
#include <absl/container/node_hash_map.h>

#include "rollup/visit_block.h"
#include "rollup/visit_columns.h"

namespace footfall {
namespace {

// A column of texts as it grows.
class TextBuilder {
 public:
  void add(std::string_view text) {
    if (text.empty()) return codes_.push_back(0);
    if (text != last_) {
      const auto [place, fresh] = known_.try_emplace(text, static_cast<uint32_t>(known_.size() + 1));
      last_ = place->first;
      last_code_ = place->second;
    }
    codes_.push_back(last_code_);
  }

  bool has_any() const { return !known_.empty(); }

  // The most frequent texts first, so that most codes are small.
  TextColumn column() const {
    std::vector<uint32_t> uses(known_.size() + 1);
    for (const uint32_t code : codes_) ++uses[code];
    std::vector<std::string_view> texts(uses.size());
    for (const auto& [text, code] : known_) texts[code] = text;
    std::vector<uint32_t> order(uses.size());
    std::iota(order.begin(), order.end(), 0);
    std::sort(order.begin() + 1, order.end(),
              [&](uint32_t a, uint32_t b) { return uses[a] != uses[b] ? uses[a] > uses[b] : a < b; });
    std::vector<uint32_t> code_now(order.size());
    TextColumn column;
    column.texts.reserve(order.size());
    for (const uint32_t code : order) {
      code_now[code] = static_cast<uint32_t>(column.texts.size());
      column.texts.push_back(texts[code]);
    }
    column.codes.reserve(codes_.size());
    for (const uint32_t code : codes_) column.codes.push_back(code_now[code]);
    return column;
  }

 private:
  struct Hash {
    using is_transparent = void;
    size_t operator()(std::string_view text) const { return XXH3_64bits(text.data(), text.size()); }
  };
  absl::node_hash_map<std::string, uint32_t, Hash, std::equal_to<>> known_;
  std::string_view last_;
  uint32_t last_code_ = 0;
  std::vector<uint32_t> codes_;
};

}  // namespace

struct VisitBlockBuilder::State {
  std::array<uint32_t, kVisitTables> rows{};
  int64_t start_min = INT64_MAX, start_max = INT64_MIN, first = INT64_MAX, last = INT64_MIN;
  std::array<std::vector<int64_t>, kVisitColumns> ints;
  std::array<TextBuilder, kVisitColumns> texts;

  template <class Record>
  void add_row(VisitTable table, const Record& record) {
    ++rows[static_cast<size_t>(table)];
    each_field(record, [&](VisitColumn column, const auto& value) {
      if constexpr (kIsText<decltype(value)>) {
        texts[static_cast<size_t>(column)].add(value);
      } else {
        ints[static_cast<size_t>(column)].push_back(static_cast<int64_t>(value));
      }
    });
  }

  void add_time(const KeptVisit& visit, int64_t time_s) {
    const int64_t second_ms = (whole_s(visit.start_ms) + time_s) * 1000;
    first = std::min(first, second_ms);
    last = std::max(last, second_ms + 999);
  }
};

VisitBlockBuilder::VisitBlockBuilder() : state_(std::make_unique<State>()) {}
VisitBlockBuilder::~VisitBlockBuilder() = default;
VisitBlockBuilder::VisitBlockBuilder(VisitBlockBuilder&&) noexcept = default;
VisitBlockBuilder& VisitBlockBuilder::operator=(VisitBlockBuilder&&) noexcept = default;

size_t VisitBlockBuilder::visits() const { return state_->rows[0]; }
int64_t VisitBlockBuilder::first_ms() const { return state_->first; }
int64_t VisitBlockBuilder::last_ms() const { return state_->last; }

void VisitBlockBuilder::add(const KeptVisit& visit) {
  State& state = *state_;
  state.start_min = std::min(state.start_min, visit.start_ms);
  state.start_max = std::max(state.start_max, visit.start_ms);
  state.add_time(visit, 0);
  state.add_row(VisitTable::visits, visit);
  for (const KeptView& view : visit.views) {
    state.add_time(visit, view.time_s);
    state.add_row(VisitTable::views, view);
  }
  for (const KeptEvent& event : visit.events) {
    state.add_time(visit, event.time_s);
    state.add_row(VisitTable::events, event);
  }
  for (const KeptConversion& conversion : visit.conversions) {
    state.add_time(visit, conversion.time_s);
    state.add_row(VisitTable::conversions, conversion);
    for (const KeptTouch& touch : conversion.touches) state.add_row(VisitTable::touches, touch);
    for (const KeptItem& item : conversion.items) state.add_row(VisitTable::items, item);
  }
}

std::string VisitBlockBuilder::finish(Packing packing) {
  const std::unique_ptr<State> state = std::exchange(state_, std::make_unique<State>());
  const bool is_packed = packing == Packing::stored;
  std::vector<std::pair<size_t, std::string>> columns;
  for (size_t column = 0; column < kVisitColumns; ++column) {
    const std::vector<int64_t>& ints = state->ints[column];
    std::string bytes;
    if (std::any_of(ints.begin(), ints.end(), [](int64_t value) { return value != 0; })) {
      const bool by_difference = column == static_cast<size_t>(VisitColumn::start_ms);
      encode_ints(ints, by_difference, is_packed, bytes);
    } else if (state->texts[column].has_any()) {
      encode_texts(state->texts[column].column(), is_packed, bytes);
    }
    if (!bytes.empty()) columns.emplace_back(column, std::move(bytes));
  }
  std::string block;
  BytesWriter to(block);
  to.le32(kVisitBlockMagic);
  for (const uint32_t rows : state->rows) to.varint(rows);
  const bool is_empty = state->rows[0] == 0;
  for (const int64_t bound : {state->start_min, state->start_max, state->first, state->last})
    to.zigzag(is_empty ? 0 : bound);
  to.varint(columns.size());
  for (const auto& [column, bytes] : columns) to.varint(column).varint(bytes.size());
  for (const auto& [column, bytes] : columns) to.bytes(bytes);
  to.le64(XXH3_64bits(block.data(), block.size()));
  return block;
}

}  // namespace footfall
