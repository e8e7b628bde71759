# Several workers, each with a lane of its own: figures are those of one shop.
use v5.36;
use lib 't/lib';
use Footfall::Test;

# Visitor n looks at three pages, misses one, posts once, all at the same time: 5 hits, 3 page views.
sub requests_of ($n) {
    return map { [@$_, from => $n] } ['GET', '/'], ['GET', '/cup'], ['GET', '/sale/'], ['GET', '/gone'], ['POST', '/pay', body => ''];
}

for my $workers (2, 4) {
    my $shop = open_shop(workers => $workers, listen => 'reuseport', server => <<'END');
        location / { try_files $uri $uri.html $uri/index.html =404; }
        location = /pay    { return 204; }
        location = /thanks { footfall_order id=$arg_order value=10; try_files /thanks.html =404; }
END
    my %seen;
    for my $group (0 .. 3) {
        my @requests = map { requests_of($_) } $group * 25 + 1 .. $group * 25 + 25;
        $seen{ $_ ? $_->status : 'none' }++ for $shop->burst(@requests);
    }
    is_deeply(\%seen, { 200 => 300, 204 => 100, 404 => 100 }, "$workers workers: 500 requests of 100 visitors are answered");

    # The same order page, opened in many tabs at once, by whichever workers.
    $shop->burst(map { ['GET', '/thanks?order=B-1', from => 200] } 1 .. 20);

    is_totals($shop, {
        hits => 520, visits => 101, visitors => 101, pageviews => 320, errors_4xx => 100, orders => 1, revenue => 10,
        duplicate_orders => 19, bounces => 0, entries => 101, exits => 101, late_hits => 0,
    });
    is_figures($shop, { by => 'status_class', metrics => 'hits' }, { '2xx' => 420, '4xx' => 100 });
    is_figures($shop, { by => 'page', metrics => 'pageviews' }, { '/' => 100, '/cup' => 100, '/sale/' => 100, '/thanks' => 20 });

    my @lanes = @{ $shop->health->{capture}{lanes} };
    is(scalar(grep { $_->{pid} } @lanes), $workers, 'a lane for each worker');
    is_deeply([sort map { $_->{pid} } @lanes], [sort $shop->workers], 'held by that worker');
    is(scalar(grep { $_->{hits} > 0 } @lanes), $workers, 'all of them took part');
}
close_shops();
