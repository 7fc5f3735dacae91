pragma circom 2.2.0;

include "../../lib/kind.circom";

// For its count of constraints alone.
component main = ReadKind();
