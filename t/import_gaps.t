# Logs that lack something, or tell what cannot be: what counts all the same, and what is said of the rest.
use v5.36;
use lib 't/lib';
use Footfall::Csv qw(parse_csv);
use Footfall::Logs qw(combined_line);
use Footfall::Test;
use POSIX qw(strftime);

my $start_s = 1_767_258_000;    # 2026-01-01 09:00:00 UTC
my $toml = qq([site.shop]\nhosts = ["shop.example"]\n);

sub shop_with ($format, @lines) {
    my $shop = make_shop(toml => $toml);
    my ($code, $out, $err) =
        $shop->footfall('import', 'log', '--config', $shop->path('footfall.toml'), '--format', $format, $shop->write('access.log', join '', @lines));
    return ($shop, $code, $out, $err);
}
sub totals ($shop, $metrics, %more) { $shop->query_by_command(($more{from} ? () : (range => 'all')), metrics => $metrics, %more)->{totals} }
sub is_whole ($shop) { is(($shop->footfall('check', '--config', $shop->path('footfall.toml')))[0], 0, 'the store is whole') }

subtest 'nobody knows who it was' => sub {
    my @lines = map { combined_line($start_s + $_, $_, $_ < 3 ? '/a' : '/b') } 0 .. 4;
    s/^192\.0\.2\.\d+/-/ for @lines[1 .. 3];
    s/^192\.0\.2\.\d+/unix:/ for $lines[4];
    my ($shop, $code, $out) = shop_with('combined', @lines);
    is($code, 0, 'imported');
    like($out, qr/^4 requests with neither address nor visitor id: they count as hits and page views, and are in no visit$/m, 'and said');
    is_deeply(totals($shop, 'hits,pageviews,visits,entries,visitors,bot_hits'), [5, 5, 1, 1, 1, 0], 'page views count, in no visit');
    my $by_page = $shop->query_by_command(range => 'all', by => 'page', metrics => 'pageviews,entries');
    is_deeply({ map { ($_->[0], $_->[1] . ' ' . $_->[2]) } @{ $by_page->{rows} } }, { '/a' => '3 1', '/b' => '2 0' }, 'by page too');
    is_deeply(totals($shop, 'pageviews', by => 'page,device'), [undef, undef, 5], 'and as kept visits have them');
    is_deeply(totals($shop, 'pageviews', filter => 'page:is:/b;channel:is:direct'), [2], 'any filter included');
    is_whole($shop);
    is(($shop->footfall('import', '--undo', 1, '--config', $shop->path('footfall.toml')))[0], 0, 'taken back');
    is_deeply(totals($shop, 'hits,pageviews'), [0, 0], 'all of it');
    is_whole($shop);
};

subtest 'no agents in the log' => sub {
    my ($shop, $code, $out) = shop_with('common', map { combined_line($start_s + $_, $_, '/') =~ s/ "-" "[^"]*"$//r } 1 .. 3);
    is($code, 0, 'imported');
    like($out, qr/^3 requests without a user agent in the log: who is a bot cannot be told, they count as people$/m, 'and said');
    is_deeply(totals($shop, 'hits,pageviews,visits,bot_hits'), [3, 3, 3, 0], 'nobody is a bot for what the log does not tell');
    ($shop, $code, $out) = shop_with('combined', map { combined_line($start_s + $_, $_, '/', agent => '-') } 1 .. 3);
    is_deeply(totals($shop, 'hits,pageviews,bot_hits'), [3, 0, 3], 'a client that sent none is');
    unlike($out, qr/user agent/, 'of which nothing is said');
};

subtest 'times that cannot be' => sub {
    my ($shop, $code, $out, $err) = shop_with('combined', combined_line(700_000_000, 1, '/'), combined_line($start_s, 1, '/'),
        combined_line(time + 30 * 60, 2, '/'), combined_line(time + 2 * 3600, 3, '/'));
    is($code, 3, 'rejected');
    like($err, qr/access\.log:1: is of a time before 1995$/m, 'long ago');
    like($err, qr/access\.log:4: is of a time that is to come$/m, 'and to come');
    is_deeply(totals($shop, 'hits', to => '2037-12-31', from => '1970-01-01'), [2], 'the rest counts: a clock may be a little ahead');
};

subtest 'events that nobody can read' => sub {
    my $line = sub ($events) {
        return sprintf qq{192.0.2.1 - - [%s] "GET / HTTP/1.1" 200 512 "-" "Mozilla/5.0 (X11; Linux x86_64; rv:128.0) Gecko/20100101 Firefox/128.0" %d.000 700 }
            . qq{"text/html" 0.010 "shop" "shop.example" "-" "-" "-" "-" "-" "-" "%s"\n}, strftime('%d/%b/%Y:%H:%M:%S +0000', gmtime $start_s), $start_s, $events;
    };
    my ($shop, $code, $out, $err) = shop_with('footfall', $line->('purchase;id=\x22A\x22;value=1.5'), $line->('purchase;id=\x22B\x22;value=0.333333'), $line->('sign_up;('));
    is($code, 3, 'told as rejected');
    like($err, qr/access\.log:$_: has events that are off their grammar: the request counts, they do not$/m, "line $_") for 2, 3;
    is_deeply(totals($shop, 'hits,pageviews,orders,rejected_orders'), [3, 3, 1, 1], 'an order that cannot be read is a rejected one');
};

subtest 'a host is its name, however it is written' => sub {
    my ($shop) = shop_with('vhost', map { "$_ " . combined_line($start_s, 1, '/') } 'shop.example:80', 'SHOP.example:443', 'Www.Shop.Example:80', 'shop.example.:80');
    is_deeply(totals($shop, 'hits', site => 'shop'), [4], 'one site');
};

subtest 'several sites, and none named' => sub {
    my $shop = make_shop(toml => "[site.shop]\n[site.outlet]\n");
    my @config = ('--config', $shop->path('footfall.toml'));
    my %told = (
        log => combined_line($start_s, 1, '/'),
        events => qq({"id":"P","time":"2026-01-02T10:00:00Z","event":"purchase","value":1}\n),
        orders => "id,date,value\nA,2026-01-02,10\n", refunds => "id,date,value\nA,2026-01-02,10\n",
        rates => "date,currency,rate\n2026-01-02,USD,2\n", spend => "date,channel,cost\n2026-01-02,email,10\n",
    );
    for my $what (sort keys %told) {
        my ($code, $out, $err) = $shop->footfall('import', $what, @config, $shop->write("$what.txt", $told{$what}));
        is($code, 3, "$what: rejected");
        like($err, qr/^\S+$what\.txt:\d+: names no site, and there are several: --site tells which of outlet, shop$/m, 'by line');
        is(($shop->footfall('import', $what, @config, '--site', 'outlet', $shop->write("$what.named", $told{$what})))[0], 0, 'named, all is well');
    }
    like(($shop->footfall('import', 'rates', @config, '--site', 'outlet', $shop->write('more.csv', "date,currency,rate\n2026-01-03,USD,2\n")))[1],
        qr/^orders, refunds and spend that were counted before keep the rate that they were counted at$/m, 'rates say what they do not change');
    is_deeply(totals($shop, 'hits,orders,cost,revenue', site => 'outlet'), [1, 2, 10, 11], 'and counts there');
};

subtest 'a row names its site, whatever --site says of the others' => sub {
    my $shop = make_shop(toml => "[site.shop]\n[site.outlet]\n");
    for (['orders', "id,date,value,site\nA,2026-01-02,10,outlet\nB,2026-01-02,5,\n"], ['spend', "date,channel,cost,site\n2026-01-02,email,7,outlet\n2026-01-02,email,3,\n"]) {
        my ($what, $table) = @$_;
        is(($shop->footfall('import', $what, '--config', $shop->path('footfall.toml'), '--site', 'shop', $shop->write("$what.csv", $table)))[0], 0, $what);
    }
    is_deeply(totals($shop, 'orders,revenue,cost', site => 'outlet'), [1, 10, 7], 'its own');
    is_deeply(totals($shop, 'orders,revenue,cost', site => 'shop'), [1, 5, 3], 'the others');
};

subtest 'rows that were rejected are listed' => sub {
    my $shop = make_shop(toml => $toml);
    my @import = ('import', 'orders', '--config', $shop->path('footfall.toml'), $shop->write('orders.csv', "id,date,value\nA,2026-01-02,10\nB,someday,3\nC,2026-01-02,\n"));
    my ($code, $out) = $shop->footfall(@import);
    is($code, 3, 'two rows are wrong');
    like($out, qr/^import 1: 3 lines, 1 events$/m, 'of three');
    like(($shop->footfall(@import))[1], qr/^nothing new: 3 lines read, what is right in them was imported before$/m, 'once more');
    like(($shop->footfall('import', '--list', '--config', $shop->path('footfall.toml')))[1], qr/^ +1 .*? +1 +2 +2026-01-02/m, 'and so it is listed');
};

subtest 'imports have no minutes' => sub {
    my $hour_s = time - time % 3600 - 7200;
    my $shop = make_shop(toml => $toml);
    $shop->footfall('import', 'log', '--config', $shop->path('footfall.toml'), $shop->write('access.log', join '', map { combined_line($hour_s + 60 * $_, $_, '/') } 5, 30));
    my $text = sub ($minutes) { strftime '%Y-%m-%dT%H:%M:%SZ', gmtime $hour_s + 60 * $minutes };
    for (['hour', 25, 35, 2], ['hour', 0, 60, 2], ['visits', 25, 35, 2]) {
        my ($of, $from, $to, $hits) = @$_;
        my $answer = $shop->query_by_command(from => $text->($from), to => $text->($to), metrics => 'pageviews', $of eq 'visits' ? (by => 'channel,device') : ());
        is($answer->{totals}[-1], $hits, "from minute $from to $to, by $of: whole hours are told");
        is($answer->{query}{from} =~ s/\+00:00/Z/r, $text->(0), 'as the answer says');
    }
    my $minutes = $shop->query_by_command(from => $text->(0), to => $text->(60), by => 'minute', metrics => 'pageviews');
    is_deeply($minutes->{totals}, [undef, 0], 'by minute there are none');
    like("@{ $minutes->{meta}{warnings} }", qr/imports are kept by the hour: what they brought is in no minute/, 'which is said');
};

subtest 'what is no command, import or report' => sub {
    my $shop = make_shop(toml => $toml);
    for (
        [['nonsense'], qr/there is no command "nonsense"; allowed: aggregate, query/],
        [[qw(import nonsense x)], qr/there is no command "nonsense"; allowed: log, events/],
        [[qw(import --undo 0)], qr/"0" is no import's number; `footfall import --list` shows them/],
        [['query', 'nonsense', '--store', '/nowhere'], qr/^footfall query: there is no such report; allowed: query, /],
    ) {
        my ($command, $wanted) = @$_;
        my ($code, $out, $err) = $shop->footfall(@$command);
        is($code, 2, "@$command");
        like($err, $wanted, 'says what would be right');
        is($out, '', 'and nothing else');
    }
};

subtest 'nothing in the file' => sub {
    my ($shop, $code, $out) = shop_with('combined', '');
    is($code, 0, 'an empty log is imported at once');
    like($out, qr/^nothing new: there is no line that was not read before$/m, 'and adds nothing');
};

close_shops();
