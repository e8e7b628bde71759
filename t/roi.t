# What marketing returned, end to end: an access log and a table of spend become figures, a verdict and advice.
use v5.36;
use lib 't/lib';
use Footfall::Csv qw(parse_csv);
use Footfall::Test;

my $browser = 'Mozilla/5.0 (X11; Linux x86_64; rv:128.0) Gecko/20100101 Firefox/128.0';
my $toml = <<'END';
[site.shop]
hosts = ["shop.example"]
margin = 0.6
[site.shop.order_page]
path = "/thanks"
id_arg = "order"
value_arg = "total"
END

sub line ($day, $visitor, $target, $month = 'Oct') {
    return sprintf qq{10.%d.%d.%d - - [%02d/%s/2026:12:00:00 +0000] "GET %s HTTP/1.1" 200 512 "-" "%s"\n}, $visitor >> 14, ($visitor >> 7) & 127, ($visitor & 127) + 1, $day, $month, $target, $browser;
}
my $visitor = 0;
# So many visits on a day by a link, the first of which buy at these values.
sub came ($day, $tags, $visits, @values) {
    my $lines = '';
    for my $one (1 .. $visits) {
        ++$visitor;
        $lines .= line($day, $visitor, "/?$tags");
        $lines .= line($day, $visitor, "/thanks?order=$visitor&total=" . shift @values) if @values;
    }
    return $lines;
}
my @mailing = ((65.52, 14.48) x 12, 40);    # mean 40, sd 25
my @banner  = (90, 30) x 8;                 # mean 60, sd 30
my $log = came(5, 'utm_campaign=mailing&utm_source=letter&utm_medium=email', 5000, @mailing)
    . came(5, 'utm_campaign=banner&utm_source=fb&utm_medium=cpc', 250, @banner[0 .. 9])
    . came(5, 'utm_campaign=banner&utm_source=m.facebook.com&utm_medium=cpc', 150, @banner[10 .. 15])
    . came(5, 'utm_campaign=%3Dcmd%22%3Cb%3E&utm_source=odd', 30, 10);
# Another month: twenty came by mail, three times by what they saw elsewhere, and by mail again. A last touch tells of the mail alone; the ends of
# the journey nearly so; without the others between, half of them would not have come.
my $september = '';
for my $buyer (1 .. 20) {
    ++$visitor;
    my @links = ('utm_source=letter&utm_medium=email', 'utm_source=google&utm_medium=cpc', 'utm_source=facebook&utm_medium=cpc', 'utm_source=site&utm_medium=banner', 'utm_source=letter&utm_medium=email');
    $september .= line(1 + $_, $visitor, "/?$links[$_]", 'Sep') for 0 .. $#links;
    $september .= line(5, $visitor, "/thanks?order=$visitor&total=50", 'Sep');
}
my $spend = <<'END';
date,campaign,source,medium,cost,currency
2026-10-05,mailing,letter,email,3000,EUR
2026-10-05,banner,facebook,cpc,300,EUR
2026-10-05,"=cmd""<b>",odd,,12,EUR
2026-09-03,,letter,email,300,EUR
END

my $shop = make_shop(toml => $toml);
sub footfall (@arguments) { $shop->footfall(@arguments, '--config', $shop->path('footfall.toml')) }
my ($code, $out, $err) = footfall('import', 'log', '--visitors', 'all', $shop->write('access.log', $september . $log));
is($code, 0, 'visits are imported') or diag $err;
($code, $out, $err) = footfall('import', 'spend', $shop->write('spend.csv', $spend));
is($code, 0, 'spend is imported') or diag $err;
$shop->start_nginx;
$shop->start_aggregator;

my @october = (from => '2026-10-01', to => '2026-10-31');
sub ask (%query) { $shop->ask('/footfall/v1/roi?' . join '&', map { "$_=$query{$_}" } sort keys %query) }
sub rows ($answer) { return { map { ($_->[0] // '-') => $_ } @{ $answer->{rows} } } }
# Numbers as numbers, null as an empty field.
sub plain (@cells) { return [map { my $cell = $_ // ''; $cell =~ /^-?\d/ ? 0 + $cell : $cell } @cells] }
sub two ($number) { defined $number ? sprintf('%.2g', $number) + 0 : undef }

subtest 'figures and verdicts' => sub {
    my $answer = ask(@october, by => 'campaign')->json;
    is(join(' ', map { $_->{name} } @{ $answer->{columns} }),
        'campaign visits orders revenue cost cpo roas roas_lo roas_hi roi verdict visits_needed break_even mer', 'columns');
    my $rows = rows($answer);
    is_deeply([@{ $rows->{mailing} }[1 .. 5]], [5000, 25, 1000, 3000, 120], 'mailing') || diag explain $rows->{mailing};
    is_deeply([map { two($_) } @{ $rows->{mailing} }[6 .. 8]], [0.33, 0.21, 0.53], 'its return');
    is($rows->{mailing}[10], 'cut', 'and verdict');
    is_deeply([@{ $rows->{banner} }[1 .. 5]], [400, 16, 960, 300, 18.75], 'banner') || diag explain $rows->{banner};
    is_deeply([map { two($_) } @{ $rows->{banner} }[6 .. 8]], [3.2, 1.9, 5.5], 'its return');
    is($rows->{banner}[10], 'raise', 'and verdict');
    is($rows->{'=cmd"<b>'}[10], 'too_early', 'of one order nobody can tell');
    cmp_ok($rows->{'=cmd"<b>'}[11], '>', 0, 'but how many visits more it takes');
    is($answer->{totals}[13], $answer->{totals}[6], 'mer stands in the totals');
};

subtest 'models must agree' => sub {
    my @then = (from => '2026-09-01', to => '2026-09-30');
    is(rows(ask(@then, by => 'medium')->json)->{email}[10], 'raise', 'by what rule models say');
    is(rows(ask(@then, by => 'channel')->json)->{email}[10], 'depends_on_model', 'by channel markov does not agree');
    like(ask(@then, advice => 1)->json->{rows}[0][3], qr/^Do not change "email" on these figures: models do not agree, it returned 3\.33 by last_non_direct, 2\.67 by position, 1\.33 by markov;/,
        'and advice says so');
    my $compared = rows(ask(@october, by => 'medium', compare => 'previous')->json)->{email};
    is_deeply([map { two($_) } @$compared[14, 15]], [3.3, -3], 'return of September, and the difference') || diag explain $compared;
    ok($compared->[16] < $compared->[15] && $compared->[15] < $compared->[17], 'within its interval');
};

subtest 'sources of one known name are a row' => sub {
    my $rows = rows(ask(@october, by => 'source')->json);
    is_deeply([@{ $rows->{fb} }[1 .. 4]], [400, 16, 960, 300], 'fb and m.facebook.com with the spend of facebook') || diag explain $rows;
    ok(!$rows->{facebook} && !$rows->{'m.facebook.com'}, 'called as most of its visits are');
    is_figures($shop, { @october, by => 'source', metrics => 'cost', filter => 'source:is:fb' }, { fb => 300 }, 'as queries show its cost');
    my $cohorts = rows($shop->ask('/footfall/v1/cohorts?by=source&from=2026-10-01&to=2026-10-31')->json);
    is_deeply([sort keys %$cohorts], [qw(fb letter odd)], 'cohorts call it so, too') || diag explain $cohorts;
    is_deeply([@{ $cohorts->{fb} }[1 .. 3, 17]], [16, 16, 960, 300], 'with all of its customers and cost') || diag explain $cohorts->{fb};
};

subtest 'adds up, by each dimension and model' => sub {
    for my $by (qw(channel source medium campaign content term code)) {
        for my $model (qw(last last_non_direct first linear position time_decay)) {
            my $answer = ask(@october, by => $by, model => $model, limit => 1)->json;
            for my $at (1 .. 4) {
                my $sum = 0;
                $sum += $_->[$at] for @{ $answer->{rows} }, $answer->{other};
                cmp_ok(abs($sum - $answer->{totals}[$at]), '<', 0.011, "$by, $model: $answer->{columns}[$at]{name}");
            }
            is_deeply([@{ $answer->{totals} }[1 .. 4]], [5430, 42, 1970, 3312], 'the same totals') || diag explain $answer->{totals};
        }
    }
};

subtest 'the same by query' => sub {
    my $rows = rows(ask(@october, by => 'campaign')->json);
    my $query = rows($shop->query(@october, by => 'campaign', metrics => 'visits,orders,revenue,cost,cpo,roas,roi', ci => 95));
    for my $name (sort keys %$query) {
        my @row = @{ $rows->{$name} };
        is_deeply(plain(@{ $query->{$name} }[1 .. 9]), plain(@row[1 .. 9]), "$name, with its bounds");
    }
};

subtest 'forms' => sub {
    my $json = ask(@october, by => 'campaign')->json;
    my ($header, @lines) = parse_csv(ask(@october, by => 'campaign', format => 'csv')->body);
    is_deeply([@$header[0 .. $#$header - 1]], [map { $_->{name} } @{ $json->{columns} }], 'columns of CSV');
    is_deeply([map { my @row = @$_; plain(@row[1 .. $#row - 1]) } @lines[0 .. $#{ $json->{rows} }]],
        [map { my @row = @$_; plain(@row[1 .. $#row]) } @{ $json->{rows} }], 'and figures');
    my ($told, $text) = footfall('query', 'roi', '--by', 'campaign', '--from', $october[1], '--to', $october[3], '--format', 'csv');
    is($text, ask(@october, by => 'campaign', format => 'csv')->body, 'the same by command');
    ($told, $text) = footfall('query', 'roi', '--by', 'campaign', '--advice', '--from', $october[1], '--to', $october[3]);
    is($told, 0, 'advice by command, without a value');
    like($text, qr/Cut "mailing": it returned 0\.33 \(0\.21 to 0\.53\) for each 1\.00 spent; break-even is 1\.67/, 'in plain words');
    like($text, qr/Raise "banner": it returned 3\.20 \(1\.87 to 5\.49\)/, 'for both');
    my $csv = ask(@october, by => 'campaign', advice => 1, format => 'csv')->body;
    like($csv, qr/^"'=cmd""<b>"/m, 'a formula is none in CSV');
    unlike($csv, qr/(?:^|,)"?=/m, 'nowhere');
    like(ask(@october, by => 'campaign', advice => 1)->json->{rows}[2][3], qr/^Wait with "=cmd'<b>": /, 'a name cannot close its quotes');
};

subtest 'the page' => sub {
    my $page = $shop->ask('/footfall/?range=all')->body;
    like($page, qr{<h2>Return on what was spent</h2><ul><li>Cut &quot;email&quot;: it returned 0\.61 \(0\.44 to 0\.83\)}, 'says what to do');
    like($page, qr{<th scope=row>paid social</th><td>420</td><td>16</td><td>960\.00</td><td>300\.00</td><td>3\.20</td><td>1\.87</td><td>5\.49</td><td>raise</td>}, 'and the figures');
    like($page, qr{<h2>Who earned the revenue, by each model</h2>}, 'beside attribution');
    like($page, qr{<h2>Customers by what brought them first</h2>}, 'and what customers brought later');
    like($page, qr{<h2>Customers by the month of their first order</h2>.*?<th scope=row>2026-10</th><td>\d+</td>}s, 'by month');
    unlike($shop->ask('/footfall/?range=today')->body, qr{Customers by the month}, 'where there are months');
    unlike($page, qr{<b>}, 'no name is markup');
};

subtest 'refusals' => sub {
    for (['by=page', 'by'], ['model=markov', 'model'], ['lookback=7d', 'lookback'], ['advice=x', 'advice'], ['order=-nothing', 'order'], ['metrics=visits', 'metrics']) {
        my ($arguments, $param) = @$_;
        my $refused = $shop->ask("/footfall/v1/roi?$arguments");
        is($refused->status . ' ' . $refused->json->{error}{param}, "400 $param", "$arguments is refused");
    }
};

subtest 'a query by markov' => sub {
    my $answer = $shop->query(from => '2026-09-01', to => '2026-09-30', by => 'channel', metrics => 'orders,revenue,cost,roas,roi,cpo', model => 'markov');
    my ($email) = grep { $_->[0] eq 'email' } @{ $answer->{rows} };
    my (undef, $orders, $revenue, $cost, $roas, $roi, $cpo) = @$email;
    is($cost, 300, 'the cost is the row\'s own');
    cmp_ok($revenue, '<', 999, 'others have a share of the revenue');
    cmp_ok(abs($roas - $revenue / 300), '<', 0.001, 'roas is of its share');
    cmp_ok(abs($roi - ($revenue * 0.6 - 300) / 300), '<', 0.001, 'roi too');
    cmp_ok(abs($cpo - 300 / $orders), '<', 0.01, 'and cpo');
    is($answer->{totals}[$_], (undef, 20, 1000, 300)[$_], "totals as always: $answer->{columns}[$_]{name}") for 1 .. 3;
};

close_shops();
