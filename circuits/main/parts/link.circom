pragma circom 2.2.0;

include "../../lib/link.circom";

// For its count of constraints alone.
component main = Link();
