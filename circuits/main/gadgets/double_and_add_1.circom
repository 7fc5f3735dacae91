pragma circom 2.2.0;

include "../../lib/montgomery.circom";

// For tests alone.
component main = DoubleAndAdd(1);
