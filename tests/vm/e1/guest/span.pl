# Pulls the exchange's end of the cable, or plugs it in again: span.pl down|up.
# DAHDI_DYNAMIC_CREATE and _DESTROY with a struct dahdi_dynamic_span, of dahdi/user.h.
use strict;
use warnings;
my $span = pack "a20 a40 l l l", "loc", "1:1", 31, 0, 0;
my $size = length($span) << 16 | 0xDA << 8;
my $wish = $ARGV[0] eq "up" ? 3 << 30 | $size | 80 : 1 << 30 | $size | 81;
open my $control, "+<", "/dev/dahdi/ctl" or die "/dev/dahdi/ctl: $!";
ioctl $control, $wish, $span or die "span $ARGV[0]: $!";
