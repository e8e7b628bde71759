# A batch of events is staged whole or not at all, whoever is killed meanwhile: what was answered with 202 counts, once; what
# was not leaves no part behind, and may be sent again where its events have ids. A stage without room takes none of it.
use v5.36;
use lib 't/lib';
use Footfall::Client qw(connect_to request_text read_answer);
use Footfall::Test;

use constant { BATCH => 40, ROUNDS => 12 };

my @json = (agent => 'shop-backend', headers => ['Content-Type' => 'application/json']);
my $server = 'location = /tell { footfall_ingest; } location / { try_files $uri $uri.html =404; }';

sub batch_of ($event, $number, %more) {
    return json_text([map { { event => $event, id => "$number-$_", value => 1, %more } } 1 .. BATCH]);
}

# All batches wait for their last byte. Some get it, then the worker is killed that is busy with them, then the others do. The
# status of each, 0 without an answer.
sub post_while_killing ($shop, $victim, @bodies) {
    local $SIG{PIPE} = 'IGNORE';
    my @texts = map { request_text('POST', '/tell', body => $_, @json) } @bodies;
    my @sockets = map { connect_to($shop->port) } @texts;
    syswrite $sockets[$_], substr($texts[$_], 0, -1) for 0 .. $#texts;
    my $before = int rand @texts;
    syswrite $sockets[$_], substr($texts[$_], -1) for 0 .. $before - 1;
    kill KILL => $victim;
    syswrite $sockets[$_], substr($texts[$_], -1) for $before .. $#texts;
    return map { my $answer = eval { read_answer($_) }; $answer ? $answer->status : 0 } @sockets;
}

subtest 'workers are killed' => sub {
    my $shop = open_shop(workers => 2, server => $server);
    my $number = 0;
    my ($orders, $answered, $torn) = (0, 0, 0);
    for my $round (1 .. ROUNDS) {
        my @bodies = map { [batch_of('purchase', ++$number), json_text([map { { event => 'call' } } 1 .. BATCH])] } 1 .. 30;
        my ($victim) = $shop->workers;
        $shop->{killed}{$victim} = 1;
        my @answers = post_while_killing($shop, $victim, map { @$_ } @bodies);
        wait_until('the worker is replaced', sub { my @now = $shop->workers; @now == 2 && !grep { $_ == $victim } @now });
        for my $i (0 .. $#bodies) {
            my ($of_orders, $of_calls) = @answers[2 * $i, 2 * $i + 1];
            $of_calls == 202 ? $answered++ : $torn++;
            # As the shop's server would: again, until it is answered.
            wait_until('the batch is taken', sub { my $again = $shop->post('/tell', body => $bodies[$i][0], @json); $again && $again->status == 202 }) if $of_orders != 202;
            $orders += BATCH;
        }
    }
    cmp_ok($torn, '>', 0, "$answered batches are answered, $torn not");
    is_totals($shop, { orders => $orders, revenue => $orders }, 'every order counts once, sent again or not', site => 'shop');
    my $calls = $shop->query(site => 'shop', by => 'event', metrics => 'events', filter => 'event:is:call')->{totals}[1];
    is($calls % BATCH, 0, 'of no batch a part counts');
    cmp_ok($calls, '>=', $answered * BATCH, 'all that was answered counts');
    cmp_ok($calls, '<=', ($answered + $torn) * BATCH, 'none of it twice');
};

subtest 'all of nginx is killed' => sub {
    my $shop = open_shop(workers => 2, server => $server, store => 'flush=10s');
    my @answers = $shop->burst(map { [POST => '/tell', body => batch_of('purchase', $_), @json] } 1 .. 10);
    is_deeply([map { $_->status } @answers], [(202) x 10], 'taken');
    $shop->kill_nginx;
    $shop->start_nginx;
    is_totals($shop, { orders => 10 * BATCH, duplicate_orders => 0 }, 'what was staged is counted', site => 'shop');
};

subtest 'no room' => sub {
    my $shop = open_shop(server => $server, store => 'stage=256k flush=10s');
    my ($taken, $refused) = (0);
    for my $number (1 .. 100) {
        my $answer = $shop->post('/tell', body => batch_of('purchase', $number, coupon => 'x' x 100), @json);
        $answer->status == 202 ? $taken++ : ($refused = $answer);
        last if $refused;
    }
    cmp_ok($taken, '>', 5, 'some are taken');
    is($refused->status, 503, 'then the stage is full');
    is($refused->json->{error}{code}, 'unavailable', '  and says so');
    is($refused->header('Retry-After'), 1, '  and when to come again');
    is_totals($shop, { orders => $taken * BATCH, events => $taken * BATCH }, 'nothing of those that were refused counts', site => 'shop');
    is($shop->health->{capture}{lanes}[0]{dropped}{stage_full} // 0, 0, 'no hit was dropped for them');
    is($shop->post('/tell', body => batch_of('purchase', 'last'), @json)->status, 202, 'once it is drained there is room again');
    my $large = $shop->post('/tell', body => json_text([map { { event => 'call', item => 'x' x 120 } } 1 .. 1000]), @json);
    is($large->status, 413, 'a batch of more than half a stage never fits');
    is_totals($shop, { events => ($taken + 1) * BATCH, orders => ($taken + 1) * BATCH }, 'for what fits', site => 'shop');
};

close_shops();
