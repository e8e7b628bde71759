# What becomes of orders: refunds and cancellations, codes and coupons, customers, and tables of the back office.
use v5.36;
use lib 't/lib';
use Footfall::Test;
use Footfall::Upstream;

my $shop = make_shop(
    workers => 1,  # what follows within a millisecond stays in its order
    toml => <<'END',
[site.shop]
hosts = ["shop.example"]
codes = "/go/"

[[site.shop.code]]
code = "SPRING24"
channel = "direct_mail"
campaign = "spring-mailing"
landing = ["/s24"]
coupon = ["MAIL24"]
target = "/"

[rates]
USD = 0.5
END
    http => '        proxy_set_header Host $host;',
    server => <<'END');
        footfall_site shop;
        footfall_visitor $cookie_id;
        location / { try_files $uri $uri.html $uri/index.html =404; }
        location /go/ { footfall_codes /go/; }
        location = /s24 { try_files /cup.html =404; }
        location = /thanks {
            footfall_order id=$arg_order value=$arg_total currency=$arg_currency items=$arg_items coupon=$arg_coupon customer=$arg_customer;
            try_files /thanks.html =404;
        }
        location /office/ { proxy_pass http://{app}; }
END
my $office = Footfall::Upstream->start($shop->address('app'),
    '/office/part' => ['Footfall-Event: refund;id="A-1";value=20.50'],
    '/office/item' => ['Footfall-Event: refund;id="A-2";items="cup:1:0"'],
    '/office/gone' => ['Footfall-Event: order_cancelled;id="A-3"'],
    '/office/more' => ['Footfall-Event: order_changed;id="A-4";value=12'],
    '/office/soon' => ['Footfall-Event: refund;id="A-5"'],
    '/office/bad'  => ['Footfall-Event: refund;id="A-1";value="=1+2"', 'Footfall-Event: refund'],
);
$shop->start_nginx;
$shop->start_aggregator;

# The workers know the codes once they have read what the aggregator stored.
wait_until('codes are known', sub { !grep { ($_ ? $_->status : 0) != 302 } $shop->burst(map { ['HEAD', '/go/SPRING24', from => 200] } 1 .. 20) });
my $id = sub ($name) { (headers => [Cookie => "id=$name"]) };
my @by_channel = (by => 'channel', metrics => 'orders,revenue,refunds,revenue_net');

subtest 'refunds of a live shop' => sub {
    $shop->get('/?utm_source=news&utm_medium=email', $id->('anna'));
    $shop->get('/thanks?order=A-1&total=50', $id->('anna'));
    $shop->get('/thanks?order=A-2&total=34&items=cup:2:5+bowl:1:20', $id->('anna'));
    $shop->get('/thanks?order=A-3&total=10&currency=USD', $id->('anna'));
    $shop->get('/thanks?order=A-4&total=10', $id->('anna'));
    $shop->settle;
    $shop->get("/office/$_", $id->('clerk')) for qw(part item gone more soon bad);
    is_figures($shop, { @by_channel }, { email => [4, 101, 30.5, 70.5] }, 'credited as the order was');
    $shop->get('/thanks?order=A-5&total=7', $id->('anna'));
    is_figures($shop, { @by_channel }, { email => [5, 108, 37.5, 70.5] }, 'one waits for its order');
    is_totals($shop, { rejected_orders => 2, refunds => 37.5, orders => 5 });
    is_totals($shop, { refunds => 5 }, 'by item', filter => 'item:is:cup');
};

subtest 'codes' => sub {
    my $answer = $shop->get('/go/spring24?qr', $id->('ben'));
    is($answer->status, 302, 'sent on');
    $shop->get('/', $id->('ben'));
    $shop->get('/thanks?order=C-1&total=10', $id->('ben'));
    $shop->get('/s24', $id->('cleo'));
    $shop->get('/?utm_source=google&utm_medium=cpc', $id->('dora'));
    $shop->get('/thanks?order=C-2&total=10&coupon=mail24', $id->('dora'));
    is_figures($shop, { by => 'code', metrics => 'orders,revenue', filter => 'channel:is:direct_mail' }, { SPRING24 => [2, 20] }, 'by redirect and by coupon');
    is_figures($shop, { by => 'channel', metrics => 'visits', filter => 'channel:is:direct_mail|paid_search' },
        { direct_mail => 2, paid_search => 1 }, 'by redirect and by landing');
    is_figures($shop, { by => 'channel', metrics => 'orders', model => 'first', filter => 'channel:is:direct_mail|paid_search' },
        { direct_mail => 1, paid_search => 1 }, 'the touch before the coupon');
    is_totals($shop, { visits => 1 }, 'read off print', filter => 'medium:is:qr');
};

subtest 'a customer on two machines' => sub {
    $shop->get('/?utm_source=news&utm_medium=email', $id->('desk'));
    $shop->get('/thanks?order=D-1&total=10&customer=c7', $id->('desk'));
    $shop->get('/thanks?order=D-2&total=10&customer=c7', $id->('phone'));
    is_figures($shop, { by => 'channel', metrics => 'orders', filter => 'channel:is:email' }, { email => 7 }, 'both came by the mail');
};

subtest 'what is known of first touches' => sub {
    $shop->get('/thanks?order=E-1&total=1', from => 77);
    is_figures($shop, { by => 'coverage', metrics => 'orders' }, { known => 9, cookieless => 1 });
    my @rows = grep { ($_->[0] // '') eq 'coverage' } @{ $shop->ask('/footfall/v1/ledger')->json->{rows} };
    is_deeply([map { [@$_[1, 2], 0 + $_->[3]] } grep { $_->[2] } @rows],
        [['orders: first touch known', 9, 0.9], ['orders: lost to cookieless', 1, 0.1]], 'the ledger says so');
    my ($revenue) = grep { $_->[1] eq 'revenue: first touch known' } @rows;
    cmp_ok($revenue->[3], '>', 0.99, 'and for the money');
};

subtest 'tables beside the daemon' => sub {
    $shop->write('orders.csv' => "id;date;total;coupon;status\nP-1;2026-03-02 10:00;40.00;MAIL24;paid\nP-2;2026-03-01;8.00;;cancelled\n;2026-03-01;8.00;;\n");
    $shop->write('refunds.csv' => "order_id,date,value\nP-1,2026-03-05,15\n");
    $shop->write('rates.csv' => "date,currency,rate\n2026-03-01,CHF,1.25\n");
    $shop->write('francs.csv' => "id,date,value,currency\nP-3,2026-03-03,8.00,CHF\nP-4,2026-03-20,8.00,CHF\n");
    my $run = sub (@what) { $shop->footfall('import', @what, '--config', $shop->path('footfall.toml')) };
    my ($code, undef, $err) = $run->('orders', $shop->path('orders.csv'));
    is($code, 3, 'done with a rejected row');
    like($err, qr/orders\.csv:4: is a purchase without "id"/, 'named by its line');
    is(($run->($_->[0], $shop->path("$_->[1].csv")))[0], 0, "$_->[1] are taken in") for ['refunds', 'refunds'], ['rates', 'rates'], ['orders', 'francs'];
    is(($run->('orders', $shop->path('orders.csv')))[0], 3, 'the same table again');
    my %march = (from => '2026-03-01', to => '2026-03-31');
    is_figures($shop, { %march, by => 'day', metrics => 'orders,revenue,refunds' },
        { '2026-03-01' => [1, 8, 8], '2026-03-02' => [1, 40, 0], '2026-03-03' => [1, 10, 0], '2026-03-05' => [0, 0, 15], '2026-03-20' => [1, 0, 0] });
    is_totals($shop, { revenue_net => 35, duplicate_orders => 0 }, 'the same table again adds nothing', %march);
    is_figures($shop, { %march, by => 'channel', metrics => 'orders,refunds' }, { direct => [3, 8], direct_mail => [1, 15] });
    is_deeply($shop->query(%march, metrics => 'revenue')->{meta}{unconverted}, [{ currency => 'CHF', orders => 1, revenue => 8 }], 'no rate that late');
    is(($shop->footfall('check', '--config', $shop->path('footfall.toml')))[0], 0, 'the store is whole');
    is(($run->('--undo', 2))[0], 0, 'the refunds are taken back');
    is_totals($shop, { refunds => 8 }, 'and only they', %march);
};

close_shops();
