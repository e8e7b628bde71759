# What the shop tells: events and orders by its header, and by directives. Each group of cases is a site of its own.
use v5.36;
use lib 't/lib';
use Footfall::Test;
use Footfall::Upstream;

my $shop = make_shop(
    workers => 2,
    http => <<'END',
        proxy_cache_path {folder}/temp/cache keys_zone=pages:1m;
        proxy_buffer_size 32k;
        proxy_buffers 4 32k;
        proxy_set_header Host $host;
END
    server => <<'END',
        footfall_event banner_seen if=$arg_banner;  # inherited where a location has no events of its own

        location / { try_files $uri $uri.html =404; }
        location /header/ { footfall_site header; proxy_pass http://{app}; }
        location /header/named { footfall_site header; footfall_events_header X-Shop-Event; proxy_pass http://{app}; }
        location /header/off { footfall_site header; footfall_events_header off; proxy_pass http://{app}; }
        location /broken/ { footfall_site broken; proxy_pass http://{app}; }
        location /nginx/ { footfall_site nginx; proxy_pass http://{nginx_app}; }
        location /cached/ {
            footfall_site cached;
            proxy_cache pages;
            proxy_cache_valid 200 10m;
            add_header X-Cache $upstream_cache_status;
            proxy_pass http://{app};
        }

        location = /cart {
            footfall_site cart;
            footfall_event add_to_cart item=$arg_sku value=$arg_price;
            footfall_event view_item if=$arg_view;
            try_files /cart.html =404;
        }
        location = /thanks {
            footfall_site thanks;
            footfall_order id=$arg_order value=$arg_total currency=$arg_currency items=$arg_items coupon=$arg_coupon if=$arg_told;
            try_files /thanks.html =404;
        }
        location = /named {
            footfall_site named;
            footfall_order id=$arg_order value=$arg_total;
            try_files /nothing @app;
        }
        location @app {
            footfall_site named;
            footfall_event rendered;
            proxy_pass http://{app};
        }
        location = /redirected {
            footfall_site redirected;
            footfall_order id=$arg_order value=$arg_total;
            try_files /nothing /inner;
        }
        location = /inner {
            internal;
            footfall_site redirected;
            footfall_event inner_shown item=$arg_order;
            try_files /thanks.html =404;
        }
        location = /rewritten {
            footfall_site rewritten;
            rewrite ^ /rewritten-to last;
        }
        location = /rewritten-to {
            footfall_site rewritten;
            try_files /cup.html =404;
        }
        location = /missing {
            footfall_site missing;
            footfall_order id=$arg_order value=$arg_total;
            return 404;
        }
END
    servers => <<'END',
        server {
            listen {nginx_app};
            footfall off;
            default_type text/html;
            add_header Footfall-Event 'sign_up';
            add_header Footfall-Event 'purchase;id="N-1";value=5';
            location / { return 200 'page'; }
        }
END
    toml => <<'END');
[site.thanks]
currency = "EUR"

[rates]
USD = 0.5
END

my $order = 'purchase;id="A-1001";value=129.90;currency="EUR";coupon="MAIL24";items="SKU1:2:29.95 SKU2:1:70.00"';
my $app = Footfall::Upstream->start($shop->address('app'),
    '/header/one' => ["Footfall-Event: $order, sign_up"],
    '/header/two' => ['Footfall-Event: add_to_cart;item="cup";value=14.95', 'X-Other: here', 'footfall-event: view_item, view_item'],
    '/header/named' => ['X-Shop-Event: search', 'Footfall-Event: sign_up'],
    '/header/off' => ['Footfall-Event: sign_up'],
    '/broken/thousand' => ['Footfall-Event: ' . join ',', ('a') x 1000],
    '/broken/seventeen' => [map { "Footfall-Event: $_" } ('sign_up') x 17],
    '/broken/grammar' => ['Footfall-Event: purchase;id="unclosed;value=1'],
    '/broken/long' => ['Footfall-Event: sign_up;note="' . 'x' x 5000 . '"'],
    '/broken/bytes' => ["Footfall-Event: purchase;id=\"\xff\xfe\";value=1"],
    '/broken/one-bad' => ['Footfall-Event: purchase;id="B-1";value=1', 'Footfall-Event: ;;'],
    '/cached/page' => ['Footfall-Event: purchase;id="C-1";value=7, sign_up'],
);
$shop->start_nginx;
$shop->start_aggregator;

subtest 'by the header of the application' => sub {
    my @seen = map { $shop->get("/header/$_") } qw(one one two named off);
    is_deeply([map { $_->status } @seen], [(200) x 5], 'all are served');
    is_deeply([map { $_->header('Footfall-Event') } @seen], [undef, undef, undef, 'sign_up', 'sign_up'], 'hidden where it is read');
    is($seen[3]->header('X-Shop-Event'), undef, 'so is one of another name');
    is($seen[2]->header('X-Other'), 'here', 'all else goes on to the client');
    $shop->get('/header/one', from => 2);
    is_totals($shop, { pageviews => 6, orders => 1, duplicate_orders => 2, items => 3, revenue => 129.90, events => 8 },
        'an order that is told three times is one order', site => 'header');
    is_figures($shop, { by => 'event', metrics => 'events', site => 'header' },
        { purchase => 1, sign_up => 3, add_to_cart => 1, view_item => 2, search => 1 });
};

subtest 'a header off its grammar' => sub {
    my @pages = qw(thousand seventeen grammar long bytes one-bad);
    is($shop->get("/broken/$_")->status, 200, "$_: the page is served") for @pages;
    is_totals($shop, { pageviews => 6, visits => 1, events => 0, orders => 0, rejected_orders => 3 },
        'counts for nothing but a rejected order where it names one; its page does', site => 'broken');
    my $counted = 0;
    $counted += $_->{malformed_events} for @{ $shop->health->{capture}{lanes} };
    is($counted, 6, 'each is counted');
    wait_until('it is logged', sub { $shop->read('logs/error.log') =~ /event lists off their grammar, their events are not told/ });
};

subtest 'by add_header of another nginx' => sub {
    is($shop->get('/nginx/')->header('Footfall-Event'), undef, 'hidden');
    is_totals($shop, { orders => 1, revenue => 5, events => 2 }, 'several lines are one list', site => 'nginx');
};

subtest 'out of a cache' => sub {
    my @seen = map { $shop->get('/cached/page', from => $_) } 1 .. 3;
    is_deeply([map { $_->header('X-Cache') } @seen], [qw(MISS HIT HIT)], 'answered once by the application');
    is_deeply([map { $_->header('Footfall-Event') } @seen], [(undef) x 3], 'always hidden');
    is_totals($shop, { pageviews => 3, orders => 1, duplicate_orders => 0, events => 2 }, 'told once', site => 'cached');
};

subtest 'events by directive' => sub {
    $shop->get('/cart?sku=cup&price=14.95');
    $shop->get('/cart?sku=cup&price=14.95&view=1');
    $shop->get('/cart?sku=cup&price=14.95&view=0');
    $shop->get('/cart?sku=cup&price=broken&view=');
    $shop->head('/cart?sku=cup&price=14.95&view=1');
    is_figures($shop, { by => 'event', metrics => 'events', site => 'cart' }, { add_to_cart => 4, view_item => 1 },
        'if= is kept, HEAD tells nothing');
    is_totals($shop, { cart_abandonment => 1, pageviews => 4, visits => 1, bounces => 0 }, 'a cart that was left', site => 'cart');
};

subtest 'orders by directive' => sub {
    my $thanks = sub ($arguments, $from = 1) { $shop->get("/thanks?told=1&$arguments", from => $from) };
    $thanks->('order=T%2D1&total=29.90&items=cup:2:9.95+bowl:1:10.00&coupon=MAIL24');
    $shop->settle;                                         # within one millisecond the lower lane would be first
    $thanks->('order=T-1&total=29.90');                    # the same id, spelt otherwise
    $thanks->('order=T-2&total=10&currency=usd', 2);       # 5.00 in the site's currency
    $thanks->('order=T-3&total=100&currency=GBP', 3);      # no rate
    $thanks->('order=T-4&total=0', 4);                     # free, and an order
    $shop->get('/thanks?order=T-5&total=99', from => 5);   # not told
    is_totals($shop, { orders => 4, duplicate_orders => 1, rejected_orders => 0, items => 3, revenue => 34.90, pageviews => 6 },
        undef, site => 'thanks');
    my $meta = $shop->query(site => 'thanks', metrics => 'revenue')->{meta};
    is_deeply($meta->{unconverted}, [{ currency => 'GBP', orders => 1, revenue => 100 }], 'without a rate: listed apart');
    like("@{ $meta->{warnings} }", qr/rate/, 'and warned of');

    my @rejected = ('order=&total=5', 'total=5', 'order=R-1&total=', 'order=R-2&total=-1', 'order=R-3&total=abc', 'order=R-4&total=1e3',
        'order=R-5&total=1000000000', 'order=R-6&total=99999999999999999999', 'order=R-7&total=1,50', 'order=R-8&total=5&currency=EURO',
        'order=' . 'x' x 129 . '&total=5', 'order=%00&total=5', 'order=R-9&total=NaN', 'order=R-10&total=0x10', 'order=%ff%fe&total=5');
    $thanks->($_, 6) for @rejected;
    $thanks->('nothing=1', 7);
    is_totals($shop, { orders => 4, rejected_orders => scalar @rejected, revenue => 34.90, pageviews => 7 + @rejected },
        'what is no order is rejected and counted; with neither id nor value it is just a page', site => 'thanks');
};

subtest 'try_files to a named location' => sub {
    $shop->get('/named?order=P-1&total=8');
    is_figures($shop, { by => 'event', metrics => 'events', site => 'named' }, { purchase => 1, rendered => 1 },
        'where the request came in counts, and where it ends');
    is_figures($shop, { by => 'page', metrics => 'pageviews', site => 'named' }, { '/named' => 1 });
    is_totals($shop, { revenue => 8 }, undef, site => 'named');
};

subtest 'an internal redirect' => sub {
    $shop->get('/redirected?order=I-1&total=9');
    is_figures($shop, { by => 'event', metrics => 'events', site => 'redirected' }, { purchase => 1, inner_shown => 1 });
    is_figures($shop, { by => 'page', metrics => 'pageviews', site => 'redirected' }, { '/redirected' => 1 }, 'the page is what was asked for');
    is_totals($shop, { revenue => 9 }, 'the arguments are those that were sent', site => 'redirected');
};

subtest 'a directive that both locations have is told once' => sub {
    $shop->get('/rewritten?banner=1');
    is_totals($shop, { events => 1, pageviews => 1 }, undef, site => 'rewritten');
};

subtest 'an error tells nothing' => sub {
    $shop->get('/missing?order=M-1&total=9');
    is_totals($shop, { hits => 1, errors_4xx => 1, events => 0, orders => 0, visits => 0 }, undef, site => 'missing');
};

is(scalar @{ $shop->health->{capture}{lanes} }, 2, 'the cache manager and the cache loader have no lane');
close_shops();
