# scripts/torture-aggregator, a few rounds of it: kills at exact points of writing, full disks, ends; and no answer differs.
use v5.36;
use lib 't/lib';
use Footfall::Shop;
use Test::More;

use constant ROUNDS => 20;
my $seed = $ENV{FOOTFALL_SEED} // 20261124;
note "FOOTFALL_SEED=$seed";
open my $torture, '-|', Footfall::Shop->root . '/scripts/torture-aggregator', ROUNDS, '--seed', $seed or die "scripts/torture-aggregator: $!";
chomp(my @said = <$torture>);
is(close $torture ? 0 : $? >> 8 || $?, 0, 'ends well') || diag join "\n", @said;
is(scalar(grep { /^round \d+: / } @said), ROUNDS, 'after all its rounds');
my ($kills, $full) = $said[-1] =~ /: (\d+) kills, (\d+) times a full disk/;
cmp_ok($kills // 0, '>', ROUNDS, 'there were kills');
cmp_ok($full // 0, '>', 2, 'and full disks');
done_testing();
