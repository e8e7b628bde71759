# An aggregator that is dead for long, and a small ring: the oldest hits are overwritten, and how many is known exactly:
# counted + lost = answered.
use v5.36;
use lib 't/lib';
use Footfall::Test;

# Long paths: a thousand hits are more than the smallest ring holds.
my @pages = map { my $letter = $_; '/' . $letter x 1000 } 'a' .. 'j';
my $server = 'default_type text/html; location / { return 200 "<h1>Page</h1>"; }';
my %small = (workers => 2, store => 'ring=1m stage=256k flush=10ms', server => $server);

sub visit ($shop, $count) {
    my $load = $shop->load(pages => \@pages, visitors => 900);
    $load->wait_for_more($count);
    return $load->stop;
}

sub is_accounted_for ($shop, $answered, $killed, $name) {
    local $Test::Builder::Level = $Test::Builder::Level + 1;
    my $health = $shop->settle;
    my $lost = $health->{aggregator}{lost_hits};
    my $counted = $shop->query(metrics => 'hits')->{totals}[0];
    note "$answered answered, $counted counted, $lost lost";
    cmp_ok($lost, '>', 0, "$name: some were lost");
    my $missing = $answered - $counted - $lost;
    if ($killed) { ok($missing >= 0 && $missing <= $killed, '  counted + lost = answered, less at most one a killed worker') || diag $missing }
    else         { is($missing, 0, '  counted + lost = answered') }
    my ($overwritten, $dropped) = (0, 0);
    for my $lane (@{ $health->{capture}{lanes} }) {
        $overwritten += $lane->{overwritten};
        $dropped += $_ for values %{ $lane->{dropped} };
        cmp_ok($lane->{ring_used}, '<=', $lane->{ring_bytes}, '  a ring is no larger than it may be');
    }
    is($dropped, 0, '  none was dropped before');
    cmp_ok($overwritten, '>=', $lost, '  what was lost was overwritten') unless $killed;
    is($shop->query(metrics => 'hits')->{meta}{lost_hits}, $lost, '  a report says so too');
    return ($counted, $lost);
}

subtest 'before its first start' => sub {
    my $shop = make_shop(%small);
    $shop->start_nginx;
    my $answered = visit($shop, 3000);
    $shop->start_aggregator;
    my (undef, $lost) = is_accounted_for($shop, $answered, 0, 'never started');

    $answered += visit($shop, 100);
    is($shop->settle->{aggregator}{lost_hits}, $lost, 'nothing more is lost while it runs');
    is($shop->query(metrics => 'hits')->{totals}[0], $answered - $lost, '  and all is counted');

    $shop->end(aggregator => 'KILL');
    $answered += visit($shop, 3000);
    $shop->start_aggregator;
    is_accounted_for($shop, $answered, 0, 'dead for long');
};

subtest 'reloads and kills meanwhile' => sub {
    my $shop = open_shop(%small);
    my $answered = visit($shop, 200);
    $shop->settle;
    $shop->end(aggregator => 'KILL');
    my $killed = 0;
    for (1 .. 3) {
        $answered += visit($shop, 700);
        $shop->reload;
        $answered += visit($shop, 300);
        $shop->kill_worker(($shop->workers)[0]);
        $killed++;
    }
    $shop->start_aggregator;
    is_accounted_for($shop, $answered, $killed, 'reloads and kills');
};

# Another stage begins another epoch: what was overwritten of the one before has no later number that tells it.
subtest 'another size of stage meanwhile' => sub {
    my $shop = open_shop(%small);
    my $answered = visit($shop, 200);
    $shop->settle;
    $shop->end(aggregator => 'KILL');
    for my $stage (qw(512k 1m)) {
        $answered += visit($shop, 2500);
        $shop->stop_nginx;
        $shop->start_nginx;    # drains what was left
        wait_until('the stages are drained', sub { !grep { $_ } map { unflushed($_) } glob($shop->store . '/lane.*/stage') });
        $shop->stop_nginx;
        $shop->write_configuration(store => "ring=1m stage=$stage flush=10ms");
        $shop->start_nginx;
    }
    $answered += visit($shop, 2500);
    $shop->start_aggregator;
    is_accounted_for($shop, $answered, 0, 'epochs');
};

# Bytes of a stage that are in no ring: head and tail of its header (stage.h).
sub unflushed ($stage) {
    open my $from, '<:raw', $stage or return 0;
    sysread $from, my $header, 512;
    return unpack('Q<', substr $header, 128) - unpack('Q<', substr $header, 256);
}

close_shops();
