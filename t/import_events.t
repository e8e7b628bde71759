# `footfall import events`: what the shop's own systems tell, one JSON object a line: events and orders without a request.
use v5.36;
use lib 't/lib';
use Footfall::Test;

my $browser = 'Mozilla/5.0 (X11; Linux x86_64; rv:128.0) Gecko/20100101 Firefox/128.0';
my $toml = qq{[site.shop]\nhosts = ["shop.example"]\n[[site.shop.goal]]\nname = "newsletter"\nevent = "sign_up"\nvalue = 2.00\n};
my @lines = (
    '{"id":"A-1","time":"2026-01-01T10:05:00Z","site":"shop","visitor":"anna","event":"purchase","value":129.90,"currency":"EUR",'
        . '"items":["SKU1:2:29.95",{"id":"SKU2","quantity":1,"price":70.00}],"coupon":"MAIL24","customer":"c7","note":{"any":["thing"]}}',
    '{"time":1767261960,"event":"sign_up","visitor":"anna","id":"s1"}',                      # 10:06:00
    '{"time":1767262000500,"event":"add_to_cart","visitor":"bert","items":[{"item_id":"SKU1"}]}',    # 10:06:40
    '{"time":"2026-01-01T12:00:00+01:00","event":"purchase","id":"A-2","value":"10"}',
    '{"time":"2026-01-01T11:30:00Z","event":"call","id":"p1"}',
);

sub import_file ($shop, $kind, @arguments) { $shop->footfall('import', $kind, '--config', $shop->path('footfall.toml'), @arguments) }
sub write_lines ($shop, $name, @more) { $shop->write($name, join '', map { "$_\n" } @more) }

sub totals ($shop, $metrics) {
    my $answer = $shop->query_by_command(range => 'all', metrics => $metrics);
    return { map { $answer->{columns}[$_]{name} => $answer->{totals}[$_] } 0 .. $#{ $answer->{columns} } };
}
sub rows ($shop, $by, $metrics) {
    return { map { $_->[0] // '(none)' => @$_ == 2 ? $_->[1] : [@$_[1 .. $#$_]] }
            @{ $shop->query_by_command(range => 'all', by => $by, metrics => $metrics)->{rows} } };
}
my $all = 'hits,pageviews,visits,visitors,events,orders,revenue,items,conversions,goal_value,duplicate_orders';
my %expected = (hits => 0, pageviews => 0, visits => 2, visitors => 2, events => 5, orders => 2, revenue => 139.90, items => 3,
    conversions => 3, goal_value => 2, duplicate_orders => 0);

subtest 'events, and again' => sub {
    my $shop = make_shop(toml => $toml);
    my $file = write_lines($shop, 'events.ndjson', @lines);
    my ($code, $out, $err) = import_file($shop, events => $file);
    is($code, 0, 'imported') or diag $err;
    like($out, qr/^import 1: 5 lines, 5 events$/m, 'and told');
    is_deeply(totals($shop, $all), \%expected, 'they are events and orders, but no hits');
    my $by_event = rows($shop, 'event', 'events');
    is($by_event->{$_}, 1, "one $_") for qw(sign_up add_to_cart call);
    is($by_event->{purchase}, 2, 'each order is a purchase, also that of nobody');
    my $items = rows($shop, 'item', 'items,revenue,events');
    is_deeply([@{ $items->{SKU1} }[0, 1]], [2, 59.9], 'items by their pieces and prices');
    is_deeply([@{ $items->{SKU2} }[0, 1]], [1, 70], 'in either form');
    is($items->{SKU1}[2], 1, 'the cart is about its item');
    is_deeply(rows($shop, 'device', 'visits'), { other => 2 }, 'nobody is taken for a bot');

    ($code, $out) = import_file($shop, events => $file);
    like($out, qr/^nothing new/, 'the same file again');
    is_deeply(totals($shop, $all), \%expected, 'adds nothing');
    system('gzip', '-k', $file) == 0 or die 'gzip';
    import_file($shop, events => "$file.gz");
    is_deeply(totals($shop, $all), \%expected, 'nor does it packed');

    # Other content, told again: what has an id is known by it, whatever the file.
    import_file($shop, events => write_lines($shop, 'more.ndjson', '', @lines[0, 1, 4], '{"time":"2026-01-01T13:00:00Z","event":"call","id":"p2"}'));
    is_deeply(totals($shop, $all), { %expected, events => 6, duplicate_orders => 1 }, 'ids tell repeats');
    my ($undone) = $shop->footfall('import', '--undo', 2, '--config', $shop->path('footfall.toml'));
    is($undone, 0, 'it can be undone');
    is_deeply(totals($shop, $all), \%expected, 'like any import');
};

subtest 'events of visitors whose pages came from a log' => sub {
    my $shop = make_shop(toml => $toml);
    my $format = '$footfall_visitor [$time_local] "$request" $status "$http_referer" "$http_user_agent"';
    my $log = $shop->write('access.log',
        qq{anna [01/Jan/2026:10:00:00 +0000] "GET /cup HTTP/1.1" 200 "https://www.google.com/" "$browser"\n});
    my ($code, undef, $err) = import_file($shop, 'log', '--format', $format, $log);
    is($code, 0, 'the log') or diag $err;
    import_file($shop, events => write_lines($shop, 'events.ndjson', @lines));
    is(totals($shop, 'visits')->{visits}, 2, 'an order five minutes after a page belongs to its visit');
    is_deeply(rows($shop, 'channel', 'orders'), { organic_search => 1, direct => 1 }, 'and to its arrival; nobody known is direct');
    is(totals($shop, 'bounces')->{bounces}, 0, 'the visit is no bounce');
};

subtest 'beside a daemon, also after the first live hit' => sub {
    my $shop = open_shop(toml => $toml);
    $shop->get('/');
    $shop->settle;
    my ($code, $out, $err) = import_file($shop, events => write_lines($shop, 'events.ndjson', @lines,
        sprintf '{"time":%d,"event":"purchase","id":"A-3","value":5}', time));
    is($code, 0, 'imported') or diag $err;
    is_deeply(totals($shop, 'hits,orders'), { hits => 1, orders => 3 }, 'all of it');
};

subtest 'what is no event' => sub {
    my $shop = make_shop(toml => $toml);
    my %wrong = (
        'rubbish'                                                            => 'is no JSON object',
        '[1]'                                                                => 'is no JSON object',
        '{"time":1767261960,"event":"call"'                                  => 'is no JSON object',
        '[' x 100_000                                                        => 'is no JSON object',
        '{"time":1767261960}'                                                => 'has no "event"',
        '{"event":"call"}'                                                   => 'has no "time"',
        '{"event":"call","time":"yesterday"}'                                => '"time" is none',
        '{"event":"call","time":true}'                                       => '"time" is none',
        '{"event":"two words","time":1767261960}'                            => '"event" is no name',
        '{"event":["call"],"time":1767261960}'                               => '"event" is neither a text nor a number',
        '{"event":"call","time":1767261960,"value":"a lot"}'                 => '"value" is no amount',
        '{"event":"call","time":1767261960,"value":1,"currency":"euro"}'     => '"currency" is none',
        '{"event":"purchase","time":1767261960,"value":1}'                   => 'is a purchase without "id"',
        '{"event":"purchase","time":1767261960,"id":"A"}'                    => 'is a purchase without "value"',
        '{"event":"purchase","time":1767261960,"id":"A","value":-1}'         => '"value" of a purchase is below 0',
        '{"event":"purchase","time":1767261960,"id":"A","value":1,"items":"x"}'   => '"items" is no list',
        '{"event":"purchase","time":1767261960,"id":"A","value":1,"items":[{"id":"x","price":"much"}]}' => '"items" has one off its form',
        '{"event":"purchase","time":1767261960,"id":"' . 'A' x 129 . '","value":1}' => '"id" is longer than 128 bytes',
    );
    my @wrong = sort keys %wrong;
    my $file = write_lines($shop, 'events.ndjson', @lines, @wrong);
    my ($code, $out, $err) = import_file($shop, events => $file);
    is($code, 3, 'the exit code says that some were rejected');
    like($err, qr{^\Q$file\E:@{[ @lines + 1 + $_ ]}: \Q$wrong{ $wrong[$_] }\E}m, substr $wrong[$_], 0, 60) for 0 .. $#wrong;
    is_deeply(totals($shop, $all), \%expected, 'the others are imported');
    ($code, undef, $err) = import_file($shop, events => $shop->path('missing'));
    is($code, 1, 'a file that is not there');
    ($code) = import_file($shop, 'events');
    is($code, 2, 'none at all is wrong usage');
    for my $kind (qw(events log)) {
        ($code, undef, $err) = import_file($shop, $kind => $file, '--site', '<b>');
        is($code, 2, "$kind: so is a site that has no site's name");
        like($err, qr/--site.*letters, digits/s, 'which is told');
    }
};

close_shops();
