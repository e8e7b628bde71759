# A request never waits for footfall: the log phase makes no system call, takes no lock and allocates nothing. Ten
# thousand requests to a captured page cost the worker's event loop what they cost where footfall is off, in the same
# process; what its tick does now and then is far below one in twenty requests.
use v5.36;
use lib 't/lib';
use Footfall::Client qw(connect_to request_text BROWSER);
use Footfall::Test;

use constant { REQUESTS => 10_000, NOISE => 500 };

plan skip_all => 'no strace' unless grep { -x "$_/strace" } split /:/, $ENV{PATH};

my $page = 'default_type text/html; return 200 "<h1>Cup</h1>";';
my $shop = make_shop(
    footfall => '',
    http     => 'keepalive_requests 1000000;',
    server   => "location /on/ { footfall on; footfall_site shop; $page } location /off/ { footfall off; $page }",
);
my $shim = "$shop->{folder}/count_calls.so";
is(system('cc', '-O1', '-shared', '-fPIC', '-o', $shim, Footfall::Shop->root . '/t/data/count_calls.c', '-ldl'), 0,
    'the counter of calls is built');
$shop->write('counts' => "\0" x 24);
{
    local @ENV{qw(LD_PRELOAD FOOTFALL_COUNTS)} = ($shim, $shop->path('counts'));
    $shop->start_nginx;
}
$shop->start_aggregator;
my ($worker) = $shop->workers;
my $connection = connect_to($shop->port);
my $asked = 0;

# Asks for a page that often, each as a visitor comes from a campaign, over one connection.
sub ask_for ($where, $times = REQUESTS) {
    my $request = request_text('GET', "/$where/cup?utm_source=letter&utm_medium=email&utm_campaign=autumn",
        keep => 1, referrer => 'https://www.google.com/search?q=cup', headers => ['Accept-Language' => 'de', DNT => 0]);
    for (1 .. $times) {
        syswrite($connection, $request) or die "send: $!";
        my $answer = '';
        until ($answer =~ m{</h1>\z}) { sysread($connection, $answer, 4096, length $answer) or die "no answer: $!" }
    }
    $asked += $times if $where eq 'on';
}

sub calls_counted () {
    my %counts;
    @counts{qw(allocations releases locks)} = unpack 'Q3', $shop->read('counts');
    return \%counts;
}

# What the event loop allocates, releases and locks meanwhile.
sub library_calls ($where) {
    my $before = calls_counted();
    ask_for($where);
    my $after = calls_counted();
    return { map { $_ => $after->{$_} - $before->{$_} } keys %$after };
}

# The event loop's system calls meanwhile, by name. Without -f strace follows no other thread.
sub system_calls ($where) {
    my ($log, $table) = map { $shop->write("strace.$_" => '') } qw(log table);
    my $strace = fork // die "fork: $!";
    if ($strace == 0) {
        open STDERR, '>', $log;
        exec 'strace', '-c', '-U', 'calls,name', '-o', $table, '-p', $worker;
        exit 127;
    }
    my $attached = wait_until('strace is attached', sub {
        my $said = $shop->read('strace.log');
        return $said =~ /attached$/m ? 1 : $said =~ /Operation not permitted|not allowed/ ? -1 : 0;
    }, sub { $shop->read('strace.log') });
    ask_for($where) if $attached > 0;
    kill INT => $strace;
    waitpid $strace, 0;
    return if $attached < 0;
    my %calls = map { /^\s*(\d+)\s+(\w+)\s*$/ ? ($2 => $1) : () } split /\n/, $shop->read('strace.table');
    delete $calls{total};
    return \%calls;
}

# What is counted of one must be counted of the other, but for the noise.
sub is_the_same ($kind, $on, $off) {
    my %names = (%$on, %$off);
    for my $name (sort keys %names) {
        my ($with, $without) = map { $_ // 0 } $on->{$name}, $off->{$name};
        ok($with - $without < NOISE, "$kind $name: $with with footfall, $without without, in ${\REQUESTS} requests");
    }
}

ask_for($_, 1000) for qw(on off);    # whatever is made once is made by now

my ($on, $off) = map { library_calls($_) } qw(on off);
cmp_ok($off->{allocations}, '>=', REQUESTS, "nginx's own allocations are counted");
is_the_same(library => $on, $off);

SKIP: {
    ($on, $off) = map { system_calls($_) } qw(on off);
    skip 'this host lets nobody trace', 1 unless $on && $off;
    cmp_ok($off->{writev} // 0, '>=', REQUESTS, "nginx's own system calls are counted");
    is_the_same('system call' => $on, $off);
}

close $connection;
is_totals($shop, { hits => $asked }, 'and every one of them was captured', site => 'shop');
close_shops();
