# Access logs for tests: line by line, or made of what scripts/shop-log writes.
package Footfall::Logs;
use v5.36;
use Exporter qw(import);
use POSIX ();

our @EXPORT_OK = qw(combined_line second_of_time told_more);

my @months = qw(Jan Feb Mar Apr May Jun Jul Aug Sep Oct Nov Dec);
my $browser = 'Mozilla/5.0 (X11; Linux x86_64; rv:128.0) Gecko/20100101 Firefox/128.0';
my %month = map { $months[$_] => $_ } 0 .. 11;

# A line of a combined log: a view by the visitor 192.0.2.$visitor, by an ordinary browser, unless method, status, referrer, agent say else.
sub combined_line ($time_s, $visitor, $target, %o) {
    my @at = gmtime $time_s;
    return sprintf qq{192.0.2.%d - - [%02d/%s/%d:%02d:%02d:%02d +0000] "%s %s HTTP/1.1" %d 512 "%s" "%s"\n}, $visitor, $at[3], $months[$at[4]],
        $at[5] + 1900, @at[2, 1, 0], $o{method} // 'GET', $target, $o{status} // 200, $o{referrer} // '-', $o{agent} // $browser;
}

# When a line with a time of UTC was written, in seconds that go on from day to day.
sub second_of_time ($line) {
    my ($day, $month, $year, $hour, $minute, $second) = $line =~ m{\[(\d\d)/(\w{3})/(\d{4}):(\d\d):(\d\d):(\d\d) \+0000\]} or return;
    return (POSIX::mktime(0, 0, 12, $day, $month{$month}, $year - 1900) / 86_400 % 100_000) * 86_400 + $hour * 3600 + $minute * 60 + $second;
}

# A shop-log's line in the footfall format, with carts, orders and countries in it; `earlier_s` before its time.
my $order = 0;
sub told_more ($line, $earlier_s = 0) {
    my ($address, $time, $request, $status, $bytes, $referrer, $agent) = $line =~ /^(\S+) - - \[([^\]]+)\] "([^"]*)" (\d+) (\d+) "([^"]*)" "([^"]*)"$/ or die $line;
    my $events = $request =~ /^POST/ ? 'add_to_cart;item=\x22sku-' . length($referrer) % 7 . '\x22' : '-';
    my $sum = unpack '%32C*', $line;
    $events = sprintf 'purchase;id=\x22O-%d\x22;value=%d.%02d;currency=\x22%s\x22;items=\x22sku-%d:2:9.90\x22', $order++ % 97, $sum % 90, $sum % 100,
        (qw(EUR EUR USD CHF))[$sum % 4], $sum % 7 if $request =~ m{^GET /cart } && $sum % 3 == 0;
    my $type = $request =~ m{/(?:static|media)/} ? 'image/webp' : 'text/html';
    my $country = (qw(DE AT CH FR -))[$sum % 5];
    my $id = $address =~ /^1[12]/ ? "id-$address" : '-';
    return sprintf qq{%s - - [%s] "%s" %d %d "%s" "%s" %d.000 %d "%s" 0.010 "shop" "shop.example" "%s" "-" "%s" "-" "-" "-" "%s"\n},
        $address, $time, $request, $status, $bytes, $referrer, $agent, second_of_time($line) - $earlier_s, $bytes + 300, $type, $id, $country, $events;
}

1;
