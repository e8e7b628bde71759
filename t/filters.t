# Any filter, two dimensions, comparisons: figures worked out by hand, and over the golden log the same from kept visits as
# from rollups, whatever the dimensions.
use v5.36;
use lib 't/lib';
use Footfall::Logs qw(combined_line);
use Footfall::Test;
use List::Util qw(all any sum0);
use POSIX qw(strftime);

sub content ($path) { open my $from, '<:raw', $path or die "$path: $!"; local $/; scalar(<$from>) }
sub imported ($shop, $log) { $shop->footfall('import', 'log', '--config', $shop->path('footfall.toml'), $log) }

# An answer as { key => { metric => figure } }: keys of several dimensions are joined by a space, null is '-'.
sub rows_of ($answer) {
    my @columns = map { $_->{name} } @{ $answer->{columns} };
    my $keys = grep { $_->{type} eq 'string' || $_->{type} eq 'time' } @{ $answer->{columns} };
    my %rows;
    for my $row (@{ $answer->{rows} }) {
        my %figures;
        @figures{ @columns[$keys .. $#columns] } = @$row[$keys .. $#$row];
        $rows{ join ' ', map { $_ // '-' } @$row[0 .. $keys - 1] } = \%figures;
    }
    return \%rows;
}
sub totals_of ($answer) {
    my %totals;
    @totals{ map { $_->{name} } @{ $answer->{columns} } } = @{ $answer->{totals} };
    delete @totals{ map { $_->{name} } grep { $_->{type} eq 'string' || $_->{type} eq 'time' } @{ $answer->{columns} } };
    return \%totals;
}

# --- by hand ---------------------------------------------------------------------------------------------------------

my $desktop = 'Mozilla/5.0 (X11; Linux x86_64; rv:128.0) Gecko/20100101 Firefox/128.0';
my $phone = 'Mozilla/5.0 (iPhone; CPU iPhone OS 17_5 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/17.5 Mobile/15E148 Safari/604.1';
my $start_s = time - time % 86_400 - 2 * 86_400 + 9 * 3600;    # nine o'clock of the day before yesterday
my ($first_day, $second_day) = map { strftime '%Y-%m-%d', gmtime $start_s + $_ * 86_400 } 0, 1;

sub line ($after, $visitor, $target, $agent, $referrer = '-') { combined_line($start_s + $after, $visitor, $target, agent => $agent, referrer => $referrer) }

my $hand = make_shop(toml => <<'END');
[site.shop]
hosts = ["shop.example"]
[site.shop.order_page]
path = "/thank-you"
id_arg = "order"
value_arg = "total"
END

subtest 'worked out by hand' => sub {
    my $log = $hand->write('access.log', join '',
        line(0,      1, '/',                            $desktop, 'https://www.google.com/'),
        line(60,     1, '/cup',                         $desktop),
        line(70,     2, '/sale?utm_source=news&utm_medium=email&utm_campaign=spring', $phone),
        line(100,    2, '/cup',                         $phone),
        line(110,    3, '/cup',                         $phone),
        line(120,    1, '/thank-you?order=A1&total=20', $desktop),
        line(130,    4, '/?utm_source=news&utm_medium=email&utm_campaign=autumn', $phone),
        line(180,    4, '/thank-you?order=A2&total=30', $phone),
        line(86_400, 5, '/sale',                        $desktop));
    my ($code, $out, $err) = imported($hand, $log);
    is($code, 0, 'imported') or diag $err;
    $hand->start_nginx;
    my $ask = sub (%query) { $hand->query(range => '7d', %query) };

    my $answer = $ask->(by => 'channel', metrics => 'visits,pageviews,orders,revenue', filter => 'device:is:mobile');
    is_deeply(rows_of($answer), {
        email  => { visits => 2, pageviews => 4, orders => 1, revenue => 30 },
        direct => { visits => 1, pageviews => 1, orders => 0, revenue => 0 } }, 'channels of phones');
    is_deeply(totals_of($answer), { visits => 3, pageviews => 5, orders => 1, revenue => 30 }, 'and their totals');

    is_deeply(totals_of($ask->(metrics => 'visits,pageviews', filter => 'channel:is:email;page:is:/cup')),
        { visits => 1, pageviews => 1 }, 'email that saw the cup');
    is_deeply(rows_of($ask->(by => 'campaign,device', metrics => 'visits,orders')), {
        '- desktop' => { visits => 2, orders => 1 }, '- mobile' => { visits => 1, orders => 0 },
        'spring mobile' => { visits => 1, orders => 0 }, 'autumn mobile' => { visits => 1, orders => 1 } }, 'two dimensions');
    is_deeply(rows_of($ask->(by => 'device', metrics => 'visits,pageviews,entries,bounces', filter => 'page:starts:/cup|/sale')), {
        desktop => { visits => 2, pageviews => 2, entries => 1, bounces => 1 },
        mobile  => { visits => 2, pageviews => 3, entries => 2, bounces => 1 } }, 'who saw two of the pages is one visit');
    is(totals_of($ask->(metrics => 'visits', filter => 'page:is:/cup|/sale'))->{visits}, 4, 'also without another dimension');
    is_deeply(totals_of($ask->(metrics => 'orders,revenue,visits', filter => 'channel:is_not:email', by => 'day')),
        { orders => 1, revenue => 20, visits => 3 }, 'all that is not email, by day');
    is_deeply(totals_of($ask->(metrics => 'visits', filter => 'campaign:is:')), { visits => 3 }, 'no campaign');

    my $compared = $hand->query(from => $second_day, to => $second_day, compare => 'previous', by => 'device', metrics => 'visits');
    is_deeply(rows_of($compared), {
        desktop => { visits => 1, visits_previous => 1, visits_change => 0 },
        mobile  => { visits => 0, visits_previous => 3, visits_change => -1 } }, "compared with $first_day");
    my $filtered = $hand->query(from => $second_day, to => $second_day, compare => 'previous', by => 'device', metrics => 'visits',
        filter => 'page:is:/sale;channel:is_not:print');
    is_deeply(rows_of($filtered), {
        desktop => { visits => 1, visits_previous => 0, visits_change => undef },
        mobile  => { visits => 0, visits_previous => 1, visits_change => -1 } }, 'likewise filtered');
};

subtest 'the same on the command line' => sub {
    my %query = (range => '7d', by => 'channel,device', metrics => 'visits,revenue', filter => 'page:matches:/*;channel:is:email|direct',
        metrics => 'visits', compare => 'previous');
    my ($by_api, $by_command) = ($hand->query(%query), $hand->query_by_command(%query));
    is_deeply($by_command->{$_}, $by_api->{$_}, $_) for qw(query columns rows other totals);
};

subtest 'refused' => sub {
    my $refused = sub (%query) {
        my $answer = $hand->ask('/footfall/v1/query?' . Footfall::Shop::arguments_of(%query));
        is($answer->status, 400, join ' ', map { "$_=$query{$_}" } sort keys %query);
        return $answer->json->{error};
    };
    is($refused->(metrics => 'revenue', filter => 'page:is:/')->{param}, 'filter', 'revenue has no page');
    like($refused->(metrics => 'hits', filter => 'page:is:/', by => 'country')->{message}, qr/one dimension at a time/, 'hits know one');
    is_deeply($refused->(filter => 'page:has:/')->{allowed}, [qw(is is_not contains starts matches)], 'ops');
    like($refused->(filter => 'page:is:/;channel:is:email', metrics => 'visits', range => 'year', from => '2001-01-01')->{message}, qr/./, 'range and from');
    my $old = $refused->(filter => 'page:is:/;channel:is:email', metrics => 'visits', from => '2001-01-01', to => '2001-02-01');
    like($old->{message}, qr/kept since \d{4}-\d\d-\d\d/, 'visits of long ago');
};

# --- open visits -----------------------------------------------------------------------------------------------------

subtest 'a visit that goes on counts as it stands' => sub {
    my $live = open_shop(server => 'location / { footfall_event seen; try_files $uri $uri.html =404; }');
    $live->get('/cup', from => 7, referrer => 'https://www.google.com/');
    $live->get('/bowl', from => 7);
    $live->get('/cup', from => 8, agent => $phone);
    is_figures($live, { by => 'channel', metrics => 'visits,pageviews,exits', filter => 'page:is:/cup' },
        { organic_search => [1, 1, 0], direct => [1, 1, 1] });
    is_figures($live, { by => 'device', metrics => 'visits', filter => 'channel:is:direct' }, { mobile => 1 });
    is_totals($live, { visits => 1, pageviews => 1 }, 'two conditions', filter => 'page:is:/bowl;channel:is:organic_search');
};

# --- the golden log --------------------------------------------------------------------------------------------------

my $golden = make_shop(toml => content(Footfall::Shop->root . '/t/data/golden/footfall.toml') . qq{visits = "forever"\n});
imported($golden, Footfall::Shop->root . '/t/data/golden.log');
$golden->start_nginx;

sub ask_golden (%query) {
    my $answer = $golden->ask('/footfall/v1/query?' . Footfall::Shop::arguments_of(site => 'shop', range => 'all', limit => 10_000, %query));
    return $answer->status == 200 ? $answer->json : die $answer->body;
}

my @dimensions = qw(channel source medium campaign content term code referrer_host referrer country device browser os new_returning page
    page_group entry_page exit_page search_term event goal item item_category coupon currency);
my %adds_up = map { $_ => 1 }
    qw(visits pageviews entries exits bounces time_on_page_n events conversions orders items revenue goal_value);
my %not_by = (page => ['visits'], map { $_ => [qw(orders conversions)] } qw(item item_category));

# Metrics that go with all of them, by asking for one that does not exist.
sub metrics_by (@by) {
    state %known;
    return $known{"@by"} //= do {
        my $answer = $golden->ask('/footfall/v1/query?' . Footfall::Shop::arguments_of(site => 'shop', by => join(',', @by), metrics => 'none'));
        [grep { $adds_up{$_} } @{ $answer->json->{error}{allowed} }];
    };
}
sub is_value ($dimension, $value) {
    utf8::encode($value);
    return "$dimension:is:" . $value =~ s/([;|\\])/\\$1/gr;
}
sub rounded ($figure) { 0 + sprintf '%.2f', $figure // 0 }
sub is_nothing ($figures) { all { ($_ // 0) == 0 } values %$figures }

for my $one (@dimensions) {
    subtest "by $one and another" => sub {
        for my $other (grep { $_ ne $one } @dimensions) {
            my @metrics = @{ metrics_by($one, $other) } or next;
            my $both = ask_golden(by => "$one,$other", metrics => join ',', @metrics);
            my $alone = ask_golden(by => $one, metrics => join ',', @metrics);    # of rollups
            is_deeply(totals_of($both), totals_of($alone), "$other: totals");
            # Summed over the other dimension: what rollups say.
            my @additive = grep { my $metric = $_; !any { $_ eq $metric } @{ $not_by{$other} // [] } } @metrics;
            my %sums;
            for my $row (@{ $both->{rows} }) {
                my ($key, undef, @figures) = @$row;
                for my $i (0 .. $#metrics) { $sums{ $key // '-' }{ $metrics[$i] } += $figures[$i] }
            }
            my %expected = %{ rows_of($alone) };
            for my $rows (\%sums, \%expected) {
                for my $key (keys %$rows) {
                    my %figures = map { $_ => rounded($rows->{$key}{$_}) } @additive;
                    is_nothing(\%figures) ? delete $rows->{$key} : ($rows->{$key} = \%figures);
                }
            }
            is_deeply(\%sums, \%expected, "$other: rows") || diag explain [\%sums, \%expected];

            # A filter on a value of the other dimension gives that value's rows.
            my %rows_of_value;
            for my $row (@{ $both->{rows} }) {
                my ($key, $value, @figures) = @$row;
                $rows_of_value{ $value // '' }{ $key // '-' } = { map { $metrics[$_] => $figures[$_] } 0 .. $#metrics };
            }
            for my $value ((sort keys %rows_of_value)[0 .. 2]) {
                next if !defined $value;
                my $filter = is_value($other, $value);
                my $filtered = rows_of(ask_golden(by => $one, filter => $filter, metrics => join ',', @metrics));
                is_deeply($filtered, $rows_of_value{$value}, "$filter") || last;
            }
        }
        for my $row (@{ ask_golden(by => $one, metrics => join(',', @{ metrics_by($one) }), limit => 4)->{rows} }) {
            my ($value, @figures) = @$row;
            my $filter = is_value($one, $value // '');
            my $totals = ask_golden(filter => $filter, metrics => join ',', @{ metrics_by($one) })->{totals};
            is_deeply($totals, \@figures, "$filter: the row is the totals");
        }
    };
}

# By touches, over any lookback: a filter that all pass is told by kept visits, the same without it by rollups.
my $brief = make_shop(toml => content(Footfall::Shop->root . '/t/data/golden/footfall.toml') . qq{visits = "1d"\n});
imported($brief, Footfall::Shop->root . '/t/data/golden.log');
$brief->start_nginx;
subtest 'any lookback' => sub {
    my %tells;
    for my $dimension (qw(channel source medium campaign content term code referrer_host referrer)) {
        for my $lookback (qw(1d 7d 30d 90d)) {
            for my $model (qw(last last_non_direct first linear position time_decay)) {
                my %question = (by => $dimension, metrics => 'conversions,orders,items,revenue,refunds,aov,rpv', ci => 95, lookback => $lookback, model => $model);
                my ($rollups, $visits) = (ask_golden(%question), ask_golden(%question, filter => 'device:matches:*'));
                is_deeply([@$rollups{qw(rows other totals)}], [@$visits{qw(rows other totals)}], "$dimension, $lookback, $model") || diag explain $rollups->{rows}, $visits->{rows};
                $tells{$dimension}{ join ',', map { $_ // '-' } map { @$_ } @{ $rollups->{rows} } } = 1 if $model eq 'first';
                next if $model ne 'linear';
                my $answer = $brief->ask('/footfall/v1/query?' . Footfall::Shop::arguments_of(site => 'shop', range => 'all', limit => 10_000, %question));
                is_deeply([@{ $answer->json }{qw(rows other totals)}], [@$rollups{qw(rows other totals)}], "$dimension, $lookback: also where visits are kept for a day");
            }
        }
    }
    cmp_ok(scalar(keys %{ $tells{channel} }), '>', 1, 'lookbacks do differ');
    is($brief->ask('/footfall/v1/query?site=shop&range=all&by=channel,device&metrics=orders&lookback=7d')->status, 400, 'two dimensions need the visits');
};

close_shops();
