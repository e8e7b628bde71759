# One answer in many forms: JSON, CSV, protobuf and the terminal show the same figures; what HTTP asks for beside them (Accept,
# ETag, HEAD); what machines read (metrics, openapi.json); and what a worker refuses when it is asked for too much.
use v5.36;
use lib 't/lib';
use Encode qw(encode_utf8);
use Footfall::Client qw(connect_to request_text read_answer);
use Footfall::Csv qw(parse_csv);
use Footfall::Protoc qw(decode_report);
use Footfall::Test;
use Time::HiRes qw(time sleep);

my %type = (json => 'application/json; charset=utf-8', csv => 'text/csv; charset=utf-8; header=present', pb => 'application/x-protobuf');
my $toml = <<'END';
[site.shop]
hosts = ["shop.example"]
[site.old]
hosts = ["old.example"]
[rates]
USD = 0.92
[retention]
hour = "forever"
END
my $shop = open_shop(toml => $toml, server => <<'END');
        location / { try_files $uri $uri.html $uri/index.html =404; }
        location /order { footfall_order id=$arg_order value=$arg_total currency=$arg_currency items=$arg_items; try_files /thanks.html =404; }
END

# What strangers may write into an address, and what a spreadsheet must not take for a formula or a new line.
my @campaigns = ('plain', '=1+1', '+1', '-2+3', '@SUM(A1)', 'a,b', 'say "hi"', '"', "it's", 'x=1', "caf\xc3\xa9", '<b>&amp;</b>', '{"a":1}', '0012', 'null',
    'row', "tab\there", "line\r\nbreak", "\xff\xfe", '=HYPERLINK("http://evil.example","x")');
my $visitor = 1;
for my $campaign (@campaigns) {
    $shop->get('/?utm_source=s&utm_medium=email&utm_campaign=' . $campaign =~ s/(\W)/sprintf '%%%02X', ord $1/ger, from => $visitor++);
}
$shop->get('/cup', from => $visitor, referrer => 'https://www.google.com/');
$shop->get('/order?order=A-1&total=129.90&items=cup:2:60', from => $visitor);
$shop->get('/order?order=A-2&total=0.005&currency=USD', from => $visitor + 1);
$shop->get('/order?order=A-3&total=7&currency=CHF&items=bowl:3:2.5', from => $visitor + 2);
$shop->get('/missing', from => $visitor);
$shop->settle;

sub target ($query) { '/footfall/v1/query?' . Footfall::Shop::arguments_of(site => 'shop', range => 'today', %$query) }

my @queries = (
    { metrics => 'hits,visits,pageviews,bounce_rate,duration,orders,revenue,aov,goal_value' },
    { by => 'campaign', metrics => 'visits,visitors,bounce_rate,orders,revenue,aov,rpv,cr' },
    { by => 'campaign', metrics => 'visits', limit => 3, order => '-campaign' },
    { by => 'item', metrics => 'orders,items,revenue,aov' },
    { by => 'hour,channel', metrics => 'visits,orders,revenue' },
    { by => 'page', metrics => 'hits,pageviews,exit_rate,errors_4xx,bytes' },
    { by => 'country', metrics => 'visits,cart_abandonment' },
    { by => 'goal', metrics => 'conversions,goal_value,revenue' },
);
my $all_campaigns = $queries[1];

# --- the same figures ------------------------------------------------------------------------------------------------

# A report as plain rows of text, null as undef, whichever form it came in.
sub rows_of_json ($answer) {
    my $report = JSON::PP->new->utf8->allow_bignum->decode($answer);
    my $text = sub ($cell) { defined $cell ? "$cell" : undef };
    return {
        columns => [map { $_->{name} } @{ $report->{columns} }],
        rows => [map { [map { $text->($_) } @$_] } @{ $report->{rows} }],
        (map { my $part = $_; $part => $report->{$part} && [map { $text->($_) } @{ $report->{$part} }] } qw(other totals)),
    };
}

sub rows_of_csv ($answer) {
    my ($header, @records) = parse_csv($answer);
    my %report = (columns => [@$header[0 .. $#$header - 1]], rows => []);
    for my $record (@records) {
        my $what = pop @$record;
        for (@$record) { s/^'(?=[=+\-@\t\r])// if defined }
        $what eq 'row' ? push @{ $report{rows} }, $record : ($report{$what} = $record);
    }
    $report{other} //= undef;
    return \%report;
}

sub rows_of_pb ($bytes) {
    my $report = decode_report($bytes);
    my $cells = sub ($row) { [map { $_->{text} ? $_->{text}[0] : $_->{number} ? $_->{number}[0] : undef } @{ $row->{cells} // [] }] };
    return {
        columns => [map { $_->{name}[0] } @{ $report->{columns} }],
        rows => [map { $cells->($_) } @{ $report->{rows} // [] }],
        other => $report->{other} ? $cells->($report->{other}[0]) : undef,
        totals => $cells->($report->{totals}[0]),
    };
}

# Numbers as numbers, for JSON's reader has forgotten how they were written; texts as the bytes of UTF-8.
sub compared ($report) {
    my $cell = sub ($value) {
        return !defined $value ? undef : $value =~ /^-?\d+(?:\.\d+)?$/ ? 0 + $value : utf8::is_utf8($value) ? encode_utf8($value) : $value;
    };
    return { map { my $part = $report->{$_}; $_ => $part && [map { ref ? [map { $cell->($_) } @$_] : $cell->($_) } @$part] } keys %$report };
}

subtest 'the same figures in every form, by HTTP and by command' => sub {
    for my $query (@queries) {
        my $name = join ' ', map { "$_=$query->{$_}" } sort keys %$query;
        my %body = map { $_ => $shop->ask(target({ %$query, format => $_ }))->body } qw(json csv pb);
        my $wanted = compared(rows_of_json($body{json}));
        cmp_ok(scalar @{ $wanted->{rows} }, '>', 0, "$name: there are rows") if $query->{by} && $query->{by} !~ /country|goal/;
        is_deeply(compared(rows_of_csv($body{csv})), $wanted, '  CSV');
        is_deeply(compared(rows_of_pb($body{pb})), $wanted, '  protobuf');
        my %told = map {
            my ($code, $out, $err) = $shop->footfall('query', '--config', $shop->path('footfall.toml'), '--site', 'shop', '--range', 'today', '--format', $_,
                map { ("--$_" => $query->{$_}) } sort keys %$query);
            is($code, 0, "  footfall query --format $_") or diag $err;
            $_ => $out
        } qw(json csv pb table);
        is($told{csv}, $body{csv}, '  the same CSV, byte by byte');
        is_deeply(compared(rows_of_json($told{json})), $wanted, '  the same JSON');
        is_deeply(compared(rows_of_pb($told{pb})), $wanted, '  the same protobuf');
        my @totals = grep { defined && length } @{ rows_of_csv($body{csv})->{totals} };
        my ($line) = $told{table} =~ /^\(total\)(.*)$/m;
        $line //= $told{table};
        ok(!(grep { my $figure = $_; $line !~ /(?<![\d.])\Q$figure\E(?![\d.])/ } @totals), '  the same totals on the terminal') || diag $told{table};
    }
};

subtest 'CSV' => sub {
    my $answer = $shop->ask(target({ %$all_campaigns, format => 'csv' }));
    my $csv = $answer->body;
    is($answer->header('Content-Type'), $type{csv}, 'its type');
    my ($header, @records) = parse_csv($csv);
    is(join(',', @$header), 'campaign,visits,visitors,bounce_rate,orders,revenue,aov,rpv,cr,row', 'a header, and what a line is as the last column');
    is($csv =~ tr/\n//, $csv =~ s/\r\n//gr =~ tr/\n// + @records + 1, 'every line ends with CRLF');
    unlike($csv, qr/^\xef\xbb\xbf/, 'no mark at its start');
    my %known = map { ($_->[0] // '(null)') => 1 } @records;
    ok($known{$_}, "the campaign $_") for 'plain', 'a,b', 'say "hi"', '"', "it's", 'x=1', "caf\xc3\xa9", '<b>&amp;</b>', '{"a":1}', '0012', 'null', 'row';
    ok($known{"'$_"}, "the formula $_ is text") for '=1+1', '+1', '-2+3', '@SUM(A1)', '=HYPERLINK("http://evil.example","x")';
    is(scalar(grep { defined $_->[0] && $_->[0] =~ /^[=+\-@\t\r]/ } @records), 0, 'nothing begins as a formula does');
    ok(utf8::decode(my $text = $csv), 'all of it is UTF-8');
    like($csv, qr/^"a,b",1,/m, 'a comma is quoted');
    like($csv, qr/^"say ""hi""",1,/m, 'a quote is doubled');
    like($shop->ask(target({ by => 'item', metrics => 'revenue', format => 'csv' }))->body, qr/^cup,120\.00,row\r$/m, 'money has its digits');
    my ($null) = grep { !defined $_->[0] && $_->[-1] eq 'row' } @records;
    ok($null, 'no campaign is an empty field');
};

subtest 'protobuf' => sub {
    my $answer = $shop->ask(target({ %$all_campaigns, format => 'pb' }));
    is($answer->header('Content-Type'), $type{pb}, 'its type');
    my $report = decode_report($answer->body);
    my %asked = map { $_->{name}[0] => $_->{json}[0] } @{ $report->{query} };
    is($asked{by}, '["campaign"]', 'it repeats the question');
    my ($revenue) = grep { $_->{name}[0] eq 'revenue' } @{ $report->{columns} };
    is_deeply($revenue, { name => ['revenue'], type => ['COLUMN_TYPE_MONEY'], currency => ['EUR'] }, 'a column says what its cells are');
    my $meta = $report->{meta}[0];
    is_deeply($meta->{unconverted}, [{ currency => ['CHF'], orders => ['1'], revenue => ['7.00'] }], 'money without a rate is listed apart');
    is($meta->{rows_total}[0], scalar @{ $report->{rows} }, 'rows there are');
};

# --- what HTTP asks for ----------------------------------------------------------------------------------------------

subtest 'Accept' => sub {
    my %form = (
        '' => 'json', '*/*' => 'json', 'text/csv' => 'csv', 'application/x-protobuf' => 'pb', 'application/protobuf' => 'pb',
        'TEXT/CSV' => 'csv', 'text/*' => 'csv', 'application/*' => 'json', 'text/csv;q=0.5, application/json;q=0.4' => 'csv',
        'text/csv;q=0.4, application/json;q=0.5' => 'json', 'text/csv;q=0, */*' => 'json', 'text/html, application/xhtml+xml, */*;q=0.8' => 'json',
        'text/html' => 'json', 'image/png' => 'json', ',,;q' => 'json', 'text/csv; charset=utf-8' => 'csv', 'application/x-protobuf, text/csv' => 'csv',
    );
    for my $accept (sort keys %form) {
        my $answer = $shop->ask(target({ metrics => 'visits' }), headers => [Accept => $accept]);
        is($answer->header('Content-Type'), $type{ $form{$accept} }, "Accept: $accept");
    }
    my $answer = $shop->ask(target({ metrics => 'visits', format => 'csv' }), headers => [Accept => 'application/x-protobuf']);
    is($answer->header('Content-Type'), $type{csv}, 'format= goes before it');
    is($shop->ask(target({ metrics => 'nothing', format => 'csv' }))->header('Content-Type'), $type{json}, 'a refusal is JSON');
    like($answer->header('Vary') // '', qr/Accept/, 'caches are told');
};

subtest 'ETag' => sub {
    my %tag;
    for my $form (qw(json csv pb)) {
        my $answer = $shop->ask(target({ metrics => 'visits', format => $form }));
        like($tag{$form} = $answer->header('ETag'), qr{^W/"[^"]+"$}, "$form has one");
        for my $known ($tag{$form}, $tag{$form} =~ s{^W/}{}r, '*', qq{"x", $tag{$form}}) {
            my $again = $shop->ask(target({ metrics => 'visits', format => $form }), headers => ['If-None-Match' => $known]);
            is($again->status . $again->body, '304', "  If-None-Match: $known: not again");
            is($again->header('ETag'), $tag{$form}, '  with its tag');
        }
        is($shop->ask(target({ metrics => 'visits', format => $form }), headers => ['If-None-Match' => '"another"'])->status, 200, '  another tag: again');
    }
    is(scalar(keys %{ { reverse %tag } }), 3, 'each form has its own');
    my $head = $shop->ask(target({ metrics => 'visits', format => 'json' }), method => 'HEAD', headers => ['If-None-Match' => $tag{json}]);
    is($head->status, 304, 'HEAD too');
    is($shop->ask(target({ metrics => 'hits' }), headers => ['If-None-Match' => $tag{json}])->status, 200, 'another question has another');
    is($shop->ask(target({ metrics => 'nothing' }), headers => ['If-None-Match' => '*'])->status, 400, 'a refusal has none');
    $shop->get('/', from => 200);
    $shop->settle;
    my $later = $shop->ask(target({ metrics => 'visits', format => 'json' }), headers => ['If-None-Match' => $tag{json}]);
    is($later->status, 200, 'what has changed is sent');
    isnt($later->header('ETag'), $tag{json}, 'with another tag');
};

subtest 'HEAD, and nothing else' => sub {
    for my $target (target({ metrics => 'visits' }), target({ metrics => 'visits', format => 'csv' }), target({ metrics => 'visits', format => 'pb' }),
        '/footfall/openapi.json', '/footfall/metrics') {
        my ($get, $head) = map { $shop->ask($target, method => $_) } qw(GET HEAD);
        is($head->status . $head->body, '200', "HEAD of $target: no body");
        is($head->header('Content-Type'), $get->header('Content-Type'), '  the same type');
        my $answer = $shop->ask($target, method => 'POST', body => '');
        is(join(' ', $answer->status, $answer->header('Allow') // ''), '405 GET, HEAD', '  POST: says what is allowed');
    }
};

# --- what machines read ----------------------------------------------------------------------------------------------

subtest 'openapi.json' => sub {
    my $answer = $shop->ask('/footfall/openapi.json');
    is($answer->header('Content-Type'), $type{json}, 'is JSON');
    my $api = $answer->json;
    like($api->{openapi}, qr/^3\./, 'and says of which version');
    my ($path) = grep { m{/v1/query$} } keys %{ $api->{paths} };
    my @parameters = map { $_->{'$ref'} ? $api->{components}{parameters}{ $_->{'$ref'} =~ m{([^/]+)$} ? $1 : '' } : $_ } @{ $api->{paths}{$path}{get}{parameters} };
    my $allowed = $shop->ask('/footfall/v1/query?nothing=1')->json->{error}{allowed};
    is_deeply([sort map { $_->{name} } grep { $_->{in} eq 'query' } @parameters], [sort @$allowed], 'names every parameter of a query, and no other');
    my $text = $answer->body;
    my $metrics = $shop->ask('/footfall/v1/query?metrics=none')->json->{error}{allowed};
    my $dimensions = $shop->ask('/footfall/v1/query?by=none')->json->{error}{allowed};
    is_deeply([grep { $text !~ /"\Q$_\E"/ } @$metrics, @$dimensions], [], 'and every metric and dimension');
    my @missing;
    my $look;
    $look = sub ($node) {
        ref $node eq 'HASH' or return ref $node eq 'ARRAY' ? map { $look->($_) } @$node : ();
        if (defined(my $to = $node->{'$ref'})) {
            my $at = $api;
            $at = ref $at eq 'HASH' ? $at->{$_} : undef for split m{/}, $to =~ s{^#/}{}r;
            push @missing, $to if !defined $at;
        }
        $look->($_) for values %$node;
    };
    $look->($api);
    is_deeply(\@missing, [], 'what it refers to is there');
    for my $answered (grep { !/\{/ } sort keys %{ $api->{paths} }) {
        next if $answered eq '/';
        my $at = $shop->ask("/footfall$answered");
        isnt($at->status, 404, "$answered is there");
    }
};

subtest 'metrics' => sub {
    my $answer = $shop->ask('/footfall/metrics');
    like($answer->header('Content-Type'), qr{^text/plain; version=0\.0\.4}, 'its type');
    my $text = $answer->body;
    like($text, qr/^$_\b/m, "$_ is there") for qw(footfall_hits_total footfall_hits_dropped_total footfall_hits_lost_total footfall_visits_total
        footfall_orders_total footfall_revenue_total footfall_lag_seconds footfall_ring_used_ratio footfall_bot_hits_total);
    like($text, qr/^footfall_orders_total\{site="shop"\} 3$/m, 'three orders');
    unlike($text, qr/evil|cup|plain/, 'no campaigns, no pages');
    my ($promtool) = grep { -x } map { "$_/promtool" } split /:/, $ENV{PATH};
  SKIP: {
        skip 'promtool is not there: scripts/deps test installs it (Debian package prometheus)', 1 unless $promtool;
        my $file = $shop->write('metrics.txt', $text);
        my $said = `$promtool check metrics < $file 2>&1`;
        is($? . $said, '0', 'promtool has nothing to say against it');
    }
};

# --- limits ----------------------------------------------------------------------------------------------------------

# A past that takes a tenth of a second and more to ask for: three days of pages by the hour.
my $past = $shop->write('past.log', scalar qx{@{[Footfall::Shop->root]}/scripts/shop-log 100000 5});
my ($code, $out, $err) = $shop->footfall('import', 'log', '--site', 'old', '--config', $shop->path('footfall.toml'), $past);
is($code, 0, 'a past to ask for') or diag $err;
my $heavy = '/footfall/v1/query?site=old&range=all&limit=1&by=hour,page';
my $plain = '/footfall/v1/query?site=shop&range=today&metrics=visits';

subtest 'two queries at once' => sub {
    my ($worker) = $shop->workers;
    kill STOP => $worker;    # all of them wait at its door when it goes on
    my @sockets = map { my $socket = connect_to($shop->port); $socket->syswrite(request_text(GET => $heavy)); $socket } 1 .. 8;
    kill CONT => $worker;
    my @answers = map { read_answer($_) } @sockets;
    my %count;
    $count{ $_->status }++ for @answers;
    is_deeply([sort keys %count], [200, 429], 'some are answered, some refused') || diag explain \%count;
    cmp_ok($count{200}, '>=', 2, 'two at least are answered');
    for my $refused (grep { $_->status == 429 } @answers) {
        is($refused->json->{error}{code}, 'too_many_queries', 'a refusal is JSON');
        is($refused->header('Retry-After'), 1, '  and says when to come back');
    }
    is($shop->ask($plain)->status, 200, 'then all is as before');
    is($shop->ask('/cup')->status, 200, 'and shoppers never noticed');
};

# The clock of a query goes on while its process is stopped: so five seconds pass in the midst of it.
subtest 'five seconds a query' => sub {
    my ($worker) = $shop->workers;
    my $is_running = sub {
        for my $stat (glob "/proc/$worker/task/*/stat") {
            next if $stat =~ m{/task/$worker/};
            open my $from, '<', $stat or next;
            return 1 if <$from> =~ /\) R /;
        }
        return 0;
    };
    my $answer;
    for my $attempt (1 .. 5) {
        my $socket = connect_to($shop->port);
        $socket->syswrite(request_text(GET => $heavy));
        my $given_up = time + 2;
        until ($is_running->() || time > $given_up) { }
        kill STOP => $worker;
        my $passed = time + 5.2;
        wait_until('five seconds have passed', sub { time > $passed });
        kill CONT => $worker;
        $answer = read_answer($socket);
        last if $answer->status != 200;    # else it had come to its end, or not yet begun
    }
    is($answer->status, 503, 'a query that takes longer is given up');
    like($answer->json->{error}{code}, qr/^(?:timeout|too_slow)$/, 'and says why');    # the event loop's word, or the query's own
    is($shop->ask($heavy)->status, 200, 'asked again it is answered');
};

close_shops();
