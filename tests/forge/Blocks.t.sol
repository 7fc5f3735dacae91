// SPDX-License-Identifier: GPL-3.0-or-later
pragma solidity 0.8.37;

import {
    FIELD_MODULUS,
    FLAG_REFUSED,
    MAX_L1_OPERATIONS_PER_BLOCK,
    MAX_TIMESTAMP_AHEAD_SECONDS,
    MAX_TIMESTAMP_BEHIND_SECONDS,
    OP_CHANGE_PUB_KEY,
    OP_DEPOSIT,
    OP_FORCED_EXIT,
    OP_WITHDRAW
} from "../../contracts/generated/Constants.sol";
import {Block, IRollup, KeyChange, NewBlock} from "../../contracts/interfaces/IRollup.sol";
import {Page} from "./Page.sol";
import {Scene} from "./Scene.sol";
import {VM} from "./Vm.sol";

/// @notice What a committed block may be: each bound from both sides, each refusal with its values.
contract BlocksTest is Scene {
    function test_commit_bySuspendedCommitter_isRefused() external {
        _commit(0, 1);
        address committer = chain[1].committer;
        this.revertBlocks(0, 0);
        bytes memory expected = abi.encodeWithSelector(IRollup.CommitterSuspended.selector, committer);
        NewBlock[] memory blocks = new NewBlock[](1);
        blocks[0] = _new();
        VM.expectRevert(expected);
        VM.prank(committer, committer);
        rollup.commitBlocks(_last(), blocks, "");
        VM.expectRevert(expected);
        VM.prank(committer, committer);
        rollup.commitProveExecute(_last(), blocks[0], _proof(), "");
    }

    function test_commit_byAnAccountWithCode_isRefused() external {
        address validator = _validator(0);
        NewBlock[] memory blocks = new NewBlock[](1);
        blocks[0] = _new();
        VM.etch(validator, abi.encodePacked(hex"ef0100", address(this)));
        VM.expectRevert(abi.encodeWithSelector(IRollup.NotADirectCall.selector, validator, validator));
        VM.prank(validator, validator);
        rollup.commitBlocks(_last(), blocks, "");
    }

    function test_commit_feeAccountAtTheEndOfTheTree_isDoneAndBeyondRefused() external {
        NewBlock memory published = _new();
        published.feeAccount = 2 ** 24;
        _refuseNew(published, abi.encodeWithSelector(IRollup.AccountOutOfRange.selector, 2 ** 24));
        published.feeAccount = 2 ** 24 - 1;
        _send(published);
    }

    function test_commit_rootOrCommitmentFromR_isRefused() external {
        NewBlock memory published = _new();
        published.newRoot = bytes32(FIELD_MODULUS);
        _refuseNew(published, abi.encodeWithSelector(IRollup.NotAWord.selector, FIELD_MODULUS));
        published.newRoot = bytes32(FIELD_MODULUS - 1);
        published.commitment = bytes32(FIELD_MODULUS + 1);
        _refuseNew(published, abi.encodeWithSelector(IRollup.NotAWord.selector, FIELD_MODULUS + 1));
        published.commitment = bytes32(FIELD_MODULUS - 1);
        _send(published);
    }

    function test_commit_timestampAtTheWindowsEnds_isDoneAndBeyondRefused() external {
        uint64 latest = uint64(block.timestamp + MAX_TIMESTAMP_AHEAD_SECONDS);
        uint64 earliest = uint64(block.timestamp - MAX_TIMESTAMP_BEHIND_SECONDS);
        NewBlock memory published = _new();
        published.timestamp = earliest - 1;
        _refuseNew(published, _timestampRefusal(earliest - 1, earliest, latest));
        published.timestamp = latest + 1;
        _refuseNew(published, _timestampRefusal(latest + 1, earliest, latest));
        published.timestamp = earliest;
        _sendAndFollow(published);
        published.timestamp = latest;
        _sendAndFollow(published);
        published.timestamp = latest - 1;
        _refuseNew(published, _timestampRefusal(latest - 1, latest, latest));
    }

    function test_commit_streamsOfHalfAPart_areRefused() external {
        NewBlock memory published = _new();
        published.l2 = new bytes(16);
        _refuseNew(published, abi.encodeWithSelector(IRollup.L2StreamLength.selector, 16));
        _refuseL1(new bytes(33), abi.encodeWithSelector(IRollup.L1StreamLength.selector, 33));
        bytes memory withdrawal = _withdrawal();
        bytes memory oneWordMore = bytes.concat(withdrawal, withdrawal, bytes32(OP_WITHDRAW << 200));
        _refuseL1(oneWordMore, abi.encodeWithSelector(IRollup.L1StreamLength.selector, 160));
    }

    function test_commit_mostL1Operations_areTakenAndOneMoreRefused() external {
        bytes memory records = "";
        for (uint256 i = 0; i < MAX_L1_OPERATIONS_PER_BLOCK; ++i) {
            records = bytes.concat(records, _withdrawal());
        }
        bytes memory refusal = abi.encodeWithSelector(IRollup.TooManyL1Operations.selector, MAX_L1_OPERATIONS_PER_BLOCK);
        _refuseL1(bytes.concat(records, _withdrawal()), refusal);
        _send(_withL1(records));
    }

    function test_commit_unknownOperation_isRefusedWhereItStands() external {
        bytes memory withdrawal = _withdrawal();
        for (uint256 op = 0; op < 16; ++op) {
            if (op == 1 || op == 2 || op == 5 || op == 6 || op == 7) continue;
            uint256 w0 = Page.word0(op, 0, 1, ETH, stranger);
            bytes memory l1 = bytes.concat(withdrawal, abi.encode(w0, 0, 0, 0));
            _refuseL1(l1, abi.encodeWithSelector(IRollup.UnknownOperation.selector, 2, w0));
        }
        // A bit above the operation's four: the word might be r or more.
        uint256 high = 1 << 204 | Page.word0(OP_WITHDRAW, 0, 1, ETH, stranger);
        _refuseL1(
            bytes.concat(withdrawal, abi.encode(high, 0)),
            abi.encodeWithSelector(IRollup.UnknownOperation.selector, 2, high)
        );
    }

    function test_commit_recordWithMoreThanItsFields_isRefused() external {
        bytes memory malformed = abi.encodeWithSelector(IRollup.MalformedRecord.selector, 2);
        uint256[2] memory ops = [OP_WITHDRAW, OP_FORCED_EXIT];
        for (uint256 i = 0; i < ops.length; ++i) {
            uint256 w0 = Page.word0(ops[i], 0, 1, ETH, stranger);
            for (uint256 flag = 1; flag < 16; flag <<= 1) {
                _refuseL1(bytes.concat(_withdrawal(), abi.encode(w0 | flag << 196, 5)), malformed);
            }
            _refuseL1(bytes.concat(_withdrawal(), abi.encode(w0, 1 << 128)), malformed);
            _refuseL1(bytes.concat(_withdrawal(), abi.encode(w0, 1 << 255)), malformed);
        }
    }

    function test_commit_keyChangeWithMoreThanItsFields_isRefused() external {
        bytes memory malformed = abi.encodeWithSelector(IRollup.MalformedRecord.selector, 0);
        uint256 w0 = Page.word0(OP_CHANGE_PUB_KEY, 0, 1, ETH, actors[ALICE]);
        for (uint256 flag = 1; flag < 16; flag <<= 1) {
            _refuseL1(abi.encode(w0 | flag << 196, 0, KEY_X, KEY_Y), malformed);
        }
        _refuseL1(abi.encode(w0, 1 << (128 + 32), KEY_X, KEY_Y), malformed);
    }

    function test_commit_keyChangeOffTheCurve_isRefused() external {
        uint256 w0 = Page.word0(OP_CHANGE_PUB_KEY, 0, 1, ETH, actors[ALICE]);
        _refuseL1(abi.encode(w0, 0, KEY_X, 1), abi.encodeWithSelector(IRollup.KeyNotOnCurve.selector, KEY_X, 1));
        uint256 aliased = KEY_X + FIELD_MODULUS;
        _refuseL1(
            abi.encode(w0, 0, aliased, KEY_Y), abi.encodeWithSelector(IRollup.KeyNotOnCurve.selector, aliased, KEY_Y)
        );
    }

    function test_commit_keyChangesByEachWay_areDoneAndTheirAuthorisationsCounted() external {
        KeyChange memory first = KeyChange(1, type(uint32).max, KEY_X, KEY_Y, 3, 5, uint40(block.timestamp));
        KeyChange memory second = KeyChange(2, 0, KEY_X, KEY_Y, 0, 0, type(uint40).max);
        VM.prank(actors[BOB]);
        rollup.approveKeyChange(second);
        NewBlock memory published = _new();
        published.timestamp = uint64(block.timestamp);
        published.l1 = bytes.concat(
            abi.encode(Page.word0(OP_CHANGE_PUB_KEY, 0, 1, 3, actors[ALICE]), uint256(2 ** 32 - 1) << 128 | 5),
            abi.encode(KEY_X, KEY_Y),
            abi.encode(Page.word0(OP_CHANGE_PUB_KEY, 0, 2, 0, actors[BOB]), 0, KEY_X, KEY_Y)
        );
        bytes memory auths = bytes.concat(_signed(1, first), bytes32(0), bytes32(0), hex"00", bytes5(second.validUntil));
        published.keyAuth = bytes.concat(auths, hex"00");
        _refuseNew(published, abi.encodeWithSelector(IRollup.KeyAuthLength.selector, 140, 141));
        published.keyAuth = _signed(1, first);
        _refuseNew(published, abi.encodeWithSelector(IRollup.KeyAuthLength.selector, 140, 70));
        published.timestamp += 1;
        _refuseNew(
            published,
            abi.encodeWithSelector(IRollup.KeyChangeExpired.selector, 1, block.timestamp, block.timestamp + 1)
        );
        published.timestamp -= 1;
        published.keyAuth = auths;
        _send(published);
    }

    function test_commit_keyAuthsWithoutAKeyChange_areRefused() external {
        NewBlock memory published = _new();
        published.keyAuth = hex"00";
        _refuseNew(published, abi.encodeWithSelector(IRollup.KeyAuthLength.selector, 0, 1));
    }

    /// @dev ecrecover answers 0 then, which no owner is: not even the owner 0.
    function test_commit_keyChangeOfTheOwnerZero_isRefused() external {
        NewBlock memory published =
            _withL1(abi.encode(Page.word0(OP_CHANGE_PUB_KEY, 0, 1, ETH, address(0)), 0, KEY_X, KEY_Y));
        KeyChange memory change = KeyChange(1, 0, KEY_X, KEY_Y, 0, 0, type(uint40).max);
        bytes32 digest = rollup.keyChangeDigest(change);
        published.keyAuth = abi.encodePacked(uint256(1), uint256(1), uint8(1), type(uint40).max);
        _refuseNew(
            published, abi.encodeWithSelector(IRollup.KeyChangeNotSigned.selector, address(0), address(0), digest)
        );
    }

    /// @dev All three parts zero ask for a stored approval; any one of them set, and it's a signature.
    function test_commit_keyAuthPartlyZero_isASignature() external {
        KeyChange memory change = KeyChange(1, 0, KEY_X, KEY_Y, 0, 0, type(uint40).max);
        VM.prank(actors[ALICE]);
        bytes32 digest = rollup.approveKeyChange(change);
        NewBlock memory published =
            _withL1(abi.encode(Page.word0(OP_CHANGE_PUB_KEY, 0, 1, ETH, actors[ALICE]), 0, KEY_X, KEY_Y));
        bytes memory refusal =
            abi.encodeWithSelector(IRollup.KeyChangeNotSigned.selector, actors[ALICE], address(0), digest);
        published.keyAuth = abi.encodePacked(uint256(1), uint256(0), uint8(0), type(uint40).max);
        _refuseNew(published, refusal);
        published.keyAuth = abi.encodePacked(uint256(0), uint256(1), uint8(0), type(uint40).max);
        _refuseNew(published, refusal);
        published.keyAuth = abi.encodePacked(uint256(0), uint256(0), uint8(27), type(uint40).max);
        _refuseNew(published, refusal);
        published.keyAuth = abi.encodePacked(uint256(0), uint256(0), uint8(0), type(uint40).max);
        _send(published);
    }

    function test_commit_depositOfAnotherOrder_isRefusedWithBothHashes() external {
        this.depositETH(ALICE, PLAIN);
        bytes memory record = abi.encode(Page.word0(OP_DEPOSIT, FLAG_REFUSED, 0, ETH, stranger), 1, 0, 0);
        bytes27 expected = bytes27(keccak256(abi.encodePacked(_record(0, 0))));
        bytes27 got = bytes27(keccak256(abi.encode(Page.word0(OP_DEPOSIT, 0, 0, ETH, stranger), 1, 0, 0)));
        _refuseL1(record, abi.encodeWithSelector(IRollup.QueueEntryMismatch.selector, 0, expected, got));
        // Nothing of the first, and then an entry that is not there.
        bytes memory twice = bytes.concat(abi.encodePacked(_record(0, FLAG_REFUSED)), record);
        _refuseL1(twice, abi.encodeWithSelector(IRollup.QueueEntryMismatch.selector, 1, bytes27(0), got));
    }

    function test_commit_onAnotherParent_isRefusedWithBothHashes() external {
        _commit(0, 2);
        (Block memory parent, NewBlock[] memory blocks) = (_last(), new NewBlock[](1));
        blocks[0] = _new();
        bytes32 stored = keccak256(abi.encode(parent));
        parent.chunkEnd += 1;
        VM.expectRevert(
            abi.encodeWithSelector(IRollup.BlockHashMismatch.selector, 2, stored, keccak256(abi.encode(parent)))
        );
        _asValidator();
        rollup.commitBlocks(parent, blocks, "");
        VM.expectRevert(abi.encodeWithSelector(IRollup.BlockOutOfOrder.selector, 2, 1));
        _asValidator();
        rollup.commitBlocks(chain[1], blocks, "");
    }

    function test_commitProveExecute_withATailOrAWrongProof_isRefused() external {
        (Block memory parent, NewBlock memory published) = (_last(), _new());
        uint256[8] memory none;
        VM.expectRevert(abi.encodeWithSelector(IRollup.InvalidProof.selector, 1, 1));
        _asValidator();
        rollup.commitProveExecute(parent, published, none, "");
        bytes memory data = abi.encodeCall(IRollup.commitProveExecute, (parent, published, _proof(), ""));
        address validator = _validator(0);
        _refuseFrom(
            validator, validator, bytes.concat(data, hex"00"), IRollup.CalldataNotCanonical.selector, "with a tail"
        );
    }

    // ---- Internal ----

    function _sendAndFollow(NewBlock memory published) private {
        Block memory next = Page.follow(_last(), published, _domain(), 0);
        (next.committer, next.validatorSet, next.committedAt) =
        (_validator(0), governor.validatorSet(), uint40(block.timestamp));
        _send(published);
        chain.push(next);
        _same(uint256(rollup.blockHash(next.number)), uint256(keccak256(abi.encode(next))), "stored", next.number);
    }

    function _withdrawal() private view returns (bytes memory) {
        return abi.encode(Page.word0(OP_WITHDRAW, 0, 1, ETH, stranger), 5);
    }

    function _timestampRefusal(uint64 timestamp, uint64 earliest, uint64 latest) private pure returns (bytes memory) {
        return abi.encodeWithSelector(IRollup.TimestampOutOfRange.selector, timestamp, earliest, latest);
    }
}
