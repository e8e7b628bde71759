# scripts/lists makes the tables that are compiled in out of the lists as others publish them, and refuses what is none.
use v5.36;
use lib 't/lib';
use Footfall::Shop;
use Test::More;

my $root = Footfall::Shop->root;
my %file = (search => 'SearchEngines.yml', social => 'Socials.yml', ai => 'AIAssistants.yml', spam => 'referrer-spammers.txt');

sub content ($path) { open my $in, '<:raw', $path or die "$path: $!"; local $/; return scalar <$in> }

# Exit code and output.
sub lists ($kind, $path) {
    open my $from, '-|', "$root/scripts/lists '$kind' '$path' 2>&1" or die $!;
    binmode $from;
    my $out = do { local $/; <$from> } // '';
    close $from;
    return ($? >> 8, $out);
}

for my $kind (sort keys %file) {
    my ($code, $out) = lists($kind, "$root/t/data/lists/$file{$kind}");
    is($code, 0, "$kind: is read");
    ok($out eq content("$root/core/hit/lists/$kind.txt"), "  and the table is what it gives: scripts/lists $kind FILE > core/hit/lists/$kind.txt");
}
isnt((lists('ai', "$root/t/data/lists/referrer-spammers.txt"))[0], 0, 'a list of another form is refused');
isnt((lists('spam', '/dev/null'))[0], 0, 'so is one without hosts');
isnt((lists('food', "$root/t/data/lists/Socials.yml"))[0], 0, 'and an unknown kind');
done_testing();
