# Visitors who keep coming while a test does something to the shop: processes of their own, each asking for one page after the
# other over new connections.
package Footfall::Load;
use v5.36;
use Carp qw(croak);
use Footfall::Client qw(connect_to request_text read_answer);
use Footfall::Wait;
use IO::Handle;
use List::Util qw(max);
use POSIX ();

# Options: processes (2), visitors (of each process, 21), pages, status (that of every answer, 200).
sub start ($class, $shop, %o) {
    my $self = bless { shop => $shop, answered => 0, pipes => {} }, $class;
    my @pages = @{ $o{pages} // ['/', '/cup', '/bowl'] };
    for my $process (1 .. $o{processes} // 2) {
        pipe my $from, my $to or croak "pipe: $!";
        my $pid = fork // croak "fork: $!";
        if (!$pid) {
            visit($shop->port, $to, \@pages, $process * max(1_000, $o{visitors} // 0), $o{visitors} // 21, $o{status} // 200);
            POSIX::_exit(0);
        }
        $from->blocking(0);
        $self->{pipes}{$pid} = $from;
    }
    return $self;
}

# One byte for each whole answer, so that the test can follow.
sub visit ($port, $to, $pages, $first, $visitors, $status) {
    my $stop = 0;
    local $SIG{TERM} = sub { $stop = 1 };
    local $SIG{PIPE} = 'IGNORE';
    my $begin = int rand $visitors;    # or loads one after the other would have the same ones look at page after page
    for (my $n = 0; !$stop; $n++) {
        my $answer = ask($port, $pages->[$n % @$pages], $first + ($begin + $n) % $visitors, $status);
        if ($answer) { syswrite $to, '.' }
        else         { select undef, undef, undef, 0.005 }    # nginx is down
        exit 0 if getppid == 1;
    }
}

sub ask ($port, $page, $from, $status) {
    my $socket = connect_to($port, $from) or return;
    $socket->syswrite(request_text('GET', $page)) or return;
    my $answer = eval { read_answer($socket) } or return;
    return $answer->status == $status && length $answer->body == $answer->header('Content-Length');
}

# How many were answered so far.
sub answered ($self) {
    for my $pipe (values %{ $self->{pipes} }) {
        while (my $read = sysread $pipe, my $bytes, 65536) { $self->{answered} += $read }
    }
    return $self->{answered};
}

sub wait_for_more ($self, $count) {
    my $enough = $self->answered + $count;
    wait_until("$count more requests are answered", sub { $self->answered >= $enough });
}

# Ends when each has had its last answer. Gives how many were answered, and tells the shop.
sub stop ($self) {
    for my $pid (keys %{ $self->{pipes} }) {
        kill TERM => $pid;
        wait_until("visitors $pid leave", sub { $self->answered; waitpid($pid, POSIX::WNOHANG) == $pid });
    }
    $self->answered;
    $self->{pipes} = {};
    $self->{shop}{answered} += $self->{answered};
    return $self->{answered};
}

sub DESTROY ($self) { kill KILL => keys %{ $self->{pipes} } if %{ $self->{pipes} } }

1;
