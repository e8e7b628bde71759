# A process that is stopped (SIGSTOP) stalls nobody else: not the other worker, not the aggregator, not a reload; and when it
# goes on, nothing is missing.
use v5.36;
use lib 't/lib';
use Footfall::Client qw(connect_to request_text read_answer);
use Footfall::Test;

my $shop = open_shop(workers => 2);
my @stopped;
END { local $?; kill CONT => @stopped if @stopped }

sub stop ($pid) {
    push @stopped, $pid;
    kill STOP => $pid;
    wait_until("process $pid is stopped", sub { (split ' ', $shop->read("/proc/$pid/stat") =~ s/^.*\) //r)[0] eq 'T' });
}

sub go_on ($pid) {
    kill CONT => $pid;
    @stopped = grep { $_ != $pid } @stopped;
}

# Kept connections of the two workers, told by which of them moves its lane's hits.
sub staged () { my %hits = map { ($_->{pid} // 0) => $_->{hits} } @{ $shop->health->{capture}{lanes} }; return \%hits }

my ($here, $there) = do {
    my (%client, $from);
    wait_until('there is a connection to each worker', sub {
        my $before = staged();
        my $client = $shop->client(from => ++$from);
        $client->get('/', from => $from);
        my $worker;
        wait_until('its hit is staged', sub { my $now = staged(); ($worker) = grep { $now->{$_} > ($before->{$_} // 0) } keys %$now; $worker });
        $client{$worker} //= $client;
        return keys %client == 2;
    });
    map { { worker => $_, client => $client{$_} } } sort keys %client;
};
my $hits = sub { my $sum = 0; $sum += $_ for values %{ staged() }; $sum };
$shop->settle;    # what a stopped worker has not flushed is not to be had
my $before = $hits->();

# --- a worker --------------------------------------------------------------------------------------------------------

# While it is stopped the health and the query are asked by the other worker's connection.
sub ask_there ($target) { $there->{client}->get($target)->json }

stop($here->{worker});
$there->{client}->get('/cup') for 1 .. 50;
is(ask_there('/footfall/v1/query?metrics=hits&range=today')->{columns}[0]{name}, 'hits', 'the other worker answers queries');
wait_until('what the other worker serves is counted', sub { ask_there('/footfall/v1/query?metrics=hits')->{totals}[0] == $before + 50 });
pass('a stopped worker holds back nobody: what the other serves is counted');
is(ask_there('/footfall/v1/health')->{aggregator}{pid}, $shop->pid('aggregator'), 'health is told');

# A reload: new workers come, though the stopped one stays.
kill HUP => $shop->pid('nginx');
wait_until('new workers serve', sub { grep({ $_ != $here->{worker} && $_ != $there->{worker} } $shop->workers) >= 2 });
my ($code) = $shop->footfall('query', 'health', '--store', $shop->store);
is($code, 0, 'a command is not held back either');

go_on($here->{worker});
wait_until('the old workers are gone', sub { !grep { Footfall::Shop::title($_) } $here->{worker}, $there->{worker} });
is_totals($shop, { hits => $before + 50, late_hits => 0 }, 'when it goes on, each hit is counted once');

# --- a worker that is stopped while it has hits in its stage -----------------------------------------------------------

subtest 'hits in the stage of a stopped worker' => sub {
    my $slow = open_shop(store => 'flush=10s');
    my ($worker) = $slow->workers;
    $slow->get('/', from => $_) for 1 .. 5;
    kill STOP => $worker;
    push @stopped, $worker;
    my $said = sub { my (undef, $out) = $slow->footfall('query', 'health', '--store', $slow->store); JSON::PP->new->decode($out) };
    is($said->()->{capture}{lanes}[0]{hits}, 5, 'are told');
    is($said->()->{capture}{lanes}[0]{pid}, $worker, 'with its lane');
    $slow->end(aggregator => 'KILL');
    my ($code) = $slow->footfall('aggregate', '--once', '--store', $slow->store);
    is($code, 0, 'an aggregator that asks for all ends');
    is($slow->query_by_command(metrics => 'hits')->{totals}[0], 5, 'and has counted them, unasked the worker');
    go_on($worker);
    $slow->start_aggregator;
    is_totals($slow, { hits => 5 }, 'once it goes on they are not counted again');
};

# --- the aggregator --------------------------------------------------------------------------------------------------

subtest 'a stopped aggregator' => sub {
    my $counted = $shop->query(metrics => 'hits')->{totals}[0];
    stop($shop->pid('aggregator'));
    my $load = $shop->load(visitors => 300);
    $load->wait_for_more(300);
    $shop->reload;
    $load->wait_for_more(300);
    is($shop->query(metrics => 'hits')->{totals}[0], $counted, 'queries answer, with what was counted before');
    my $answered = $load->stop;
    cmp_ok($shop->health->{aggregator}{lag_hits}, '>=', $answered, 'health says how much is not counted');
    go_on($shop->pid('aggregator'));
    is_totals($shop, { hits => $counted + $answered, late_hits => 0 }, 'and all of it is, when it goes on');
};

close_shops();
