#include "hit/event_object.h"

#include <charconv>
#include <utility>

#include "base/limits.h"
#include "base/money.h"
#include "hit/structured_field.h"
#include "site/checks.h"

namespace footfall {
namespace {

using rapidjson::Value;

constexpr int64_t kSecondsMax = 100'000'000'000;           // more are milliseconds: the year 5138
constexpr int64_t kMillisecondsMax = 253'402'300'799'999;  // the end of the year 9999

std::string_view text_of(const Value& value) { return {value.GetString(), value.GetStringLength()}; }

const Value* find(const Value& object, const char* name) {
  const auto found = object.FindMember(name);
  return found == object.MemberEnd() || found->value.IsNull() ? nullptr : &found->value;
}

std::optional<int64_t> epoch_ms(std::string_view text) {
  int64_t whole = 0;
  const auto [end, fault] = std::from_chars(text.data(), text.data() + text.size(), whole);
  if (fault != std::errc() || whole > kMillisecondsMax) return std::nullopt;
  if (whole < kSecondsMax) return seconds_as_ms(text);
  return whole;
}

// A part of an item, so that it stands for itself.
void append_part(std::string_view text, std::string& to) {
  static constexpr char kHex[] = "0123456789ABCDEF";
  for (const char c : text) {
    if (c == ' ' || c == ':' || c == '%') {
      to.append({'%', kHex[static_cast<uint8_t>(c) >> 4], kHex[c & 15]});
    } else {
      to.push_back(c);
    }
  }
}

}  // namespace

bool EventObjectReader::fail(std::string_view member, std::string text) {
  member_ = member;
  fault_ = std::move(text);
  return false;
}

bool EventObjectReader::read(const Value& object, EventLine& to, std::optional<int64_t> absent_time_ms) {
  object_ = &object;
  event_ = &to;
  to = {};
  fault_.clear();
  member_ = {};
  return read_texts() && read_time(absent_time_ms) && read_money() && read_items();
}

bool EventObjectReader::read_texts() {
  struct Member {
    const char* name;
    std::string_view* to;
    size_t bytes_max;
  };
  EventFields& fields = event_->fields;
  const Member kMembers[] = {{"event", &fields.name, kEventNameBytesMax},
                             {"id", &fields.id, kOrderIdBytesMax},
                             {"site", &event_->site, kSiteNameBytesMax},
                             {"visitor", &event_->visitor, kVisitorIdBytesMax},
                             {"item", &fields.item, kEventItemBytesMax},
                             {"value", &fields.value, 64},
                             {"currency", &fields.currency, 64},
                             {"coupon", &fields.coupon, kCouponBytesMax},
                             {"customer", &fields.customer, kVisitorIdBytesMax}};
  for (const Member& member : kMembers) {
    const Value* const value = find(*object_, member.name);
    if (value == nullptr) continue;
    const std::string name = "\"" + std::string(member.name) + "\"";
    if (!value->IsString()) return fail(member.name, name + " is neither a text nor a number");
    *member.to = trim(text_of(*value));
    if (member.to->size() > member.bytes_max)
      return fail(member.name, name + " is longer than " + std::to_string(member.bytes_max) + " bytes");
    if (!is_clean(*member.to)) return fail(member.name, name + " has control characters; plain text is right");
  }
  if (fields.name.empty()) return fail("event", R"(has no "event": its name, such as "purchase" or "add_to_cart")");
  if (!is_token(fields.name)) return fail("event", R"("event" is no name: letters, digits and _ are right, such as "add_to_cart")");
  if (!event_->site.empty() && !is_site_name(event_->site)) return fail("site", R"("site" is no site's name)");
  return true;
}

bool EventObjectReader::read_time(std::optional<int64_t> absent_time_ms) {
  const Value* const value = find(*object_, "time");
  if (value == nullptr && absent_time_ms) return event_->time_ms = *absent_time_ms, true;
  if (value == nullptr) return fail("time", R"(has no "time": "2026-11-24T10:00:00Z", or seconds or milliseconds since 1970)");
  const std::string_view text = value->IsString() ? trim(text_of(*value)) : std::string_view();
  const bool is_epoch = !text.empty() && text.find_first_not_of("0123456789.") == std::string_view::npos;
  const std::optional<int64_t> time_ms = is_epoch ? epoch_ms(text) : time_.read_ms(text);
  if (!time_ms) return fail("time", R"("time" is none: "2026-11-24T10:00:00Z" is right, or seconds or milliseconds since 1970)");
  event_->time_ms = *time_ms;
  return true;
}

bool EventObjectReader::read_money() {
  const EventFields& fields = event_->fields;
  const bool is_order = fields.name == kOrderEventName;
  const bool is_change = changes_order(fields.name);
  if (is_order && fields.id.empty()) return fail("id", R"(is a purchase without "id": the order's number)");
  if (is_change && fields.id.empty()) return fail("id", "is a change of an order without \"id\": the order's number");
  if (fields.name == kChangedEventName && fields.value.empty())
    return fail("value", R"(is an order_changed without "value": what the order is worth now, such as 99.90)");
  if (is_order && fields.value.empty()) return fail("value", R"(is a purchase without "value": what was paid, such as 129.90)");
  if (!fields.currency.empty() && !parse_currency(fields.currency))
    return fail("currency", R"("currency" is none: three letters are right, such as "EUR")");
  if (fields.value.empty()) return true;
  const std::optional<int64_t> micros = parse_micros(fields.value);
  if (!micros) return fail("value", R"("value" is no amount: a decimal below a billion is right, such as 129.90)");
  if ((is_order || is_change) && *micros < 0)
    return fail("value", "\"value\" of a " + std::string(fields.name) + " is below 0");
  return true;
}

bool EventObjectReader::add_item(const Value& value) {
  if (!items_.empty()) items_ += ' ';
  if (value.IsString()) {
    for (const char c : trim(text_of(value))) c == ' ' ? void(items_ += "%20") : items_.push_back(c);
    return true;
  }
  if (!value.IsObject()) return false;
  const Value* id = find(value, "id");
  if (id == nullptr) id = find(value, "item_id");
  if (id == nullptr || !id->IsString()) return false;
  append_part(text_of(*id), items_);
  for (const auto& [name, otherwise] : {std::pair("quantity", "1"), std::pair("price", "0")}) {
    const Value* const number = find(value, name);
    if (number != nullptr && !number->IsString()) return false;
    items_ += ':';
    append_part(number != nullptr ? text_of(*number) : std::string_view(otherwise), items_);
  }
  const Value* category = find(value, "item_category");
  if (category == nullptr) category = find(value, "category");
  if (category == nullptr) return true;
  if (!category->IsString()) return false;
  items_ += ':';
  append_part(trim(text_of(*category)), items_);
  return true;
}

bool EventObjectReader::read_items() {
  const std::string right = R"(: "id:quantity:price" or {"id":"SKU1","quantity":2,"price":29.95} is right)";
  const Value* const list = find(*object_, "items");
  items_.clear();
  arena_.clear();
  parsed_items_.clear();
  if (list == nullptr) return true;
  if (!list->IsArray()) return fail("items", "\"items\" is no list" + right);
  if (list->Size() > kOrderItemsMax) return fail("items", "\"items\" has more than " + std::to_string(kOrderItemsMax));
  for (const Value& item : list->GetArray())
    if (!add_item(item)) return fail("items", "\"items\" has one off its form" + right);
  if (footfall::read_items(items_, ItemsSource::header, arena_, parsed_items_) != ItemsOutcome::ok)
    return fail("items", "\"items\" has one off its form" + right);
  event_->fields.items = items_;
  // What a single item is about, its event is about.
  if (event_->fields.item.empty() && parsed_items_.size() == 1 && event_->fields.name != kOrderEventName)
    event_->fields.item = parsed_items_.front().id;
  return true;
}

}  // namespace footfall
