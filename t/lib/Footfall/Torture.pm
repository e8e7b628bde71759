# One store after the other, disturbed and then completed, for scripts/torture-aggregator.
#
# A round takes a scenario and one of a few data sets, and runs the scenario's commands on a new store. Each command may be killed at an
# exact point of its writing (t/data/die_at.c), may be ended by a signal, or may find the disk full for some writes; it is run again
# until it has ended well. What comes of it must be, query for query, what comes of the same data without disturbance.
#
#   once    two lanes full of hits of three days, counted by `aggregate --once`
#   live    the same hits, as they come, counted by the daemon
#   import  logs around a change of month, counted by the importer itself; in half of the data sets one is taken back again
#   beside  the same logs, imported beside a daemon
#   both    hits and logs at the same time
#   care    logs, then hits of half a year later, when what was imported is for good and becomes one; `compact` and `check --repair` in
#           between, the latter also of a store whose totals of days or months were taken out: all as if there had been no care
#
# Minutes are kept for two days, so they expire on the way; more pages come than a month keeps apart.
package Footfall::Torture;
use v5.36;
use Errno;
use Fcntl qw(F_GETFL F_SETFL O_NONBLOCK);
use File::Path qw(remove_tree);
use File::Temp qw(tempdir);
use Footfall::Logs qw(told_more);
use Footfall::Shop;
use POSIX qw(WNOHANG);
use Time::HiRes qw(time);

use constant {
    SETS => 4, HITS => 3_000, LINES => 2_500, KILLS_MAX => 6, ATTEMPTS_MAX => 60, DEADLINE_S => 15,
    # March 6, 2026: after the logs, which are younger than an undo may be. Lanes' hits come in autumn, by their own clock.
    HITS_DAY => 20_725,    # September 29, 2026
    IMPORT_CLOCK_MS => 1_772_755_200_000, ASKED_MS => 1_790_985_600_000, TICK_MS => 100,
};

# How many points of writing most runs of a command have, twice; the daemon's has more.
my %reach = (import => 50, compact => 50, check => 6);

my $toml = <<'END';
map = "256MiB"
[site.shop]
timezone = "Europe/Berlin"
hosts = ["shop.example"]
[[site.shop.goal]]
name = "newsletter"
event = "sign_up"
value = 2.00
[[site.shop.goal]]
name = "welcomed"
path = "/welcome*"
value = 0.50
[[site.shop.page_group]]
name = "shoes"
path = "/shoes*"
[rates]
USD = 0.92
[retention]
minute = "2d"
hour = "400d"
visits = "400d"
END

my @one = qw(channel source medium campaign content term code referrer_host referrer page page_group entry_page exit_page country device browser os
    http_status status_class event goal item item_category currency coupon new_returning bot_class search_term hour day week month);
my @more = split " ", q(by=month,page by=page,channel by=day,source,country by=event,device by=item,channel by=hour,page filter=channel:is:email&by=page
    filter=page:starts:/shoes&by=channel filter=country:is_not:DE&by=entry_page filter=device:is:mobile|desktop;source:contains:o&by=day
    filter=event:is:purchase&by=campaign);
my %queries = map {
    my $site = $_;
    $site => join '', "ledger?site=$site\n", "attribution?site=$site&by=campaign&lookback=1d\n", map { "site=$site&$_\n" } 'model=last', 'by=minute&from=2026-10-02', (map { "by=$_" } @one), (map { ("by=$_&model=first", "by=$_&model=last") } qw(channel source)),
        (map { ("by=$_&model=linear&lookback=1d", "by=$_&model=first&lookback=90d") } qw(channel source campaign)), 'by=channel&model=markov', @more;
} 'shop', 'blog.example';

sub scenarios ($class) { qw(once live import beside both care) }

sub new ($class, %o) {
    my $self = bless { %o, did => { kills => 0, full => 0, ends => 0 }, wanted => {}, sets => {} }, $class;
    $self->{folder} = tempdir('footfall-torture-XXXXXX', DIR => -w '/dev/shm' ? '/dev/shm' : '/tmp', CLEANUP => !$ENV{FOOTFALL_KEEP});
    $self->{build} = Footfall::Shop->build;
    my $root = Footfall::Shop->root;
    run_quietly('ninja', '-C', "$root/build", '--quiet', 'feed_lanes', 'ask_all', 'damage');
    $self->{tools} = "$root/build/torture";
    $self->{shim} = "$self->{folder}/die_at.so";
    run_quietly('cc', '-O1', '-shared', '-fPIC', '-o', $self->{shim}, "$root/t/data/die_at.c", '-ldl');
    return $self;
}

sub did ($self) { %{ $self->{did} } }
sub story ($self) { $self->{story} }

# '' where all is as it would be without disturbance, else what is not.
sub round ($self, $scenario) {
    my $set = 1 + int rand SETS;
    $self->{story} = "data $set;";
    my $wanted = $self->{wanted}{"$scenario $set"} //= $self->undisturbed($scenario, $set);
    my $got = $self->tortured($scenario, $set, 1);
    return $got eq $wanted ? '' : difference($got, $wanted);
}

# All answers after it. Lanes are counted once and for all, logs imported one after the other.
sub undisturbed ($self, $scenario, $set) {
    my $plain = { live => 'once', beside => 'import', care => 'both' }->{$scenario} // $scenario;
    return $self->{wanted}{"$plain $set"} //= do {
        my $story = $self->{story};
        my $answers = $self->tortured($plain, $set, 0);
        $self->{story} = $story;
        $answers;
    };
}

sub tortured ($self, $scenario, $set, $is_disturbed) {
    $self->{disturbs} = $is_disturbed;
    $self->{scenario} = $scenario;
    $self->begin_store($set);
    my $good = eval { $self->can("run_$scenario")->($self, $set); 1 };
    my $fault = $@;
    $self->end_all;
    die $fault . $self->last_words unless $good;
    return $self->answers;
}

# --- scenarios -------------------------------------------------------------------------------------------------------

sub run_once ($self, $set) {
    $self->start_feeder($set);
    $self->await('all is fed', sub { $self->is_fed });
    $self->end_feeder;
    $self->to_its_end('aggregate', '--once');
}

sub run_live ($self, $set) {
    $self->start_feeder($set);
    $self->keep_daemon;
    $self->await('all is fed', sub { $self->is_fed });
    $self->let_daemon_go;
    $self->end_feeder;
    $self->to_its_end('aggregate', '--once');
}

sub run_import ($self, $set) {
    $self->start_ticking;
    $self->import_all($set);
}

sub run_beside ($self, $set) {
    $self->start_ticking;
    $self->keep_daemon;
    $self->import_all($set);
    $self->let_daemon_go;
    $self->to_its_end('aggregate', '--once');
}

sub run_both ($self, $set) {
    $self->start_feeder($set);
    $self->keep_daemon if $self->{disturbs};
    # By the daemon, where there is one, as the hits come.
    $self->import_all($set);
    $self->await('all is fed', sub { $self->is_fed });
    $self->let_daemon_go;
    $self->end_feeder;
    $self->to_its_end('aggregate', '--once');
}

sub run_care ($self, $set) {
    $self->start_ticking;
    $self->import_all($set, sub { $self->take_care });
    delete $self->{ticks};
    $self->start_feeder($set);
    $self->await('all is fed', sub { $self->is_fed });
    $self->end_feeder;
    $self->{kills_left} = 1 + int rand KILLS_MAX;
    $self->to_its_end('aggregate', '--once');
    $self->said('dump', 'checkpoint', $self->common) =~ /^  imports up to [1-9]/m or die "what is for good has not become one\n";
    $self->take_care;
}

sub take_care ($self) {
    return unless $self->{disturbs};
    local $self->{kills_left} = 1 + int rand 3;
    $self->to_its_end('compact') if rand() < 0.5;
    return if rand() < 0.3;
    if (rand() < 0.6) {
        my $level = (qw(day month))[rand 2];
        $self->{story} .= " totals of each $level taken out,";
        run_quietly("$self->{tools}/damage", $self->{store}, $level);
    }
    $self->to_its_end('check', '--repair');
}

# Two logs, merged; then a third; in half of the data sets the third is taken back.
# `then` is done after each command.
sub import_all ($self, $set, $then = sub { }) {
    my @logs = $self->logs($set);
    my $run = sub (@arguments) { $self->to_its_end('import', @arguments); $then->() };
    $run->('log', @logs[0, 1]);
    $run->('log', $logs[2]);
    return if $set % 2 == 1;
    # One that was killed and went on is two imports.
    for my $number (reverse $self->imports_of('third.log')) { $run->('--undo', $number) }
}

sub imports_of ($self, $name) {
    my $said = $self->said('import', '--list', $self->common);
    return grep { defined } map { /^\s*(\d+) .*\Q$name\E/ && !/\(undone\)$/ ? $1 : undef } split /\n/, $said;
}

# --- data ------------------------------------------------------------------------------------------------------------

# The data set's logs: three files, two of which overlap, over the end of February.
sub logs ($self, $set) {
    my $folder = "$self->{folder}/logs.$set";
    my @names = map { "$folder/$_.log" } qw(first second third);
    return @names if -d $folder;
    mkdir $folder;
    my $root = Footfall::Shop->root;
    # In half of the data sets so many pages that a month sums up the lightest.
    my $pages = $set > 2 ? 1e6 : 40;
    my @lines = map { told_more(s/(\d+)(\.html|\.webp)/$1 % $pages . $2/er, 86_400) } qx{$root/scripts/shop-log @{[LINES]} $set};
    my $third = int @lines * 0.7;
    my @parts = ([], [], [@lines[$third .. $#lines]]);
    push @{ $parts[$_ % 3 == 0] }, $lines[$_] for 0 .. $third - 1;
    write_file($names[$_], join '', @{ $parts[$_] }) for 0 .. 2;
    return @names;
}

sub begin_store ($self, $set) {
    my $store = $self->{store} = "$self->{folder}/store";
    remove_tree($store);
    unlink glob "$self->{folder}/*.log";
    mkdir $store;
    write_file("$store/secret", 'a secret of thirty-two bytes ...');
    chmod 0600, "$store/secret";
    # The same visitors have the same keys: estimates are the same, too.
    write_file("$store/salt.$_", "the salt of day number " . sprintf '%09d', $_) for map { HITS_DAY + $_ } 0 .. 5;
    chmod 0600, glob "$store/salt.*";
    write_file("$store/format", "footfall store 1\n");
    write_file("$self->{folder}/footfall.toml", qq(store = "$store"\n$toml));
    $self->{clock} = "$self->{folder}/clock";
    write_file($self->{clock}, pack 'q', IMPORT_CLOCK_MS);
    $self->{kills_left} = 1 + int rand KILLS_MAX;
}

# --- processes -------------------------------------------------------------------------------------------------------

sub common ($self) { ('--config', "$self->{folder}/footfall.toml") }

# Starts `footfall`, and says what is to befall it.
sub start ($self, @arguments) {
    my $kind = $arguments[0];
    my %env = (LD_PRELOAD => $self->{shim}, FOOTFALL_STORE => "$self->{store}/", FOOTFALL_CLOCK => $self->{clock}, FOOTFALL_POINTS => my $points = "$self->{folder}/points.$kind");
    write_file($points, "\0" x 128);
    my $fate = { kind => $kind, points => $points };
    if ($self->{disturbs} && $self->{kills_left} > 0) {
        $self->{kills_left}--;
        # Early points more often than late ones: not every run gets far.
        my $at = 1 + int rand rand($reach{$kind} // ($self->{scenario} =~ /once|import/ ? 40 : 150));
        my $what = rand;
        if ($what < 0.7) {
            $env{FOOTFALL_DIE} = $fate->{die} = "$at:" . (qw(before half after))[rand 3];
        } elsif ($what < 0.9) {
            $env{FOOTFALL_FULL} = $fate->{full} = "$at:" . ($at + 1 + int rand 40);
        } else {
            $fate->{end_s} = time + rand 0.3;
        }
    }
    my $log = "$self->{folder}/$kind.log";
    local @ENV{ keys %env } = values %env;
    $fate->{pid} = Footfall::Shop::spawn($log, $log, "$self->{build}/footfall", @arguments, $self->common);
    return $fate;
}

# True once it has ended; then {status} is there, and what befell it is told.
sub has_ended ($self, $fate) {
    if ($fate->{end_s} && time > $fate->{end_s}) {
        kill TERM => $fate->{pid};
        $fate->{is_ended} = delete $fate->{end_s};
    }
    waitpid($fate->{pid}, WNOHANG) == $fate->{pid} or return 0;
    $fate->{status} = $?;
    my ($count, $last) = unpack 'QZ*', read_file($fate->{points});
    my $killed = ($? & 127) == 9;
    my ($full) = ($fate->{full} // '') =~ /^(\d+)/;
    my ($what) = $killed ? 'kills' : $full && $count >= $full ? 'full' : $fate->{is_ended} ? 'ends' : undef;
    $self->{did}{$what}++ if $what && $self->{disturbs};
    $self->{story} .= sprintf ' %s %s', $fate->{kind}, $killed ? "killed at $fate->{die} ($last)" : $what eq 'full' ? "full at $fate->{full}" : 'ended'
        if $what;
    $self->{story} .= ',' if $what;
    my $by_signal = $? & 127;
    die "$fate->{kind} died by signal $by_signal\n" if $by_signal && !$killed && !($by_signal == 15 && $fate->{is_ended});
    die "$fate->{kind} was killed by somebody else\n" if $killed && !$fate->{die};
    return 1;
}

# Runs a command until it has ended well.
sub to_its_end ($self, @arguments) {
    for (1 .. ATTEMPTS_MAX) {
        my $fate = $self->{command} = $self->start(@arguments);
        $self->await("$arguments[0] ends", sub { $self->has_ended($fate) });
        delete $self->{command};
        return if $fate->{status} == 0 || $fate->{status} >> 8 == 3 && $fate->{status} < 0xffff;
    }
    die "$arguments[0] does not end well\n";
}

sub keep_daemon ($self) { $self->{daemon} = $self->start('aggregate') }

# The daemon, again where it died.
sub look_after ($self) {
    $self->{ticks} //= unpack 'q', read_file($self->{clock}) if $self->{feeder} && $self->is_fed;
    $self->tick if $self->{ticks};
    my $daemon = $self->{daemon} or return;
    $self->keep_daemon if $self->has_ended($daemon);
}

sub let_daemon_go ($self) {
    my $daemon = delete $self->{daemon} or return;
    kill TERM => $daemon->{pid};
    $daemon->{is_ended} = 1;
    $self->await('the daemon ends', sub { $self->has_ended($daemon) });
}

sub start_feeder ($self, $set) {
    pipe my $from, my $to_harness or die $!;
    pipe my $from_harness, my $to or die $!;
    my $pid = fork // die "fork: $!";
    if ($pid == 0) {
        open STDIN, '<&', $from_harness;
        open STDOUT, '>&', $to_harness;
        open STDERR, '>>', "$self->{folder}/feeder.log";
        close $_ for $to, $from;
        exec { "$self->{tools}/feed_lanes" } 'feed_lanes', $self->{store}, $self->{clock}, $set, HITS or POSIX::_exit(127);
    }
    close $_ for $from_harness, $to_harness;
    fcntl $from, F_SETFL, O_NONBLOCK | fcntl $from, F_GETFL, 0;
    $self->{feeder} = { pid => $pid, from => $from, to => $to, said => '' };
    $self->await('the lanes are there', sub { $self->feeder_said =~ /ready/ });
}

sub feeder_said ($self) {
    my $feeder = $self->{feeder};
    sysread $feeder->{from}, $feeder->{said}, 100, length $feeder->{said};
    die "the feeder died\n" if waitpid($feeder->{pid}, WNOHANG) == $feeder->{pid};
    return $feeder->{said};
}
sub is_fed ($self) { $self->feeder_said =~ /fed/ }

sub end_feeder ($self) {
    my $feeder = delete $self->{feeder} or return;
    close $feeder->{to};
    waitpid $feeder->{pid}, 0;
}

# Where no feeder does, or none any more, the clock goes on whenever it is looked at.
sub start_ticking ($self) { $self->{ticks} = IMPORT_CLOCK_MS }
sub tick ($self) {
    open my $clock, '+<:raw', $self->{clock} or die $!;
    syswrite $clock, pack 'q', $self->{ticks} += TICK_MS;
}

sub end_all ($self) {
    delete $self->{ticks};
    for my $process (grep { $_ && !defined $_->{status} } delete @$self{qw(daemon command)}) {
        kill KILL => $process->{pid};
        waitpid $process->{pid}, 0;
    }
    $self->end_feeder;
}

sub await ($self, $what, $condition) {
    my $end = time + DEADLINE_S;
    until ($condition->()) {
        die "waited in vain until $what\n" if time > $end;
        $self->look_after;
        select undef, undef, undef, 0.002;
    }
}

# --- answers ---------------------------------------------------------------------------------------------------------

sub answers ($self) {
    my $check = $self->said('check', '--store', $self->{store});
    my $asked = "$self->{folder}/queries";
    write_file($asked, join '', map { $queries{$_} } $self->{scenario} =~ /import|beside/ ? 'shop' : ('shop', 'blog.example'));
    my $answers = qx{$self->{tools}/ask_all $self->{store} @{[ASKED_MS]} < $asked 2>&1};
    die "not all can be asked: " . join "\n", grep { /^= / && !/: \d+ lost$/ } split /\n/, $answers if $?;
    return $answers;
}

sub difference ($got, $wanted) {
    my @got = split /^(?==)/m, $got;
    my @wanted = split /^(?==)/m, $wanted;
    my @differ = grep { ($got[$_] // '') ne ($wanted[$_] // '') } 0 .. $#wanted;
    my %of_wanted = map { $_ => 1 } my @lines_wanted = split /\r?\n/, $wanted[ $differ[0] ] // '';
    my %of_got = map { $_ => 1 } my @lines_got = split /\r?\n/, $got[ $differ[0] ] // '';
    my @extra = grep { !$of_wanted{$_} } @lines_got;
    my @missing = grep { !$of_got{$_} } @lines_wanted;
    my $names = join '; ', map { $wanted[$_] =~ /^= (.*?):/ } @differ;
    return join "\n", @differ . " answers differ: $names", $lines_wanted[1] // '', (map { "got    $_" } grep { defined } @extra[0 .. 4]),
        (map { "wanted $_" } grep { defined } @missing[0 .. 4]);
}

# What a command says; it must end well.
sub said ($self, @arguments) {
    my $command = join ' ', map { "'$_'" } "$self->{build}/footfall", @arguments;
    my $said = qx{$command 2>&1};
    die "@arguments: $said" if $?;
    return $said;
}

sub last_words ($self) {
    return join '', map { "$_: " . (split(/\n/, -e "$self->{folder}/$_.log" ? read_file("$self->{folder}/$_.log") : ''))[-1] . "\n" }
        grep { -s "$self->{folder}/$_.log" } qw(aggregate import compact check feeder);
}

sub run_quietly (@command) { system(@command) == 0 or die "@command: failed\n" }

sub write_file ($path, $content) {
    open my $to, '>:raw', $path or die "$path: $!";
    print $to $content;
    close $to or die "$path: $!";
}

sub read_file ($path) {
    open my $from, '<:raw', $path or die "$path: $!";
    local $/;
    return scalar(<$from>) // '';
}

1;
