# A small log of all that can happen, hit by hit, against a report that was worked out without footfall: t/data/golden.log,
# whose story and figures t/data/golden/README.md tells. The files t/data/golden/*.csv hold a figure for every metric with
# every dimension that it goes with. They come from lib/Footfall/Recount.pm, written from the definitions alone, and are written
# anew by FOOTFALL_GOLDEN=write; a part of them was worked out by hand, below.
use v5.36;
use lib 't/lib';
use Footfall::Csv qw(parse_csv);
use Footfall::Recount qw(recount report);
use Footfall::Test;
use List::Util qw(any);
use POSIX qw(tzset strftime);

my $data = Footfall::Shop->root . '/t/data';
sub content ($path) { open my $from, '<:raw', $path or die "$path: $!"; local $/; scalar(<$from>) // '' }

# What golden/footfall.toml says, once more.
my %sites = (
    shop => {
        name => 'shop', names => ['www.shop.example'], zone => 'Europe/Berlin', currency => 'EUR', hosts => ['shop.example'], args => ['variant'],
        search => 'q', rates => { USD => 920_000 }, exclude_address => qr/^10\.9\./, exclude_agent => qr/shopstaff/i, exclude_path => qr{^/internal/},
        channels => [{ name => 'marketplace', referrer => ['market.example'] }],
        page_groups => [{ name => 'cups', path => qr{^/cup} }, { name => 'search', path => qr{^/search$} }],
        goals => [{ name => 'newsletter', event => 'sign_up', value_micros => 2_000_000 }, { name => 'welcome', path => '/welcome', value_micros => 500_000 }],
    },
    outlet => { name => 'outlet', zone => 'America/New_York', currency => 'USD', hosts => ['outlet.example'], gap_ms => 600_000, rates => {} },
    'forgotten.example' => { name => 'forgotten.example', zone => 'UTC', currency => 'EUR', hosts => [] },
);
my @dimensions = qw(channel source medium campaign content term code referrer_host referrer page entry_page exit_page status_class event goal
    country device item search_term bot_class page_group http_status browser os new_returning item_category coupon currency);
my @times = qw(hour day week month);
my @models = qw(last_non_direct last first);

# --- the log, imported -----------------------------------------------------------------------------------------------

my $shop = make_shop(toml => content("$data/golden/footfall.toml"));
$shop->start_nginx;
my ($code, $out, $err) = $shop->footfall('import', 'log', '--config', $shop->path('footfall.toml'), "$data/golden.log");

subtest 'the import' => sub {
    is($code, 3, 'some lines are no lines of the format');
    like($out, qr/^import 1: 191 lines, 184 hits$/m, 'lines and hits');
    like($out, qr/^1 lines of visitors who asked not to be counted$/m, 'who asked not to be counted is not');
    like($err, qr/^6 lines rejected:/m, 'rejected in all');
    like($err, qr{golden\.log:$_: }m, "line $_ is named") for 21, 46, 62, 101, 131, 145;
};

# --- asking, and counting again --------------------------------------------------------------------------------------

# The answer as { key => [figures] }, and the totals. A key that is null is ''; of several, joined by a space.
sub asked ($site, $by, $metrics, %more) {
    my $csv = $shop->ask('/footfall/v1/query?' . Footfall::Shop::arguments_of(site => $site, range => 'all', limit => 10_000, format => 'csv',
        metrics => join(',', @$metrics), $by ? (by => $by) : (), %more))->body;
    my ($header, @records) = parse_csv($csv);
    my $keys = grep { my $name = $_; any { $_ eq $name } split /,/, $by } @$header;
    my (%rows, $totals);
    for my $record (@records) {
        my $kind = pop @$record;
        my @key = map { $_ // '' } splice @$record, 0, $keys;
        $totals = $record if $kind eq 'totals';
        $rows{ join ' ', @key } = $record if $kind eq 'row';
    }
    return (\%rows, $totals);
}

sub allowed ($site, $by) {
    my $answer = $shop->ask('/footfall/v1/query?' . Footfall::Shop::arguments_of(site => $site, metrics => 'none', $by ? (by => $by) : ()));
    my %elsewhere = map { $_ => 1 } qw(cost clicks impressions cpc cpa cpo roas roi mer excluded_hits);    # of no log's line: t/spend.t, t/rules.t
    return [grep { !$elsewhere{$_} } @{ $answer->json->{error}{allowed} }];
}

# The hour, day, week or month of an instant, as reports name it.
sub bucket ($zone, $unit, $time_ms) {
    local $ENV{TZ} = $zone;
    tzset();
    my @at = localtime $time_ms / 1000;
    my ($weekday) = ($at[6] + 6) % 7;
    my $text = $unit eq 'hour' ? strftime('%Y-%m-%dT%H:00:00%z', @at) =~ s/(\d\d)$/:$1/r
        : $unit eq 'day' ? strftime('%Y-%m-%d', @at) : $unit eq 'month' ? strftime('%Y-%m', @at)
        : strftime('%Y-%m-%d', 0, 0, 12, $at[3] - $weekday, $at[4], $at[5]);
    return $text;
}

my @lines = split /^/, content("$data/golden.log");
my %facts = map { $_ => recount(\@lines, $sites{$_}) } keys %sites;

sub recounted ($site, $by, $metrics, %more) {
    my ($time) = grep { my $name = $_; any { $_ eq $name } @times } split /,/, $by;
    my ($dimension) = grep { $_ ne ($time // '') } split /,/, $by;
    my $key_of = sub ($fact) {
        my $value = $fact->{keys}{ $dimension // 'total' } // return;
        return join ' ', bucket($sites{$site}{zone}, $time, $fact->{time_ms}), $dimension ? $value : ();
    };
    my $rows = report($facts{$site}, $dimension // '', $metrics, %more, $time ? (key_of => $key_of) : ());
    my $totals = report($facts{$site}, $dimension // '', $metrics, %more, totals => 1)->{''};
    # A row of nothing is none.
    for my $key (keys %$rows) { delete $rows->{$key} if !any { defined && /[1-9]/ } @{ $rows->{$key} } }
    return ($rows, $totals);
}

sub as_csv ($by, $metrics, $rows, $totals) {
    my $line = sub (@fields) { join(',', map { my $text = $_ // ''; $text =~ /[",\n]/ ? '"' . $text =~ s/"/""/gr . '"' : $text } @fields) . "\n" };
    return $line->($by =~ tr/,/ /r, @$metrics, 'row') . join('', map { $line->($_, @{ $rows->{$_} }, 'row') } sort keys %$rows)
        . $line->('', @$totals, 'totals');
}

# One file of the golden report: what is kept, what is counted again, and what footfall says.
sub is_golden ($site, $by, %more) {
    my $name = join '.', $site, split(/,/, $by || 'total'), values %more;
    subtest $name => sub {
        my $metrics = allowed($site, $by);
        cmp_ok(scalar @$metrics, '>', 0, 'there are metrics');
        my $counted = as_csv($by, $metrics, recounted($site, $by, $metrics, %more));
        my $file = "$data/golden/$name.csv";
        if (($ENV{FOOTFALL_GOLDEN} // '') eq 'write') { open my $to, '>:raw', $file or die "$file: $!"; print $to $counted; close $to }
        my $kept = content($file);
        my ($rows, $totals) = asked($site, $by, $metrics, %more);
        is($counted, $kept, 'counted again');
        is(as_csv($by, $metrics, $by ? $rows : { '' => $totals }, $totals), $kept, 'footfall says the same');
    };
}

# --- worked out by hand ----------------------------------------------------------------------------------------------

# The figures of some rows, by metric: is_by_hand('visits by channel', { by => 'channel', … }, 'visits,orders', { direct => [35, 4] })
sub is_by_hand ($name, $query, $metrics, $expected) {
    my ($rows) = asked('shop', $query->{by}, [split /,/, $metrics], map { $_ => $query->{$_} } grep { !/^(?:by|some)$/ } keys %$query);
    is_deeply({ map { $_ => $rows->{$_} } keys %{ $query->{some} ? $expected : $rows } }, $expected, $name) || diag explain $rows;
}

subtest 'worked out by hand' => sub {
    is_by_hand('a visit over midnight is of its first day, its views of their own', { by => 'day', some => 1 },
        'visits,pageviews,entries,exits,bounces,duration', {
            '2025-03-29' => [1, 1, 1, 0, 0, '1800.000'],
            '2025-03-30' => [3, 6, 3, 4, 2, '400.000'],     # 20 min, a bounce, a bounce
            '2025-04-10' => [2, 3, 2, 2, 1, '900.000'],     # a pause of 30 min, and one of 1 ms more
        });
    is_by_hand('spring: the hour after 01 is 03', { by => 'hour', some => 1 }, 'pageviews', {
        '2025-03-30T00:00:00+01:00' => [2], '2025-03-30T01:00:00+01:00' => [1], '2025-03-30T03:00:00+02:00' => [2],
        '2025-03-30T23:00:00+02:00' => [1], '2025-03-31T00:00:00+02:00' => [1] });
    is_by_hand('autumn: 02 comes twice', { by => 'hour', some => 1 }, 'pageviews,visits', {
        '2025-10-26T02:00:00+02:00' => [2, 1], '2025-10-26T02:00:00+01:00' => [3, 1], '2025-10-26T23:00:00+01:00' => [1, 1],
        '2025-10-27T00:00:00+01:00' => [1, 1] });
    is_by_hand('an arrival by every row of the table', { by => 'day,channel', some => 1 }, 'visits', {
        map { my ($channel, $visits) = split /=/; "2025-06-17 $channel" => [$visits] } qw(direct=6 marketplace=1 cross_network=1 paid_shopping=1
            paid_search=4 paid_social=2 paid_video=2 display=2 paid_other=1 organic_shopping=1 organic_social=3 organic_video=1 ai_assistant=3
            organic_search=3 email=4 affiliate=1 audio=1 sms=1 push=2 referral=3 unassigned=3) });
    my $orders = 'orders,items,revenue';
    is_by_hand('credit to the last arrival that was not direct', { by => 'channel' }, $orders,
        { direct => [4, 6, '30.50'], organic_search => [2, 4, '149.89'], paid_social => [1, 1, '46.00'], email => [1, 4, '50.00'] });
    is_by_hand('to the last', { by => 'channel', model => 'last' }, $orders,
        { direct => [5, 9, '160.40'], organic_search => [1, 1, '19.99'], paid_social => [1, 1, '46.00'], email => [1, 4, '50.00'] });
    is_by_hand('to the first', { by => 'channel', model => 'first' }, $orders,
        { direct => [4, 6, '30.50'], organic_search => [2, 2, '65.99'], email => [2, 7, '179.90'] });
    is_by_hand('what each item brought', { by => 'item', some => 1 }, $orders, {
        SKU1 => [5, 7, '121.89'],                           # 2 x 29.95, 9.00, 2 x 12.00 in one order, 19.99, 9.00
        SKU2 => [2, 2, '125.20'],                           # 70.00, and 60.00 USD at 0.92
        SKU3 => [1, 2, '0.00'],                             # CHF have no rate
        '' => [0, 0, '1.30'],                               # -9.20 of 46.00, 1.00 of 10.00, -3.50 of 20.50, 13.00 of 50.00
    });
    is_by_hand('what the shop looked for', { by => 'search_term', some => 1 }, 'pageviews,entries,exits',
        { bowl => [2, 1, 1], Bowl => [1, 0, 0], 'blue cup' => [1, 0, 0] });
    is_by_hand('robots by class', { by => 'bot_class', some => 1 }, 'hits', { search_crawler => [3], ai_crawler => [1], ai_assistant => [1],
        ai_search => [1], seo_crawler => [1], social_preview => [1], monitoring => [1], http_client => [1], headless_browser => [1],
        no_user_agent => [3], behaviour => [2], own_flag => [2] });
    is_by_hand('whose browser it was', { by => 'day,browser', some => 1 }, 'visits,pageviews,orders,revenue', {
        '2025-06-22 Edge' => [1, 3, 1, '50.00'], '2025-12-31 Safari' => [1, 1, 0, '0.00'], '2026-01-01 Safari' => [0, 1, 1, '19.99'] });
    is_by_hand('who had been there before', { by => 'new_returning', some => 1 }, 'visits', { new => [3], returning => [4] });
    is_by_hand('the rest of an arrival', { by => $_->[0], some => 1 }, 'visits,orders', $_->[1]) for
        ['content', { footer => [1, 1], top => [1, 0] }], ['term', { mugs => [1, 1], cups => [2, 0], cup => [1, 0] }],
        ['referrer', { 'blog.example/mugs/blue' => [1, 1], 'bing.com/search' => [2, 0] }];
    is_by_hand('how long pages were looked at', { by => 'day,page', some => 1 }, 'time_on_page,time_on_page_n', {
        '2025-06-22 /' => ['20.000', 1], '2025-06-22 /cup' => ['45.500', 1] });
    is_by_hand('what each kind of item brought', { by => 'item_category' }, $orders,
        { Cups => [1, 1, '9.00'], 'Home goods' => [1, 2, '25.00'], '' => [8, 12, '242.39'] });
    is_by_hand('orders by coupon', { by => 'coupon' }, $orders,
        { JUNE => [1, 4, '50.00'], MAIL24 => [1, 3, '129.90'], '' => [6, 8, '96.49'] });
    is_by_hand('orders by currency', { by => 'currency' }, 'orders,revenue',
        { EUR => [6, '230.39'], USD => [1, '46.00'], CHF => [1, '0.00'] });
    is_by_hand('groups of pages', { by => 'day,page_group', some => 1 }, 'pageviews,exits,time_on_page',
        { '2025-06-22 cups' => [1, 0, '45.500'], '2025-06-22 ' => [2, 1, '20.000'] });
    is_by_hand('answers by status', { by => 'http_status', some => 1 }, 'hits', { 404 => [4], 500 => [1] });
    is_by_hand('spellings of one page', { by => 'page', some => 1 }, 'pageviews',
        { '/caf%C3%A9' => [2], '/cup/' => [2], '/Cup' => [1], '/cup?variant=red' => [2], '/named/7' => [1] });
};

# --- every metric with every dimension -------------------------------------------------------------------------------

is_golden('shop', '');
is_golden('shop', $_) for @dimensions, @times;
is_golden('shop', $_) for 'day,channel', 'hour,page', 'month,device', 'week,item';
for my $model (qw(last first)) { is_golden('shop', $_, model => $model) for '', @dimensions[0 .. 4], 'event', 'country' }
is_golden('outlet', $_) for '', qw(channel page event item hour day month);
is_golden('forgotten.example', $_) for '', qw(channel page search_term day);

# --- one person under two keys ---------------------------------------------------------------------------------------

# The views of one visit, an import of its own: [time, address, id, path].
sub visits_of (@views) {
    my $other = make_shop(toml => content("$data/golden/footfall.toml"));
    my $agent = 'Mozilla/5.0 (X11; Linux x86_64; rv:128.0) Gecko/20100101 Firefox/128.0';
    my $log = join '', map {
        my ($msec, $address, $id, $path) = @$_;
        my @at = gmtime $msec;
        my $time = strftime('%d/%b/%Y:%H:%M:%S +0000', @at);
        qq{$address - - [$time] "GET $path HTTP/1.1" 200 500 "-" "$agent" $msec.000 700 "text/html" 0.001 "shop" "shop.example" "$id" "-" "-" "-" "-" "-" "-"\n};
    } @views;
    my ($code, undef, $err) = $other->footfall('import', 'log', '--config', $other->path('footfall.toml'), $other->write('one.log', $log));
    is($code, 0, 'imported') or diag $err;
    return $other->query_by_command(site => 'shop', range => 'all', metrics => 'visits,visitors,pageviews,bounces')->{totals};
}

my $midnight_s = 1_750_118_400;    # 2025-06-17 00:00:00 UTC
is_deeply(visits_of([$midnight_s - 600, '203.0.113.1', '-', '/'], [$midnight_s + 600, '203.0.113.1', '-', '/cup']), [1, 1, 2, 0],
    'a visit over the change of salts is one');
is_deeply(visits_of([$midnight_s + 600, '203.0.113.1', '-', '/'], [$midnight_s + 900, '203.0.113.1', 'anna', '/cup']), [1, 1, 2, 0],
    'a visit in which consent comes in is one');

close_shops();
