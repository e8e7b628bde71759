# What customers brought after their first order: by its month, by how they came first, against what was spent.
use v5.36;
use lib 't/lib';
use Footfall::Csv qw(parse_csv);
use Footfall::Logs qw(combined_line);
use Footfall::Test;
use POSIX qw(strftime);

my $begin_s = 1_736_070_600;    # 2025-01-05 09:50 UTC
my $hits = 0;

sub line ($day, $visitor, $target) { [$day, combined_line($begin_s + $day * 86_400 + $hits++, $visitor, $target)] }
sub came ($medium) { "/?utm_source=news&utm_medium=$medium&utm_campaign=of-$medium" }
my $orders = 0;
sub order ($total) { '/thanks?order=' . ++$orders . "&total=$total" }

my $toml = <<'END';
[site.shop]
margin = 0.5
[site.shop.order_page]
path = "/thanks"
id_arg = "order"
value_arg = "total"
customer_arg = "who"
END
my $shop = make_shop(toml => $toml);
my @config = ('--config', $shop->path('footfall.toml'));
# The same address is the same visitor all year (--visitors=all).
my @lines = (
    line(0, 1, came('email')), line(0, 1, order(100)), line(0, 1, order(10)), line(20, 1, order(20)), line(85, 1, order(40)), line(400, 1, order(1000)),
    line(1, 2, came('email')), line(3, 2, order(50)), line(200, 2, order(5)),
    line(30, 3, came('banner')), line(40, 3, order(80)),
    line(31, 4, '/'), line(41, 4, order(30) . '&who=ann'), line(101, 5, came('banner')), line(101, 5, order(7) . '&who=ann'),
);
my $log = $shop->write('access.log' => join '', map { $_->[1] } sort { $a->[0] <=> $b->[0] } @lines);
my ($code, $out, $err) = $shop->footfall('import', 'log', '--site', 'shop', '--visitors', 'all', @config, $log);
is($code, 0, 'imported') || diag $err;

sub told (%more) {
    my %question = ('--from' => '2025-01-01', '--to' => '2025-12-31', %more);
    my ($status, $csv, $err) = $shop->footfall('query', 'cohorts', @config, '--format', 'csv', map { ($_, $question{$_}) } sort keys %question);
    is($status, 0, "cohorts @{[%more]}") || diag $err;
    my ($header, @rows) = parse_csv($csv);
    my %told;
    for my $row (@rows) {
        my %row;
        @row{@$header} = @$row;
        $told{ $row->[-1] eq 'row' ? $row->[0] : $row->[-1] } = \%row;
    }
    return \%told;
}
sub figures ($row, @columns) { join " ", map { $row->{$_} // "" } @columns }

subtest 'by month of the first order' => sub {
    my $told = told();
    is(join(' ', sort grep { /^\d/ } keys %$told), '2025-01 2025-02', 'two months have customers');
    my $january = $told->{'2025-01'};
    is(figures($january, qw(customers orders_0 orders_30 orders_90 orders_180 orders_365)), '2 3 4 5 5 6', 'orders of January\'s');
    is(figures($january, qw(revenue_0 revenue_30 revenue_90 revenue_180 revenue_365)), '160.00 180.00 220.00 220.00 225.00', 'their revenue');
    is(figures($january, qw(margin_0 margin_365)), '80.00 112.50', 'and margin');
    is(figures($told->{'2025-02'}, qw(customers orders_0 orders_90 revenue_0 revenue_90)), '2 2 3 110.00 117.00', 'one customer has two visitors');
    is(figures($told->{totals}, qw(customers orders_365 revenue_365)), '4 9 342.00', 'totals');
    is(figures($told->{other}, qw(customers orders_365 revenue_365)), '0 0 0.00', 'nothing else');
};

subtest 'by what brought them first' => sub {
    my $told = told('--by', 'channel');
    is(figures($told->{email}, qw(customers orders_0 revenue_365)), '2 3 225.00', 'email');
    is(figures($told->{display}, qw(customers orders_0 revenue_365)), '1 1 80.00', 'banner');
    is(figures($told->{direct}, qw(customers orders_0 orders_90 revenue_90)), '1 1 2 37.00', 'who came directly first and by a banner later is that customer');
    my $campaigns = told('--by', 'campaign', '--to', '2025-01-05');
    is(figures($campaigns->{'of-email'}, qw(customers revenue_0)), '1 110.00', 'the range is that of the first touch');
};

subtest 'against what was spent' => sub {
    my $spend = $shop->write('spend.csv' => "date,channel,cost\n2025-01-05/2025-01-08,email,100\n2025-02-10,display,500\n");
    my ($status, $out, $err) = $shop->footfall('import', 'spend', '--site', 'shop', @config, $spend);
    is($status, 0, 'spend imported') || diag $err;
    my $told = told('--by', 'channel');
    is(figures($told->{email}, qw(cost margin_0 margin_30 margin_90 payback_days)), '100.00 80.00 90.00 110.00 90', 'paid back within 90 days');
    is(figures($told->{display}, qw(cost margin_365 payback_days)), '500.00 40.00 ', 'not paid back');
    is(figures(told()->{'2025-01'}, qw(cost payback_days)), '100.00 90', 'by month against all that was spent in it');
};

subtest 'forms and refusals' => sub {
    my ($status, $json) = $shop->footfall('query', 'cohorts', @config, '--format', 'json', '--range', 'all', '--limit', '1');
    like($json, qr/"name":"days_complete","type":"integer"/, 'json');
    unlike($json, qr/nothing was told of spend/, 'what is missing is said, and only that');
    unlike($json, qr/"model"/, 'nor a model, of which there is none');
    for (['--by', 'page'], ['--lookback', '7d'], ['--limit', '0']) {
        my ($refused, $out, $err) = $shop->footfall('query', 'cohorts', @config, @$_);
        is($refused, 2, "@$_ is refused");
    }
};

subtest 'an import taken back' => sub {
    for my $import (1, 2) {
        my ($status) = $shop->footfall('import', '--undo', $import, @config);
        is($status, 0, 'taken back');
    }
    is(figures(told()->{totals}, qw(customers cost)), '0 0.00', 'nobody is left');
    my ($status, $json) = $shop->footfall('query', 'cohorts', @config, '--format', 'json', '--range', 'all');
    like($json, qr/nothing was told of spend/, 'and what is missing is said');
    is(($shop->footfall('check', @config))[0], 0, 'check');
};

close_shops();
