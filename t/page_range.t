# The page shows the time that its links choose.
use v5.36;
use lib 't/lib';
use Footfall::Logs qw(combined_line);
use Footfall::Test;


# One view of a page, so many days ago.
sub view ($days, $visitor, $path) { combined_line(time - 86_400 * $days, $visitor, $path) }

my $shop = open_shop;
$shop->get('/cup');
$shop->settle;
my ($code, undef, $err) = $shop->footfall('import', 'log', '--site', 'shop', '--store', $shop->store,
    $shop->write('access.log', view(800, 1, '/long-ago') . view(20, 2, '/weeks-ago') . view(3, 3, '/days-ago')));
is($code, 0, 'older views come from a log') or diag $err;

sub page ($arguments) { $shop->ask("/footfall/$arguments")->body }
sub shown ($page) { join ' ', grep { $page =~ m{<th scope=row>/$_</th>} } qw(cup days-ago weeks-ago long-ago) }

my %expected = (
    ''            => ['Today', 'cup', 'Orders by hour'],
    '?range=today' => ['Today', 'cup', 'Orders by hour'],
    '?range=7d'   => ['7 days', 'cup days-ago', 'Orders by day'],
    '?range=30d'  => ['30 days', 'cup days-ago weeks-ago', 'Orders by day'],
    '?range=all'  => ['All there is', 'cup days-ago weeks-ago long-ago', 'Orders by month'],
);
for my $arguments (sort keys %expected) {
    my ($name, $pages, $title) = @{ $expected{$arguments} };
    my $page = page($arguments);
    is(shown($page), $pages, ($arguments || 'nothing chosen') . ": $name");
    like($page, qr{<h2>\Q$title\E</h2>}, '  told by the unit that goes with it');
    like($page, qr{aria-current=page>\Q$name\E</a>}, '  its link is the current one');
    unlike($page, qr{could not be read}, '  every part has an answer');
}
unlike(page("?range=$_"), qr{could not be read}, "$_ has an answer too") for qw(yesterday month year);

my @links = page('?range=7d') =~ /<a href="(\?[^"]+)"/g;
is(scalar @links, 7, 'a link for each time');
s/&amp;/&/g for @links;
is($shop->ask("/footfall/$_")->status, 200, "$_ leads somewhere") for @links;
my $odd = page('?range=%22%3E%3Cscript%3E&site=shop');
is(shown($odd), 'cup', 'what is no time is today');
unlike($odd, qr/script/i, "and is not repeated");
like(page('?range=7d'), qr{v1/query\?site=shop&amp;range=7d}, 'the link to the data keeps the time');

close_shops();
