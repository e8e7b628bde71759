# Every directive, wrong once and more: what stops the start says directive, value, what would be right, file and line. And
# what is right: contexts, inheritance.
use v5.36;
use lib 't/lib';
use Footfall::Test;

# Where a line goes, and what nginx then says: [emerg] DIRECTIVE: TEXT in FILE:LINE.
my $other = Footfall::Shop->new;    # never opens: its folder is for configurations that `nginx -t` refuses or takes

sub configuration ($in, $line) {
    my ($user) = $> == 0 ? 'user www-data;' : '';
    my %at = (http => '', server => '', location => '', $in => $line);
    my $store = $in eq 'store' ? $line : 'footfall_store {folder}/tried;';
    my $load = Footfall::Shop->load_module;
    return $other->fill(<<"END");
$load
$user
error_log {folder}/logs/tried.log;
pid {folder}/tried.pid;
events {}
http {
    access_log off;
    $store
    $at{http}
    server {
        listen {tried};
        server_name shop.example;
        $at{server}
        location / {
            $at{location}
        }
        location /below/ { return 200; }
    }
}
END
}

# `nginx -t`: (exit code, what it said).
sub try ($in, $line) {
    $other->write('nginx.conf' => configuration($in, $line));
    return $other->test_configuration;
}

my %line_of = (store => 8, http => 9, server => 13, location => 15);

sub is_refused ($in, $line, $text) {
    local $Test::Builder::Level = $Test::Builder::Level + 1;
    my ($code, $said) = try($in, $line);
    my ($emerg) = $said =~ /\[emerg\] (.*)/;
    my $place = quotemeta($other->path('nginx.conf')) . ":$line_of{$in}";
    my $placed = $text =~ /^unknown "\w+" variable$/ || ($emerg // '') =~ /in $place$/;    # nginx looks for variables at the very end
    my $good = $code == 1 && ($emerg // '') =~ /\Q$text\E/ && $placed;
    return ok($good, length $line > 70 ? substr($line, 0, 70) . '…' : $line) || diag "wanted: $text in …:$line_of{$in}\n   got: $said";
}

sub is_taken ($in, $line) {
    local $Test::Builder::Level = $Test::Builder::Level + 1;
    my ($code, $said) = try($in, $line);
    return ok($code == 0 && $said !~ /\[(?:warn|emerg|alert|crit)\]/, $line) || diag $said;
}

my $long = 'x' x 65;
my @refused = (
    store => [
        ['footfall_store;' => 'invalid number of arguments in "footfall_store" directive'],
        ['footfall_store "";' => 'footfall_store: the path is empty; right would be a folder such as /var/lib/footfall'],
        ['footfall_store a; footfall_store b;' => '"footfall_store" directive is duplicate'],
        ['footfall_store a size=1m;' => 'footfall_store: unknown parameter "size=1m"; right would be ring=SIZE, stage=SIZE, '],
        ['footfall_store a ring;' => 'footfall_store: unknown parameter "ring"'],
        ['footfall_store a ring=;' => 'footfall_store: "ring=" is no size; right would be ring=1m to ring=64g'],
        ['footfall_store a ring=lots;' => 'footfall_store: "ring=lots" is no size; right would be ring=1m to ring=64g'],
        ['footfall_store a ring=-1m;' => 'footfall_store: "ring=-1m" is no size'],
        ['footfall_store a ring=1k;' => 'footfall_store: "ring=1k" is out of range; right would be ring=1m to ring=64g'],
        ['footfall_store a ring=65g;' => 'footfall_store: "ring=65g" is out of range'],
        ['footfall_store a ring=99999999999999999999;' => 'footfall_store: "ring=99999999999999999999" is no size'],
        ['footfall_store a ring=2m ring=2m;' => 'footfall_store: "ring=2m" is given a second time; right would be once'],
        ['footfall_store a stage=1k;' => 'footfall_store: "stage=1k" is out of range; right would be stage=256k to stage=1g'],
        ['footfall_store a stage=2g;' => 'footfall_store: "stage=2g" is out of range'],
        ['footfall_store a stage=big;' => 'footfall_store: "stage=big" is no size; right would be stage=256k to stage=1g'],
        ['footfall_store a stage_path=;' => 'footfall_store: "stage_path=" names no folder; right would be stage_path=DIR'],
        ['footfall_store a flush=fast;' => 'footfall_store: "flush=fast" is no time; right would be flush=10ms to flush=10s'],
        ['footfall_store a flush=1ms;' => 'footfall_store: "flush=1ms" is out of range; right would be flush=10ms to flush=10s'],
        ['footfall_store a flush=11s;' => 'footfall_store: "flush=11s" is out of range'],
        ['footfall_store a sync=on;' => 'footfall_store: "sync=on" is no time; right would be sync=10ms to sync=1h, or sync=off'],
        ['footfall_store a sync=2h;' => 'footfall_store: "sync=2h" is out of range; right would be sync=10ms to sync=1h, or sync=off'],
        ['footfall_store a lanes=0;' => 'footfall_store: "lanes=0" is no number of lanes; right would be lanes=1 to lanes=256'],
        ['footfall_store a lanes=257;' => 'footfall_store: "lanes=257" is no number of lanes; right would be lanes=1 to lanes=256'],
        ['footfall_store a lanes=many;' => 'footfall_store: "lanes=many" is no number of lanes'],
    ],
    server => [
        ['footfall_store a;' => '"footfall_store" directive is not allowed here'],
        ['footfall_status;' => '"footfall_status" directive is not allowed here'],
    ],
    http => [
        ['footfall yes;' => 'footfall: "yes" is neither; right would be on or off'],
        ['footfall On;' => 'footfall: "On" is neither; right would be on or off'],
        ['footfall;' => 'invalid number of arguments in "footfall" directive'],
        ['footfall on if=$arg_a if=$arg_b;' => 'invalid number of arguments in "footfall" directive'],
        ['footfall on; footfall off;' => '"footfall" directive is duplicate'],
        ['footfall on when=$arg_a;' => 'footfall: unknown parameter "when=$arg_a"; right would be if=VALUE'],
        ['footfall on if=;' => 'footfall: unknown parameter "if="; right would be if=VALUE'],
        ['footfall off if=$arg_a;' => 'footfall: "if=$arg_a" goes with on only; right would be off alone'],
        ['footfall on if=$nothing_of_this_name;' => 'unknown "nothing_of_this_name" variable'],
        ['footfall_site "";' => 'footfall_site: "" is no site name; right would be 1 to 64 of A-Z a-z 0-9 _ . -'],
        ['footfall_site $host;' => 'footfall_site: "$host" is no site name'],
        ['footfall_site ../etc;' => 'footfall_site: "../etc" is no site name'],
        ["footfall_site $long;" => "footfall_site: \"$long\" is no site name; right would be 1 to 64"],
        ['footfall_site a; footfall_site b;' => '"footfall_site" directive is duplicate'],
        ['footfall_site a b;' => 'invalid number of arguments in "footfall_site" directive'],
        ['footfall_visitor "";' => 'footfall_visitor: the value is empty; right would be anonymous, or a variable such as $cookie_uid'],
        ['footfall_visitor $nobody_knows;' => 'unknown "nobody_knows" variable'],
        ['footfall_visitor anonymous; footfall_visitor $cookie_a;' => '"footfall_visitor" directive is duplicate'],
        ['footfall_visitor a b;' => 'invalid number of arguments in "footfall_visitor" directive'],
        ['footfall_signals;' => 'invalid number of arguments in "footfall_signals" directive'],
        ['footfall_signals gpc;' => 'footfall_signals: "gpc" is no signal with an answer; right would be gpc= or dnt= with ignore, anonymous or drop'],
        ['footfall_signals gpc=yes;' => 'footfall_signals: "gpc=yes" is no signal with an answer'],
        ['footfall_signals p3p=drop;' => 'footfall_signals: "p3p=drop" is no signal with an answer'],
        ['footfall_signals gpc=drop gpc=drop;' => 'footfall_signals: "gpc=drop" is no signal with an answer'],
        ['footfall_signals gpc=drop; footfall_signals dnt=drop;' => '"footfall_signals" directive is duplicate'],
        ['footfall_event;' => 'invalid number of arguments in "footfall_event" directive'],
        ['footfall_event "add to cart";' => 'footfall_event: "add to cart" is no event name; right would be 1 to 64 of A-Z a-z 0-9 _ . -'],
        ['footfall_event 3d_view;' => 'footfall_event: "3d_view" is no event name'],
        ["footfall_event $long;" => "footfall_event: \"$long\" is no event name"],
        ['footfall_event purchase;' => 'footfall_event: "purchase" is an order; right would be footfall_order id=VALUE value=VALUE'],
        ['footfall_event a sku=1;' => 'footfall_event: unknown parameter "sku=1"; right would be item=, value=, currency= or if='],
        ['footfall_event a id=1;' => 'footfall_event: unknown parameter "id=1"; right would be item=, value=, currency= or if='],
        ['footfall_event a item=;' => 'footfall_event: "item=" has no value; right would be a text with or without variables'],
        ['footfall_event a item=$arg_a item=$arg_b;' => 'footfall_event: "item=$arg_b" is given a second time; right would be once'],
        ['footfall_event a if=$never_heard_of;' => 'unknown "never_heard_of" variable'],
        ['footfall_order;' => 'invalid number of arguments in "footfall_order" directive'],
        ['footfall_order id=$arg_id;' => 'footfall_order: value= is missing; an order needs id=VALUE and value=VALUE'],
        ['footfall_order value=$arg_value;' => 'footfall_order: id= is missing; an order needs id=VALUE and value=VALUE'],
        ['footfall_order id=$arg_id value=$arg_v total=1;' => 'footfall_order: unknown parameter "total=1"; right would be id=, value=, currency=, items=, coupon=, customer= or if='],
        ['footfall_order id=1 value=1 item=1;' => 'footfall_order: unknown parameter "item=1"'],
        ['footfall_order id=1 id=2 value=1;' => 'footfall_order: "id=2" is given a second time'],
        ['footfall_order id= value=1;' => 'footfall_order: "id=" has no value'],
        ['footfall_events_header "";' => 'footfall_events_header: "" is no header name; right would be on, off or a name such as Footfall-Event'],
        ['footfall_events_header "A B";' => 'footfall_events_header: "A B" is no header name'],
        ['footfall_events_header A:;' => 'footfall_events_header: "A:" is no header name'],
        ['footfall_events_header ' . 'x' x 129 . ';' => 'is no header name'],
        ['footfall_events_header on; footfall_events_header off;' => '"footfall_events_header" directive is duplicate'],
        ['footfall_path cup;' => 'footfall_path: "cup" is no path; right would be one that begins with /, or a variable'],
        ['footfall_path /a /b;' => 'invalid number of arguments in "footfall_path" directive'],
        ['footfall_path /a; footfall_path /b;' => '"footfall_path" directive is duplicate'],
        ['footfall_path $never_heard_of;' => 'unknown "never_heard_of" variable'],
        ['footfall_args;' => 'invalid number of arguments in "footfall_args" directive'],
        ['footfall_args "a b";' => q{footfall_args: "a b" is no argument's name; right would be 1 to 64 letters without & = # ; $ and blanks}],
        ['footfall_args a $arg_b;' => q{footfall_args: "$arg_b" is no argument's name}],
        ["footfall_args $long;" => qq{footfall_args: "$long" is no argument's name}],
        ['footfall_args a "";' => q{footfall_args: "" is no argument's name}],
        ['footfall_args a b a;' => 'footfall_args: "a" is given a second time; right would be once'],
        ['footfall_args ' . join(' ', 1 .. 33) . ';' => 'footfall_args: "33" is one too many; right would be at most 32 names'],
        ['footfall_args a; footfall_args b;' => '"footfall_args" directive is duplicate'],
        ['footfall_search;' => 'invalid number of arguments in "footfall_search" directive'],
        ['footfall_search q s;' => 'invalid number of arguments in "footfall_search" directive'],
        ['footfall_search q=;' => q{footfall_search: "q=" is no argument's name}],
        ['footfall_search q; footfall_search s;' => '"footfall_search" directive is duplicate'],
        ['footfall_country Germany;' => 'footfall_country: "Germany" is no country; right would be two letters such as DE, or a variable such as $geoip2_data_country_code'],
        ['footfall_country DE; footfall_country DE;' => '"footfall_country" directive is duplicate'],
        ['footfall_bot on;' => 'footfall_bot: "on" is no flag; right would be 1, 0, or a variable that is empty or 0 for people'],
        ['footfall_bot 0; footfall_bot 1;' => '"footfall_bot" directive is duplicate'],
        ['footfall_events_header A B;' => 'invalid number of arguments in "footfall_events_header" directive'],
        ['footfall_nothing on;' => 'unknown directive "footfall_nothing"'],
    ],
    location => [
        ['footfall maybe;' => 'footfall: "maybe" is neither; right would be on or off'],
        ['footfall_store a;' => '"footfall_store" directive is not allowed here'],
        ['footfall_status everywhere;' => 'footfall_status: unknown parameter "everywhere"; right would be remote, once, or nothing'],
        ['footfall_status remote remote;' => 'footfall_status: unknown parameter "remote"; right would be remote, once, or nothing'],
        ['if ($arg_a) { footfall off; }' => '"footfall" directive is not allowed here'],
        ['footfall_status; footfall_status remote;' => '"footfall_status" directive is duplicate'],
    ],
);
while (my ($in, $cases) = splice @refused, 0, 2) {
    subtest "refused in $in" => sub { is_refused($in, @$_) for @$cases };
}

subtest 'a status needs a prefix to serve below' => sub {
    for my $place ('= /footfall/', '~ ^/footfall/', '~* ^/footfall/', '@footfall') {
        my $line = "location $place { footfall_status; }";
        is_refused(server => $line, 'has no prefix to serve below; right would be a prefix location such as "location /footfall/"');
    }
    is_taken(server => "location $_ { footfall_status; }") for '/footfall/', '/footfall', '^~ /footfall/';
};

subtest 'codes need their prefix' => sub {
    my $right = '" is no prefix of codes; right would be a path such as /go/, without escapes and arguments';
    is_refused(server => "location /go/ { footfall_codes $_->[0]; }", "footfall_codes: $_->[1]") for
        [go => "\"go$right"], ['/' => "\"/$right"], ['""' => "\"$right"], ['/go//' => "\"/go//$right"], ['/g%6f/' => "\"/g%6f/$right"],
        ['/go?a/' => "\"/go?a/$right"], ['/' . 'x' x 300 => "\"/xxx"], ['/away/' => 'location "/go/" does not lie at the prefix; right would be "location /away/"'];
    is_refused(server => 'location / { footfall_codes /go/; }', 'location "/" does not lie at the prefix; right would be "location /go/"');
    is_refused(server => 'location /goat/ { footfall_codes /go; }', 'location "/goat/" does not lie at the prefix');
    is_refused(server => 'location /go/ { footfall_codes /go/; footfall_codes /go/; }', '"footfall_codes" directive is duplicate');
    is_refused(server => 'location /go/ { footfall_codes /go/ /to/; }', 'invalid number of arguments in "footfall_codes" directive');
    is_refused(server => 'location /go/ { footfall_codes /go/; } location /to/ { footfall_codes /to/; }', '"/to/" is a second prefix; right would be one in a server, here "/go/"');
    is_refused(server => 'location /go/ { footfall_codes /go/; footfall_status; }', 'another directive answers "/go/" already; right would be a location of its own');
    is_refused(server => 'location /go/ { proxy_pass http://127.0.0.1; footfall_codes /go/; }', 'another directive answers "/go/" already');
    is_refused(http => 'footfall_codes /go/;', '"footfall_codes" directive is not allowed here');
    is_refused(store => 'server { listen {tried}; location /go/ { footfall_codes /go/; } }', 'footfall_codes: there is no store');
    is_taken(server => "location $_ { footfall_codes /go; }") for '/go', '/go/', '= /go/SPRING24', '^~ /go/', '~ ^/go/', '@go';
    is_taken(server => 'location /go/ { footfall_codes /go/; limit_except GET { deny all; } } location /go/b/ { footfall_codes /go; }');
};

subtest 'events come in where nothing else answers' => sub {
    is_refused(location => 'footfall_ingest local;', 'footfall_ingest: unknown parameter "local"; right would be remote, or nothing');
    is_refused(location => 'footfall_ingest remote remote;', 'invalid number of arguments in "footfall_ingest" directive');
    is_refused(location => 'footfall_ingest; footfall_ingest remote;', '"footfall_ingest" directive is duplicate');
    is_refused(location => 'footfall_status; footfall_ingest;', 'footfall_ingest: another directive answers "/" already; right would be a location of its own');
    is_refused(http => 'footfall_ingest;', '"footfall_ingest" directive is not allowed here');
    is_refused(store => 'server { listen {tried}; location /tell { footfall_ingest; } }', 'footfall_ingest: there is no store');
    is_taken(server => "location $_ { footfall_ingest remote; }") for '= /tell', '/tell/', '~ ^/tell$', '@tell';
    is_taken(location => 'footfall_ingest; limit_except POST { deny all; }');
};

# Until desks are built; then this says which desks there are.
subtest 'desk=' => sub {
    is_refused(location => 'footfall_status desk=marketing;', 'footfall_status: "desk=marketing" cannot be limited yet: this version has no desks');
    is_refused(location => 'footfall_status remote desk=;', 'footfall_status: "desk=" cannot be limited yet');
};

subtest 'what counts needs a store' => sub {
    is_refused(@$_) for
        [store => 'footfall on;', 'footfall: there is no store to write to or read from; say "footfall_store PATH;" in http'],
        [store => 'footfall_site a; footfall off; server { listen {tried}; location / { footfall_status; } }', 'footfall_status: there is no store'];
    is_taken(store => 'footfall off; footfall_site a; footfall_visitor anonymous; footfall_event a; footfall_order id=1 value=1;');
};

subtest 'taken' => sub {
    is_taken(store => "footfall_store $_;") for 'tried ring=1m stage=256k stage_path=stages flush=10ms sync=10ms lanes=1',
        '{folder}/tried ring=64g stage=1g flush=10s sync=1h lanes=256', 'tried sync=off';
    for my $in (qw(http server location)) {
        is_taken($in, $_) for 'footfall on;', 'footfall off;', 'footfall on if=$arg_counted;', 'footfall_site a.b-C_9;',
            'footfall_visitor anonymous;', 'footfall_visitor $cookie_uid;', 'footfall_visitor $uid_got$uid_set;', 'footfall_signals gpc=drop;',
            'footfall_signals dnt=ignore gpc=anonymous;', 'footfall_event add_to_cart item=$arg_sku value=9.5 currency=EUR if=$arg_a;',
            'footfall_event a; footfall_event a; footfall_event b;', 'footfall_events_header on;', 'footfall_events_header off;',
            'footfall_events_header X-Shop-Event;', 'footfall_path $uri;', 'footfall_path "";', 'footfall_path /product/$arg_id;',
            'footfall_args variant size filter[color];', 'footfall_args "";', 'footfall_search q;', 'footfall_search "";',
            'footfall_country $http_x_country;', 'footfall_country de;', 'footfall_country "";', 'footfall_bot $http_x_bot;', 'footfall_bot "";',
            'footfall_order id=$arg_id value=$arg_value currency=$arg_c items=$arg_i coupon=$arg_d customer=$arg_e if=$arg_f;';
    }
    is_taken(location => $_) for 'footfall_status;', 'footfall_status remote;', 'footfall_status; limit_except GET { deny all; }';
};

ok(!-e $other->path('tried') && !-e $other->path('stages'), 'nginx -t makes no store');

subtest 'inheritance' => sub {
    my $shop = open_shop(
        footfall => 'footfall on; footfall_site outer; footfall_event outer_event if=$arg_told; footfall_signals gpc=ignore dnt=drop;
            footfall_visitor $cookie_id;',
        http => 'footfall_order id=$arg_order value=1 if=$arg_order;',
        toml => '',
        servers => <<'END',
            server {
                listen {named};
                server_name second.example third.example;
                footfall on if=$arg_counted;
                location / { root {folder}/html; try_files /cup.html =404; }
                location /always/ { footfall on; try_files /cup.html =404; }
            }
END
        server => <<'END');
            location / { try_files /cup.html =404; }
            location /off/ { footfall off; try_files /cup.html =404; location /off/on/ { footfall on; try_files /cup.html =404; } }
            location /site/ { footfall_site inner; try_files /cup.html =404; location /site/deep/ { try_files /cup.html =404; } }
            location /event/ { footfall_event inner_event if=$arg_told; try_files /cup.html =404; }
            location /order/ { footfall_order id=inner-$arg_order value=2 if=$arg_order; try_files /cup.html =404; }
            location /signals/ { footfall_site signals; footfall_signals dnt=ignore; try_files /cup.html =404; }
            location /visitor/ { footfall_site visitor; footfall_visitor anonymous; try_files /cup.html =404; }
            location /if/ { footfall_site if; if ($arg_a) { return 200; } limit_except GET { deny all; } try_files /cup.html =404; }
            location /main { internal; try_files /cup.html =404; }
END
    $shop->get($_) for '/', '/off/', '/off/on/', '/off/on/';
    is_totals($shop, { pageviews => 3 }, 'on is inherited, off switches off below it, on switches on again', site => 'outer');

    $shop->get($_) for '/site/', '/site/deep/', '/site/deep/';
    is_totals($shop, { pageviews => 3 }, 'a site goes for all below it', site => 'inner');

    $shop->get($_) for '/?told=1', '/site/deep/?told=1', '/event/?told=1', '/order/?order=a', '/?order=b', '/event/?order=c';
    is_figures($shop, { by => 'event', metrics => 'events', site => 'outer' }, { outer_event => 1, inner_event => 1, purchase => 3 },
        'own events instead of inherited ones');
    is_totals($shop, { revenue => 4, orders => 3 }, 'events and orders are inherited apart', site => 'outer');
    is_figures($shop, { by => 'event', metrics => 'events', site => 'inner' }, { outer_event => 1 }, 'inherited two levels down');

    $shop->get("/signals/", from => 1, headers => $_) for [], [DNT => 1];
    $shop->get("/signals/", from => 2, headers => $_) for ['Sec-GPC' => 1], [Cookie => 'id=1', 'Sec-GPC' => 1];
    is_totals($shop, { pageviews => 4, visitors => 2 }, 'one signal given: only that changes', site => 'signals');
    my $before = $shop->query(site => 'outer', metrics => 'hits')->{totals}[0];
    $shop->get('/', headers => [DNT => 1]);
    is_totals($shop, { hits => $before }, 'dropped where it is inherited', site => 'outer');

    $shop->get('/visitor/', headers => [Cookie => "id=$_"]) for 1 .. 3;
    is_totals($shop, { visitors => 1, pageviews => 3 }, 'anonymous takes an inherited visitor away', site => 'visitor');

    $shop->get($_) for '/if/', '/if/?a=1', '/if/?a=1&told=1';
    $shop->post('/if/');
    is_totals($shop, { hits => 4, events => 1, errors_4xx => 1 }, 'an if and a limit_except are as what is around them', site => 'if');

    # A server without footfall_site of its own has that of http, here; without any, its first name.
    $before = $shop->query(site => 'outer', metrics => 'hits')->{totals}[0];
    my @there = (port => $shop->port('named'), host => 'second.example');
    $shop->get($_, @there) for '/?counted=0', '/?counted=', '/', '/?counted=1', '/?counted=00', '/?counted=no', '/always/';
    is_totals($shop, { hits => $before + 4 }, 'if=: not where it is empty or 0; on alone has no condition', site => 'outer');
};

subtest 'a site by default' => sub {
    my $shop = open_shop(footfall => 'footfall on;', toml => '', servers => <<'END');
        server { listen {second}; server_name second.example third.example; root {folder}/html; }
        server { listen {nameless}; root {folder}/html; }
        server { listen {pattern}; server_name ~^www\d+\.pattern\.example$; root {folder}/html; }
END
    $shop->get('/');
    $shop->get('/', port => $shop->port('second'), host => 'third.example') for 1 .. 2;
    $shop->get('/', port => $shop->port('nameless'), host => 'any.example') for 1 .. 3;
    is_totals($shop, { hits => 1 }, "the server's first name", site => 'shop.example');
    is_totals($shop, { hits => 2 }, 'whatever the Host', site => 'second.example');
    is_totals($shop, { hits => 3 }, 'a server without a name', site => 'default');
    is($shop->get('/', port => $shop->port('pattern'), host => 'www1.pattern.example')->status, 200, 'a server with a pattern for a name is served');
    $shop->settle;
    is_deeply($shop->ask('/footfall/v1/query?site=none')->json->{error}{param}, 'site', 'and counted somewhere');
};

subtest 'a reload to a wrong configuration keeps the right one' => sub {
    my $shop = open_shop();
    $shop->allow(qr/\[emerg\].* footfall_site: "%" is no site name/);
    $shop->write_configuration(footfall => 'footfall on; footfall_site %;');
    my @workers = $shop->workers;
    kill HUP => $shop->pid('nginx');
    wait_until('it is refused', sub { $shop->read('logs/error.log') =~ /footfall_site: "%" is no site name; .* in \S+nginx\.conf:\d+/ });
    is_deeply([$shop->workers], \@workers, 'the same workers');
    $shop->get('/');
    is_totals($shop, { hits => 1 }, 'who still count');
};

close_shops();
