pragma circom 2.2.0;

include "../../lib/amounts.circom";

// For its count of constraints alone.
component main = UnpackAmount(AMOUNT_MANTISSA_BITS(), 1);
