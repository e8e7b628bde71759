// The words that a desk's `reports` and `metrics` may hold, and what each lets its readers see. Data for the
// configuration's checks, for the query's refusals and for the docs alike.
#pragma once

#include <array>
#include <string_view>

namespace footfall {

struct DeskWord {
  std::string_view name;
  std::string_view meaning;
};

inline constexpr std::array kDeskReports = {
    DeskWord{"overview", "headline figures over time"},
    DeskWord{"health", "capture, aggregator, store, ledger of what was left out"},
    DeskWord{"errors", "4xx and 5xx by page, and the orders they cost"},
    DeskWord{"slow", "response times by page, and the orders they cost"},
    DeskWord{"bots", "bot hits by class and reason"},
    DeskWord{"live", "the last minutes"},
    DeskWord{"channels", "how visits came in"},
    DeskWord{"codes", "marketing without a link: leaflets, mailings, prints"},
    DeskWord{"campaigns", "source, medium, campaign, content, term"},
    DeskWord{"attribution", "credit for orders by model"},
    DeskWord{"roi", "spend and return"},
    DeskWord{"pages", "views, entries, exits by page"},
    DeskWord{"paths", "transitions from page to page"},
    DeskWord{"funnels", "steps to a purchase"},
    DeskWord{"search", "the shop's own search"},
    DeskWord{"clues", "pages that lose more visits than their like"},
    DeskWord{"cohorts", "what came of a first touch later"},
    DeskWord{"items", "what was sold and looked at"},
    DeskWord{"carts", "carts and their abandonment"},
    DeskWord{"orders", "orders and refunds by time and country"},
    DeskWord{"goals", "conversions other than orders"},
};

inline constexpr std::array kDeskMetrics = {
    DeskWord{"traffic", "hits, visits, visitors, page views and their rates"},
    DeskWord{"orders", "orders, items, events, conversions, carts and their rates"},
    DeskWord{"revenue", "revenue, refunds, order values, goal values"},
    DeskWord{"cost", "spend and what is computed from it"},
    DeskWord{"technical", "errors, bytes, response times, bots, what was left out"},
};

}  // namespace footfall
