# What marketing cost: `footfall import spend` with and without a daemon, and the figures on it.
use v5.36;
use lib 't/lib';
use Footfall::Test;
use JSON::PP ();

my $browser = 'Mozilla/5.0 (X11; Linux x86_64; rv:128.0) Gecko/20100101 Firefox/128.0';
my $toml = <<'END';
[site.shop]
timezone = "Europe/Berlin"
hosts = ["shop.example"]
margin = 0.5

[[site.shop.code]]
code = "SPRING24"
channel = "direct_mail"
campaign = "spring-mailing"
coupon = ["MAIL24"]

[rates]
USD = 0.5
END

my $format = '$remote_addr [$time_local] "$request" $status "$http_referer" "$http_user_agent" "$footfall_events"';

# A line of that day of October 2026, at noon and so many minutes; `order` is the event's rest.
sub line ($day, $minute, $visitor, $path, $order = undef) {
    my $event = $order ? "purchase;$order" =~ s/"/\\x22/gr : '-';
    return sprintf qq{192.0.2.%d [%02d/Oct/2026:12:%02d:00 +0200] "GET %s HTTP/1.1" 200 "-" "%s" "%s"\n}, $visitor, $day, $minute, $path, $browser, $event;
}
my $log = join '',
    line(5, 0, 1, '/?utm_source=google&utm_medium=cpc&utm_campaign=shoes'), line(5, 1, 1, '/thanks', 'id="A-1";value=100'),
    line(5, 2, 2, '/?utm_source=fb&utm_medium=cpc&utm_campaign=Spring'), line(5, 3, 3, '/?utm_source=m.facebook.com&utm_medium=cpc&utm_campaign=Spring'),
    line(6, 0, 4, '/?utm_source=fb&utm_medium=cpc&utm_campaign=Spring'), line(6, 1, 4, '/thanks', 'id="A-2";value=30'),
    line(6, 2, 5, '/'), line(6, 3, 5, '/thanks', 'id="A-3";value=40;coupon="MAIL24"'),
    line(6, 4, 6, '/?utm_source=bing&utm_medium=cpc&utm_campaign=boots');
my $spend = <<'END';
Date;Channel;Source;Medium;Campaign;Code;Cost;Currency;Clicks;Impressions;Note
2026-10-05;;google;cpc;shoes;;25.00;;50;1000;
2026-10-05/2026-10-06;;Facebook;cpc;spring;;20.00;USD;4;;two days
2026-13-01;;google;cpc;shoes;;25.00;;;;
2026-10-06;;;;;spring24;8.00;;;;
2026-10-07;email;;;;;3;CHF;;;
END
my %october = (from => '2026-10-01', to => '2026-10-31');

sub import_command ($shop, @arguments) { $shop->footfall('import', @arguments, '--config', $shop->path('footfall.toml')) }
sub import_log ($shop) {
    my ($code, undef, $err) = import_command($shop, 'log', '--format', $format, $shop->write('access.log', $log));
    is($code, 0, 'the log is imported') or diag $err;
}
sub import_spend ($shop, $name, $table, @more) { import_command($shop, 'spend', $shop->write($name, $table), @more) }
sub figures ($shop, %query) {
    my $answer = $shop->query_by_command(%october, %query);
    return { map { ($_->[0] // '(none)') => [map { defined ? 0 + $_ : undef } @$_[1 .. $#$_]] } @{ $answer->{rows} } };
}
sub costs ($shop, %query) { figures($shop, by => 'channel', metrics => 'cost', %query) }
sub is_whole ($shop) {
    my ($code, $out, $err) = $shop->footfall('check', '--config', $shop->path('footfall.toml'));
    is($code, 0, 'the store is whole') or diag "$out$err";
}

my $shop = open_shop(toml => $toml);
subtest 'a table beside the daemon' => sub {
    import_log($shop);
    my ($code, $out, $err) = import_spend($shop, 'spend.csv', $spend);
    is($code, 3, 'done with a rejected row');
    like($err, qr/spend\.csv:4: "2026-13-01" is no date; right would be 2026-10-31/, 'told by its line, and what would be right');
    like($out, qr/import 2: 5 lines, 5 days of spend/, 'how many days it told') or diag $out;
    like($out, qr{paid_social / facebook / cpc / spring: nobody came by it: campaign "spring" may be "Spring" \(letter case\)}, 'nobody came by that name') or diag $out;
    like($out, qr{paid_search / bing / cpc / boots: no spend}, 'nothing was paid for that') or diag $out;
    is_figures($shop, { %october, by => 'channel', metrics => 'cost,clicks,impressions' },
        { paid_search => [25, 50, 1000], paid_social => [10, 4, 0], direct_mail => [8, 0, 0] });
    is_figures($shop, { %october, by => 'day', metrics => 'cost,revenue,mer' },
        { '2026-10-05' => [30, 100, 3.333333], '2026-10-06' => [13, 70, 5.384615] });
    is_figures($shop, { %october, by => 'campaign', metrics => 'cost' }, { shoes => 25, spring => 10, 'spring-mailing' => 8 });
    is_figures($shop, { %october, by => 'code', metrics => 'cost,orders,cpo' }, { '(none)' => [35, 2, 17.5], SPRING24 => [8, 1, 8] });
    is_figures($shop, { %october, by => 'medium', metrics => 'cost' }, { cpc => 35, '(none)' => 8 });
    is_totals($shop, { cost => 43, clicks => 54, mer => 3.953488, cpc => 0.8, cpa => 14.33, cpo => 14.33 }, 'all of it', %october);
    is_totals($shop, { cost => 25, roas => 4, roi => 1 }, 'with a filter', %october, filter => 'channel:is:paid_search');
    is_figures($shop, { by => 'channel', metrics => 'roas,roi', %october, order => 'channel' },
        { paid_search => [4, 1], paid_social => [3, 0.5], direct_mail => [5, 1.5] });
    my $meta = $shop->query(%october, by => 'channel', metrics => 'cost,cpc')->{meta};
    is_deeply($meta->{unconverted}, [{ currency => 'CHF', orders => 0, revenue => 0, cost => 3 }], 'without a rate: listed apart');
    like("@{ $meta->{warnings} }", qr/cost of 3\.00 CHF: there is no rate for CHF/, 'with a warning');
    like("@{ $meta->{warnings} }", qr/cpc is null where there are no clicks/, 'and never by nothing');
    like($shop->ask('/footfall/metrics')->body, qr/^footfall_cost_total\{site="shop",currency="EUR"\} 43\.00$/m, 'for Prometheus');
    is_whole($shop);
};

subtest 'sources are joined by their known names' => sub {
    is_figures($shop, { %october, by => 'source', metrics => 'visits,cost,revenue' },
        { google => [1, 25, 100], fb => [2, 10, 30], 'm.facebook.com' => [1, 0, 0], '(direct)' => [1, 0, 0], bing => [1, 0, 0], SPRING24 => [0, 8, 40] });
    is_totals($shop, { cost => 10, visits => 2 }, 'by a filter too', %october, filter => 'source:is:fb');
    is_totals($shop, { cost => 0, visits => 0 }, 'and there alone', %october, filter => 'source:is:facebook');
};

subtest 'what spend does not go with' => sub {
    my $refused = sub (%query) { my $answer = $shop->ask('/footfall/v1/query?' . join '&', map { "$_=$query{$_}" } sort keys %query); [$answer->status, $answer->json->{error}{message}] };
    like("@{ $refused->(by => 'hour', metrics => 'cost') }", qr/^400 cost is told by days and longer, not by hour/);
    like("@{ $refused->(by => 'page', metrics => 'roas') }", qr/^400 roas does not go with page/);
    like("@{ $refused->(by => 'referrer_host', metrics => 'cost') }", qr/^400 cost does not go with referrer_host/);
    like("@{ $refused->(by => 'channel,source', metrics => 'cost') }", qr/^400 cost is not kept by visits/);
    is($refused->(by => 'channel', metrics => 'cost,orders,roas', lookback => '7d')->[0], 200, 'another lookback');
    like("@{ $refused->(by => 'channel', metrics => 'mer') }", qr/^400 mer does not go with channel/);
};

subtest 'held against visits' => sub {
    my $answer = $shop->ask('/footfall/v1/spend?from=2026-10-01&to=2026-10-31')->json;
    is_deeply([map { $_->{name} } @{ $answer->{columns} }], [qw(channel source medium campaign content term code cost visits orders revenue note)]);
    is_deeply([map { [@$_[0, 1, 3, 6 .. 11]] } @{ $answer->{rows} }], [
        ['paid_search', 'google', 'shoes', undef, 25, 1, 1, 100, undef],
        ['paid_social', 'facebook', 'spring', undef, 10, 0, 0, 0, 'nobody came by it: campaign "spring" may be "Spring" (letter case)'],
        ['direct_mail', undef, undef, 'SPRING24', 8, 0, 1, 40, undef],
        ['email', undef, undef, undef, undef, 0, 0, 0, 'nobody came by it: no visit had channel "email"; its cost of 3.00 CHF could not be converted'],
        ['paid_social', 'fb', 'Spring', undef, undef, 2, 1, 30, 'no spend: campaign "Spring" may be "spring" of the spend (letter case)'],
        ['paid_search', 'bing', 'boots', undef, undef, 1, 0, 0, 'no spend'],
        ['paid_social', 'm.facebook.com', 'Spring', undef, undef, 1, 0, 0, 'no spend: campaign "Spring" may be "spring" of the spend (letter case)'],
    ]) or diag explain $answer->{rows};
    is_deeply([@{ $answer->{totals} }[7 .. 10]], [43, 5, 3, 170], 'added up');
    my (undef, $csv) = $shop->footfall('query', 'spend', '--from', '2026-10-01', '--to', '2026-10-31', '--limit', 1, '--format', 'csv', '--config', $shop->path('footfall.toml'));
    is((split /\r\n/, $csv)[2], ',,,,,,,18.00,4,2,70.00,,other', 'the rest of it, as CSV');
};

subtest 'what came within visits, and what has no rate' => sub {
    my $shop = make_shop(toml => $toml);
    my $log = join '', map { my ($day, $minute, @rest) = @$_; line($day, $minute, @rest) }
        ([5, 0, 1, '/?utm_source=news&utm_medium=email'], [5, 1, 1, '/?utm_source=bing&utm_medium=cpc&utm_campaign=b'], [5, 2, 1, '/thanks', 'id="B-1";value=50']),
        ([5, 3, 2, '/?utm_source=yahoo&utm_medium=cpc'], [5, 4, 2, '/?utm_source=news&utm_medium=email'], [5, 5, 2, '/thanks', 'id="B-2";value=7']),
        ([6, 0, 3, '/'], [6, 1, 3, '/thanks', 'id="B-3";value=20;coupon="MAIL24"'], [6, 2, 3, '/?utm_source=bing&utm_medium=cpc&utm_campaign=b'], [6, 3, 3, '/thanks', 'id="B-4";value=5']);
    my ($code, $out, $err) = import_command($shop, 'log', '--format', $format, $shop->write('within.log', $log));
    is($code, 0, 'imported') or diag $err;
    ($code, $out, $err) = import_spend($shop, 'within.csv', <<'END');
date,channel,campaign,code,cost,currency
2026-10-05,,Nowhere2,,10,GBP
2026-10-06,direct,,,3,CHF
2026-10-05/2026-10-06,email,,,4,
2026-10-06,,,SPRING24,8,
END
    is($code, 0, 'and spend') or diag $err;
    like($out, qr{spend that nobody came by from \S+ to \S+:\n  unassigned / Nowhere2: nobody came by it: no visit had campaign "Nowhere2"; its cost of 10\.00 GBP could not be converted\n(?!  )},
        'no rate makes no visit of it') or diag $out;
    like($out, qr{spend without a rate [^:]+:\n  direct: there is no rate: its cost of 3\.00 CHF could not be converted\n}, 'nor of another') or diag $out;
    like($out, qr{paid touches without spend [^:]+:\n  paid_search / yahoo / cpc: no spend\n  paid_search / bing / cpc / b: no spend, and no visit began by it\n}, 'what came within a visit is listed') or diag $out;
    my (undef, $json) = $shop->footfall('query', 'spend', '--from', '2026-10-01', '--to', '2026-10-31', '--format', 'json', '--config', $shop->path('footfall.toml'));
    my $answer = JSON::PP::decode_json($json);
    is_deeply([map { [@$_[0, 1, 3, 6 .. 11]] } @{ $answer->{rows} }], [
        ['direct_mail', undef, undef, 'SPRING24', 8, 0, 1, 20, undef],
        ['email', undef, undef, undef, 4, 1, 1, 7, undef],
        ['direct', undef, undef, undef, undef, 1, 0, 0, 'there is no rate: its cost of 3.00 CHF could not be converted'],
        ['unassigned', undef, 'Nowhere2', undef, undef, 0, 0, 0, 'nobody came by it: no visit had campaign "Nowhere2"; its cost of 10.00 GBP could not be converted'],
        ['paid_search', 'yahoo', undef, undef, undef, 1, 0, 0, 'no spend'],
        ['paid_search', 'bing', 'b', undef, undef, 0, 2, 55, 'no spend, and no visit began by it'],
    ]) or diag explain $answer->{rows};
    is_deeply(figures($shop, by => 'campaign', metrics => 'orders,revenue')->{b}, [2, 55], 'with what queries credit it with');
    my $roi = JSON::PP::decode_json(($shop->footfall('query', 'roi', '--from', '2026-10-01', '--to', '2026-10-31', '--format', 'json', '--config', $shop->path('footfall.toml')))[1]);
    like("@{ $roi->{meta}{warnings} }", qr/paid_search has 1 visits and no spend/, 'return says so, too');
};

subtest 'told again, and taken back' => sub {
    is((import_spend($shop, 'again.csv', "date,source,medium,campaign,cost,currency\n2026-10-05,google,cpc,shoes,40,\n2026-10-07,,,,1,\n"))[0], 3, 'a row that names nothing');
    is_deeply(costs($shop)->{paid_search}, [40], 'the day is replaced');
    is((import_spend($shop, 'francs.csv', "date,channel,cost\n2026-10-07,email,4\n"))[0], 0);
    is_deeply(costs($shop)->{email}, [4], 'and so is one without a rate');
    is_deeply($shop->query(%october, metrics => 'cost')->{meta}{unconverted}, [], 'which is gone');
    like((import_command($shop, '--list'))[1], qr/spend\.csv.*again\.csv/s, 'listed');
    my ($code, $out) = import_spend($shop, 'again.csv', "date,source,medium,campaign,cost,currency\n2026-10-05,google,cpc,shoes,40,\n2026-10-07,,,,1,\n");
    like($out, qr{^nothing new: 2 lines read}m, "the same table again adds nothing") or diag $out;
    is((import_command($shop, '--undo', 2))[0], 0, 'the first is taken back');
    is_deeply(costs($shop), { paid_search => [40], email => [4] }, 'what was told later stays');
    (undef, $out) = import_spend($shop, 'spend.csv', $spend);
    my ($number) = $out =~ /^import (\d+): 5 lines, 5 days/ or diag $out;
    is_deeply(costs($shop), { paid_search => [25], paid_social => [10], direct_mail => [8] }, 'the newest holds');
    is((import_command($shop, '--undo', $number))[0], 0);
    is_deeply(costs($shop), { paid_search => [40], email => [4] }, 'the old days are back');
    is_whole($shop);
};

subtest 'without a daemon' => sub {
    my $shop = make_shop(toml => $toml);
    import_log($shop);
    is((import_spend($shop, 'spend.csv', $spend))[0], 3);
    is_deeply(costs($shop), { paid_search => [25], paid_social => [10], direct_mail => [8] }, 'the same figures');
    is((import_spend($shop, 'rates.csv', "date,channel,cost,currency\n2026-10-07,email,3,CHF\n"))[0], 0);
    is((import_command($shop, 'rates', $shop->write('r.csv', "date,currency,rate\n2026-10-07,CHF,2\n")))[0], 0, 'a rate of the day');
    is((import_spend($shop, 'later.csv', "date,channel,cost,currency\n2026-10-07,email,3,CHF\n2026-10-06,email,3,CHF\n"))[0], 0);
    is_deeply(costs($shop)->{email}, [6], 'holds for what is told from then on');
    is_whole($shop);
};

subtest 'dialects' => sub {
    my $shop = make_shop(toml => $toml);
    my %tables = (
        ga4 => "utm_id,utm_source,utm_medium,utm_campaign,date,cost,clicks,impressions\nc1,google,cpc,shoes,20261005,12.50,5,100\n",
        yandex => "Date,UTMSource,UTMMedium,UTMCampaign,UTMTerm,UTMContent,Expenses,Clicks,Currency\n2026-10-05,google,cpc,shoes,,,25,5,USD\n",
        posthog => "date\tcampaign_name\tsource_name\ttotal_cost\tclicks\timpressions\tmedium\n2026-10-05\tshoes\tgoogle\t12.5\t5\t100\tcpc\n",
    );
    for my $name (sort keys %tables) {
        my ($code, undef, $err) = import_spend($shop, "$name.csv", $tables{$name}, '--site', $name);
        is($code, 0, $name) or diag $err;
        is_deeply(figures($shop, site => $name, by => 'campaign', metrics => 'cost,clicks'), { shoes => [12.5, 5] }, "$name is read");
    }
};

subtest 'tables off their form' => sub {
    my $shop = make_shop(toml => $toml);
    my $refused = sub ($name, $table) { my ($code, $out, $err) = import_spend($shop, "$name.csv", $table); "$code $err" };
    like($refused->(missing => "date,source,medium\n2026-10-05,google,cpc\n"), qr/^1 .*missing\.csv:1: the header names no column cost; right would be: date,channel/);
    like($refused->(twice => "date,source,cost,Cost\n2026-10-05,google,1,2\n"), qr/^1 .*the header has two columns cost/);
    like($refused->(keyless => "date,cost\n2026-10-05,1\n"), qr/^1 .*names nothing that was paid for/);
    like($refused->(empty => ''), qr/^1 .*is empty/);
    my $long = 'x' x 10_000_000;
    my ($code, undef, $err) = import_spend($shop, 'hostile.csv', join "\n", 'date,source,campaign,cost,clicks',
        '2026-10-05,google,=1+2,1e300,5', '2026-10-05,google,a,-5,5', '2026-10-05,google,a,999999999999999999999999,5',
        '2026-10-05,google,a,1,99999999999999999999', "2026-10-05,\x00\x00,a,1,5", "2026-10-05,\xe9\xff,\@SUM(A1),2,5",
        "2026-10-05,google,$long,4,5", '2026-10-05,google', '2226-10-05,google,a,1,5', '2026-10-05,google,=cmd,8,5',
        '0001-01-01/9999-12-31,google,a,1,5', '');
    is($code, 3, 'rows are rejected, the others taken');
    like($err, qr/hostile\.csv:2: "1e300" is no cost; right would be 1234\.50/);
    like($err, qr/hostile\.csv:5: "9+" is no number of clicks/);
    like($err, qr/8 lines rejected/) or diag $err;
    like($err, qr/8 lines rejected:.* 3 is no cost;/s, "a reason is counted whatever was told") or diag $err;
    is($shop->query_by_command(%october, metrics => 'cost')->{totals}[0], 11, 'the rest is there');
    my (undef, $csv) = $shop->footfall('query', '--by', 'campaign', '--metrics', 'cost', '--from', '2026-10-01', '--to', '2026-10-31', '--format', 'csv', '--config', $shop->path('footfall.toml'));
    like($csv, qr/^'=cmd,8\.00,row\r$/m, 'no formula gets out');
    is_whole($shop);
};

subtest 'killed in the midst, with and without a daemon' => sub {
    my @rows = ('date,source,medium,campaign,cost,clicks', map { my $key = $_; map { sprintf '2026-%02d-01/2026-%02d-28,google,cpc,c%d,%d.%02d,%d', $_, $_, $key, $key % 97, $_, $key } 1 .. 10 } 1 .. 120);
    my $table = join "\n", @rows, '';
    my %year = (from => '2026-01-01', to => '2026-10-31', by => 'month', metrics => 'cost,clicks');
    my $good = make_shop(toml => $toml);
    is((import_spend($good, 'year.csv', $table))[0], 0, 'one good run');
    my $expected = $good->query_by_command(%year)->{rows};
    for my $daemon (0, 1) {
        my $shop = $daemon ? open_shop(toml => $toml) : make_shop(toml => $toml);
        my $path = $shop->write('year.csv', $table);
        srand 7;
        for my $round (1 .. 6) {
            my $pid = fork // die;
            if ($pid == 0) {
                open STDOUT, '>', '/dev/null';
                open STDERR, '>', '/dev/null';
                exec $shop->build . '/footfall', 'import', 'spend', '--config', $shop->path('footfall.toml'), $path;
            }
            select undef, undef, undef, rand 0.5;    # the place is random, nothing is waited for
            $shop->end('aggregator', 'KILL') if $daemon && $round % 3 == 0;
            kill KILL => $pid;
            waitpid $pid, 0;
            $shop->start_aggregator if $daemon && $round % 3 == 0;
        }
        my ($code, undef, $err) = import_command($shop, 'spend', $path);
        is($code, 0, 'the last run ends well') or diag $err;
        is_deeply($shop->query_by_command(%year)->{rows}, $expected, 'with the figures of one run') or diag explain $shop->query_by_command(%year)->{rows};
        is_whole($shop);
    }
};

close_shops();
