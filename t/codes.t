# Codes at the edge: PREFIX/CODE is answered with a redirect that the configuration names, nothing that a client sends leads
# elsewhere, no cache stands in between, and each one is a hit that tells its code.
use v5.36;
use lib 't/lib';
use Footfall::Client qw(connect_to request_text read_answer);
use Footfall::Test;

my $longest = 'L' x 64;
my $toml = <<"END";
[site.shop]
hosts = ["shop.example"]
codes = "/go/"
[[site.shop.code]]
code = "SPRING24"
channel = "direct_mail"
target = "/sale?from=letter"
[[site.shop.code]]
code = "radio"
channel = "audio"
[[site.shop.code]]
code = "PARTNER"
channel = "partner"
target = "https://partner.example/offers"
[[site.shop.code]]
code = "$longest"
channel = "print"
target = "/longest"
[site.second]
codes = "/go/"
[[site.second.code]]
code = "SPRING24"
channel = "print"
target = "/second"
END

my $shop = make_shop(
    workers => 2,
    toml    => $toml,
    servers => <<'END',
    server {
        listen {second_version} http2;
        server_name h2.example;
        location /go/ { footfall_codes /go; }
    }
END
    server => <<'END',
        location /go/ { footfall_codes /go/; error_page 404 /nothing.html; expires 1y; }
        location /go/second/ { footfall_codes /go; footfall_site second; }
        location /turned { rewrite ^ /go/SPRING24; }
        location /inside { mirror /go/SPRING24; try_files /cup.html =404; }
        location /uncounted { footfall off; }
        location = /nothing.html { return 404 "<h1>No such page</h1>"; }
        location / { try_files $uri $uri.html $uri/index.html =404; }
END
);
$shop->start_nginx;

sub leads ($target, $to, %o) {
    local $Test::Builder::Level = $Test::Builder::Level + 1;
    my $method = delete $o{method} // 'GET';
    my $answer = $shop->request($method, $target, %o) or return fail("$target: no answer");
    return is(join(' ', $answer->status, $answer->header('Location') // '-'), $to ? "302 $to" : '404 -', "$method $target");
}

# What the rings tell: every code that was asked for, with its answer.
sub codes_told () {
    my (undef, $said) = $shop->footfall('dump', 'ring', '--store', $shop->store);
    my %told;
    $told{"$1 $2"}++ while $said =~ /^  hit \d+ .*: code (.+), answered (\d+)$/mg;
    return \%told;
}

leads('/go/SPRING24', undef);    # before any aggregator has stored a configuration
$shop->start_aggregator;
wait_until('the workers know codes', sub { !grep { ($_ ? $_->status : 0) != 302 } $shop->burst(map { ['HEAD', '/go/SPRING24', from => 200] } 1 .. 40) });
$shop->settle;
my $before = codes_told();

subtest 'where a code leads' => sub {
    leads('/go/SPRING24', '/sale?from=letter', from => 1);
    leads('/go/spring24', '/sale?from=letter', from => 1);
    leads('/go/SPRING24/', '/sale?from=letter', from => 1);
    leads('/go/%53PRING24', '/sale?from=letter', from => 1);
    leads('//go//SPRING24', '/sale?from=letter', from => 1);
    leads('/go/SPRING24?qr', '/sale?from=letter', from => 1);
    leads('/go/SPRING24?utm_source=other&gclid=1&to=//evil.example', '/sale?from=letter', from => 1);
    leads('http://shop.example/go/SPRING24', '/sale?from=letter', from => 1);
    leads('/go/SPRING24', '/sale?from=letter', from => 1, method => 'HEAD');
    leads('/go/SPRING24', '/sale?from=letter', from => 1, http => '1.0');
    leads('/go/radio', '/', from => 1);
    leads('/go/Partner', 'https://partner.example/offers', from => 1);
    leads("/go/$longest", '/longest', from => 1);
    leads('/go/second/x', undef, from => 1);
    my $now = codes_told_since($before);
    is_deeply($now, {
        'SPRING24 302' => 8, 'spring24 302' => 1, 'SPRING24 by qr 302' => 1, 'radio 302' => 1, "$longest 302" => 1, 'Partner 302' => 1, 'second/x 404' => 1,
    }, 'and each is told') || diag explain $now;
};

sub codes_told_since ($before) {
    $shop->settle;
    my $now = codes_told();
    my %since = map { my $new = $now->{$_} - ($before->{$_} // 0); $new ? ($_ => $new) : () } keys %$now;
    %$before = %$now;
    return \%since;
}

subtest 'nothing of the request decides where' => sub {
    for my $host ('evil.example', 'shop.example:81', '[::1]') { leads('/go/SPRING24', '/sale?from=letter', host => $host, from => 2) }
    leads('/go/SPRING24', '/sale?from=letter', from => 2, headers => ['X-Forwarded-Host' => 'evil.example', Forwarded => 'host=evil.example']);
    leads($_, undef, from => 2) for '/go/', '/go/nobody', '/go//evil.example', '/go/%2f%2fevil.example', '/go/SPRING24%0d%0aX-A:%20b',
        '/go/https://evil.example', '/go/SPRING24;a', '/go/' . 'x' x 3000, "/go/${longest}L", '/go/SPRING24%2fx', '/go/\\evil.example', '/sale/../go/SPRING24';
    is($shop->get($_, from => 2)->header('Location'), undef, "$_ leads nowhere") for '/go/..%2f', '/go/../sale/', '/go/SPRING24%00', '/go/%2e%2e/go';
    my %codes = %{ codes_told_since($before) };
    is($codes{'SPRING24 302'}, 4, 'those that led somewhere are told');
    is($codes{'nobody 404'}, 1, 'the unknown one as well');
    is($codes{'x' x 64 . ' 404'}, 1, 'a long one is cut');
    ok(!(grep { /[\r\n]/ } keys %codes), 'no line break gets into a code');
};

subtest 'no cache stands in between' => sub {
    for my $target ('/go/SPRING24', '/go/nobody') {
        my $answer = $shop->get($target, from => 3);
        like($answer->header('Cache-Control'), qr/\bno-store\b/, "$target: not to be stored, though the location says expires");
    }
    my $answer = $shop->get('/go/SPRING24', from => 3);
    is($answer->header('Referrer-Policy'), 'no-referrer', 'what follows does not tell once more where the visitor was');
    is($answer->body, '', 'no body');
    is($answer->header('Content-Length'), 0, '  and said so: a kept connection goes on');
};

subtest 'only read' => sub {
    for my $method (qw(POST PUT DELETE OPTIONS PATCH)) {
        my $answer = $shop->request($method, '/go/SPRING24', body => 'code=radio', from => 4);
        is($answer->status, 405, $method);
        is($answer->header('Allow'), 'GET, HEAD', '  what is allowed');
        is($answer->header('Location'), undef, '  leads nowhere');
    }
};

subtest 'ways through nginx' => sub {
    codes_told_since($before);
    is($shop->get('/go/nobody', from => 5)->body, '<h1>No such page</h1>', 'an error page is shown');
    is_deeply(codes_told_since($before), { 'nobody 404' => 1 }, '  and the code is told');
    is($shop->get('/turned', from => 5)->status, 404, 'a target that was rewritten is not what was asked for');
    is_deeply(codes_told_since($before), {}, '  and tells no code');
    my $page = $shop->get('/inside', from => 5);
    is($page->status . ' ' . $page->body, '200 <h1>Cup</h1>', 'a subrequest leads nowhere');
    is_deeply(codes_told_since($before), {}, '  and tells no code');

    my $kept = $shop->client(from => 5);
    is(join(' ', map { $kept->get($_)->status } '/go/radio', '/cup', '/go/nobody', '/go/radio'), '302 200 404 302', 'over one connection');
    $kept->close;
};

subtest 'HTTP/2' => sub {
    my ($code, $said) = $shop->run('curl', '-s', '--http2-prior-knowledge', '-i', '-H', 'Host: evil.example', 'http://' . $shop->address('second_version') . '/go/SPRING24?qr');
    like($said, qr{^HTTP/2 302}m, 'redirected');
    like($said, qr{^location: /sale\?from=letter\r?$}m, '  to the target, whatever the host');
};

subtest 'a changed configuration holds without a reload' => sub {
    my $changed = $toml =~ s{/sale\?from=letter}{/autumn}r =~ s{code = "radio"}{code = "TV"}r;
    $shop->write_configuration(toml => $changed);
    kill HUP => $shop->pid('aggregator');
    wait_until('both workers know it', sub { !grep { ($_->header('Location') // '') ne '/autumn' } $shop->burst(map { ['HEAD', '/go/spring24'] } 1 .. 40) });
    leads('/go/radio', undef);
    leads('/go/tv', '/');
    $shop->stop_aggregator;
    $shop->reload;
    is_deeply([map { $_->status } $shop->burst(map { ['GET', '/go/tv'] } 1 .. 40)], [(302) x 40], 'new workers know it from their first request on, without an aggregator');
    $shop->start_aggregator;
};

close_shops();
