# `footfall forget --visitor ID`: with a daemon or without, nothing is kept of that visitor, and figures stay.
use v5.36;
use lib 't/lib';
use Footfall::Test;

my $server = 'footfall_visitor $arg_id; footfall_args id; location / { footfall_order id=$arg_order value=$arg_value if=$arg_order; try_files $uri $uri.html $uri/index.html =404; }';

sub forget ($shop, $id) { $shop->footfall('forget', '--visitor', $id, '--config', $shop->path('footfall.toml')) }

my @asked = (
    { metrics => 'hits,visits,visitors,pageviews,events,orders,revenue,conversions' },
    { by => 'channel', metrics => 'visits,visitors,orders,revenue' },
    { by => 'browser', metrics => 'visits,visitors,orders' },
    { by => 'page,device', metrics => 'visits,pageviews' },
);
sub figures ($shop) { [map { my $answer = $shop->query_by_command(range => 'all', %$_); [@$answer{qw(rows totals other)}] } @asked] }

sub shop_with_visitors () {
    my $shop = open_shop(server => $server);
    for my $id (qw(anna bert)) {
        $shop->get("/?id=$id", referrer => 'https://www.google.com/', from => ord $id);
        $shop->get("/cup?id=$id&order=$id-1&value=20.00", from => ord $id);
    }
    $shop->settle;
    return $shop;
}

subtest 'beside a daemon' => sub {
    my $shop = shop_with_visitors();
    my $before = figures($shop);
    my ($code, $out, $err) = forget($shop, 'anna');
    is($code, 0, 'somebody is forgotten') || diag $err;
    is($out, "forgotten: 1 visitor records, 1 open visits; 0 kept visits and 1 conversions are nobody's now\n", 'and what that was is told');
    is_deeply(figures($shop), $before, 'all figures stay');
    my ($again, $said) = forget($shop, 'anna');
    is($again, 1, 'the second time there is nobody');
    is($said, "nothing is kept of that one\n", 'which is told');
    $shop->get('/bowl?id=anna', from => ord 'anna');
    $shop->get('/bowl?id=bert', from => ord 'bert');
    is_totals($shop, { visits => 3, pageviews => 6 }, 'who comes again begins a new visit; others go on');
};

subtest 'a customer' => sub {
    my $shop = open_shop(server => 'footfall_visitor $arg_id; location / { footfall_order id=$arg_order value=$arg_value customer=$arg_customer if=$arg_order; try_files $uri $uri.html $uri/index.html =404; }');
    $shop->get('/?id=anna&utm_source=news&utm_medium=email');
    $shop->get('/cup?id=anna&order=1&value=5&customer=c7');
    $shop->settle;
    my @forget = ('forget', '--config', $shop->path('footfall.toml'));
    is(($shop->footfall(@forget, '--customer', 'c8'))[0], 1, 'another one is nobody');
    is(($shop->footfall(@forget, '--customer', 'c7'))[0], 0, 'is forgotten');
    is(($shop->footfall(@forget, '--customer', 'c7'))[0], 1, 'the second time there is nobody');
    is(($shop->footfall(@forget))[0], 2, 'who is meant must be said');
    is(($shop->footfall(@forget, '--customer', 'c7', '--visitor', 'anna'))[0], 2, 'and it is one');
    $shop->get('/cup?id=bert&order=2&value=5&customer=c7', from => 2);
    is_figures($shop, { by => 'channel', metrics => 'orders' }, { email => 1, direct => 1 }, 'nothing leads from the one to the other');
};

subtest 'without one' => sub {
    my $shop = shop_with_visitors();
    $shop->stop_aggregator;
    my $before = figures($shop);
    my ($code, $out, $err) = forget($shop, 'anna');
    is($code, 0, 'somebody is forgotten') || diag $err;
    like($out, qr/1 visitor records, 1 open visits/, 'and what that was is told');
    is_deeply(figures($shop), $before, 'all figures stay');
    is((forget($shop, 'anna'))[0], 1, 'the second time there is nobody');
    is(($shop->footfall('check', '--store', $shop->store))[0], 0, 'the store is whole');
    $shop->start_aggregator;
};

subtest 'what was cut off' => sub {
    my $shop = shop_with_visitors();
    $shop->stop_aggregator;
    system('cc', '-O1', '-shared', '-fPIC', '-o', $shop->path('die_at.so'), Footfall::Shop->root . '/t/data/die_at.c', '-ldl') == 0 or die 'cc';
    my $before = figures($shop);
    my $kills = 0;
    for my $point (1 .. 200) {
        local @ENV{qw(LD_PRELOAD FOOTFALL_STORE FOOTFALL_DIE)} = ($shop->path('die_at.so'), $shop->store . '/', "$point:after");
        my ($code) = forget($shop, $point % 2 ? 'anna' : 'bert');
        last if $code ne 'signal 9';
        $kills++;
    }
    cmp_ok($kills, '>', 20, "killed at each of $kills points");
    forget($shop, $_) for qw(anna bert);
    is((forget($shop, $_))[0], 1, "$_ is forgotten") for qw(anna bert);
    is_deeply(figures($shop), $before, 'all figures stay');
    $shop->start_aggregator;
};

subtest 'wrong usage' => sub {
    my $shop = make_shop();
    is(($shop->footfall('forget'))[0], 2, 'nobody is named');
    my ($code, $out, $err) = forget($shop, 'anna');
    is($code, 1, 'there is no store');
    like($err, qr/^footfall forget: no store at /, 'which is told');
};

close_shops();
