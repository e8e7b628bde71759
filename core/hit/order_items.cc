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

// The text of an id or a category; empty: it is none.
std::string_view read_name(std::string_view raw, TextArena& arena) {
  if (raw.find(' ') != std::string_view::npos) return {};
  const std::string_view name = trim(decode_percent(raw, arena));
  return name.size() <= kEventItemBytesMax && is_clean(name) ? name : std::string_view();
}

// Bytes of the category at the front. Its blanks are escaped, so that in an argument it is hard to tell one from a
// separator: it is none as long as no other item begins behind it.
size_t category_bytes(std::string_view text, ItemsSource source) {
  const size_t end = std::min(text.find_first_of(source == ItemsSource::header ? " " : " +"), text.size());
  const size_t colon = text.substr(0, end).find(':');
  if (source == ItemsSource::header || colon == std::string_view::npos) return end;
  return std::min(text.substr(0, colon).rfind("%20"), end);
}

// Takes `:category` off the front, where there is one.
bool read_category(std::string_view& text, ItemsSource source, TextArena& arena, OrderItem& to) {
  if (!text.starts_with(':')) return true;
  text.remove_prefix(1);
  const std::string_view raw = text.substr(0, category_bytes(text, source));
  text.remove_prefix(raw.size());
  to.category = read_name(raw, arena);
  return raw.find(':') == std::string_view::npos && (raw.empty() || !to.category.empty());
}

// Takes `id:quantity:price` or `id:quantity:price:category` off the front, up to a separator or the end.
bool read_item(std::string_view& text, ItemsSource source, TextArena& arena, OrderItem& to) {
  const size_t id_end = text.find(':');
  if (id_end == std::string_view::npos) return false;
  to.id = read_name(text.substr(0, id_end), arena);
  if (to.id.empty()) return false;
  text.remove_prefix(id_end + 1);

  const size_t quantity_end = text.find(':');
  if (quantity_end == std::string_view::npos) return false;
  const std::optional<int64_t> quantity = read_quantity(text.substr(0, quantity_end));
  text.remove_prefix(quantity_end + 1);

  const size_t price_end = std::min(text.find_first_of(source == ItemsSource::header ? " :" : " :+%"), text.size());
  const std::optional<int64_t> price = parse_micros(text.substr(0, price_end));
  text.remove_prefix(price_end);
  if (!quantity || !price || *price < 0) return false;
  to.quantity = *quantity;
  to.price_micros = *price;
  if (!read_category(text, source, arena, to)) return false;
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
