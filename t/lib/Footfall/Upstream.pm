# A shop's application behind nginx: a small server that says what the test wants, header lines and all.
package Footfall::Upstream;
use v5.36;
use Carp qw(croak);
use IO::Socket::INET;
use POSIX ();

# Pages: path => [header lines]. Everything else is a page without more headers. Every answer is HTML.
sub start ($class, $address, %pages) {
    my $server = IO::Socket::INET->new(LocalAddr => $address, Listen => 128, ReuseAddr => 1) or croak "$address: $!";
    my $pid = fork // croak "fork: $!";
    if (!$pid) {
        serve($server, \%pages);
        POSIX::_exit(0);
    }
    return bless { pid => $pid }, $class;
}

sub serve ($server, $pages) {
    local $SIG{PIPE} = 'IGNORE';
    my $parent = getppid;
    while (getppid == $parent) {
        my $client = $server->accept or next;
        my $request = '';
        until ($request =~ /\r\n\r\n/) { sysread $client, $request, 65536, length $request or last }
        my ($path) = $request =~ m{^\w+ ([^ ?]+)};
        my $body = '<h1>Page</h1>';
        my @lines = ('HTTP/1.1 200 OK', 'Content-Type: text/html; charset=utf-8', 'Content-Length: ' . length $body,
            'Connection: close', @{ $pages->{ $path // '' } // [] });
        syswrite $client, join("\r\n", @lines, '', $request =~ /^HEAD/ ? '' : $body);
        close $client;
    }
}

sub DESTROY ($self) {
    local $?;
    kill KILL => $self->{pid};
    waitpid $self->{pid}, 0;
}

1;
