# Who is one visitor, what a privacy signal changes, and that nothing that names a person is kept.
use v5.36;
use lib 't/lib';
use Footfall::Client;
use Footfall::Test;

my $shop = open_shop(
    http => 'set_real_ip_from 127.0.0.0/8; real_ip_header X-Real-IP; footfall_visitor $cookie_id;',
    server => <<'END');
        location / { try_files $uri $uri.html =404; }
        location = /anonymous { footfall_site anonymous; footfall_visitor anonymous; try_files /cup.html =404; }
        location = /cookie    { footfall_site cookie; try_files /cup.html =404; }
        location = /userid {
            footfall_site userid;
            userid on;
            userid_name seen;
            footfall_visitor $uid_got$uid_set;
            try_files /cup.html =404;
        }
        location = /signals { footfall_site signals; try_files /cup.html =404; }
        location = /strict  { footfall_site strict; footfall_signals gpc=drop dnt=anonymous; try_files /cup.html =404; }
        location = /lax     { footfall_site lax; footfall_signals gpc=ignore; try_files /cup.html =404; }
END

my $firefox = 'Mozilla/5.0 (X11; Linux x86_64; rv:132.0) Gecko/20100101 Firefox/132.0';
sub with_id ($id, @more) { (headers => [Cookie => "other=1; id=$id", @more]) }

subtest 'anonymous: by address and browser' => sub {
    $shop->get('/anonymous', from => 1) for 1 .. 3;
    $shop->get('/anonymous', from => 2);
    $shop->get('/anonymous', from => 1, agent => $firefox);
    is_totals($shop, { visitors => 3, visits => 3, pageviews => 5 }, undef, site => 'anonymous');
    $shop->get('/anonymous', from => $_, with_id('anna')) for 1, 2;
    is_totals($shop, { visitors => 3, visits => 3, pageviews => 7 }, 'an id makes no difference there', site => 'anonymous');
    $shop->get('/anonymous', headers => ['X-Real-IP' => $_]) for '203.0.113.5', '203.0.113.5', '::ffff:203.0.113.5', '2001:db8::5', '2001:db8::6';
    is_totals($shop, { visitors => 6, visits => 6, pageviews => 12 }, 'the address is that behind a proxy; IPv4 in IPv6 is IPv4',
        site => 'anonymous');
};

subtest 'by the id of a cookie' => sub {
    $shop->get('/cookie', from => 1, with_id('anna'));
    $shop->get('/cookie', from => 2, with_id('anna'), agent => $firefox);
    $shop->get('/cookie', from => 1, with_id('berta'));
    $shop->get('/cookie', from => 3);
    $shop->get('/cookie', from => 3, with_id(''));
    is_totals($shop, { visitors => 3, visits => 3, pageviews => 5 }, 'an empty id is anonymous', site => 'cookie');
};

subtest 'by the id of nginx itself' => sub {
    my ($cookie) = $shop->get('/userid', from => 1)->header('Set-Cookie') =~ /^(seen=[^;]+)/;
    $shop->get('/userid', from => $_, headers => [Cookie => $cookie]) for 1, 2;
    is_totals($shop, { visitors => 1, visits => 1, pageviews => 3 }, 'the answer that hands it out counts too', site => 'userid');
};

subtest 'privacy signals' => sub {
    my @gpc = ('Sec-GPC' => '1');
    my @dnt = (DNT => '1');
    $shop->get('/signals', from => $_, with_id('anna', @gpc)) for 1, 2;
    is_totals($shop, { visitors => 2, pageviews => 2 }, 'GPC: anonymous, unless told otherwise', site => 'signals');
    $shop->get('/signals', from => $_, with_id('berta', @dnt)) for 3, 4;
    is_totals($shop, { visitors => 3, pageviews => 4 }, 'DNT: ignored, unless told otherwise', site => 'signals');
    $shop->get('/signals', from => $_, with_id('clara', 'Sec-GPC' => '0')) for 5, 6;
    is_totals($shop, { visitors => 4, pageviews => 6 }, 'a 0 is no signal', site => 'signals');

    $shop->get('/strict', from => $_, with_id('anna', @dnt)) for 1, 2;
    is($shop->get('/strict', from => 3, with_id('anna', @gpc))->status, 200, 'who is dropped is served');
    is($shop->get('/strict', from => 3, with_id('anna', @gpc, @dnt))->status, 200, 'the stricter answer wins');
    is_totals($shop, { hits => 2, visitors => 2, pageviews => 2 }, 'dropped: not counted', site => 'strict');
    is($shop->health->{capture}{lanes}[0]{dropped}{signal}, 2, 'but as dropped');

    $shop->get('/lax', from => $_, with_id('anna', @gpc)) for 1, 2;
    is_totals($shop, { visitors => 1, pageviews => 2 }, 'ignored', site => 'lax');
};

subtest 'nothing that names a person is kept' => sub {
    my $agent = Footfall::Client::BROWSER . ' MarkedAgent/7.7';
    my @person = (agent => $agent, headers => [Cookie => 'id=marked-id-4711', 'X-Real-IP' => '203.0.113.77']);
    $shop->get('/cup?email=marked@person.example&utm_source=mail', @person, referrer => 'https://blog.example/?marked-query=1') for 1 .. 3;
    $shop->get('/cup', agent => $agent, headers => ['X-Real-IP' => '2001:db8:1234:5678::77']);
    is_totals($shop, { visitors => 2, pageviews => 4 }, undef, site => 'shop');

    my %marks = (
        'the address' => pack('C4', 203, 0, 113, 77), 'the address as text' => '203.0.113.77',
        'the IPv6 address' => pack('H32', '20010db8123456780000000000000077'), 'the IPv6 address as text' => '2001:db8:1234:5678::77',
        'the id' => 'marked-id-4711', 'an argument' => 'marked@person.example', 'the query of the referrer' => 'marked-query',
    );
    my ($stage) = glob $shop->store . '/lane.0/stage';
    my @kept = grep { -f } glob $shop->store . '/{lane.*/{state,ring.*/data.mdb,lock},summary.*/data.mdb,current,writer}';
    cmp_ok(scalar(grep { /data\.mdb/ } @kept), '>=', 2, 'a ring and the summary are there');
    my %content = map { $_ => $shop->read($_) } @kept;
    like(join('', @content{ grep { /summary/ } @kept }), qr/blog\.example/, 'the summary knows the referrer');
    like(join('', @content{ grep { /ring/ } @kept }), qr/MarkedAgent/, 'the ring has the agent, for the bots');
    wait_until('the stage is wiped', sub {
        my $staged = $shop->read($stage);
        return !grep { index($staged, $_) >= 0 } values %marks, 'MarkedAgent';
    });
    pass('the stage is wiped of all of it');
    for my $mark (sort keys %marks) {
        my @found = grep { index($content{$_}, $marks{$mark}) >= 0 } @kept;
        is("@found", '', "$mark is in no file");
    }
    is(join(' ', grep { /summary/ && index($content{$_}, 'MarkedAgent') >= 0 } @kept), '', 'the agent is not in the summary');
};
close_shops();
