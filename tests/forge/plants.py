"""Mistakes that make the properties of tests/forge/properties false: each property by one of them at least."""

# ruff: noqa: E501
from dataclasses import dataclass
from itertools import zip_longest


@dataclass(frozen=True)
class Plant:
    """A replacement in a contract, and the properties that it refutes, without testFuzz_."""

    path: str
    before: str
    after: str
    refutes: tuple[str, ...]


def _in(name: str, before: str, after: str, *refutes: str) -> Plant:
    return Plant(f"contracts/{name}.sol", before, after, refutes)


PLANTS = [
    # Records
    _in("libraries/Records", "(uint256(token) << TOKEN_SHIFT) | uint160(owner);\n        if", "(uint256(token) << (TOKEN_SHIFT + 1)) | uint160(owner);\n        if", "deposit_isReadAsItWasWritten"),
    _in("libraries/Records", "w1 = uint256(feeGwei) << AUX_SHIFT;", "w1 = uint256(feeGwei);", "fullExit_isReadAsItWasWritten"),
    _in("libraries/Records", "return uint32((w0 >> ACCOUNT_SHIFT) & ACCOUNT_MASK);", "return uint32((w0 >> ACCOUNT_SHIFT) & (ACCOUNT_MASK >> 1));", "word_isItsFields", "fullExit_isReadAsItWasWritten"),
    _in("libraries/Records", "return w0 >> OP_SHIFT;", "return (w0 >> OP_SHIFT) & 15;", "wordsOf_fiveOperationsOnly", "word_isItsFields"),
    _in("libraries/Records", "return w1 >> AUX_SHIFT;", "return uint64(w1 >> AUX_SHIFT);", "secondWord_isBelowR"),
    _in("libraries/Records", "(ACCOUNT_MASK << ACCOUNT_SHIFT) | (FLAG_REFUSED << FLAGS_SHIFT);", "(ACCOUNT_MASK << ACCOUNT_SHIFT) | (FLAGS_MASK << FLAGS_SHIFT);", "depositHash_leavesOutTheOperatorsPartAlone", "depositHash_sameOnlyForTheSameRequest"),
    _in("libraries/Records", "mstore(0x20, and(w1, keep))", "mstore(0x20, w1)", "fullExitHash_leavesOutTheAmountAlone", "fullExitHash_sameOnlyForTheSameRequest"),
    _in("libraries/Calldata", "value := calldataload(add(data.offset, offset))", "value := calldataload(add(data.offset, and(offset, 1)))", "calldataWord_isTheStreams"),
    _in("libraries/Calldata", "if eq(mload(encoding), size) {", "if iszero(gt(mload(encoding), size)) {\n                size := mload(encoding)", "isExactly_takesOneEncodingOnly"),
    _in("libraries/Calldata", "same := eq(expected, keccak256(encoding, size))", "same := 1", "isExactly_comparesAllWords"),
    # Curves and binding
    _in("libraries/BabyJubjub", "if (x >= FIELD_MODULUS || y >= FIELD_MODULUS) return false;", "if (x >= FIELD_MODULUS || y >= FIELD_MODULUS) return true;", "isOnCurve_coordinatesBelowROnly"),
    _in("libraries/Bn254", "if (x >= BASE_FIELD_MODULUS || y >= BASE_FIELD_MODULUS) return false;", "if (x >= BASE_FIELD_MODULUS || y >= BASE_FIELD_MODULUS) return true;", "isPoint_coordinatesBelowQAndNotZeroOnly"),
    _in("libraries/Bn254", "(BASE_FIELD_MODULUS - a[1]) % BASE_FIELD_MODULUS]", "BASE_FIELD_MODULUS - a[1]]", "negate_isTheOtherPointOfItsX"),
    _in("libraries/Binding", "((1 << CHALLENGE_BITS) - 1)", "((1 << (CHALLENGE_BITS - 1)) - 1)", "challenge_isTheLow128Bits"),
    _in("libraries/Binding", "abi.encode(header, l2Hash, l1Hash, commitment)", "abi.encode(header, l2Hash, l1Hash)", "digest_changesWithEveryInput"),
    _in("libraries/Header", "word = (word << QUEUE_INDEX_BITS) | parent.queueEnd;", "word = (word << (QUEUE_INDEX_BITS - 1)) | parent.queueEnd;", "header_fieldsShareNoBit"),
    # Queue
    _in("Queue", "(1 + open / OPEN_ENTRIES_PER_STEP)", "(1 + open / (OPEN_ENTRIES_PER_STEP + 1))", "queueFee_isTheBaseForEachBlockThatIsOpen"),
    _in("Queue", "index = _total++;", "index = _total == 0 ? 0 : _total++ - 1;", "enqueue_addsOneEntryAtTheEndAndTouchesNoOther"),
    _in("Queue", "index = _total++;", "unchecked {\n            index = _total++;\n        }", "enqueue_fullQueue_isRefused"),
    _in("Queue", "if (bytes27(recordHash) != expected)", "if (bytes26(recordHash) != bytes26(expected))", "requireQueued_passesForItsHashOnly"),
    _in("Queue", "delete _entries[index];", "", "removeEntry_leavesNothingToRefund"),
    _in("Queue", "block.timestamp >= expiry;", "block.timestamp > expiry;", "overdue_isFromItsExpiryOn", "noneOverdue_holdsUntilTheEntryExpires"),
    _in("Queue", "if (index < _executed) return (0, 0);", "if (index + 1 < _executed) return (0, 0);", "queueEntry_executedOnesAreGone"),
    # Books
    _in("Vault", "pending[owner][token] += amount;", "unchecked {\n            pending[owner][token] += amount;\n        }", "credit_addsToOneOwnersTokenOnly"),
    _in("Vault", "accounted[token] -= amount;", "", "withdrawPendingTo_paysWhatIsOwedAndNoMore", "withdrawPending_byAnyonePaysTheOwner"),
    _in("Inbox", "if (sent > 2 * fee)", "if (sent > 3 * fee)", "depositETH_accountsForAllThatCame", "requestFullExit_inRangeAndPaidOnly"),
    # Chain
    _in("Chain", "return number > _committed ? bytes32(0) : _hashes[number];", "return _hashes[number];", "blockHash_beyondTheLastIsNone"),
    _in("Chain", "return keccak256(abi.encode(block_));", "return keccak256(abi.encode(block_.number, block_.newRoot, block_.queueEnd));", "stored_isTheOneBlockOnly"),
    _in("Committer", "_requireWord(uint256(published.commitment));", "", "commit_takesWordsAndFieldsInRangeOnly"),
    # Who, and when
    _in("Committer", "if (msg.sender != tx.origin || msg.sender.code.length != 0) revert NotADirectCall(msg.sender, tx.origin);", "", "commit_byAnyoneButAValidator_isRefused"),
    _in("KeyChanges", "if (change.accountId >> ACCOUNT_ID_BITS != 0)", "if (change.accountId >> (ACCOUNT_ID_BITS + 1) != 0)", "approveKeyChange_inRangeAndForItsSenderOnly"),
    _in("Inbox", "if (token >= FIRST_ORDER_SLOT)", "if (token > FIRST_ORDER_SLOT)", "requestFullExit_inRangeAndPaidOnly"),
    _in("Mode", "if (_isExodus) revert", "if (_isExodus && msg.value == 0) revert", "exodus_shutsTheQueue"),
    _in("Exodus", "return (uint256(accountId) << SLOT_BITS) | token;", "return (uint256(accountId) << (SLOT_BITS - 2)) | token;", "exitExodus_paysOnePlaceOnceAndNoOther"),
    _in("Mode", "if (!_isExodus) revert ExodusNotActive();", "", "exitExodus_inNormalMode_isRefused"),
    # Governor
    _in("Governor", "function setDepositsPaused(uint16 token, bool paused) external onlyOwner {", "function setDepositsPaused(uint16 token, bool paused) external {", "setters_byAnyoneButTheOwner_changeNothing"),
    _in("Governor", "if (cap >> DEPOSIT_CAP_BITS != 0)", "if (cap >> (DEPOSIT_CAP_BITS + 1) != 0)", "setDepositCap_below120BitsOfAListedTokenOnly"),
    _in("Governor", "if (isValidator[validator] == allowed) revert ValidatorUnchanged(validator, allowed);", "", "setValidator_changesOneAndTheSet"),
    _in("Governor", "if (!isValidator[committer]) revert NotAValidator(committer);", "", "authorise_validatorsOnly"),
    _in("Governor", "    // ---- Views ----", "    function acceptOwnership() public override {\n        _transferOwnership(msg.sender);\n    }\n\n    // ---- Views ----", "ownership_isTakenByWhomItWasOfferedOnly"),
]  # fmt: skip

_APART = (("libraries/Records", "libraries/Calldata"), ("libraries/Ba", "libraries/Bn", "libraries/Bi"), ("Governor",))
"""Contracts that the properties of the others do not look at."""


def batches() -> list[list[Plant]]:
    """All plants, each with such as refute nothing of what it refutes: compiling takes the time."""
    kinds: list[list[Plant]] = [[] for _ in range(len(_APART) + 1)]
    for plant in PLANTS:
        found = [i for i, names in enumerate(_APART) if plant.path.removeprefix("contracts/").startswith(names)]
        kinds[found[0] if found else -1].append(plant)
    return [[plant for plant in batch if plant] for batch in zip_longest(*kinds)]
