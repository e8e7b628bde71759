# What nginx can do with a request before it ends: path, arguments, status, events and location are as the visitor's browser
# would say, one hit each.
use v5.36;
use lib 't/lib';
use Footfall::Client qw(connect_to request_text read_answer BROWSER);
use Footfall::Test;
use Footfall::Upstream;

my $shop = make_shop(http => <<'END');
    proxy_cache_path {folder}/cache keys_zone=pages:1m;
    client_header_timeout 300ms;
    large_client_header_buffers 4 2k;
    footfall_args page;
END

# A site per case, by the location that the request enters.
my @names;
sub site ($name) { push @names, $name unless grep { $_ eq $name } @names; return "footfall_site $name;" }

my $server = <<"END";
    error_page 404 /not-found.html;
    location / { try_files \$uri \$uri.html =404; }

    location /old/     { ${\site('rewritten')} rewrite ^/old/(.*)\$ /new/\$1?page=9 last; }
    location /new/     { ${\site('rewritten')} footfall_event arrived; default_type text/html; return 200 new; }
    location /break/   { ${\site('broken_off')} rewrite ^/break/(.*)\$ /\$1.html break; }
    location /sale     { ${\site('index')} }
    location /named/   { ${\site('named')} footfall_event entered; try_files \$uri \@app; }
    location \@app     { footfall_site named; footfall_event finished; proxy_pass http://{upstream}; }
    location /accel    { ${\site('accel')} footfall_event asked; proxy_pass http://{upstream}; }
    location /inside/  { internal; footfall_site accel; footfall_event delivered; alias {folder}/html/; }
    location /gone/    { ${\site('error_page')} return 404; }
    location = /not-found.html { internal; footfall_site error_page; footfall_event not_found_page; default_type text/html; return 404 sorry; }
    location /busy/    { ${\site('busy')} error_page 503 = \@sorry; return 503; }
    location \@sorry   { footfall_site busy; footfall_event apology; default_type text/html; return 200 later; }
    location /ssi/     { ${\site('ssi')} ssi on; alias {folder}/html/ssi/; }
    location /part/    { footfall_site ssi; footfall_event part; default_type text/html; return 200 part; }
    location /members/ { ${\site('auth')} auth_request /check; default_type text/html; alias {folder}/html/; }
    location = /check  { internal; footfall_site auth; footfall_event checked; if (\$request_uri ~ no=1) { return 401; } return 204; }
    location /mirror/  { ${\site('mirror')} mirror /copy; proxy_pass http://{upstream}; }
    location = /copy   { internal; footfall_site mirror; footfall_event copied; proxy_pass http://{upstream}; }
    location /proxied/ { ${\site('proxied')} proxy_pass http://{upstream}; }
    location /cached/  { ${\site('cached')} proxy_cache pages; proxy_cache_valid 200 1h; proxy_pass http://{upstream}; }
    location /slow/    { ${\site('slow')} proxy_pass http://{silent}; }
    location /real/    { ${\site('realip')} set_real_ip_from 127.0.0.0/8; real_ip_header X-Real-IP; alias {folder}/html/; }
    location /v/       { ${\site('versions')} default_type text/html; return 200 page; }
    location /range/   { ${\site('ranges')} alias {folder}/html/; }
END
site($_) for qw(h2 tls bad);
$shop->write_configuration(
    server => $server,
    servers => <<'END');
    server { listen {two} http2; footfall_site h2; location / { default_type text/html; return 200 page; } location = /gone { return 404; } }
    server {
        listen {tls} ssl http2;
        ssl_certificate {folder}/shop.pem;
        ssl_certificate_key {folder}/shop.key;
        footfall_site tls;
        location / { default_type text/html; return 200 page; }
    }
    server { listen {bad}; footfall_site bad; location / { default_type text/html; return 200 page; } }
END
$shop->write('footfall.toml' => "store = \"@{[ $shop->store ]}\"\n" . join '', map { "[site.$_]\n" } @names);
$shop->write('html/ssi/page.html' => '<h1>Page</h1><!--#include virtual="/part/one" --><!--#include virtual="/part/two" -->');
my ($made) = $shop->run('openssl', qw(req -x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -days 2 -subj /CN=shop.example),
    '-keyout', $shop->path('shop.key'), '-out', $shop->path('shop.pem'));
is($made, 0, 'a certificate is made');
my $upstream = Footfall::Upstream->start($shop->address('upstream'),
    '/accel' => ['X-Accel-Redirect: /inside/cup.html'], '/proxied/sale' => ['Footfall-Event: add_to_cart;item="CUP"'],
    '/cached/page' => ['Footfall-Event: sign_up'], '/cached/page?page=2' => ['Footfall-Event: sign_up']);
my $silent = IO::Socket::INET->new(LocalAddr => $shop->address('silent'), Listen => 16, ReuseAddr => 1) or die "silent: $!";
$shop->start_nginx;
$shop->start_aggregator;

# What was counted of a site: pages, statuses and events, each by how often.
sub is_seen ($site, %wanted) {
    local $Test::Builder::Level = $Test::Builder::Level + 1;
    $shop->settle;
    my (%seen, %classes);
    $classes{ int($_ / 100) . 'xx' } += $wanted{statuses}{$_} for keys %{ $wanted{statuses} // {} };
    $wanted{statuses} = \%classes if $wanted{statuses};
    my %of = (pages => [page => 'hits'], statuses => [status_class => 'hits'], events => [event => 'events']);
    for my $what (sort keys %wanted) {
        my ($by, $metrics) = @{ $of{$what} };
        my $rows = $shop->query(site => $site, by => $by, metrics => $metrics, order => $metrics)->{rows};
        $seen{$what} = { map { $_->[0] // '(none)' => $_->[1] } @$rows };
    }
    is_deeply(\%seen, \%wanted, "$site: what was counted") || diag explain \%seen;
}

sub asks ($target, $status, %o) {
    local $Test::Builder::Level = $Test::Builder::Level + 1;
    my $answer = $shop->get($target, %o);
    is($answer ? $answer->status : 'none', $status, "GET $target");
    return $answer;
}

subtest 'internal redirects change neither path nor arguments' => sub {
    asks('/old/shoes?page=2&x=1', 200);
    is_seen('rewritten', pages => { '/old/shoes?page=2' => 1 }, statuses => { 200 => 1 }, events => { arrived => 1 });
    asks('/break/cup?page=3', 200);
    is_seen('broken_off', pages => { '/break/cup?page=3' => 1 }, statuses => { 200 => 1 });
    asks('/sale/', 200);
    asks('/sale', 301);
    is_seen('index', pages => { '/sale/' => 1, '/sale' => 1 }, statuses => { 200 => 1, 301 => 1 });
    asks('/accel?page=4', 200);
    is_seen('accel', pages => { '/accel?page=4' => 1 }, statuses => { 200 => 1 }, events => { asked => 1, delivered => 1 });
};

subtest 'a named location' => sub {
    asks('/named/chair?page=5', 200);
    is_seen('named', pages => { '/named/chair?page=5' => 1 }, statuses => { 200 => 1 }, events => { entered => 1, finished => 1 });
};

subtest 'error pages' => sub {
    asks('/gone/lamp?page=6', 404);
    is_seen('error_page', pages => { '/gone/lamp?page=6' => 1 }, statuses => { 404 => 1 }, events => {});
    asks('/busy/lamp', 200);
    is_seen('busy', pages => { '/busy/lamp' => 1 }, statuses => { 200 => 1 }, events => { apology => 1 });
};

subtest 'subrequests are no hits' => sub {
    like(asks('/ssi/page.html', 200)->body, qr/partpart/, 'parts are put in');
    is_seen('ssi', pages => { '/ssi/page.html' => 1 }, statuses => { 200 => 1 }, events => {});
    asks('/members/cup.html', 200);
    asks('/members/cup.html?no=1', 401);
    is_seen('auth', pages => { '/members/cup.html' => 2 }, statuses => { 200 => 1, 401 => 1 }, events => {});
    asks('/mirror/page', 200);
    is_seen('mirror', pages => { '/mirror/page' => 1 }, statuses => { 200 => 1 }, events => {});
};

subtest 'proxied and cached' => sub {
    my $answer = asks('/proxied/sale?page=7', 200);
    is($answer->header('Footfall-Event'), undef, 'the event header is hidden');
    is_seen('proxied', pages => { '/proxied/sale?page=7' => 1 }, events => { add_to_cart => 1 });
    is(asks('/cached/page', 200)->header('Footfall-Event'), undef, 'hidden, also in a cached answer') for 1 .. 3;
    is_seen('cached', pages => { '/cached/page' => 3 }, events => { sign_up => 1 });
};

subtest 'versions of HTTP, connections that are kept, requests in a row' => sub {
    my $address = $shop->address('shop');
    like($shop->send_raw("GET /v/one HTTP/1.0\r\nUser-Agent: @{[ BROWSER ]}\r\n\r\n")->head, qr{^HTTP/1.1 200}, 'HTTP/1.0 without a host');
    my $kept = $shop->client(from => 3);
    is($kept->get('/v/kept')->status, 200, 'a kept connection') for 1 .. 3;
    $kept->close;
    my $row = join '', map { request_text(GET => "/v/row?page=$_", keep => $_ < 3) } 1 .. 3;
    my $socket = connect_to($shop->port, 4);
    $socket->syswrite($row);
    my $answers = '';
    1 while sysread $socket, $answers, 65536, length $answers;
    close $socket;    # nginx lingers, and logs the last one when the client has gone
    is(scalar(() = $answers =~ m{HTTP/1.1 200}g), 3, 'three requests at once are answered in turn') || diag $answers;
    is($shop->get('//v///two/../%6Fne?page=%31')->status, 200, 'a path that says it in another way');
    is($shop->head('/v/head')->status, 200, 'HEAD');
    is($shop->get('/v/full', host => 'WWW.Shop.Example:8080')->status, 200, 'a host in capitals, with a port');
    is_seen('versions', statuses => { 200 => 10 }, pages => {
        '/v/one' => 1, '/v/kept' => 3, '/v/row?page=1' => 1, '/v/row?page=2' => 1, '/v/row?page=3' => 1, '/v/two/../one?page=1' => 1,
        '/v/head' => 1, '/v/full' => 1,
    });
    is($shop->query(site => 'versions', metrics => 'pageviews')->{totals}[0], 9, 'HEAD is no page view');
};

subtest 'HTTP/2 and TLS' => sub {
    my @curl = ('curl', '--silent', '--output', $shop->path('curl.out'), '--write-out', '%{http_version} %{http_code} ', '--max-time', 10,
        '--user-agent', BROWSER, '--referer', 'https://www.google.com/');
    my ($code, $out);
    for ([200 => '/one?page=1&utm_source=x'], [404 => '/gone']) {
        ($code, $out) = $shop->run(@curl, '--http2-prior-knowledge', 'http://' . $shop->address('two') . $_->[1]);
        is("$code $out", "0 2 $_->[0] ", 'HTTP/2 in the clear');
    }
    is_seen('h2', pages => { '/one?page=1' => 1, '/gone' => 1 }, statuses => { 200 => 1, 404 => 1 });
    is_deeply($shop->query(site => 'h2', by => 'source', metrics => 'visits')->{rows}, [['x', 1]], 'with its campaign');
    ($code, $out) = $shop->run(@curl, '--insecure', '--http1.1', 'https://' . $shop->address('tls') . '/secret?page=2');
    is("$code $out", '0 1.1 200 ', 'TLS');
    ($code, $out) = $shop->run(@curl, '--insecure', '--http2', 'https://' . $shop->address('tls') . '/secret?page=3');
    is("$code $out", '0 2 200 ', 'HTTP/2 over TLS');
    is_seen('tls', pages => { '/secret?page=2' => 1, '/secret?page=3' => 1 }, statuses => { 200 => 2 });
    is_deeply($shop->query(site => 'tls', by => 'channel', metrics => 'visits')->{rows}, [['organic_search', 1]], 'with their referrer');
};

subtest 'the address behind a proxy' => sub {
    asks('/real/cup.html', 200, headers => ['X-Real-IP' => "203.0.113.$_"]) for 1 .. 3;
    asks('/real/bowl.html', 200, headers => ['X-Real-IP' => '203.0.113.3']);
    is_deeply($shop->query(site => 'realip', metrics => 'hits,visitors,visits')->{totals}, [4, 3, 3], 'tells visitors apart') if $shop->settle;
};

subtest 'a visitor who does not wait' => sub {
    my $socket = connect_to($shop->port, 5);
    $socket->syswrite(request_text(GET => '/slow/page?page=8'));
    my $upstream_side = $silent->accept;
    close $socket;
    wait_until('nginx has let the upstream go', sub { sysread($upstream_side, my $bytes, 65536) == 0 });
    is_seen('slow', pages => { '/slow/page?page=8' => 1 }, statuses => { 499 => 1 });
    is($shop->query(site => 'slow', metrics => 'pageviews')->{totals}[0], 0, 'which is no page view');
};

subtest 'requests that are none' => sub {
    my $port = $shop->port('bad');
    my $browser = 'User-Agent: ' . BROWSER;
    my %bad = (
        400 => ["GET /no-host HTTP/1.1\r\n$browser\r\n\r\n", "GET /two-hosts HTTP/1.1\r\nHost: a\r\nHost: b\r\n$browser\r\n\r\n", "rubbish\r\n\r\n",
            "GET /header HTTP/1.1\r\nHost: shop.example\r\n$browser\r\nX: " . 'x' x 5000 . "\r\n\r\n"],
        414 => ["GET /" . 'long' x 1000 . " HTTP/1.1\r\nHost: shop.example\r\n\r\n"],
        405 => ["TRACE /trace HTTP/1.1\r\nHost: shop.example\r\n$browser\r\n\r\n"],
        408 => ["GET /late HTTP/1.1\r\nHost: shop.example\r\n$browser\r\n"],
        505 => ["GET /version HTTP/9.9\r\nHost: shop.example\r\n\r\n"],
    );
    my $sent = 0;
    for my $status (sort keys %bad) {
        for my $bytes (@{ $bad{$status} }) {
            my $answer = $shop->send_raw($bytes, port => $port);
            $sent++;
            is($answer ? $answer->status : 408, $status, "$status for " . substr $bytes, 0, 20);
        }
    }
    is_seen('bad', statuses => { map { $_ => scalar @{ $bad{$_} } } keys %bad });
    is_deeply($shop->query(site => 'bad', metrics => 'hits,pageviews,visits')->{totals}, [$sent, 0, 0], 'all are hits, none is a page view or a visit');
};

close_shops();
