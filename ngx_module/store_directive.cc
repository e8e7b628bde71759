// footfall_store.
#include "directive.h"
#include "lane/lane.h"
#include "lane/stage.h"

namespace footfall {
namespace {

constexpr off_t kRingBytesMax = off_t{64} << 30;
constexpr off_t kStageBytesMax = off_t{1} << 30;
constexpr ngx_int_t kFlushMsMin = 10;
constexpr ngx_int_t kFlushMsMax = 10'000;
constexpr ngx_int_t kSyncMsMin = 10;
constexpr ngx_int_t kSyncMsMax = 3'600'000;

char* read_size(ngx_conf_t* cf, std::string_view argument, std::string_view text, off_t min, off_t max,
                std::string_view right, off_t& to) {
  ngx_str_t source = as_ngx_str(text);
  to = text.empty() ? NGX_ERROR : ngx_parse_offset(&source);
  if (to == NGX_ERROR) return refuse(cf, {"\"", argument, "\" is no size; right would be ", right});
  if (to < min || to > max) return refuse(cf, {"\"", argument, "\" is out of range; right would be ", right});
  return NGX_CONF_OK;
}

char* read_time(ngx_conf_t* cf, std::string_view argument, std::string_view text, ngx_int_t min_ms, ngx_int_t max_ms,
                std::string_view right, ngx_msec_t& to_ms) {
  ngx_str_t source = as_ngx_str(text);
  const ngx_int_t ms = text.empty() ? NGX_ERROR : ngx_parse_time(&source, 0);
  if (ms == NGX_ERROR) return refuse(cf, {"\"", argument, "\" is no time; right would be ", right});
  if (ms < min_ms || ms > max_ms) return refuse(cf, {"\"", argument, "\" is out of range; right would be ", right});
  to_ms = static_cast<ngx_msec_t>(ms);
  return NGX_CONF_OK;
}

char* read_lanes(ngx_conf_t* cf, std::string_view argument, std::string_view text, ngx_uint_t& to) {
  ngx_str_t source = as_ngx_str(text);
  const ngx_int_t lanes = ngx_atoi(source.data, source.len);
  if (lanes < 1 || lanes > static_cast<ngx_int_t>(kLanesMax)) {
    return refuse(cf, {"\"", argument, "\" is no number of lanes; right would be lanes=1 to lanes=256"});
  }
  to = static_cast<ngx_uint_t>(lanes);
  return NGX_CONF_OK;
}

char* read_folder(ngx_conf_t* cf, std::string_view argument, std::string_view text, ngx_str_t& to) {
  if (text.empty()) return refuse(cf, {"\"", argument, "\" names no folder; right would be stage_path=DIR"});
  to = as_ngx_str(text);
  return ngx_conf_full_name(cf->cycle, &to, 0) == NGX_OK ? NGX_CONF_OK : kConfError;
}

char* read_store_parameter(ngx_conf_t* cf, std::string_view argument, unsigned& seen, MainConf* main) {
  std::string_view value;
  constexpr std::string_view kRing = "ring=1m to ring=64g";
  constexpr std::string_view kStage = "stage=256k to stage=1g";
  constexpr std::string_view kFlush = "flush=10ms to flush=10s";
  constexpr std::string_view kSync = "sync=10ms to sync=1h, or sync=off";
  const auto twice = [&] { return refuse(cf, {"\"", argument, "\" is given a second time; right would be once"}); };

  if (is_parameter(argument, "ring", value)) {
    if (!first_time(seen, 0)) return twice();
    return read_size(cf, argument, value, static_cast<off_t>(kRingBytesMin), kRingBytesMax, kRing, main->ring_bytes);
  }
  if (is_parameter(argument, "stage", value)) {
    if (!first_time(seen, 1)) return twice();
    return read_size(cf, argument, value, static_cast<off_t>(kStageRecordBytesMin), kStageBytesMax, kStage,
                     main->stage_bytes);
  }
  if (is_parameter(argument, "stage_path", value)) {
    if (!first_time(seen, 2)) return twice();
    return read_folder(cf, argument, value, main->stage_folder);
  }
  if (is_parameter(argument, "flush", value)) {
    if (!first_time(seen, 3)) return twice();
    return read_time(cf, argument, value, kFlushMsMin, kFlushMsMax, kFlush, main->flush_ms);
  }
  if (is_parameter(argument, "sync", value)) {
    if (!first_time(seen, 4)) return twice();
    if (value == "off") {
      main->sync_ms = 0;
      return NGX_CONF_OK;
    }
    return read_time(cf, argument, value, kSyncMsMin, kSyncMsMax, kSync, main->sync_ms);
  }
  if (is_parameter(argument, "lanes", value)) {
    if (!first_time(seen, 5)) return twice();
    return read_lanes(cf, argument, value, main->lanes_max);
  }
  return refuse(cf, {"unknown parameter \"", argument,
                     "\"; right would be ring=SIZE, stage=SIZE, stage_path=DIR, flush=TIME, sync=TIME|off or lanes=N"});
}

}  // namespace

char* set_store(ngx_conf_t* cf, ngx_command_t*, void* conf) noexcept {
  auto* main = static_cast<MainConf*>(conf);
  if (main->store.data != nullptr) return kDuplicate;
  const auto args = arguments(cf);
  if (args[1].len == 0) return refuse(cf, {"the path is empty; right would be a folder such as /var/lib/footfall"});
  ngx_str_t path = args[1];
  if (ngx_conf_full_name(cf->cycle, &path, 0) != NGX_OK) return kConfError;
  main->store = path;
  unsigned seen = 0;
  for (const ngx_str_t& argument : args.subspan(2)) {
    if (char* outcome = read_store_parameter(cf, view(argument), seen, main); outcome != NGX_CONF_OK) return outcome;
  }
  return NGX_CONF_OK;
}

}  // namespace footfall
