# Waiting for a condition, never for a time.
package Footfall::Wait;
use v5.36;
use Carp qw(croak);
use Exporter qw(import);
use Time::HiRes qw(time);

our @EXPORT = qw(wait_until);

use constant { DEADLINE_S => 20, POLL_S => 0.02 };

# Asks until the answer is true, and gives it. Dies after 20 s, saying what never came; what the condition left in $@ or the
# text that `$state` gives is told along.
sub wait_until ($what, $condition, $state = undef) {
    my $end = time + DEADLINE_S;
    while (1) {
        if (my $answer = $condition->()) { return $answer }
        if (time > $end) {
            my $now = $state ? '; now: ' . $state->() : '';
            croak "waited " . DEADLINE_S . " s in vain until $what$now";
        }
        select undef, undef, undef, POLL_S;
    }
}

1;
