# The ledger: who was a bot, and why. The same visitors live and in an imported log, asked by the API, by the command and in
# each form; what a hostile agent says is in none of them.
use v5.36;
use lib 't/lib';
use Footfall::Csv qw(parse_csv);
use Footfall::Protoc qw(decode_report);
use Footfall::Test;

my $browser = 'Mozilla/5.0 (X11; Linux x86_64; rv:128.0) Gecko/20100101 Firefox/128.0';
my $hostile = qq{=1+1"'<script>alert(1)</script>,| Googlebot/2.1};
my $log_format = '$remote_addr [$time_local] "$request" $status "$http_referer" "$http_user_agent" "$footfall_bot"';

# [visitor, path, what else the request says]
my @crawlers = (
    [1, '/', agent => 'Mozilla/5.0 (compatible; Googlebot/2.1; +http://www.google.com/bot.html)'],
    [1, '/robots.txt', agent => 'Mozilla/5.0 (compatible; Googlebot/2.1; +http://www.google.com/bot.html)'],
    [2, '/', agent => 'Mozilla/5.0 AppleWebKit/537.36 (KHTML, like Gecko; compatible; GPTBot/1.2; +https://openai.com/gptbot)'],
    [3, '/', agent => 'Mozilla/5.0 (compatible; OAI-SearchBot/1.0; +https://openai.com/searchbot)'],
    [4, '/', agent => 'Mozilla/5.0 (compatible; ChatGPT-User/1.0; +https://openai.com/bot)'],
    [5, '/', agent => 'Mozilla/5.0 (compatible; AhrefsBot/7.0; +http://ahrefs.com/robot/)'],
    [6, '/', agent => 'facebookexternalhit/1.1 (+http://www.facebook.com/externalhit_uatext.php)'],
    [7, '/', agent => 'Mozilla/5.0+(compatible; UptimeRobot/2.0; http://www.uptimerobot.com/)'],
    [8, '/', agent => 'curl/7.88.1'],
    [9, '/', agent => 'Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) HeadlessChrome/120.0.0.0 Safari/537.36'],
    [10, '/', agent => undef],
    [11, '/cup', bot => 1],
    [12, '/', agent => $hostile],
);
my @behaviour = (
    [20, '/cup'], [20, '/robots.txt'], [20, '/bowl'],                                      # one view as a person
    [21, '/', referrer => 'https://forum.semalt.com/x?y=z'], [21, '/cup'],
    [22, '/', referrer => 'https://www.google.com/'], [22, '/cup'],                        # a person
    [23, '/', referrer => 'https://notsemalt.com/'],                                       # a person
    map { [24, '/cup'] } 1 .. 302,
);
my @hits = (@crawlers, @behaviour);

my %expected = (
    'search_crawler Googlebot' => 3, 'ai_crawler GPTBot' => 1, 'ai_search OAI-SearchBot' => 1, 'ai_assistant ChatGPT-User' => 1,
    'seo_crawler AhrefsBot' => 1, 'social_preview facebookexternalhit' => 1, 'monitoring UptimeRobot' => 1, 'http_client curl' => 1,
    'headless_browser HeadlessChrome' => 1, 'no_user_agent no user agent' => 1, 'own_flag own flag' => 1,
    'behaviour robots.txt' => 2, 'behaviour referrer spam' => 2, 'behaviour too many pages' => 2,
    '- -' => 1 + 2 + 1 + 300,
);

my $shop = open_shop(
    toml => qq([site.shop]\nhosts = ["shop.example"]\n),
    server => 'footfall_bot $http_x_bot; location / { try_files $uri $uri.html $uri/index.html =404; }',
);
for (@hits) {
    my ($visitor, $path, %o) = @$_;
    $shop->get($path, from => $visitor, exists $o{agent} ? (agent => $o{agent}) : (), referrer => $o{referrer}, headers => $o{bot} ? ['X-Bot' => 1] : []);
}
$shop->settle;

# A line a second, in Apache's way of escaping.
sub log_line ($place, $visitor, $path, %o) {
    my $agent = exists $o{agent} ? $o{agent} // '-' : $browser;
    $agent =~ s/"/\\"/g;
    return sprintf qq{192.0.2.%d [01/Jan/2026:09:%02d:%02d +0000] "GET %s HTTP/1.1" %d "%s" "%s" "%s"\n}, $visitor, int($place / 100), int($place % 100 / 2),
        $path, 200, $o{referrer} // '-', $agent, $o{bot} ? 1 : '-';
}

sub imported (@hits) {
    my $place = 0;
    return join '', map { log_line($place++, @$_) } @hits;
}

# Rows as 'class reason' => hits.
sub rows_of ($answer) { return { map { join(' ', map { $_ // '-' } @$_[0, 1]) => $_->[2] } @{ $answer->{rows} } } }

sub ledger ($shop, $arguments = '') { $shop->ask("/footfall/v1/ledger?$arguments")->json }

sub ledger_by_command ($shop, @more) {
    my ($code, $out, $err) = $shop->footfall('query', 'ledger', '--config', $shop->path('footfall.toml'), @more);
    is($code, 0, "footfall query ledger @more") or diag $err;
    return $out;
}

sub is_whole ($answer, $name) {
    my $sum = 0;
    $sum += $_->[2] for @{ $answer->{rows} };
    is($sum + $answer->{other}[2], $answer->{totals}[2], "$name: rows and other are the totals");
}

subtest 'live' => sub {
    my $answer = ledger($shop);
    is_deeply(rows_of($answer), \%expected, 'each class and reason') or diag json_text(rows_of($answer));
    is(join(' ', map { $_->{name} } @{ $answer->{columns} }), 'class reason hits share', 'its columns');
    is_whole($answer, 'the answer');
    is($answer->{totals}[2], scalar @hits, 'bots and people are all hits');
    my ($people) = grep { !defined $_->[0] } @{ $answer->{rows} };
    cmp_ok(abs($people->[3] - $people->[2] / @hits), '<', 1e-6, 'a share of all hits');
    is_totals($shop, { hits => scalar @hits, bot_hits => @hits - 304, visits => 4, pageviews => 304 }, 'and bots are in no visit');
    my ($by_class) = $shop->query(by => 'bot_class', metrics => 'hits');
    my %by_class;
    $by_class{ $_->[0] // '-' } += $_->[2] for @{ $answer->{rows} };
    is_deeply({ map { $_->[0] // '-' => $_->[1] } @{ $by_class->{rows} } }, \%by_class, 'by class it is what the query says');
};

subtest 'for Prometheus' => sub {
    my $text = $shop->ask('/footfall/metrics')->body;
    my %by_class;
    $by_class{ (split / /)[0] } += $expected{$_} for grep { !/^-/ } keys %expected;
    is_deeply({ $text =~ /^footfall_bot_hits_total\{site="shop",class="(\w+)"\} (\d+)$/mg }, \%by_class, 'bots by class');
};

subtest 'imported' => sub {
    my $other = make_shop(toml => qq([site.shop]\nhosts = ["shop.example"]\n));
    my @command = ('import', 'log', '--format', $log_format, '--config', $other->path('footfall.toml'), '--site', 'shop');
    my ($code, undef, $err) = $other->footfall(@command, $other->write('morning.log', imported(@crawlers)));
    is($code, 0, 'a log') or diag $err;
    ($code, undef, $err) = $other->footfall(@command, $other->write('noon.log', imported(@behaviour)));
    is($code, 0, 'and another') or diag $err;
    my $answer = JSON::PP->new->utf8->decode(ledger_by_command($other, '--range', 'all', '--format', 'json'));
    is_deeply(rows_of($answer), \%expected, 'each class and reason') or diag json_text(rows_of($answer));
    ($code, undef, $err) = $other->footfall('import', '--undo', 2, '--config', $other->path('footfall.toml'));
    is($code, 0, 'the second is undone') or diag $err;
    $answer = JSON::PP->new->utf8->decode(ledger_by_command($other, '--range', 'all', '--format', 'json'));
    my %left = map { $_ => $expected{$_} } grep { !/^(?:behaviour|-)/ } keys %expected;
    is_deeply(rows_of($answer), \%left, 'its rows are gone') or diag json_text(rows_of($answer));
    is_whole($answer, 'what is left');
    ($code, undef, $err) = $other->footfall('check', '--config', $other->path('footfall.toml'));
    is($code, 0, 'the store is whole') or diag $err;
};

subtest 'pages, order, time' => sub {
    my $first = ledger($shop, 'limit=2');
    is_whole($first, 'a page');
    my $next = ledger($shop, "limit=2&cursor=$first->{meta}{next_cursor}");
    is_deeply($next->{rows}, [@{ ledger($shop)->{rows} }[2, 3]], 'the next one');
    is(ledger($shop, 'order=class&limit=1')->{rows}[0][0], 'ai_assistant', 'by class');
    is_deeply(ledger($shop, 'from=2020-01-01&to=2020-01-02')->{rows}, [], 'nothing then');
    for (['by=page', 'by'], ['metrics=hits', 'metrics'], ['order=share', 'order'], ['range=never', 'range'], ['format=xml', 'format'],
        ['cursor=2.0', 'cursor'], ['site=none', 'site']) {
        my $answer = $shop->ask("/footfall/v1/ledger?$_->[0]");
        is(join(' ', $answer->status, $answer->json->{error}{param}), "400 $_->[1]", "refused: $_->[0]");
    }
    my ($code, undef, $err) = $shop->footfall('query', 'ledger', '--config', $shop->path('footfall.toml'), '--by', 'page');
    is($code, 2, 'so by the command');
    like($err, qr/"by"/, '  which says what');
};

subtest 'forms' => sub {
    my $json = ledger($shop);
    my $answer = $shop->ask('/footfall/v1/ledger?format=csv');
    like($answer->header('Content-Type'), qr{^text/csv}, 'csv');
    my ($header, @records) = parse_csv($answer->body);
    is_deeply($header, [qw(class reason hits share row)], '  its columns');
    my @rows = grep { $_->[-1] eq 'row' } @records;
    is_deeply([map { [@$_[0 .. 2]] } @rows], [map { [@$_[0 .. 2]] } @{ $json->{rows} }], '  the same figures');
    is($shop->ask('/footfall/v1/ledger', headers => [Accept => 'text/csv'])->body, $answer->body, '  also by Accept');
    is(ledger_by_command($shop, '--format', 'csv'), $answer->body, '  also by the command');
    my $report = decode_report($shop->ask('/footfall/v1/ledger?format=pb')->body);
    is(scalar @{ $report->{rows} }, scalar @rows, 'protobuf has as many rows');
    my $table = ledger_by_command($shop);
    like($table, qr/^search_crawler\s+Googlebot\s+3\s+0\.00/m, 'a table');
    like($table, qr/^\(total\)\s+@{[scalar @hits]}\s+1$/m, '  with its total');
    my $get = $shop->ask('/footfall/v1/ledger');
    my $again = $shop->ask('/footfall/v1/ledger', headers => ['If-None-Match' => $get->header('ETag')]);
    is($again->status, 304, 'an answer that is known');
    isnt($shop->ask('/footfall/v1/query?by=bot_class&metrics=hits')->header('ETag'), $get->header('ETag'), '  and no query\'s');
    unlike($answer->body . $table . $get->body . $shop->ask('/footfall/')->body, qr/script>alert|=1\+1/, 'no form shows what a hostile agent said');
    my $api = $shop->ask('/footfall/openapi.json')->json;
    is_deeply([sort map { $_->{name} } grep { ($_->{in} // '') eq 'query' } @{ $api->{paths}{'/v1/ledger'}{get}{parameters} }],
        [sort @{ $shop->ask('/footfall/v1/ledger?nothing=1')->json->{error}{allowed} }], 'openapi.json names what can be asked');
};

close_shops();
