# `footfall aggregate --once` counts what is there and ends, whoever runs beside it. And what a command says to wrong input.
use v5.36;
use lib 't/lib';
use Footfall::Test;
use JSON::PP;

sub once ($shop) { my ($code, undef, $err) = $shop->footfall('aggregate', '--once', '--config', $shop->path('footfall.toml')); return "$code$err" }
sub hits ($shop) { $shop->query_by_command(metrics => 'hits')->{totals}[0] }

subtest 'beside running workers' => sub {
    # Nothing leaves the stages by itself for so long.
    my $shop = make_shop(workers => 2, store => 'flush=10s');
    $shop->start_nginx;
    $shop->burst(map { ['GET', '/', from => $_] } 1 .. 20);
    my @newest = grep { defined } map { $_->{newest} } @{ $shop->health->{capture}{lanes} };
    is("@newest", '', 'all hits are in the stages of workers that live');
    is(once($shop), '0', '--once ends well, and says nothing');
    is_deeply($shop->query_by_command(metrics => 'hits,visits,pageviews')->{totals}, [20, 20, 20], 'and has counted them');
    is(once($shop), '0', 'again');
    is(hits($shop), 20, 'adds nothing');

    $shop->get('/cup', from => $_) for 1 .. 5;
    is(once($shop), '0', 'what came since');
    is_deeply($shop->query_by_command(metrics => 'hits,visits,pageviews')->{totals}, [25, 20, 25], 'is counted into the visits that are open');
    is_deeply($shop->query(metrics => 'hits')->{totals}, [25], 'the status location says the same');

    $shop->kill_nginx;
    is(once($shop), '0', 'after all of nginx was killed');
    is(hits($shop), 25, 'no more are there');
    $shop->start_nginx;
    $shop->get('/bowl', from => 30);
    $shop->stop_nginx;
    is(once($shop), '0', 'with nginx gone');
    is_deeply($shop->query_by_command(metrics => 'hits,visits')->{totals}, [26, 21], 'what it left in a stage is counted');
    $shop->start_nginx;
    $shop->start_aggregator;
    is_totals($shop, { hits => 26, visits => 21, pageviews => 26, late_hits => 0 }, 'a daemon goes on from there');
};

subtest 'beside a daemon' => sub {
    my $shop = open_shop();
    $shop->get('/');
    $shop->settle;
    like(once($shop), qr{^1.*/writer is held by process \d+}s, 'it is refused');
    is(hits($shop), 1, 'and changes nothing');
};

subtest 'before the first nginx' => sub {
    my $shop = make_shop();
    is(once($shop), '0', 'it makes the store');
    is(hits($shop), 0, 'a query has figures, of nothing');
    $shop->start_nginx;
    $shop->get('/');
    is(once($shop), '0', 'workers can use that store');
    is(hits($shop), 1, 'though another user made it');
};

subtest 'the same hits give the same figures, in one go or in many' => sub {
    my %query = (by => 'page', metrics => 'hits,pageviews,entries,exits,bounces');
    my @totals = map {
        my $pauses = $_;
        my $shop = make_shop();
        $shop->start_nginx;
        for my $visitor (1 .. 6) {
            $shop->get($_, from => $visitor) for ('/', '/cup', '/bowl')[0 .. $visitor % 3];
            once($shop) if $pauses;
        }
        is(once($shop), '0', 'counted');
        my $answer = $shop->query_by_command(%query);
        json_text([[sort { $a->[0] cmp $b->[0] } @{ $answer->{rows} }], $answer->{totals}]);
    } 0, 1;
    is($totals[0], $totals[1], 'row by row');
};

subtest 'a wrong footfall.toml is refused with file, line and what would be right' => sub {
    my $shop = make_shop();
    my $file = $shop->path('footfall.toml');
    my @lines = (
        'store = "{folder}/store"', 'stor = "x"', '[site.shop]', 'timezon = "Europe/Berlin"', 'timezone = "Mars/Olympus"', 'currency = "euro"',
        'lookback = "45d"', 'margin = 3', 'visit_gap = "soon"', 'exclude = ["10.0.0.0/99"]', '[[site.shop.code]]', 'channel = "print"', '[rates]',
        'USD = "0.92"', '[retention]', 'minute = "never"',
    );
    my @faults = (
        [2, 'stor is unknown; did you mean "store"?'],
        [4, 'site.shop.timezon is unknown; did you mean "timezone"?'],
        [5, 'site.shop.timezone is "Mars/Olympus"; it must be a name of the time zone database, as "Europe/Berlin"'],
        [6, 'site.shop.currency is "euro"; it must be three capital letters, as "EUR"'],
        [7, 'site.shop.lookback is "45d"; it must be one of 1d, 7d, 30d, 90d'],
        [8, 'site.shop.margin is 3; it must be a number from 0 to 1, as 0.35'],
        [9, 'site.shop.visit_gap is "soon"; it must be a duration from 1s to 1d, as "30m"'],
        [10, 'site.shop.exclude has "10.0.0.0/99"; it must be a list of addresses or ranges of them, as ["10.0.0.0/8", "2001:db8::/32"]'],
        [11, 'site.shop.code has no code; it must have one, as code = "SPRING24"'],
        [14, 'rates.USD is "0.92"; it must be a number'],
        [16, 'retention.minute is "never"; it must be a duration of at least 1h or "forever", as "2d"'],
    );
    $shop->write('footfall.toml' => $shop->fill(join "\n", @lines, ''));
    my $wanted = join '', map { "$file:$_->[0]: $_->[1]\n" } @faults;
    my ($code, $out, $err) = $shop->footfall('config', 'test', '--config', $file);
    is($code, 1, 'config test');
    is($err, $wanted, 'tells every fault');
    for my $command (['aggregate'], ['aggregate', '--once'], ['query']) {
        ($code, $out, $err) = $shop->footfall(@$command, '--config', $file);
        is($code, 1, "@$command");
        is($err, $wanted, 'does not begin');
    }
    ok(!-e $shop->store, 'no store is made');

    $shop->write('footfall.toml' => "store = \"/x\"\n[site.shop\n");
    ($code, $out, $err) = $shop->footfall('config', 'test', '--config', $file);
    like("$code $err", qr{^1 \Q$file\E:2: off TOML's grammar}, 'what is no TOML');
    $shop->write_configuration;
    ($code, $out, $err) = $shop->footfall('config', 'test', '--config', $file);
    is("$code $out$err", "0 $file: well formed; 1 site, store " . $shop->store . "\n", 'a right one');
};

subtest 'wrong usage' => sub {
    my $shop = make_shop();
    my $nowhere = $shop->path('none.toml');
    my %wanted = (
        '' => 2, 'frobnicate' => 2, 'aggregate --frob' => 2, 'config' => 2, "query --config $nowhere" => 1, "aggregate --config $nowhere" => 1,
        "config test --config $nowhere" => 1, "query --store @{[$shop->store]}" => 1, "query --store @{[$shop->store]} --by" => 2,
    );
    for my $arguments (sort keys %wanted) {
        my ($code, $out, $err) = $shop->footfall(split ' ', $arguments);
        is($code, $wanted{$arguments}, "footfall $arguments" =~ s/\Q$shop->{folder}//r);
        isnt($err, '', '  says why');
    }
    my ($code, $out) = $shop->footfall('--version');
    like("$code $out", qr/^0 .*\d+\.\d+\.\d+/, 'which version it is');
};
close_shops();
