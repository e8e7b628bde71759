# `footfall dump` shows what lies in a store, `footfall check` says whether its lanes are whole: beside running processes, and
# of a store that somebody damaged.
use v5.36;
use lib 't/lib';
use Footfall::Test;

sub dump_of ($shop, $what) {
    my ($code, $out, $err) = $shop->footfall('dump', $what, '--store', $shop->store);
    is("$code$err", '0', "dump $what ends well");
    unlike($out, qr/[^\n\x20-\x7e]/, '  in plain text');
    return $out;
}

sub check ($shop) { my ($code, $out, $err) = $shop->footfall('check', '--store', $shop->store); return ($code, $out . $err) }

# Offsets at which a file holds the bytes.
sub find_in ($shop, $path, $bytes) { my $text = $shop->read($path); my @at; my $at = -1; push @at, $at while ($at = index $text, $bytes, $at + 1) >= 0; return @at }

sub overwrite ($path, $at, $bytes) {
    open my $file, '+<:raw', $path or die "$path: $!";
    seek $file, $at, 0;
    print $file $bytes;
}

my $shop = open_shop(workers => 2);
$shop->burst(map { ['GET', '/cup', from => $_] } 1 .. 40);
my $health = $shop->settle;

subtest 'dump' => sub {
    my $lanes = dump_of($shop, 'lanes');
    my ($staged, $held) = (0, 0);
    $staged += $1 while $lanes =~ /hits (\d+) staged/g;
    $held++ while $lanes =~ /^lane \d+  held by process \d+; epoch \d+, begun \d{4}-/mg;
    is($staged, 40, 'lanes: every hit was staged');
    is($held, 2, '  and who holds them');

    my $hits = 0;
    for (split /\n/, dump_of($shop, 'ring')) {
        like($_, qr/^lane \d+ ring\.0 \d+  \d+ bytes  epoch \d+, numbers \d+ to \d+, \S+Z to \S+Z, sites shop$/, '  a block');
        $hits += $2 - $1 + 1 if /numbers (\d+) to (\d+)/;
    }
    is($hits, 40, 'ring: every hit is there');

    my $checkpoint = dump_of($shop, 'checkpoint');
    my $counted = 0;
    $counted += $1 while $checkpoint =~ /^  lane \d+  epoch \d+, next number \d+; hits of the lane so far: (\d+)$/mg;
    is($counted, 40, 'checkpoint: every hit is counted');
    like($checkpoint, qr/^  hits lost 0, late 0, refused 0$/m, '  none is lost');
    like($checkpoint, qr/^  site 0  shop, first live hit 2\d{3}-/m, '  of the site');
};

subtest 'check, of lanes that are whole' => sub {
    my ($code, $said) = check($shop);
    is($code, 0, 'beside running processes') || diag $said;
    my $hits = 0;
    $hits += $1 while $said =~ /^lane \d+: (\d+) hits in \d+ blocks, 0 in the stage, 0 numbers lost between blocks; whole$/mg;
    is($hits, 40, 'all hits are read');
    my $load = $shop->load(visitors => 900);
    for (1 .. 5) {
        $load->wait_for_more(100);
        ($code, $said) = check($shop);
        is($code, 0, 'under load') || diag $said;
    }
    $load->stop;
    $shop->settle;
};

subtest 'check, of what is not whole' => sub {
    my $small = open_shop(store => 'flush=10ms');
    $small->burst(map { ['GET', '/' . 'x' x 900 . $_, from => $_] } 1 .. 60);
    $small->settle;
    $small->stop_nginx;
    $small->stop_aggregator;
    is((check($small))[0], 0, 'at first it is');
    my ($ring) = glob $small->store . '/lane.0/ring.*/data.mdb';
    overwrite($ring, $_, 'y') for find_in($small, $ring, 'x' x 900);
    my ($code, $said) = check($small);
    is($code, 1, 'a byte of a block is another');
    like($said, qr/^lane 0: .*; faults:\n  ring\.0, block \d+: .*checksum/m, 'is told, with lane and block');
    my (undef, $out) = $small->footfall('dump', 'ring', '--store', $small->store);
    like($out, qr/checksum/, 'dump shows it too');

    # A block that somebody took out: numbers are missing that nobody counted as lost.
    my $gapped = open_shop(store => 'flush=10ms');
    my $tool = $gapped->path('lmdb_tool');
    is(system('cc', '-O1', '-o', $tool, Footfall::Shop->root . '/t/data/lmdb_tool.c', '-llmdb'), 0, 'the tool is built');
    for my $part (1 .. 3) {
        $gapped->burst(map { ['GET', '/' . 'x' x 900 . $_, from => $_] } 1 .. 60);
        $gapped->settle;
    }
    $gapped->stop_nginx;
    $gapped->stop_aggregator;
    is((check($gapped))[0], 0, 'of three times sixty hits none is missing');
    my ($dumped) = (dump_of($gapped, 'ring') =~ /^lane 0 ring\.0 1  \d+ bytes  epoch \d+, numbers (\d+ to \d+),/m);
    my $missing = eval join '-', reverse map { $_ } split / to /, $dumped;
    is((system $tool, 'drop', glob($gapped->store . '/lane.0/ring.0'), 1), 0, 'the second block is taken out');
    ($code, $said) = check($gapped);
    is($code, 1, 'which is a fault');
    like($said, qr/^  @{[ $missing + 1 ]} numbers are missing between blocks, 0 are known to be lost$/m, 'told to the number');

    # A stage whose last record is cut off.
    $small->start_nginx;
    $small->stop_nginx;
    my $stage = readlink($small->store . '/lane.0/stage') // $small->store . '/lane.0/stage';
    overwrite($stage, 4096 + 65536, 'rubbish!' x 8);
    my $head = unpack 'Q<', substr $small->read($stage), 128, 8;
    overwrite($stage, 128, pack 'Q<', $head + 64);
    ($code, $said) = check($small);
    is($code, 1, 'a record of a stage is another');
    like($said, qr/^  .*stage.*cannot be/m, 'is told');
};

subtest 'where nothing is' => sub {
    for my $command (['dump', 'lanes'], ['dump', 'checkpoint'], ['check']) {
        my ($code, $out, $err) = $shop->footfall(@$command, '--store', $shop->path('none'));
        is($code, 1, "@$command fails");
        like($err, qr/there is no store at \S+none/, '  and says why');
        ok(!-e $shop->path('none'), '  and makes none');
    }
    is(($shop->footfall('dump', 'everything', '--store', $shop->store))[0], 2, 'what cannot be dumped is wrong usage');
};

close_shops();
