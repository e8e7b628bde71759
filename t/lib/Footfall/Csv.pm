# Reads CSV as RFC 4180 has it, and dies where a text is none.
package Footfall::Csv;
use v5.36;
use Carp qw(croak);
use Exporter qw(import);

our @EXPORT_OK = qw(parse_csv);

# Records of fields. A field that is empty and not quoted is undef, `""` is an empty text. Every record ends with CRLF.
sub parse_csv ($text) {
    my @records;
    while (pos($text) // 0 < length $text) {
        my @fields;
        while (1) {
            if ($text =~ /\G"((?:[^"]|"")*)"/gc) { push @fields, $1 =~ s/""/"/gr }
            else { $text =~ /\G([^",\r\n]*)/gc; push @fields, $1 eq '' ? undef : $1 }
            next if $text =~ /\G,/gc;
            last if $text =~ /\G\r\n/gc;
            croak 'no CSV at byte ' . (pos($text) // 0) . ': ' . substr $text, pos($text) // 0, 40;
        }
        push @records, \@fields;
        last if (pos($text) // 0) >= length $text;
    }
    my @widths = map { scalar @$_ } @records;
    for my $width (@widths) { croak "records of $widths[0] and of $width fields" if $width != $widths[0] }
    return @records;
}

1;
