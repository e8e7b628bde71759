# A shop as a test sees it: a folder of its own, real nginx with the module, a real aggregator, and visitors.
package Footfall::Shop;
use v5.36;
use Carp qw(croak);
use Cwd qw(abs_path);
use File::Basename qw(dirname);
use File::Path qw(remove_tree);
use File::Temp qw(tempdir);
use Footfall::Client qw(connect_to request_text read_answer);
use Footfall::Load;
use Footfall::Wait;
use IO::Socket::INET;
use JSON::PP;
use POSIX qw(:sys_wait_h);

my $root = abs_path(dirname(__FILE__) . '/../../..');
my $build = $ENV{FOOTFALL_BUILD} // "$root/build";
my $nginx = $ENV{FOOTFALL_NGINX} // (grep { -x } '/usr/sbin/nginx', '/usr/local/sbin/nginx', '/usr/bin/nginx')[0];
my $module_is_in_nginx = ($ENV{FOOTFALL_MODULE} // '') eq 'static';
my @sanitizers = grep { defined $ENV{$_} } qw(ASAN_OPTIONS UBSAN_OPTIONS);
my $is_root = $> == 0;
my @shops;

# What the pages are: path => content. `/` is index.html; a page is found with and without `.html`.
my %pages = (
    'index.html' => '<h1>Shop</h1>', 'cup.html' => '<h1>Cup</h1>', 'bowl.html' => '<h1>Bowl</h1>',
    'cart.html' => '<h1>Cart</h1>', 'thanks.html' => '<h1>Thank you</h1>', 'sale/index.html' => '<h1>Sale</h1>',
    'style.css' => 'h1 { color: red }', 'logo.png' => "\x89PNG", 'guide.pdf' => '%PDF-1.4',
);

# Makes the shop's folder; nothing runs yet. Options, all of them text of the configuration unless said otherwise:
# main, http, server (instead of the shop's locations), servers (beside the shop's); store (parameters of footfall_store),
# footfall (instead of `footfall on; footfall_site shop;`), status (instead of `footfall_status;`); toml (behind `store`);
# listen (parameters of the shop's listen); workers (number); module (the file to load); single (no master, one process);
# daemon (nginx goes into the background, as `USR2` needs it).
# In them {folder} is the shop's folder, {NAME} an address with a free port of its own.
sub new ($class, %o) {
    my $folder = tempdir('footfall-XXXXXX', TMPDIR => 1);
    chmod 0755, $folder;
    my $self = bless {
        folder => $folder, options => \%o, ports => {}, pids => {}, killed => {}, allowed => [], answered => 0,
    }, $class;
    $self->write($_ => '') for qw(logs/error.log logs/aggregator.log);
    mkdir "$folder/temp";
    chown scalar(getpwnam 'www-data'), -1, "$folder/temp" if $is_root;
    $self->write("html/$_" => $pages{$_}) for keys %pages;
    $self->write_configuration;
    push @shops, $self;
    return $self;
}

# A shop that is open: nginx and the aggregator run.
sub open ($class, %o) {
    my $self = $class->new(%o);
    $self->start_nginx;
    $self->start_aggregator;
    return $self;
}

# --- files -----------------------------------------------------------------------------------------------------------

sub folder ($self) { $self->{folder} }
sub store ($self)  { "$self->{folder}/store" }
sub root ($class)  { $root }
sub build ($class) { $build }
sub nginx ($class) { $nginx }

# The line that loads the module; none where nginx has it built in.
sub load_module ($class) { $module_is_in_nginx ? '' : "load_module $build/ngx_http_footfall_module.so;" }

sub path ($self, $name) { $name =~ m{^/} ? $name : "$self->{folder}/$name" }

sub write ($self, $name, $content) {
    my $path = $self->path($name);
    my $at = $self->{folder};
    for my $part (split m{/}, dirname(substr $path, length($at) + 1)) { mkdir($at .= "/$part") }
    CORE::open my $to, '>:raw', $path or croak "$path: $!";
    print $to $content;
    CORE::close $to or croak "$path: $!";
    return $path;
}

sub read ($self, $name) {
    CORE::open my $from, '<:raw', $self->path($name) or croak "$name: $!";
    local $/;
    return scalar(<$from>) // '';
}

# An address that nobody listens on, the same for the same name.
sub address ($self, $name) {
    $self->{ports}{$name} //= free_port();
    return "127.0.0.1:$self->{ports}{$name}";
}

sub port ($self, $name = 'shop') { $self->address($name) =~ /(\d+)$/; $1 }

# Below the ports that clients' connections get by themselves.
sub free_port () {
    state $next = 10_000 + ($$ * 37) % 20_000;
    for (1 .. 1000) {
        $next = 10_000 if ++$next > 31_000;
        my $socket = IO::Socket::INET->new(LocalAddr => '127.0.0.1', LocalPort => $next, Listen => 1) or next;
        CORE::close $socket;
        return $next;
    }
    croak 'no free port';
}

sub fill ($self, $text) {
    $text =~ s/\{folder\}/$self->{folder}/g;
    $text =~ s/\{([a-z_]+)\}/$self->address($1)/ge;
    return $text;
}

# Writes nginx.conf and footfall.toml; %changed are options that are different from now on.
sub write_configuration ($self, %changed) {
    my %o = %{ $self->{options} } = (%{ $self->{options} }, %changed);
    my $load = join "\n", $o{module} ? "load_module $o{module};" : load_module(ref $self), map { "env $_;" } @sanitizers;
    my $user = $is_root ? 'user www-data;' : '';
    my $workers = $o{workers} // 1;
    my $daemon = $o{daemon} ? 'on' : 'off';
    my $master = $o{single} ? 'off' : 'on';
    my $temp_paths = join "\n", map { "    ${_}_temp_path $self->{folder}/temp/$_;" } qw(client_body proxy fastcgi uwsgi scgi);
    my %part = map { $_ => $o{$_} // '' } qw(main http servers store);
    $o{listen} //= '';
    my $footfall = $o{footfall} // 'footfall on; footfall_site shop;';
    my $status = $o{status} // 'location /footfall/ { footfall_status; }';
    my $server = $o{server} // 'location / { try_files $uri $uri.html $uri/index.html =404; }';
    $self->write('nginx.conf' => $self->fill(<<END));
$load
$user
daemon $daemon;
master_process $master;
worker_processes $workers;
pid {folder}/nginx.pid;
error_log {folder}/logs/error.log notice;
$part{main}
events { worker_connections 1024; }
http {
$temp_paths
    include /etc/nginx/mime.types;
    access_log off;
    root {folder}/html;
    footfall_store {folder}/store $part{store};
    $footfall
    $part{http}
    server {
        listen {shop} backlog=4096 $o{listen};
        server_name shop.example;
        $status
        $server
    }
    $part{servers}
}
END
    my $toml = $o{toml} // qq([site.shop]\nhosts = ["shop.example"]\n);
    $self->write('footfall.toml' => $self->fill(qq(store = "{folder}/store"\n\n$toml)));
}

# --- processes -------------------------------------------------------------------------------------------------------

# Runs a command to its end: (exit code, what it said on standard output, on standard error).
sub run ($self, @command) {
    my ($out, $err) = map { "$self->{folder}/logs/run.$_" } qw(out err);
    my $pid = spawn($out, $err, @command);
    wait_until("@command ends", sub { waitpid($pid, WNOHANG) == $pid });
    push @{ $self->{faults} }, sanitizers_said($self->read($err)) if @sanitizers;
    return ($? & 127 ? 'signal ' . ($? & 127) : $? >> 8, $self->read($out), $self->read($err));
}

sub footfall ($self, @arguments) { $self->run("$build/footfall", @arguments) }

sub spawn ($out, $err, @command) {
    my $pid = fork // croak "fork: $!";
    return $pid if $pid;
    CORE::open STDIN, '<', '/dev/null';
    CORE::open STDOUT, '>>', $out or POSIX::_exit(126);
    CORE::open STDERR, '>>', $err or POSIX::_exit(126);
    truncate $_, 0 for grep { m{/run\.(out|err)$} } $out, $err;
    exec { $command[0] } @command or POSIX::_exit(127);
}

sub nginx_command ($self, @more) {
    return ($nginx, '-e', "$self->{folder}/logs/error.log", '-p', $self->{folder}, '-c', "$self->{folder}/nginx.conf", @more);
}

# `nginx -t` of a configuration: (exit code, what it said).
sub test_configuration ($self) {
    my ($code, $out, $err) = $self->run($self->nginx_command('-t'));
    return ($code, $out . $err);
}

sub start_nginx ($self) {
    my $log = "$self->{folder}/logs/error.log";
    my $pid = spawn($log, $log, $self->nginx_command);
    if ($self->{options}{daemon}) {
        wait_until('nginx goes into the background', sub { waitpid($pid, WNOHANG) == $pid });
        croak "nginx did not start: " . $self->read('logs/error.log') if $? != 0;
        $pid = $self->read('nginx.pid') + 0;
    }
    $self->{pids}{nginx} = $pid;
    wait_until('nginx listens', sub {
        croak "nginx did not start: " . $self->read('logs/error.log') if waitpid($pid, WNOHANG) == $pid;
        return connect_to($self->port) && $self->workers == $self->workers_wanted;
    }, sub { $self->read('logs/error.log') });
    return $pid;
}

sub workers_wanted ($self) { $self->{options}{single} ? 0 : $self->{options}{workers} // 1 }

sub start_aggregator ($self) {
    my $log = "$self->{folder}/logs/aggregator.log";
    my $pid = $self->{pids}{aggregator}
        = spawn($log, $log, "$build/footfall", 'aggregate', '--config', "$self->{folder}/footfall.toml");
    wait_until('the aggregator holds the store', sub {
        croak "the aggregator did not start: " . $self->read('logs/aggregator.log') if waitpid($pid, WNOHANG) == $pid;
        return $self->read('store/writer') =~ /^$pid\b/ if -e "$self->{folder}/store/writer";
        return 0;
    });
    return $pid;
}

# Ends a process that this test started, by the signal; waits until it is gone. Gives its wait status.
sub end ($self, $name, $signal) {
    my $pid = delete $self->{pids}{$name} or return 0;
    $self->{killed}{$pid} = 1 if $signal eq 'KILL';
    kill $signal, $pid;
    my $status = 0;    # a daemon's is not told to us
    wait_until("$name (process $pid) ends by $signal", sub {
        my $ended = waitpid($pid, WNOHANG);
        $status = $? if $ended == $pid;
        return $ended == $pid || ($ended == -1 && is_gone($pid));
    });
    return $status;
}

# Shuts down as an administrator would. Whoever does not end well is a fault.
sub stop_nginx ($self)      { $self->note_end(nginx => $self->end('nginx', 'QUIT')) }
sub stop_aggregator ($self) { $self->note_end(aggregator => $self->end('aggregator', 'TERM')) }

sub note_end ($self, $name, $status) {
    push @{ $self->{faults} }, "$name ended with status $status" if $status != 0;
}

sub pid ($self, $name) { $self->{pids}{$name} }

# Process ids of the workers that serve, without those that are shutting down.
sub workers ($self) {
    return grep { title($_) =~ /worker process$/ } children($self->{pids}{nginx});
}

sub children ($pid) {
    CORE::open my $from, '<', "/proc/$pid/task/$pid/children" or return;
    return split ' ', scalar(<$from>) // '';
}

sub title ($pid) {
    CORE::open my $from, '<', "/proc/$pid/cmdline" or return '';
    my $title = scalar(<$from>) // '';
    $title =~ s/\0+$//;
    return $title;
}

# kill -9 of a worker; the master starts another.
sub kill_worker ($self, $pid) {
    $self->{killed}{$pid} = 1;
    kill KILL => $pid;
    wait_until("worker $pid is replaced", sub {
        my @now = $self->workers;
        return !(grep { $_ == $pid } @now) && @now == $self->workers_wanted;
    });
}

# Children of the master, which from now on has no more of them: it is stopped, to be killed.
sub last_children ($self) {
    my $master = $self->{pids}{nginx};
    kill STOP => $master;
    wait_until('the master is stopped', sub { $self->read("/proc/$master/stat") =~ /^.*\) [TtZ]/s });
    return children($master);
}

# kill -9 of the master and its workers, all at once.
sub kill_nginx ($self) {
    my @workers = $self->last_children;
    $self->{killed}{$_} = 1 for @workers;
    kill KILL => $self->{pids}{nginx}, @workers;
    $self->end('nginx', 'KILL');
    wait_until('all workers are gone', sub { !grep { !is_gone($_) } @workers });
}

# Not only its memory but also its sockets: a process gives them back one after the other as it ends.
sub is_gone ($pid) {
    CORE::open my $from, '<', "/proc/$pid/stat" or return 1;
    return (scalar(<$from>) // '') !~ /^.*\) [^ZX]/s;
}

# Reloads the configuration: returns when only new workers serve. Old ones may still be shutting down.
sub reload ($self) {
    my %before = map { $_ => 1 } $self->workers;
    kill HUP => $self->{pids}{nginx};
    wait_until('new workers serve', sub {
        my @now = $self->workers;
        return @now == $self->workers_wanted && !grep { $before{$_} } @now;
    });
}

# --- visitors --------------------------------------------------------------------------------------------------------

# One request over a connection of its own, up to the connection's end: the hit is staged when this returns.
# Options: from (visitor's number or address, 1), port, and those of request_text. Undef: no answer came.
sub request ($self, $method, $target, %o) {
    my $socket = connect_to($o{port} // $self->port, $o{from} // 1) or return;
    local $SIG{PIPE} = 'IGNORE';
    defined $socket->syswrite(request_text($method, $target, %o)) or return;
    my $answer = read_answer($socket);
    $self->{answered}++ if $answer;
    return $answer;
}

sub get ($self, $target, %o)  { $self->request(GET => $target, %o) }
sub head ($self, $target, %o) { $self->request(HEAD => $target, %o) }
sub post ($self, $target, %o) { $self->request(POST => $target, body => '', %o) }

# Raw bytes, and what comes back up to the end of the connection.
sub send_raw ($self, $bytes, %o) {
    my $socket = connect_to($o{port} // $self->port, $o{from} // 1) or croak "cannot connect: $!";
    local $SIG{PIPE} = 'IGNORE';
    $socket->syswrite($bytes);
    return read_answer($socket);
}

# Many requests at once, each [METHOD, TARGET, options…]: all are sent before the first answer is read. Gives the answers
# in order, undef where none came.
sub burst ($self, @requests) {
    local $SIG{PIPE} = 'IGNORE';
    my @sockets = map {
        my ($method, $target, %o) = @$_;
        my $socket = connect_to($self->port, $o{from} // 1);
        $socket->syswrite(request_text($method, $target, %o)) if $socket;
        $socket;
    } @requests;
    my @answers = map { $_ ? read_answer($_) : undef } @sockets;
    $self->{answered} += grep { defined } @answers;
    return @answers;
}

# A connection that is kept, to one worker.
sub client ($self, %o) { Footfall::Client->new($self->port, %o) }

# Visitors who keep coming until ->stop. See Footfall::Load.
sub load ($self, %o) { Footfall::Load->start($self, %o) }

# How many requests of visitors were answered.
sub answered ($self) { $self->{answered} }

# --- figures ---------------------------------------------------------------------------------------------------------

# Asks the status location; its own requests are no hits.
sub ask ($self, $target, %o) {
    my $socket = connect_to($o{port} // $self->port, $o{from} // 1) or croak "cannot connect: $!";
    $socket->syswrite(request_text($o{method} // 'GET', $target, %o));
    return read_answer($socket);
}

sub arguments_of (%query) {
    return join '&', map { my $v = $query{$_}; $v =~ s/([^\w.,:-])/sprintf '%%%02X', ord $1/ge; "$_=$v" } sort keys %query;
}

sub health ($self) { $self->ask('/footfall/v1/health')->json }

# The answer of the query API. $self->query(by => 'channel', metrics => 'visits')
sub query ($self, %query) {
    my $answer = $self->ask('/footfall/v1/query?' . arguments_of(%query));
    croak 'query refused: ' . $answer->body if $answer->status != 200;
    return $answer->json;
}

# The same by `footfall query`.
sub query_by_command ($self, %query) {
    my ($code, $out, $err) = $self->footfall(
        'query', '--config', "$self->{folder}/footfall.toml", '--format', 'json', map { ("--$_" => $query{$_}) } sort keys %query);
    croak "footfall query: exit code $code, $err" if $code ne '0';
    return JSON::PP->new->utf8->decode($out);
}

# Returns when everything that was staged is counted.
sub settle ($self) {
    my $health;
    wait_until('all hits are counted', sub {
        $health = $self->health;
        return $health->{aggregator}{pid} && $health->{aggregator}{lag_hits} == 0;
    }, sub { JSON::PP->new->canonical->encode($health) });
    return $health;
}

# --- the end ---------------------------------------------------------------------------------------------------------

# Lines of the error log of this kind are expected.
sub allow ($self, $pattern) { push @{ $self->{allowed} }, $pattern }

# What went wrong so far, line by line: in nginx's error log, in what the aggregator said, at the end of a process.
sub faults ($self) {
    my @faults = @{ $self->{faults} // [] };
    for (split /\n/, $self->read('logs/error.log')) {
        next unless /\[(?:alert|crit|emerg)\]/;
        next if /worker process (\d+) exited on signal 9/ && $self->{killed}{$1};
        push @faults, $_;
    }
    push @faults, grep { / (?:error|critical): |terminate called|Assertion/ } split /\n/, $self->read('logs/aggregator.log');
    push @faults, map { sanitizers_said($self->read("logs/$_.log")) } qw(error aggregator) if @sanitizers;
    return grep { my $line = $_; !grep { $line =~ $_ } @{ $self->{allowed} } } @faults;
}

# What AddressSanitizer and UndefinedBehaviorSanitizer found, where programs are built with them; what is nginx's own is not.
sub sanitizers_said ($text) {
    return grep { /ERROR: (?:Address|Leak)Sanitizer|SUMMARY: \w+Sanitizer|runtime error: / && !m{^src/(?:core|event|http|os)/\w+} }
        split /\n/, $text;
}

sub close ($self) {
    $self->stop_nginx;
    $self->stop_aggregator;
}

# The stages of a store may lie in memory, outside its folder.
sub remove ($self) {
    for my $link (glob "$self->{folder}/store*/lane.*/stage") {
        my $stage = readlink $link or next;
        unlink $stage;
        rmdir dirname $stage;
    }
    remove_tree($self->{folder});
}

# Whatever way a test ends, its processes end with it.
END {
    my $status = $?;
    for my $shop (@shops) {
        my @left = values %{ $shop->{pids} };
        my @all = (@left, map { children($_) } @left);
        kill KILL => @all if @all;
        waitpid $_, 0 for @left;
        if ($ENV{FOOTFALL_KEEP}) { say "# kept: $shop->{folder}" }
        else                     { $shop->remove }
    }
    $? = $status;
}

1;
