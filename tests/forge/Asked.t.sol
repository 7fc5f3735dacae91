// SPDX-License-Identifier: GPL-3.0-or-later
pragma solidity 0.8.37;

import {ACCOUNT_SHIFT, EMPTY_ROOT, TOKEN_SHIFT} from "../../contracts/generated/Constants.sol";
import {IExitVerifier} from "../../contracts/interfaces/IExitVerifier.sol";
import {Block, IRollup} from "../../contracts/interfaces/IRollup.sol";
import {IVerifier} from "../../contracts/interfaces/IVerifier.sol";
import {Scene} from "./Scene.sol";
import {VM} from "./Vm.sol";

/// @notice What the verifiers are asked, which accept whatever it is; what is there at first, and what is left unsaid.
contract AskedTest is Scene {
    function test_genesis_isTheEmptyTree() external view {
        Block memory genesis = rollup.genesisBlock();
        _same(genesis.newRoot, EMPTY_ROOT, "root", 0);
        genesis.newRoot = 0;
        Block memory none;
        _require(keccak256(abi.encode(genesis)) == keccak256(abi.encode(none)), "nothing else", 0);
    }

    function test_prove_asksForSizesProofsAndInputsOfEachBlock() external {
        _commit(0, 2);
        (Block[] memory blocks, uint256[8][] memory proofs) = (new Block[](2), new uint256[8][](2));
        (uint16[] memory sizes, uint256[3][] memory inputs) = (new uint16[](2), new uint256[3][](2));
        for (uint256 i = 0; i < 2; ++i) {
            Block memory block_ = chain[i + 1];
            (blocks[i], proofs[i], sizes[i]) = (block_, _proof(), block_.blockSize);
            inputs[i] = [block_.commitment, block_.challenge, block_.evaluation];
        }
        proofs[1][3] = 7;
        VM.expectCall(rollup.verifier(), abi.encodeCall(IVerifier.verifyMany, (sizes, proofs, inputs)));
        rollup.proveBlocks(blocks, proofs);
    }

    function test_exitExodus_asksForTheRootTheClaimAndTheAmount() external {
        _fund();
        this.depositETH(ALICE, PLAIN);
        _beginExodus();
        address owner = actors[ALICE];
        uint256 claim = (uint256(5) << ACCOUNT_SHIFT) | (uint256(3) << TOKEN_SHIFT) | uint160(owner);
        uint256[3] memory inputs = [_last().newRoot, claim, 77];
        VM.expectCall(rollup.exitVerifier(), abi.encodeCall(IExitVerifier.verify, (_proof(), inputs)));
        rollup.exitExodus(5, 3, owner, 77, _proof());
    }

    function test_execute_ofNothing_creditsNobody() external {
        _commit(0, 1);
        _prove(stranger, 1, 1);
        (Block[] memory blocks, bytes[] memory l1) = (new Block[](1), new bytes[](1));
        (blocks[0], l1[0]) = (chain[1], streams[1]);
        _same(l1[0].length, 0, "records", 0);
        VM.recordLogs();
        rollup.executeBlocks(blocks, l1);
        _same(VM.getRecordedLogs().length, 1, "events: BlockExecuted alone", 0);
    }
}
