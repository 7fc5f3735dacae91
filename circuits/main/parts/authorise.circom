pragma circom 2.2.0;

include "../../lib/authorise.circom";

// For its count of constraints alone.
component main = Authorise();
