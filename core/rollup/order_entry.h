// What lies in the keyed database of orders: each kind of entry (keys.h) has a form of its own.
#pragma once

#include <string_view>

namespace footfall {

// Whether both can be read, and go together.
bool is_order_entry(std::string_view key, std::string_view value);

}  // namespace footfall
