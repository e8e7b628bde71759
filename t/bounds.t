# ci=95: kept visits and rollups tell the same bounds, by each model, and in each form.
use v5.36;
use lib 't/lib';
use Footfall::Csv qw(parse_csv);
use Footfall::Logs qw(combined_line);
use Footfall::Test;
use POSIX qw(strftime);

my $order_s = time - time % 86_400 - 86_400 + 12 * 3600;    # noon of yesterday
sub line ($days_before, $visitor, $target) { combined_line($order_s - $days_before * 86_400, $visitor, $target) }
sub came ($source) { "/?utm_source=$source&utm_medium=email&utm_campaign=of-$source" }

my $shop = make_shop(toml => <<'END');
[site.shop]
hosts = ["shop.example"]
[site.shop.order_page]
path = "/thanks"
id_arg = "order"
value_arg = "total"
END
# Twice of one source, so that its touches are one credit; orders of several sources; visits that buy nothing.
my @lines;
for my $visitor (1 .. 60) {
    push @lines, line(4, $visitor, came($visitor % 3 ? 'a' : 'b')), line(2, $visitor, came($visitor % 5 ? 'a' : 'c'));
    push @lines, line(0, $visitor, came($visitor % 2 ? 'b' : 'a')), line(0, $visitor, "/thanks?order=$visitor&total=" . 3.17 * $visitor) if $visitor % 4 == 0;
}
my $log = $shop->write('access.log' => join '', @lines);
my ($code, $out, $err) = $shop->footfall('import', 'log', '--visitors', 'all', '--config', $shop->path('footfall.toml'), $log);
is($code, 0, 'imported') || diag $err;
$shop->start_nginx;
$shop->start_aggregator;

my @range = (from => strftime('%Y-%m-%d', gmtime $order_s - 10 * 86_400), to => strftime('%Y-%m-%d', gmtime $order_s));
my @metrics = (metrics => 'cr,bounce_rate,exit_rate,cart_abandonment,rpv', ci => 95);

for my $model (qw(last last_non_direct first linear position time_decay)) {
    my @question = (@range, @metrics, model => $model);
    my $rollups = $shop->query(@question, by => 'source');
    my @earned = grep { $_->[-3] > 0 } @{ $rollups->{rows} };
    is(scalar(grep { defined $_->[-2] && $_->[-2] < $_->[-3] && $_->[-1] > $_->[-3] } @earned), scalar @earned, "$model: rpv lies within bounds")
        || diag explain $rollups->{rows};
    my $visits = $shop->query(@question, by => 'source,device');
    is_deeply([map { [$_->[0], @$_[2 .. $#$_]] } @{ $visits->{rows} }], $rollups->{rows}, 'kept visits tell the same rows');
    is_deeply([@{ $visits->{totals} }[2 .. 16]], [@{ $rollups->{totals} }[1 .. 15]], 'and totals');
    my $some = $shop->query(@question, by => 'device', filter => 'source:is:a');
    my ($row) = grep { $_->[0] eq 'a' } @{ $rollups->{rows} };
    is_deeply([@{ $some->{totals} }[1 .. 15]], [@$row[1 .. 15]], 'and filtered');
}

subtest 'one answer in all forms' => sub {
    my $json = $shop->query(@range, @metrics, by => 'source');
    my ($told, $text) = $shop->footfall('query', '--config', $shop->path('footfall.toml'), '--by', 'source', '--ci', '95', "--metrics", $metrics[1],
        '--from', $range[1], '--to', $range[3], '--format', 'csv');
    my ($header, @rows) = parse_csv($text);
    is_deeply([@$header[0 .. $#$header - 1]], [map { $_->{name} } @{ $json->{columns} }], 'columns, by command as CSV');
    is($rows[0][-2], $json->{rows}[0][-1], 'the same last bound');
    my $refused = $shop->ask('/footfall/v1/query?metrics=cr&ci=99');
    is($refused->status, 400, "other intervals are refused");
    is($refused->json->{error}{param}, 'ci', 'by name');
};

close_shops();
