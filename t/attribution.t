# Who earned the orders, by each model side by side: worked out by hand, and over the golden log the same as single models tell.
use v5.36;
use lib 't/lib';
use Footfall::Csv qw(parse_csv);
use Footfall::Test;
use List::Util qw(sum0);
use POSIX qw(strftime);

my $agent = 'Mozilla/5.0 (X11; Linux x86_64; rv:128.0) Gecko/20100101 Firefox/128.0';
my $order_s = time - time % 86_400 - 86_400 + 12 * 3600;    # noon of yesterday
my @months = qw(Jan Feb Mar Apr May Jun Jul Aug Sep Oct Nov Dec);
sub line ($days_before, $visitor, $target) {
    my @at = gmtime $order_s - $days_before * 86_400;
    my $time = sprintf '%02d/%s/%d:%02d:%02d:%02d +0000', $at[3], $months[$at[4]], $at[5] + 1900, @at[2, 1, 0];
    return qq{192.0.2.$visitor - - [$time] "GET $target HTTP/1.1" 200 512 "-" "$agent"\n};
}
sub came ($source) { "/?utm_source=$source&utm_medium=email&utm_campaign=of-$source" }

my $shop = make_shop(toml => <<'END');
[site.shop]
hosts = ["shop.example"]
[site.shop.order_page]
path = "/thanks"
id_arg = "order"
value_arg = "total"
[retention]
visits = "35d"
END
my $log = $shop->write('access.log' => join '',
    line(40, 1, came('old')), line(9, 1, came('a')), line(6, 1, came('b')), line(0, 1, came('c')), line(0, 1, came('d')), line(0, 1, '/thanks?order=1&total=50.00'),
    line(3, 2, came('a')), line(2, 2, '/'), line(0, 2, '/thanks?order=2&total=10'),
    line(0, 3, '/thanks?order=3&total=0.01'),
    line(5, 4, came('a')), line(4, 4, came('b')), line(0, 4, came('a')), line(0, 4, '/thanks?order=4&total=100'));
my ($code, $out, $err) = $shop->footfall('import', 'log', '--visitors', 'all', '--config', $shop->path('footfall.toml'), $log);
is($code, 0, 'imported') || diag $err;
$shop->start_nginx;
$shop->start_aggregator;

my $day = strftime '%Y-%m-%d', gmtime $order_s;
sub ask ($arguments = '') { $shop->ask("/footfall/v1/attribution?from=$day&to=$day$arguments") }
# { row => { column => figure } }, null is '-'.
sub rows_of ($answer) {
    my @columns = map { $_->{name} } @{ $answer->{columns} };
    return { map { my @row = @$_; my %figures; @figures{ @columns[1 .. $#columns] } = @row[1 .. $#row]; ($row[0] // '-') => \%figures } @{ $answer->{rows} } };
}
sub figures ($rows, $model) { return { map { my $row = $rows->{$_}; my @two = map { 0 + $row->{"${_}_$model"} } qw(orders revenue); "@two" eq '0 0' ? () : ($_ => \@two) } keys %$rows } }

subtest 'worked out by hand' => sub {
    my $rows = rows_of(ask('&by=source')->json);
    is_deeply(figures($rows, 'last'), { d => [1, 50], '(direct)' => [2, 10.01], a => [1, 100] }, 'last');
    is_deeply(figures($rows, 'last_non_direct'), { d => [1, 50], '(direct)' => [1, 0.01], a => [2, 110] }, 'last_non_direct');
    is_deeply(figures($rows, 'first'), { '(direct)' => [1, 0.01], a => [3, 160] }, 'first: what is older than the lookback gets nothing');
    is_deeply(figures($rows, 'linear'), { a => [0.25 + 0.333 + 0.667, 12.5 + 3.33 + 66.67], b => [0.583, 12.5 + 33.33], c => [0.25, 12.5], d => [0.25, 12.5],
        '(direct)' => [1 + 0.667, 6.68] }, 'linear') || diag explain figures($rows, 'linear');
    is_deeply(figures($rows, 'position'), { a => [0.4 + 0.4 + 0.8, 20 + 4 + 80], b => [0.1 + 0.2, 5 + 20], c => [0.1, 5], d => [0.4, 20], '(direct)' => [1.6, 6.01] }, 'position')
        || diag explain figures($rows, 'position');
    my $decay = figures($rows, 'time_decay');
    is($decay->{c}[1], 16.88, 'time_decay: ages 0, 0, 6, 9 days of 50.00');
    is($decay->{d}[1], 16.88, 'and of the last touch');
    cmp_ok($decay->{'(direct)'}[0], '>', 1.5, 'a touch of today has more than half beside those of days before');
    my ($alone) = grep { $_->[1] =~ /^9\.3[12]/ } [b => $decay->{b}[1] - 100 * 2**(-4 / 7) / (2**(-5 / 7) + 2**(-4 / 7) + 1)];
    ok($alone, 'time_decay: 9.32 of six days before') || diag $decay->{b}[1];
};

subtest 'adds up' => sub {
    for my $by (qw(channel source campaign code)) {
        my $answer = ask("&by=$by&limit=1")->json;
        my @all = (@{ $answer->{rows} }, $answer->{other});
        for my $at (1 .. 12) {
            my $sum = sum0(map { $_->[$at] } @all);
            cmp_ok(abs($sum - $answer->{totals}[$at]), '<', 0.006, "$by: $answer->{columns}[$at]{name}");
        }
        is_deeply([@{ $answer->{totals} }[1, 2]], [@{ $answer->{totals} }[$_, $_ + 1]], "$by: the same in all models") for 3, 5, 7, 9, 11;
        is_deeply([@{ $answer->{totals} }[13 .. 16]], [(undef) x 4], "$by: null where journeys that did not convert are needed");
    }
    my $answer = ask('&by=source&limit=2')->json;
    my $next = ask("&by=source&limit=2&cursor=$answer->{meta}{next_cursor}")->json;
    is(scalar(@{ $answer->{rows} }) + @{ $next->{rows} }, 4, 'page by page');
};

subtest 'as single models tell' => sub {
    for my $by (qw(channel source campaign)) {
        my $rows = rows_of(ask("&by=$by")->json);
        for my $model (qw(last last_non_direct first linear position time_decay)) {
            my @question = (from => $day, to => $day, metrics => 'orders,revenue,items,refunds,conversions', model => $model);
            my $single = $shop->query(@question, by => $by);
            my %single = map { ($_->[0] // '-') => [map { 0 + $_ } @$_[1, 2]] } grep { $_->[1] + $_->[2] } @{ $single->{rows} };
            is_deeply(figures($rows, $model), \%single, "$by, $model");
            # By two dimensions kept visits answer, not rollups; and by another lookback.
            my $twice = $shop->query(@question, by => "$by,device");
            is_deeply([map { [$_->[0], @$_[2 .. $#$_]] } @{ $twice->{rows} }], $single->{rows}, "$by, $model, of kept visits");
            is_deeply([@{ $twice->{totals} }[2 .. 6]], [@{ $single->{totals} }[1 .. 5]], 'and its totals');
            my $some = $shop->query(@question, by => 'device', filter => "$by:is:" . ($single->{rows}[0][0] // next));
            is_deeply([@{ $some->{totals} }[1 .. 5]], [@{ $single->{rows}[0] }[1 .. 5]], 'and filtered');
        }
    }
    my $week = rows_of(ask('&by=source&lookback=7d')->json);
    is_deeply(figures($week, 'first'), { b => [1, 50], a => [2, 110], '(direct)' => [1, 0.01] }, 'another lookback');
};

subtest 'forms and refusals' => sub {
    my $csv = ask('&by=source&format=csv');
    like($csv->header('Content-Type'), qr{^text/csv}, 'csv');
    my ($header, @lines) = parse_csv($csv->body);
    is(scalar(@lines), 5 + 2, 'rows, other and totals');
    my ($told, $text) = $shop->footfall('query', 'attribution', '--config', $shop->path('footfall.toml'), '--from', $day, '--to', $day, '--by', 'source', '--format', 'csv');
    is($text, $csv->body, 'the same by command');
    for (['&by=page', 'by'], ['&lookback=8d', 'lookback'], ['&model=last', 'model'], ['&by=channel,source', 'by'], ['&limit=0', 'limit']) {
        my ($arguments, $param) = @$_;
        my $refused = ask($arguments);
        is($refused->status . " " . $refused->json->{error}{param}, "400 $param", "$arguments is refused");
    }
    my $early = strftime '%Y-%m-%d', gmtime $order_s - 41 * 86_400;
    my $refused = $shop->ask("/footfall/v1/attribution?from=$early&to=$day");
    is($refused->status . " " . $refused->json->{error}{param}, '400 range', 'what is not kept is refused');
    like($refused->json->{error}{message}, qr/journeys are kept since \d{4}-\d\d-\d\d/, 'with the first day there is');
};

close_shops();
