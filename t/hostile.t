# Hostile bytes in every field of a request: every request is counted once, no figure is touched, every answer stays well formed.
use v5.36;
use lib 't/lib';
use Encode ();
use Footfall::Client;
use Footfall::Test;
use JSON::PP;

my $shop = open_shop(http => 'large_client_header_buffers 8 128k; default_type text/html; footfall_visitor $cookie_id;', server => <<'END');
    location / { return 200 '<h1>Page</h1>'; }
    location = /order { footfall_order id=$arg_id value=$arg_value currency=$arg_currency items=$arg_items coupon=$arg_coupon; return 200 'thanks'; }
    location = /event { footfall_event search item=$arg_item value=$arg_value currency=$arg_currency; return 200 'found'; }
END

my %hostile = (
    'no UTF-8' => "\xff\xfe\xfd", 'half a character' => "\xe2\x82", 'overlong' => "\xc0\xaf", 'a surrogate' => "\xed\xa0\x80",
    'beyond Unicode' => "\xf4\x90\x80\x80", 'right to left' => "\xe2\x80\xae", 'a NUL' => 'a%00b', 'escaped bytes' => '%ff%fe%c0%af',
    'broken escapes' => '%zz%%%1%', 'a script' => '<script>alert(1)</script>', 'an attribute' => '"><img/src=x/onerror=alert(1)>',
    'escaped script' => '%3Cscript%3Ealert(1)%3C/script%3E', 'quotes' => q('"`\\'"), 'a formula' => "=cmd|'/C+calc'!A0",
    'a path up' => '../../../etc/passwd', 'a template' => '{{7*7}}${7*7}', 'a terminal' => '%1b[31m%0d%0a%07', 'separators' => ';,:|&=?#&&==;;',
    'a number' => '9' x 400, 'no number' => 'NaN', 'null' => 'null', '8 KiB' => 'x' x 8192, '64 KiB' => 'y' x 65000, '64 KiB of escapes' => '%41' x 21000,
    'line ends in Unicode' => "\xe2\x80\xa8\xc2\x85",
);

# Each value in each field, every time by a browser. In the request line are no blanks and no control bytes: nginx takes none.
my %fields = (
    path => sub ($v) { "/$v" },
    'last part of a path' => sub ($v) { "/a/$v.html" },
    argument => sub ($v) { "/cup?q=$v" },
    'name of an argument' => sub ($v) { "/cup?$v=1" },
    'absolute form' => sub ($v) { "http://shop.example/$v" },
    (map { my $name = $_; $name => sub ($v) { "/cup?$name=$v" } } qw(utm_source utm_medium utm_campaign utm_content utm_term utm_id ref gclid)),
    'order id' => sub ($v) { "/order?id=$v&value=-1" },
    'order value' => sub ($v) { "/order?id=X&value=$v" },
    'order currency' => sub ($v) { "/order?id=X&value=5&currency=$v" },
    'event item' => sub ($v) { "/event?item=$v" },
    'event value' => sub ($v) { "/event?item=cup&value=$v" },
    referrer => sub ($v) { ('/cup', referrer => $v) },
    'referrer host' => sub ($v) { ('/cup', referrer => "https://$v/") },
    'referrer path' => sub ($v) { ('/cup', referrer => "https://blog.example/$v?$v") },
    'search term' => sub ($v) { ('/cup', referrer => "https://www.google.com/search?q=$v") },
    agent => sub ($v) { ('/cup', agent => Footfall::Client::BROWSER . " $v") },
    host => sub ($v) { ('/cup', host => $v) },
    visitor => sub ($v) { ('/cup', headers => [Cookie => "id=$v"]) },
    prefetch => sub ($v) { ('/cup', headers => ['Sec-Purpose' => $v, 'Sec-GPC' => $v, DNT => $v]) },
);
my ($visitor, %status) = (0);
for my $field (sort keys %fields) {
    for my $value (sort keys %hostile) {
        my $answer = $shop->get($fields{$field}->($hostile{$value}), from => 1000 + $visitor++);
        $answer ? $status{ $answer->status }++ : fail("$value as $field is answered");
    }
}
is(join(' ', sort keys %status), '200 400', 'every request is answered, by the page or as a bad request');
cmp_ok($status{200}, '>', 20 * keys %fields, 'most of them by the page');

# What is no request at all; nginx answers some of it without a status line.
my @lines = ("\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03\r\n\r\n", "GET\r\n\r\n", "G\xff\xfeT / HTTP/1.1\r\n\r\n", "GET / HTTP/9.9\r\n\r\n",
    "GET /\0 HTTP/1.1\r\nHost: x\r\n\r\n", "GET / HTTP/1.1\r\n\r\n", "GET / HTTP/1.1\r\nHost: a\r\nHost: b\r\n\r\n", "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n",
    "GET / HTTP/1.1\r\nHost: x\r\nContent-Length: -1\r\n\r\n", "CONNECT shop.example:443 HTTP/1.1\r\nHost: x\r\n\r\n", "\xff" x 3000 . "\r\n\r\n");
$shop->send_raw($_) for @lines;
my @methods = ("TRACE / HTTP/1.1\r\nHost: x\r\n", "OPTIONS * HTTP/1.1\r\nHost: x\r\n", "PROPFIND / HTTP/1.1\r\nHost: x\r\n", "XYZZY / HTTP/1.1\r\nHost: x\r\n");
$shop->send_raw("${_}Connection: close\r\n\r\n") for @methods;

my $hits = $shop->answered + @lines + @methods;
my $health = $shop->settle;
is($health->{capture}{lanes}[0]{hits}, $hits, 'each is one hit');
is_deeply($health->{capture}{lanes}[0]{dropped}, { map { $_ => 0 } qw(stage_full oversized clock signal corrupt) }, 'none is dropped');

# Whatever came as an order had no value or no currency; but "NaN" is three letters, a currency without a rate.
my $orders = grep { /^order / } keys %fields;
is_totals($shop, { hits => $hits, orders => 1, revenue => 0, items => 0, goal_value => 0, late_hits => 0 }, 'totals are exact');
my ($rejected, $events, $views, $bots) = @{ $shop->query(metrics => 'rejected_orders,events,pageviews,bot_hits')->{totals} };
cmp_ok($rejected, '<=', $orders * keys %hostile, 'orders are rejected');
cmp_ok($rejected, '>', 20 * $orders, 'nearly all that came that far');
cmp_ok($events, '<=', 2 * keys(%hostile) + 1, 'events count as events');
cmp_ok($views, '>', $status{200} - keys(%hostile), 'pages are page views, but for prefetches');
cmp_ok($views, '<=', $status{200}, 'and no more than they are');

subtest 'every answer is well formed' => sub {
    for my $by (qw(page entry_page exit_page source medium campaign referrer_host channel status_class event)) {
        my ($key, $metric) = ($by, $by eq 'page' || $by eq 'status_class' ? 'hits' : $by eq 'event' ? 'events' : 'pageviews');
        my $answer = $shop->ask("/footfall/v1/query?by=$by&metrics=$metric&limit=10000");
        my $text = eval { Encode::decode('UTF-8', $answer->body, Encode::FB_CROAK) };
        ok(defined $text, "$by: UTF-8") or next;
        my $said = JSON::PP->new->decode($text);
        my @keys = map { $_->[0] // () } @{ $said->{rows} };
        is(join(' ', grep { /[\x00-\x1f\x7f\x{80}-\x{9f}]/ } @keys), '', "$by: no control characters");
        is(join(' ', grep { length(Encode::encode('UTF-8', $_)) > 1024 } @keys), '', "$by: no endless keys");
        my $sum = 0;
        $sum += $_->[1] for @{ $said->{rows} }, $said->{other} // [undef, 0];
        is($sum, $said->{totals}[1], "$by: rows and other add up to $said->{totals}[1]");
        my ($code, $table) = $shop->footfall('query', '--store', $shop->store, '--by', $by, '--metrics', $metric, '--limit', 10000);
        is($code, 0, "$by: by command");
        unlike($table, qr/[\x00-\x09\x0b-\x1f\x7f]/, "$by: the terminal gets text");
        ok(eval { Encode::decode('UTF-8', $table, Encode::FB_CROAK); 1 }, "$by: in UTF-8");
    }
};

subtest 'the page shows it as text' => sub {
    $shop->get('/<script>alert(2)</script>?utm_source=<b>', from => 500, referrer => 'https://blog.example/') for 1 .. 200;
    $shop->settle;
    my $page = $shop->ask('/footfall/');
    is($page->status, 200, 'is there');
    like($page->body, qr{&lt;script&gt;alert\(2\)|%3Cscript%3Ealert\(2\)}, 'with the path');
    unlike($page->body, qr/<(?:script|img|b)\b|onerror=[^&]*>/i, 'without its markup');
    ok(eval { Encode::decode('UTF-8', $page->body, Encode::FB_CROAK); 1 }, 'in UTF-8');
    $page = $shop->ask('/footfall/?site=%3Cscript%3Ealert(3)%3C/script%3E');
    unlike($page->body, qr/<script/, 'nor does it repeat what it was asked for');
};

subtest 'spellings of one page are one page' => sub {
    my %before = map { @$_ } @{ $shop->query(by => 'page', metrics => 'pageviews', limit => 10000)->{rows} };
    $shop->get($_, from => 600) for "/caf\xc3\xa9", '/caf%c3%a9', '/caf%C3%A9#top', '//caf%C3%A9?x', '/%63af%C3%A9';
    $shop->settle;
    my %after = map { @$_ } @{ $shop->query(by => 'page', metrics => 'pageviews', limit => 10000)->{rows} };
    is(($after{'/caf%C3%A9'} // 0) - ($before{'/caf%C3%A9'} // 0), 5, '/caf%C3%A9');
};
close_shops();
