# A new binary takes over (USR2), is taken back, and takes over again, while visitors come; a worker is held by a slow client
# through a hundred reloads; what is cut off by worker_shutdown_timeout is counted. Every answer is counted once.
use v5.36;
use lib 't/lib';
use Footfall::Client qw(connect_to request_text read_answer);
use Footfall::Test;

use constant { WORKERS => 2, RELOADS => 100 };

sub is_alive ($pid) { Footfall::Shop::title($pid) ne '' }
sub pid_in ($shop, $file) { -e $shop->path($file) ? $shop->read($file) + 0 : 0 }
sub workers_of ($master) { grep { Footfall::Shop::title($_) =~ /worker process$/ } Footfall::Shop::children($master) }

# A connection whose worker has read half a request: it has to stay until the rest comes.
sub hold ($shop, $from) {
    my $socket = connect_to($shop->port, $from);
    my $request = request_text(GET => '/cup', keep => 1);
    $socket->syswrite($request);
    read_answer($socket, keep => 1)->status == 200 or die 'no answer';
    my $half = int length($request) / 2;
    $socket->syswrite(substr $request, 0, $half);
    return { socket => $socket, rest => substr($request, $half) };
}

sub let_go ($held) {
    $held->{socket}->syswrite($held->{rest});
    return read_answer($held->{socket})->status;
}

subtest 'USR2: upgrade, rollback, upgrade' => sub {
    my $shop = open_shop(workers => WORKERS, daemon => 1);
    my $load = $shop->load(visitors => 100);
    my $old = $shop->pid('nginx');
    my $new_binary = sub {
        kill USR2 => $old;
        wait_until('the new binary serves', sub {
            my $new = pid_in($shop, 'nginx.pid');
            return pid_in($shop, 'nginx.pid.oldbin') == $old && $new && $new != $old && workers_of($new) == WORKERS;
        });
        return pid_in($shop, 'nginx.pid');
    };

    $load->wait_for_more(50);
    my $new = $new_binary->();
    $shop->{pids}{new} = $new;
    $load->wait_for_more(50);
    is(scalar(workers_of($old)) + workers_of($new), 2 * WORKERS, 'workers of both serve side by side');
    my @lanes = grep { $_->{pid} } @{ $shop->health->{capture}{lanes} };
    is(scalar @lanes, 2 * WORKERS, 'each with a lane of its own');
    kill WINCH => $old;
    wait_until('the old workers are gone', sub { !workers_of($old) });
    $load->wait_for_more(50);

    kill HUP => $old;
    wait_until('old workers serve again', sub { workers_of($old) == WORKERS });
    $load->wait_for_more(50);
    $shop->end(new => 'QUIT');
    wait_until('the old binary has its place again', sub { pid_in($shop, 'nginx.pid') == $old });
    $load->wait_for_more(50);
    pass('rolled back');

    $new = $new_binary->();
    $load->wait_for_more(50);
    $shop->end(nginx => 'QUIT');
    $shop->{pids}{nginx} = $new;
    ok(!is_alive($old), 'the old binary is gone');
    $load->wait_for_more(50);
    my $answered = $load->stop;
    is_totals($shop, { hits => $answered, pageviews => $answered, visits => 200, late_hits => 0 }, 'every answer is counted once');
    my $health = $shop->health;
    is($health->{aggregator}{lost_hits}, 0, 'no hit is lost');
    is(scalar(grep { $_->{pid} } @{ $health->{capture}{lanes} }), WORKERS, 'lanes are held by those who serve');
};

subtest 'a hundred reloads, an old worker held' => sub {
    my $shop = open_shop(workers => WORKERS);
    my %first = map { $_ => 1 } $shop->workers;
    my $held = hold($shop, 7);
    my $load = $shop->load(visitors => 500);
    $load->wait_for_more(20);
    for (1 .. RELOADS) {
        $shop->reload;
        $load->answered;
    }
    $load->wait_for_more(20);
    is(scalar(grep { is_alive($_) } keys %first), 1, 'a worker of the first configuration still serves the slow client');
    is(let_go($held), 200, 'who gets an answer');
    my $answered = $load->stop + 2;
    wait_until('the held worker is gone', sub { !grep { is_alive($_) } keys %first });
    is_totals($shop, { hits => $answered, pageviews => $answered, visits => 1001, late_hits => 0 }, 'every answer is counted once');
    my $health = $shop->health;
    my $lanes = @{ $health->{capture}{lanes} };
    cmp_ok($lanes, '<=', 6 * WORKERS, "lanes are used again: $lanes for " . WORKERS * (RELOADS + 1) . ' workers');
    is($health->{aggregator}{lost_hits}, 0, 'no hit is lost');
    is($health->{status}, 'ok', 'all is well') || diag json_text($health);
};

subtest 'worker_shutdown_timeout cuts an answer off' => sub {
    my $shop = open_shop(main => 'worker_shutdown_timeout 50ms;', server => <<'END');
        location / { try_files $uri $uri.html =404; }
        location = /long.html { limit_rate 100; }
END
    $shop->write('html/long.html' => 'x' x 100_000);
    my ($first) = $shop->workers;
    my $slow = connect_to($shop->port, 7);
    $slow->syswrite(request_text(GET => '/long.html'));
    sysread $slow, my $begun, 100;
    like($begun, qr{^HTTP/1.1 200}, 'an answer that has begun');
    $shop->reload;
    wait_until('the old worker is gone', sub { !is_alive($first) });
    $shop->get('/cup', from => 8);
    is_figures($shop, { by => 'page', metrics => 'hits' }, { '/long.html' => 1, '/cup' => 1 }, 'is counted, as what came after');
    is_totals($shop, { visits => 2, errors_4xx => 0, errors_5xx => 0 }, 'as the page that it was');
};

close_shops();
