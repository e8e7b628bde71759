# Who earned the orders, by each model side by side: worked out by hand, and over the golden log the same as single models tell.
use v5.36;
use lib 't/lib';
use Footfall::Csv qw(parse_csv);
use Footfall::Logs qw(combined_line);
use Footfall::Test;
use List::Util qw(sum0);
use POSIX qw(strftime);

my $order_s = time - time % 86_400 - 86_400 + 12 * 3600;    # noon of yesterday
sub line ($days_before, $visitor, $target) { combined_line($order_s - $days_before * 86_400, $visitor, $target) }
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
sub day_of_orders ($before, $more) {    # so many days before, by visitors of higher numbers
    return map { my ($days, $visitor, $target) = @$_; line($days + $before, $visitor + $more, $target =~ s/order=\K(\d)/$1 + $more/er) }
        [40, 1, came('old')], [9, 1, came('a')], [6, 1, came('b')], [0, 1, came('c')], [0, 1, came('d')], [0, 1, '/thanks?order=1&total=50.00'],
        [3, 2, came('a')], [2, 2, '/'], [0, 2, '/thanks?order=2&total=10'],
        [0, 3, '/thanks?order=3&total=0.01'],
        [5, 4, came('a')], [4, 4, came('b')], [0, 4, came('a')], [0, 4, '/thanks?order=4&total=100'];
}
# The visits of the earlier day are not kept any more.
my $log = $shop->write('access.log' => join '', day_of_orders(200, 10), day_of_orders(0, 0));
my ($code, $out, $err) = $shop->footfall('import', 'log', '--visitors', 'all', '--config', $shop->path('footfall.toml'), $log);
is($code, 0, 'imported') || diag $err;
$shop->start_nginx;
$shop->start_aggregator;

my $day = strftime '%Y-%m-%d', gmtime $order_s;
my $long_ago = strftime '%Y-%m-%d', gmtime $order_s - 200 * 86_400;
sub ask ($arguments = '') { $shop->ask("/footfall/v1/attribution?from=$day&to=$day$arguments") }
# { row => { column => figure } }, null is '-'.
sub rows_of ($answer) {
    my @columns = map { $_->{name} } @{ $answer->{columns} };
    return { map { my @row = @$_; my %figures; @figures{ @columns[1 .. $#columns] } = @row[1 .. $#row]; ($row[0] // '-') => \%figures } @{ $answer->{rows} } };
}
sub figures ($rows, $model) { return { map { my $row = $rows->{$_}; my @two = map { 0 + $row->{"${_}_$model"} } qw(orders revenue); "@two" eq '0 0' ? () : ($_ => \@two) } keys %$rows } }

# All lines of an answer, without markov and shapley.
sub by_rules ($answer) { return map { [@$_[0 .. 12]] } @{ $answer->{rows} }, @$answer{qw(other totals)} }

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
        for my $at (grep { defined $answer->{totals}[$_] } 1 .. 16) {
            my $sum = sum0(map { $_->[$at] } @all);
            cmp_ok(abs($sum - $answer->{totals}[$at]), '<', 0.0101, "$by: $answer->{columns}[$at]{name}");
        }
        is_deeply([@{ $answer->{totals} }[1, 2]], [@{ $answer->{totals} }[$_, $_ + 1]], "$by: the same in all models") for 3, 5, 7, 9, 11;
        is_deeply([@{ $answer->{totals} }[15, 16]], [(undef) x 2], "$by: shapley tells channels alone") if $by ne 'channel';
        is_deeply([@{ $answer->{totals} }[13, 14]], [(undef) x 2], "$by: markov tells channels and campaigns") if $by eq 'source' || $by eq 'code';
        is_deeply([@{ $answer->{totals} }[1, 2]], [@{ $answer->{totals} }[13, 14]], "$by: of all orders") if $by eq 'channel' || $by eq 'campaign';
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
            # By two dimensions kept visits answer, not rollups.
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

# Rollups tell any lookback, as kept visits do; and longer than those are kept.
subtest 'any lookback, for years' => sub {
    my %seen;
    for my $lookback (qw(1d 7d 30d 90d)) {
        for my $by (qw(channel source campaign)) {
            my ($now, $then) = map { $shop->ask("/footfall/v1/attribution?from=$_&to=$_&lookback=$lookback&by=$by")->json } $day, $long_ago;
            $seen{$by}{ join ',', map { $_ // '-' } map { @$_ } @{ $now->{rows} } } = 1;
            is_deeply([by_rules($then)], [by_rules($now)], "$by, $lookback: long ago");
            for my $model (qw(last last_non_direct first linear position time_decay)) {
                my %question = (metrics => 'orders,revenue,items,conversions,aov,rpv', model => $model, lookback => $lookback, ci => 95, by => $by);
                my $told = $shop->query(%question, from => $day, to => $day);
                # The filter passes all, but only kept visits know what it asks for.
                my $kept = $shop->query(%question, from => $day, to => $day, filter => 'device:matches:*');
                is_deeply([@$told{qw(rows other totals)}], [@$kept{qw(rows other totals)}], "$by, $lookback, $model: as kept visits tell")
                    || diag explain $told->{rows}, $kept->{rows};
                my $old = $shop->query(%question, from => $long_ago, to => $long_ago);
                is_deeply([@$old{qw(rows other totals)}], [@$told{qw(rows other totals)}], "$by, $lookback, $model: of long ago");
                is_deeply(figures(rows_of($now), $model), { map { ($_->[0] // '-') => [@$_[1, 2]] } grep { $_->[1] || 0 + $_->[2] } @{ $told->{rows} } },
                    "$by, $lookback, $model: as attribution tells");
            }
        }
    }
    is(scalar(keys %{ $seen{source} }), 4, 'each lookback tells something else');
    is_totals($shop, { orders => 2, revenue => 110 }, 'by a filter', from => $long_ago, to => $long_ago, filter => 'source:is:a', lookback => '7d', model => 'first');
    my $refused = $shop->ask("/footfall/v1/query?from=$long_ago&to=$long_ago&by=channel,device&metrics=orders&lookback=7d");
    is($refused->status . ' ' . $refused->json->{error}{param}, '400 by', 'two dimensions are for kept visits');
};

# The models that look at all journeys, by a query: its rows are those of attribution, whatever else is asked for.
subtest 'markov and shapley by a query' => sub {
    for my $lookback (qw(1d 30d)) {
        for (['channel', 'markov'], ['channel', 'shapley'], ['campaign', 'markov']) {
            my ($by, $model) = @$_;
            my $rows = rows_of(ask("&by=$by&lookback=$lookback")->json);
            my $answer = $shop->query(from => $day, to => $day, by => $by, model => $model, lookback => $lookback, metrics => 'visits,orders,revenue,conversions,items,aov,revenue_net,cr,rpv', ci => 95);
            my $told = rows_of($answer);
            my $credited = sub ($rows, @columns) { return { map { my $row = $rows->{$_}; my @two = map { 0 + $row->{$_} } @columns; "@two" eq '0 0' ? () : ($_ => \@two) } keys %$rows } };
            is_deeply($credited->($told, qw(orders revenue)), $credited->($rows, "orders_$model", "revenue_$model"), "$by, $model, $lookback: as attribution tells");
            is_deeply($answer->{query}{model}, $model, 'it says so');
            my $rule = $shop->query(from => $day, to => $day, by => $by, model => 'last', metrics => 'visits,orders,revenue,conversions,items,aov,revenue_net,cr,rpv');
            is_deeply([@{ $answer->{totals} }[1 .. 8]], [map { $answer->{columns}[$_]{name} =~ /_(lo|hi)$/ ? $answer->{totals}[$_] : $rule->{totals}[$_] } 1 .. 8], 'totals as always');
            my %visits = map { ($_->[0] // '-') => $_->[1] } @{ $rule->{rows} };
            is($told->{$_}{visits}, $visits{$_} // 0, "visits of $_") for keys %$told;
            for my $row (grep { $_->{orders} } values %$told) {
                is($row->{conversions}, $row->{orders}, 'orders are all conversions here');
                is($row->{revenue_net}, $row->{revenue}, 'nothing was refunded');
                cmp_ok(abs($row->{aov} - $row->{revenue} / $row->{orders}), '<', 0.5, 'rates are of what is credited');
                is_deeply([@$row{qw(rpv_lo rpv_hi)}], [undef, undef], 'without an interval');
            }
            my $cut = $shop->query(from => $day, to => $day, by => $by, model => $model, lookback => $lookback, metrics => 'orders,revenue', limit => 1);
            cmp_ok(abs($cut->{rows}[0][$_] + $cut->{other}[$_] - $cut->{totals}[$_]), '<', 0.0101, 'rows and other are the totals') for 1, 2;
        }
    }
    for ({ by => 'source', model => 'markov' }, { by => 'campaign', model => 'shapley' }, { by => 'channel,device', model => 'markov' }, { by => 'day,channel', model => 'markov' },
        { by => 'channel', filter => 'device:is:desktop', model => 'shapley' }) {
        my %question = (%$_, from => $day, to => $day, metrics => 'visits,orders,roas');
        delete $question{metrics}, $question{metrics} = 'visits,orders' if "$question{by}@{[$question{filter} // '']}" =~ /device/;
        my $answer = $shop->query(%question);
        my $at = (grep { $answer->{columns}[$_]{name} eq 'orders' } 0 .. $#{ $answer->{columns} })[0];
        is_deeply([map { $_->[$at] } @{ $answer->{rows} }, $answer->{other}], [(undef) x (@{ $answer->{rows} } + 1)], "@{[%$_]}: null");
        is($answer->{totals}[$at], 4, 'but in all');
        like("@{ $answer->{meta}{warnings} }", qr/credit by $question{model} is null: it is told by channel/, 'and a warning says why');
    }
    my $none = $shop->query(from => $day, to => $day, filter => 'channel:is:email', metrics => 'orders', model => 'markov');
    is($none->{totals}[0], undef, 'of a filter by channel nothing is known');
    is_deeply($shop->query(from => $day, to => $day, by => 'device', metrics => 'orders,revenue', model => 'markov')->{rows},
        $shop->query(from => $day, to => $day, by => 'device', metrics => 'orders,revenue')->{rows}, 'by what is no touch the models agree');
    my $compared = $shop->query(from => $day, to => $day, by => 'channel', metrics => 'orders', model => 'markov', compare => 'previous');
    like("@{ $compared->{meta}{warnings} }", qr/credit by markov is null where no journey of the range led to an order/, 'compared with a day without orders');
};

# Three visitors of one week: C1 > C2 > C3 converts, C1 alone and C2 > C3 do not. By hand: a conversion in three, and 0.5, 1 and 1
# of them lost without C1, C2, C3.
subtest 'journeys that did not convert' => sub {
    my $other = make_shop(toml => <<'END');
[site.shop]
[site.shop.order_page]
path = "/thanks"
id_arg = "order"
value_arg = "total"
END
    my %came = (C1 => '/?utm_source=news&utm_medium=email&utm_campaign=C1', C2 => '/?utm_source=banners&utm_medium=cpm&utm_campaign=C2',
        C3 => '/?utm_source=y&utm_medium=affiliate&utm_campaign=C3');
    my $journeys = $other->write('journeys.log' => join '', sort { ($a =~ /\[(\d+)/)[0] <=> ($b =~ /\[(\d+)/)[0] }
        line(6, 1, $came{C1}), line(5, 1, $came{C2}), line(4, 1, $came{C3}), line(4, 1, '/thanks?order=1&total=100'),
        line(6, 2, $came{C1}), line(5, 3, $came{C2}), line(4, 3, $came{C3}), line(3, 3, $came{C3}));
    my @config = ('--config', $other->path('footfall.toml'));
    my ($code, $out, $err) = $other->footfall('import', 'log', '--site', 'shop', '--visitors', 'all', @config, $journeys);
    is($code, 0, 'imported') || diag $err;
    my $told = sub ($column, @more) {
        my ($status, $csv) = $other->footfall('query', 'attribution', @config, '--format', 'csv', '--range', '30d', @more);
        my ($header, @rows) = parse_csv($csv);
        my ($at) = grep { $header->[$_] eq $column } 0 .. $#$header;
        return { map { ($_->[0] eq '' ? '-' : $_->[0]) => $_->[$at] } grep { $_->[$at] ne '' && $_->[$at] != 0 } @rows[0 .. $#rows - 2] };
    };
    my %by_channel = (email => '20.00', display => '40.00', affiliate => '40.00');
    my %by_campaign = (C1 => '20.00', C2 => '40.00', C3 => '40.00');
    is_deeply($told->('revenue_markov'), \%by_channel, 'markov by channel: 0.2, 0.4, 0.4');
    is_deeply($told->('orders_markov'), { email => '0.200', display => '0.400', affiliate => '0.400' }, 'and its orders');
    is_deeply($told->('revenue_markov', '--by', 'campaign'), \%by_campaign, 'by campaign');
    is_deeply($told->('revenue_markov', '--lookback', '90d'), \%by_channel, 'over 90 days');
    # v(all three) is 1/3, of every smaller set 0: each has a third.
    is_deeply([map { sprintf '%.1f', $_ } values %{ $told->('revenue_shapley') }], [('33.3') x 3], 'shapley');
    # Over a day alone each touch is a journey of its own: the last one is the order's.
    is_deeply($told->('revenue_markov', '--lookback', '1d'), { display => '50.00', affiliate => '50.00' }, 'over one day') || diag explain $told->('revenue_markov', '--lookback', '1d');
    my @before = ('--from', (strftime '%Y-%m-%d', gmtime $order_s - 6 * 86_400), '--to', (strftime '%Y-%m-%d', gmtime $order_s - 5 * 86_400));
    is_deeply($told->('revenue_markov', @before), {}, 'nothing before the order, though the steps are counted');
    is(($other->footfall('check', @config))[0], 0, 'check');
    is(($other->footfall('import', '--undo', '1', @config))[0], 0, 'taken back');
    is_deeply($told->('revenue_markov'), {}, 'and nothing is left');
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
    is($shop->ask("/footfall/v1/attribution?from=$early&to=$day$_")->status, 200, "any lookback is told for years") for '', '&lookback=7d';
};

close_shops();
