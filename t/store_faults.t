# The store while nginx runs: removed, replaced, read-only, on a full disk, damaged, held by dead readers. nginx serves on,
# what cannot be kept is counted, the log says it once, health says what is wrong and since when, and all is well again by
# itself when the cause is gone.
use v5.36;
use lib 't/lib';
use Footfall::Test;

my $mounted;
END { local $?; system 'umount', '-l', $mounted if $mounted }

sub serves ($shop, $name, $visitor = 1) {
    local $Test::Builder::Level = $Test::Builder::Level + 1;
    my @seen = map { my $answer = $shop->get($_, from => $visitor); $answer ? $answer->status : 'none' } '/', '/cup', '/gone';
    is("@seen", '200 200 404', "$name: nginx serves");
}

sub texts ($health) { join "\n", map { $_->{text} } @{ $health->{faults} } }

# Health names the fault, and says since when: at the second look also where nobody but health itself knows it.
sub is_told ($shop, $text, $name) {
    local $Test::Builder::Level = $Test::Builder::Level + 1;
    my $health;
    wait_until("$name: health says it", sub { $health = $shop->health; texts($health) =~ $text }, sub { json_text($health) });
    is($health->{status}, 'degraded', "$name: degraded");
    my ($fault) = grep { $_->{text} =~ $text } @{ $shop->health->{faults} };
    like($fault->{since} // '', qr/^\d{4}-\d\d-\d\dT[\d:.]+Z$/, '  and since when');
}

sub is_well_again ($shop, $name) {
    local $Test::Builder::Level = $Test::Builder::Level + 1;
    my $health;
    wait_until("$name: health is well again", sub {
        $health = eval { $shop->health } or return 0;
        return $health->{status} eq 'ok' && $health->{aggregator}{lag_hits} == 0;
    }, sub { json_text($health) });
    pass("$name: well again by itself");
    return $health;
}

# Lines of the log that say it: at most one a second, and one for a fault that stays.
sub said ($shop, $text) { scalar grep { /$text/ } split /\n/, $shop->read('logs/error.log') }

sub holders ($shop) { grep { $_->{pid} } @{ $shop->health->{capture}{lanes} } }

subtest 'removed while in use' => sub {
    my $shop = open_shop();
    $shop->allow(qr/was replaced by another store|trying again/);
    serves($shop, 'before');
    $shop->settle;
    system 'rm', '-rf', $shop->store;
    serves($shop, 'removed', 2);
    is_told($shop, qr/there is no store at/, 'removed');
    wait_until('the log says it', sub { said($shop, 'hits stay in the stage: the store is gone from') == 1 });
    $shop->reload;    # the master makes another
    is_well_again($shop, 'made again');
    serves($shop, 'made again', 3);
    is_totals($shop, { hits => 3, visits => 1 }, 'counted from then on');
    is(said($shop, 'the store is gone from'), 1, 'said once');
};

subtest 'replaced while in use' => sub {
    my $shop = open_shop();
    $shop->allow(qr/was replaced by another store/);
    serves($shop, 'before');
    $shop->settle;
    my $other = make_shop(server => 'return 404;');
    $other->start_nginx;
    $other->stop_nginx;
    rename $shop->store, $shop->path('old');
    rename $other->store, $shop->store;
    wait_until('the worker has a lane in the new store', sub { holders($shop) == 1 });
    is_well_again($shop, 'replaced');
    serves($shop, 'replaced', 2);
    is_totals($shop, { hits => 3, visits => 1 }, 'the other store has what came since');
    is(said($shop, 'files of lane 0 were removed or replaced'), 1, 'said once');
    my (undef, $out) = $shop->footfall('query', '--store', $shop->path('old'), '--metrics', 'hits', '--format', 'json');
    is(JSON::PP->new->decode($out)->{totals}[0], 3, 'the old one what was before');
};

subtest 'parts of a lane removed while in use' => sub {
    for my $part (qw(stage ring state lane)) {
        my $shop = open_shop(workers => 1);
        serves($shop, "before: $part");
        $shop->settle;
        my $lane = $shop->store . '/lane.0';
        my ($ring) = glob "$lane/ring.*/data.mdb";
        my $stage = readlink("$lane/stage") // "$lane/stage";
        if ($part eq 'lane') { unlink $stage; system 'rm', '-rf', $lane }
        else                 { unlink { stage => $stage, ring => $ring, state => "$lane/state" }->{$part} }
        my $made = sub { $part eq 'ring' ? -e $ring : -e $stage && -e "$lane/state" };
        wait_until("$part is made again", sub { $made->() && holders($shop) == 1 },
            sub { json_text($shop->health) . $shop->read('logs/error.log') . `ls -la $lane` });
        serves($shop, "$part made again", 2);
        is_well_again($shop, $part);
        is_totals($shop, { hits => 6, visits => 2 }, "$part: all is counted, once");
        is($shop->health->{aggregator}{lost_hits}, 0, '  nothing is lost');
    }
};

subtest 'read-only for a while' => sub {
    plan skip_all => 'only root can take the store from its owner' if $> != 0;
    my $shop = open_shop();
    serves($shop, 'before');
    $shop->settle;
    $shop->stop_nginx;
    my @before = (stat $shop->store)[4, 5];
    system 'chown', '-R', 'root:root', $shop->store;
    system 'chmod', '-R', 'a+rX,go-w', $shop->store;
    $shop->start_nginx;
    serves($shop, 'read-only', 2);
    is_told($shop, qr/Permission denied/, 'read-only');
    system 'chown', '-R', "$before[0]:$before[1]", $shop->store;
    system 'chmod', '-R', 'ug+rwX', $shop->store;
    my $health = is_well_again($shop, 'writable');
    is($health->{capture}{missed}, 3, 'and says what was missed');
    serves($shop, 'writable', 3);
    is_totals($shop, { hits => 6, visits => 2 }, 'counted before and after');
    like($shop->ask('/footfall/metrics')->body, qr/^footfall_hits_dropped_total\{reason="no_lane"\} 3$/m, 'a metric counts it');
};

subtest 'more workers than lanes' => sub {
    my $shop = open_shop(workers => 3, listen => 'reuseport', store => 'lanes=1');
    my @requests = map { ['GET', '/', from => $_] } 1 .. 90;
    is(scalar(grep { $_ && $_->status == 200 } $shop->burst(@requests)), 90, 'all are answered');
    is_told($shop, qr/a worker has no lane, its hits are missed: all 1 lanes of \S+ are taken/, 'lanes are missing');
    my $counted = sub { $shop->settle; $shop->query(metrics => 'hits')->{totals}[0] };
    wait_until('what was missed is told', sub { $shop->health->{capture}{missed} + $counted->() == 90 });
    pass('counted + missed = sent');
    $shop->write_configuration(store => 'lanes=16');
    $shop->reload;
    is_well_again($shop, 'lanes enough');
};

# --- damaged while nothing runs --------------------------------------------------------------------------------------

subtest 'files that were cut off, or are of another version' => sub {
    my $version = sub ($path, $at, $number) {
        open my $file, '+<:raw', $path or die "$path: $!";
        seek $file, $at, 0;
        print $file pack 'V', $number;
    };
    my %damage = (
        'stage, nothing left'  => sub ($lane, $stage, $ring) { truncate $stage, 0 },
        'stage, half of it'    => sub ($lane, $stage, $ring) { truncate $stage, (-s $stage) / 2 },
        'stage of version 99'  => sub ($lane, $stage, $ring) { $version->($stage, 8, 99) },
        'state, a part of it'  => sub ($lane, $stage, $ring) { truncate "$lane/state", 100 },
        'state of version 99'  => sub ($lane, $stage, $ring) { $version->("$lane/state", 8, 99) },
        'ring, nothing left'   => sub ($lane, $stage, $ring) { truncate $ring, 0 },
        'ring of version 99'   => sub ($lane, $stage, $ring) { $version->($ring, $_ + 20, 99) for 0, 4096 },
        'ring, a page of it'   => sub ($lane, $stage, $ring) { truncate $ring, 4096 },
        'ring, less of it'     => sub ($lane, $stage, $ring) { truncate $ring, (-s $ring) - 4096 },
        'lock of the ring'     => sub ($lane, $stage, $ring) { truncate $ring =~ s/data/lock/r, 1 },
    );
    for my $name (sort keys %damage) {
        my $shop = open_shop(store => 'flush=20ms');
        $shop->allow(qr/exited on signal/) if $name =~ /lock of/;
        serves($shop, "before: $name");
        $shop->settle;
        $shop->stop_nginx;
        $shop->stop_aggregator;
        my $lane = $shop->store . '/lane.0';
        my ($ring) = glob "$lane/ring.*/data.mdb";
        $damage{$name}->($lane, readlink "$lane/stage" // "$lane/stage", $ring);
        $shop->start_nginx;
        serves($shop, $name, 2);
        $shop->start_aggregator;
        wait_until("$name: a worker has a lane", sub { holders($shop) == 1 });
        wait_until("$name: hits are counted", sub { $shop->get('/bowl', from => 3); ($shop->query(metrics => 'hits')->{totals}[0] // 0) > 3 });
        my $answered = $shop->answered;
        my $hits = 0;
        wait_until("$name: all that is left is counted", sub {
            my $health = $shop->health;
            $hits = $shop->query(metrics => 'hits')->{totals}[0];
            return $health->{aggregator}{lag_hits} == 0;
        }, sub { json_text($shop->health) });
        ok($hits >= $answered - 3 && $hits <= $answered, "  $hits of $answered are counted: none twice, at most the three just then are not");
    }
};

# --- a full disk -----------------------------------------------------------------------------------------------------

sub fill_disk ($at) {
    open my $file, '>', "$at/filler" or return;
    1 while syswrite $file, 'x' x 4096;
}

my $mount = sub ($shop, $megabytes) {
    mkdir(my $at = $shop->path('disk'));
    system('mount', '-t', 'tmpfs', '-o', "size=${megabytes}m", 'tmpfs', $at) == 0 or return;
    chmod 0777, $at;
    return $mounted = $at;
};

sub on_small_disk ($name, $megabytes, $test) {
    subtest $name => sub {
        plan skip_all => 'only root can mount a small disk' if $> != 0;
        my $shop = make_shop(store => 'ring=1m stage=256k stage_path={folder}/disk/stages flush=20ms');
        my $disk = $mount->($shop, $megabytes) or plan skip_all => 'no tmpfs can be mounted here';
        $shop->write('nginx.conf' => $shop->read('nginx.conf') =~ s{footfall_store \S+/store}{footfall_store $disk/store}r);
        $shop->write('footfall.toml' => $shop->read('footfall.toml') =~ s{$shop->{folder}/store}{$disk/store}r);
        symlink "$disk/store", $shop->store;
        $test->($shop, $disk);
        $shop->stop_nginx if $shop->pid('nginx');
        $shop->stop_aggregator if $shop->pid('aggregator');
        system 'umount', '-l', $disk;
        undef $mounted;
    };
}

on_small_disk('a disk that is full from the start', 16, sub ($shop, $disk) {
    mkdir "$disk/store";
    chown scalar(getpwnam 'www-data'), -1, "$disk/store";
    fill_disk($disk);
    $shop->start_nginx;
    serves($shop, 'full');
    is_told($shop, qr/No space left/, 'full');
    unlink "$disk/filler";
    wait_until('capture is on by itself', sub { holders($shop) == 1 });
    $shop->start_aggregator;
    serves($shop, 'room again', 2);
    my $health = is_well_again($shop, 'room again');
    is($health->{capture}{missed}, 3, 'it says what was missed');
    is_totals($shop, { hits => 3, visits => 1 }, 'counted from then on');
    cmp_ok(said($shop, 'No space left'), '<=', 3, 'said at most once by master and worker');
});

on_small_disk('a disk that is full for a while', 24, sub ($shop, $disk) {
    $shop->start_nginx;
    $shop->start_aggregator;
    $shop->allow(qr/No space|no space|trying again/);
    serves($shop, 'room');
    $shop->settle;
    fill_disk($disk);
    my $load = $shop->load(visitors => 900, pages => [map { '/' . $_ x 900 } 'a' .. 'f'], status => 404);
    wait_until('the flusher has no room', sub { $load->answered; said($shop, 'hits stay in the stage') });
    is_told($shop, qr/no space left|No space left|MAP_FULL/i, 'full');
    $load->wait_for_more(1500);    # the stage is full by then
    my $answered = 3 + $load->stop;
    wait_until('drops are told', sub { $shop->health->{capture}{lanes}[0]{dropped}{stage_full} > 0 });
    unlink "$disk/filler";
    my $health = is_well_again($shop, 'room again');
    my $dropped = $health->{capture}{lanes}[0]{dropped}{stage_full};
    my $counted = $shop->query(metrics => 'hits')->{totals}[0];
    is($counted + $dropped + $health->{aggregator}{lost_hits}, $answered, "counted $counted + dropped $dropped = answered");
    cmp_ok(said($shop, 'hits stay in the stage'), '<=', 2, 'said once');
    serves($shop, 'room again', 2);
    is_totals($shop, { hits => $counted + 3 }, 'and all is counted from then on');
});

# --- readers ---------------------------------------------------------------------------------------------------------

# Processes that were killed while they read a ring keep lines in its table of readers, and pages with them.
subtest 'readers that were killed' => sub {
    my $shop = open_shop(store => 'ring=1m stage=256k flush=10ms', server => 'location / { default_type text/html; return 200 page; }');
    my $load = $shop->load(visitors => 900, pages => [map { '/' . $_ x 1000 } 'a' .. 'f']);
    my $answered = 0;
    for (1 .. 25) {
        $load->wait_for_more(60);
        $shop->end(aggregator => 'KILL');
        $shop->start_aggregator;
    }
    $load->wait_for_more(2000);
    $answered = $load->stop;
    my $health = is_well_again($shop, 'killed readers');
    # A busy machine may leave the flusher too little time for so small a stage: that is a drop, and no fault.
    my $dropped = $health->{capture}{lanes}[0]{dropped}{stage_full};
    is($shop->query(metrics => 'hits')->{totals}[0] + $health->{aggregator}{lost_hits} + $dropped, $answered, "counted + lost + $dropped dropped = answered");
    is(said($shop, 'hits stay in the stage'), 0, 'no killed reader keeps the ring from being written');
};

close_shops();
