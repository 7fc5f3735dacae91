pragma circom 2.2.0;

include "../block.circom";

component main {public [C, X, Y]} = Block(4, 3, 2);
