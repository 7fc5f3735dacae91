pragma circom 2.2.0;

include "../../lib/bits.circom";

// For tests alone. 0b0110011
component main {public [enabled, bits]} = BitsAtMost(7, 51);
