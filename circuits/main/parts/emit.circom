pragma circom 2.2.0;

include "../../lib/emit.circom";

// For its count of constraints alone.
component main = Emit();
