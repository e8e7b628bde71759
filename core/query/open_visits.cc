#include "query/open_visits.h"

#include <string>

#include "rollup/visit_parts.h"

namespace footfall {

Status each_open_visit_part(SummarySnapshot& snapshot, uint16_t site, Dimension dimension,
                            const std::function<void(int64_t minute_s, std::string_view text, const Counters&)>& add) {
  const std::string site_prefix = visitor_key(site, Hash128{}).substr(0, sizeof site);
  bool corrupt = false;
  Visit visit;
  const Status status =
      snapshot.each_keyed(KeyedDatabase::open_visits, [&](std::string_view key, std::string_view value) {
        if (!key.starts_with(site_prefix)) return;
        visit = Visit();
        if (!decode_visit(value, visit)) {
          corrupt = true;
          return;
        }
        if (!is_booked_at_close(visit, dimension)) return;
        const std::string value_text = late_value(visit, dimension);
        each_part_of_visit(visit, [&](int64_t minute_s, const Counters& part) { add(minute_s, value_text, part); });
      });
  if (!status) return status;
  if (corrupt) return Error::corrupt("open visit");
  return {};
}

}  // namespace footfall
