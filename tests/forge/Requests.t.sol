// SPDX-License-Identifier: GPL-3.0-or-later
pragma solidity 0.8.37;

import {OP_CHANGE_PUB_KEY, QUEUE_EXPIRY_SECONDS} from "../../contracts/generated/Constants.sol";
import {Block, IRollup, KeyChange, NewBlock} from "../../contracts/interfaces/IRollup.sol";
import {Page} from "./Page.sol";
import {Scene} from "./Scene.sol";
import {VM} from "./Vm.sol";

/// @notice What is asked of the rollup and refused for its form, its sender or the mode; what is done, with its event.
contract RequestsTest is Scene {
    function setUp() external {
        VM.deal(address(this), 2 ** 120);
    }

    function test_deposit_ownerOrKeyThatMayNotBe_isRefused() external {
        uint256 fee = rollup.queueFee();
        VM.expectRevert(abi.encodeWithSelector(IRollup.InvalidOwner.selector, address(0)));
        rollup.depositETH{value: 5 + fee}(5, address(0), 0, 0);
        VM.expectRevert(abi.encodeWithSelector(IRollup.InvalidOwner.selector, address(rollup)));
        rollup.depositERC20{value: fee}(1, 5, address(rollup), 0, 0);
        bytes memory notHis = abi.encodeWithSelector(IRollup.KeyNotByOwner.selector, stranger, address(this));
        VM.expectRevert(notHis);
        rollup.depositETH{value: 5 + fee}(5, stranger, KEY_X, KEY_Y);
        VM.expectRevert(notHis);
        rollup.depositETH{value: 5 + fee}(5, stranger, 0, 1);
        VM.expectRevert(notHis);
        rollup.depositETH{value: 5 + fee}(5, stranger, 1, 0);
        VM.expectRevert(abi.encodeWithSelector(IRollup.KeyNotOnCurve.selector, KEY_X, KEY_Y + 1));
        rollup.depositETH{value: 5 + fee}(5, address(this), KEY_X, KEY_Y + 1);
        VM.expectRevert(abi.encodeWithSelector(IRollup.NotAnErc20.selector, ETH));
        rollup.depositERC20{value: fee}(ETH, 5, stranger, 0, 0);
    }

    function test_deposit_paused_isRefusedUntilItIsNot() external {
        uint256 fee = rollup.queueFee();
        governor.setDepositsPaused(ETH, true);
        governor.setDepositsPaused(1, true);
        VM.expectRevert(abi.encodeWithSelector(IRollup.DepositsPaused.selector, ETH));
        rollup.depositETH{value: 5 + fee}(5, stranger, 0, 0);
        VM.expectRevert(abi.encodeWithSelector(IRollup.DepositsPaused.selector, 1));
        rollup.depositERC20{value: fee}(1, 5, stranger, 0, 0);
        governor.setDepositsPaused(ETH, false);
        rollup.depositETH{value: 5 + fee}(5, stranger, 0, 0);
    }

    function test_deposit_done_isQueuedAsItsEventSays() external {
        uint256 fee = rollup.queueFee();
        uint64 feeGwei = uint64(fee / 1 gwei);
        uint40 expiry = uint40(block.timestamp + QUEUE_EXPIRY_SECONDS);
        uint256 w1 = uint256(feeGwei) << 128 | 5;
        uint256[4] memory record = [Page.word0(1, 1, 0, ETH, address(this)), w1, KEY_X, KEY_Y];
        VM.expectEmit(address(rollup));
        emit IRollup.PendingCredited(address(this), ETH, 3);
        VM.expectEmit(address(rollup));
        emit IRollup.DepositQueued(0, address(this), ETH, address(this), 5, feeGwei, expiry, record);
        rollup.depositETH{value: 5 + fee + 3}(5, address(this), KEY_X, KEY_Y);

        tokens[1].mint(address(this), 7);
        tokens[1].approve(address(rollup), 7);
        record = [Page.word0(1, 0, 0, 1, stranger), uint256(feeGwei) << 128 | 7, 0, 0];
        VM.expectEmit(address(rollup));
        emit IRollup.DepositQueued(1, stranger, 1, address(this), 7, feeGwei, expiry, record);
        _same(rollup.depositERC20{value: fee}(1, 7, stranger, 0, 0), 1, "index", 1);

        uint256[2] memory exit = [Page.word0(2, 0, 9, 1, address(this)), uint256(feeGwei) << 128];
        VM.expectEmit(address(rollup));
        emit IRollup.FullExitQueued(2, address(this), 1, 9, feeGwei, expiry, exit);
        _same(rollup.requestFullExit{value: fee}(9, 1), 2, "index", 2);
        (bytes27 hash, uint40 until) = rollup.queueEntry(2);
        _require(hash == bytes27(keccak256(abi.encode(exit))) && until == expiry, "entry", 2);
        _same(rollup.queueTotal(), 3, "total", 0);
    }

    function test_requestFullExit_beforeADepositOrOutOfRange_isRefused() external {
        uint256 fee = rollup.queueFee();
        VM.expectRevert(IRollup.NoDepositYet.selector);
        rollup.requestFullExit{value: fee}(1, ETH);
        this.depositETH(ALICE, PLAIN);
        VM.expectRevert(abi.encodeWithSelector(IRollup.AccountOutOfRange.selector, 2 ** 24));
        rollup.requestFullExit{value: fee}(2 ** 24, ETH);
        VM.expectRevert(abi.encodeWithSelector(IRollup.TokenOutOfRange.selector, 2048));
        rollup.requestFullExit{value: fee}(1, 2048);
        rollup.requestFullExit{value: fee}(2 ** 24 - 1, 2047);
    }

    function test_approveKeyChange_isStoredForItsSenderAlone() external {
        KeyChange memory change = KeyChange(1, 2, KEY_X, KEY_Y, 3, 4, 5);
        bytes32 domain = keccak256(
            abi.encode(
                keccak256("EIP712Domain(string name,string version,uint256 chainId,address verifyingContract)"),
                keccak256("Sluice"),
                keccak256("1"),
                block.chainid,
                address(rollup)
            )
        );
        bytes32 type_ = keccak256(
            "ChangePubKey(uint32 accountId,uint32 nonce,uint256 ax,uint256 ay,uint16 feeToken,uint128 fee,uint40 validUntil)"
        );
        bytes32 digest = keccak256(abi.encodePacked(hex"1901", domain, keccak256(abi.encode(type_, change))));
        VM.expectEmit(address(rollup));
        emit IRollup.KeyChangeApproved(address(this), digest, change);
        _require(rollup.approveKeyChange(change) == digest, "digest", 0);
        _require(rollup.keyChangeDigest(change) == digest, "digest", 1);
        _require(rollup.keyChangeApproved(address(this), digest), "approved", 0);
        _require(!rollup.keyChangeApproved(stranger, digest), "approved by nobody else", 0);
    }

    function test_commit_keyChangeThatNobodyApproved_isRefused() external {
        KeyChange memory change = KeyChange(1, 0, KEY_X, KEY_Y, 0, 0, type(uint40).max);
        NewBlock memory published =
            _withL1(abi.encode(Page.word0(OP_CHANGE_PUB_KEY, 0, 1, ETH, actors[ALICE]), 0, KEY_X, KEY_Y));
        published.keyAuth = bytes.concat(new bytes(65), bytes5(change.validUntil));
        bytes32 digest = rollup.keyChangeDigest(change);
        _refuseNew(published, abi.encodeWithSelector(IRollup.KeyChangeNotApproved.selector, actors[ALICE], digest));
        published.keyAuth = _signed(2, change);
        _refuseNew(
            published, abi.encodeWithSelector(IRollup.KeyChangeNotSigned.selector, actors[ALICE], actors[BOB], digest)
        );
    }

    function test_commit_ofNothingOrWithATailOrUnknownSize_isRefused() external {
        Block memory parent = _last();
        VM.expectRevert(IRollup.NoBlocks.selector);
        _asValidator();
        rollup.commitBlocks(parent, new NewBlock[](0), "");
        NewBlock memory published = _new();
        published.blockSize = 9;
        _refuseNew(published, abi.encodeWithSelector(IRollup.BlockSizeUnsupported.selector, 9));
        NewBlock[] memory blocks = new NewBlock[](1);
        blocks[0] = _new();
        address validator = _validator(0);
        bytes memory data = abi.encodeCall(IRollup.commitBlocks, (parent, blocks, ""));
        bytes4 error_ = IRollup.CalldataNotCanonical.selector;
        _refuseFrom(validator, validator, bytes.concat(data, hex"00"), error_, "with a tail");
    }

    function test_commit_emitsItsBlocks_thenTheirProofAndExecution() external {
        Block memory next = Page.follow(_last(), _new(), _domain(), 0);
        next.committer = _validator(0);
        (next.validatorSet, next.committedAt) = (governor.validatorSet(), uint40(block.timestamp));
        bytes32 hash = keccak256(abi.encode(next));
        (Block memory parent, NewBlock memory published) = (_last(), _new());
        VM.expectEmit(address(rollup));
        emit IRollup.BlockCommitted(1, hash, next.committer, next.validatorSet, next.committedAt);
        VM.expectEmit(address(rollup));
        emit IRollup.BlockProven(1, hash);
        VM.expectEmit(address(rollup));
        emit IRollup.BlockExecuted(1, hash, next.committer);
        _asValidator();
        rollup.commitProveExecute(parent, published, _proof(), "");
        _require(rollup.verifyBlock(next), "stored", 1);
        _same(rollup.executedBlocks(), 1, "executed", 1);
        next.committedAt += 1;
        _require(!rollup.verifyBlock(next), "another is not", 1);
    }

    function test_execute_creditsWhatTheRecordsSay_andTheFeesToTheCommitter() external {
        this.depositETH(ALICE, PLAIN);
        this.depositERC20(BOB, 0, PLAIN);
        this.requestFullExit(ALICE, 1, ETH, 2);
        this.depositERC20(BOB, 1, PLAIN);
        Draft memory draft = _open();
        _takeQueued(draft, false);
        _takeQueued(draft, true);
        _takeQueued(draft, false);
        _takeQueued(draft, false);
        address committer = _validator(0);
        uint256 fees = 4 * rollup.queueFee();
        _finishBlock(draft);
        _same(rollup.pending(committer, ETH), fees, "fees", 0);
        _same(rollup.pending(actors[BOB], 1), queue[1].amount, "refused deposit", 0);
        _same(rollup.pending(actors[BOB], 2), 0, "accepted deposit", 0);
        _same(rollup.queueExecuted(), 4, "executed", 0);
        _same(rollup.queueFee() * 4, fees, "fee", 0);
        this.finish();
    }

    function test_prove_ofWhatIsProven_isNothing() external {
        _commit(0, 1);
        _prove(stranger, 1, 1);
        (Block[] memory blocks, uint256[8][] memory proofs) = (new Block[](1), new uint256[8][](1));
        blocks[0] = chain[1];
        rollup.proveBlocks(blocks, proofs);
        rollup.proveBlocks(new Block[](0), new uint256[8][](0));
        _same(rollup.provenBlocks(), 1, "proven", 0);
        blocks[0].number = 3;
        VM.expectRevert(abi.encodeWithSelector(IRollup.BlockOutOfOrder.selector, 2, 3));
        rollup.proveBlocks(blocks, proofs);
    }

    function test_modes_eachShutsWhatIsNotItsOwn() external {
        _fund();
        this.depositETH(ALICE, PLAIN);
        uint256[] memory record = _record(queueTaken, 0);
        uint64 index = uint64(queueTaken);
        VM.expectRevert(IRollup.ExodusNotActive.selector);
        rollup.exitExodus(1, ETH, actors[ALICE], 5, _proof());
        VM.expectRevert(IRollup.ExodusNotActive.selector);
        rollup.refundQueued(index, record);
        _beginExodus();
        bytes4 over = IRollup.ExodusIsActive.selector;
        uint256 fee = rollup.queueFee();
        (Block memory last, NewBlock[] memory blocks) = (_last(), new NewBlock[](1));
        blocks[0] = _new();
        VM.expectRevert(over);
        rollup.depositETH{value: 5 + fee}(5, stranger, 0, 0);
        VM.expectRevert(over);
        rollup.depositERC20{value: fee}(1, 5, stranger, 0, 0);
        VM.expectRevert(over);
        rollup.requestFullExit{value: fee}(1, ETH);
        VM.expectRevert(over);
        _asValidator();
        rollup.commitBlocks(last, blocks, "");
        VM.expectRevert(over);
        _asValidator();
        rollup.commitProveExecute(last, blocks[0], _proof(), "");
        VM.expectRevert(over);
        rollup.proveBlocks(new Block[](0), new uint256[8][](0));
        VM.expectRevert(over);
        rollup.revertBlocks(last, last);
        VM.expectRevert(over);
        rollup.activateExodus(last);
        this.finish();
    }
}
