// The `items` of an order: `id:quantity:price id:quantity:price:category`, parts percent-encoded.
#pragma once

#include <string_view>
#include <vector>

#include "hit/hit.h"
#include "hit/text.h"

namespace footfall {

enum class ItemsOutcome { ok, off_form, too_many };

// Where the list comes from. In a query's argument the blanks between items are `+` or `%20`, and the colons may be
// escaped too: nothing is lost by taking them for what they are, since a price never ends in them.
enum class ItemsSource { header, directive };

// Appends the items: id 1..kEventItemBytesMax bytes of clean text, quantity 0..1,000,000, price a plain decimal >= 0,
// a category, if any, like the id.
// Off its form or with more than kOrderItemsMax items: `to` is empty.
ItemsOutcome read_items(std::string_view text, ItemsSource source, TextArena& arena, std::vector<OrderItem>& to);

}  // namespace footfall
