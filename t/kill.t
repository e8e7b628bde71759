# kill -9 of a worker, of all of nginx, of the aggregator, a dozen times while visitors come: every answered request is counted
# once. nginx answers before it logs, so a killed worker may take one answered request with it, never more.
use v5.36;
use lib 't/lib';
use Footfall::Test;
use List::Util qw(shuffle);

use constant { WORKERS => 2, VISITORS => 90, PROCESSES => 3 };
my $seed = $ENV{FOOTFALL_SEED} // 20261001;
srand $seed;
note "FOOTFALL_SEED=$seed";

my $shop = open_shop(workers => WORKERS, server => <<'END');
    location / { try_files $uri $uri.html $uri/index.html =404; }
    location = /thanks { footfall_order id=$request_id value=1; try_files /thanks.html =404; }
END
sub checkpoint () { $shop->health->{aggregator}{checkpoint} }

my $load = $shop->load(processes => PROCESSES, visitors => VISITORS, pages => ['/', '/cup', '/thanks', '/bowl', '/cart']);
my ($workers_killed, $aggregators_killed) = (0, 0);
my %kill = (
    worker => sub {
        my @workers = $shop->workers;
        $shop->kill_worker($workers[rand @workers]);
        $workers_killed++;
    },
    nginx => sub {
        $workers_killed += $shop->workers;
        $shop->kill_nginx;
        $shop->start_nginx;
    },
    aggregator => sub {
        # By turns just after a checkpoint, and wherever it is: it commits only twice a second.
        if ($aggregators_killed++ % 2 == 0) {
            my $checkpoint = checkpoint();
            wait_until('a checkpoint is stored', sub { checkpoint() > $checkpoint });
        }
        $shop->end(aggregator => 'KILL');
        $load->wait_for_more(5 + rand 50);
        $shop->start_aggregator;
    },
);
my @rounds = shuffle((sort keys %kill) x 4);
for my $round (1 .. @rounds) {
    $load->wait_for_more(20 + rand 150);
    $kill{ $rounds[$round - 1] }->();
    pass("round $round: killed $rounds[$round - 1]");
}
$load->wait_for_more(100);
my $answered = $load->stop;

$shop->settle;
my ($hits, $views, $orders, $revenue, $visits) = @{ $shop->query(metrics => 'hits,pageviews,orders,revenue,visits')->{totals} };
note "$answered answered, $hits counted, $workers_killed workers killed";
cmp_ok($hits, '<=', $answered, 'nothing is counted twice');
cmp_ok($hits, '>=', $answered - $workers_killed, 'at most one a killed worker is lost');
is($views, $hits, 'each is a page view');
my %views = map { @$_ } @{ $shop->query(by => 'page', metrics => 'pageviews')->{rows} };
is($orders, $views{'/thanks'}, 'each thank-you page is an order');
is($revenue, $orders, 'of 1.00');
is($visits, PROCESSES * VISITORS, 'a kill splits no visit');
my $health = $shop->settle;
is($health->{aggregator}{lost_hits}, 0, 'no staged hit is lost');
is($health->{status}, 'ok', 'health is well again') || diag json_text($health);
is_totals($shop, { hits => $hits, duplicate_orders => 0, errors_5xx => 0 }, 'the command says the same');

# And once more with nothing running at all: what was counted is counted.
$shop->kill_nginx;
$shop->end(aggregator => 'KILL');
my ($code) = $shop->footfall('aggregate', '--once', '--store', $shop->store);
is($code, 0, 'the store is whole without nginx');
is($shop->query_by_command(metrics => 'hits')->{totals}[0], $hits, 'and holds the same figures');
close_shops();
