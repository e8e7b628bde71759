# What hostile traffic leaves: every line a new visitor with a new path, referrer, source, campaign, agent and order. Memory
# and store stay within bounds, totals are exact, rows with `other` add up, and what was cut is said. `scripts/flood` by hand
# takes more lines.
use v5.36;
use lib 't/lib';
use Footfall::Test;

my @flood = ('scripts/flood', '--program', ($ENV{FOOTFALL_BUILD} // 'build') . '/footfall');
my $lines = $ENV{FOOTFALL_FLOOD_LINES} // 200_000;
my $said  = `@flood --lines $lines 2>&1`;
is $?, 0, 'all figures are right' or diag $said;
my ($memory_mib, $store_mb) = $said =~ /RssAnon at most (\d+) MiB.*store (\d+) MB/;
my $most_mib = ($ENV{FOOTFALL_BUILD} // '') =~ /asan/ ? 1_000 : 480;    # sanitizers keep what is freed
ok $memory_mib && $memory_mib < $most_mib, "memory: $memory_mib MiB";
ok $store_mb && $store_mb < 3_000, "store: $store_mb MB";

done_testing;
