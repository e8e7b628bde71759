#include "status.h"

#include <memory>
#include <string>

#include "answer.h"
#include "conf.h"
#include "dashboard/page.h"
#include "queries.h"
#include "worker.h"
#include "query/report.h"

namespace footfall {
namespace {

constexpr ngx_msec_t kQueryMsMax = 5000;

QueryPool* pool;

// A request that waits for its query; in the request's pool. The job knows it as its waiter until one of the three ends
// comes: the answer, the time limit, or the client leaving.
struct Waiting {
  ngx_event_t timer;
  ngx_http_request_t* request;
  QueryJob* job;  // null: settled
};

// --- answers ---------------------------------------------------------------------------------------------------------

struct Header {
  std::string_view name, value;
};

bool add_headers(ngx_http_request_t* r, std::string_view content_type) {
  constexpr Header kAlways[] = {
      {"Cache-Control", "private"},
      {"Vary", "Accept"},
      {"X-Content-Type-Options", "nosniff"},
      {"Referrer-Policy", "no-referrer"},
  };
  for (const Header& header : kAlways) {
    if (add_header(r, header.name, header.value) == nullptr) return false;
  }
  if (!content_type.starts_with("text/html")) return true;
  return add_header(r, "Content-Security-Policy", page_security_policy()) != nullptr;
}

ngx_int_t send(ngx_http_request_t* r, int status, std::string_view type, std::string_view body) {
  return add_headers(r, type) ? send_body(r, status, type, body) : NGX_HTTP_INTERNAL_SERVER_ERROR;
}

ngx_int_t send_error(ngx_http_request_t* r, int status, const char* code, const char* message) {
  QueryError error;
  error.http_status = status;
  error.code = code;
  error.message = message;
  if (status == 405) {
    error.allowed = {"GET", "HEAD"};
    if (add_header(r, "Allow", "GET, HEAD") == nullptr) return NGX_HTTP_INTERNAL_SERVER_ERROR;
  }
  if (status == 429 && add_header(r, "Retry-After", "1") == nullptr) return NGX_HTTP_INTERNAL_SERVER_ERROR;
  return send(r, status, kJsonType, to_json(error));
}

ngx_int_t send_not_modified(ngx_http_request_t* r) {
  r->headers_out.status = NGX_HTTP_NOT_MODIFIED;
  r->header_only = 1;
  return add_headers(r, {}) ? ngx_http_send_header(r) : NGX_HTTP_INTERNAL_SERVER_ERROR;
}

ngx_int_t send_answer(ngx_http_request_t* r, const ServiceAnswer& answer) {
  if (!answer.etag.empty()) {
    const ngx_str_t etag = copy_to_pool(r, answer.etag);
    if (etag.data == nullptr) return NGX_HTTP_INTERNAL_SERVER_ERROR;
    r->headers_out.etag = add_header(r, "ETag", view(etag));
    if (r->headers_out.etag == nullptr) return NGX_HTTP_INTERNAL_SERVER_ERROR;
  }
  if (answer.http_status == NGX_HTTP_NOT_MODIFIED) return send_not_modified(r);
  if (answer.body.empty()) return send_error(r, 503, "unavailable", "the query could not be answered: out of memory");
  return send(r, answer.http_status, answer.content_type, answer.body);
}

// --- queries ---------------------------------------------------------------------------------------------------------

void settle(Waiting* waiting) {
  if (waiting->timer.timer_set) ngx_del_timer(&waiting->timer);
  if (waiting->job != nullptr) waiting->job->waiter = nullptr;
  waiting->job = nullptr;
}

void on_request_gone(void* data) noexcept { settle(static_cast<Waiting*>(data)); }

void finish(ngx_http_request_t* r, ngx_int_t outcome) {
  ngx_connection_t* connection = r->connection;  // the request may be gone after the next line
  ngx_http_finalize_request(r, outcome);
  ngx_http_run_posted_requests(connection);
}

void on_time_limit(ngx_event_t* event) noexcept {
  auto* waiting = reinterpret_cast<Waiting*>(event);  // timer comes first
  ngx_http_request_t* r = waiting->request;
  settle(waiting);
  ngx_int_t outcome = NGX_HTTP_INTERNAL_SERVER_ERROR;
  try {
    outcome =
        send_error(r, 503, "timeout", "the query took longer than 5 seconds; ask for a shorter range or fewer rows");
  } catch (...) {
  }
  finish(r, outcome);
}

void answer_waiter(const std::shared_ptr<QueryJob>& job) {
  auto* waiting = static_cast<Waiting*>(job->waiter);
  if (waiting == nullptr) return;  // too late, or nobody there
  settle(waiting);
  ngx_int_t outcome = NGX_HTTP_INTERNAL_SERVER_ERROR;
  try {
    outcome = send_answer(waiting->request, job->answer);
  } catch (...) {
  }
  finish(waiting->request, outcome);
}

void on_done(ngx_event_t*) noexcept {
  try {
    if (pool == nullptr) return;
    for (const auto& job : pool->take_done()) answer_waiter(job);
  } catch (...) {
  }
}

Waiting* add_waiting(ngx_http_request_t* r) {
  auto* waiting = static_cast<Waiting*>(ngx_pcalloc(r->pool, sizeof(Waiting)));
  ngx_http_cleanup_t* cleanup = ngx_http_cleanup_add(r, 0);
  if (waiting == nullptr || cleanup == nullptr) return nullptr;
  waiting->request = r;
  waiting->timer.handler = on_time_limit;
  waiting->timer.data = r->connection;
  waiting->timer.log = r->connection->log;
  cleanup->handler = on_request_gone;
  cleanup->data = waiting;
  return waiting;
}

ngx_int_t start_query(ngx_http_request_t* r, std::string_view path) {
  if (pool == nullptr) return send_error(r, 503, "unavailable", "the worker could not start its query threads");
  Waiting* waiting = add_waiting(r);
  if (waiting == nullptr) return NGX_HTTP_INTERNAL_SERVER_ERROR;
  auto job = std::make_shared<QueryJob>();
  ServiceRequest& request = job->request;
  request.path = path;
  request.arguments = view(r->args);
  request.accept = header_in(r, "accept");
  request.if_none_match = header_in(r, "if-none-match");
  const ngx_time_t* now = ngx_timeofday();
  request.now_ms = static_cast<int64_t>(now->sec) * 1000 + static_cast<int64_t>(now->msec);
  if (!pool->submit(job))
    return send_error(r, 429, "too_many_queries", "two queries are running; ask again in a second");

  job->waiter = waiting;  // read by this thread alone, which is not back in its loop yet
  waiting->job = job.get();
  ngx_add_timer(&waiting->timer, kQueryMsMax);
  if (!r->discard_body) r->read_event_handler = ngx_http_test_reading;  // notices a client that leaves
  r->main->count++;
  return NGX_DONE;
}

// --- the location ----------------------------------------------------------------------------------------------------

// `/footfall` is meant as `/footfall/`, which the page's links need.
ngx_int_t redirect_to_root(ngx_http_request_t* r) {
  std::string target(view(r->uri));
  target += '/';
  if (r->args.len != 0) target.append("?").append(view(r->args));
  const ngx_str_t location = copy_to_pool(r, target);
  if (location.data == nullptr) return NGX_HTTP_INTERNAL_SERVER_ERROR;
  ngx_http_clear_location(r);
  r->headers_out.location = add_header(r, "Location", view(location));
  return r->headers_out.location != nullptr ? NGX_HTTP_MOVED_PERMANENTLY : NGX_HTTP_INTERNAL_SERVER_ERROR;
}

bool is_report_name(std::string_view name) {
  if (name.empty() || name.size() > 32) return false;
  return name.find_first_not_of("abcdefghijklmnopqrstuvwxyz_") == std::string_view::npos;
}

ngx_int_t route(ngx_http_request_t* r, const StatusConf* status) {
  std::string_view below = view(r->uri);
  below.remove_prefix(std::min(status->prefix.len, below.size()));
  if (!view(status->prefix).ends_with('/')) {
    if (below.empty()) return redirect_to_root(r);
    if (!below.starts_with('/')) return send_error(r, 404, "not_found", "there is nothing here");
    below.remove_prefix(1);
  }
  if (below.empty()) return start_query(r, {});
  constexpr std::string_view kReports = "v1/";
  const bool is_report = below.starts_with(kReports) && is_report_name(below.substr(kReports.size()));
  if (is_report || below == "metrics" || below == "openapi.json") return start_query(r, below);
  return send_error(r, 404, "not_found",
                    "there is nothing here; the page is at the location's root, reports below v1/");
}

}  // namespace

ngx_int_t answer_status(ngx_http_request_t* r) noexcept {
  const StatusConf* status = loc_conf(r)->status;
  try {
    if (const ngx_int_t discarded = ngx_http_discard_request_body(r); discarded != NGX_OK) return discarded;
    if (!status->remote && !is_local(r)) {
      return send_error(r, 403, "forbidden",
                        "this location answers requests from this machine only; see footfall_status remote");
    }
    if (r->method != NGX_HTTP_GET && r->method != NGX_HTTP_HEAD) {
      return send_error(r, 405, "method_not_allowed", "reports are only read");
    }
    return route(r, status);
  } catch (...) {
    return NGX_HTTP_INTERNAL_SERVER_ERROR;
  }
}

void start_queries(ngx_cycle_t* cycle, std::string_view store_path) {
  std::unique_ptr<QueryPool> started = QueryPool::start(std::string(store_path), capture_fault);
  if (!started || ngx_add_channel_event(cycle, started->descriptor(), NGX_READ_EVENT, on_done) != NGX_OK) {
    ngx_log_error(NGX_LOG_WARN, cycle->log, ngx_errno, "footfall: the query threads cannot be started");
    return;
  }
  pool = started.release();
}

void stop_queries() noexcept {
  delete pool;
  pool = nullptr;
}

}  // namespace footfall
