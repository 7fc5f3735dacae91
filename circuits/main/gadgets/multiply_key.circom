pragma circom 2.2.0;

include "../../lib/multiply.circom";

// For tests alone.
component main = MultiplyKey();
