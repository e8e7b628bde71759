# Events and orders told by a page's address, who is excluded, and SIGHUP: what footfall.toml says holds live and imported
# alike, and from the next hit on.
use v5.36;
use lib 't/lib';
use Footfall::Test;

my ($format) = do { local (@ARGV, $/) = Footfall::Shop->root . '/README.md'; <> } =~ /^(log_format footfall '.*?';)$/ms;
my $rules = <<'END';
[site.shop]
hosts = ["shop.example"]
args = ["variant"]
exclude = ["127.0.0.40/31", "192.0.2.7"]
exclude_agents = ["Probe/*"]
exclude_paths = ["/intern/*"]

[[site.shop.event]]
name = "add_to_cart"
path = "/cart/add*"
item_arg = "sku"
value_arg = "price"

[[site.shop.event]]
name = "seen"
path = "*"

[site.shop.order_page]
path = "/thank-you"
id_arg = "order"
value_arg = "total"
currency_arg = "cur"
items_arg = "items"
coupon_arg = "coupon"
customer_arg = "customer"

[[site.shop.goal]]
name = "cart"
event = "add_to_cart"
value = 0.50
END
my $server = <<'END';
    set_real_ip_from 127.0.0.50;
    access_log {folder}/logs/footfall.log footfall if=$footfall_captured;
    location / { try_files $uri $uri.html $uri/index.html =404; }
    location /cart/add { return 303 /cart; }
    location = /cart/add/none { return 404; }
    location /thank-you { try_files /thanks.html =404; }
    location = /thank-you/told { footfall_path /thank-you; footfall_order id=$arg_directive value=1; try_files /thanks.html =404; }
    location /intern/ { try_files /cup.html =404; }
END
my $http = $format . "\n        footfall_args variant;\n";

sub configured ($shop) { wait_until('workers know the rules', sub { $shop->health->{capture}{configured} }) }

# What `excluded_hits` of the site is, as Prometheus is told.
sub excluded ($shop) { $shop->ask('/footfall/metrics')->body =~ /^footfall_excluded_hits_total\{site="shop"\} (\d+)/m ? $1 : 0 }

my $live = open_shop(toml => $rules, http => $http, server => $server);
configured($live);

$live->get('/', from => 1, referrer => 'https://www.google.com/');
$live->get('/cup?variant=red', from => 1);
$live->post('/cart/add/now?sku=Blue+cup%21&price=4.50', from => 1);
$live->get('/cart/add?price=cheap', from => 1);
$live->get('/cart/add/none?sku=gone', from => 1);
$live->head('/cart/add?sku=looked+at', from => 1);
$live->get('/thank-you?order=A-1&total=20.50&items=cup:2:5.50+caf%C3%A9%20bowl:1:7&coupon=MAIL24&customer=c%409', from => 1);
$live->get('/thank-you?order=A-1&total=20.50', from => 1);                 # again
$live->get('/thank-you', from => 2);                                       # just a page
$live->get('/thank-you?order=&total=', from => 2);
$live->get('/thank-you?order=A-2&total=free', from => 2);                  # rejected
$live->get('/thank-you?total=5', from => 2);                               # rejected
$live->get('/thank-you/told?directive=D-1&order=A-3&total=9', from => 3);  # the directive tells it
$live->get('/thank-you/told?order=A-4&total=9&cur=usd', from => 3);        # it has no id, but a value: rejected, and told
$live->get('/thank-you?order=A-5&total=9&cur=usd', from => 3);

my $people = $live->answered;
$live->get('/cup', from => $_) for 40, 41;
$live->get('/cup', from => 50, headers => ['X-Real-IP' => '192.0.2.7']);
$live->get('/cup', from => 4, agent => 'Mozilla/5.0 (X11; Linux x86_64) uptimeprobe/2.1');
$live->get('/intern/stock?variant=red', from => 4);
$live->get('/thank-you?order=S-1&total=1000', from => 40);
my $staff = $live->answered - $people;
$live->get('/cup', from => 42);
$live->get('/cup', from => 50, headers => ['X-Real-IP' => '192.0.2.8']);

is_figures($live, { by => 'event', metrics => 'events' },
    { add_to_cart => 2, seen => $people, purchase => 3 }, 'events are told where no error is, and no HEAD');
is_figures($live, { by => 'item', metrics => 'events' }, { 'Blue cup!' => 1, '(none)' => $people + 4 }, 'with their items');
is_totals($live, { orders => 3, duplicate_orders => 1, rejected_orders => 3, items => 3 }, 'each order once');
is_figures($live, { by => 'item', metrics => 'orders,items,revenue' },
    { 'cup' => [1, 2, 11], "caf\x{e9} bowl" => [1, 1, 7], '(none)' => [2, 0, 3.5] }, 'and what is in it');
is_figures($live, { by => 'goal', metrics => 'conversions,goal_value' }, { cart => [1, 0.5], '(none)' => [3, 0] }, 'goals are reached by them');
is_totals($live, { hits => $people + 2, visits => 5 }, 'staff and monitors are nowhere');
is(excluded($live), $staff, 'but counted as such');
is_totals($live, { excluded_hits => $staff }, "queries tell it, too");
is_figures($live, { by => 'page', metrics => 'pageviews' }, { '/' => 1, '/cup?variant=red' => 1, '/cup' => 2, '/thank-you' => 9 }, 'on no page');
my $kept = join '', map { $live->read($_) } glob $live->store . '/lane.*/ring.*/data.mdb';
ok($kept =~ /Blue cup!/, 'what an event says is in the ring');
ok($kept !~ /c%409|c\@9/, 'who a customer is lies nowhere in the clear');
ok($kept !~ /uptimeprobe|intern/, 'nothing of the excluded does');

subtest 'the same log, imported' => sub {
    my $imported = make_shop(toml => $rules);
    $imported->start_nginx;
    my ($code, $out, $err) = $imported->footfall(
        'import', 'log', $live->path('logs/footfall.log'), '--config', $imported->path('footfall.toml'), '--format', 'footfall');
    is($code, 0, 'every line is read') || diag $out . $err;
    is(excluded($imported), $staff, 'the same are excluded');
    for my $by (undef, qw(channel page exit_page status_class event goal item)) {
        my $allowed = $live->ask('/footfall/v1/query?metrics=none' . ($by ? "&by=$by" : ''))->json->{error}{allowed};
        my %query = (site => 'shop', metrics => join(',', grep { $_ ne 'late_hits' } @$allowed), $by ? (by => $by) : ());
        my ($here, $there) = map { $_->query(%query) } $live, $imported;
        is_deeply([@$there{qw(columns rows other totals)}], [@$here{qw(columns rows other totals)}], ($by // 'all') . ': the same figures');
    }
};

# --- before the first configuration, and another one -----------------------------------------------------------------------

subtest 'before the first aggregator' => sub {
    my $shop = make_shop(toml => $rules, http => $http, server => $server);
    $shop->start_nginx;
    my $capture = $shop->health->{capture};
    is($capture->{configured}, undef, 'no rules are known');
    like($capture->{note}, qr/no rule tells events or orders, nothing is excluded/, 'health says what that means');
    $shop->get('/cup', from => 1);
    wait_until('the hit is in the ring', sub { $shop->health->{capture}{lanes}[0]{ring_used} });
    $shop->start_aggregator;
    configured($shop);
    is($shop->health->{capture}{note}, undef, 'then they are');
    $shop->get('/cup', from => 1);
    $shop->get('/cup', from => 40);
    is_totals($shop, { hits => 2, events => 1 }, 'and hold from the next hit on');
};

# SIGHUP, and what the aggregator says to it.
sub hang_up ($shop, $toml, $said) {
    local $Test::Builder::Level = $Test::Builder::Level + 1;
    my $before_it = $shop->read('footfall.toml');
    $shop->write_configuration(toml => $toml);
    my $before = length $shop->read('logs/aggregator.log');
    kill HUP => $shop->pid('aggregator');
    my $log = '';
    my $seen = wait_until("the log says $said", sub { ($log = substr $shop->read('logs/aggregator.log'), $before) =~ $said }, sub { $log });
    ok($seen, "the log says $said");
    $shop->write('footfall.toml' => $before_it) if $log =~ /not taken/;    # `footfall query` reads it too
}

my $shop = open_shop(toml => $rules, http => $http, server => $server, workers => 2);
configured($shop);
my $pid = $shop->pid('aggregator');
$shop->get('/cup', from => 1);
$shop->get('/cup', from => 41);
is_totals($shop, { hits => 1, events => 1, visits => 1 }, 'one is excluded');

my $others = $rules =~ s/127\.0\.0\.40/127.0.0.60/r =~ s/name = "seen"/name = "looked_at"/r =~ s/value = 0.50/value = 7.00/r;
hang_up($shop, $others, qr/ info: the configuration is taken/);
$shop->get('/cup', from => $_) for 41, 61;
$shop->get('/cup', from => 1);
$shop->get('/cart/add', from => 1);
is_totals($shop, { hits => 4, visits => 2, goal_value => 7 }, 'others are now, others are not any more; visits go on');
is_figures($shop, { by => 'event', metrics => 'events' }, { seen => 1, looked_at => 3, add_to_cart => 1 }, 'events by the new rules, what was told stays');

hang_up($shop, $rules =~ s/path = "\*"/path = "everywhere"/r, qr/ warning: .*footfall\.toml:\d+: site\.shop\.event/);
$shop->get('/cup', from => 1);
is_figures($shop, { by => 'event', metrics => 'events' }, { seen => 1, looked_at => 4, add_to_cart => 1 }, 'a wrong one changes nothing');
my $health = $shop->health;
is($health->{status}, 'degraded', 'health is degraded');
like($health->{warnings}[0], qr/^configuration not taken, the one before stays: .*footfall\.toml:\d+: site\.shop\.event/, 'and says why');

for my $change (['timezone', 'Europe/Lisbon'], ['currency', 'USD']) {
    my ($key, $value) = @$change;
    hang_up($shop, $others =~ s/^hosts/$key = "$value"\nhosts/mr, qr/ warning: .*site\.shop\.$key was .*`footfall aggregate --begin-anew shop`/);
    like($shop->health->{warnings}[0], qr/--begin-anew shop/, "another $key of a site with figures: the way out is named");
}
rename $shop->path('footfall.toml'), $shop->path('away.toml');
kill HUP => $pid;
wait_until('a file that is gone is told', sub { $shop->health->{warnings}[0] =~ /no configuration at .*footfall\.toml/ });
rename $shop->path('away.toml'), $shop->path('footfall.toml');
$shop->get('/cup', from => $_) for 1, 61;
is_figures($shop, { by => 'event', metrics => 'events' }, { seen => 1, looked_at => 5, add_to_cart => 1 }, 'and the last right one holds');

hang_up($shop, $others, qr/ info: the configuration is taken/);
is(scalar @{ $shop->health->{warnings} }, 0, 'a right one clears what health said');
is($shop->health->{aggregator}{pid}, $pid, 'all that in one process');

subtest 'beginning anew, as it was told' => sub {
    my $anew = $others =~ s/^hosts/timezone = "Europe\/Lisbon"\nhosts/mr;
    $shop->write_configuration(toml => $anew);
    $shop->stop_aggregator;
    my ($code, undef, $err) = $shop->footfall('aggregate', '--config', $shop->path('footfall.toml'), '--begin-anew', 'shop');
    is($code, 0, 'it begins anew') || diag $err;
    $shop->start_aggregator;
    $shop->get('/cup', from => 1);
    is_totals($shop, { hits => 1, visits => 1 }, 'with nothing counted', site => 'shop');
    is_totals($shop, { hits => 6, visits => 2 }, 'what was counted is readable', site => 'shop.1');
    hang_up($shop, $anew, qr/ info: the configuration is taken/);
    is_totals($shop, { hits => 6, visits => 2 }, 'also after another SIGHUP', site => 'shop.1');
};

close_shops();
