# `scripts/run --import LOG…`: the figures of logs, in the page, with one command.
use v5.36;
use lib 't/lib';
use Footfall::Test;
use IO::Socket::INET;

my $shop = make_shop();    # a folder, and free ports
my $port = $shop->port('figures');
my $browser = 'Mozilla/5.0 (X11; Linux x86_64; rv:128.0) Gecko/20100101 Firefox/128.0';
sub line ($day, $path) { qq{192.0.2.1 - - [0$day/Jan/2024:10:00:00 +0000] "GET $path HTTP/1.1" 200 512 "-" "$browser"\n} }

my $new = $shop->write('access.log', line(2, '/cup') . line(3, '/bowl') . "rubbish\n");
my $old = $shop->write('access.log.1', line(1, '/teapot'));
system('gzip', $old) == 0 or die 'gzip';

sub get ($target) {
    my $socket = IO::Socket::INET->new(PeerAddr => '127.0.0.1', PeerPort => $port, Timeout => 5) or return '';
    print $socket "GET $target HTTP/1.0\r\n\r\n";
    local $/;
    return <$socket> // '';
}

my $run = Footfall::Shop->root . '/scripts/run';
my $said = $shop->path('said');
my $pid = fork // die;
if ($pid == 0) {
    open STDOUT, '>', $said;
    open STDERR, '>&', \*STDOUT;
    exec $run, '--port', $port, '--import', $new, "$old.gz";
}
my $is_up = eval { wait_until('the address is printed', sub { -e $said && $shop->read('said') =~ /Ctrl-C stops it/ }, 120); 1 };
ok($is_up, 'it starts') or diag $shop->read('said');
like($shop->read('said'), qr{^import 1: 4 lines, 3 hits$}m, 'it says what was imported');
like($shop->read('said'), qr{access\.log:3: }, 'and what was not');
my ($address) = $shop->read('said') =~ m{http://127\.0\.0\.1:$port(/\S+)};
is($address, '/footfall/?range=all', 'it prints the address of all figures');
my $page = get($address // '/');
like($page, qr{<th scope=row>/$_</th>}, "the page has /$_") for qw(cup bowl teapot);
like(get('/'), qr{^Location: \S+/footfall/\?range=all\r$}m, 'the root leads to them');
kill INT => $pid;
waitpid $pid, 0;
is($? & 127, 0, 'Ctrl-C ends it');
is(get('/'), '', 'and all that it started');

is(system("$run --import $said.missing >/dev/null 2>&1") >> 8, 2, 'a log that is not there is wrong usage');
is(system("$run --import >/dev/null 2>&1") >> 8, 2, 'and so is none');
close_shops();
