# One log, one answer: whether it comes in one go, or shuffled by up to ten seconds, cut into files, and by an import that is killed
# at random places and run again. FOOTFALL_SEED=N repeats a run.
use v5.36;
use lib 't/lib';
use Footfall::Logs qw(second_of_time told_more);
use Footfall::Test;
use File::Temp ();
use POSIX ();
use Time::HiRes qw(sleep time);

my $seed = $ENV{FOOTFALL_SEED} // time % 100_000;
srand $seed;
diag "seed $seed";

my $root = Footfall::Shop->root;
my $toml = do { local (@ARGV, $/) = "$root/t/data/golden/footfall.toml"; <> };
my @dimensions = (qw(channel source medium campaign referrer_host page entry_page exit_page status_class event goal country device item
    search_term bot_class hour day week month content term code referrer browser os new_returning http_status item_category coupon currency),
    'day,channel', 'day,page', 'hour,device', 'month,page');

# A shop for one import. With `like` it has the secret of another, and with that its visitors' keys: estimates are the same.
sub shop_of ($like = undef) {
    my $shop = make_shop(toml => $toml);
    if ($like) {
        mkdir $shop->store;
        $shop->write('store/secret', $like->read('store/secret'));
        chmod 0600, $shop->path('store/secret');
    }
    return $shop;
}

my @import_more;    # further arguments of all imports

sub import_command ($shop, @files) {
    return ($shop->build . '/footfall', 'import', 'log', '--config', $shop->path('footfall.toml'), @import_more, map { $shop->path($_) } @files);
}

# Runs the import and kills it after that long, counted from when `begun` holds; true if it was killed.
sub kill_import ($shop, $after_s, $begun, @files) {
    my $pid = fork // die "fork: $!";
    if ($pid == 0) {
        open STDOUT, '>', '/dev/null';
        open STDERR, '>', '/dev/null';
        exec { $shop->build . '/footfall' } import_command($shop, @files) or POSIX::_exit(127);
    }
    my ($end, $ended);
    until ($end && time > $end) {
        return 0 if waitpid($pid, POSIX::WNOHANG) == $pid;
        $end //= time + $after_s if $begun->();
        sleep 0.001;
    }
    kill KILL => $pid;
    waitpid $pid, 0;
    return 1;
}

my $shim = do {
    my $folder = File::Temp::tempdir(CLEANUP => 1);
    system('cc', '-O1', '-shared', '-fPIC', '-o', "$folder/die_at.so", "$root/t/data/die_at.c", '-ldl') == 0 or die 'cc';
    "$folder/die_at.so";
};

# How often a whole import writes to the store; with `die_at`, it is killed there. True: it was.
sub import_by_points ($shop, $die_at, @files) {
    my $points = $shop->write('points', "\0" x 128);
    local @ENV{qw(LD_PRELOAD FOOTFALL_POINTS FOOTFALL_STORE)} = ($shim, $points, $shop->store . '/');
    local $ENV{FOOTFALL_DIE} = "$die_at:before" if $die_at;
    my ($code, $out, $err) = $shop->run(import_command($shop, @files));
    return $code eq 'signal 9' if $die_at;
    return unpack 'Q', $shop->read('points');
}

sub import_whole ($shop, @files) {
    my ($code, $out, $err) = $shop->run(import_command($shop, @files));
    ok($code eq '0' || $code eq '3', 'imported') or diag $out, $err;
    return $err =~ /^(\d+) lines rejected/m ? $1 : 0;
}

# What a command says on standard output, or else on standard error.
sub said (@command) {
    my $pid = open(my $from, '-|') // die "fork: $!";
    if ($pid == 0) { open STDERR, '>&', \*STDOUT if $command[-1] eq 'none'; exec { $command[0] } @command or POSIX::_exit(127) }
    local $/;
    return scalar(<$from>) // '';
}

# Everything that can be asked of a site, as text.
sub answers ($shop, $site) {
    my %answer;
    open my $errors, '>&', \*STDERR;
    open STDERR, '>', $shop->path('logs/query.err');    # notes of what is null
    for my $by ('', @dimensions) {
        my @query = ($shop->build . '/footfall', 'query', '--config', $shop->path('footfall.toml'), '--site', $site, '--range', 'all', $by ? ('--by', $by) : ());
        my $refused = said(@query, '--metrics', 'none');
        my ($metrics) = $refused =~ /allowed: (.*)$/m or die $refused;
        $metrics =~ s/ //g;
        for my $model ($metrics =~ /orders/ && $by =~ /channel|source/ ? qw(last last_non_direct first) : 'last_non_direct') {
            $answer{"$by $model"} = said(@query, '--metrics', $metrics, '--model', $model, '--limit', 10_000, '--format', 'csv');
        }
    }
    $answer{'the ledger'} = said($shop->build . '/footfall', 'query', 'ledger', '--config', $shop->path('footfall.toml'), '--site', $site,
        '--range', 'all', '--limit', 10_000, '--format', 'csv');
    open STDERR, '>&', $errors;
    is(scalar(grep { !/,totals\r\n$/ } values %answer), 0, "$site: all is answered");
    like($answer{' last_non_direct'} =~ s/^.*\n//r, qr/^[1-9]/, "$site: there are hits");
    return \%answer;
}

sub is_same ($shop, $site, $wanted) {
    my $answers = answers($shop, $site);
    my @other = grep { $answers->{$_} ne $wanted->{$_} } sort keys %$wanted;
    ok(!@other, "$site: the same answers to all " . keys %$wanted) and return;
    diag "differs: @other";
    my ($got, $expected) = map { [split /\r\n/, $_->{ $other[0] }] } $answers, $wanted;
    my %expected = map { $_ => 1 } @$expected;
    my %got = map { $_ => 1 } @$got;
    diag "got    $_" for grep { defined } (grep { !$expected{$_} } @$got)[0 .. 4];
    diag "wanted $_" for grep { defined } (grep { !$got{$_} } @$expected)[0 .. 4];
}

# --- what is done to a log -------------------------------------------------------------------------------------------

# Lines up to nine seconds later than they belong, but those of one second in their order. A line without a time stays at the one
# before it.
sub shuffled ($second_of, @lines) {
    my ($last_s, %keys) = (0);
    my @placed = map { my $second = $second_of->($_) // $last_s; $last_s = $second; [$second, $_] } @lines;
    push @{ $keys{ $_->[0] } }, $_->[0] + rand 9 for @placed;
    $_ = [sort { $a <=> $b } @$_] for values %keys;
    my @keyed = map { [shift @{ $keys{ $_->[0] } }, $_->[1]] } @placed;
    return map { $_->[1] } sort { $a->[0] <=> $b->[0] } @keyed;
}

# Writes the lines into so many files, cut at random places, some of them packed. Gives their names.
sub cut ($shop, $files, @lines) {
    my @ends = (sort { $a <=> $b } map { int rand @lines } 2 .. $files), scalar @lines;
    push @ends, scalar @lines;
    my ($from, @names) = (0);
    for my $number (1 .. $files) {
        my $end = shift @ends;
        push @names, my $name = "access.$number.log";
        $shop->write($name, join '', @lines[$from .. $end - 1]);
        $from = $end;
        next if rand() < 0.7;
        system('gzip', $shop->path($name)) == 0 or die 'gzip';
        $names[-1] .= '.gz';
    }
    return @names;
}

# The first import as it comes, the second after all of it; whoever is killed goes on.
sub compare ($name, $sites, $second_of, $is_large, @lines) {
    subtest $name => sub {
        my $plain = shop_of();
        $plain->write('access.log', join '', @lines);
        my $start = time;
        my $rejected = import_whole($plain, 'access.log');
        my $took_s = time - $start;
        my %wanted = map { $_ => answers($plain, $_) } @$sites;
        my $counted = shop_of($plain);
        my $points = import_by_points($counted, 0, $plain->path('access.log'));

        my $cut = shop_of($plain);
        my @files = cut($cut, 5, shuffled($second_of, @lines));
        is(import_whole($cut, @files), $rejected, 'shuffled and cut: as many lines are rejected');
        is_same($cut, $_, $wanted{$_}) for @$sites;

        my $killed = shop_of($plain);
        @files = cut($killed, 3, shuffled($second_of, @lines));
        ok(import_by_points($killed, 1 + int rand $points / 3, @files), 'killed early');
        if ($is_large) {
            # Then as soon as a part of it has been put by, and once more: what is behind must not be counted twice.
            my $part_is_put = sub { (-s $killed->path('store/summary.0/data.mdb') // 0) > 8 << 20 };
            ok(kill_import($killed, rand 0.05, $part_is_put, @files), 'killed with a part put by');
        }
        kill_import($killed, rand(0.5) * $took_s, sub { 1 }, @files) for 1 .. 3;
        import_whole($killed, @files);
        is_same($killed, $_, $wanted{$_}) for @$sites;
    };
}

# --- logs ------------------------------------------------------------------------------------------------------------

sub second_of_msec ($line) { $line =~ /" (\d{10})\.\d{3} \d+ "/ ? $1 : undef }

compare('the golden log', [qw(shop outlet forgotten.example)], \&second_of_msec, 0, do { local @ARGV = "$root/t/data/golden.log"; <> });
compare('a shop with orders', ['shop'], \&second_of_msec, 0, map { told_more($_) } qx{$root/scripts/shop-log 6000 $seed});
@import_more = ('--site', 'shop');    # which a combined log does not tell
# Each line has a path of its own: so many rows are put by in parts.
my $path = 0;
compare('a larger one', ['shop'], \&second_of_time, 1, map { s{"(\w+) /}{'"' . "$1 /" . $path++ . '/'}er } qx{$root/scripts/shop-log 150000 $seed});

close_shops();
