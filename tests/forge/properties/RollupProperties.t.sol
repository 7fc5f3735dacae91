// SPDX-License-Identifier: GPL-3.0-or-later
pragma solidity 0.8.37;

import {Governor} from "../../../contracts/Governor.sol";
import {FIELD_MODULUS, QUEUE_EXPIRY_SECONDS} from "../../../contracts/generated/Constants.sol";
import {Block, IRollup, KeyChange, NewBlock} from "../../../contracts/interfaces/IRollup.sol";
import {AcceptAllExitVerifier} from "../../contracts/sources/AcceptAllExitVerifier.sol";
import {AcceptAllVerifier} from "../../contracts/sources/AcceptAllVerifier.sol";
import {VM} from "../Vm.sol";
import {Opened} from "./Opened.sol";

/// @notice Queue, books, chain and modes of the real contract, for every state and argument named: fuzzed by forge, proved by
/// halmos.
/// forge-config: default.fuzz.runs = 256
/// forge-config: long.fuzz.runs = 100000
contract RollupProperties {
    uint32 private constant FEE_GWEI = 50_000;
    uint256 private constant FEE = uint256(FEE_GWEI) * 1 gwei;
    uint128 private constant CAP = 2 ** 120 - 1;
    address private constant VALIDATOR = address(0x7A11);
    address private constant ALICE = address(0xA11CE);
    address private constant BOB = address(0xB0B);
    uint256 private constant NOW = 1_800_000_000;

    Opened private _rollup;
    Governor private _governor;

    function setUp() external {
        VM.warp(NOW);
        address[] memory validators = new address[](1);
        validators[0] = VALIDATOR;
        _governor = new Governor(address(this), CAP, validators);
        uint16[] memory sizes = new uint16[](1);
        sizes[0] = 8;
        address verifier = address(new AcceptAllVerifier(sizes));
        _rollup = new Opened(address(_governor), verifier, address(new AcceptAllExitVerifier()), FEE_GWEI);
    }

    // ---- Queue ----

    function testFuzz_queueFee_isTheBaseForEachBlockThatIsOpen(uint40 total, uint40 executed) external {
        VM.assume(executed <= total);
        _rollup.setQueue(total, executed, executed);
        uint256 open = uint256(total) - executed;
        assert(_rollup.queueFeeGwei() == FEE_GWEI * (1 + (open >> 8)));
    }

    function testFuzz_enqueue_addsOneEntryAtTheEndAndTouchesNoOther(uint40 total, bytes32 hash, uint40 other) external {
        VM.assume(total < type(uint40).max && other < total);
        _rollup.setQueue(total, 0, 0);
        (bytes27 before, uint40 expiryBefore) = _rollup.queueEntry(other);
        (uint64 index, uint40 expiry) = _rollup.enqueue(hash);
        assert(index == total && _rollup.queueTotal() == uint256(total) + 1 && expiry == NOW + QUEUE_EXPIRY_SECONDS);
        (bytes27 found, uint40 until) = _rollup.queueEntry(index);
        assert(found == bytes27(hash) && until == expiry);
        (found, until) = _rollup.queueEntry(other);
        assert(found == before && until == expiryBefore);
    }

    function testFuzz_enqueue_fullQueue_isRefused(bytes32 hash) external {
        _rollup.setQueue(type(uint40).max, 0, 0);
        assert(!_done(abi.encodeCall(Opened.enqueue, (hash))));
    }

    function testFuzz_requireQueued_passesForItsHashOnly(bytes32 hash, bytes32 other) external {
        (uint64 index,) = _rollup.enqueue(hash);
        bool passes = _done(abi.encodeCall(Opened.requireQueued, (index, other)));
        assert(passes == (bytes27(hash) == bytes27(other)));
    }

    function testFuzz_removeEntry_leavesNothingToRefund(bytes32 hash) external {
        VM.assume(bytes27(hash) != 0);
        (uint64 index,) = _rollup.enqueue(hash);
        _rollup.removeEntry(index);
        assert(!_done(abi.encodeCall(Opened.requireQueued, (index, hash))));
        assert(!_rollup.isOverdue(0));
    }

    function testFuzz_overdue_isFromItsExpiryOn(uint40 expiry, uint40 time) external {
        VM.warp(time);
        assert(_rollup.isOverdue(expiry) == (expiry != 0 && time >= expiry));
    }

    function testFuzz_noneOverdue_holdsUntilTheEntryExpires(bytes32 hash, uint40 time) external {
        (uint64 index, uint40 expiry) = _rollup.enqueue(hash);
        VM.warp(time);
        assert(_done(abi.encodeCall(Opened.requireNoneOverdue, (index))) == (time < expiry));
        assert(_done(abi.encodeCall(Opened.requireNoneOverdue, (index + 1))));
    }

    function testFuzz_queueEntry_executedOnesAreGone(uint40 executed, bytes32 hash) external {
        (uint64 index,) = _rollup.enqueue(hash);
        _rollup.setQueue(1, 1, executed);
        (bytes27 found, uint40 expiry) = _rollup.queueEntry(index);
        assert(executed > 0 ? found == 0 && expiry == 0 : found == bytes27(hash) && expiry != 0);
    }

    // ---- Books ----

    function testFuzz_credit_addsToOneOwnersTokenOnly(uint128 had, uint128 amount, address other, uint16 token)
        external
    {
        VM.assume(other != ALICE || token != 1);
        _rollup.setPending(ALICE, 1, had);
        uint128 before = _rollup.pending(other, token);
        bool done = _done(abi.encodeCall(Opened.credit, (ALICE, 1, amount)));
        assert(done == (uint256(had) + amount <= type(uint128).max));
        assert(_rollup.pending(ALICE, 1) == (done ? had + amount : had));
        assert(_rollup.pending(other, token) == before);
    }

    function testFuzz_withdrawPendingTo_paysWhatIsOwedAndNoMore(uint128 owed, uint128 amount, uint128 others) external {
        uint256 held = uint256(owed) + others;
        _rollup.setPending(ALICE, 0, owed);
        _rollup.setPending(BOB, 0, others);
        _rollup.setAccounted(0, held);
        VM.deal(address(_rollup), held);
        VM.prank(ALICE);
        bool done = _done(abi.encodeCall(IRollup.withdrawPendingTo, (0, BOB, amount)));
        assert(done == (amount > 0 && amount <= owed));
        uint256 paid = done ? amount : 0;
        assert(_rollup.pending(ALICE, 0) == owed - paid && _rollup.pending(BOB, 0) == others);
        assert(_rollup.accounted(0) == held - paid && address(_rollup).balance == held - paid);
    }

    function testFuzz_withdrawPending_byAnyonePaysTheOwner(address caller, uint128 owed) external {
        VM.assume(owed > 0);
        _rollup.setPending(ALICE, 0, owed);
        _rollup.setAccounted(0, owed);
        VM.deal(address(_rollup), owed);
        uint256 before = ALICE.balance;
        VM.prank(caller);
        assert(_rollup.withdrawPending(ALICE, 0) == owed);
        assert(ALICE.balance == before + owed && _rollup.pending(ALICE, 0) == 0 && _rollup.accounted(0) == 0);
    }

    function testFuzz_depositETH_accountsForAllThatCame(uint128 amount, uint128 value, uint120 accounted) external {
        _rollup.setAccounted(0, accounted);
        VM.deal(address(this), value);
        (bool done,) = address(_rollup).call{value: value}(abi.encodeCall(IRollup.depositETH, (amount, BOB, 0, 0)));
        uint256 fees = value >= amount ? value - amount : 0;
        bool paid = value >= amount && fees >= FEE && fees <= 2 * FEE;
        assert(done == (paid && amount > 0 && uint256(accounted) + amount <= CAP));
        assert(_rollup.accounted(0) == uint256(accounted) + (done ? value : 0));
        assert(_rollup.pending(address(this), 0) == (done ? fees - FEE : 0));
        assert(_rollup.queueTotal() == (done ? 1 : 0));
    }

    // ---- Chain ----

    function testFuzz_blockHash_beyondTheLastIsNone(uint32 committed, uint32 proven, uint64 number, bytes32 hash)
        external
    {
        VM.assume(proven <= committed);
        _rollup.setChain(false, committed, proven, 0);
        _rollup.setHash(number, hash);
        assert(_rollup.committedBlocks() == committed && _rollup.provenBlocks() == proven);
        assert(_rollup.blockHash(number) == (number > committed ? bytes32(0) : hash));
        _rollup.dropUnproven();
        assert(_rollup.committedBlocks() == proven && _rollup.provenBlocks() == proven);
        assert(_rollup.blockHash(number) == (number > proven ? bytes32(0) : hash));
    }

    function testFuzz_stored_isTheOneBlockOnly(
        uint256 newRoot,
        uint64 queueEnd,
        uint40 committedAt,
        uint256 otherRoot,
        uint64 otherEnd,
        uint40 otherTime
    ) external {
        Block memory block_ = _rollup.genesisBlock();
        (block_.newRoot, block_.queueEnd, block_.committedAt) = (newRoot, queueEnd, committedAt);
        _rollup.setHash(0, keccak256(abi.encode(block_)));
        bool same = otherRoot == newRoot && otherEnd == queueEnd && otherTime == committedAt;
        (block_.newRoot, block_.queueEnd, block_.committedAt) = (otherRoot, otherEnd, otherTime);
        assert(_done(abi.encodeCall(Opened.requireStored, (block_))) == same);
        assert(_rollup.verifyBlock(block_) == same);
    }

    /// @notice Whatever a validator commits: root and commitment are words, the fee account is in the tree, the time in its window.
    function testFuzz_commit_takesWordsAndFieldsInRangeOnly(
        bytes32 newRoot,
        bytes32 commitment,
        uint32 feeAccount,
        uint64 timestamp
    ) external {
        NewBlock[] memory blocks = new NewBlock[](1);
        blocks[0] = NewBlock(8, timestamp, newRoot, feeAccount, 0, commitment, "", "", "");
        bytes memory data = abi.encodeCall(IRollup.commitBlocks, (_rollup.genesisBlock(), blocks, ""));
        VM.prank(VALIDATOR, VALIDATOR);
        bool done = _done(data);
        bool words = uint256(newRoot) < FIELD_MODULUS && uint256(commitment) < FIELD_MODULUS;
        bool inTime = timestamp >= NOW - 1 days && timestamp <= NOW + 15 minutes;
        assert(done == (words && feeAccount < 2 ** 24 && inTime));
        assert(_rollup.committedBlocks() == (done ? 1 : 0));
    }

    function testFuzz_header_fieldsShareNoBit(
        uint32 number,
        uint40 timestamp,
        uint40 queueStart,
        uint16 queueCount,
        uint24 chunks,
        uint96 feeTokens
    ) external view {
        chunks &= 2 ** 20 - 1;
        (Block memory block_, Block memory parent, NewBlock memory published) = _blocks();
        (block_.number, block_.timestamp, block_.source, block_.blockSize) = (number, timestamp, 1, 35);
        (parent.queueEnd, block_.queueEnd) = (queueStart, uint64(queueStart) + queueCount);
        (block_.chunkEnd, published.feeTokens, published.feeAccount) = (chunks, feeTokens, 2 ** 24 - 1);
        uint256[5] memory words = _rollup.headerWords(block_, parent, published);
        assert(words[0] == (block.chainid << 160 | uint160(address(_rollup))));
        assert(_low20(words[1] >> 20) == chunks && uint16(words[1] >> 40) == queueCount);
        assert(uint40(words[1] >> 56) == queueStart && uint40(words[1] >> 96) == timestamp);
        assert(uint32(words[1] >> 136) == number && uint16(words[1] >> 168) == 35 && words[1] >> 184 == 1);
        assert(uint96(words[4]) == feeTokens && words[4] >> 96 == 2 ** 24 - 1 && words[1] < FIELD_MODULUS);
    }

    // ---- Who, and when ----

    function testFuzz_commit_byAnyoneButAValidator_isRefused(address sender, address origin) external {
        VM.assume(sender != VALIDATOR || origin != VALIDATOR);
        NewBlock[] memory blocks = new NewBlock[](1);
        blocks[0] = NewBlock(8, uint64(NOW), bytes32(uint256(1)), 0, 0, bytes32(uint256(1)), "", "", "");
        bytes memory data = abi.encodeCall(IRollup.commitBlocks, (_rollup.genesisBlock(), blocks, ""));
        VM.prank(sender, origin);
        assert(!_done(data));
        assert(_rollup.committedBlocks() == 0);
    }

    function testFuzz_approveKeyChange_inRangeAndForItsSenderOnly(
        uint32 account,
        uint16 feeToken,
        address sender,
        address other
    ) external {
        // A point of small order is on the curve: (0, 1).
        KeyChange memory change = KeyChange(account, 7, 0, 1, feeToken, 5, 9);
        bytes32 digest = _rollup.keyChangeDigest(change);
        VM.prank(sender);
        bool done = _done(abi.encodeCall(IRollup.approveKeyChange, (change)));
        assert(done == (account < 2 ** 24 && feeToken < 2048));
        assert(_rollup.keyChangeApproved(other, digest) == (done && other == sender));
    }

    function testFuzz_requestFullExit_inRangeAndPaidOnly(uint32 account, uint16 token, uint128 value) external {
        _rollup.setQueue(1, 0, 0);
        VM.deal(address(this), value);
        bytes memory data = abi.encodeCall(IRollup.requestFullExit, (account, token));
        (bool done,) = address(_rollup).call{value: value}(data);
        assert(done == (account < 2 ** 24 && token < 2048 && value >= FEE && value <= 2 * FEE));
        assert(_rollup.queueTotal() == (done ? 2 : 1));
    }

    function testFuzz_exodus_shutsTheQueue(uint32 account, uint16 token, uint128 amount, uint256 value) external {
        _rollup.setQueue(1, 0, 0);
        _rollup.setChain(true, 0, 0, 0);
        VM.deal(address(this), value);
        bytes memory exit = abi.encodeCall(IRollup.requestFullExit, (account, token));
        (bool done,) = address(_rollup).call{value: value}(exit);
        assert(!done);
        (done,) = address(_rollup).call{value: value}(abi.encodeCall(IRollup.depositETH, (amount, BOB, 0, 0)));
        assert(!done);
        (done,) = address(_rollup).call(abi.encodeCall(IRollup.depositERC20, (token, amount, BOB, 0, 0)));
        assert(!done);
        assert(_rollup.queueTotal() == 1 && _rollup.accounted(0) == 0);
    }

    function testFuzz_exitExodus_paysOnePlaceOnceAndNoOther(
        uint32 account,
        uint16 token,
        uint128 amount,
        uint24 otherAccount,
        uint16 otherToken
    ) external {
        VM.assume(account != otherAccount || token != otherToken);
        otherToken &= 2047;
        VM.assume(account != otherAccount || token != otherToken);
        _rollup.setChain(true, 0, 0, 0);
        uint256[8] memory proof;
        proof[0] = 1;
        bytes memory data = abi.encodeCall(IRollup.exitExodus, (account, token, ALICE, amount, proof));
        bool done = _done(data);
        assert(done == (account < 2 ** 24 && token < 2048 && amount > 0));
        assert(_rollup.pending(ALICE, token) == (done ? amount : 0));
        assert(!done || _rollup.exited(account, token));
        assert(!_rollup.exited(otherAccount, otherToken));
        assert(!_done(data));
    }

    function testFuzz_exitExodus_inNormalMode_isRefused(uint32 account, uint16 token, uint128 amount, address owner)
        external
    {
        uint256[8] memory proof;
        proof[0] = 1;
        assert(!_done(abi.encodeCall(IRollup.exitExodus, (account, token, owner, amount, proof))));
        assert(_rollup.pending(owner, token) == 0);
    }

    // ---- Internal ----

    function _done(bytes memory data) private returns (bool done) {
        (done,) = address(_rollup).call(data);
    }

    function _blocks() private pure returns (Block memory block_, Block memory parent, NewBlock memory published) {}

    function _low20(uint256 word) private pure returns (uint256) {
        return word & (2 ** 20 - 1);
    }
}
