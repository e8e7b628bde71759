# nginx with the module in it (--add-module), and all of it under sanitizers: runs as asan/static.t.
use v5.36;
use lib 't/lib';
use Footfall::Test;

my $nginx = Footfall::Shop->nginx;
like(scalar `'$nginx' -V 2>&1`, qr/--add-module=\S+/, 'the module was built in');
unlike(scalar `'$nginx' -V 2>&1`, qr/--add-dynamic-module/, 'and is none to be loaded');
for my $program ($nginx, Footfall::Shop->build . '/footfall') {
    my $symbols = `nm '$program'`;
    like($symbols, qr/\b__asan_init\b/, "$program: AddressSanitizer watches");
    like($symbols, qr/\b__ubsan_handle_\w+/, '  so does UndefinedBehaviorSanitizer');
}

subtest 'it counts' => sub {
    my $shop = open_shop(workers => 2, daemon => 1, server => <<'END');
        location / { try_files $uri $uri.html $uri/index.html =404; }
        location = /thanks { footfall_order id=$arg_order value=$arg_total; try_files /thanks.html =404; }
END
    unlike($shop->read('nginx.conf'), qr/load_module/, 'without being loaded');
    $shop->get('/', from => $_, referrer => 'https://www.google.com/') for 1 .. 3;
    $shop->get('/thanks?order=A-1&total=12.50', from => 1);
    is_totals($shop, { hits => 4, visits => 3, pageviews => 4, orders => 1, revenue => 12.5 }, 'pages and orders');
    $shop->reload;
    $shop->get('/cup', from => 2);
    is_totals($shop, { hits => 5, visits => 3 }, 'after a reload');

    my $old = $shop->pid('nginx');
    kill USR2 => $old;
    wait_until('the new binary serves', sub { -e $shop->path('nginx.pid.oldbin') && -e $shop->path('nginx.pid') && $shop->read('nginx.pid') =~ /\d/ });
    $shop->end(nginx => 'QUIT');
    $shop->{pids}{nginx} = $shop->read('nginx.pid') + 0;
    wait_until('its workers serve', sub { $shop->workers == 2 });
    $shop->get('/cup', from => 3);
    is_totals($shop, { hits => 6, visits => 3 }, 'after a binary upgrade');
};

# The check of a check: were this not told, nothing would be.
subtest 'what a sanitizer says is a fault' => sub {
    my @said = (
        '==7==ERROR: AddressSanitizer: heap-use-after-free on address 0x7',
        '/x/core/lane/stage.h:12:3: runtime error: left shift of 1 by 64 places',
        'SUMMARY: UndefinedBehaviorSanitizer: undefined-behavior ngx_module/capture.cc:3',
    );
    is_deeply([Footfall::Shop::sanitizers_said(join "\n", 'a line', @said)], \@said, 'told, line by line');
};

close_shops();
