# From requests to figures: eight visitors, counted by hand, asked for by the API, by the command and on the page.
use v5.36;
use lib 't/lib';
use Footfall::Test;
use Time::HiRes qw(time);

my $shop = open_shop(http => 'large_client_header_buffers 4 32k;', server => <<'END');
    location / { try_files $uri $uri.html $uri/index.html =404; }
    location = /cart   { footfall_event add_to_cart item=$arg_sku value=$arg_price; try_files /cart.html =404; }
    location = /thanks { footfall_order id=$arg_order value=$arg_total items=$arg_items; try_files /thanks.html =404; }
    location = /old    { return 301 /bowl; }
    location = /pay    { return 204; }
    location = /broken { return 500; }
END

my @own = (referrer => 'http://shop.example/');
my $googlebot = 'Mozilla/5.0 (compatible; Googlebot/2.1; +http://www.google.com/bot.html)';

sub status_of ($answer) { $answer ? $answer->status : 'no answer' }

# 1 comes from a search; the second look at the cup is a 304 from the browser's cache, and still a page view.
my @search = (from => 1);
is(status_of($shop->get('/', @search, referrer => 'https://www.google.com/search?q=cups')), 200, 'from a search');
my $cup = $shop->get('/cup', @search, @own);
$shop->get($_, @search, @own) for '/style.css', '/logo.png';
is(status_of($shop->get('/cup', @search, @own, headers => ['If-Modified-Since' => $cup->header('Last-Modified')])), 304,
    'a page out of the cache');

# 2 comes from a mail, and buys two cups.
my @mail = (from => 2);
$shop->get('/sale/?utm_source=Newsletter&utm_medium=email&utm_campaign=autumn', @mail);
$shop->get('/cup', @mail, @own);
$shop->get('/cart?sku=cup&price=14.95', @mail, @own);
is(status_of($shop->get('/thanks?order=A-1&total=29.90&items=cup:2:14.95', @mail, @own)), 200, 'an order');

# 3 comes from an ad; 4 directly, and meets two errors; 5 is a bot.
$shop->get('/cup?gclid=abc', from => 3, referrer => 'https://www.google.com/');
$shop->get('/', from => 4);
is(status_of($shop->get('/gone', from => 4)), 404, 'not found');
is(status_of($shop->get('/broken', from => 4)), 500, 'broken');
$shop->get($_, from => 5, agent => $googlebot) for '/', '/cup';

# 6 comes from a blog. Of all this only the two looks at the bowl are page views.
my @blog = (from => 6);
$shop->get('/bowl', @blog, referrer => 'https://blog.example/post?x=1');
is(status_of($shop->get('/old', @blog)), 301, 'redirected');
$shop->get('/bowl', @blog);
is(status_of($shop->post('/pay', @blog)), 204, 'posted');
is(status_of($shop->head('/cup', @blog)), 200, 'only the head');
is(status_of($shop->get('/cup', @blog, headers => ['Sec-Purpose' => 'prefetch;prerender'])), 200, 'prefetched');
is(status_of($shop->post('/cup', @blog)), 405, 'not allowed');

# 7 comes from a network, 8 from an assistant, and downloads a guide.
$shop->get('/', from => 7, referrer => 'https://l.instagram.com/?u=shop');
$shop->get('/cup', from => 8, referrer => 'https://chatgpt.com/');
$shop->get('/guide.pdf', from => 8, @own);

my $sent = time;
$shop->settle;
note sprintf 'all is counted %.2f s after the last answer', time - $sent;

is_totals($shop, {
    hits => 25, bot_hits => 2, errors_4xx => 2, errors_5xx => 1, visits => 7, visitors => 7, pageviews => 13, entries => 7,
    exits => 7, bounces => 4, events => 2, conversions => 1, orders => 1, items => 2, revenue => 29.90, aov => 29.90,
    duplicate_orders => 0, rejected_orders => 0, late_hits => 0,
});
is_totals($shop, { cr => 1 / 7, bounce_rate => 4 / 7, exit_rate => 7 / 13, rpv => 4.27, cart_abandonment => 0 });
is_figures($shop, { by => 'channel', metrics => 'visits,visitors,pageviews,bounces,orders,revenue' }, {
    organic_search => [1, 1, 3, 0, 0, 0], email => [1, 1, 4, 0, 1, 29.90], paid_search => [1, 1, 1, 1, 0, 0],
    direct => [1, 1, 1, 1, 0, 0], referral => [1, 1, 2, 0, 0, 0], organic_social => [1, 1, 1, 1, 0, 0],
    ai_assistant => [1, 1, 1, 1, 0, 0],
});
is_figures($shop, { by => 'source', metrics => 'visits' }, {
    google => 2, newsletter => 1, '(direct)' => 1, 'blog.example' => 1, instagram => 1, chatgpt => 1,
});
is_figures($shop, { by => 'medium', metrics => 'visits,orders' }, { email => [1, 1], '(none)' => [6, 0] });
is_figures($shop, { by => 'campaign', metrics => 'visits,revenue' }, { autumn => [1, 29.90], '(none)' => [6, 0] });
is_figures($shop, { by => 'referrer_host', metrics => 'visits' }, {
    'google.com' => 2, 'blog.example' => 1, 'l.instagram.com' => 1, 'chatgpt.com' => 1, '(none)' => 2,
});
is_figures($shop, { by => 'page', metrics => 'pageviews,visits,entries,exits' }, {
    '/' => [3, 3, 3, 2], '/cup' => [5, 4, 2, 3], '/bowl' => [2, 1, 1, 1], '/sale/' => [1, 1, 1, 0], '/cart' => [1, 1, 0, 0],
    '/thanks' => [1, 1, 0, 1],
});
is_figures($shop, { by => 'entry_page', metrics => 'visits' }, { '/' => 3, '/cup' => 2, '/sale/' => 1, '/bowl' => 1 });
is_figures($shop, { by => 'exit_page', metrics => 'visits' }, { '/' => 2, '/cup' => 3, '/thanks' => 1, '/bowl' => 1 });
is_figures($shop, { by => 'status_class', metrics => 'hits' }, { '2xx' => 20, '3xx' => 2, '4xx' => 2, '5xx' => 1 });
is_figures($shop, { by => 'event', metrics => 'events,orders' }, { add_to_cart => [1, 0], purchase => [1, 1] });
is_figures($shop, { by => 'channel', metrics => 'orders', model => $_ }, { email => 1 }, "credit by $_")
    for qw(last last_non_direct first);

subtest 'a page of rows, the rest, and the totals' => sub {
    my %query = (by => 'page', metrics => 'pageviews,hits', order => '-pageviews', limit => 2);
    my $first = $shop->query(%query);
    is_deeply([map { $_->[0] } @{ $first->{rows} }], ['/cup', '/'], 'the two most seen pages');
    is($first->{rows}[0][1] + $first->{rows}[1][1] + $first->{other}[1], $first->{totals}[1], 'page views add up');
    is($first->{rows}[0][2] + $first->{rows}[1][2] + $first->{other}[2], 25, 'hits add up');
    my $next = $shop->query(%query, cursor => $first->{meta}{next_cursor});
    is($next->{rows}[0][0], '/bowl', 'the cursor goes on');
    like($shop->ask('/footfall/v1/query?by=page&cursor=2.0000000000000000')->body, qr/another query/, 'and fits no other query');
};

subtest 'the answer' => sub {
    my $answer = $shop->ask('/footfall/v1/query?metrics=revenue,visits&by=channel&range=today');
    is($answer->header('Content-Type'), 'application/json; charset=utf-8', 'JSON');
    is($answer->header('Cache-Control'), 'private', 'for this reader alone');
    like($answer->body, qr/"email",29\.90,1\]/, 'money has the digits of its currency');
    my $said = $answer->json;
    is_deeply($said->{columns}[1], { name => 'revenue', type => 'money', currency => 'EUR' }, 'columns say what they are');
    is_deeply([@{ $said->{meta} }{qw(time_zone currency lost_hits restricted warnings)}], ['UTC', 'EUR', 0, [], []], 'meta');
    is($said->{query}{site}, 'shop', 'the only site is meant');
};

subtest 'the page' => sub {
    my $page = $shop->ask('/footfall/');
    is($page->status, 200, 'is there');
    like($page->header('Content-Type'), qr{^text/html; charset=utf-8$}, 'is HTML');
    like($page->header('Content-Security-Policy'), qr/^default-src 'none'; style-src 'sha256-[^']+='; base-uri 'none'/, 'runs nothing');
    like($page->body, qr{<dt>Visits</dt><dd>7</dd>}, 'shows the visits');
    like($page->body, qr{<dt>Revenue</dt><dd>29\.90 EUR</dd>}, 'shows the revenue');
    like($page->body, qr{<th scope=row>email</th><td>1</td><td>1</td><td>29\.90\b}, 'shows the channels');
    like($page->body, qr{<th scope=row>/cup</th><td>5</td>}, 'shows the pages');
    like($page->body, qr{<th scope=row>Status</th><td>ok</td>}, 'shows health');
    like($shop->ask('/footfall')->header('Location'), qr{/footfall/$}, 'the bare name leads there');
    $page = $shop->ask('/footfall/', method => 'HEAD');
    is($page->status . $page->body, '200', 'HEAD is answered without a body');
};

subtest 'the command' => sub {
    my @config = ('--config', $shop->path('footfall.toml'));
    my ($code, $out) = $shop->footfall('query', @config, '--by', 'channel', '--metrics=visits,revenue');
    is($code, 0, 'a table');
    like($out, qr/^email\s+1\s+29\.90/m, 'with the figures');
    ($code, $out) = $shop->footfall('query', 'health', @config);
    is($code, 0, 'health');
    like($out, qr/"status":"ok"/, 'is well');
    ($code, undef, my $err) = $shop->footfall('query', @config, '--metrics', 'rejected_lines');
    is($code, 2, 'what comes later is refused');
    like($err, qr/metric "rejected_lines" comes with a later version/, 'and named');
    ($code, undef, $err) = $shop->footfall('query', @config, 'by', 'channel');
    is($code, 2, 'a word that is no report is refused');
};

subtest 'hostile arguments are refused in good JSON' => sub {
    my %wanted = (
        'metrics=visits%00' => 'metrics', 'by=%3Cscript%3E' => 'by', 'by=%FF%FE' => 'by', 'limit=-1' => 'limit',
        'limit=99999999999999999999' => 'limit', 'limit=1e3' => 'limit', 'site=..%2F..%2Fetc' => 'site', 'range=%22' => 'range',
        'from=2026-13-45' => 'from', 'from=9999999999-01-01' => 'from', 'cursor=%80' => 'cursor', 'order=-' => 'order',
        'by=channel,page,device' => 'by', 'by=roi' => 'by', 'metrics=hits&by=channel' => 'by', 'model=markovian' => 'model', 'format=xml' => 'format',
        'filter=' . '(' x 50 => 'filter', 'x%22%0D%0Ay=1' => undef, 'by=page&by=page' => 'by', 'lookback=8d' => 'lookback',
        'metrics=' . ('visits,' x 3000) => undef, '%' x 500 => undef,
    );
    for my $arguments (sort keys %wanted) {
        my $answer = $shop->ask("/footfall/v1/query?$arguments");
        my $error = eval { $answer->json->{error} };
        my $told = $error && $error->{code} eq 'bad_request' && length $error->{message};
        ok($answer->status == 400 && $told, substr $arguments, 0, 40) || diag $answer->head, $answer->body;
        is($error->{param}, $wanted{$arguments}, "  names $wanted{$arguments}") if $wanted{$arguments};
        unlike($answer->head, qr/[\x80-\xff\0]/, '  a clean head');
    }
    ok(eval { $shop->ask('/footfall/v1/query?&&&')->json->{rows} }, 'nothing but separators asks for nothing special');
};

is($shop->health->{capture}{lanes}[0]{hits}, $shop->answered, 'asking is no hit');
close_shops();
