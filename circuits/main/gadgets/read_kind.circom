pragma circom 2.2.0;

include "../../lib/kind.circom";

// For tests alone.
component main {public [op]} = ReadKind();
