pragma circom 2.2.0;

include "../exit.circom";

component main {public [root, claim, amount]} = Exit(ACCOUNT_LEVELS(), BALANCE_LEVELS());
