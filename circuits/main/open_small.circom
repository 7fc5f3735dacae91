pragma circom 2.2.0;

include "../open.circom";

component main {public [X]} = Open(3, 2);
