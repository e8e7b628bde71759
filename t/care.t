# Care of a store: it checks clean while it is in use, a copy of it by Debian's mdb_copy is one too, and compaction makes it
# smaller, wherever it is cut off.
use v5.36;
use lib 't/lib';
use File::Basename qw(basename);
use Footfall::Test;

my $toml = <<'END';
[site.shop]
hosts = ["shop.example"]
timezone = "Europe/Berlin"
[[site.shop.goal]]
name = "saw-the-cup"
path = "/cup"
END
my $server = 'location = /thanks { footfall_order id=$arg_order value=$arg_value currency=EUR; try_files /thanks.html =404; }
    location / { footfall_event seen if=$arg_seen; try_files $uri $uri.html $uri/index.html =404; }';

sub has_program ($name) { grep { -x "$_/$name" } split /:/, $ENV{PATH} }

sub open_a_shop () { open_shop(workers => 2, toml => $toml, server => $server) }

sub trade ($shop, $from) {
    $shop->get('/?utm_source=news&utm_medium=email&utm_campaign=spring', from => $from);
    $shop->get('/cup?seen=1', from => $from);
    $shop->get("/thanks?order=A-$from&value=19.90", from => $from);
    $shop->get('/gone', from => $from + 1, referrer => 'https://www.google.com/');
    $shop->get('/bowl', from => $from + 2);
}

my @asked = (
    { metrics => 'hits,visits,visitors,pageviews,events,orders,revenue' },
    { by => 'channel', metrics => 'visits,visitors,pageviews,orders,revenue,conversions' },
    { by => 'page', metrics => 'hits,pageviews,visits,entries,exits,bounces' },
    { by => 'exit_page', metrics => 'visits,pageviews' },
    { by => 'channel,page', metrics => 'pageviews' },
    { by => 'page', filter => 'channel:is:email', metrics => 'pageviews' },
);

# Every answer of the store in that folder.
sub answers ($shop, $store = $shop->store) {
    return [map {
        my %query = (range => 'all', %$_);
        my ($code, $out, $err) = $shop->footfall('query', '--store', $store, '--format', 'json', map { ("--$_", $query{$_}) } sort keys %query);
        $code eq '0' or diag $err;
        my $answer = JSON::PP->new->utf8->decode($out || '{}');
        [@$answer{qw(rows totals other)}];
    } @asked];
}

sub checks_clean ($shop, $name, $store = $shop->store) {
    local $Test::Builder::Level = $Test::Builder::Level + 1;
    my ($code, $out, $err) = $shop->footfall('check', '--store', $store);
    ok($code eq '0' && $out =~ /^summary: .* whole$/m, $name) or diag "exit code $code\n$out$err";
    return $out;
}

# What an administrator would do: mdb_copy for each environment, cp for the files beside, but for stages: what lies in them
# is in the rings a moment later.
sub copy_store ($shop, $name) {
    my $to = $shop->path($name);
    mkdir $to or die "$to: $!";
    for my $path (glob $shop->store . '/*') {
        my $copy = "$to/" . basename($path);
        next if -d $path && !-e "$path/data.mdb" && $path !~ /lane\.\d+$/;
        if (-f $path) { $shop->run('cp', '-p', $path, $copy) }
        else { mkdir $copy; copy_environments($shop, $path, $copy) }
    }
    return $to;
}

sub copy_environments ($shop, $from, $to) {
    if (-e "$from/data.mdb") {
        my ($code, $out, $err) = $shop->run('mdb_copy', $from, $to);
        is($code, 0, 'mdb_copy ' . basename($from)) or diag $err;
    }
    for my $path (grep { !m{\.mdb$|/stage$} } glob "$from/*") {
        my $copy = "$to/" . basename($path);
        if (-f $path) { $shop->run('cp', '-p', $path, $copy) }
        else { mkdir $copy; copy_environments($shop, $path, $copy) }
    }
}

subtest 'a copy of a store in use' => sub {
    plan skip_all => 'no mdb_copy' unless has_program('mdb_copy');
    my $shop = open_a_shop();
    trade($shop, 1);
    $shop->settle;
    $shop->stop_aggregator;
    $shop->start_aggregator;    # which folds what was counted
    $shop->settle;
    my $load = $shop->load;
    checks_clean($shop, 'the store checks clean under load');
    checks_clean($shop, 'a copy made under load checks clean', copy_store($shop, 'under-load'));
    $load->stop;
    $shop->settle;
    my $copy = copy_store($shop, 'copy');
    checks_clean($shop, 'a copy checks clean', $copy);
    is_deeply(answers($shop, $copy), answers($shop), 'it answers as the store does');
};

sub generations ($shop) { join ' ', map { basename($_) } grep { -d } glob $shop->store . '/summary.*' }
sub compact ($shop) { $shop->footfall('compact', '--store', $shop->store) }

subtest 'compaction' => sub {
    my $shop = open_a_shop();
    trade($shop, 1);
    $shop->settle;
    my $daemon = $shop->pid('aggregator');
    my ($code, $out, $err) = compact($shop);
    is($code, 1, 'not beside a daemon');
    like($err, qr/^footfall compact: .*writer is held by process $daemon$/m, '  which it names');
    my $answer = sub { [@{ $shop->query(range => 'all', by => 'channel', metrics => 'visits,orders,revenue') }{qw(rows totals)}] };
    my $before = $answer->();    # nginx has the old one open now
    $shop->stop_aggregator;
    my $answers = answers($shop);
    my ($bytes) = -s $shop->store . '/summary.0/data.mdb';

    ($code, $out, $err) = compact($shop);
    is($code, 0, 'without one it does') or diag $err;
    like($out, qr/^summary: $bytes bytes before, \d+ after$/, 'it says how much');
    cmp_ok(-s $shop->store . '/summary.1/data.mdb', '<', $bytes, 'the summary is smaller');
    is(generations($shop), 'summary.1', 'the one before is gone');
    is_deeply(answers($shop), $answers, 'it answers as before');
    is_deeply($answer->(), $before, 'so does nginx');
    checks_clean($shop, 'it checks clean');

    $shop->start_aggregator;
    trade($shop, 11);
    $shop->settle;
    is_totals($shop, { hits => 10, orders => 2 }, 'counting goes on');
    is($shop->query(range => 'all', metrics => 'orders')->{totals}[0], 2, 'nginx follows');
    checks_clean($shop, 'and it checks clean');
};

# Killed at the n-th call of each kind that a compaction makes.
subtest 'cut off' => sub {
    plan skip_all => 'no strace' unless has_program('strace');
    my $shop = open_a_shop();
    trade($shop, 1);
    $shop->settle;
    $shop->stop_aggregator;
    my $answers = answers($shop);
    my $cut_off_at = sub ($call, $time) {
        return $shop->run('strace', '-f', '-qq', '-o', $shop->path('strace.out'), '-e', "trace=$call",
            '-e', "inject=$call:signal=SIGKILL:when=$time", $shop->build . '/footfall', 'compact', '--store', $shop->store);
    };
    for my $at (qw(mkdir:1 chmod:2 write:1 write:2 fsync:1 fsync:2 fsync:3 rename:1 fsync:4 unlink:2 unlink:3 rmdir:1)) {
        my ($call, $time) = split /:/, $at;
        my ($code, $out, $err) = $cut_off_at->($call, $time);
        is($code, 'signal 9', "killed at $call $time") or diag "$out$err";
        is_deeply(answers($shop), $answers, '  it answers as before');
        checks_clean($shop, '  and checks clean');
    }
    my ($code, $out, $err) = compact($shop);
    is($code, 0, 'the next one ends well') or diag $err;
    my $current = $shop->read('store/current') + 0;
    is(generations($shop), "summary.$current", 'and cleans up');

    $cut_off_at->(fsync => 1);
    isnt(generations($shop), "summary.$current", 'what was begun lies there');
    $shop->start_aggregator;
    trade($shop, 11);
    $shop->settle;
    is_totals($shop, { hits => 10, orders => 2 }, 'an aggregator counts on');
    is(generations($shop), "summary.$current", 'and cleans up as well');
};

# The first entry of a database becomes what nobody can read.
sub spoil ($shop, $database) {
    my $summary = $shop->store . '/summary.0';
    my ($code, $dump, $err) = $shop->run('mdb_dump', '-s', $database, $summary);
    $dump =~ s/\A(.*?^HEADER=END\n \w+\n) \w+\n.*/$1 ff\nDATA=END\n/ms or die "no dump: " . substr($dump, 0, 600) . $err;
    ($code, my $out, $err) = $shop->run('mdb_load', '-s', $database, '-f', $shop->write('spoilt', $dump), $summary);
    is($code, 0, "one of $database is spoilt") or diag "$out$err";
}

subtest 'repair' => sub {
    plan skip_all => 'no mdb_load' unless has_program('mdb_load');
    my $shop = open_a_shop();
    trade($shop, 1);
    $shop->settle;
    my $daemon = $shop->pid('aggregator');
    my $repair = sub { $shop->footfall('check', '--repair', '--store', $shop->store) };
    my ($code, $out, $err) = $repair->();
    is($code, 1, 'not beside a daemon');
    like($err, qr/^footfall check: .*writer is held by process $daemon$/m, '  which it names');
    $shop->stop_aggregator;
    ($code, $out, $err) = $shop->footfall('aggregate', '--once', '--config', $shop->path('footfall.toml'));    # begins with a fold
    is($code, 0, 'all is folded') or diag "$out$err";

    ($code, $out, $err) = $repair->();
    is($code, 0, 'a whole store') or diag "$out$err";
    like($out, qr/^repair:\n  nothing to do$/m, '  is left as it is');
    my $answers = answers($shop);
    spoil($shop, 'rollups');
    ($code, $out, $err) = $shop->footfall('check', '--store', $shop->store);
    is($code, 1, 'a spoilt one');
    like($out, qr/^  site shop, total, minute \S+: row .* cannot be read$/m, '  is found');
    like($out, qr/^  site shop, total, hour \S+: hits: 5, its minutes 0$/m, '  and what it leads to');
    ($code, $out, $err) = $repair->();
    is($code, 0, 'and repaired') or diag "$out$err";
    like($out, qr/^  rollups: 1 entries that cannot be read are set aside$/m, '  what cannot be read is set aside');
    like($out, qr/^  site shop, total, minute \S+: counted anew from its devices$/m, '  what can be told again is');
    my ($aside) = glob $shop->store . '/set-aside.*';
    like($shop->read($aside), qr/^rollups \w+ ff$/m, '  the file has it');
    is_deeply(answers($shop), $answers, 'it answers as before');
    checks_clean($shop, 'it checks clean');

    $shop->start_aggregator;
    trade($shop, 11);
    $shop->settle;
    is_totals($shop, { hits => 10, orders => 2 }, 'counting goes on');
};

subtest 'visits that are lost' => sub {
    plan skip_all => 'no mdb_load' unless has_program('mdb_load');
    my $shop = make_shop(toml => $toml);
    my $line = sub ($time, $visitor, $path) {
        qq{192.0.2.$visitor - - [$time +0000] "GET $path HTTP/1.1" 200 99 "-" "Mozilla/5.0 (X11; Linux x86_64; rv:128.0) Gecko/20100101 Firefox/128.0"\n};
    };
    my $log = $shop->write('access.log', join '', $line->('01/Jan/2026:09:00:00', 1, '/'), $line->('01/Jan/2026:10:00:00', 2, '/cup'),
        $line->('02/Jan/2026:09:00:00', 3, '/'), $line->('02/Jan/2026:09:01:00', 3, '/cup'), $line->('03/Jan/2026:09:01:00', 4, '/'));
    my ($code, $out, $err) = $shop->footfall('import', 'log', '--config', $shop->path('footfall.toml'), '--site', 'shop', $log);
    is($code, 0, 'three days') or diag $err;
    my $ask = sub ($by, $day) { $shop->query_by_command(from => $day, to => $day, by => $by, metrics => 'pageviews') };
    my $rows = $ask->('channel', '2026-01-01')->{rows};

    spoil($shop, 'visits');
    ($code, $out) = $shop->footfall('check', '--store', $shop->store);
    is($code, 1, 'a day of visits that cannot be read');
    like($out, qr/^  site shop, kept visits, day 2026-01-01: broken block 0$/m, '  is found');
    ($code, $out, $err) = $shop->footfall('check', '--repair', '--store', $shop->store);
    is($code, 0, '  and repaired') or diag "$out$err";
    like($out, qr/^  visits: 1 entries that cannot be read are set aside$/m, '  by setting it aside');
    like($out, qr/^  1 days whose kept visits or remembered orders are not whole are noted as such$/m, '  and noting the day');
    checks_clean($shop, 'it checks clean');

    is_deeply($ask->('channel', '2026-01-01')->{rows}, $rows, 'by channel all is there');
    is_deeply($ask->('channel', '2026-01-01')->{meta}{warnings}, [], '  without a warning');
    my $warning = 'some of the visits of 2026-01-01 were lost: what kept visits tell of it is too little';
    is_deeply($ask->('channel,page', '2026-01-01')->{meta}{warnings}, [$warning], 'by channel and page a warning says what is missing');
    is_deeply($ask->('channel,page', '2026-01-02')->{meta}{warnings}, [], '  but not for another day');
};

close_shops();
