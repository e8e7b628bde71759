# Others who read the store's environments: so many that no slot is left, so long that a map is full, and killed meanwhile.
# nginx serves on, what cannot be kept is counted, health says it, and all is well again by itself when they are gone.
use v5.36;
use lib 't/lib';
use Footfall::Test;

my $page = 'location / { default_type text/html; return 200 page; }';
my $tool;
my @holders;
END { local $?; kill KILL => @holders if @holders }

sub tool ($shop) {
    return $tool if $tool;
    my $path = $shop->path('lmdb_tool');
    is(system('cc', '-O1', '-o', $path, Footfall::Shop->root . '/t/data/lmdb_tool.c', '-llmdb'), 0, 'the tool is built');
    return $tool = $path;
}

# Read transactions of another process: how many it got. They stay until let_go.
sub hold ($shop, $folder, $count) {
    my $said = $shop->write('logs/held' => '');
    my $pid = Footfall::Shop::spawn($said, $said, tool($shop), 'hold', $folder, $count);
    push @holders, $pid;
    wait_until('readers hold it', sub { $shop->read($said) =~ /^(\d+) held$/m }, sub { $shop->read($said) });
    return ($shop->read($said) =~ /^(\d+)/)[0];
}

# Killed, so that their slots stay taken.
sub let_go () {
    my $pid = pop @holders;
    kill KILL => $pid;
    waitpid $pid, 0;
}

sub ring ($shop) { (glob $shop->store . '/lane.0/ring.*')[-1] }
sub summary ($shop) { (glob $shop->store . '/summary.*')[-1] }
sub said ($shop, $text) { scalar grep { /$text/ } split /\n/, $shop->read('logs/error.log') }
sub texts ($health) { join "\n", (map { $_->{text} } @{ $health->{faults} }), @{ $health->{warnings} // [] } }

sub is_well_again ($shop, $name) {
    local $Test::Builder::Level = $Test::Builder::Level + 1;
    my $health;
    wait_until("$name: health is well again", sub {
        $health = eval { $shop->health } or return 0;
        return $health->{status} eq 'ok' && $health->{aggregator}{lag_hits} == 0;
    }, sub { json_text($health) . $shop->read('logs/aggregator.log') });
    pass("$name: well again by itself");
    return $health;
}

subtest 'a reader who stays fills the map of a ring' => sub {
    my $shop = open_shop(store => 'ring=1m stage=256k flush=10ms', server => $page);
    $shop->get('/');
    $shop->settle;
    hold($shop, ring($shop), 1);
    my $load = $shop->load(visitors => 900, pages => [map { '/' . $_ x 1000 } 'a' .. 'f']);
    wait_until('the flusher has no room', sub { $load->answered; said($shop, 'hits stay in the stage: .*MAP_FULL') });
    my $health;
    wait_until('health says it', sub { $load->answered; $health = $shop->health; texts($health) =~ /MAP_FULL/ }, sub { json_text($health) });
    is($health->{status}, 'degraded', 'health is degraded');
    like((grep { $_->{text} =~ /MAP_FULL/ } @{ $health->{faults} })[0]{since} // '', qr/^\d{4}-\d\d-\d\dT/, '  since when is told');
    wait_until('the stage is full', sub { $load->answered; $shop->health->{capture}{lanes}[0]{dropped}{stage_full} > 0 });
    my $answered = 1 + $load->stop;
    let_go();
    $health = is_well_again($shop, 'the reader is gone');
    my $dropped = $health->{capture}{lanes}[0]{dropped}{stage_full};
    my $counted = $shop->query(metrics => 'hits')->{totals}[0];
    is($counted + $dropped + $health->{aggregator}{lost_hits}, $answered, "counted $counted + dropped $dropped + lost = answered");
    is(said($shop, 'hits stay in the stage'), 1, 'said once');
    $shop->get('/', from => 7);
    is_totals($shop, { hits => $counted + 1 }, 'and all is counted from then on');
};

subtest 'no slot is left in a ring' => sub {
    my $shop = open_shop(store => 'flush=10ms', server => $page);
    $shop->get('/');
    $shop->settle;
    cmp_ok(hold($shop, ring($shop), 1000), '<', 1000, 'readers take all there are');
    $shop->get('/', from => $_) for 2 .. 9;
    wait_until('the aggregator says so', sub { $shop->read('logs/aggregator.log') =~ /MDB_READERS_FULL/ });
    is($shop->query(metrics => 'hits')->{totals}[0], 1, 'queries answer with what was counted');
    cmp_ok($shop->health->{aggregator}{lag_hits}, '==', 8, 'health says what is not counted yet');
    let_go();
    is_well_again($shop, 'readers are gone');
    is_totals($shop, { hits => 9, visits => 9 }, 'nothing is missing');
    is($shop->health->{aggregator}{lost_hits}, 0, 'nothing is lost');
};

subtest 'no slot is left in the summary' => sub {
    my $shop = open_shop(store => 'flush=10ms', server => $page);
    $shop->get('/');
    $shop->settle;
    cmp_ok(hold($shop, summary($shop), 1000), '<', 1000, 'readers take all there are');
    my $refusal = $shop->ask('/footfall/v1/query?metrics=hits');
    is($refusal->status, 503, 'a query is refused');
    like($refusal->json->{error}{message}, qr/MDB_READERS_FULL/, '  and says why');
    my $health = $shop->health;
    is($health->{status}, 'degraded', 'health is degraded');
    like(texts($health), qr/MDB_READERS_FULL/, '  and says why');
    is($shop->get('/', from => 2)->status, 200, 'nginx serves');
    let_go();
    is_well_again($shop, 'readers are gone');
    is_totals($shop, { hits => 2 }, 'all is counted');
};

subtest 'a reader who stays fills the map of the summary' => sub {
    my $toml = qq(map = "16MiB"\n[site.shop]\nhosts = ["shop.example"]\n);
    my $shop = open_shop(toml => $toml, store => 'flush=10ms', server => $page);
    $shop->allow(qr/MAP_FULL/);
    $shop->get('/');
    $shop->settle;
    hold($shop, summary($shop), 1);
    # A reload stores all there is. Little comes in, but what is written over stays beside what is written.
    my $answered = 1;
    for my $megabytes (4, 8, 12, 16) {
        wait_until("$megabytes MiB are used", sub {
            $answered++ if $answered < 500 && $shop->get('/', from => $answered % 200 + 1);
            kill HUP => $shop->pid('aggregator');
            return -s summary($shop) . '/data.mdb' >= ($megabytes << 20) || $shop->read('logs/aggregator.log') =~ /MAP_FULL/;
        });
    }
    wait_until('the aggregator has no room', sub { kill HUP => $shop->pid('aggregator'); $shop->read('logs/aggregator.log') =~ /MAP_FULL/ });
    is($shop->ask('/footfall/v1/query?metrics=hits')->status, 200, 'queries answer');
    like($shop->read('logs/aggregator.log'), qr/MAP_FULL.*; trying again each second/, 'the aggregator goes on trying');
    let_go();
    is_well_again($shop, 'the reader is gone');
    is_totals($shop, { hits => $answered }, 'nothing is missing, nothing is twice');
};

close_shops();
