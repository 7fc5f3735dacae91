// SPDX-License-Identifier: GPL-3.0-or-later
pragma solidity 0.8.37;

import {Ownable} from "@openzeppelin/contracts/access/Ownable.sol";

import {
    FLAG_REFUSED,
    OP_CHANGE_PUB_KEY,
    OP_DEPOSIT,
    OP_FULL_EXIT,
    OP_WITHDRAW
} from "../../contracts/generated/Constants.sol";
import {IGovernor} from "../../contracts/interfaces/IGovernor.sol";
import {Block, IRollup, KeyChange, NewBlock} from "../../contracts/interfaces/IRollup.sol";
import {IValidatorRegistry} from "../../contracts/interfaces/IValidatorRegistry.sol";
import {Page} from "./Page.sol";
import {Validators} from "./Validators.sol";
import {VM} from "./Vm.sol";

/// @notice What must be refused, each for its own reason, in whatever state the rollup is: wrong blocks, by validators too,
/// wrong requests, and a stranger at every door. That nothing has moved then is seen by the checks.
abstract contract Strangers is Validators {
    uint128 private constant FORGED = 1 ether;

    function intrude(uint8 kind, uint256 seed) external {
        kind %= 10;
        if (isExodus) return _intrudeInExodus(kind, seed);
        if (kind < 5 && validators.length == 0) return _knockEverywhere(seed);
        if (kind == 0) _commitFromElsewhere(seed);
        if (kind == 1) _commitOnWrongParent(seed);
        if (kind == 2) _commitWrongFields(seed);
        if (kind == 3) _commitForgedRecords(seed);
        if (kind == 4) _commitUnauthorisedKey(seed);
        if (kind == 5) _proveWrongly(seed);
        if (kind == 6) _executeWrongly(seed);
        if (kind == 7) _requestWrongly(seed);
        if (kind == 8) _knockEverywhere(seed);
        if (kind == 9) _overpay(seed);
    }

    /// @notice Whatever makes blocks or fills the queue is shut; the rest is refused as before.
    function _intrudeInExodus(uint8 kind, uint256 seed) private {
        if (kind == 6) return _executeWrongly(seed);
        if (kind == 8) return _knockEverywhere(seed);
        bytes4 over = IRollup.ExodusIsActive.selector;
        Block memory last = chain[chain.length - 1];
        address validator = actors[FIRST_VALIDATOR + seed % (ACTORS - FIRST_VALIDATOR)];
        _refuseBlockBy(validator, last, _one(_open(), seed), over, "commit in exodus");
        (Block[] memory blocks, uint256[8][] memory proofs) = (new Block[](1), new uint256[8][](1));
        (blocks[0], proofs[0]) = (last, _proof());
        _refuse(abi.encodeCall(IRollup.proveBlocks, (blocks, proofs)), over, "proof in exodus");
        _refuse(abi.encodeCall(IRollup.revertBlocks, (last, last)), over, "reverting in exodus");
        _refuse(abi.encodeCall(IRollup.activateExodus, (last)), over, "exodus in exodus");
        _refuse(abi.encodeCall(IRollup.requestFullExit, (1, ETH)), over, "request in exodus");
        _refuse(abi.encodeCall(IRollup.depositETH, (1, stranger, 0, 0)), over, "deposit in exodus");
    }

    // ---- Blocks ----

    function _commitFromElsewhere(uint256 seed) private {
        Block memory parent = chain[chain.length - 1];
        NewBlock[] memory blocks = _one(_open(), seed);
        address validator = _validator(seed);
        bytes memory data = abi.encodeCall(IRollup.commitBlocks, (parent, blocks, ""));
        _refuseFrom(stranger, stranger, data, IValidatorRegistry.NotAValidator.selector, "commit by a stranger");
        _refuseFrom(validator, stranger, data, IRollup.NotADirectCall.selector, "commit from within");
        data = bytes.concat(data, bytes1(uint8(seed)));
        _refuseFrom(validator, validator, data, IRollup.CalldataNotCanonical.selector, "commit with a tail");
        data = abi.encodeCall(IRollup.commitBlocks, (parent, blocks, hex"00"));
        _refuseFrom(
            validator, validator, data, IValidatorRegistry.InvalidAuth.selector, "commit with something for auth"
        );
    }

    function _commitOnWrongParent(uint256 seed) private {
        Block memory parent = chain[chain.length - 1];
        parent.newRoot ^= 1;
        _refuseBlock(parent, _one(_open(), seed), IRollup.BlockHashMismatch.selector, "another parent");
        parent.number += uint64(1 + seed % 3);
        _refuseBlock(parent, _one(_open(), seed), IRollup.BlockOutOfOrder.selector, "a gap");
        if (chain.length == 1) return;
        parent = chain[seed % (chain.length - 1)];
        _refuseBlock(parent, _one(_open(), seed), IRollup.BlockOutOfOrder.selector, "a fork");
    }

    function _commitWrongFields(uint256 seed) private {
        NewBlock[] memory blocks = _one(_open(), seed);
        blocks[0].blockSize = 9;
        _refuseCommit(blocks, IRollup.BlockSizeUnsupported.selector, "a size without a key");
        blocks = _one(_open(), seed);
        blocks[0].timestamp = uint64(block.timestamp + 901 + seed % 1000);
        _refuseCommit(blocks, IRollup.TimestampOutOfRange.selector, "from the future");
        blocks = _one(_open(), seed);
        blocks[0].newRoot = bytes32(type(uint256).max - seed % 2 ** 250);
        _refuseCommit(blocks, IRollup.NotAWord.selector, "a root that is no word");
        blocks = _one(_open(), seed);
        blocks[0].l2 = new bytes(1 + seed % 14);
        _refuseCommit(blocks, IRollup.L2StreamLength.selector, "half a chunk");
        blocks = new NewBlock[](0);
        _refuseCommit(blocks, IRollup.NoBlocks.selector, "no blocks");
    }

    /// @notice Money from nowhere, and the queue passed over, served twice or in another order.
    function _commitForgedRecords(uint256 seed) private {
        address thief = stranger;
        uint256 w1 = uint256(rollup.queueFee() / 1 gwei) << 128;
        bytes4 mismatch = IRollup.QueueEntryMismatch.selector;
        uint256 w0 = Page.word0(OP_DEPOSIT, FLAG_REFUSED, 0, ETH, thief);
        _refuseRecord(abi.encode(w0, w1 | FORGED, 0, 0), mismatch, "a deposit that nobody made", seed);
        w0 = Page.word0(OP_FULL_EXIT, 0, 1, ETH, thief);
        _refuseRecord(abi.encode(w0, w1 | FORGED), mismatch, "an exit that nobody asked for", seed);
        w0 = Page.word0(OP_WITHDRAW, 1 + seed % 15, 1, ETH, thief);
        _refuseRecord(abi.encode(w0, FORGED), IRollup.MalformedRecord.selector, "a withdrawal with flags", seed);
        w0 = Page.word0(3, 0, 1, ETH, thief);
        _refuseRecord(abi.encode(w0, FORGED), IRollup.UnknownOperation.selector, "a transfer's record", seed);
        w0 = Page.word0(OP_WITHDRAW, 0, 1, ETH, thief);
        _refuseRecord(abi.encode(w0), IRollup.L1StreamLength.selector, "half a record", seed);
        if (queueTaken > 0) _commitOtherEntry(queueTaken - 1, "an entry served twice", seed);
        if (queueTaken + 1 < queue.length) _commitOtherEntry(queueTaken + 1, "an entry passed over", seed);
    }

    /// @dev Two entries may ask for the same at the same fee: then the record of one is the other's as well.
    function _commitOtherEntry(uint256 index, string memory what, uint256 seed) private {
        bytes memory record = _refusedRecord(index);
        if (queueTaken < queue.length && keccak256(record) == keccak256(_refusedRecord(queueTaken))) return;
        _refuseRecord(record, IRollup.QueueEntryMismatch.selector, what, seed);
    }

    function _commitUnauthorisedKey(uint256 seed) private {
        uint32 id = _accountOf(seed % ACTORS);
        KeyChange memory change = KeyChange(id, accounts[id].nonce, KEY_X, KEY_Y, ETH, uint128(seed), type(uint40).max);
        bytes memory record = abi.encode(
            Page.word0(OP_CHANGE_PUB_KEY, 0, id, ETH, _ownerOf(id)),
            uint256(change.nonce) << 128 | change.fee,
            KEY_X,
            KEY_Y
        );
        // Nobody of the actors has this private key.
        _refuseKey(record, _signed(99, change), IRollup.KeyChangeNotSigned.selector, "signed by another", seed);
        bytes memory none = abi.encodePacked(bytes32(0), bytes32(0), uint8(0), change.validUntil);
        _refuseKey(record, none, IRollup.KeyChangeNotApproved.selector, "approved by nobody", seed);
        _refuseKey(record, "", IRollup.KeyAuthLength.selector, "no authorisation", seed);
        change.validUntil = uint40(_open().timestamp - 1);
        _refuseKey(record, _signed(id, change), IRollup.KeyChangeExpired.selector, "expired", seed);
    }

    function _proveWrongly(uint256 seed) private {
        if (proven + 1 >= chain.length) return;
        Block[] memory blocks = new Block[](1);
        uint256[8][] memory proofs = new uint256[8][](1);
        blocks[0] = chain[proven + 1];
        _refuse(abi.encodeCall(IRollup.proveBlocks, (blocks, proofs)), IRollup.InvalidProof.selector, "no proof");
        proofs[0] = _proof();
        blocks[0].newRoot ^= 1 + seed % 2 ** 200;
        _refuse(
            abi.encodeCall(IRollup.proveBlocks, (blocks, proofs)), IRollup.BlockHashMismatch.selector, "another root"
        );
        if (proven + 2 >= chain.length) return;
        blocks[0] = chain[proven + 2];
        _refuse(abi.encodeCall(IRollup.proveBlocks, (blocks, proofs)), IRollup.BlockOutOfOrder.selector, "one left out");
    }

    function _executeWrongly(uint256 seed) private {
        if (executed + 1 >= chain.length) return;
        Block[] memory blocks = new Block[](1);
        bytes[] memory l1 = new bytes[](1);
        blocks[0] = chain[executed + 1];
        l1[0] = streams[executed + 1];
        if (executed == proven) {
            return
                _refuse(
                    abi.encodeCall(IRollup.executeBlocks, (blocks, l1)), IRollup.BlockNotProven.selector, "unproven"
                );
        }
        uint256 w0 = Page.word0(OP_WITHDRAW, 0, 1, uint16(seed % TOKENS), stranger);
        l1[0] = bytes.concat(l1[0], abi.encode(w0, FORGED));
        _refuse(
            abi.encodeCall(IRollup.executeBlocks, (blocks, l1)), IRollup.L1StreamMismatch.selector, "another stream"
        );
        l1[0] = streams[executed + 1];
        blocks[0].committer = stranger;
        _refuse(
            abi.encodeCall(IRollup.executeBlocks, (blocks, l1)), IRollup.BlockHashMismatch.selector, "another committer"
        );
        if (executed + 2 >= chain.length) return;
        (blocks[0], l1[0]) = (chain[executed + 2], streams[executed + 2]);
        _refuse(abi.encodeCall(IRollup.executeBlocks, (blocks, l1)), IRollup.BlockOutOfOrder.selector, "one left out");
    }

    // ---- Requests ----

    function _requestWrongly(uint256 seed) private {
        uint128 amount = 1 + _some(seed, MAX_DEPOSIT);
        address victim = _actor(seed);
        _refuse(
            abi.encodeCall(IRollup.depositETH, (amount, address(0), 0, 0)), IRollup.InvalidOwner.selector, "for nobody"
        );
        _refuse(
            abi.encodeCall(IRollup.depositETH, (amount, address(rollup), 0, 0)),
            IRollup.InvalidOwner.selector,
            "for itself"
        );
        _refuse(
            abi.encodeCall(IRollup.depositETH, (amount, victim, KEY_X, KEY_Y)),
            IRollup.KeyNotByOwner.selector,
            "another's key"
        );
        _refuse(
            abi.encodeCall(IRollup.depositETH, (amount, stranger, KEY_X, 1)), IRollup.KeyNotOnCurve.selector, "no point"
        );
        _refuse(
            abi.encodeCall(IRollup.depositERC20, (ETH, amount, victim, 0, 0)),
            IRollup.NotAnErc20.selector,
            "ETH as a token"
        );
        _refuse(
            abi.encodeCall(IRollup.depositERC20, (TOKENS, amount, victim, 0, 0)),
            IGovernor.UnlistedToken.selector,
            "unlisted"
        );
        _refuse(
            abi.encodeCall(IRollup.requestFullExit, (2 ** 24, ETH)), IRollup.AccountOutOfRange.selector, "no account"
        );
        _refuse(abi.encodeCall(IRollup.requestFullExit, (1, 2048)), IRollup.TokenOutOfRange.selector, "an order slot");
        bytes4 refusal = queue.length == 0 ? IRollup.NoDepositYet.selector : IRollup.QueueFeeNotPaid.selector;
        _refuse(abi.encodeCall(IRollup.requestFullExit, (1, ETH)), refusal, "without a deposit, or the fee");
        _refuse(
            abi.encodeCall(IRollup.withdrawPending, (stranger, ETH)),
            IRollup.NothingPending.selector,
            "a stranger's money"
        );
        _refuse(
            abi.encodeCall(IRollup.withdrawPendingTo, (ETH, victim, 1)),
            IRollup.NothingPending.selector,
            "a stranger's money to another"
        );
        _refuse(
            abi.encodeCall(IRollup.withdrawPendingTo, (ETH, address(rollup), 1)),
            IRollup.InvalidRecipient.selector,
            "money to the rollup"
        );
        _refuse(
            abi.encodeCall(IRollup.exitExodus, (1, ETH, victim, amount, _proof())),
            IRollup.ExodusNotActive.selector,
            "an exit before exodus"
        );
        if (paused[ETH]) return;
        _refuse(abi.encodeCall(IRollup.depositETH, (amount, victim, 0, 0)), IRollup.QueueFeeNotPaid.selector, "unpaid");
        _refuse(
            abi.encodeCall(IRollup.depositETH, (CAP + amount, victim, 0, 0)),
            IRollup.DepositCapExceeded.selector,
            "too much"
        );
    }

    function _overpay(uint256 seed) private {
        if (queue.length == 0) return;
        uint256 value = 2 * rollup.queueFee() + 1 + _some(seed, 1 ether);
        VM.deal(stranger, value);
        VM.prank(stranger);
        (bool done, bytes memory answer) =
            address(rollup).call{value: value}(abi.encodeCall(IRollup.requestFullExit, (1, ETH)));
        _refused(done, answer, IRollup.QueueFeeExceeded.selector, "far too much for the fee");
    }

    function _knockEverywhere(uint256 seed) private {
        bytes4 notOwner = Ownable.OwnableUnauthorizedAccount.selector;
        uint16 token = uint16(seed % TOKENS);
        address who = _actor(seed);
        _refuseGovernor(abi.encodeCall(IGovernor.addToken, (address(this))), notOwner);
        _refuseGovernor(abi.encodeCall(IGovernor.setDepositCap, (token, 0)), notOwner);
        _refuseGovernor(abi.encodeCall(IGovernor.setDepositsPaused, (token, seed % 2 == 0)), notOwner);
        _refuseGovernor(abi.encodeCall(IGovernor.setValidator, (who, seed % 2 == 0)), notOwner);
        _refuseGovernor(abi.encodeCall(IGovernor.renounceOwnership, ()), IGovernor.GovernorNeedsOwner.selector);
        VM.deal(stranger, 1 ether);
        VM.prank(stranger);
        (bool done,) = address(rollup).call{value: 1 ether}("");
        _require(!done, "ETH without a function is refused", 0);
    }

    // ---- Internal ----

    function _one(Draft memory draft, uint256 seed) private pure returns (NewBlock[] memory blocks) {
        blocks = new NewBlock[](1);
        blocks[0] = _published(draft, 8, seed);
    }

    /// @notice The record of a queue entry as its deposit refused, or its exit of nothing.
    function _refusedRecord(uint256 index) private view returns (bytes memory) {
        return abi.encodePacked(_record(index, FLAG_REFUSED));
    }

    function _refuseRecord(bytes memory l1, bytes4 error_, string memory what, uint256 seed) private {
        Draft memory draft = _open();
        draft.l1 = l1;
        _refuseCommit(_one(draft, seed), error_, what);
    }

    function _refuseKey(bytes memory l1, bytes memory keyAuth, bytes4 error_, string memory what, uint256 seed)
        private
    {
        Draft memory draft = _open();
        (draft.l1, draft.keyAuth) = (l1, keyAuth);
        _refuseCommit(_one(draft, seed), error_, what);
    }

    function _refuseCommit(NewBlock[] memory blocks, bytes4 error_, string memory what) private {
        _refuseBlock(chain[chain.length - 1], blocks, error_, what);
    }

    function _refuseBlock(Block memory parent, NewBlock[] memory blocks, bytes4 error_, string memory what) private {
        _refuseBlockBy(_validator(parent.number), parent, blocks, error_, what);
    }

    function _refuseBlockBy(
        address validator,
        Block memory parent,
        NewBlock[] memory blocks,
        bytes4 error_,
        string memory what
    ) private {
        bytes memory data = abi.encodeCall(IRollup.commitBlocks, (parent, blocks, ""));
        _refuseFrom(validator, validator, data, error_, what);
    }

    function _refuseGovernor(bytes memory data, bytes4 error_) private {
        VM.prank(stranger);
        (bool done, bytes memory answer) = address(governor).call(data);
        _refused(done, answer, error_, "governor");
    }
}
