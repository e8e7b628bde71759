#include "hit/event_writer.h"

#include <algorithm>

#include "base/limits.h"
#include "base/money.h"
#include "hit/event_fields.h"

namespace footfall {
namespace {

constexpr std::string_view kBrokenItems = "?";  // no items' form: left out by the reader too

bool is_digit(char c) { return c >= '0' && c <= '9'; }
bool is_printable(char c) { return c >= 0x20 && c <= 0x7E; }

// An RFC 8941 decimal: up to 12 digits, a point, one to three digits. Others are told as strings.
bool is_decimal(std::string_view text) {
  if (text.starts_with('-')) text.remove_prefix(1);
  const size_t point = text.find('.');
  const std::string_view whole = text.substr(0, point);
  const std::string_view fraction = point == std::string_view::npos ? "0" : text.substr(point + 1);
  return !whole.empty() && whole.size() <= 12 && !fraction.empty() && fraction.size() <= 3 &&
         std::all_of(whole.begin(), whole.end(), is_digit) && std::all_of(fraction.begin(), fraction.end(), is_digit);
}

void append_base64(std::string_view bytes, std::string& to) {
  constexpr std::string_view kDigits = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
  for (size_t at = 0; at < bytes.size(); at += 3) {
    const auto byte = [&](size_t i) {
      return at + i < bytes.size() ? static_cast<uint32_t>(static_cast<uint8_t>(bytes[at + i])) : 0u;
    };
    const uint32_t bits = byte(0) << 16 | byte(1) << 8 | byte(2);
    const size_t digits = std::min<size_t>(bytes.size() - at, 3) + 1;
    for (size_t i = 0; i < 4; ++i) to.push_back(i < digits ? kDigits[bits >> (18 - 6 * i) & 63] : '=');
  }
}

// As a string, or as bytes where a string cannot hold it.
void append_text(std::string_view text, std::string& to) {
  if (!std::all_of(text.begin(), text.end(), is_printable)) {
    to.push_back(':');
    append_base64(text, to);
    to.push_back(':');
    return;
  }
  to.push_back('"');
  for (const char c : text) {
    if (c == '"' || c == '\\') to.push_back('\\');
    to.push_back(c);
  }
  to.push_back('"');
}

void append_parameter(std::string_view key, std::string_view value, std::string& to) {
  if (value.empty()) return;
  to.append(";").append(key).append("=");
  append_text(value, to);
}

void append_value(const EventFields& fields, std::string& to) {
  if (fields.value_off_form) {
    to += ";value";  // true, which is no number
  } else if (is_decimal(fields.value)) {
    to.append(";value=").append(fields.value);
  } else {
    append_parameter("value", fields.value, to);
  }
}

// An item's id or category within the list: what parts ids, quantities, prices and items is escaped, and all that is no ASCII.
void append_item_name(std::string_view name, std::string& to) {
  constexpr std::string_view kHex = "0123456789ABCDEF";
  for (const char c : name) {
    const auto byte = static_cast<uint8_t>(c);
    if (c > ' ' && c < 0x7F && std::string_view("%:+\"\\").find(c) == std::string_view::npos) {
      to.push_back(c);
    } else {
      to.push_back('%');
      to.push_back(kHex[byte >> 4]);
      to.push_back(kHex[byte & 15]);
    }
  }
}

}  // namespace

std::string_view EventWriter::write(std::string_view header, std::span<const RawEvent> events) {
  text_.clear();
  arena_.clear();
  events_ = 0;
  const bool well_formed = is_well_formed(header);
  if (well_formed && events_ > 0) text_ = trim(header);
  for (const RawEvent& event : events) add(event);
  if (text_.empty() && !well_formed) text_ = header.substr(0, kEventHeaderBytesMax + 1);
  return text_;
}

bool EventWriter::is_well_formed(std::string_view header) {
  static constexpr Key128 kNoKey{};  // nothing is kept of what is read here
  uint32_t flags = 0;
  list_.clear();
  EventRoom room{list_, arena_, kNoKey, flags};
  const bool is_whole = read_events_header(header, room);
  events_ = list_.size();
  return is_whole;
}

void EventWriter::add(const RawEvent& raw) {
  const size_t arena_before = arena_.size();
  EventFields fields;
  const bool is_told = read_directive(raw, arena_, fields) == Told::event;
  if (is_told && events_ < kEventsMax) {
    member_.clear();
    member_.append(fields.name);
    if (fields.id.size() <= kOrderIdBytesMax) append_parameter("id", fields.id, member_);  // a longer one is no id
    append_value(fields, member_);
    append_parameter("currency", fields.currency, member_);
    append_parameter("item", fields.item, member_);
    append_parameter("coupon", fields.coupon, member_);
    append_parameter("customer", fields.customer, member_);
    write_items(fields.items);
    const std::string_view comma = text_.empty() ? "" : ", ";
    if (text_.size() + comma.size() + member_.size() <= kEventHeaderBytesMax) {
      text_.append(comma).append(member_);
      ++events_;
    }
  }
  arena_.rewind(arena_before);
}

void EventWriter::write_items(std::string_view items) {
  if (read_items(items, ItemsSource::directive, arena_, items_) != ItemsOutcome::ok)
    return append_parameter("items", kBrokenItems, member_);
  if (items_.empty()) return;
  member_ += ";items=\"";
  const size_t start = member_.size();
  for (const OrderItem& item : items_) {
    if (member_.size() != start) member_ += ' ';
    append_item_name(item.id, member_);
    const int digits = item.price_micros % (kMicrosPerUnit / 100) == 0 ? 2 : 6;
    member_.append(":")
        .append(std::to_string(item.quantity))
        .append(":")
        .append(format_micros(item.price_micros, digits));
    if (item.category.empty()) continue;
    member_ += ':';
    append_item_name(item.category, member_);
  }
  member_ += '"';
}

}  // namespace footfall
