# The log format of the README: its import gives the figures of live capture.
use v5.36;
use lib 't/lib';
use Footfall::Test;
use Footfall::Upstream;

my ($format) = do { local (@ARGV, $/) = Footfall::Shop->root . '/README.md'; <> } =~ /^(log_format footfall '.*?';)$/ms;
my $toml = <<'END';
[site.shop]
hosts = ["shop.example"]
args = ["variant"]
search = "q"
codes = "/go/"
[[site.shop.code]]
code = "SPRING24"
channel = "direct_mail"
campaign = "spring"
target = "/cup"
[[site.shop.goal]]
name = "newsletter"
event = "sign_up"
value = 2.00
END
my $live = open_shop(
    # One worker: two may stamp one visitor's requests with the same millisecond, and then their lanes' order counts.
    toml => $toml,
    http => "$format\n" . <<'END',
        footfall_visitor $cookie_id;
        footfall_signals gpc=anonymous dnt=drop;
        footfall_args variant;
        footfall_search q;
        footfall_country $http_x_country;
        footfall_bot $http_x_bot;
        proxy_set_header Host $host;
END
    server => <<'END',
        access_log {folder}/logs/footfall.log footfall if=$footfall_captured;
        footfall_event banner_seen item=$arg_banner if=$arg_banner;
        location / { try_files $uri $uri.html $uri/index.html =404; }
        location /uncounted { footfall off; try_files /cup.html =404; }
        location /go/ { footfall_codes /go/; }
        location /some { footfall on if=$arg_counted; try_files /cup.html =404; }
        location /named { footfall_path /product/$arg_id; try_files /cup.html =404; }
        location /app/ {
            footfall_event rendered;
            footfall_order id=$arg_order value=$arg_total items=$arg_items coupon=$arg_coupon customer=$arg_customer if=$arg_order;
            proxy_pass http://{app};
        }
END
);
my $app = Footfall::Upstream->start($live->address('app'),
    '/app/signed-up' => ['Footfall-Event: sign_up;item="letter"'],
    '/app/bought' => ['Footfall-Event: purchase;id="H-1";value=5', 'Footfall-Event: view_item;item=:Y2Fmw6k=:'],
    '/app/oops' => ['Footfall-Event: oops oops'],
);

my @phone = (agent => 'Mozilla/5.0 (Linux; Android 14; Pixel 8) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/126.0 Mobile Safari/537.36');
$live->get('/?utm_source=news&utm_medium=email&utm_campaign=spring', from => 1);
$live->get('/cup?variant=red&q=caf%C3%A9', from => 1);
$live->get('/cup', from => 2, referrer => 'https://www.google.com/', headers => ['X-Country' => 'de']);
$live->get('/cup', from => 2, headers => ['X-Country' => 'fr'], @phone);
$live->get('/named?id=7&variant=blue', from => 3, @phone);
$live->get('/', from => 4, headers => [Cookie => "id=$_"]) for 'anna', 'ben "\\', "\xe2\x82\xac";
$live->get('/', from => 5, headers => [Cookie => 'id=carl', 'Sec-GPC' => 1]) for 1 .. 2;
$live->get('/', from => 6, headers => [DNT => 1]);
$live->get('/cup', from => 6, headers => ['X-Bot' => 1]);
$live->get('/cup', from => 6, headers => ['Sec-Purpose' => 'prefetch']);
$live->get('/cup', from => 6, agent => '');
$live->get($_, from => 7) for '/uncounted', '/some', '/some?counted=1', '/missing', '/style.css', '/footfall/v1/health';
$live->get('/cup?banner=caf%C3%A9%22%5C', from => 7);
$live->head('/cup?banner=x', from => 7);
$live->post('/cup?banner=x', from => 7);
$live->get("/app/$_", from => 8) for qw(signed-up bought oops);
$live->get('/app/thanks?order=A-1&total=19.90&items=cup:2:5.50+caf%C3%A9%20bowl:1:7&coupon=MAIL%2024&customer=c%409', from => 8);
$live->get("/app/thanks?order=$_", from => 9) for 'A-1&total=19.90', 'A-2&total=x', 'A%00&total=1', 'A-3&total=1e5', 'A-4&total=7&items=cup:x:1';
$live->send_raw("\x16\x03\x01\x02\r\n\r\n", from => 10);
wait_until('codes lead somewhere', sub { $live->head('/go/SPRING24', from => 11)->status == 302 });
$live->get($_, from => 11) for '/go/spring24?qr&utm_source=x', '/cup', '/go/nobody';
$live->get('/go/SPRING24', from => 12, referrer => 'https://www.google.com/');
$live->settle;

my $imported = make_shop(toml => $toml);
$imported->start_nginx;
my ($code, $out, $err) = $imported->footfall(
    'import', 'log', $live->path('logs/footfall.log'), '--config', $imported->path('footfall.toml'), '--format', 'footfall');
is($code, 0, 'every line is read') || diag $out . $err;

my @by = (undef, qw(channel source campaign code coupon coverage referrer_host page entry_page exit_page status_class event goal country device item search_term bot_class));
for my $by (@by) {
    my $allowed = $live->ask('/footfall/v1/query?metrics=none' . ($by ? "&by=$by" : ''))->json->{error}{allowed};
    my %query = (site => 'shop', metrics => join(',', grep { $_ ne 'late_hits' } @$allowed), $by ? (by => $by) : ());
    my ($here, $there) = map { $_->query(%query) } $live, $imported;
    is_deeply($there->{$_}, $here->{$_}, ($by // 'all') . ": the same $_") for qw(columns rows other totals);
    cmp_ok(scalar @{ $here->{rows} }, '>', 0, ($by // 'all') . ' has something');
}

close_shops();
