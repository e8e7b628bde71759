# `footfall import log` where the world is not as it should be: whatever happens, running it again gives the figures of one
# good run.
use v5.36;
use lib 't/lib';
use Footfall::Test;

my $browser = 'Mozilla/5.0 (X11; Linux x86_64; rv:128.0) Gecko/20100101 Firefox/128.0';
my $toml = qq{[site.shop]\nhosts = ["shop.example"]\n};

# A line so many seconds after nine o'clock of 1 January 2026.
sub line ($after, $visitor, $path) {
    return sprintf qq{192.0.2.%d - - [01/Jan/2026:%02d:%02d:%02d +0000] "GET %s HTTP/1.1" 200 512 "-" "%s"\n}, $visitor,
        9 + $after / 3600, $after / 60 % 60, $after % 60, $path, $browser;
}
my @many = map { line(int($_ / 4), 1 + $_ % 211, "/p" . $_ * 7919 % 997) } 1 .. 40_000;

sub import_log ($shop, @arguments) { $shop->footfall('import', 'log', '--config', $shop->path('footfall.toml'), @arguments) }
sub figures ($shop) { $shop->query_by_command(range => 'all', metrics => 'hits,visits,visitors,pageviews,bounces,exits')->{totals} }

my $good = make_shop(toml => $toml);
import_log($good, $good->write('access.log', join '', @many));
my $expected = figures($good);
is($expected->[0], scalar @many, 'one good run counts each line');

subtest 'a disk that fills up half-way' => sub {
    plan skip_all => 'needs root to mount a small disk' if $> != 0;
    my $shop = make_shop(toml => $toml);
    my $log = $shop->write('access.log', join '', @many);
    mkdir $shop->store or die $!;
    if (system("mount -t tmpfs -o size=2m,mode=755 tmpfs '@{[ $shop->store ]}' 2>/dev/null") != 0) { plan skip_all => 'nothing can be mounted here' }
    my ($code, undef, $err) = import_log($shop, $log);
    is($code, 1, 'the import fails');
    like($err, qr/space|full/i, 'and says that there is no room') or diag $err;
    is(system("mount -o remount,size=512m '@{[ $shop->store ]}'"), 0, 'there is room again');
    ($code, undef, $err) = import_log($shop, $log);
    is($code, 0, 'run again it ends well') or diag $err;
    is_deeply(figures($shop), $expected, 'with the same figures');
    system("umount '@{[ $shop->store ]}'");
};

subtest 'killed beside a daemon, which is killed too' => sub {
    my $shop = open_shop(toml => $toml);
    my $log = $shop->write('access.log', join '', @many);
    srand 5;
    for my $round (1 .. 6) {
        my $pid = fork // die;
        if ($pid == 0) {
            open STDOUT, '>', '/dev/null';
            open STDERR, '>', '/dev/null';
            exec $shop->build . '/footfall', 'import', 'log', '--config', $shop->path('footfall.toml'), $log;
        }
        select undef, undef, undef, rand 0.4;    # the place is random, nothing is waited for
        if ($round % 3 == 0) {
            $shop->end('aggregator', 'KILL');
            $shop->start_aggregator;
        }
        kill KILL => $pid;
        waitpid $pid, 0;
    }
    my ($code, undef, $err) = import_log($shop, $log);
    is($code, 0, 'the last run ends well') or diag $err;
    is_deeply(figures($shop), $expected, 'with the same figures');
};

subtest 'rotation between two imports, with rubbish in the log' => sub {
    my $shop = make_shop(toml => $toml);
    my @lines = @many[0 .. 9_999];
    my @odd = ("\x00\xff" x 300 . "\n", join('', map { chr 128 + $_ % 128 } 0 .. 5000) . "\n", 'y' x 2_000_000 . "\n", "\n");
    import_log($shop, $shop->write('access.log', join '', @lines[0 .. 4_999], @odd));
    rename $shop->path('access.log'), $shop->path('access.log.1');
    system('zstd', '-q', '--rm', $shop->path('access.log.1')) == 0 or die 'zstd';
    my ($code, undef, $err) = import_log($shop, $shop->path('access.log.1.zst'),
        $shop->write('access.log', join '', @lines[5_000 .. 9_999]));
    is($code, 0, 'what was rejected in the old log is not told again') or diag $err;
    my $whole = make_shop(toml => $toml);
    import_log($whole, $whole->write('access.log', join '', @lines));
    is_deeply(figures($shop), figures($whole), 'the figures of one log');
};

subtest 'a packed log that was cut off, then comes whole' => sub {
    my $shop = make_shop(toml => $toml);
    my $log = $shop->write('access.log', join '', @many);
    system('gzip', $log) == 0 or die 'gzip';
    my $whole = $shop->read('access.log.gz');
    $shop->write('access.log.gz', substr $whole, 0, length($whole) * 2 / 3);
    is((import_log($shop, "$log.gz"))[0], 3, 'the part is imported');
    cmp_ok(figures($shop)->[0], '<', $expected->[0], 'which is not all');
    $shop->write('access.log.gz', $whole);
    my ($code, undef, $err) = import_log($shop, "$log.gz");
    is($code, 0, 'the whole of it') or diag $err;
    is_deeply(figures($shop), $expected, 'gives the same figures');
};

subtest 'a line that is still being written' => sub {
    my $shop = make_shop(toml => $toml);
    my $log = join '', @many[0 .. 999];
    my ($code) = import_log($shop, $shop->write('access.log', substr $log, 0, -40));
    is($code, 3, 'is no line yet');
    is(figures($shop)->[0], 999, 'and not counted');
    ($code, undef, my $err) = import_log($shop, $shop->write('access.log', $log));
    is($code, 0, 'once it is whole') or diag $err;
    is(figures($shop)->[0], 1000, 'it counts');
    my $events = qq({"time":1767261960,"event":"purchase","id":"A","value":1}\n{"time":1767261960,"event":"purchase","id":"B","value":2}\n);
    for ([substr($events, 0, -10), 1], [$events, 2]) {
        $shop->footfall('import', 'events', '--config', $shop->path('footfall.toml'), $shop->write('events.ndjson', $_->[0]));
        is($shop->query_by_command(range => 'all', metrics => 'orders')->{totals}[0], $_->[1], 'nor is half an event');
    }
};

subtest 'packed rubbish' => sub {
    my $shop = make_shop(toml => $toml);
    srand 3;
    my $rubbish = join '', map { chr int rand 256 } 1 .. 20_000;
    for my $head ('', "\x1f\x8b\x08\x00", "\x28\xb5\x2f\xfd") {
        my ($code, undef, $err) = import_log($shop, $shop->write('rubbish.log', $head . $rubbish));
        is($code, 1, 'is refused');
        like($err, qr/rubbish\.log/, 'by its name');
    }
};

close_shops();
