// SPDX-License-Identifier: GPL-3.0-or-later
pragma solidity 0.8.37;

import {KeyChanges} from "./KeyChanges.sol";
import {Reverter} from "./Reverter.sol";
import {
    ACCOUNT_ID_BITS,
    CHUNK_BYTES,
    COUNT_BITS,
    FIELD_MODULUS,
    HEADER_WORDS,
    MAX_L1_OPERATIONS_PER_BLOCK,
    MAX_TIMESTAMP_AHEAD_SECONDS,
    MAX_TIMESTAMP_BEHIND_SECONDS,
    NONCE_BITS,
    OP_CHANGE_PUB_KEY,
    OP_DEPOSIT,
    OP_FULL_EXIT,
    VERSION_CALLDATA
} from "./generated/Constants.sol";
import {Block, KeyChange, NewBlock} from "./interfaces/IRollup.sol";
import {IValidatorRegistry} from "./interfaces/IValidatorRegistry.sol";
import {IVerifier} from "./interfaces/IVerifier.sol";
import {Binding} from "./libraries/Binding.sol";
import {Calldata} from "./libraries/Calldata.sol";
import {Header} from "./libraries/Header.sol";
import {Records} from "./libraries/Records.sol";

/// @notice Turns what a validator publishes into blocks of the chain: checks it, binds it, hashes it.
abstract contract Committer is Reverter, KeyChanges {
    using Records for bytes;
    using Records for uint256;

    address public immutable registry;

    constructor(address registry_) {
        registry = registry_;
    }

    // ---- Internal ----

    /// @dev The data must be found in a transaction's input. An account with delegated code (EIP-7702) can be a transaction's
    /// origin and still call from within, so code is refused as well. Who else may commit is the registry's to say.
    function _requireMayCommit() internal view {
        _requireNormal();
        if (msg.sender != tx.origin || msg.sender.code.length != 0) revert NotADirectCall(msg.sender, tx.origin);
        if (suspended[msg.sender]) revert CommitterSuspended(msg.sender);
    }

    /// @return hash The parent's stored hash.
    function _requireParent(Block memory parent) internal view returns (bytes32 hash) {
        _requireNumber(committedBlocks(), parent);
        return _requireStored(parent);
    }

    /// @notice The block that follows `parent` with the published data, still without parentHash, validatorSet and committedAt.
    /// @return block_ The block.
    /// @return digest All that the committer chose.
    function _build(Block memory parent, NewBlock calldata published)
        internal
        view
        returns (Block memory block_, bytes32 digest)
    {
        _checkFields(parent, published);
        block_.number = parent.number + 1;
        block_.oldRoot = parent.newRoot;
        block_.newRoot = uint256(published.newRoot);
        block_.timestamp = published.timestamp;
        block_.blockSize = published.blockSize;
        block_.source = uint8(VERSION_CALLDATA);
        block_.commitment = uint256(published.commitment);
        block_.chunkEnd = parent.chunkEnd + _countChunks(published.l2);
        block_.queueEnd = _checkRecords(published, parent.queueEnd);
        block_.committer = msg.sender;
        digest = _bind(block_, parent, published);
    }

    function _bind(Block memory block_, Block memory parent, NewBlock calldata published)
        private
        view
        returns (bytes32 digest)
    {
        uint256[HEADER_WORDS] memory header = Header.words(block_, parent, published);
        block_.l2Hash = Calldata.hash(published.l2);
        block_.l1Hash = Calldata.hash(published.l1);
        digest = Binding.digest(header, block_.l2Hash, block_.l1Hash, published.commitment);
        block_.challenge = Binding.challenge(digest);
        block_.evaluation = Binding.evaluate(header, published.l2, published.l1, block_.challenge);
    }

    /// @notice Asks the registry once for all blocks of a call.
    function _approve(bytes32 parentHash, bytes32[] memory digests, bytes calldata auth)
        internal
        view
        returns (bytes32 validatorSet)
    {
        bytes32 digest = keccak256(abi.encodePacked(parentHash, digests));
        return IValidatorRegistry(registry).authorise(msg.sender, digest, auth);
    }

    /// @return hash The block's hash.
    function _commit(Block memory block_, bytes32 parentHash, bytes32 validatorSet) internal returns (bytes32 hash) {
        block_.parentHash = parentHash;
        block_.validatorSet = validatorSet;
        block_.committedAt = uint40(block.timestamp);
        _setQueueCommitted(block_.queueEnd);
        return _append(block_);
    }

    function _checkFields(Block memory parent, NewBlock calldata published) private view {
        if (!IVerifier(verifier).supportsSize(published.blockSize)) revert BlockSizeUnsupported(published.blockSize);
        if (published.feeAccount >> ACCOUNT_ID_BITS != 0) revert AccountOutOfRange(published.feeAccount);
        _requireWord(uint256(published.newRoot));
        _requireWord(uint256(published.commitment));
        _checkTimestamp(parent.timestamp, published.timestamp);
    }

    function _checkTimestamp(uint64 parentTimestamp, uint64 timestamp) private view {
        uint64 latest = uint64(block.timestamp + MAX_TIMESTAMP_AHEAD_SECONDS);
        uint64 earliest = uint64(block.timestamp - MAX_TIMESTAMP_BEHIND_SECONDS);
        if (parentTimestamp > earliest) earliest = parentTimestamp;
        if (timestamp < earliest || timestamp > latest) revert TimestampOutOfRange(timestamp, earliest, latest);
    }

    function _countChunks(bytes calldata l2) private pure returns (uint64 chunks) {
        chunks = uint64(l2.length / CHUNK_BYTES);
        if (l2.length % CHUNK_BYTES != 0 || chunks >> COUNT_BITS != 0) revert L2StreamLength(l2.length);
    }

    /// @notice Reads the L1 stream record by record; queue operations must be the next of the queue, key changes authorised.
    /// @dev Makes every word one below r: the first by its operation, the others of a queue operation by its hash over words
    /// that were checked when it was queued, a key by the curve, any other by its width.
    function _checkRecords(NewBlock calldata published, uint64 queueStart) private view returns (uint64 queueEnd) {
        bytes calldata l1 = published.l1;
        uint256 words = l1.length / 32;
        if (l1.length % 32 != 0 || words >> COUNT_BITS != 0) revert L1StreamLength(l1.length);
        queueEnd = queueStart;
        uint256 records = 0;
        uint256 keyChanges = 0;
        uint256 end;
        for (uint256 i = 0; i < words; i = end) {
            uint256 w0 = l1.word(i);
            uint256 op = w0.op();
            unchecked {
                // None of the counters passes the number of words, which the calldata holds.
                end = i + Records.wordsOf(op);
                if (++records > MAX_L1_OPERATIONS_PER_BLOCK) revert TooManyL1Operations(MAX_L1_OPERATIONS_PER_BLOCK);
                if (end == i) revert UnknownOperation(i, w0);
                if (end > words) revert L1StreamLength(l1.length);
                if (op == OP_DEPOSIT) _requireQueued(queueEnd++, l1.depositHash(i));
                else if (op == OP_FULL_EXIT) _requireQueued(queueEnd++, l1.fullExitHash(i));
                else if (op == OP_CHANGE_PUB_KEY) _checkKeyChange(published, i, keyChanges++);
                else if (w0.flags() != 0 || l1.word(i + 1).aux() != 0) revert MalformedRecord(i);
            }
        }
        _requireKeyAuths(published.keyAuth, keyChanges);
    }

    /// @param index Of the record's first word.
    /// @param position Of the key change among those of the block.
    function _checkKeyChange(NewBlock calldata published, uint256 index, uint256 position) private view {
        bytes calldata l1 = published.l1;
        uint256 w0 = l1.word(index);
        uint256 w1 = l1.word(index + 1);
        if (w0.flags() != 0 || w1.aux() >> NONCE_BITS != 0) revert MalformedRecord(index);
        KeyChange memory change;
        change.accountId = w0.accountOf();
        change.nonce = uint32(w1.aux());
        change.ax = l1.word(index + 2);
        change.ay = l1.word(index + 3);
        change.feeToken = w0.tokenOf();
        change.fee = w1.amountOf();
        _requireAuthorised(w0.ownerOf(), change, published.keyAuth, position, published.timestamp);
    }

    function _requireWord(uint256 value) private pure {
        if (value >= FIELD_MODULUS) revert NotAWord(value);
    }
}
