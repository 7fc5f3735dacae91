// SPDX-License-Identifier: GPL-3.0-or-later
pragma solidity 0.8.37;

import {Rollup} from "../../contracts/Rollup.sol";
import {
    MAX_QUEUE_FEE_GWEI,
    PROOF_DEADLINE_SECONDS,
    PROOF_GRACE_SECONDS,
    PROOF_LIMIT_SECONDS
} from "../../contracts/generated/Constants.sol";
import {Block, IRollup, KeyChange} from "../../contracts/interfaces/IRollup.sol";
import {Recipient} from "../contracts/sources/Callers.sol";
import {FeeOnTopToken} from "../contracts/sources/Tokens.sol";
import {Scene} from "./Scene.sol";
import {VM} from "./Vm.sol";

/// @notice What comes in, goes out, is proven, executed, reverted and given back: the refusals, with their values.
contract MoneyTest is Scene {
    // ---- Set-up ----

    function test_constructor_addressWithoutCode_isRefused() external {
        address[4] memory good =
            [address(governor), address(governor), address(rollup.verifier()), address(rollup.exitVerifier())];
        for (uint256 i = 0; i < 4; ++i) {
            address had = good[i];
            good[i] = stranger;
            VM.expectRevert(abi.encodeWithSelector(IRollup.AddressWithoutCode.selector, stranger));
            new Rollup(good[0], good[1], good[2], good[3], 1);
            good[i] = had;
        }
        VM.expectRevert(abi.encodeWithSelector(IRollup.QueueFeeOutOfRange.selector, 0, MAX_QUEUE_FEE_GWEI));
        new Rollup(good[0], good[1], good[2], good[3], 0);
        VM.expectRevert(
            abi.encodeWithSelector(IRollup.QueueFeeOutOfRange.selector, MAX_QUEUE_FEE_GWEI + 1, MAX_QUEUE_FEE_GWEI)
        );
        new Rollup(good[0], good[1], good[2], good[3], uint32(MAX_QUEUE_FEE_GWEI + 1));
        new Rollup(good[0], good[1], good[2], good[3], uint32(MAX_QUEUE_FEE_GWEI));
        Rollup made = new Rollup(good[0], good[1], good[2], good[3], 7);
        _same(made.queueFee(), 7 gwei, "fee", 0);
        _require(made.verifyBlock(made.genesisBlock()), "genesis", 0);
    }

    // ---- In ----

    function test_depositETH_valueAndCap_atTheirBoundsAndBeyond() external {
        uint256 fee = rollup.queueFee();
        VM.deal(address(this), type(uint128).max);
        VM.expectRevert(abi.encodeWithSelector(IRollup.QueueFeeNotPaid.selector, fee, fee - 1));
        rollup.depositETH{value: 5 + fee - 1}(5, stranger, 0, 0);
        VM.expectRevert(abi.encodeWithSelector(IRollup.QueueFeeNotPaid.selector, fee, 0));
        rollup.depositETH{value: 4}(5, stranger, 0, 0);
        VM.expectRevert(abi.encodeWithSelector(IRollup.QueueFeeExceeded.selector, 2 * fee, 2 * fee + 1));
        rollup.depositETH{value: 5 + 2 * fee + 1}(5, stranger, 0, 0);
        VM.expectRevert(abi.encodeWithSelector(IRollup.ZeroDeposit.selector, ETH));
        rollup.depositETH{value: fee}(0, stranger, 0, 0);
        VM.expectRevert(abi.encodeWithSelector(IRollup.DepositCapExceeded.selector, ETH, CAP, uint256(CAP) + 1));
        rollup.depositETH{value: fee}(CAP + 1, stranger, 0, 0);

        _same(rollup.depositETH{value: 5 + 2 * fee}(5, stranger, 0, 0), 0, "index", 0);
        _same(rollup.pending(address(this), ETH), fee, "what was too much", 0);
        _same(rollup.accounted(ETH), 5 + 2 * fee, "accounted", 0);
        uint128 rest = CAP - uint128(rollup.accounted(ETH));
        _same(rollup.depositETH{value: rest + fee}(rest, stranger, 0, 0), 1, "index", 1);
        // A fee is no deposit: the cap is full, and exits go on.
        rollup.requestFullExit{value: fee}(1, ETH);
        VM.expectRevert(
            abi.encodeWithSelector(IRollup.DepositCapExceeded.selector, ETH, CAP, rollup.accounted(ETH) + 1)
        );
        rollup.depositETH{value: 1 + fee}(1, stranger, 0, 0);
    }

    function test_depositERC20_cap_atItsBoundAndBeyond() external {
        uint256 fee = rollup.queueFee();
        VM.deal(actors[BOB], 3 * fee);
        governor.setDepositCap(1, 1000);
        tokens[1].mint(actors[BOB], 2000);
        VM.expectRevert(abi.encodeWithSelector(IRollup.DepositCapExceeded.selector, 1, 1000, 1001));
        VM.prank(actors[BOB]);
        rollup.depositERC20{value: fee}(1, 1001, actors[BOB], 0, 0);
        VM.expectRevert(abi.encodeWithSelector(IRollup.QueueFeeNotPaid.selector, fee, fee - 1));
        VM.prank(actors[BOB]);
        rollup.depositERC20{value: fee - 1}(1, 1, actors[BOB], 0, 0);
        VM.prank(actors[BOB]);
        rollup.depositERC20{value: fee}(1, 1000, actors[BOB], 0, 0);
        _same(rollup.accounted(1), 1000, "accounted", 1);
        _same(rollup.accounted(ETH), fee, "accounted", 0);
    }

    function test_queueFee_risesWithEachFullBlock_andFallsWhenServed() external {
        uint256 fee = rollup.queueFee();
        this.depositETH(ALICE, PLAIN);
        _takeAll();
        VM.deal(address(this), 1000 * fee);
        for (uint256 i = 0; i < 256; ++i) {
            _same(rollup.queueFee(), fee, "base fee", i);
            rollup.requestFullExit{value: fee}(1, ETH);
        }
        _same(rollup.queueFee(), 2 * fee, "one more base fee", 256);
        VM.expectRevert(abi.encodeWithSelector(IRollup.QueueFeeNotPaid.selector, 2 * fee, fee));
        rollup.requestFullExit{value: fee}(1, ETH);
    }

    function test_approveKeyChange_outOfRange_isRefused() external {
        KeyChange memory change = KeyChange(2 ** 24 - 1, 0, KEY_X, KEY_Y, 2047, 0, 0);
        rollup.approveKeyChange(change);
        change.accountId = 2 ** 24;
        VM.expectRevert(abi.encodeWithSelector(IRollup.AccountOutOfRange.selector, 2 ** 24));
        rollup.approveKeyChange(change);
        (change.accountId, change.feeToken) = (1, 2048);
        VM.expectRevert(abi.encodeWithSelector(IRollup.TokenOutOfRange.selector, 2048));
        rollup.approveKeyChange(change);
        (change.feeToken, change.ay) = (0, KEY_Y + 1);
        VM.expectRevert(abi.encodeWithSelector(IRollup.KeyNotOnCurve.selector, KEY_X, KEY_Y + 1));
        rollup.approveKeyChange(change);
    }

    // ---- Proofs and execution ----

    function test_proveAndExecute_listsOfOtherLengths_areRefused() external {
        _commit(0, 1);
        (Block[] memory blocks, uint256[8][] memory proofs) = (new Block[](1), new uint256[8][](2));
        blocks[0] = chain[1];
        VM.expectRevert(abi.encodeWithSelector(IRollup.LengthMismatch.selector, 1, 2));
        rollup.proveBlocks(blocks, proofs);
        VM.expectRevert(abi.encodeWithSelector(IRollup.LengthMismatch.selector, 1, 2));
        rollup.executeBlocks(blocks, new bytes[](2));
    }

    function test_execute_unprovenOrOutOfOrder_isRefused() external {
        _commit(0, 3);
        _prove(stranger, 1, 2);
        (Block[] memory blocks, bytes[] memory l1) = (new Block[](1), new bytes[](1));
        (blocks[0], l1[0]) = (chain[2], streams[2]);
        VM.expectRevert(abi.encodeWithSelector(IRollup.BlockOutOfOrder.selector, 1, 2));
        rollup.executeBlocks(blocks, l1);
        _execute(stranger, 1, 2);
        (blocks[0], l1[0]) = (chain[3], streams[3]);
        VM.expectRevert(abi.encodeWithSelector(IRollup.BlockNotProven.selector, 3, 2));
        rollup.executeBlocks(blocks, l1);
        _prove(stranger, 3, 1);
        l1[0] = new bytes(64);
        VM.expectRevert(
            abi.encodeWithSelector(
                IRollup.L1StreamMismatch.selector, 3, keccak256(streams[3]), keccak256(new bytes(64))
            )
        );
        rollup.executeBlocks(blocks, l1);
    }

    function test_prove_firstAndLastOfAFalseProof_areNamed() external {
        _commit(0, 3);
        (Block[] memory blocks, uint256[8][] memory proofs) = (new Block[](2), new uint256[8][](2));
        (blocks[0], blocks[1]) = (chain[1], chain[2]);
        proofs[0] = _proof();
        VM.expectRevert(abi.encodeWithSelector(IRollup.InvalidProof.selector, 1, 2));
        rollup.proveBlocks(blocks, proofs);
        proofs[1] = _proof();
        rollup.proveBlocks(blocks, proofs);
        _same(rollup.provenBlocks(), 2, "proven", 0);
        _same(rollup.provenAt(), block.timestamp, "proven at", 0);
        // Again, with the next: what is proven already is skipped, its proof too.
        (blocks[0], blocks[1]) = (chain[2], chain[3]);
        (proofs[0][0], proofs[1]) = (0, _proof());
        rollup.proveBlocks(blocks, proofs);
        _same(rollup.provenBlocks(), 3, "proven", 1);
    }

    function test_prove_whileAnEntryIsOverdue_isRefusedUnlessItServesIt() external {
        this.depositETH(ALICE, PLAIN);
        _commitQueue();
        this.depositETH(BOB, PLAIN);
        uint40 expiry = uint40(queue[1].expiry);
        _passTimeTo(expiry - 1);
        _commit(8, 1);
        _passTimeTo(expiry);
        (Block[] memory blocks, uint256[8][] memory proofs) = (new Block[](1), new uint256[8][](1));
        (blocks[0], proofs[0]) = (chain[1], _proof());
        bytes memory overdue = abi.encodeWithSelector(IRollup.QueueEntryOverdue.selector, 1, expiry, expiry);
        VM.expectRevert(overdue);
        rollup.proveBlocks(blocks, proofs);
        VM.warp(expiry - 1);
        rollup.proveBlocks(blocks, proofs);
    }

    // ---- Back ----

    function test_revert_deadlineAndGrace_toTheSecond() external {
        _commit(0, 1);
        _commit(1, 1);
        uint256 deadline = chain[1].committedAt + PROOF_DEADLINE_SECONDS;
        VM.warp(deadline - 1);
        VM.expectRevert(abi.encodeWithSelector(IRollup.ProofNotOverdue.selector, 1, deadline, deadline - 1));
        rollup.revertBlocks(chain[0], chain[1]);
        _prove(stranger, 1, 1);
        // The next is another committer's: he has an hour from here.
        uint256 graceEnd = deadline - 1 + PROOF_GRACE_SECONDS;
        VM.warp(graceEnd - 1);
        VM.expectRevert(abi.encodeWithSelector(IRollup.ProofNotOverdue.selector, 2, graceEnd, graceEnd - 1));
        rollup.revertBlocks(chain[1], chain[2]);
        VM.warp(graceEnd);
        VM.expectRevert(abi.encodeWithSelector(IRollup.BlockOutOfOrder.selector, 1, 0));
        rollup.revertBlocks(chain[0], chain[2]);
        VM.expectRevert(abi.encodeWithSelector(IRollup.BlockOutOfOrder.selector, 2, 1));
        rollup.revertBlocks(chain[1], chain[1]);
        VM.expectEmit(address(rollup));
        emit IRollup.BlocksReverted(2, 2, chain[2].committer);
        rollup.revertBlocks(chain[1], chain[2]);
        _same(rollup.committedBlocks(), 1, "committed", 0);
        _require(rollup.suspended(chain[2].committer), "suspended", 0);
        _require(!rollup.suspended(chain[1].committer), "not suspended", 0);
        VM.expectRevert(abi.encodeWithSelector(IRollup.NothingToRevert.selector, 1));
        rollup.revertBlocks(chain[1], chain[2]);
    }

    function test_revert_atTheLimit_blamesNobodyWhoHasGrace() external {
        _commit(0, 1);
        _commit(1, 1);
        uint256 limit = chain[2].committedAt + PROOF_LIMIT_SECONDS;
        VM.warp(limit - PROOF_GRACE_SECONDS / 2);
        _prove(stranger, 1, 1);
        VM.warp(limit - 1);
        VM.expectRevert(abi.encodeWithSelector(IRollup.ProofNotOverdue.selector, 2, limit, limit - 1));
        rollup.revertBlocks(chain[1], chain[2]);
        VM.warp(limit);
        VM.expectEmit(address(rollup));
        emit IRollup.BlocksReverted(2, 2, address(0));
        rollup.revertBlocks(chain[1], chain[2]);
        _require(!rollup.suspended(chain[2].committer), "not suspended", 0);
        _require(!rollup.suspended(address(0)), "nobody is suspended", 0);
    }

    /// @dev A turn is all that one committer has proven since another's block.
    function test_revert_graceOfATurn_isOneForAllItsBlocks() external {
        _commit(0, 1);
        _commit(1, 2);
        uint256 deadline = chain[1].committedAt + PROOF_DEADLINE_SECONDS;
        VM.warp(deadline);
        _prove(stranger, 1, 1);
        uint256 turn = deadline;
        VM.warp(turn + PROOF_GRACE_SECONDS / 2);
        _prove(stranger, 2, 1);
        _same(rollup.turnBeganAt(), turn, "turn", 0);
        _same(rollup.provenAt(), turn + PROOF_GRACE_SECONDS / 2, "proven at", 0);
        uint256 graceEnd = turn + PROOF_GRACE_SECONDS;
        VM.warp(graceEnd - 1);
        VM.expectRevert(abi.encodeWithSelector(IRollup.ProofNotOverdue.selector, 3, graceEnd, graceEnd - 1));
        rollup.revertBlocks(chain[2], chain[3]);
        VM.warp(graceEnd);
        VM.expectEmit(address(rollup));
        emit IRollup.BlocksReverted(3, 3, chain[3].committer);
        rollup.revertBlocks(chain[2], chain[3]);
    }

    function test_revert_onOnesOwnBlock_hasNoGrace() external {
        _commit(0, 1);
        VM.warp(block.timestamp + 2 hours);
        _commit(0, 1);
        uint256 deadline = chain[2].committedAt + PROOF_DEADLINE_SECONDS;
        VM.warp(deadline - 1);
        _prove(stranger, 1, 1);
        VM.warp(deadline);
        rollup.revertBlocks(chain[1], chain[2]);
    }

    // ---- Exodus ----

    function test_activateExodus_expiry_toTheSecond() external {
        VM.expectRevert(abi.encodeWithSelector(IRollup.QueueNotOverdue.selector, 0, 0, block.timestamp));
        rollup.activateExodus(chain[0]);
        this.depositETH(ALICE, PLAIN);
        uint40 expiry = uint40(queue[0].expiry);
        VM.warp(expiry - 1);
        VM.expectRevert(abi.encodeWithSelector(IRollup.QueueNotOverdue.selector, 0, expiry, expiry - 1));
        rollup.activateExodus(chain[0]);
        VM.warp(expiry);
        Block memory other = chain[0];
        other.newRoot ^= 1;
        VM.expectRevert(
            abi.encodeWithSelector(
                IRollup.BlockHashMismatch.selector, 0, keccak256(abi.encode(chain[0])), keccak256(abi.encode(other))
            )
        );
        rollup.activateExodus(other);
        VM.expectEmit(address(rollup));
        emit IRollup.ExodusActivated(0, chain[0].newRoot, 0);
        rollup.activateExodus(chain[0]);
        _same(rollup.exodusRoot(), chain[0].newRoot, "root", 0);
    }

    function test_exitExodus_outOfRangeOrTwice_isRefused() external {
        _fund();
        this.depositETH(ALICE, PLAIN);
        _beginExodus();
        address owner = actors[ALICE];
        uint256[8] memory none;
        VM.expectRevert(abi.encodeWithSelector(IRollup.AccountOutOfRange.selector, 2 ** 24));
        rollup.exitExodus(2 ** 24, ETH, owner, 5, _proof());
        VM.expectRevert(abi.encodeWithSelector(IRollup.TokenOutOfRange.selector, 2048));
        rollup.exitExodus(1, 2048, owner, 5, _proof());
        VM.expectRevert(abi.encodeWithSelector(IRollup.ZeroExit.selector, 1, ETH));
        rollup.exitExodus(1, ETH, owner, 0, _proof());
        VM.expectRevert(abi.encodeWithSelector(IRollup.InvalidExitProof.selector, 1, ETH));
        rollup.exitExodus(1, ETH, owner, 5, none);
        VM.expectEmit(address(rollup));
        emit IRollup.Exited(1, ETH, owner, 5, address(this));
        rollup.exitExodus(1, ETH, owner, 5, _proof());
        VM.expectRevert(abi.encodeWithSelector(IRollup.AlreadyExited.selector, 1, ETH));
        rollup.exitExodus(1, ETH, owner, 5, _proof());
        _require(rollup.exited(1, ETH) && !rollup.exited(1, 1) && !rollup.exited(2, ETH), "exited", 0);
        rollup.exitExodus(2 ** 24 - 1, 2047, owner, 5, _proof());
        _require(rollup.exited(2 ** 24 - 1, 2047), "exited", 1);
    }

    function test_refundQueued_outsideOfTheRestOrTwice_isRefused() external {
        _fund();
        this.depositERC20(ALICE, 0, PLAIN);
        this.requestFullExit(BOB, 1, ETH, 2);
        _beginExodus();
        uint64 start = uint64(queueTaken);
        VM.expectRevert(abi.encodeWithSelector(IRollup.NotRefundable.selector, start - 1, start, start + 2));
        rollup.refundQueued(start - 1, _record(start - 1, 0));
        VM.expectRevert(abi.encodeWithSelector(IRollup.NotRefundable.selector, start + 2, start, start + 2));
        rollup.refundQueued(start + 2, _record(start, 0));
        (uint128 amount, uint256 feeWei) = (queue[start].amount, uint256(queue[start].feeGwei) * 1 gwei);
        uint256 before = rollup.pending(actors[ALICE], ETH);
        uint256[] memory record = _record(start, 0);
        VM.expectEmit(address(rollup));
        emit IRollup.QueueRefunded(start, actors[ALICE], 1, amount, feeWei);
        rollup.refundQueued(start, record);
        _same(rollup.pending(actors[ALICE], 1), amount, "its amount", 0);
        _same(rollup.pending(actors[ALICE], ETH), before + feeWei, "its fee", 0);
        bytes27 got = bytes27(keccak256(abi.encodePacked(record)));
        VM.expectRevert(abi.encodeWithSelector(IRollup.QueueEntryMismatch.selector, start, bytes27(0), got));
        rollup.refundQueued(start, record);
        rollup.refundQueued(start + 1, _record(start + 1, 0));
    }

    function test_queueEntry_isGoneFromTheViewWhenExecuted() external {
        this.depositETH(ALICE, PLAIN);
        this.depositETH(BOB, PLAIN);
        (bytes27 hash, uint40 expiry) = rollup.queueEntry(0);
        _require(hash == bytes27(keccak256(abi.encodePacked(_record(0, 0)))), "its hash", 0);
        _same(expiry, queue[0].expiry, "its expiry", 0);
        _takeAll();
        (hash, expiry) = rollup.queueEntry(1);
        _require(hash == 0 && expiry == 0, "gone", 1);
        this.depositETH(BOB, PLAIN);
        (hash, expiry) = rollup.queueEntry(2);
        _require(hash != 0 && expiry != 0, "there", 2);
    }

    function test_counters_moveWithTheirBlocks() external {
        this.depositETH(ALICE, PLAIN);
        this.depositETH(BOB, PLAIN);
        _commitQueue();
        this.depositETH(BOB, PLAIN);
        _counters([uint64(1), 0, 0, 3, 2, 0]);
        _prove(stranger, 1, 1);
        _counters([uint64(1), 1, 0, 3, 2, 0]);
        _execute(stranger, 1, 1);
        _counters([uint64(1), 1, 1, 3, 2, 2]);
        _commitQueue();
        _counters([uint64(2), 1, 1, 3, 3, 2]);
        this.revertBlocks(0, 0);
        _counters([uint64(1), 1, 1, 3, 2, 2]);
    }

    // ---- Out ----

    function test_withdraw_boundsOfTheAmount_andItsRecipient() external {
        _fund();
        _leaveL2(1);
        address bob = actors[BOB];
        uint128 most = rollup.pending(bob, 1);
        VM.expectRevert(abi.encodeWithSelector(IRollup.AmountNotPending.selector, bob, 1, most + 1, most));
        VM.prank(bob);
        rollup.withdrawPendingTo(1, stranger, most + 1);
        VM.expectRevert(abi.encodeWithSelector(IRollup.AmountNotPending.selector, bob, 1, 0, most));
        VM.prank(bob);
        rollup.withdrawPendingTo(1, stranger, 0);
        VM.expectRevert(abi.encodeWithSelector(IRollup.InvalidRecipient.selector, address(0)));
        VM.prank(bob);
        rollup.withdrawPendingTo(1, address(0), 1);
        VM.expectRevert(abi.encodeWithSelector(IRollup.InvalidRecipient.selector, address(rollup)));
        VM.prank(bob);
        rollup.withdrawPendingTo(1, address(rollup), 1);
        VM.expectRevert(abi.encodeWithSelector(IRollup.NothingPending.selector, stranger, 1));
        VM.prank(stranger);
        rollup.withdrawPendingTo(1, bob, 1);

        VM.expectEmit(address(rollup));
        emit IRollup.Withdrawn(bob, 1, stranger, 1, bob);
        VM.prank(bob);
        rollup.withdrawPendingTo(1, stranger, 1);
        uint256 before = tokens[1].balanceOf(bob);
        VM.prank(stranger);
        _same(rollup.withdrawPending(bob, 1), most - 1, "the rest", 0);
        _same(tokens[1].balanceOf(bob) - before, most - 1, "paid", 0);
        _same(tokens[1].balanceOf(stranger), 1, "paid to another", 0);
        _same(rollup.pending(bob, 1), 0, "nothing left", 0);
    }

    function test_withdraw_toWhoRefuses_isRefusedWithTheAmount() external {
        _fund();
        _leaveL2(ETH);
        uint256 amount = rollup.pending(address(recipient), ETH);
        recipient.set(Recipient.Mode.Revert, address(0), "");
        VM.expectRevert(abi.encodeWithSelector(IRollup.EthTransferFailed.selector, address(recipient), amount));
        rollup.withdrawPending(address(recipient), ETH);
    }

    function test_withdraw_fromATokenThatTakesMore_isRefusedWithBoth() external {
        _fund();
        Draft memory draft = _open();
        _forcedExit(draft, _accountOf(ALICE), FEE_ON_TOP);
        _finishBlock(draft);
        FeeOnTopToken(address(tokens[FEE_ON_TOP])).setCharging(true);
        uint256 amount = rollup.pending(actors[ALICE], FEE_ON_TOP);
        VM.expectRevert(
            abi.encodeWithSelector(IRollup.OutflowExceedsAmount.selector, FEE_ON_TOP, amount, amount + amount / 100)
        );
        rollup.withdrawPending(actors[ALICE], FEE_ON_TOP);
    }

    // ---- Internal ----

    /// @param expected Blocks committed, proven, executed; entries queued, committed, executed.
    function _counters(uint64[6] memory expected) private view {
        uint64[6] memory found = [
            rollup.committedBlocks(),
            rollup.provenBlocks(),
            rollup.executedBlocks(),
            rollup.queueTotal(),
            rollup.queueCommitted(),
            rollup.queueExecuted()
        ];
        for (uint256 i = 0; i < 6; ++i) {
            _same(found[i], expected[i], "counter", i);
        }
    }
}
