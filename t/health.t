# Health tells the truth whatever the store is like and whoever is dead, and nginx serves all the time.
use v5.36;
use lib 't/lib';
use Fcntl qw(:flock);
use Footfall::Test;
use JSON::PP;

# What health says, in short.
sub seen ($shop, @keys) { my $health = $shop->health; return { map { $_ => value_of($health, $_) } @keys } }

sub value_of ($health, $key) {
    return scalar @{ $health->{capture}{lanes} } if $key eq 'lanes';
    return join ' ', sort { $a <=> $b } map { $_->{pid} // 0 } @{ $health->{capture}{lanes} } if $key eq 'lane_pids';
    if ($key eq 'hits') { my $hits = 0; $hits += $_->{hits} for @{ $health->{capture}{lanes} }; return $hits }
    return scalar @{ $health->{faults} } if $key eq 'faults';
    return $health->{aggregator}{$1} if $key =~ /^aggregator_(\w+)$/;
    return $health->{aggregator}{$key} if exists $health->{aggregator}{$key};
    return $health->{$key};
}

sub serves ($shop, $name) {
    local $Test::Builder::Level = $Test::Builder::Level + 1;
    my @seen = map { my $answer = $shop->get($_); $answer ? $answer->status : 'none' } '/', '/cup', '/gone';
    is("@seen", '200 200 404', "$name: nginx serves");
}

sub page_is_there ($shop, $name) {
    local $Test::Builder::Level = $Test::Builder::Level + 1;
    my $page = $shop->ask('/footfall/');
    ok($page->status == 200 && $page->body =~ m{</html>|</main>|</body>}i, "$name: the page is there") || diag $page->head, $page->body;
}

# Health and queries answer in good JSON, and this is what they say.
sub is_unwell ($shop, $text, $name) {
    local $Test::Builder::Level = $Test::Builder::Level + 1;
    my $health = $shop->health;
    is($health->{status}, 'degraded', "$name: degraded");
    like(join("\n", map { $_->{text} } @{ $health->{faults} }), $text, "  and says why");
    my $refusal = $shop->ask('/footfall/v1/query?metrics=visits');
    ok($refusal->status == 503 && $refusal->json->{error}{message}, '  a query is refused: ' . eval { $refusal->json->{error}{code} });
    page_is_there($shop, '  ');
}

subtest 'an aggregator that comes, dies and comes again' => sub {
    my $shop = make_shop(workers => 2);
    $shop->start_nginx;
    $shop->get('/', from => $_) for 1 .. 3;
    is_deeply(seen($shop, qw(status aggregator_pid hits lag_hits faults)),
        { status => 'stale', aggregator_pid => undef, hits => 3, lag_hits => 3, faults => 0 }, 'never started');
    like($shop->ask('/footfall/v1/query?metrics=visits')->json->{error}{message}, qr/footfall aggregate --store \S+/,
        'a query names the command that is missing');
    page_is_there($shop, 'never started');

    my $pid = $shop->start_aggregator;
    $shop->settle;
    is_deeply(seen($shop, qw(status aggregator_pid hits lag_hits lag_ms lost_hits late_hits faults)), {
        status => 'ok', aggregator_pid => $pid, hits => 3, lag_hits => 0, lag_ms => 0, lost_hits => 0, late_hits => 0, faults => 0,
    }, 'it runs');
    is_totals($shop, { visits => 3, pageviews => 3 }, 'what came before it is counted');

    for my $signal ('KILL', 'TERM') {
        my $before = $shop->query(metrics => 'visits,pageviews')->{totals};
        my $hits = $shop->answered;
        $shop->end('aggregator', $signal);
        $shop->get('/cup', from => $_) for 4, 5;
        is_deeply(seen($shop, qw(status aggregator_pid hits lag_hits faults)),
            { status => 'stale', aggregator_pid => undef, hits => $hits + 2, lag_hits => 2, faults => 0 }, "ended by $signal");
        is_deeply($shop->query(metrics => 'visits,pageviews')->{totals}, $before, '  figures are those that it left');
        page_is_there($shop, '  ');
        $pid = $shop->start_aggregator;
        $shop->settle;
        is_deeply(seen($shop, qw(status aggregator_pid lag_hits)), { status => 'ok', aggregator_pid => $pid, lag_hits => 0 }, '  it runs again');
        is_totals($shop, { visits => 5, pageviews => $shop->answered }, '  and has counted what came meanwhile');
    }
};

subtest 'lanes' => sub {
    my $shop = open_shop(workers => 3);
    my $workers = sub { join ' ', sort { $a <=> $b } $shop->workers };
    wait_until('each worker holds a lane', sub { seen($shop, 'lane_pids')->{lane_pids} eq $workers->() });
    my $ring = $shop->health->{capture}{lanes}[0];
    is($ring->{ring_bytes}, 64 << 20, 'a ring is as large as it is by default');
    is_deeply([@$ring{qw(oldest newest)}], [undef, undef], 'nothing is in it');
    my ($one) = $shop->workers;
    $shop->kill_worker($one);
    wait_until('so does the new one', sub {
        (my $held = seen($shop, 'lane_pids')->{lane_pids}) =~ s/^(?:0 )+//;
        return $held eq $workers->();
    });
    $shop->get('/', from => $_) for 1 .. 9;
    $shop->settle;
    my $health = $shop->health;
    my ($used) = grep { $_->{ring_used} } @{ $health->{capture}{lanes} };
    like($used->{$_}, qr/^\d{4}-\d\d-\d\dT[\d:.]+Z$/, "$_ hit of a ring") for qw(oldest newest);
    is(seen($shop, 'hits')->{hits}, 9, 'hits of all lanes');
    cmp_ok($health->{store}{$_}, '>', 0, "the store's $_") for qw(bytes free_bytes);

    $shop->stop_nginx;
    my ($code, $out) = $shop->footfall('query', 'health', '--store', $shop->store);
    is($code, 0, 'by command, without nginx');
    my $said = JSON::PP->new->decode($out);
    is(join(' ', map { $_->{pid} // 0 } @{ $said->{capture}{lanes} }), join(' ', (0) x @{ $said->{capture}{lanes} }), 'nobody holds a lane');
    is($said->{status}, 'ok', 'which is no fault: the aggregator runs');

    $shop->stop_aggregator;
    open my $lock, '+<', $shop->store . '/lane.0/lock' or die "lock: $!";
    flock $lock, LOCK_EX;
    (undef, $out) = $shop->footfall('query', 'health', '--store', $shop->store);
    is(JSON::PP->new->decode($out)->{capture}{lanes}[0]{pid}, undef, 'who only looks into a lane is not its worker');
};

subtest 'a second aggregator' => sub {
    my $shop = open_shop();
    my ($code, undef, $err) = $shop->footfall('aggregate', '--store', $shop->store);
    is($code, 1, 'is refused');
    like($err, qr{/writer is held by process @{[ $shop->pid('aggregator') ]}\b}, 'and told who is the first');
    $shop->get('/');
    is_totals($shop, { hits => 1 }, 'which goes on');
};

subtest 'drops are told' => sub {
    my $shop = open_shop(footfall => 'footfall on; footfall_site shop; footfall_signals dnt=drop;');
    $shop->get('/', headers => [DNT => 1]) for 1 .. 4;
    $shop->get('/');
    $shop->settle;
    my $lane = $shop->health->{capture}{lanes}[0];
    is($lane->{dropped}{signal}, 4, 'by reason');
    is($lane->{hits}, 1, 'and are no hits');
};

# --- the store is not as it should be --------------------------------------------------------------------------------

# Nothing but a warning; capture begins when the store is well again.
subtest 'a store that cannot be made' => sub {
    my $shop = make_shop();
    $shop->write('store' => 'a file, and no folder');
    $shop->start_nginx;
    serves($shop, 'a file in its place');
    is_unwell($shop, qr/store/, 'a file in its place');
    like($shop->read('logs/error.log'), qr/\[warn\].* footfall: capture is off until the store \S+ can be made: \S+ is no folder/, 'logged');
    my ($code, undef, $err) = $shop->footfall('aggregate', '--once', '--config', $shop->path('footfall.toml'));
    is($code, 1, 'the aggregator does not work with it');
    like($err, qr/is no folder|Not a directory/i, 'and says why');
    is($shop->read('store'), 'a file, and no folder', 'nobody touched the file');

    unlink $shop->path('store');
    $shop->reload;
    wait_until('capture is on', sub { @{ $shop->health->{capture}{lanes} } == 1 });
    serves($shop, 'mended');
    $shop->start_aggregator;
    is_totals($shop, { hits => 3, pageviews => 2 }, 'counted from then on');
};

subtest 'a folder above it is missing' => sub {
    my $shop = make_shop();
    my $conf = $shop->read('nginx.conf') =~ s{footfall_store \S+/store}{footfall_store $shop->{folder}/none/such/store}r;
    $shop->write('nginx.conf' => $conf);
    $shop->start_nginx;
    serves($shop, 'no folder');
    is_unwell($shop, qr/there is no store at \S+/, 'no folder');
    like($shop->read('logs/error.log'), qr/capture is off until the store \S+ can be made: .*No such file/, 'logged');
};

subtest 'a store that goes away' => sub {
    my $shop = open_shop();
    serves($shop, 'before');
    $shop->settle;
    rename $shop->store, "$shop->{folder}/elsewhere";
    serves($shop, 'gone');
    is_unwell($shop, qr/there is no store/, 'gone');
    rename "$shop->{folder}/elsewhere", $shop->store;
    wait_until('all is well again', sub { my $health = $shop->health; $health->{status} eq 'ok' && $health->{aggregator}{lag_hits} == 0 });
    is_totals($shop, { hits => $shop->answered }, 'what came meanwhile is counted');
};

subtest 'files that are not ours' => sub {
    my %foreign = (    # what is wrong with it => what is said, content
        format => [qr/format/, "footfall 99\n"], secret => [qr/secret/, 'short'], 'format ' => [qr/format/, "\x7fELF\0\0\0"],
    );
    for my $name (sort keys %foreign) {
        my ($text, $content) = @{ $foreign{$name} };
        my $shop = make_shop();
        $shop->start_nginx;
        wait_until('capture is on', sub { @{ $shop->health->{capture}{lanes} } == 1 });
        $shop->stop_nginx;
        $shop->write('store/' . $name =~ s/ //r => $content);
        $shop->start_nginx;
        serves($shop, "a foreign $name");
        is_unwell($shop, $text, "a foreign $name");
        like($shop->read('logs/error.log'), qr/footfall: capture is off/, '  logged');
        my ($code, undef, $err) = $shop->footfall('aggregate', '--once', '--config', $shop->path('footfall.toml'));
        is($code, 1, '  the aggregator refuses it');
        like($err, $text, '  and says why');
        is($shop->read('store/' . $name =~ s/ //r), $content, '  the file is as it was');
    }
};

subtest 'a lane full of rubbish' => sub {
    for my $file (qw(stage state ring)) {
        my $shop = make_shop();
        $shop->start_nginx;
        serves($shop, "before: $file");
        $shop->stop_nginx;
        my ($path) = $file eq 'ring' ? glob($shop->store . '/lane.0/ring.*/data.mdb') : $shop->store . "/lane.0/$file";
        my $size = -s $path;
        open my $to, '+<', $path or die "$path: $!";
        print $to "\xa5" x ($size < 65536 ? $size : 65536);
        close $to;
        $shop->start_nginx;
        serves($shop, "a $file of rubbish");
        $shop->start_aggregator;
        wait_until('capture is on', sub { grep { $_->{pid} } @{ $shop->health->{capture}{lanes} } });
        serves($shop, "a $file of rubbish, later");
        is($shop->ask('/footfall/v1/health')->status, 200, '  health is there');
        page_is_there($shop, '  ');
        wait_until('what came later is counted', sub {
            my $answer = $shop->ask('/footfall/v1/query?metrics=hits');
            return $answer->status == 200 && $answer->json->{totals}[0] >= 3;
        }, sub { $shop->ask('/footfall/v1/query?metrics=hits')->body . $shop->ask('/footfall/v1/health')->body });
        my $hits = $shop->query(metrics => 'hits')->{totals}[0];
        cmp_ok($hits, '<=', $shop->answered, "  $hits of " . $shop->answered . ' hits are counted, none twice');
    }
};

subtest 'a summary full of rubbish' => sub {
    my $shop = open_shop();
    serves($shop, 'before');
    $shop->settle;
    $shop->stop_aggregator;
    my ($path) = glob $shop->store . '/summary.*/data.mdb';
    truncate $path, 0;
    open my $to, '+<', $path or die "$path: $!";
    print $to 'not a database' x 5000;
    close $to;
    serves($shop, 'rubbish');
    is_unwell($shop, qr/summary|data\.mdb/, 'rubbish');
    my ($code, undef, $err) = $shop->footfall('aggregate', '--once', '--config', $shop->path('footfall.toml'));
    is($code, 1, 'the aggregator refuses it');
    like($err, qr/summary/, 'and says why');
    is(substr($shop->read($path), 0, 14), 'not a database', 'the file is as it was');
};

subtest 'a store that may only be read' => sub {
    plan skip_all => 'root makes the store, www-data may not write it' if $> != 0;
    my $shop = make_shop();
    $shop->start_nginx;
    serves($shop, 'before');
    $shop->stop_nginx;
    system 'chown', '-R', 'root:root', $shop->store;
    system 'chmod', '-R', 'a+rX,go-w', $shop->store;
    $shop->start_nginx;
    serves($shop, 'read-only');
    my $health = $shop->health;
    is(scalar(grep { $_->{pid} } @{ $health->{capture}{lanes} }), 0, 'nobody holds a lane');
    like($shop->read('logs/error.log'), qr/\[warn\].* footfall: capture is off, \d+ hits missed so far: .*Permission denied/, 'logged');
    system 'chown', '-R', 'www-data:www-data', $shop->store;
    wait_until('capture is on by itself', sub { grep { $_->{pid} } @{ $shop->health->{capture}{lanes} } });
    like($shop->read('logs/error.log'), qr/footfall: capture is on, lane 0; 3 hits were missed before/, 'and tells what was missed');
};

close_shops();
