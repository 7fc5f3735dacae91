pragma circom 2.2.0;

include "../../lib/order.circom";

// For its count of constraints alone.
component main = Order();
