pragma circom 2.2.0;

include "../../lib/account.circom";

// For its count of constraints alone.
component main = Touch(ACCOUNT_LEVELS(), BALANCE_LEVELS());
