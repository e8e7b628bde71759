# Reads a footfall.v1.Report as anybody would who has the .proto file: by protoc.
package Footfall::Protoc;
use v5.36;
use Carp qw(croak);
use Exporter qw(import);
use Footfall::Shop;
use IPC::Open2;
use POSIX ();

our @EXPORT_OK = qw(decode_report);

# The report as nested hashes: field => [values]. Texts are bytes, words and numbers as protoc prints them.
sub decode_report ($bytes) {
    my $root = Footfall::Shop->root;
    local $SIG{PIPE} = 'IGNORE';
    my $pid = open2(my $out, my $in, 'protoc', '--decode=footfall.v1.Report', "-I$root/proto", "$root/proto/footfall/v1/report.proto");
    binmode $_ for $in, $out;
    my $writer = fork // croak "fork: $!";    # one writes while the other reads: no pipe holds it all
    if ($writer == 0) { close $out; print $in $bytes; close $in; POSIX::_exit(0) }
    close $in;
    my $text = do { local $/; <$out> } // '';
    waitpid $_, 0 for $writer, $pid;
    my $report = {};
    my @open = ($report);
    for (split /\n/, $text) {
        if    (/^\s*(\w+) \{$/)        { push @{ $open[-1]{$1} }, my $message = {}; push @open, $message }
        elsif (/^\s*\}$/)              { pop @open }
        elsif (/^\s*(\w+): "(.*)"$/)   { push @{ $open[-1]{$1} }, unescaped($2) }
        elsif (/^\s*(\w+): (\S+)$/)    { push @{ $open[-1]{$1} }, $2 }
        else                           { croak "protoc said: $_" }
    }
    croak 'no footfall.v1.Report' if @open != 1 || !%$report;
    return $report;
}

sub unescaped ($text) {
    $text =~ s/\\(?:([0-7]{3})|(.))/defined $1 ? chr oct $1 : $2 eq 'n' ? "\n" : $2 eq 'r' ? "\r" : $2 eq 't' ? "\t" : $2/ge;
    return $text;
}

1;
