// Random traffic of two shops, the same in every run, and what is the same of two runs' figures.
#pragma once

#include <algorithm>
#include <string>
#include <vector>

#include "aggregate/shop.h"
#include "random.h"

namespace footfall {

// A request that owns its texts.
struct Request {
  int64_t time_ms = 0;
  std::string site, visitor, uri, referrer, header, country;
  std::string agent{kFirefox};
  Method method = Method::get;
  uint16_t status = 200;
  ContentKind content = ContentKind::html;

  RawHit raw() const {
    RawHit raw;
    raw.time_ms = time_ms;
    raw.status = status;
    raw.method = method;
    raw.content = content;
    raw.bytes_sent = uri.size() * 100;
    raw.visitor_id = visitor;
    raw.uri = uri;
    raw.referrer = referrer;
    raw.agent = agent;
    raw.host = "shop.example";
    raw.events_header = header;
    raw.country = country;
    raw.request_time_ms = static_cast<uint32_t>(uri.size() * 37 % 5000);
    return raw;
  }
};

inline std::string random_arrival(Random& random) {
  constexpr std::string_view kArrivals[] = {"utm_source=google&utm_medium=cpc",
                                            "utm_source=news&utm_medium=email&utm_campaign=spring", "gclid=1",
                                            "utm_campaign=leaflet&utm_content=a", "source=partner&utm_term=red+shoes"};
  return random.below(6) == 0 ? "?" + std::string(kArrivals[random.below(std::size(kArrivals))]) : "";
}

inline std::string random_events(Random& random) {
  switch (random.below(6)) {
    case 0:
      return random.below(2) == 0 ? "add_to_cart" : "add_to_cart;item=\"A\"";
    case 1:
      return "sign_up;item=\"B\", scroll";
    case 2:
      return "purchase;value=1";  // rejected
    case 3:
      return "off the grammar ???";
    default: {
      constexpr std::string_view kMore[] = {"", ";currency=\"USD\"", ";currency=\"CHF\"", ";items=\"A:2:1.50:Shoes B:1:2 A:1:0.50:Shoes\";coupon=\"MAIL24\"",
                                      ";currency=\"USD\";items=\"B:3:7.77:Toys\"", ";currency=\"CHF\";items=\"B:1:9\""};
      constexpr std::string_view kChanges[] = {"refund", "refund;value=30", "refund;items=\"A:1:0\"", "refund;value=9;currency=\"USD\"",
                                               "order_cancelled", "order_changed;value=55.50"};
      const std::string id = ";id=\"A-" + std::to_string(random.below(80)) + "\"";
      if (random.below(5) == 0) {
        const std::string_view change = kChanges[random.below(std::size(kChanges))];
        const size_t name = std::min(change.find(';'), change.size());
        return std::string(change.substr(0, name)) + id + std::string(change.substr(name));
      }
      return "purchase;id=\"A-" + std::to_string(random.below(80)) + "\";value=" + std::to_string(random.below(200)) +
             ".95" + std::string(kMore[random.below(std::size(kMore))]);
    }
  }
}

// Over two and a half days around the end of a month; no two hits of one time, `number` of them.
inline std::vector<Request> random_traffic(uint64_t seed, size_t number,
                                           int64_t start_ms = time_of("2026-09-30 10:00")) {
  constexpr std::string_view kPages[] = {"/", "/shoes", "/shoes/red", "/cart", "/welcome", "/search", "/thank-you"};
  constexpr std::string_view kReferrers[] = {"https://www.google.com/", "https://t.co/a", "https://www.paypal.com/",
                                             "https://blog.example/shoes", "https://shop.example/"};
  constexpr uint16_t kStatuses[] = {200, 200, 302, 404, 500};
  Random random(seed);
  std::vector<Request> traffic;
  int64_t time_ms = start_ms;
  uint64_t visitor = 0;
  for (size_t i = 0; i < number; ++i) {
    time_ms += static_cast<int64_t>(1 + random.below(random.below(10) == 0 ? 900'000 : 60'000));
    if (random.below(3) == 0) visitor = random.below(40);
    Request request;
    request.time_ms = time_ms;
    request.site = visitor % 5 == 0 ? "blog.example" : "shop";
    request.visitor = "v" + std::to_string(visitor);
    request.uri = std::string(kPages[random.below(std::size(kPages))]) + random_arrival(random);
    if (random.below(5) == 0) request.referrer = kReferrers[random.below(std::size(kReferrers))];
    if (random.below(4) == 0) request.status = kStatuses[random.below(std::size(kStatuses))];
    if (random.below(6) == 0) request.content = ContentKind::other, request.uri = "/style.css";
    if (random.below(5) == 0) request.header = random_events(random);
    if (random.below(8) == 0) request.method = Method::post;
    if (random.below(25) == 0) request.agent = random.below(2) == 0 ? kGooglebot : "";
    if (random.below(300) == 0) request.uri = "/robots.txt";
    if (request.uri == "/search") request.uri += random.below(2) == 0 ? "?q=shoes" : "?q=Red+shoes";
    if (random.below(4) != 0) request.country = visitor % 3 == 0 ? "DE" : "FR";
    if (visitor % 4 == 0 && request.agent == kFirefox) request.agent = kPhone;
    traffic.push_back(std::move(request));
  }
  return traffic;
}

// A line per row: what any two runs over the same hits must agree in.
inline std::string told(const Figures& figures) {
  std::string text;
  for (const auto& [name, counters] : figures) {
    if (counters.is_zero()) continue;
    text += std::to_string(name.site) + " " + std::string(dimension_name(name.dimension)) + " " +
            std::string(level_name(name.level)) + " " + std::to_string(name.bucket_s) + " " + name.text + ":";
    for (size_t i = 0; i < kCounters; ++i)
      if (counters[static_cast<Counter>(i)] != 0) text += " " + std::to_string(i) + "=" + std::to_string(counters[static_cast<Counter>(i)]);
    for (size_t i = 0; i < kAmounts; ++i)
      if (counters[static_cast<Amount>(i)] != 0) text += " " + std::to_string(i) + "~" + format_micros(counters[static_cast<Amount>(i)], 6);
    if (counters.took_ms)
      for (unsigned percent : {50, 95, 99}) text += " p" + std::to_string(counters.took_ms->at(percent));
    text += " visitors=" + std::to_string(counters.visitors.estimate()) + "\n";
  }
  return text;
}

// Fails with the first line in which two runs differ.
inline void expect_same(const std::string& actual, const std::string& expected, const std::string& run) {
  if (actual == expected) return;
  const size_t at = static_cast<size_t>(
      std::mismatch(actual.begin(), actual.end(), expected.begin(), expected.end()).first - actual.begin());
  const auto line = [at](const std::string& text) {
    const size_t start = at == 0 ? 0 : text.rfind('\n', at - 1) + 1;
    return text.substr(start, text.find('\n', start) - start);
  };
  fail_msg("%s:\n  %s\nis not\n  %s", run.c_str(), line(actual).c_str(), line(expected).c_str());
}

// Those of the traffic from one on and before another come to their shops.
inline void visit_the_shops(const std::vector<Request>& traffic, size_t from, size_t to) {
  for (size_t i = from; i < to; ++i) shop().site(traffic[i].site).count(traffic[i].raw());
}

}  // namespace footfall
