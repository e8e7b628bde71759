# The module as any nginx is built: from a clean clone, by nginx's own configure and make, with a relative and an absolute
# --builddir. What comes out is loaded and counts.
use v5.36;
use lib 't/lib';
use File::Temp qw(tempdir);
use Footfall::Test;

my $root = Footfall::Shop->root;
my $source = $ENV{FOOTFALL_NGINX_SOURCE} // '/usr/share/nginx/src';    # of Debian's nginx-dev
plan skip_all => 'not a git checkout' unless -e "$root/.git";
plan skip_all => "no nginx source in $source" unless -f "$source/conf_flags";

# Both builds lie at the same depth below the folder: a compiler cache then knows the second one's files from the first.
my $folder = tempdir('footfall-modules-XXXXXX', TMPDIR => 1, CLEANUP => 1);
chmod 0755, $folder;
my $log = "$folder/log";
@ENV{qw(CCACHE_BASEDIR CCACHE_NOHASHDIR)} = ($folder, 1);
$ENV{PATH} = "/usr/lib/ccache:$ENV{PATH}" if -d '/usr/lib/ccache';    # for nginx's make, which knows of no such thing
delete $ENV{FOOTFALL_CMAKE_DIR};

# In a folder of $folder, with $clone and $builddir set; what it says is shown only when it fails.
sub shell_succeeds ($in, $builddir, $command, $name) {
    local @ENV{qw(clone builddir)} = ("$folder/clone", $builddir);
    my $code = system 'bash', '-c', "cd '$folder/$in' && { $command; } >'$log' 2>&1";
    return ok($code == 0, $name) || diag `tail -n 40 '$log'`;
}

my $configure = '. ./conf_flags && bash ./configure "${NGX_CONF_FLAGS[@]}" --builddir="$builddir" --add-dynamic-module="$clone"';
my $make = 'make -f "$builddir/Makefile" -j2 modules';

shell_succeeds('.', '', qq(git clone --quiet "$root" clone), 'a clean clone');
my $pristine = `git -C '$folder/clone' status --porcelain --ignored`;

for my $builddir ('objs', "$folder/absolute/objs") {
    my $kind = $builddir =~ m{^/} ? 'absolute' : 'relative';
    subtest "a build folder by its $kind name" => sub {
        mkdir "$folder/nginx-$kind";
        shell_succeeds('.', '', qq(cp -rL "$source/." nginx-$kind/ && mkdir -p absolute), 'a tree of nginx') or return;
        shell_succeeds("nginx-$kind", $builddir, $configure, 'configure') or return;
        shell_succeeds("nginx-$kind", $builddir, $make, 'make modules') or return;
        my $objects = $kind eq 'absolute' ? $builddir : "$folder/nginx-$kind/$builddir";
        ok(-f "$objects/ngx_http_footfall_module.so", 'the module is there') or return;

        my $exported = `nm -D --defined-only '$objects/ngx_http_footfall_module.so'`;
        my @ours = grep { /footfall/ } map { (split)[-1] } split /\n/, $exported;
        is_deeply(\@ours, ['ngx_http_footfall_module'], 'of ours it shows its table alone');

        my $shop = open_shop(module => "$objects/ngx_http_footfall_module.so", workers => 2);
        is($shop->get('/', from => $_)->status, 200, "visitor $_") for 1 .. 3;
        is_totals($shop, { hits => 3, visits => 3, pageviews => 3 }, 'it counts');
        $shop->reload;
        $shop->get('/cup', from => 1);
        is_totals($shop, { hits => 4, visits => 3, pageviews => 4 }, 'also after a reload, which loads it anew');
    };
}

is(`git -C '$folder/clone' status --porcelain --ignored`, $pristine, 'nothing was written into the clone');
close_shops();
