pragma circom 2.2.0;

include "../../lib/decode.circom";

// For its count of constraints alone.
component main = Decode(ACCOUNT_LEVELS(), BALANCE_LEVELS());
