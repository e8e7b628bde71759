# Whose page it is and what was looked for: names of pages, searches, countries, devices, bots, items. Each group of cases is
# a site of its own.
use v5.36;
use lib 't/lib';
use Footfall::Test;

my $shop = open_shop(
    # One worker: two may stamp one visitor's requests with the same millisecond, and then their lanes' order counts.
    toml => qq([site.shop]\nhosts = ["shop.example"]\n[site.items]\n[rates]\nUSD = 0.5\n),
    http => 'map $http_x_page $page { default ""; "~^(?<named>.*)$" $named; }',
    server => <<'END',
        footfall_country $http_x_country;
        footfall_bot $http_x_bot;
        location / { try_files $uri $uri.html =404; }
        location /named {
            footfall_site named;
            footfall_path $page;
            footfall_args variant size;
            try_files /cup.html =404;
            location /named/plain { footfall_path ""; footfall_args ""; try_files /cup.html =404; }
            location /named/below { try_files /nothing @named; }
        }
        location @named { footfall_site named; footfall_path /product/$arg_id; try_files /cup.html =404; }
        location /search { footfall_site search; footfall_search q; try_files /cup.html =404; }
        location /country { footfall_site country; try_files /cup.html =404; }
        location /home { footfall_site country; footfall_country at; try_files /cup.html =404; }
        location /bots { footfall_site bots; try_files /cup.html =404; }
        location /items {
            footfall_site items;
            footfall_event view_item item=$arg_sku if=$arg_sku;
            footfall_order id=$arg_order value=$arg_total items=$arg_items currency=$arg_currency if=$arg_order;
            try_files /cup.html =404;
        }
END
);

subtest 'a page has the name that the shop gives it' => sub {
    # By somebody else: two workers may stamp one visitor's requests with the same millisecond.
    $shop->get('/named?id=1&variant=red&utm_source=x', from => 2, headers => ['X-Page' => '/cup']);
    $shop->get('/named?size=l&variant=blue', headers => ['X-Page' => '/cup?not=this']);
    $shop->get('/named', headers => ['X-Page' => $_]) for 'cup', '-', '/caf%c3%a9//x';
    $shop->get('/named?variant=red');
    $shop->get('/named/plain?variant=red', headers => ['X-Page' => '/cup']);
    $shop->get('/named/below?id=7&x=1');
    is_figures($shop, { by => 'page', metrics => 'pageviews', site => 'named' }, {
        '/cup?variant=red' => 1, '/cup?size=l&variant=blue' => 1, '/named' => 2, '/caf%C3%A9/x' => 1, '/named?variant=red' => 1,
        '/named/plain' => 1, '/product/7' => 1,
    });
    is_figures($shop, { by => 'source', metrics => 'visits', site => 'named' }, { x => 1, '(direct)' => 1 }, 'arguments are the request\'s');
};

subtest 'what was searched for' => sub {
    $shop->get('/search?q=Blue+Cup', from => 1);
    $shop->get('/search?q=caf%C3%A9', from => 1);
    $shop->get('/search?q=Blue+Cup', from => 2);
    $shop->get('/search?Q=no', from => 2);
    is_figures($shop, { by => 'search_term', metrics => 'pageviews,entries,exits,exit_rate,bounces', site => 'search' },
        { 'Blue Cup' => [2, 2, 0, 0, 0], "caf\x{e9}" => [1, 0, 1, 1, 0], '(none)' => [1, 0, 1, 1, 0] });
};

my $phone = 'Mozilla/5.0 (Linux; Android 14; Pixel 8) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/126.0 Mobile Safari/537.36';

subtest 'countries and devices' => sub {
    $shop->get('/country', from => 1, headers => ['X-Country' => 'DE']);
    $shop->get('/country', from => 1, headers => ['X-Country' => 'fr']);
    $shop->get('/country', from => 2, headers => ['X-Country' => 'fr'], agent => $phone);
    $shop->get('/country', from => 3, headers => ['X-Country' => $_]) for 'Germany', '', '1a';
    $shop->get('/home', from => 4);
    is_figures($shop, { by => 'country', metrics => 'hits,visits,pageviews', site => 'country' },
        { DE => [1, 1, 2], FR => [2, 1, 1], AT => [1, 1, 1], '(none)' => [3, 1, 3] });
    is_figures($shop, { by => 'device', metrics => 'hits,visits,pageviews,visitors', site => 'country' },
        { mobile => [1, 1, 1, 1], desktop => [6, 3, 6, 3] });
};

subtest 'bots' => sub {
    $shop->get('/bots', headers => ['X-Bot' => $_]) for '', '0', '00', '1', 'yes';
    $shop->get('/bots', agent => 'Mozilla/5.0 (compatible; Googlebot/2.1; +http://www.google.com/bot.html)');
    is_figures($shop, { by => 'bot_class', metrics => 'hits,bot_hits', site => 'bots' },
        { own_flag => [3, 3], search_crawler => [1, 1], '(none)' => [2, 0] });
    is_figures($shop, { by => 'device', metrics => 'hits,pageviews', site => 'bots' }, { bot => [4, 0], desktop => [2, 2] });
};

subtest 'items' => sub {
    $shop->get('/items?sku=cup') for 1 .. 2;
    $shop->get('/items?order=A-1&total=20&items=cup:2:5.50+bowl:1:7');
    $shop->get('/items?order=A-1&total=20&items=cup:2:5.50+bowl:1:7');
    $shop->get('/items?order=A-2&total=10&items=cup:1:8&currency=USD');
    $shop->get('/items?order=A-3&total=3');
    is_figures($shop, { by => 'item', metrics => 'orders,items,revenue,events', site => 'items' },
        { cup => [2, 3, 15, 2], bowl => [1, 1, 7, 0], '(none)' => [1, 0, 6, 3] });
    is_totals($shop, { orders => 3, items => 4, revenue => 28, events => 5, duplicate_orders => 1 }, undef, site => 'items');
};

close_shops();
