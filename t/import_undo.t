# `footfall import --undo N`: an import's figures are gone from every answer, those of the others stay, and its files can be
# imported again.
use v5.36;
use lib 't/lib';
use Footfall::Test;

my $browser = 'Mozilla/5.0 (X11; Linux x86_64; rv:128.0) Gecko/20100101 Firefox/128.0';
my $toml = <<'END';
[site.shop]
hosts = ["shop.example"]
[[site.shop.goal]]
name = "welcomed"
path = "/welcome"
END

my $format = '$remote_addr [$time_local] "$request" $status "$http_referer" "$http_user_agent" "$footfall_events"';

# A line at that time of 1 January 2026. `order` is [id, value].
sub line ($time, $visitor, $path, %o) {
    my $event = $o{order} ? sprintf('purchase;id=\x22%s\x22;value=%s', @{ $o{order} }) : '-';
    return sprintf qq{192.0.2.%d [01/Jan/2026:%s +0000] "GET %s HTTP/1.1" %d "%s" "%s" "%s"\n}, $visitor, $time, $path,
        $o{status} // 200, $o{referrer} // '-', $browser, $event;
}

my @morning = (
    line('09:00:00', 1, '/?utm_source=news&utm_medium=email&utm_campaign=january'),
    line('09:01:00', 1, '/cup'),
    line('09:02:00', 1, '/thank-you', order => ['A1', '20.00']),
    line('09:05:00', 2, '/welcome', referrer => 'https://www.google.com/'),
    line('09:06:00', 3, '/gone', status => 404),
);
my @evening = (
    line('19:00:00', 1, '/cup', referrer => 'https://blog.example/'),
    line('19:01:00', 1, '/thank-you', order => ['A2', '30.00']),
    line('19:05:00', 4, '/bowl'),
);

sub import_command ($shop, @arguments) { $shop->footfall('import', @arguments, '--config', $shop->path('footfall.toml')) }

sub import_lines ($shop, $name, @lines) {
    my ($code, $out, $err) = import_command($shop, 'log', '--format', $format, $shop->write($name, join '', @lines));
    $code == 0 or diag $err;
    return $out;
}

sub undo ($shop, $number) { import_command($shop, '--undo', $number) }

my @asked = (
    {},
    { by => 'channel', metrics => 'visits,visitors,pageviews,orders,revenue,conversions' },
    { by => 'channel', metrics => 'orders,revenue', model => 'first' },
    { by => 'page', metrics => 'hits,pageviews,visits,entries,exits,bounces,errors_4xx' },
    { by => 'entry_page', metrics => 'visits,bounces,pageviews,exits' },
    { by => 'exit_page', metrics => 'visits,bounces,pageviews,entries' },
    { by => 'day', metrics => 'hits,visits,orders,revenue' },
    { by => 'goal', metrics => 'conversions,goal_value' },
    { by => 'device', metrics => 'hits,visits' },
);

# What is told about all of it, by every kind of question.
sub figures ($shop) {
    return [map {
        my $answer = $shop->query_by_command(range => 'all', metrics => 'hits,visits,visitors,pageviews,bounces,events,orders,revenue,conversions', %$_);
        [@$answer{qw(rows totals other)}];
    } @asked];
}

sub figures_of_a_shop_with (@imports) {
    my $shop = make_shop(toml => $toml);
    import_lines($shop, "$_.log", @{ $imports[$_] }) for 0 .. $#imports;
    return figures($shop);
}

my $only_morning = figures_of_a_shop_with(\@morning);
my $only_evening = figures_of_a_shop_with(\@evening);
my $both = figures_of_a_shop_with(\@morning, \@evening);
isnt($both->[0][1][0], $only_morning->[0][1][0], 'the figures can tell them apart');

subtest 'the last import' => sub {
    my $shop = make_shop(toml => $toml);
    import_lines($shop, 'morning.log', @morning);
    import_lines($shop, 'evening.log', @evening);
    my ($code, $out, $err) = undo($shop, 2);
    is($code, 0, 'it is undone') or diag $err;
    like($out, qr/^import 2 is undone/, 'and says so');
    is_deeply(figures($shop), $only_morning, 'only what was before it is told');
    ($code, $out) = import_command($shop, '--list');
    like($out, qr/^\s+2\s.*evening\.log \(undone\)$/m, 'the list keeps it as undone');
    like(import_lines($shop, 'evening.log', @evening), qr/^import 3: 3 lines, 3 hits$/m, 'its file can be imported again, in full');
    is_deeply(figures($shop), $both, 'with the figures of before');
};

subtest 'the first of two' => sub {
    my $shop = make_shop(toml => $toml);
    import_lines($shop, 'morning.log', @morning);
    import_lines($shop, 'evening.log', @evening);
    is((undo($shop, 1))[0], 0, 'it is undone');
    is_deeply(figures($shop)->[$_], $only_evening->[$_], "the later one stays: question $_") for grep { $_ != 1 && $_ != 2 } 0 .. $#asked;
    my $channels = $shop->query_by_command(range => 'all', by => 'channel', metrics => 'visits,orders', model => 'last');
    is_deeply([sort { $a->[0] cmp $b->[0] } @{ $channels->{rows} }], [['direct', 1, 0], ['referral', 1, 1]], 'by channel too');
    import_lines($shop, 'morning.log', @morning);
    is($shop->query_by_command(range => 'all', metrics => 'orders')->{totals}[0], 2, 'an order that went may come again');
    is((undo($shop, 3))[0], 0, 'and go again');
    is((undo($shop, 2))[0], 0, 'the other one too');
    is_deeply($shop->query_by_command(range => 'all', metrics => 'visits,orders', by => 'channel')->{rows}, [], 'then nothing is left');
};

subtest 'touches of what was undone give no credit' => sub {
    my $shop = make_shop(toml => $toml);
    my $news = $shop->write('news.log', line('09:00:00', 1, '/?utm_source=news&utm_medium=email'));
    my $order = $shop->write('order.log', line('15:00:00', 1, '/thank-you', order => ['B1', '5.00']));
    import_command($shop, 'log', '--format', $format, '--visitors', 'all', $news);
    is((undo($shop, 1))[0], 0, 'the arrival is undone');
    import_command($shop, 'log', '--format', $format, '--visitors', 'all', $order);
    is_deeply($shop->query_by_command(range => 'all', by => 'channel', metrics => 'orders')->{rows}, [['direct', 1]], 'the order is not its');
};

subtest 'a visit that goes over from one import into the next' => sub {
    my @first = (line('10:00:00', 1, '/a'), line('10:01:00', 2, '/b'));
    my @second = (line('10:10:00', 1, '/c'), line('10:11:00', 1, '/thank-you', order => ['C1', '9.00']));
    my $whole = figures_of_a_shop_with([@first, @second]);
    my $alone = figures_of_a_shop_with(\@first);
    my $shop = make_shop(toml => $toml);
    import_lines($shop, 'first.log', @first);
    import_lines($shop, 'second.log', @second);
    is_deeply(figures($shop), $whole, 'is one visit');
    undo($shop, 2);
    is_deeply(figures($shop), $alone, 'undo the second: it is as it was before');
    import_lines($shop, 'second.log', @second);
    is_deeply(figures($shop), $whole, 'import it again: whole again');
    undo($shop, 1);
    my $totals = $shop->query_by_command(range => 'all', metrics => 'hits,visits,visitors,pageviews,entries,exits,bounces,orders')->{totals};
    is_deeply($totals, [2, 1, 1, 2, 1, 1, 0, 1], 'undo the first: one visit is left, with what the second brought');
    for my $by (qw(channel entry_page exit_page device)) {
        my $answer = $shop->query_by_command(range => 'all', by => $by, metrics => 'visits,pageviews,bounces');
        my @sum = map { my $column = $_; my $sum = 0; $sum += $_->[$column] // 0 for @{ $answer->{rows} }; $sum } 1 .. 3;
        is_deeply(\@sum, [1, 2, 0], "by $by the rows add up to it");
    }
};

subtest 'a file that another import went on with' => sub {
    my $shop = make_shop(toml => $toml);
    import_lines($shop, 'access.log', @morning);
    import_lines($shop, 'access.log', @morning, @evening);
    my ($code, undef, $err) = undo($shop, 1);
    is($code, 1, 'the first is not undone');
    like($err, qr/import 2 goes on in a file where import 1 ended: undo that one first/, 'it says what to do');
    import_lines($shop, 'access.log', @morning, @evening);
    is((undo($shop, 2))[0], 0, 'the second is');
    is_deeply(figures($shop), $only_morning, 'and the first stays');
    import_lines($shop, 'access.log', @morning, @evening);
    is_deeply(figures($shop), $both, 'imported again it goes on where the first ended');
    undo($shop, 3);
    is((undo($shop, 1))[0], 0, 'then the first one can go');
    import_lines($shop, 'access.log', @morning, @evening);
    is_deeply(figures($shop), $both, 'and all of the file comes again');
};

subtest 'beside a daemon' => sub {
    my $shop = open_shop(toml => $toml);
    $shop->get('/');
    $shop->settle;
    import_lines($shop, 'morning.log', @morning);
    import_lines($shop, 'evening.log', @evening);
    is($shop->query_by_command(range => 'all', metrics => 'hits')->{totals}[0], 9, 'live and imported');
    my ($code, $out, $err) = undo($shop, 1);
    is($code, 0, 'the daemon undoes it') or diag $err;
    is($shop->query_by_command(range => 'all', metrics => 'hits')->{totals}[0], 4, 'its hits are gone, live ones stay');
    is($shop->query_by_command(range => 'all', metrics => 'orders')->{totals}[0], 1, 'so are its orders');
    $shop->get('/more');
    $shop->settle;
    import_lines($shop, 'morning.log', @morning);
    is($shop->query_by_command(range => 'all', metrics => 'hits,orders')->{totals}[$_], (10, 2)[$_], 'it counts on') for 0, 1;
};

subtest 'killed at any place and run again' => sub {
    my $shop = make_shop(toml => $toml);
    my @many = map { line(sprintf('%02d:%02d:%02d', 8 + $_ / 3600, $_ / 60 % 60, $_ % 60), 1 + $_ % 199, "/p" . $_ % 97) } 1 .. 8000;
    import_lines($shop, 'evening.log', @evening);
    import_lines($shop, 'many.log', @many);
    srand 11;
    my $code = -1;
    for (1 .. 8) {
        my $pid = fork // die;
        if ($pid == 0) {
            open STDOUT, '>', '/dev/null';
            open STDERR, '>', '/dev/null';
            exec $shop->build . '/footfall', 'import', '--undo', 2, '--config', $shop->path('footfall.toml');
        }
        select undef, undef, undef, rand 0.12;
        kill KILL => $pid;
        waitpid $pid, 0;
    }
    ($code, my $out, my $err) = undo($shop, 2);
    ok($code == 0 || $err =~ /is undone already/, 'the last run ends well') or diag $err;
    is_deeply(figures($shop), $only_evening, 'it is undone, once');
    my ($listed) = (import_command($shop, '--list'))[1];
    like($listed, qr/many\.log \(undone\)$/m, 'and listed so');
    like(import_lines($shop, 'many.log', @many), qr/8000 hits/, 'the file can be imported again');
};

subtest 'what cannot be undone' => sub {
    my $shop = make_shop(toml => $toml);
    my ($code, undef, $err) = undo($shop, 1);
    is($code, 1, 'nothing was ever imported');
    import_lines($shop, 'morning.log', @morning);
    import_lines($shop, 'evening.log', @evening);
    ($code, undef, $err) = undo($shop, 7);
    is($code, 1, 'a number that is none');
    like($err, qr/no import 7; there are 1, 2/, 'the known ones are named');
    undo($shop, 1);
    ($code, undef, $err) = undo($shop, 1);
    is($code, 1, 'one that is undone');
    like($err, qr/import 1 is undone already; there are 2/, 'is named, and the others');
    ($code) = undo($shop, 'two');
    is($code, 2, 'a word is wrong usage');
};

# Commands so many days later.
my $shim;
sub days_later ($shop, $days, $do) {
    $shim //= $shop->path('clock.so');
    -e $shim or system('cc', '-O1', '-shared', '-fPIC', '-o', $shim, Footfall::Shop->root . '/t/data/die_at.c', '-ldl') == 0 or die 'cc';
    local @ENV{qw(LD_PRELOAD FOOTFALL_CLOCK)} = ($shim, $shop->write('clock' => pack 'q', 1000 * (time + 86_400 * $days)));
    return $do->();
}

subtest 'after 30 days' => sub {
    my $shop = make_shop(toml => $toml);
    import_lines($shop, 'morning.log', @morning);
    my ($code, $out, $err) = days_later($shop, 29, sub { import_command($shop, '--list') });
    unlike($out, qr/for good/, 'it may go before');
    ($code, $out, $err) = days_later($shop, 31, sub { import_command($shop, '--list') });
    like($out, qr/morning\.log \(for good\)$/m, 'the list says so');
    ($code, $out, $err) = days_later($shop, 31, sub { undo($shop, 1) });
    is($code, 1, 'it is not undone any more');
    like($err, qr/import 1 ended on \d{4}-\d\d-\d\d: an import can be undone for 30 days/, 'it says when it ended');
    is_deeply(figures($shop), $only_morning, 'nothing has changed');
};

subtest 'what was asked in time is finished later' => sub {
    my $shop = make_shop(toml => $toml);
    my @many = map { line(sprintf('%02d:%02d:%02d', 8 + $_ / 3600, $_ / 60 % 60, $_ % 60), 1 + $_ % 199, "/p" . $_ % 97) } 1 .. 8000;
    import_lines($shop, 'many.log', @many);
    my $asked = 0;
    for my $point (1 .. 60) {    # until it was asked, and is not done
        days_later($shop, 0, sub {
            local @ENV{qw(FOOTFALL_STORE FOOTFALL_DIE)} = ($shop->store . '/', "$point:after");
            undo($shop, 1);
        });
        last if (import_command($shop, '--list'))[1] =~ /undone/;
        my ($code, undef, $err) = import_command($shop, 'log', '--format', $format, $shop->write('one.log', ''));
        last if $asked = $err =~ /half undone/;
    }
    ok($asked, 'it was cut off between');
    my ($code, $out, $err) = days_later($shop, 50, sub { undo($shop, 1) });
    is($code, 0, 'it goes on') or diag $err;
    is($shop->query_by_command(range => 'all', metrics => 'hits')->{totals}[0], 0, 'and is undone');
};

sub is_whole ($shop, $when) {
    my ($code, $out, $err) = $shop->footfall('check', '--store', $shop->store);
    is($code, 0, "$when, all adds up") or diag $out, $err;
}

# Tables: orders, and what came to them.
my %tables = (
    orders => "id,date,value,items\nT-1,2026-01-02 10:00,50.00,\nT-2,2026-01-02 11:00,30.00,cup:2:5 bowl:1:20\n",
    refunds => "order_id,date,value\nT-1,2026-01-03,20\nT-2,2026-01-04,\n",
    more => "order_id,date,value\nT-1,2026-01-05,\n",
);
sub import_table ($shop, $kind, $name) {
    my ($code, $out, $err) = import_command($shop, $kind, $shop->write("$name.csv", $tables{$name}));
    return is($code, 0, "$name are imported") || diag $err;
}
sub money ($shop) {
    my $answer = $shop->query_by_command(from => '2026-01-01', to => '2026-01-31', by => 'day', metrics => 'orders,revenue,refunds,revenue_net');
    return { map { my ($day, @figures) = @$_; $day => [map { $_ + 0 } @figures] } grep { grep { $_ } @$_[1 .. 4] } @{ $answer->{rows} } };
}
my %sold = ('2026-01-02' => [2, 80, 0, 80]);
my %refunded = ('2026-01-03' => [0, 0, 20, -20], '2026-01-04' => [0, 0, 30, -30]);

subtest 'orders that others told something of' => sub {
    for my $beside (0, 1) {
        my $shop = $beside ? open_shop(toml => $toml) : make_shop(toml => $toml);
        $shop->get('/'), $shop->settle if $beside;
        import_table($shop, orders => 'orders');
        import_table($shop, refunds => 'refunds');
        import_table($shop, refunds => 'more');
        is_deeply(money($shop), { %sold, %refunded, '2026-01-05' => [0, 0, 30, -30] }, 'all is told');
        is((undo($shop, 2))[0], 0, 'the first refunds are undone');
        is_deeply(money($shop), { %sold, '2026-01-05' => [0, 0, 50, -50] }, 'what is left goes back with the other one');
        import_table($shop, refunds => 'refunds');
        is_deeply(money($shop), { %sold, '2026-01-04' => [0, 0, 30, -30], '2026-01-05' => [0, 0, 50, -50] }, 'nothing is left for those that come later');
        is((undo($shop, 1))[0], 0, 'the orders are undone');
        is_deeply(money($shop), {}, 'nothing is refunded of what was not sold');
        is_whole($shop, 'then');
        import_table($shop, orders => 'orders');
        is_deeply(money($shop), { %sold, '2026-01-04' => [0, 0, 30, -30], '2026-01-05' => [0, 0, 50, -50] }, 'until it is told again');
        is_whole($shop, 'again');
        next if !$beside;
        $shop->stop_aggregator;
    }
};

subtest 'orders that others told something of, killed at any place' => sub {
    my $shop = make_shop(toml => $toml);
    import_table($shop, @$_) for [orders => 'orders'], [refunds => 'refunds'];
    my $deaths = 0;
    for my $point (1 .. 100) {
        my ($code) = days_later($shop, 0, sub {
            local @ENV{qw(FOOTFALL_STORE FOOTFALL_DIE)} = ($shop->store . '/', $point . ':' . (qw(before half after))[$point % 3]);
            return undo($shop, 1);
        });
        last if $code ne 'signal 9';
        $deaths++;
        my $now = money($shop);
        is_deeply($now, %$now ? { %sold, %refunded } : {}, "died at point $point: all of it or nothing");
    }
    cmp_ok($deaths, '>', 5, 'it died often');
    my ($code, undef, $err) = undo($shop, 1);
    ok($code == 0 || $err =~ /is undone already/, 'the last run ends well') or diag $err;
    is_deeply(money($shop), {}, 'it is undone');
    is_whole($shop, 'then');
    import_table($shop, orders => 'orders');
    is_deeply(money($shop), { %sold, %refunded }, 'told again, refunded once');
};

subtest 'what is for good becomes one, killed at any place' => sub {
    my $shop = make_shop(toml => $toml);
    my @many = map { line(sprintf('%02d:%02d:%02d', 8 + $_ / 3600, $_ / 60 % 60, $_ % 60), 1 + $_ % 199, "/p" . $_ % 97, $_ % 50 ? () : (order => ["M$_", 1])) } 1 .. 8000;
    import_lines($shop, "many$_.log", @many[($_ - 1) * 2666 .. $_ * 2666 - 1]) for 1 .. 3;
    my $before = figures($shop);
    is_whole($shop, 'before');
    srand 12;
    days_later($shop, 45, sub {
        for (1 .. 6) {
            my $pid = fork // die;
            if ($pid == 0) {
                open STDOUT, '>', '/dev/null';
                open STDERR, '>', '/dev/null';
                exec $shop->build . '/footfall', qw(aggregate --once --config), $shop->path('footfall.toml');
            }
            select undef, undef, undef, rand 0.12;
            kill KILL => $pid;
            waitpid $pid, 0;
        }
        my ($code, $out, $err) = $shop->footfall(qw(aggregate --once --config), $shop->path('footfall.toml'));
        is($code, 0, 'a run ends well') or diag $err;
    });
    is_deeply(figures($shop), $before, 'figures are what they were');
    is_whole($shop, 'then');
    my ($code, undef, $err) = undo($shop, 2);
    is($code, 1, 'no clock can bring back what is one by now');
    like($err, qr/the figures of import 2 are for good/, 'it says so');
    like(import_lines($shop, 'many2.log', @many[2666 .. 5331]), qr/^nothing new/, 'files stay known');
    import_lines($shop, 'evening.log', @evening);
    is((undo($shop, 4))[0], 0, 'a later import can be undone');
    is_deeply(figures($shop), $before, 'and leaves what was before it');
    is_whole($shop, 'after it');
};

close_shops();
