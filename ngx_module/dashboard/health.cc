#include "dashboard/health.h"

#include <rapidjson/document.h>

#include "dashboard/html.h"

namespace footfall {
namespace {

const rapidjson::Value* member(const rapidjson::Value* object, const char* name) {
  if (object == nullptr || !object->IsObject()) return nullptr;
  const auto found = object->FindMember(name);
  return found != object->MemberEnd() ? &found->value : nullptr;
}

uint64_t number(const rapidjson::Value* value) {
  return value != nullptr && value->IsUint64() ? value->GetUint64() : 0;
}

std::string text(const rapidjson::Value* value) {
  return value != nullptr && value->IsString() ? std::string(value->GetString(), value->GetStringLength())
                                               : std::string();
}

void add_dropped(std::vector<std::pair<std::string, uint64_t>>& to, const std::string& reason, uint64_t hits) {
  if (hits == 0) return;
  for (auto& [known, sum] : to) {
    if (known == reason) return void(sum += hits);
  }
  to.emplace_back(reason, hits);
}

void read_lanes(const rapidjson::Value* lanes, Health& to) {
  if (lanes == nullptr || !lanes->IsArray()) return;
  to.lanes = lanes->Size();
  for (const rapidjson::Value& lane : lanes->GetArray()) {
    to.hits += number(member(&lane, "hits"));
    const rapidjson::Value* dropped = member(&lane, "dropped");
    if (dropped == nullptr || !dropped->IsObject()) continue;
    for (const auto& reason : dropped->GetObject()) add_dropped(to.dropped, text(&reason.name), number(&reason.value));
  }
}

std::string row(std::string_view name, const std::string& value) {
  return "<tr><th scope=row>" + escape_html(name) + "</th><td>" + value + "</td></tr>";
}

std::string aggregator_line(const Health& health, int64_t now_ms) {
  if (health.aggregator_pid != 0) return "running, pid " + std::to_string(health.aggregator_pid);
  if (health.as_of.empty()) return "<span class=warn>not started yet</span>";
  return "<span class=warn>not running; figures are " + show_age(now_ms - parse_instant_ms(health.as_of)) +
         " old</span>";
}

}  // namespace

Health read_health(QueryService& service, int64_t now_ms) {
  Health health;
  rapidjson::Document document;
  const std::string json = health_json(service, now_ms);
  document.Parse(json.data(), json.size());
  if (document.HasParseError() || !document.IsObject()) return health;
  health.known = true;
  health.status = text(member(&document, "status"));
  health.version = text(member(&document, "version"));
  read_lanes(member(member(&document, "capture"), "lanes"), health);
  const rapidjson::Value* aggregator = member(&document, "aggregator");
  health.aggregator_pid = number(member(aggregator, "pid"));
  health.as_of = text(member(aggregator, "as_of"));
  health.lag_hits = number(member(aggregator, "lag_hits"));
  health.lost_hits = number(member(aggregator, "lost_hits"));
  return health;
}

std::string render_health(const Health& health, int64_t now_ms) {
  std::string out = "<section id=health><h2>Health</h2>";
  if (!health.known) return out + "<p class=warn>The health report could not be read.</p></section>";
  out += "<table><tbody>";
  out += row("Status", health.status == "ok" ? "ok" : "<span class=warn>" + escape_html(health.status) + "</span>");
  out += row("Aggregator", aggregator_line(health, now_ms));
  out += row("Hits captured", std::to_string(health.hits));
  out += row("Hits not counted yet", std::to_string(health.lag_hits));
  out += row("Hits lost", std::to_string(health.lost_hits));
  for (const auto& [reason, hits] : health.dropped) out += row("Hits dropped: " + reason, std::to_string(hits));
  out += row("Lanes", std::to_string(health.lanes));
  if (!health.version.empty()) out += row("Version", escape_html(health.version));
  return out + "</tbody></table></section>";
}

}  // namespace footfall
