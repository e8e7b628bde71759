# Hostile bytes in every field of a request: each is answered and counted, none harms a figure, an answer, the page or a
# terminal. Each group is a site of its own; its visitors come one by one, so a visit is a request.
use v5.36;
use lib 't/lib';
use Footfall::Client qw(BROWSER);
use Footfall::Test;

my @sites = qw(paths garbage hosts referrers agents campaigns orders events visitors);
my $shop = open_shop(
    workers => 2,
    http => <<'END',
        large_client_header_buffers 8 128k;
        client_header_timeout 20s;
        default_type text/html;
        set_real_ip_from 127.0.0.0/8;
        real_ip_header X-Real-IP;
END
    toml => join('', map { "[site.$_]\nhosts = [\"$_.example\"]\n" } @sites),
    server => <<'END',
        footfall_site garbage;
        location / { try_files /cup.html =404; }
END
    servers => join '', map { server_of($_) } @sites[0, 2 .. $#sites]);

# Every path is a page there.
sub server_of ($site) {
    my %more = (
        orders => 'footfall_order id=$arg_id value=$arg_v currency=$arg_c items=$arg_i coupon=$arg_coupon customer=$arg_who;',
        events => 'footfall_event seen item=$arg_item value=$arg_v currency=$arg_c if=$arg_v$arg_item;',
        visitors => 'footfall_visitor $cookie_id;',
    );
    my $directives = $more{$site} // '';
    return "server { listen {$site}; server_name $site.example; footfall_site $site; $directives location / { try_files /cup.html =404; } }\n";
}

my %sent;
my $visitor = 0;

# A page of that site, by a new visitor unless told otherwise; status 200 is wanted.
sub ask_page ($site, $target, %o) {
    local $Test::Builder::Level = $Test::Builder::Level + 1;
    my $answer = $shop->get($target, port => $shop->port($site), host => "$site.example", from => $visitor++ % 60_000 + 1000, %o);
    $sent{$site}++;
    my $status = $answer ? $answer->status : 'no answer';
    is($status, $o{wanted} // 200, printable("$site: " . ($o{name} // $target))) if $status ne ($o{wanted} // 200);
    return $answer;
}

# UTF-8 as text, undef if it is none.
sub text_of ($bytes) { utf8::decode($bytes) && $bytes !~ /[\x{d800}-\x{dfff}]/ ? $bytes : undef }

sub printable ($text) { $text =~ s/([^\x20-\x7e])/sprintf '\\x%02x', ord $1/ger =~ s/\A(.{60}).*/$1…/sr }

subtest 'paths' => sub {
    my %page_of = (
        '/' => '/', '//////' => '/', "/\xff\xfe" => '/%FF%FE', '/%ff%fe' => '/%FF%FE', '/%41%7E' => '/A~',
        '/<script>alert(1)</script>' => '/<script>alert(1)</script>', '/%3cscript%3E' => '/%3Cscript%3E',
        '/"><img src=x>' =~ s/ /%20/r => '/"><img%20src=x>', "/a'b" => "/a'b", '/=1+1' => '/=1+1', '/@SUM' => '/@SUM',
        "/\xe2\x80\xae" => '/%E2%80%AE', '/%e2%80' => '/%E2%80', '/%C0%AF' => '/%C0%AF', '/a%0D%0AX:y' => '/a%0D%0AX:y',
        '/%1b[31m' => '/%1B[31m', '/%7f' => '/%7F', '/&lt;b&gt;' => '/&lt;b&gt;', '/../a' => undef, '/%00' => undef, "/\0" => undef,
        "/\x01" => undef, '/%zz' => undef, '/%' => undef, '/%u0041' => undef,
        '/' . 'a' x 65_000 => '/' . 'a' x 1023, '/' . '%F0%9F%98%80' x 5000 => '/' . '%F0%9F%98%80' x 85,
        '/' . "\xf0\x9f\x98\x80" x 5000 => '/' . '%F0%9F%98%80' x 85, '/' . '/x' x 30_000 => '/' . 'x/' x 511 . 'x',
        '/c?' . 'a=b&' x 16_000 => '/c', '/c?' . 'x' x 65_000 => '/c', '/c?%00&=&&&?/?' => '/c', '/c#fragment' => '/c',
    );
    my (%views, $refused);
    for my $target (sort keys %page_of) {
        ask_page(paths => $target, wanted => defined $page_of{$target} ? 200 : 400);
        defined $page_of{$target} ? $views{ $page_of{$target} }++ : $refused++;
    }
    ask_page(paths => '/' . 'a' x 200_000, wanted => 414);
    is_figures($shop, { by => 'page', metrics => 'pageviews', site => 'paths' }, \%views);
    is_totals($shop, { hits => $sent{paths}, errors_4xx => $refused + 1, pageviews => $sent{paths} - $refused - 1 }, undef, site => 'paths');
};

subtest 'what is no request' => sub {
    my $pages = 0;
    my $client = 0;
    my %status_of = (
        "\x16\x03\x01\x02\0\x01\0\x01\xfc\x03\x03" => 400, "get / HTTP/1.1\r\n\r\n" => 400, "GET / HTTP/9.9\r\n\r\n" => 505,
        "GET\0/ HTTP/1.1\r\n\r\n" => 400, "GET  HTTP/1.1\r\n\r\n" => 400, "GET http:// HTTP/1.1\r\nHost: x\r\n\r\n" => 400,
        "OPTIONS * HTTP/1.1\r\nHost: x\r\n\r\n" => 400, "CONNECT x:443 HTTP/1.1\r\nHost: x\r\n\r\n" => 400, "\xff\xfe\xfd\r\n\r\n" => 400,
        "GET / HTTP/1.1\r\n\r\n" => 400, "GET / HTTP/1.1\r\nHost: a\r\nHost: b\r\n\r\n" => 400, "GET / HTTP/1.1\r\nHost: a b\r\n\r\n" => 400,
        "GET / HTTP/1.1\r\nHost: x\r\nX: \0\r\n\r\n" => 400, "PURGE /a HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n" => 405,
        "GET / HTTP/1.1\r\nHost: x\r\nContent-Length: 1\r\nTransfer-Encoding: chunked\r\n\r\n" => 400,
        "GET /x HTTP/1.1\r\nHost: x\r\nX: " . 'y' x 200_000 . "\r\n\r\n" => 400, 'x' x 5000 . "\r\n\r\n" => 400,
    );
    for my $bytes (sort keys %status_of) {
        my $answer = $shop->send_raw($bytes, from => ++$client + 300);
        my $status = $answer ? $answer->status : 'no answer';
        is($status, $status_of{$bytes}, printable($bytes));
    }
    $shop->send_raw("GET / HTTP/1.0\r\nUser-Agent: " . BROWSER . "\r\n\r\n", from => 398);
    is_totals($shop, { hits => 1 + keys %status_of, pageviews => 1, visits => 1, errors_4xx => -1 + keys %status_of, errors_5xx => 1 },
        'is a hit, and an error', site => 'garbage');
};

subtest 'hosts' => sub {
    ask_page(hosts => '/', host => $_) for '%00', '%2f', 'a' x 8000, '[::1]:99999999999', '"', "'or'1", "\xc3\xa9.example", '-', 'shop.example.';
    ask_page(hosts => '/', host => $_, wanted => 400) for '../../etc', '..%2f', "a\0b", '', '/';
    is_totals($shop, { hits => 14, pageviews => 9 }, 'the site is what the configuration says', site => 'hosts');
};

subtest 'referrers' => sub {
    my @referrers = (
        '<script>alert(2)</script>', 'https://<script>alert(2)</script>/', 'https://"><b>.example/', "https://\xff\xfe.example/", "\xff" x 3000,
        'https://' . 'a' x 8000 . '.example/', 'https://' . 'a.' x 4000 . 'example/', 'https://blog.example/' . 'p' x 20_000,
        'javascript:alert(1)', 'https://[::1', 'https://[::1]:x/', 'http://%00.example/', '"', '//', 'https:', 'https://', 'https:///path',
        'https://user:pass@blog.example/', 'data:text/html,<b>', "https://blog.example/\x1b[31m", "https://\x1b[31m.example/", 'HTTPS://BLOG.EXAMPLE./',
        'https://blog.example:99999999/', 'android-app://com.example', "https://xn--\xe2\x80\xae.example/", 'https://=cmd.example/',
        'https://www.google.com/search?q=%ff%fe%00<script>', 'https://www.google.com/search?q=' . 'x' x 9000,
    );
    ask_page(referrers => '/', referrer => $_, name => $_) for @referrers;
    is_totals($shop, { hits => scalar @referrers, visits => scalar @referrers, pageviews => scalar @referrers, bounces => scalar @referrers },
        'each is a visit', site => 'referrers');
    my %seen = map { ($_->[0] // '(none)') => $_->[1] } @{ $shop->query(by => 'referrer_host', metrics => 'visits', site => 'referrers')->{rows} };
    is($seen{'google.com'}, 2, 'a search is known whatever was searched');
    cmp_ok($seen{'blog.example'} // 0, '>=', 3, 'a host is known whatever stands around it');
    is(join(' ', grep { $_ ne '(none)' && !/\A[a-z0-9._\[\]:-]{1,253}\z/ } sort keys %seen), '', 'hosts look like hosts') or diag explain \%seen;
};

subtest 'agents' => sub {
    my $long = BROWSER . ' ' . 'x' x 8192;
    my @one = (from => '127.9.9.9');
    ask_page(agents => '/', agent => $long . $_, @one, name => 'long') for '', 'y', "\xff";
    is_totals($shop, { visitors => 1, pageviews => 3 }, 'what differs behind the bound is one browser', site => 'agents');
    my @agents = (BROWSER . "\xff\xfe", BROWSER . '<script>alert(3)</script>', BROWSER . "\t\x7f", "\xff" x 8192, BROWSER x 60, '"', "Mozilla/5.0 \x1b[31m", 'Mozilla/5.0 %00');
    ask_page(agents => '/', agent => $_, name => $_) for @agents;
    ask_page(agents => '/', agent => $_) for undef, '', 'curl/8.0', 'curl/8.0' . 'x' x 9000;
    my $totals = $shop->settle && $shop->query(site => 'agents', metrics => 'hits,bot_hits,pageviews,visits')->{totals};
    is($totals->[0], 3 + @agents + 4, 'all are hits');
    cmp_ok($totals->[1], '>=', 4, 'none and curl are bots');
    is($totals->[1] + $totals->[2], $totals->[0], 'who is no bot has a page view');
};

subtest 'campaigns' => sub {
    my @values = ('%ff%fe', '%00', 'a%00b', '<script>alert(4)</script>', '%3Cscript%3Ealert(4)%3C/script%3E', '%1b[31mred', '%0d%0aSet-Cookie:x', 'x' x 9000,
        '%F0%9F%98%80' x 1500, '=HYPERLINK(%22x%22)', '%22', '%27', '%5c', '%', '%zz', '+', '%e2%80%ae', '%EF%BF%BF', '%ED%A0%80', '(direct)', 'null', "\xff\xfe", '%C0%80');
    for my $value (@values) {
        ask_page(campaigns => "/?utm_source=$value&utm_medium=$value&utm_campaign=$value&utm_content=$value&utm_term=$value", name => $value);
    }
    ask_page(campaigns => '/?' . join('&', map { "utm_source=s$_" } 1 .. 3000), name => '3000 sources');
    ask_page(campaigns => "/?$_=" . 'g' x 9000, name => $_) for qw(gclid fbclid msclkid);
    my $count = @values + 4;
    is_totals($shop, { hits => $count, visits => $count, pageviews => $count }, undef, site => 'campaigns');
    my %source = map { ($_->[0] // '(none)') => $_->[1] } @{ $shop->query(by => 'source', metrics => 'visits', site => 'campaigns')->{rows} };
    is($source{s1}, 1, 'of many the first');
};

subtest 'orders' => sub {
    my %value = (    # what the order page says => what it is worth; undef: rejected
        5 => 5, '0005' => 5, '5.10' => 5.10, 0 => 0, '0.000001' => 0.000001, '999999999.999999' => 999_999_999.999999,
        '1e308' => undef, '1e3' => undef, '-5' => undef, '-0.01' => undef, '1000000000' => undef, '9' x 400 => undef, 'NaN' => undef,
        'inf' => undef, '0x10' => undef, '1,50' => undef, '1.2.3' => undef, '%00' => undef, '5%00' => undef, '%ff' => undef, '%d9%a5' => undef,
        '5;DROP' => undef, '<script>' => undef, '' => undef, '--5' => undef, '5e' => undef, '0.' . '0' x 5000 . '1' => undef, '5.' . '0' x 62 => 5, '5.' . '0' x 63 => undef,
        '5.' . '0' x 62 . 'x' => undef,
    );
    my ($accepted, $rejected, $micros) = (0, 0, 0);
    my $id = 0;
    for my $value (sort keys %value) {
        ask_page(orders => '/?id=V-' . ++$id . "&v=$value", name => $value);
        if (defined $value{$value}) { $accepted++; $micros += sprintf '%.0f', $value{$value} * 1e6 }
        else                        { $rejected++ }
    }
    my $revenue = sprintf '%.2f', $micros / 1e6;
    is_totals($shop, { orders => $accepted, rejected_orders => $rejected, revenue => $revenue, pageviews => $sent{orders} }, 'absurd values', site => 'orders')
        or diag explain $shop->query(site => 'orders', metrics => 'orders,revenue,rejected_orders');

    my %id_is_good = ('<script>alert(5)</script>' => 1, '%22' => 1, '%2e%2e%2f' => 1, 'i' x 128 => 1, '%C3%A9' x 64 => 1, '%C3%A9' x 64 . 'x' => 0, '%C3%A9' x 63 . 'a' => 1, 'i' x 129 => 0, 'i' x 9000 => 0, '%ff' => 0, '%00' => 0,
        '' => 0, '%20' => 0, 'a%0ab' => 0);
    for my $text (sort keys %id_is_good) {
        ask_page(orders => "/?id=$text&v=1", name => "id $text");
        $id_is_good{$text} ? $accepted++ : $rejected++;
    }
    is_totals($shop, { orders => $accepted, rejected_orders => $rejected }, 'absurd ids', site => 'orders');

    my $before = $accepted + $rejected;
    my @more = ('c=%00', 'c=EURO', 'c=%ff%fe%fd', 'c=<b>', 'i=a:-1:1', 'i=a:99999999999999999999:1', 'i=a:1:1e9', 'i=%ff:1:1', 'i=:::', 'i=' . 'a:1:1+' x 100,
        'coupon=%ff', 'coupon=' . 'c' x 9000, 'coupon=<script>', 'who=' . 'w' x 9000, 'who=%00');
    ask_page(orders => '/?id=M-' . ++$id . "&v=1&$_", name => $_) for @more;
    $shop->settle;
    my ($orders, $refused) = @{ $shop->query(site => 'orders', metrics => 'orders,rejected_orders')->{totals} };
    is($orders + $refused, $before + @more, 'absurd parts: each order is taken or rejected, and counted');

    # What is told about one hit has a bound; all of it is refused beyond, the page is not.
    ask_page(orders => '/?id=L-' . ++$id . '&v=1&i=' . 'a:1:1+' x 2000, name => '12 KB of items');
    is_totals($shop, { orders => $orders, rejected_orders => $refused, pageviews => $sent{orders} }, 'too much about an order', site => 'orders');
    my $malformed = 0;
    $malformed += $_->{malformed_events} for @{ $shop->health->{capture}{lanes} };
    is($malformed, 1, 'is counted');
};

subtest 'events by directive' => sub {
    my @arguments = ('item=%ff', 'item=' . 'i' x 9000, 'item=<script>', 'v=1e308', 'v=NaN', 'v=-5', 'v=99999999999', 'v=1&c=<b>', 'item=%00', 'item=%1b[2J');
    ask_page(events => "/?$_", name => $_) for @arguments;
    is_totals($shop, { hits => scalar @arguments, pageviews => scalar @arguments, revenue => 0, orders => 0 }, undef, site => 'events');
    my %events = map { $_->[0] => $_->[1] } @{ $shop->query(by => 'event', metrics => 'events', site => 'events')->{rows} };
    is(join(' ', keys %events), 'seen', 'their name is the directive\'s');
    cmp_ok($events{seen}, '<=', scalar @arguments, "told at most once each: $events{seen}");
};

subtest 'visitors' => sub {
    my @ids = ("\xff\xfe", '<script>', 'v' x 8000, '%00', '"', ' ', '../../etc/passwd', "\xf0\x9f\x98\x80");
    # Each at an address of its own: an id goes on with the visit of who was there without one.
    ask_page(visitors => '/', from => "127.8.7.$_", headers => [Cookie => "id=$ids[$_]"], name => $ids[$_]) for 0 .. $#ids, 0 .. $#ids;
    is_totals($shop, { hits => 2 * @ids, pageviews => 2 * @ids, visits => scalar @ids, visitors => scalar @ids }, 'each is somebody', site => 'visitors');
    ask_page(visitors => '/', from => '127.8.8.9', headers => ['X-Real-IP' => $_], name => $_) for 'x', "\xff", '999.1.1.1', '::::', '1' x 9000, '';
    is_totals($shop, { hits => 2 * @ids + 6, visitors => @ids + 1 }, 'no address: that of the connection', site => 'visitors');
};

# --- what is shown ---------------------------------------------------------------------------------------------------

my @dimensions = qw(channel source medium campaign content term referrer_host page entry_page exit_page status_class event);

subtest 'every answer is good JSON and adds up' => sub {
    for my $site (@sites) {
        for my $dimension (@dimensions) {
            my $metric = $dimension eq 'event' ? 'events' : $dimension =~ /status/ ? 'hits' : 'pageviews';
            my $metrics = $dimension =~ /_page/ ? 'visits' : $metric;
            my $answer = $shop->ask("/footfall/v1/query?site=$site&by=$dimension&metrics=$metrics&limit=10000");
            next if $answer->status == 400;    # this version has no such dimension
            my $text = text_of($answer->body);
            my $said = eval { $answer->json };
            ok($answer->status == 200 && defined $text && $said && $text !~ /[\x00-\x09\x0b-\x1f\x7f-\x9f]/, "$site by $dimension") || diag printable($answer->body);
            next unless $said;
            my $sum = $said->{other} ? $said->{other}[1] : 0;
            $sum += $_->[1] for @{ $said->{rows} };
            is($sum, $said->{totals}[1], "  adds up to $sum");
            my @bad = grep { defined && (length > 1024 || /[\x00-\x1f\x7f-\x9f]/) } map { $_->[0] } @{ $said->{rows} };
            is(join(' | ', map { printable($_) } @bad), '', '  no value is too long or unprintable');
        }
    }
};

subtest 'the page shows it as text' => sub {
    for my $site (@sites) {
        my $page = $shop->ask("/footfall/?site=$site");
        is($page->status, 200, $site);
        my $text = text_of($page->body);
        ok(defined $text && $text !~ /[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f]/, '  UTF-8 without control characters');
        unlike($page->body, qr/<script|<b>|<img|alert\(\d\)<\/script/, '  nothing of a visitor is markup');
    }
    like($shop->ask('/footfall/?site=paths')->body, qr/&lt;script&gt;alert\(1\)/, 'it is there, escaped');
    my $page = $shop->ask('/footfall/?site=%3Cscript%3Ealert(9)%3C/script%3E');
    unlike($page->body, qr/<script/, 'nor is the name of a site');
};

subtest 'a terminal shows it as text' => sub {
    for my $site (@sites) {
        for my $dimension (qw(page campaign source referrer_host)) {
            my ($code, $out, $err) = $shop->footfall('query', '--config', $shop->path('footfall.toml'), '--site', $site, '--by', $dimension, '--metrics', 'pageviews');
            ok($code eq '0' && $out !~ /[\x00-\x09\x0b-\x1f\x7f]/ && defined text_of($out), "$site by $dimension")
                || diag printable($out . $err);
        }
    }
};

subtest 'nothing was lost, nobody died' => sub {
    my $health = $shop->settle;
    my ($hits, $dropped) = (0, 0);
    for my $lane (@{ $health->{capture}{lanes} }) {
        $hits += $lane->{hits};
        $dropped += $_ for values %{ $lane->{dropped} };
    }
    my $counted = 0;
    $counted += $shop->query(site => $_, metrics => 'hits')->{totals}[0] for @sites;
    is($counted, $hits, 'every hit is counted');
    is($dropped, 0, 'none was dropped');
    is($health->{aggregator}{lost_hits}, 0, 'none was lost');
    is($health->{status}, 'ok', 'all is well') or diag explain $health;
    is($health->{aggregator}{pid}, $shop->pid('aggregator'), 'the aggregator is the same');
    unlike($shop->read('logs/error.log'), qr/exited on signal/, 'so are the workers');
};

close_shops();
