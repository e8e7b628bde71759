# Events that the shop's servers post: a batch counts whole or not at all, each event once by its id, with the visit and the
# touches of its visitor; and nothing comes in that should not.
use v5.36;
use lib 't/lib';
use Footfall::Client qw(connect_to request_text read_answer);
use Footfall::Test;
use POSIX qw(strftime);

my $shop = open_shop(
    workers => 2,
    toml    => <<'END',
[site.shop]
hosts = ["shop.example"]
[site.second]
hosts = ["second.example"]
END
    http   => 'footfall_visitor $cookie_id; client_max_body_size 20m;',
    server => <<'END',
        location = /tell { footfall_ingest; }
        location = /tell/anybody { footfall_ingest remote; }
        location = /tell/by-file { footfall_ingest; client_body_in_file_only clean; }
        location = /tell/limited { footfall_ingest; client_max_body_size 100; limit_except POST { deny all; } }
        location = /tell/unseen { footfall_ingest; footfall off; footfall_site unseen; }
        location /mirrored { mirror /tell; try_files /cup.html =404; }
        location /bought { footfall_order id=$arg_id value=5; try_files /thanks.html =404; }
        location / { try_files $uri $uri.html $uri/index.html =404; }
END
    servers => 'server { listen {second_version} http2; location = /tell { footfall_ingest; } }',
);

my @json = ('Content-Type' => 'application/json');
my @lines = ('Content-Type' => 'application/x-ndjson');

sub post_events ($body, %o) {
    my ($target, $headers) = (delete $o{target} // '/tell', delete $o{headers} // \@json);
    return $shop->post($target, body => ref $body ? json_text($body) : $body, headers => $headers, agent => 'shop-backend', %o);
}

sub is_taken ($body, $count, $name, %o) {
    local $Test::Builder::Level = $Test::Builder::Level + 1;
    my $answer = post_events($body, %o) or return fail("$name: no answer");
    return is($answer->status . $answer->body, "202{\"accepted\":$count}\n", $name);
}

sub is_refused ($body, $status, $expected, $name, %o) {
    local $Test::Builder::Level = $Test::Builder::Level + 1;
    my $answer = post_events($body, %o) or return fail("$name: no answer");
    my $error = eval { $answer->json->{error} } // {};
    my %got = (status => $answer->status, map { $_ => $error->{$_} } keys %$expected);
    return is_deeply(\%got, { status => $status, %$expected }, $name) || diag explain $answer;
}

sub ago ($seconds) { strftime('%Y-%m-%dT%H:%M:%SZ', gmtime(time - $seconds)) }

subtest 'an order joins the live visit of its visitor' => sub {
    # Two workers may stamp what follows at once with the same millisecond, and then their lanes' order counts.
    for (['/', referrer => 'https://www.google.com/'], ['/cup']) {
        my ($page, @more) = @$_;
        $shop->get($page, from => 1, headers => [Cookie => 'id=anna'], @more);
        $shop->settle;
    }
    is_taken({ id => 'A-1', event => 'purchase', value => '129.90', visitor => 'anna', customer => 'c1', time => ago(0),
        items => ['SKU1:2:29.95', { id => 'SKU2', quantity => 1, price => '70.00' }] }, 1, 'one object');
    is_taken([{ event => 'sign_up', visitor => 'anna' }, { event => 'sign_up', visitor => 'ben', id => 'E-1' }], 2, 'an array');
    is_taken(qq({"event":"add_to_cart","visitor":"anna","item":"SKU1"}\n\n{"id":"A-2","event":"purchase","value":10}\r\n), 2, 'one a line', headers => \@lines);
    is_figures($shop, { site => 'shop', by => 'channel', metrics => 'orders,visits,revenue' },
        { organic_search => [1, 1, 129.9], direct => [1, 1, 10] }, 'the order is credited to how its visitor came');
    is_figures($shop, { site => 'shop', by => 'event', metrics => 'events' }, { sign_up => 2, add_to_cart => 1, purchase => 2 }, 'an order of nobody is a purchase, too');
    is_totals($shop, { hits => 5, pageviews => 2, bot_hits => 0, late_hits => 0 }, 'each POST is a hit, no event is', site => 'shop');
};

subtest 'once by its id, whichever way it comes' => sub {
    $shop->get('/bought?id=D-1', from => 2);
    $shop->settle;
    is_taken({ id => 'D-1', event => 'purchase', value => 5 }, 1, 'told by a page before');
    is_taken([map { { id => 'D-2', event => 'purchase', value => 5 } } 1 .. 3], 3, 'three times in a batch');
    is_taken([{ id => 'D-3', event => 'letter_sent' }, { id => 'D-3', event => 'letter_sent' }], 2, 'another event');
    is_taken([map { { event => 'call' } } 1 .. 2], 2, 'what has no id counts each time');
    $shop->settle;
    $shop->get('/bought?id=D-2', from => 2);
    $shop->write('events.ndjson' => join '', map { qq({"id":"$_->[0]","event":"$_->[1]","value":5,"time":"${\ago(60)}","site":"shop"}\n) }
        ['D-1', 'purchase'], ['D-2', 'purchase'], ['D-3', 'letter_sent'], ['D-4', 'letter_sent']);
    my ($code, $out, $err) = $shop->footfall('import', 'events', $shop->path('events.ndjson'), '--config', $shop->path('footfall.toml'));
    is($code, 0, 'imported as well') || diag $out . $err;
    is_taken({ id => 'D-4', event => 'letter_sent' }, 1, 'and told after the import');
    is_totals($shop, { orders => 4, duplicate_orders => 6 }, 'each order once', site => 'shop');
    is_figures($shop, { site => 'shop', by => 'event', metrics => 'events' },
        { sign_up => 2, add_to_cart => 1, purchase => 4, letter_sent => 2, call => 2 }, 'each event once');
};

subtest 'its own time' => sub {
    my $site = 'second';
    is_taken([{ site => $site, id => 'T-1', event => 'purchase', value => 3, time => ago(26 * 3600) },
        { site => 'second.example', id => 'T-2', event => 'purchase', value => 4, time => time - 3 * 86400 },
        { site => $site, id => 'T-3', event => 'purchase', value => 5, time => ago(-120) }], 3, 'of days ago, and of a clock that is ahead');
    my %days = map { strftime('%Y-%m-%d', gmtime(time - $_->[0])) => $_->[1] } [26 * 3600, 3], [3 * 86400, 4], [0, 5];
    is_figures($shop, { site => $site, by => 'day', metrics => 'revenue', range => '7d' },
        \%days, 'each belongs to its day');
    is_totals($shop, { late_hits => 2 }, 'the old ones are late', site => $site);
    is_refused({ event => 'a', time => ago(8 * 86400) }, 400, { param => 'time' }, 'too old');
    is_refused({ event => 'a', time => ago(-3600) }, 400, { param => 'time' }, 'ahead');
};

subtest 'all of it or nothing' => sub {
    my @many = map { { event => 'half', value => $_ } } 1 .. 1000;
    is_refused([@many[0 .. 998], { event => 'half', value => 'x' }], 400, { code => 'invalid_event', param => '[999].value' }, 'the last of a thousand is none');
    is_refused(join("\n", (map { json_text($_) } @many[0 .. 3]), '{"event":"half"'), 400, { param => 'line 5' }, 'a torn line', headers => \@lines);
    is_refused([@many, { event => 'half' }], 413, { code => 'too_large' }, 'one too many');
    is_taken(\@many, 1000, 'as many as may be');
    is_figures($shop, { site => 'shop', by => 'event', metrics => 'events', filter => 'event:is:half' }, { half => 1000 }, 'only those that were taken');
};

subtest 'what is wrong is said' => sub {
    is_refused({ event => 'a', site => 'nobody' }, 400, { param => 'site', allowed => ['shop', 'second'] }, 'a site that nobody knows');
    is_refused([{ event => 'a' }, { event => 'purchase', value => 1 }], 400, { param => '[1].id', message => q(is a purchase without "id": the order's number) }, 'an order without id');
    is_refused('[', 400, { code => 'invalid_event', param => undef }, 'no JSON');
    is_refused('', 400, { code => 'invalid_event' }, 'nothing');
    is_refused('[' x 200_000, 400, { code => 'invalid_event' }, 'deep nesting');
    is_refused({ event => 'a', items => [map { 'x' x 120 . ":1:1:" . '%C3' x 40 } 1 .. 100] }, 400, { param => 'items' }, 'items that no record holds');
    is_refused({ event => 'a' }, 415, { allowed => [qw(application/json application/x-ndjson application/ndjson application/jsonl)] }, 'a form', headers => ['Content-Type' => 'application/x-www-form-urlencoded']);
    is_refused({ event => 'a' }, 415, { param => 'Content-Type' }, 'text, as any page may send it', headers => ['Content-Type' => 'text/plain;application/json']);
    is_refused({ event => 'a' }, 415, { param => 'Content-Type' }, 'no type at all', headers => []);
    is_refused({ event => 'a' }, 415, { param => 'Content-Encoding' }, 'packed', headers => [@json, 'Content-Encoding' => 'gzip']);
    is_refused({ event => 'a' }, 403, { code => 'forbidden' }, 'forwarded by a proxy', headers => [@json, $_ => '10.0.0.1']) for qw(X-Forwarded-For Forwarded);
    is_refused('x' x 1_048_577, 413, { code => 'too_large' }, 'too long');
    is(post_events({ event => 'a', item => 'x' x 100 }, target => '/tell/limited')->status, 413, "beyond nginx's own limit");
    for my $method (qw(GET HEAD PUT DELETE)) {
        my $answer = $shop->request($method, '/tell', headers => \@json, body => '{}');
        is($answer->status . ' ' . $answer->header('Allow'), '405 POST', $method);
    }
    is_taken({ event => 'b' }, 1, 'a charset is no fault', headers => ['Content-Type' => 'Application/JSON; charset=utf-8']);
    is_taken({ event => 'b' }, 1, 'remote', target => '/tell/anybody', headers => [@json, 'X-Forwarded-For' => '10.0.0.1']);
    is_taken([], 0, 'no events are none');
    is_figures($shop, { site => 'shop', by => 'event', metrics => 'events', filter => 'event:is:a' }, {}, 'nothing of it counts');
};

subtest 'however the body comes' => sub {
    my @events = map { { event => 'long', item => 'x' x 100 } } 1 .. 500;
    is_taken(\@events, 500, 'by a file', target => '/tell/by-file');
    my $text = json_text(\@events);
    my $chunked = join('', map { sprintf "%x\r\n%s\r\n", length, $_ } unpack '(a7000)*', $text) . "0\r\n\r\n";
    for my $target ('/tell', '/tell/by-file') {
        my $answer = $shop->send_raw("POST $target HTTP/1.1\r\nHost: shop.example\r\nContent-Type: application/json\r\nTransfer-Encoding: chunked\r\nConnection: close\r\n\r\n$chunked");
        is($answer->status . $answer->body, "202{\"accepted\":500}\n", "$target: in chunks");
    }
    my $long = join('', map { sprintf "%x\r\n%s\r\n", length, $_ } ('x' x 100_000) x 12) . "0\r\n\r\n";
    is($shop->send_raw("POST $_ HTTP/1.1\r\nHost: shop.example\r\nContent-Type: application/json\r\nTransfer-Encoding: chunked\r\nConnection: close\r\n\r\n$long")->status, 413, "$_: too many chunks")
        for '/tell', '/tell/by-file';
    my $socket = connect_to($shop->port);
    syswrite $socket, request_text('POST', '/tell', headers => \@json, body => json_text({ event => 'kept' }), keep => 1);
    is(read_answer($socket, keep => 1)->status, 202, 'over a connection that is kept');
    syswrite $socket, request_text('POST', '/tell', headers => \@json, body => '[', keep => 1);
    is(read_answer($socket, keep => 1)->status, 400, '  one is refused');
    syswrite $socket, request_text('POST', '/tell', headers => \@json, body => json_text({ event => 'kept' }));
    is(read_answer($socket)->status, 202, '  the next one is taken');
    is($shop->post('/mirrored', headers => \@json, body => json_text({ event => 'kept' }))->status, 405, 'a mirrored request');
    my $half = connect_to($shop->port);
    syswrite $half, substr request_text('POST', '/tell', headers => \@json, body => json_text({ event => 'kept' })), 0, -3;
    close $half;
    is_figures($shop, { site => 'shop', by => 'event', metrics => 'events', filter => 'event:is:kept' }, { kept => 2 }, 'each once');
    is_figures($shop, { site => 'shop', by => 'event', metrics => 'events', filter => 'event:is:long' }, { long => 1500 }, 'each once');
    my ($code, $said) = $shop->run('curl', '-s', '--http2-prior-knowledge', '-H', 'Content-Type: application/json', '-d', '{"event":"second_version"}',
        'http://' . $shop->address('second_version') . '/tell');
    is($said, "{\"accepted\":1}\n", 'HTTP/2');
};

subtest 'where nothing else is captured' => sub {
    is_taken({ event => 'unseen' }, 1, 'footfall off', target => '/tell/unseen');
    is_totals($shop, { hits => 0, events => 1 }, 'the event counts, the request does not', site => 'unseen');
    my $quiet = open_shop(footfall => 'footfall_site shop;', server => 'location = /tell { footfall_ingest; }');
    is($quiet->post('/tell', headers => \@json, body => '{"event":"alone"}')->status, 202, 'nowhere is anything captured');
    is_totals($quiet, { hits => 0, events => 1 }, 'and events count', site => 'shop');
};

my ($code, $said) = $shop->footfall('check', '--store', $shop->store);
is($code, 0, 'the store is whole') || diag $said;

close_shops();
