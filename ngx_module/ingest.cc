#include "ingest.h"

#include <algorithm>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "answer.h"
#include "conf.h"
#include "config_follower.h"
#include "hit/event_batch.h"
#include "query/report.h"
#include "worker.h"

namespace footfall {
namespace {

// --- answers ---------------------------------------------------------------------------------------------------------

bool add_headers(ngx_http_request_t* r) {
  return add_header(r, "Cache-Control", "no-store") != nullptr &&
         add_header(r, "X-Content-Type-Options", "nosniff") != nullptr;
}

ngx_int_t send_json(ngx_http_request_t* r, int status, std::string_view body) {
  return add_headers(r) ? send_body(r, status, kJsonType, body) : NGX_HTTP_INTERNAL_SERVER_ERROR;
}

ngx_int_t send_error(ngx_http_request_t* r, const QueryError& error) {
  if (error.http_status == NGX_HTTP_NOT_ALLOWED && add_header(r, "Allow", "POST") == nullptr)
    return NGX_HTTP_INTERNAL_SERVER_ERROR;
  if (error.http_status == NGX_HTTP_SERVICE_UNAVAILABLE && add_header(r, "Retry-After", "1") == nullptr)
    return NGX_HTTP_INTERNAL_SERVER_ERROR;
  return send_json(r, error.http_status, to_json(error));
}

QueryError no_room() {
  return {503, "unavailable", "the hits before it are not flushed yet; send the batch once more", {}, {}};
}

QueryError not_now() { return {503, "unavailable", "this worker holds no lane; send the batch once more", {}, {}}; }

QueryError too_large(std::string message) { return {413, "too_large", std::move(message), {}, {}}; }

// --- who may send what -----------------------------------------------------------------------------------------------

struct MediaType {
  std::string_view name;
  EventBatchForm form;
};
constexpr MediaType kMediaTypes[] = {
    {"application/json", EventBatchForm::json},
    {"application/x-ndjson", EventBatchForm::lines},
    {"application/ndjson", EventBatchForm::lines},
    {"application/jsonl", EventBatchForm::lines},
};

// What a page of another site can make a browser send here without asking has none of these types, so that a location for
// this machine alone is closed to those as well.
std::optional<EventBatchForm> form_of(const ngx_http_request_t* r) {
  if (r->headers_in.content_type == nullptr) return std::nullopt;
  std::string_view type = view(r->headers_in.content_type->value);
  type = trim(type.substr(0, type.find(';')));
  for (const MediaType& known : kMediaTypes)
    if (equal_ignoring_case(type, known.name)) return known.form;
  return std::nullopt;
}

std::optional<QueryError> refuse_head(const ngx_http_request_t* r, const IngestConf* ingest) {
  if (!ingest->remote && !is_local(r))
    return QueryError{403, "forbidden", "this location takes events from this machine only; see footfall_ingest remote", {}, {}};
  if (r->method != NGX_HTTP_POST) return QueryError{405, "method_not_allowed", "events are posted", {}, {"POST"}};
  if (!form_of(r)) {
    QueryError error{415, "unsupported_media_type", "events are JSON: one object, an array of them, or one a line", "Content-Type", {}};
    for (const MediaType& known : kMediaTypes) error.allowed.emplace_back(known.name);
    return error;
  }
  if (!header_in(r, "content-encoding").empty())
    return QueryError{415, "unsupported_media_type", "events are sent as they are", "Content-Encoding", {}};
  if (r->headers_in.content_length_n > static_cast<off_t>(kEventBatchBytesMax))
    return too_large("the body is longer than 1 MiB; right are several batches");
  if (capture.writer == nullptr) return not_now();
  return std::nullopt;
}

// --- the batch -------------------------------------------------------------------------------------------------------

// The body in one piece: mostly it is; what nginx has put into a file is read from there.
std::optional<std::string_view> body_of(ngx_http_request_t* r, std::string& room) {
  if (r->request_body == nullptr) return std::string_view();
  ngx_chain_t* const first = r->request_body->bufs;
  if (first == nullptr) return std::string_view();
  if (first->next == nullptr && ngx_buf_in_memory(first->buf))
    return std::string_view(reinterpret_cast<char*>(first->buf->pos), static_cast<size_t>(first->buf->last - first->buf->pos));
  for (ngx_chain_t* part = first; part != nullptr && room.size() <= kEventBatchBytesMax; part = part->next) {
    const ngx_buf_t* const buffer = part->buf;
    if (ngx_buf_in_memory(buffer)) {
      room.append(reinterpret_cast<char*>(buffer->pos), static_cast<size_t>(buffer->last - buffer->pos));
      continue;
    }
    if (!buffer->in_file) continue;  // says only that nothing follows
    const auto bytes = static_cast<size_t>(std::min(buffer->file_last - buffer->file_pos, off_t{kEventBatchBytesMax + 1}));
    const size_t start = room.size();
    room.resize(start + bytes);
    auto* const to = reinterpret_cast<u_char*>(room.data() + start);
    if (ngx_read_file(buffer->file, to, bytes, buffer->file_pos) != static_cast<ssize_t>(bytes)) return std::nullopt;
  }
  return room;
}

// The sites that a batch may name, with their contexts in the stage.
class Sites {
 public:
  explicit Sites(std::string_view own) : own_(own) {}

  // The context of the site that an event names, or of the location's. nullopt: nobody knows that site. Names are not taken
  // as they come: each is a line in the stage's table, and a site in the figures.
  std::optional<uint16_t> context(std::string_view told) {
    const std::optional<std::string_view> name = told.empty() ? own_ : resolve(told);
    if (!name) return std::nullopt;
    for (const auto& [known, context] : known_)
      if (known == *name) return context;
    return known_.emplace_back(*name, context_of_site(*name)).second;
  }

  std::vector<std::string> names() const {
    std::vector<std::string> names{std::string(own_)};
    if (table_ == nullptr) return names;
    for (const SiteConfig& site : table_->config().sites)
      if (site.name != own_) names.push_back(site.name);
    return names;
  }

 private:
  std::optional<std::string_view> resolve(std::string_view told) const {
    if (told == own_) return own_;
    const SiteConfig* const site = table_ != nullptr ? resolve_site(table_->config(), told) : nullptr;
    return site != nullptr ? std::optional<std::string_view>(site->name) : std::nullopt;
  }

  const std::string_view own_;
  const CodeTable* const table_ = followed_table();
  std::vector<std::pair<std::string_view, uint16_t>> known_;
};

void map_event(const EventLine& event, RawHit& hit) {
  hit.event_only = true;
  hit.time_ms = event.time_ms;
  hit.visitor_id = event.visitor;
  RawEvent& told = hit.events.front();
  told.is_order = event.fields.name == kOrderEventName;
  told.name = event.fields.name;
  told.item = event.fields.item;
  told.value = event.fields.value;
  told.currency = event.fields.currency;
  told.id = event.fields.id;
  told.items = event.fields.items;
  told.coupon = event.fields.coupon;
  told.customer = event.fields.customer;
}

int64_t now_ms() {
  const ngx_time_t* now = ngx_timeofday();
  return static_cast<int64_t>(now->sec) * 1000 + static_cast<int64_t>(now->msec);
}

QueryError fault_of(const EventBatchReader& events, const Sites& sites) {
  QueryError error{400, "invalid_event", events.fault(), events.place(), {}};
  if (error.param.ends_with("site")) error.allowed = sites.names();
  return error;
}

// Stages one event. An error: the batch is none.
std::optional<QueryError> stage_event(EventBatchReader& events, Sites& sites, StageBatch& batch, RawHit& hit) {
  const std::optional<uint16_t> context = sites.context(events.event().site);
  if (!context) {
    events.reject("site", "\"site\" is none that is known");
    return fault_of(events, sites);
  }
  if (*context == kNoContext) return not_now();
  map_event(events.event(), hit);
  switch (batch.add(hit, *context)) {
    case StageBatch::Outcome::added: return std::nullopt;
    case StageBatch::Outcome::no_room: return no_room();
    case StageBatch::Outcome::too_large: return too_large("the batch is larger than half of the stage; right are several batches");
    case StageBatch::Outcome::oversized: events.reject("items", "\"items\" is too long to be kept"); break;
    case StageBatch::Outcome::clock: return QueryError{503, "unavailable", "this machine's clock is before 1995", {}, {}};
  }
  return fault_of(events, sites);
}

// Checked and staged in one pass: nothing of it is there before show().
std::optional<QueryError> stage_batch(std::string_view body, EventBatchForm form, std::string_view site, size_t& count) {
  EventBatchReader events(body, form, now_ms());
  Sites sites(site);
  RawHit hit;
  hit.events.resize(1);
  StageBatch batch(*capture.writer);
  EventBatchReader::Outcome outcome;
  for (count = 0; (outcome = events.next()) == EventBatchReader::Outcome::event; ++count)
    if (std::optional<QueryError> error = stage_event(events, sites, batch, hit)) return error;
  if (outcome == EventBatchReader::Outcome::rejected) return fault_of(events, sites);
  if (outcome == EventBatchReader::Outcome::too_many) return too_large("the body " + events.fault());
  batch.show();
  return std::nullopt;
}

ngx_int_t take_body(ngx_http_request_t* r) {
  const LocConf* const conf = loc_conf(r);
  if (capture.writer == nullptr) return send_error(r, not_now());  // let go while the body came
  std::string room;
  const std::optional<std::string_view> body = body_of(r, room);
  if (!body) return NGX_HTTP_INTERNAL_SERVER_ERROR;
  size_t count = 0;
  if (const std::optional<QueryError> error = stage_batch(*body, *form_of(r), view(conf->site), count))
    return send_error(r, *error);
  return send_json(r, 202, "{\"accepted\":" + std::to_string(count) + "}\n");
}

void on_body(ngx_http_request_t* r) noexcept {
  ngx_int_t outcome = NGX_HTTP_INTERNAL_SERVER_ERROR;
  try {
    outcome = take_body(r);
  } catch (...) {
  }
  ngx_http_finalize_request(r, outcome);
}

}  // namespace

ngx_int_t answer_ingest(ngx_http_request_t* r) noexcept {
  try {
    if (r != r->main) return NGX_HTTP_NOT_FOUND;  // a mirror's, say: the events would be told twice
    if (const std::optional<QueryError> error = refuse_head(r, loc_conf(r)->ingest)) {
      if (const ngx_int_t discarded = ngx_http_discard_request_body(r); discarded != NGX_OK) return discarded;
      return send_error(r, *error);
    }
    r->request_body_in_single_buf = 1;
    const ngx_int_t outcome = ngx_http_read_client_request_body(r, on_body);
    return outcome >= NGX_HTTP_SPECIAL_RESPONSE ? outcome : NGX_DONE;
  } catch (...) {
    return NGX_HTTP_INTERNAL_SERVER_ERROR;
  }
}

}  // namespace footfall
