# `footfall import log`: an old log gives the figures that its visitors would have given live, once, however often and in
# however many pieces it is imported.
use v5.36;
use lib 't/lib';
use Footfall::Logs qw(combined_line);
use Footfall::Test;

my $start_s = 1_767_258_000;    # 2026-01-01 09:00:00 UTC

# One line of a combined log, `after` seconds later than nine o'clock.
sub line ($after, @of) { combined_line($start_s + $after, @of) }

# Five visits of four people, and a robot: worked out by hand below.
my @lines = (
    line(0,    1, '/',      referrer => 'https://www.google.com/'),
    line(5,    1, '/app.css'),
    line(20,   2, '/?utm_source=news&utm_medium=email&utm_campaign=january'),
    line(30,   1, '/cup',   referrer => 'https://shop.example/'),
    line(40,   3, '/cup',   referrer => 'https://blog.example/best-cups'),
    line(45,   9, '/',      agent => 'Mozilla/5.0 (compatible; Googlebot/2.1; +http://www.google.com/bot.html)'),
    line(50,   2, '/gone',  status => 404),
    line(60,   4, '/'),
    line(90,   1, '/cart',  referrer => 'https://shop.example/cup'),
    line(3000, 1, '/cup'),                              # 48 min 30 s later: another visit
    line(3060, 4, '/bowl'),                             # 50 min later: another one too
);
my $toml = qq{[site.shop]\nhosts = ["shop.example"]\n};
my %expected = (hits => 11, visits => 6, visitors => 4, pageviews => 8, bounces => 5, bot_hits => 1, errors_4xx => 1);
my %channels = (direct => 3, email => 1, organic_search => 1, referral => 1);

sub import_log ($shop, @arguments) { $shop->footfall('import', 'log', '--config', $shop->path('footfall.toml'), @arguments) }

sub figures ($shop) {
    my @names = sort keys %expected;
    my $totals = $shop->query_by_command(range => 'all', metrics => join ',', @names)->{totals};
    return { map { $names[$_] => $totals->[$_] } 0 .. $#names };
}

sub by_channel ($shop) {
    return { map { $_->[0] => $_->[1] } @{ $shop->query_by_command(range => 'all', by => 'channel', metrics => 'visits')->{rows} } };
}

subtest 'a log, and again' => sub {
    my $shop = make_shop(toml => $toml);
    my $log = $shop->write('access.log', join '', @lines);
    my ($code, $out, $err) = import_log($shop, $log);
    is($code, 0, 'it is imported') or diag $err;
    like($out, qr/^import 1: 11 lines, 11 hits$/m, 'it says what was done');
    is_deeply(figures($shop), \%expected, 'the figures are those counted by hand');
    is_deeply(by_channel($shop), \%channels, 'each visit under its channel');

    ($code, $out) = import_log($shop, $log);
    is($code, 0, 'again');
    like($out, qr/^nothing new/, 'it says that nothing is new');
    is_deeply(figures($shop), \%expected, 'and adds nothing');
    ($code, $out) = $shop->footfall('import', '--list', '--config', $shop->path('footfall.toml'));
    like($out, qr/^\s+1\s.*\s11\s.*access\.log$/m, 'the list has it once');
    unlike($out, qr/^\s+2\s/m, 'and no more');
};

subtest 'in pieces: a log that grows, is rotated and packed' => sub {
    my $shop = make_shop(toml => $toml);
    $shop->write('access.log', join '', @lines[0 .. 3]);
    import_log($shop, $shop->path('access.log'));
    $shop->write('access.log', join '', @lines[0 .. 8]);
    import_log($shop, $shop->path('access.log'));
    is($shop->query_by_command(range => 'all', metrics => 'hits')->{totals}[0], 9, 'what was added to it is counted, and only that');
    rename $shop->path('access.log'), $shop->path('access.log.1');
    system('gzip', $shop->path('access.log.1')) == 0 or die 'gzip';
    $shop->write('access.log', join '', @lines[9 .. 10]);
    my ($code) = import_log($shop, $shop->path('access.log.1.gz'), $shop->path('access.log'));
    is($code, 0, 'the packed one and the new one');
    is_deeply(figures($shop), \%expected, 'give the same figures');
};

subtest 'several files, merged by time, out of order by some seconds' => sub {
    my $shop = make_shop(toml => $toml);
    my @mixed = @lines[2, 0, 1, 4, 3, 5, 6, 8, 7, 9, 10];
    $shop->write('a.log', join '', @mixed[grep { $_ % 2 } 0 .. 10]);
    $shop->write('b.log', join '', @mixed[grep { !($_ % 2) } 0 .. 10]);
    system('zstd', '-q', '--rm', $shop->path('b.log')) == 0 or system('gzip', $shop->path('b.log')) == 0 or die 'pack';
    my ($packed) = grep { -e } map { $shop->path("b.log.$_") } qw(zst gz);
    my ($code, undef, $err) = import_log($shop, $shop->path('a.log'), $packed);
    is($code, 0, 'imported') or diag $err;
    is_deeply(figures($shop), \%expected, 'the same figures');
    is_deeply(by_channel($shop), \%channels, 'the same channels');
};

subtest 'beside a daemon' => sub {
    my $shop = open_shop(toml => $toml);
    $shop->get('/');
    $shop->settle;
    my ($code, $out, $err) = import_log($shop, $shop->write('access.log', join '', @lines));
    is($code, 0, 'imported') or diag $err;
    my %both = %expected;
    $both{$_} += 1 for qw(hits visits visitors pageviews bounces);
    is_deeply(figures($shop), \%both, 'what came live and what was imported');
};

subtest 'lines at or after the first live hit are live already' => sub {
    my $shop = open_shop(toml => $toml);
    $shop->get('/');
    $shop->settle;
    my $later = line(time + 5 - $start_s, 7, '/late');
    my ($code, $out) = import_log($shop, $shop->write('access.log', join '', @lines, $later));
    like($out, qr/^1 lines at or after the site's first live hit were skipped/m, 'it is skipped and told');
    is($shop->query_by_command(range => 'all', metrics => 'hits')->{totals}[0], 12, 'and not counted');
};

subtest 'what is no line of the format' => sub {
    my $shop = make_shop(toml => $toml);
    my $rubbish = join '', map { chr } 128 .. 159;
    my $log = $shop->write('access.log', join '', @lines[0 .. 4], "rubbish $rubbish\n", qq{"\x16\x03\n}, ('x' x 1_100_000) . "\n", @lines[5 .. 10]);
    my ($code, $out, $err) = import_log($shop, $log);
    is($code, 3, 'the exit code says that some were rejected');
    like($err, qr{^\Q$log\E:6: .+$}m, 'by file, line and reason');
    like($err, qr{^\Q$log\E:8: .+$}m, 'a line of more than 1 MiB too');
    like($err, qr/^3 lines rejected:/m, 'summed up at the end');
    is_deeply(figures($shop), \%expected, 'the rest is counted');
};

subtest 'a packed log that is cut off' => sub {
    my $shop = make_shop(toml => $toml);
    $shop->write('access.log', join '', map { line($_, 1 + $_ % 200, "/p" . $_ * 7919 % 997) } 1 .. 5000);
    system('gzip', $shop->path('access.log')) == 0 or die 'gzip';
    truncate $shop->path('access.log.gz'), (-s $shop->path('access.log.gz')) / 2;
    my ($code, undef, $err) = import_log($shop, $shop->path('access.log.gz'));
    is($code, 3, 'is told by the exit code');
    like($err, qr/ends in the midst of its packed data/, 'and in words');
    cmp_ok($shop->query_by_command(range => 'all', metrics => 'hits')->{totals}[0], '>', 500, 'what could be read is counted');
};

subtest 'killed at random places and run again' => sub {
    my $quiet = make_shop(toml => $toml);
    my @many = map { line(int($_ / 3), 1 + $_ % 211, '/p' . $_ * 7919 % 97) } 1 .. 30_000;
    import_log($quiet, $quiet->write('access.log', join '', @many));
    my $shop = make_shop(toml => $toml);
    my $log = $shop->write('access.log', join '', @many);
    srand 7;
    for (1 .. 6) {
        my $pid = fork // die;
        if ($pid == 0) {
            open STDOUT, '>', '/dev/null';
            open STDERR, '>', '/dev/null';
            exec $shop->build . '/footfall', 'import', 'log', '--config', $shop->path('footfall.toml'), $log;
        }
        select undef, undef, undef, rand 0.5;
        kill KILL => $pid;
        waitpid $pid, 0;
    }
    my ($code, undef, $err) = import_log($shop, $log);
    is($code, 0, 'the last run ends well') or diag $err;
    my ($figures, $wanted) = (figures($shop), figures($quiet));
    is_deeply($figures, $wanted, 'the same figures as in one go');
    is($wanted->{hits}, 30_000, 'which are all');
};

subtest 'what cannot be imported' => sub {
    my $shop = make_shop(toml => $toml);
    my ($code, undef, $err) = import_log($shop, $shop->path('missing.log'));
    is($code, 1, 'a file that is not there');
    like($err, qr/missing\.log: No such file/, 'is named');
    ($code, undef, $err) = import_log($shop, $shop->write('prose.txt', "It was a dark night.\n" x 20));
    is($code, 1, 'a file that is no log');
    like($err, qr/prose\.txt/, 'is named');
    ($code, undef, $err) = import_log($shop, '--format', '$remote_addr $status', $shop->write('access.log', join '', @lines));
    is($code, 1, 'a format without a time');
    like($err, qr/time/, 'says so');
    is($shop->query_by_command(range => 'all', metrics => 'hits')->{totals}[0] // 0, 0, 'nothing was counted');
};

done_testing;
