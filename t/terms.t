# What was searched for at an engine is the touch's term where the link says none: live, and in an imported log.
use v5.36;
use lib 't/lib';
use Footfall::Test;

my $browser = 'Mozilla/5.0 (X11; Linux x86_64; rv:128.0) Gecko/20100101 Firefox/128.0';
my $toml = qq([site.shop]\nhosts = ["shop.example"]\n);
my @arrivals = (    # [path, referrer]
    ['/cup', 'https://www.bing.com/search?q=red+cups&form=X'],
    ['/cup', 'https://www.google.de/search?q=caf%C3%A9'],
    ['/cup?utm_source=google&utm_medium=cpc&utm_term=paid', 'https://www.google.de/search?q=typed'],
    ['/cup', 'https://mail.google.com/mail/?q=private'],
    ['/cup', 'https://blog.example/?q=private'],
    ['/cup', 'https://shop.example/?q=private'],
    ['/cup', 'https://duckduckgo.com/?q=%3Cb%3E%00%22=1'],
    ['/cup', 'android-app://com.google.android.gm/'],
);
my %terms = ("red cups" => 1, "caf\x{e9}" => 1, paid => 1, "<b>\x{fffd}\"=1" => 1, '(none)' => 4);
my %channels = (organic_search => 3, paid_search => 1, email => 2, referral => 1, direct => 1);
my %hosts = ('bing.com' => 1, 'google.de' => 2, 'mail.google.com' => 1, 'blog.example' => 1, 'duckduckgo.com' => 1,
    'com.google.android.gm' => 1, '(none)' => 1);

sub by ($answer) { return { map { ($_->[0] // '(none)') => $_->[1] } @{ $answer->{rows} } } }

subtest 'live' => sub {
    my $shop = open_shop(toml => $toml);
    my $visitor = 1;
    $shop->get($_->[0], from => $visitor++, referrer => $_->[1]) for @arrivals;
    $shop->settle;
    is_deeply(by($shop->query(by => 'term', metrics => 'visits')), \%terms, 'visits by term');
    is_deeply(by($shop->query(by => 'channel', metrics => 'visits')), \%channels, 'by channel');
    is_deeply(by($shop->query(by => 'referrer_host', metrics => 'visits')), \%hosts, 'by host, apps too');
    unlike($shop->ask('/footfall/v1/query?by=referrer&metrics=visits')->body, qr/private|typed/, 'no other query of a referrer is kept');
};

subtest 'imported' => sub {
    my $shop = make_shop(toml => $toml);
    my $visitor = 1;
    my $log = join '', map { sprintf qq{192.0.2.%d - - [01/Jan/2026:09:00:%02d +0000] "GET %s HTTP/1.1" 200 512 "%s" "%s"\n},
        $visitor, $visitor++, $_->[0], $_->[1] =~ s/"/\\"/gr, $browser } @arrivals;
    my ($code, undef, $err) = $shop->footfall('import', 'log', '--site', 'shop', '--config', $shop->path('footfall.toml'), $shop->write('access.log', $log));
    is($code, 0, 'the same as a log') or diag $err;
    is_deeply(by($shop->query_by_command(by => 'term', metrics => 'visits', range => 'all')), \%terms, 'visits by term');
    is_deeply(by($shop->query_by_command(by => 'channel', metrics => 'visits', range => 'all')), \%channels, 'by channel');
    is_deeply(by($shop->query_by_command(by => 'referrer_host', metrics => 'visits', range => 'all')), \%hosts, 'by host, apps too');
};

close_shops();
