# A ring that kills whoever uses it, or that cannot be opened any more: it is set aside, a new one is begun, and what the old one
# holds is found block by block. What cannot be found is told, to the hit.
use v5.36;
use lib 't/lib';
use Footfall::Test;

my $page = 'location / { default_type text/html; return 200 page; }';

sub lane ($shop) { $shop->store . '/lane.0' }
sub is_aside ($shop, $generation = 0) { -d lane($shop) . "/ring.$generation.aside" }

# Hits that lie in the ring and that nobody has counted yet: no aggregator runs.
sub fill_ring ($shop, $count) {
    $shop->burst(map { ['GET', '/' . 'x' x 900 . $_, from => $_] } 1 .. $count);
    wait_until('they are in the ring', sub {
        my (undef, $said) = $shop->footfall('check', '--store', $shop->store);
        return $said =~ /^lane 0: $count hits in \d+ blocks, 0 in the stage/m;
    });
}

sub is_exact ($shop, $answered, $lost, $name) {
    local $Test::Builder::Level = $Test::Builder::Level + 1;
    my $health = $shop->settle;
    my $hits = $shop->query(metrics => 'hits')->{totals}[0];
    my $told = $health->{aggregator}{lost_hits};
    my $good = ok($lost ? $told > 0 : $told == 0, "$name: $told hits are told as lost");
    return is($hits + $told, $answered, "$name: with the $hits counted that is what was answered") && $good;
}

sub check ($shop) { my ($code, $out, $err) = $shop->footfall('check', '--store', $shop->store); return ($code, $out . $err) }

# Runs it with what kills preloaded: see t/data/die_in_lmdb.c.
sub with_death ($shop, $run) {
    my $shim = $shop->path('die_in_lmdb.so');
    -e $shim or is(system('cc', '-O1', '-shared', '-fPIC', '-o', $shim, Footfall::Shop->root . '/t/data/die_in_lmdb.c', '-ldl'), 0, 'what kills is built');
    local @ENV{qw(LD_PRELOAD FOOTFALL_DEADLY)} = ($shim, $shop->path('deadly'));
    return $run->();
}

sub aggregate_once ($shop) {
    my ($code) = with_death($shop, sub { $shop->footfall('aggregate', '--once', '--config', $shop->path('footfall.toml')) });
    return $code;
}

subtest 'a commit that kills' => sub {
    my $shop = make_shop(store => 'flush=10ms', server => $page);
    $shop->allow(qr/exited on signal 11/);
    with_death($shop, sub { $shop->start_nginx });
    fill_ring($shop, 60);
    $shop->write(deadly => '');
    is($shop->get('/last', from => 100)->status, 200, 'nginx answers');
    wait_until('the ring is set aside', sub { is_aside($shop) });
    unlink $shop->path('deadly');
    wait_until('a worker has the lane', sub { grep { $_->{pid} } @{ $shop->health->{capture}{lanes} } });
    my @deaths = $shop->read('logs/error.log') =~ /worker process \d+ exited on signal 11/g;
    cmp_ok(scalar @deaths, '>=', 2, 'not before it had killed twice');
    $shop->get('/after', from => $_) for 101 .. 103;
    $shop->start_aggregator;
    is_exact($shop, 64, 0, 'all is found');
    my %pages = map { @$_ } @{ $shop->query(by => 'page', metrics => 'hits', limit => 100)->{rows} };
    is_deeply([@pages{qw(/last /after)}], [1, 3], 'also what was staged when it killed');
    my ($code, $said) = check($shop);
    is($code, 0, 'check finds nothing else') || diag $said;
    like($said, qr/^lane 0: 64 hits in /m, 'and reads it too');
};

subtest 'a ring of nobody that kills who reads it' => sub {
    my $shop = make_shop(store => 'flush=10ms', server => $page);
    $shop->start_nginx;
    fill_ring($shop, 60);
    $shop->stop_nginx;
    $shop->write(deadly => '/lane.0/ring.0');
    is(aggregate_once($shop), 'signal 11', 'an aggregator dies in it');
    is(aggregate_once($shop), 'signal 11', 'another one');
    ok(!is_aside($shop), 'the ring lies where it lay');
    is(aggregate_once($shop), 0, 'the third does not open it');
    ok(is_aside($shop), 'it is set aside');
    my ($code, $said) = check($shop);
    is($code, 0, 'check finds no fault') || diag $said;
    like($said, qr/^lane 0: 60 hits in .*whole\n  ring\.0 was set aside: 60 hits found in \d+ blocks, 0 missing between them$/m, '  and says so');
    my (undef, $dumped) = $shop->footfall('dump', 'ring', '--store', $shop->store);
    like($dumped, qr/^lane 0 ring\.0  set aside: 60 hits found in \d+ blocks, 0 missing between them$/m, 'dump likewise');
    $shop->start_nginx;
    $shop->get('/after', from => $_) for 61 .. 63;
    with_death($shop, sub { $shop->start_aggregator });
    is_exact($shop, 63, 0, 'all is found');
};

# Readers may have been killed by others: nothing is missing when the next one ends.
subtest 'who drains lanes waits for a worker that sets a ring aside' => sub {
    my $shop = make_shop(store => 'flush=10ms', server => $page, workers => 1);
    $shop->start_nginx;
    my @answered = grep { defined } $shop->burst(map { ['GET', "/$_", from => $_] } 1 .. 40);
    is(scalar @answered, 40, 'all are answered');
    wait_until('they are in the ring', sub { (check($shop))[1] =~ /^lane 0: 40 hits in \d+ blocks, 0 in the stage/m });
    $shop->write(deadly => '/lane.0/ring.0');
    is(aggregate_once($shop), 'signal 11', 'an aggregator dies in it') for 1 .. 2;
    is(aggregate_once($shop), 0, 'the third ends well');
    is($shop->query(metrics => 'hits')->{totals}[0], 40, 'and has counted all');
    ok(is_aside($shop), 'of the ring that the worker set aside meanwhile');
};

# The worker is stopped, as one that has much to do may seem to be: it does not see what it is asked for.
subtest 'a ring of a living worker that kills who reads it' => sub {
    my $shop = make_shop(store => 'flush=10ms', server => $page, workers => 2);
    $shop->start_nginx;
    my @answered = grep { defined } $shop->burst(map { ['GET', "/$_", from => $_] } 1 .. 80);
    is(scalar @answered, 80, 'all are answered');
    wait_until('they are in rings', sub {
        my (undef, $said) = $shop->footfall('check', '--store', $shop->store);
        my @rings = $said =~ /^lane \d: (\d+) hits in \d+ blocks, 0 in the stage/mg;
        return @rings == 2 && $rings[0] + $rings[1] == 80;
    });
    my (undef, $said) = check($shop);
    my ($in_deadly) = $said =~ /^lane 0: (\d+) hits/m;
    my ($owner) = map { $_->{pid} } grep { $_->{lane} == 0 } @{ $shop->health->{capture}{lanes} };
    kill STOP => $owner;
    $shop->write(deadly => '/lane.0/ring.0');
    is(aggregate_once($shop), 'signal 11', 'an aggregator dies in it') for 1 .. 2;
    with_death($shop, sub { $shop->start_aggregator });
    my $left_out = qr/lane 0: ring\.0 killed those who read it, and is left out until its worker sets it aside/;
    wait_until('health names the lane', sub { grep { /$left_out/ } @{ $shop->health->{warnings} } });
    like($shop->read('logs/aggregator.log'), $left_out, 'the log too');
    $shop->get("/after$_", from => 100 + $_) for 1 .. 3;
    wait_until('the other lane goes on', sub { $shop->query(metrics => 'hits')->{totals}[0] == 80 - $in_deadly + 3 });
    ok(!is_aside($shop), 'its worker is asked, nobody else moves its ring');
    kill CONT => $owner;
    wait_until('the worker sets it aside', sub { is_aside($shop) });
    is_exact($shop, 83, 0, 'all is found');
    wait_until('nothing is left out any more', sub { !@{ $shop->health->{warnings} } });
    ok(kill(0 => $owner), 'by the worker that had it');
};

sub no_heads ($content) { "\xa5" x 8192 . substr $content, 8192 }

# What is wrong with the ring's file, and whether blocks are lost by it.
my %damage = (
    'both heads gone' => [0, sub ($content) { no_heads($content) }],
    'a block broken, heads gone' => [1, sub ($content) {
        $content = no_heads($content);
        return $content =~ s/x{900}(?=137)/'y' . 'x' x 899/ger;    # freed pages may hold the block once more
    }],
    'cut off in the middle' => [1, sub ($content) { substr $content, 0, length($content) / 2 }],
);
for my $name (sort keys %damage) {
    subtest $name => sub {
        my ($loses, $change) = @{ $damage{$name} };
        my $shop = make_shop(store => 'flush=10ms', server => $page);
        $shop->start_nginx;
        fill_ring($shop, 200);
        $shop->stop_nginx;
        my $ring = lane($shop) . '/ring.0/data.mdb';
        $shop->write($ring, $change->($shop->read($ring)));
        $shop->start_nginx;
        wait_until('the ring is set aside', sub { is_aside($shop) });
        $shop->get('/after', from => $_) for 201 .. 203;
        $shop->start_aggregator;
        is_exact($shop, 203, $loses, $name);
        my $counted = $shop->query(metrics => 'hits')->{totals}[0];
        $shop->stop_aggregator;
        $shop->start_aggregator;
        $shop->get('/after', from => 204);
        is_totals($shop, { hits => $counted + 1 }, 'another aggregator counts none of it again');
    };
}

close_shops();
