# A browser on a raw socket: it can say anything, from any address of 127.0.0.0/8.
package Footfall::Client;
use v5.36;
use Carp qw(croak);
use Exporter qw(import);
use IO::Socket::INET;
use Socket qw(SOL_SOCKET SO_RCVTIMEO SO_SNDTIMEO);

our @EXPORT_OK = qw(address_of connect_to request_text read_answer BROWSER);

use constant BROWSER => 'Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) '
    . 'Chrome/131.0.0.0 Safari/537.36';
use constant SILENCE_S => 20;    # no answer for so long is a failure

# Visitor 7 comes from 127.0.0.7, visitor 1000 from 127.0.3.232; an address is itself.
sub address_of ($from) {
    return $from if $from =~ /\./;
    return sprintf '127.%d.%d.%d', $from >> 16 & 255, $from >> 8 & 255, $from & 255;
}

sub connect_to ($port, $from = 1) {
    my $socket = IO::Socket::INET->new(
        PeerAddr => '127.0.0.1', PeerPort => $port, Proto => 'tcp',
        LocalAddr => address_of($from), ReuseAddr => 1,
    ) or return;
    $socket->autoflush(1);
    my $limit = pack 'l!l!', SILENCE_S, 0;
    $socket->sockopt($_, $limit) for SO_RCVTIMEO, SO_SNDTIMEO;
    return $socket;
}

# The request as it goes over the wire. Options: agent (undef: none), referrer, host, headers => [NAME => VALUE, …], body,
# keep (keeps the connection), http (the version, 1.1).
sub request_text ($method, $target, %o) {
    my @headers = (Host => $o{host} // 'shop.example');
    my $agent = exists $o{agent} ? $o{agent} : BROWSER;
    push @headers, 'User-Agent' => $agent if defined $agent;
    push @headers, Referer => $o{referrer} if defined $o{referrer};
    push @headers, @{ $o{headers} // [] };
    push @headers, 'Content-Length' => length $o{body} if defined $o{body};
    push @headers, Connection => $o{keep} ? 'keep-alive' : 'close';
    my $text = "$method $target HTTP/" . ($o{http} // '1.1') . "\r\n";
    while (my ($name, $value) = splice @headers, 0, 2) { $text .= "$name: $value\r\n" }
    return "$text\r\n" . ($o{body} // '');
}

# One answer. Without `keep` up to the end of the connection: nginx has then been through its log phase.
# Undef: the connection ended before a whole answer came.
sub read_answer ($socket, %o) {
    my $got = '';
    my $more = sub { (sysread($socket, $got, 65536, length $got) // croak "no answer: $!") > 0 };
    if (!$o{keep}) {
        my $read;
        do { $read = sysread $socket, $got, 65536, length $got } while $read || (!defined $read && $!{EINTR});
        return if !defined $read && $!{ECONNRESET} && $got eq '';
        croak "no answer: $!" unless defined $read || $!{ECONNRESET};
        return Footfall::Answer->of($got);
    }
    until ($got =~ /\r\n\r\n/) { $more->() or return }
    my $answer = Footfall::Answer->of($got) or return;
    my $length = $o{method} && $o{method} eq 'HEAD' ? 0 : $answer->header('Content-Length')
        // croak 'a kept connection needs a Content-Length';
    while (length($got) < $answer->{head_bytes} + $length) { $more->() or return }
    return Footfall::Answer->of($got);
}

# A connection that is kept: `get` again and again over the same socket, to the same worker.
sub new ($class, $port, %o) {
    my $socket = connect_to($port, $o{from} // 1) or croak "cannot connect: $!";
    return bless { socket => $socket }, $class;
}

sub get ($self, $target, %o) {
    my $socket = $self->{socket};
    $socket->syswrite(request_text('GET', $target, keep => 1, %o));
    return read_answer($socket, keep => 1);
}

sub close ($self) { CORE::close $self->{socket} }

package Footfall::Answer;
use v5.36;
use JSON::PP;

sub of ($class, $text) {
    my ($head, $body) = split /\r\n\r\n/, $text, 2;
    return unless defined $body && $head =~ m{\AHTTP/1\.[01] (\d{3})};
    my $self = bless { status => $1 + 0, head => $head, body => $body, head_bytes => length($head) + 4 }, $class;
    $self->{body} = unchunk($body) if ($self->header('Transfer-Encoding') // '') eq 'chunked';
    return $self;
}

sub unchunk ($text) {
    my $body = '';
    while ($text =~ s/\A([0-9a-fA-F]+)\r\n//) {
        my $bytes = hex $1 or last;
        $body .= substr $text, 0, $bytes, '';
        $text =~ s/\A\r\n//;
    }
    return $body;
}

sub status ($self) { $self->{status} }
sub body ($self)   { $self->{body} }
sub head ($self)   { $self->{head} }

# All lines of that name as one list; undef: there is none.
sub header ($self, $name) {
    my @values = $self->{head} =~ /^\Q$name\E:[ \t]*(.*?)\r?$/gmi;
    return @values ? join ', ', @values : undef;
}

sub json ($self) { JSON::PP->new->utf8->decode($self->{body}) }

1;
