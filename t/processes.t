# Whatever processes nginx consists of: in the background or not, one process alone, cache manager and loader beside the
# workers, 1 to 16 workers, more workers than lanes.
use v5.36;
use lib 't/lib';
use Footfall::Test;

my @requests = map { ['GET', '/', from => $_], ['GET', '/cup', from => $_] } 1 .. 60;

sub is_counted ($shop, $name) {
    local $Test::Builder::Level = $Test::Builder::Level + 1;
    my @answers = grep { $_ && $_->status == 200 } $shop->burst(@requests);
    is(scalar @answers, scalar @requests, "$name: all are answered");
    is_totals($shop, { hits => scalar @requests, visits => 60, late_hits => 0 }, "$name: and counted");
    my @holders = grep { $_ } map { $_->{pid} } @{ $shop->health->{capture}{lanes} };
    return sort { $a <=> $b } @holders;
}

sub processes_of ($shop) { map { Footfall::Shop::title($_) } Footfall::Shop::children($shop->pid('nginx')) }

subtest 'in the background' => sub {
    my $shop = open_shop(daemon => 1);
    is_deeply([is_counted($shop, 'daemon on')], [$shop->workers], 'its worker holds the lane');
};

# nginx itself serves nothing more after a reload of a single process: not asked of it.
subtest 'one process alone' => sub {
    my $shop = open_shop(single => 1);
    is_deeply([is_counted($shop, 'master_process off')], [$shop->pid('nginx')], 'it holds the lane itself');
    $shop->stop_nginx;
    $shop->start_nginx;
    $shop->get('/bowl');
    is_totals($shop, { hits => @requests + 1 }, 'once more');
};

subtest 'cache manager and loader' => sub {
    my $shop = open_shop(http => 'proxy_cache_path {folder}/cache keys_zone=pages:1m;');
    wait_until('the cache manager is there', sub { grep { /cache manager/ } processes_of($shop) });
    is_deeply([is_counted($shop, 'beside them')], [$shop->workers], 'the worker holds the only lane');
};

for my $workers (1, 2, 16) {
    subtest "$workers workers" => sub {
        my $shop = open_shop(workers => $workers);
        is_deeply([is_counted($shop, 'all of them')], [sort { $a <=> $b } $shop->workers], 'each holds a lane');
    };
}

# Who has no lane serves, says what it misses, and takes the first that comes free.
subtest 'more workers than lanes' => sub {
    my $shop = open_shop(workers => 3, listen => 'reuseport', store => 'lanes=1');
    my @answers = grep { $_ && $_->status == 200 } $shop->burst(@requests);
    is(scalar @answers, scalar @requests, 'all are answered');
    my $health = $shop->settle;
    my @holders = grep { $_ } map { $_->{pid} } @{ $health->{capture}{lanes} };
    is(scalar @holders, 1, 'one worker holds the lane');
    my $counted = $shop->query(metrics => 'hits')->{totals}[0];
    cmp_ok($counted, '<', scalar @requests, 'what the others served is not counted');
    like($shop->read('logs/error.log'), qr/capture is off, \d+ hits missed so far: all 1 lanes of \S+ are taken/, 'the log says why');

    $shop->kill_worker($holders[0]);
    wait_until('another worker takes the lane', sub {
        my ($now) = grep { $_ } map { $_->{pid} } @{ $shop->health->{capture}{lanes} };
        return $now && $now != $holders[0];
    });

    $shop->write_configuration(store => 'lanes=16');
    $shop->reload;
    wait_until('each has a lane', sub { 3 == grep { $_->{pid} } @{ $shop->health->{capture}{lanes} } });
    wait_until('all is well', sub { $shop->health->{status} eq 'ok' });
    my $before = $shop->query(metrics => 'hits')->{totals}[0];
    $shop->burst(@requests);
    is_totals($shop, { hits => $before + @requests }, 'with lanes enough all is counted');
};

close_shops();
