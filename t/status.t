# The status location: who may look, what is there, and what is refused and how.
use v5.36;
use lib 't/lib';
use Footfall::Client qw(request_text read_answer);
use Footfall::Test;

my $shop = make_shop(
    http => 'set_real_ip_from 127.0.0.0/8; real_ip_header X-Real-IP;',
    servers => <<'END',
    server {    # a proxy on this machine, which tells whom it stands for
        listen {proxy};
        footfall off;
        location / {
            proxy_set_header X-Forwarded-For $remote_addr;
            proxy_pass http://{shop};
        }
    }
    server {    # one that tells nothing
        listen {silent};
        footfall off;
        location / { proxy_pass http://{shop}; }
    }
END
    status => <<'END');
        location /footfall/ { footfall_status; }
        location /bare { footfall_status; }
        location /remote/ { footfall_status remote; }
        location /some/ { allow 203.0.113.7; allow 127.0.0.3; deny all; footfall_status remote; }
        location /here-and-some/ { allow 203.0.113.7; deny all; footfall_status; }
        location /secret/ { auth_basic shop; auth_basic_user_file {folder}/users; footfall_status remote; }
        location /limited/ { limit_except GET { deny all; } footfall_status; }
        location /conditional/ { if ($arg_metrics) { set $asked 1; } footfall_status; }
END
$shop->write(users => "berta:{PLAIN}tulip\n");
$shop->start_nginx;

my $visits = 'v1/query?metrics=visits';

sub refused ($answer, $status, $code, $name) {
    local $Test::Builder::Level = $Test::Builder::Level + 1;
    my $error = eval { $answer->json->{error} } // {};
    my $good = $answer->status == $status && ($error->{code} // '') eq $code && length($error->{message} // '')
        && $answer->header('Content-Type') eq 'application/json; charset=utf-8' && $answer->header('Cache-Control') eq 'private';
    ok($good, "$name: $status $code") || diag $answer->head, "\n", $answer->body;
    return $error;
}

subtest 'before anything was counted' => sub {
    refused($shop->ask("/footfall/$visits"), 503, 'no_data_yet', 'a query');
    is($shop->ask('/footfall/v1/health')->status, 200, 'health is there');
    is($shop->ask('/footfall/')->status, 200, 'so is the page');
    $shop->start_aggregator;
    wait_until('a query is answered', sub { $shop->ask("/footfall/$visits")->status == 200 });
    is_totals($shop, { hits => 0, visits => 0 }, 'a site of the configuration begins with nothing');
};

$shop->get('/', from => 1);
$shop->settle;

subtest 'loopback only' => sub {
    is($shop->ask("/footfall/$visits", from => $_)->status, 200, "from $_") for '127.0.0.1', '127.0.0.9', '127.200.1.2';
    for my $address ('203.0.113.7', '10.0.0.1', '126.255.255.255', '128.0.0.1', '2001:db8::1', '::ffff:203.0.113.7') {
        my @away = (headers => ['X-Real-IP' => $address]);
        for my $target ('', $visits, 'v1/health', 'v1/nothing', 'nothing') {
            refused($shop->ask("/footfall/$target", @away), 403, 'forbidden', "/$target from $address");
        }
    }
    is($shop->ask("/footfall/$visits", headers => ['X-Real-IP' => $_])->status, 200, "from $_") for '::1', '::ffff:127.0.0.1';
};

subtest 'what was forwarded does not come from here' => sub {
    for my $header (['X-Forwarded-For' => '127.0.0.1'], ['x-forwarded-for' => ''], ['X-FORWARDED-FOR' => '203.0.113.7'],
        ['Forwarded' => 'for=127.0.0.1'], ['forwarded' => 'for="_hidden"']) {
        my @header = @$header;
        refused($shop->ask("/footfall/$visits", headers => [@header]), 403, 'forbidden', "@header");
        is($shop->ask("/remote/$visits", headers => [@header])->status, 200, '  but remote is remote');
    }
    my @many = map { ("X-Header-$_" => $_) } 1 .. 60;    # more than one part of nginx's list of headers
    refused($shop->ask("/footfall/$visits", headers => [@many, 'X-Forwarded-For' => '127.0.0.1']), 403, 'forbidden', 'behind many others');
    refused($shop->ask("/footfall/$visits", port => $shop->port('proxy')), 403, 'forbidden', 'through a proxy');
    is($shop->ask("/footfall/$visits", port => $shop->port('silent'))->status, 200, 'a proxy that tells nothing cannot be known');
};

subtest 'remote, for those whom nginx lets in' => sub {
    my $from = sub ($place, $address) { $shop->ask("/$place/$visits", headers => ['X-Real-IP' => $address])->status };
    is($from->(remote => '203.0.113.9'), 200, 'remote alone: everybody');
    is($from->(some => '203.0.113.7'), 200, 'allow');
    is($from->(some => '203.0.113.8'), 403, 'deny');
    is($shop->ask("/some/$visits", from => 3)->status, 200, 'allow, from here');
    is($shop->ask("/some/$visits", from => 4)->status, 403, 'deny, from here');
    is($from->('here-and-some' => '203.0.113.7'), 403, 'allow alone lets nobody in who is not here');
    is($shop->ask("/secret/$visits")->status, 401, 'a password is asked for');
    is($shop->ask("/secret/$visits", headers => [Authorization => 'Basic YmVydGE6dHVsaXA='])->status, 200, 'and taken');
    is($shop->ask("/secret/$visits", headers => [Authorization => 'Basic YmVydGE6cm9zZQ=='])->status, 401, 'a wrong one is not');
    is($shop->ask("/limited/$visits")->status, 200, 'limit_except: GET');
    is($shop->ask("/limited/$visits", method => 'POST', body => '')->status, 403, 'limit_except: POST');
    is($shop->ask("/conditional/$visits")->status, 200, 'inside an if');
    refused($shop->ask("/conditional/$visits", headers => ['X-Real-IP' => '203.0.113.7']), 403, 'forbidden', 'inside an if, from away');
};

subtest 'only GET and HEAD' => sub {
    for my $method (qw(POST PUT DELETE PATCH OPTIONS PROPFIND)) {
        my $answer = $shop->ask("/footfall/$visits", method => $method, body => 'metrics=visits');
        my $error = refused($answer, 405, 'method_not_allowed', $method);
        is($answer->header('Allow'), 'GET, HEAD', '  says what is allowed');
        is_deeply($error->{allowed}, ['GET', 'HEAD'], '  also in its body');
    }
    my $get = $shop->ask("/footfall/$visits");
    my $head = $shop->ask("/footfall/$visits", method => 'HEAD');
    is($head->status . $head->body, '200', 'HEAD: no body');
    is($head->header($_), $get->header($_), "  $_ as that of GET") for 'Content-Type', 'Cache-Control';
    for my $target ('nothing', 'v1/nothing', 'v1/query?nothing=1') {
        my $refusal = $shop->ask("/footfall/$target", method => 'HEAD');
        is($refusal->body, '', "HEAD of $target: no body");
        cmp_ok($refusal->status, '>=', 400, '  and refused');
    }
};

subtest 'a connection goes on after what was refused' => sub {
    my $client = $shop->client;
    is($client->get("/footfall/$_->[0]")->status, $_->[1], "$_->[0]: $_->[1]")
        for ['nothing', 404], [$visits, 200], ['v1/query?x=1', 400], ['', 200], ['v1/health', 200];
    my $socket = $client->{socket};
    $socket->syswrite(request_text(POST => "/footfall/$visits", keep => 1, body => 'x' x 50_000));
    is(read_answer($socket, keep => 1)->status, 405, 'a body is read and thrown away');
    is($client->get("/footfall/$visits")->status, 200, 'what comes behind it is answered');
    $client->close;
};

subtest 'what is not there' => sub {
    for my $target ('nothing', 'v1', 'v1/', 'v1/nothing', 'v1/query/', 'v1/query/more', 'v2/query', 'V1/query', 'v1/QUERY', 'index.html',
        'v1/%3Cscript%3E', 'v1/' . 'a' x 5000, 'v1/%FF%FE') {
        my $answer = $shop->ask("/footfall/$target");
        refused($answer, 404, 'not_found', substr $target, 0, 40);
        unlike($answer->body, qr/<|[\x80-\xff]/, '  repeats nothing of it');
    }
};

subtest 'a location without a slash' => sub {
    like($shop->ask('/bare')->header('Location'), qr{/bare/$}, 'leads to the page');
    like($shop->ask('/bare?range=today')->header('Location'), qr{/bare/\?range=today$}, 'with its arguments');
    is($shop->ask('/bare/')->status, 200, 'the page');
    is($shop->ask("/bare/$visits")->status, 200, 'a query');
    refused($shop->ask('/barely'), 404, 'not_found', 'another word');
};

subtest 'unknown parameters' => sub {
    my %named = (    # the parameter at fault, and one right word that the answer has to offer
        'nothing=1' => ['nothing', 'metrics'], 'Metrics=visits' => ['Metrics', 'metrics'], 'metrics=visit' => ['metrics', 'visits'],
        'by=chanel&metrics=visits' => ['by', 'channel'], 'site=none' => ['site', 'shop'], 'range=fortnight' => ['range', '7d'],
        'model=lst' => ['model', 'last'], 'by=channel&metrics=hits' => ['by', 'page'], 'format=xml' => ['format', 'json'],
        'metrics=visits,' => ['metrics', 'visits'], '=1' => ['', 'metrics'],
    );
    for my $arguments (sort keys %named) {
        my ($param, $right) = @{ $named{$arguments} };
        my $error = refused($shop->ask("/footfall/v1/query?$arguments"), 400, 'bad_request', $arguments);
        is($error->{param} // '', $param, "  names '$param'");
        ok((grep { $_ eq $right } @{ $error->{allowed} // [] }), "  and offers '$right'") || diag explain $error;
    }
    my $error = refused($shop->ask('/footfall/v1/query?metrics=visits&metrics=hits'), 400, 'bad_request', 'given twice');
    is($error->{param}, 'metrics', '  named');
};

subtest 'every answer is for this reader alone' => sub {
    for my $target ('', $visits, 'v1/health', 'nothing', 'v1/query?nothing=1') {
        my $answer = $shop->ask("/footfall/$target");
        is_deeply([map { $answer->header($_) } 'Cache-Control', 'X-Content-Type-Options', 'Referrer-Policy'],
            ['private', 'nosniff', 'no-referrer'], $target || 'the page');
    }
};

is_totals($shop, { hits => 1, visits => 1 }, 'whoever looks is not counted');
close_shops();
