# Reloads while visitors come: old and new workers serve side by side, nothing is lost, nothing counted twice.
use v5.36;
use lib 't/lib';
use Footfall::Client qw(connect_to request_text read_answer);
use Footfall::Test;

use constant { WORKERS => 2, ROUNDS => 5 };
my $shop = open_shop(workers => WORKERS);

# A connection whose worker has read half a request: it has to stay until the rest comes.
my $slow = connect_to($shop->port, 7);
my $request = request_text(GET => '/cup', keep => 1);
$slow->syswrite($request);
is(read_answer($slow, keep => 1)->status, 200, 'a client that keeps its connection');
my $half = int length($request) / 2;
$slow->syswrite(substr $request, 0, $half);
wait_until('nginx has read half a request', sub { unread_bytes($shop->port, $slow->sockport) == 0 });
my %first = map { $_ => 1 } $shop->workers;

my $load = $shop->load;
for my $round (1 .. ROUNDS) {
    $load->wait_for_more(50);
    my @old = $shop->workers;
    $shop->reload;
    $load->wait_for_more(50);
    wait_until('the old workers are gone, but for the held one', sub { (grep { is_alive($_) } @old) <= ($round == 1) });
}
is(scalar(grep { is_alive($_) } keys %first), 1, 'a worker of the first configuration still serves the slow client');

$slow->syswrite(substr $request, $half);
is(read_answer($slow)->status, 200, 'which gets its answer');
wait_until('the held worker is gone', sub { !grep { is_alive($_) } keys %first });
my $answered = $load->stop + 2;

cmp_ok($answered, '>', 100 * ROUNDS, 'visitors came all the time');
is_totals($shop, {
    hits => $answered, pageviews => $answered, visits => 43, visitors => 43, errors_4xx => 0, errors_5xx => 0, late_hits => 0,
}, 'every answer is counted once');

my $health = $shop->health;
my @lanes = @{ $health->{capture}{lanes} };
# Old and new workers need four, the held one a fifth. The aggregator may be looking into a free lane just when it is claimed.
cmp_ok(scalar @lanes, '<=', 2 * WORKERS + 4, 'lanes are used again: ' . @lanes . ' for ' . WORKERS * (ROUNDS + 1) . ' workers');
is(scalar(grep { $_->{pid} } @lanes), WORKERS, 'those who are gone hold none');
is($health->{aggregator}{lost_hits}, 0, 'no hit is lost');

# A reload to a configuration without footfall, and back again.
$shop->write_configuration(footfall => 'footfall off;');
$shop->reload;
$shop->get('/', from => 8);
$shop->write_configuration(footfall => 'footfall on; footfall_site shop;');
$shop->reload;
$shop->get('/', from => 8);
is_totals($shop, { hits => $answered + 1, visits => 44 }, 'what came while footfall was off is not counted');
close_shops();

sub is_alive ($pid) { -e "/proc/$pid" }

# What a server's socket holds that its process has not read yet.
sub unread_bytes ($server_port, $client_port) {
    open my $sockets, '<', '/proc/net/tcp' or die "/proc/net/tcp: $!";
    my ($local, $remote) = map { sprintf ':%04X', $_ } $server_port, $client_port;
    for (<$sockets>) { return hex $1 if /$local [0-9A-F]+$remote 01 [0-9A-F]+:([0-9A-F]+)/ }
    return -1;
}
