#include "hit/order_items.h"

#include <algorithm>
#include <optional>

#include "base/limits.h"
#include "base/money.h"

namespace footfall {
namespace {

constexpr int64_t kQuantityMax = 1'000'000;

std::optional<int64_t> read_quantity(std::string_view text) {
  if (text.empty() || text.size() > 7) return std::nullopt;
  int64_t quantity = 0;
  for (const char c : text) {
    if (c < '0' || c > '9') return std::nullopt;
    quantity = quantity * 10 + (c - '0');
  }
  return quantity <= kQuantityMax ? std::optional(quantity) : std::nullopt;
}

// Bytes of the separator at the front; 0: none.
size_t separator_bytes(std::string_view text, ItemsSource source) {
  if (text.starts_with(' ')) return 1;
  if (source == ItemsSource::header) return 0;
  if (text.starts_with('+')) return 1;
  return text.starts_with("%20") ? 3 : 0;
}

void skip_separators(std::string_view& text, ItemsSource source) {
  while (const size_t bytes = separator_bytes(text, source)) text.remove_prefix(bytes);
}

// Takes `id:quantity:price` off the front, up to a separator or the end.
bool read_item(std::string_view& text, ItemsSource source, TextArena& arena, OrderItem& to) {
  const size_t id_end = text.find(':');
  if (id_end == std::string_view::npos) return false;
  const std::string_view raw_id = text.substr(0, id_end);
  if (raw_id.find(' ') != std::string_view::npos) return false;
  to.id = trim(decode_percent(raw_id, arena));
  if (to.id.empty() || to.id.size() > kEventItemBytesMax || !is_clean(to.id)) return false;
  text.remove_prefix(id_end + 1);

  const size_t quantity_end = text.find(':');
  if (quantity_end == std::string_view::npos) return false;
  const std::optional<int64_t> quantity = read_quantity(text.substr(0, quantity_end));
  text.remove_prefix(quantity_end + 1);

  const size_t price_end = std::min(text.find_first_of(source == ItemsSource::header ? " " : " +%"), text.size());
  const std::optional<int64_t> price = parse_micros(text.substr(0, price_end));
  text.remove_prefix(price_end);
  if (!quantity || !price || *price < 0) return false;
  to.quantity = *quantity;
  to.price_micros = *price;
  return text.empty() || separator_bytes(text, source) > 0;
}

}  // namespace

ItemsOutcome read_items(std::string_view text, ItemsSource source, TextArena& arena, std::vector<OrderItem>& to) {
  to.clear();
  if (source == ItemsSource::directive && text.find(':') == std::string_view::npos) text = decode_form(text, arena);
  skip_separators(text, source);
  while (!text.empty()) {
    OrderItem item;
    if (!read_item(text, source, arena, item)) return to.clear(), ItemsOutcome::off_form;
    if (to.size() == kOrderItemsMax) return to.clear(), ItemsOutcome::too_many;
    to.push_back(item);
    skip_separators(text, source);
  }
  return ItemsOutcome::ok;
}

}  // namespace footfall
