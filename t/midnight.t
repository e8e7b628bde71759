# Visitors over midnight, with a clock that the test moves: the salt of the day changes, a visit that runs over it stays one, and
# nobody is known again the day after; with consent, for as long as the shop's id lasts.
use v5.36;
use lib 't/lib';
use Footfall::Test;
use Time::Local qw(timegm);

my $shop = make_shop(
    toml => qq([site.shop]\nhosts = ["shop.example"]\n),
    server => <<'END');
        footfall_site shop;
        footfall_visitor $cookie_id;
        location / { try_files $uri $uri.html $uri/index.html =404; }
        location = /thanks { footfall_order id=$arg_order value=$arg_total; try_files /thanks.html =404; }
END

# The clock goes on by itself, as fast as any.
my $clock = $shop->write('clock' => pack 'q', 0);
my $ticker;
sub stop_clock () { kill KILL => $ticker and waitpid $ticker, 0 if $ticker; undef $ticker }
sub set_clock ($text) {
    stop_clock();
    my ($y, $m, $d, $h, $min, $s) = $text =~ /^(\d+)-(\d+)-(\d+) (\d+):(\d+):(\d+)$/ or die $text;
    my $now_ms = 1000 * timegm($s, $min, $h, $d, $m - 1, $y);
    my $tick = sub { open my $file, '+<:raw', $clock or die $!; syswrite $file, pack 'q', $now_ms };
    $tick->();
    my $parent = $$;
    $ticker = fork // die "fork: $!";
    return if $ticker;
    while (getppid == $parent) { select undef, undef, undef, 0.01; $now_ms += 10; $tick->() }
    POSIX::_exit(0);
}
sub days_with_salts () { map { /salt\.(.+)$/ ? $1 : () } glob $shop->store . '/salt.*' }

system('cc', '-O1', '-shared', '-fPIC', '-o', $shop->path('clock.so'), Footfall::Shop->root . '/t/data/die_at.c', '-ldl') == 0 or die 'cc';
set_clock('2026-03-01 23:50:00');
{
    local @ENV{qw(LD_PRELOAD FOOTFALL_CLOCK)} = ($shop->path('clock.so'), $clock);
    $shop->start_nginx;
    $shop->start_aggregator;
}
my %all = (from => '2026-03-01', to => '2026-03-31');

subtest 'a visit over midnight is one' => sub {
    $shop->get('/?utm_source=news&utm_medium=email');
    $shop->settle;
    my @before = days_with_salts();
    set_clock('2026-03-02 00:05:00');
    $shop->get('/cup');
    $shop->get('/thanks?order=A-1&total=10');
    is_totals($shop, { visits => 1, visitors => 1, pageviews => 3, orders => 1 }, undef, %all);
    is_figures($shop, { %all, by => 'channel', metrics => 'visits,orders' }, { email => [1, 1] }, 'with the touch that it began with');
    is_figures($shop, { %all, by => 'day', metrics => 'visits,pageviews,orders' }, { '2026-03-01' => [1, 1, 0], '2026-03-02' => [0, 2, 1] });
    isnt(join(' ', days_with_salts()), join(' ', @before), 'a day has a salt of its own');
};

subtest 'who comes again on that day is known, on the next nobody is' => sub {
    set_clock('2026-03-02 12:00:00');
    $shop->get('/');
    $shop->get('/thanks?order=A-2&total=10');
    is_figures($shop, { %all, by => 'channel', metrics => 'visits,orders' }, { email => [1, 2], direct => [1, 0] }, 'the same day');
    set_clock('2026-03-03 12:00:00');
    $shop->get('/thanks?order=A-3&total=10');
    is_figures($shop, { %all, by => 'channel', metrics => 'orders' }, { email => 2, direct => 1 }, 'the next day');
    is_figures($shop, { %all, by => 'coverage', metrics => 'orders' }, { known => 2, cookieless => 1 }, 'and says so');
};

subtest 'consent comes in within a visit' => sub {
    set_clock('2026-03-04 23:55:00');
    my @anna = (headers => [Cookie => 'id=anna']);
    $shop->get('/?utm_source=google&utm_medium=cpc', from => 2);
    $shop->get('/cup', from => 2, @anna);
    set_clock('2026-03-05 00:10:00');
    $shop->get('/bowl', from => 2, @anna);
    is_totals($shop, { visits => 1, pageviews => 3, bounces => 0 }, 'one visit', from => '2026-03-04', to => '2026-03-05');
    set_clock('2026-03-30 10:00:00');
    $shop->get('/thanks?order=A-4&total=10', from => 2, @anna);
    is_figures($shop, { from => '2026-03-30', to => '2026-03-30', by => 'channel', metrics => 'visits,orders' }, { direct => [1, 0], paid_search => [0, 1] },
        'her touches went along, for weeks');
    is_figures($shop, { from => '2026-03-30', to => '2026-03-30', by => 'new_returning', metrics => 'visits' }, { returning => 1 });
};

subtest 'salts are gone after two days' => sub {
    my $today = timegm(0, 0, 0, 30, 2, 2026) / 86_400;
    wait_until('old salts are gone', sub { !grep { $_ < $today - 2 } days_with_salts() }, sub { join ' ', $today, days_with_salts() });
    ok(grep({ $_ == $today } days_with_salts()), 'the day\'s own is there');
};

stop_clock();
close_shops();
