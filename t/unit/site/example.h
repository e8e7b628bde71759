// The configuration that the documentation shows, whole, for the tests that read and keep it.
#pragma once

inline constexpr const char* kExampleToml = R"toml(store = "/var/lib/footfall"

[site.shop]
timezone = "Europe/Berlin"     # default UTC
currency = "EUR"               # default EUR; three capital letters
hosts = ["shop.example"]       # own hosts
margin = 0.35
visit_gap = "30m"
lookback = "30d"               # 1d 7d 30d 90d
args = ["variant"]
search = "q"
codes = "/go/"
exclude = ["10.0.0.0/8"]

[[site.shop.code]]
code = "SPRING24"
channel = "direct_mail"
campaign = "spring-mailing"
target = "/sale"
landing = ["/s24"]
coupon = ["MAIL24"]

[[site.shop.channel]]
name = "marketplace"
referrer = ["market.example"]

[[site.shop.event]]
name = "add_to_cart"
path = "/cart/add*"
item_arg = "sku"

[site.shop.order_page]
path = "/thank-you"
id_arg = "order"
value_arg = "total"
currency_arg = "cur"
items_arg = "items"
coupon_arg = "coupon"

[[site.shop.goal]]
name = "newsletter"
event = "sign_up"
value = 2.00

[[site.shop.funnel]]
name = "checkout"
steps = ["/cart", "/checkout", "event:purchase"]

[rates]
USD = 0.92

[retention]
minute = "2d"
hour = "90d"
day = "5y"
month = "forever"
visitors = "400d"
orders = "400d"
visits = "90d"
visits_max = "10GiB"

[desk.marketing]
reports = ["channels", "campaigns", "attribution", "roi"]
metrics = ["traffic", "revenue", "cost"]
)toml";
