pragma circom 2.2.0;

include "../../lib/widths.circom";

// For its count of constraints alone.
component main = Widths();
