# scripts/torture, a few rounds of it: kills of workers, of the master, of the aggregator, of all, and reloads, at random moments.
use v5.36;
use lib 't/lib';
use Footfall::Shop;
use Test::More;

use constant ROUNDS => 20;
my $seed = $ENV{FOOTFALL_SEED} // 20261101;
note "FOOTFALL_SEED=$seed";
open my $torture, '-|', Footfall::Shop->root . '/scripts/torture', ROUNDS, '--seed', $seed or die "scripts/torture: $!";
my (@rounds, @said);
while (<$torture>) {
    chomp;
    push @said, $_;
    push @rounds, $_ if /^round \d+: /;
}
is(close $torture ? 0 : $? >> 8 || $?, 0, 'ends well') || diag join "\n", grep { !/^round/ } @said;
is(scalar @rounds, ROUNDS, 'after all its rounds');
my ($answered, $counted, $killed) = $said[-1] =~ /: (\d+) answered, (\d+) counted, (\d+) workers killed$/;
cmp_ok($counted // 0, '>', 100 * ROUNDS, 'visitors came all the time');
cmp_ok($counted // 0, '<=', $answered // 0, 'nothing is counted twice');
cmp_ok($killed // 0, '>', ROUNDS / 2, 'and workers were killed');
done_testing();
