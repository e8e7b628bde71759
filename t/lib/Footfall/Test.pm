# What an end-to-end test says: `use lib 't/lib'; use Footfall::Test;`
package Footfall::Test;
use v5.36;
use Exporter qw(import);
use Footfall::Shop;
use Footfall::Wait;
use JSON::PP;
use Test::More;

our @EXPORT = (@Test::More::EXPORT, qw(wait_until open_shop make_shop is_figures is_totals close_shops json_text));

# Figures are compared as text: 3 and "3", 12.5 and "12.50" are the same number, null is undef.
sub plain ($value) {
    return ref $value eq 'ARRAY' ? [map { plain($_) } @$value] : !defined $value ? undef
         : $value =~ /^-?\d+(?:\.\d+)?(?:e-?\d+)?$/ ? 0 + sprintf('%.6f', $value) : "$value";
}

my @open;
sub make_shop (%o) { push @open, Footfall::Shop->new(%o); $open[-1] }
sub open_shop (%o) { push @open, Footfall::Shop->open(%o); $open[-1] }

sub json_text ($value) { JSON::PP->new->canonical->allow_nonref->encode($value) }

# The rows of a query, by their dimension: { direct => [3, 12], … }; what has no value is '(none)'. One metric: the bare
# figure. The API and `footfall query` give the same; rows and other add up to the totals where sums can.
sub is_figures ($shop, $query, $expected, $name = undef) {
    local $Test::Builder::Level = $Test::Builder::Level + 1;
    $name //= "$query->{metrics} by $query->{by}";
    $shop->settle;
    my $answer = $shop->query(%$query);
    my %rows = map { my ($key, @figures) = @$_; $key // '(none)' => @figures == 1 ? plain($figures[0]) : plain(\@figures) }
        @{ $answer->{rows} };
    my %wanted = map { $_ => plain($expected->{$_}) } keys %$expected;
    my $good = is_deeply(\%rows, \%wanted, $name) || diag explain \%rows;
    return same_by_command($shop, $query, $answer, $name) && $good;
}

# Totals by the names of the metrics: is_totals($shop, { visits => 3, revenue => 129.90 }, 'a sale', site => 'shop')
sub is_totals ($shop, $expected, $name = undef, %query) {
    local $Test::Builder::Level = $Test::Builder::Level + 1;
    my @metrics = sort keys %$expected;
    $name //= "totals of @metrics";
    $shop->settle;
    my $query = { %query, metrics => join ',', @metrics };
    my $answer = $shop->query(%$query);
    my %totals;
    @totals{ map { $_->{name} } @{ $answer->{columns} } } = @{ plain($answer->{totals}) };
    my %wanted = map { $_ => plain($expected->{$_}) } @metrics;
    my $good = is_deeply(\%totals, \%wanted, $name) || diag explain \%totals;
    return same_by_command($shop, $query, $answer, $name) && $good;
}

sub same_by_command ($shop, $query, $answer, $name) {
    local $Test::Builder::Level = $Test::Builder::Level + 1;
    my $by_command = $shop->query_by_command(%$query);
    my @parts = qw(columns rows other totals);
    return is_deeply([@$by_command{@parts}], [@$answer{@parts}], "$name: the same by command");
}

# The end of a test: every shop shuts down, and nothing bad was logged.
sub close_shops () {
    for my $shop (@open) {
        $shop->close;
        is(join("\n", $shop->faults), '', 'nothing bad in the logs, all ended well');
    }
    @open = ();
    done_testing();
}

1;
