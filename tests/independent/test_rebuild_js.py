"""rebuild.mjs, the state from calldata by a second implementation, against calldata made by page_model."""

from __future__ import annotations

import copy
import json
from collections.abc import Callable

import pytest
from eth_abi import encode
from eth_hash.auto import keccak
from page_model import BLOCK_FIELDS, COMMIT_BLOCKS, FIELD, Header, Rollup, Step, word
from rebuild_runs import ALICE, BOB, KEY, chain, opened, run_many, run_program


@pytest.fixture(scope="module")
def good() -> Rollup:
    return chain()


def test_the_program_rebuilds_state_and_bindings(good: Rollup) -> None:
    done = run_program(good.input())
    assert done.returncode == 0, done.stderr
    result = json.loads(done.stdout)
    hashes = result.pop("hashes")
    assert result == {**good.expected(), "noopsElsewhere": []}
    assert hashes == ["0x" + block[1].hex() for block in good.blocks[1:]]


def test_the_program_names_block_and_operation_and_exits_1(good: Rollup) -> None:
    given = copy.deepcopy(good.input())
    given["rollup"] = "0x" + "ac" * 20
    done = run_program(given)
    assert (done.returncode, done.stdout) == (1, "")
    assert done.stderr.startswith("block 2, parent: parent differs in ")
    assert done.stderr.count("\n") == 1


def spoiled(block: int, spoil: Callable[[list], None]) -> Rollup:
    """`opened`, and a block with a Transfer and a Withdraw; spoil changes the fields of the NewBlock as it is sent."""
    rollup, steps = opened()
    for number in (1, 2):
        if number == 2:
            steps = [rollup.transfer(5, 8, 0, 50, 10), rollup.withdraw(5, 0, 40, 20, 0xFEED)]
        rollup.publish(steps)
        if number == block:
            fields = list(rollup.unsent[0])
            spoil(fields)
            rollup.unsent = [tuple(fields)]
        rollup.commit()
    return rollup


def replace(index: int, value: object) -> Callable[[list], None]:
    return lambda fields: fields.__setitem__(index, value)


def edit(index: int, offset: int, flip: int) -> Callable[[list], None]:
    """Flips bits of one byte of a stream."""

    def spoil(fields: list) -> None:
        stream = bytearray(fields[index])
        stream[offset] ^= flip
        fields[index] = bytes(stream)

    return spoil


def extend(index: int, more: bytes) -> Callable[[list], None]:
    return lambda fields: fields.__setitem__(index, fields[index] + more)


def shorten(index: int, less: int) -> Callable[[list], None]:
    return lambda fields: fields.__setitem__(index, fields[index][:-less])


L2, L1, KEY_AUTH = 6, 7, 8
MARKED = "block 2: operation 1: "
SPOILED_BLOCKS = {
    "wrong root": (2, replace(2, word(5)), "block 2: new root differs (published = 0x00"),
    "root not a word": (2, replace(2, word(FIELD)), "block 2: new root is not below"),
    "commitment not a word": (2, replace(5, word(FIELD)), "block 2: commitment is not below"),
    "fewer steps than operations": (
        1,
        replace(0, 2),
        "block 1: more steps than the block has (steps = 3, blockSize = 2",
    ),
    "earlier than the parent": (2, replace(1, 1), "block 2: timestamp before"),
    "timestamp too wide": (2, replace(1, 1 << 40), "block 2: timestamp does not fit 40"),
    "fee account too wide": (2, replace(3, 1 << 24), "block 2: fee_account does not fit"),
    "fee account empty": (2, replace(3, 6), "block 2: the fee account does not exist (account = 6)"),
    "fee tokens equal": (2, replace(4, 0), "block 2: fee tokens do not increase"),
    "fee token 2048": (
        2,
        replace(4, sum(t << 12 * j for j, t in enumerate([0, 1, 2, 3, 4, 5, 6, 2048]))),
        "block 2: a fee token is not a token",
    ),
    "fee token missing": (
        2,
        replace(4, sum(t << 12 * j for j, t in enumerate(range(1, 9)))),
        "block 2: operation 0 (Transfer): the fee's token is not among",
    ),
    "half a chunk": (2, extend(L2, b"\0"), "block 2: L2 stream is not a multiple"),
    "Noop in the stream": (2, extend(L2, bytes(15)), "block 2: operation 2: unknown operation (op = 0)"),
    "reserved operation": (2, edit(L2, 0, 0x90), "block 2: operation 0: unknown operation (op = 10)"),
    "one marker too many": (2, extend(L2, b"\x50" + bytes(14)), "block 2: operation 2: L1 stream ends early"),
    "one marker too few": (2, shorten(L2, 15), "block 2: L1 stream has words that no marker takes (taken = 0"),
    "half a word": (2, extend(L1, b"\0"), "block 2: L1 stream is not a multiple"),
    "one word too many": (2, extend(L1, bytes(32)), "block 2: L1 stream has words that no marker"),
    "one word too few": (1, shorten(L1, 32), "block 1: operation 2: L1 stream ends early"),
    "key change's authorisation without a key change": (
        2,
        extend(KEY_AUTH, bytes(70)),
        "block 2: keyAuth has another length",
    ),
    "L1 word not a word": (1, edit(L1, 64, 0xF0), "block 1: L1 word 2 is not below"),
    "marker junk": (2, edit(L2, 16, 1), MARKED + "marker: token is not 0 (token = 1)"),
    "record of another operation": (2, edit(L1, 6, 0x07), MARKED + "record and marker differ"),
    "junk in W0": (2, edit(L1, 1, 1), MARKED + "W0 has bits above"),
    "junk in W1": (2, edit(L1, 33, 1), MARKED + "W1 has bits above"),
    "aux of a Withdraw": (2, edit(L1, 32 + 15, 1), MARKED + "aux is not 0"),
    "flags of a Withdraw": (2, edit(L1, 7, 0x10), MARKED + "unknown flags"),
    "flag 4 of a Deposit": (1, edit(L1, 7, 0x40), "block 1: operation 0: unknown flags"),
    "fee of a Deposit": (1, edit(L2, 13, 1), "block 1: operation 0: marker: fee is not 0"),
    "amount not canonical": (2, edit(L2, 12, 1), "block 2: operation 0: amount is not the canonical"),
    "fee not canonical": (2, edit(L2, 14, 1), "block 2: operation 0: fee is not the canonical"),
    "amount of 2^128": (
        2,
        lambda fields: fields.__setitem__(L2, fields[L2][:8] + ((1 << 35) - 1 << 5 | 31).to_bytes(5) + fields[L2][13:]),
        "block 2: operation 0: amount is 2^128 or more",
    ),
    "order slot": (2, edit(L2, 0, 0x08), "block 2: operation 0 (Transfer): not a token (token = 2048)"),
    "poor payer": (2, edit(L2, 1, 1), "block 2: operation 0 (Transfer): balance would be negative"),
    "payer without key": (2, edit(L2, 4, 5 ^ 8), "block 2: operation 0 (Transfer): the payer has no key"),
    "no recipient": (2, edit(L2, 7, 1), "block 2: operation 0 (Transfer): the recipient does not exist (account = 9)"),
    "another amount": (2, edit(L2, 11, 1), "block 2: new root differs"),
    "another's account": (
        1,
        edit(L1, 128 + 10, (5 ^ 8) << 4),
        "block 1: operation 1 (Deposit): the account is another's",
    ),
    "refused with account": (1, edit(L1, 256 + 10, 0x10), "block 1: operation 2: a refused Deposit"),
    "balance of 2^128": (
        1,
        lambda fields: fields.__setitem__(
            L1, fields[L1][:256] + fields[L1][128:160] + fields[L1][288:]
        ),  # the refused Deposit becomes a second one of Bob's
        "block 1: operation 2 (Deposit): balance would be negative, or 2^128",
    ),
}


def test_spoiled_blocks_are_named() -> None:
    inputs = [spoiled(block, spoil).input() for block, spoil, _ in SPOILED_BLOCKS.values()]
    untouched, *results = run_many([spoiled(1, lambda fields: None).input(), *inputs])
    assert untouched["blocks"] == 2
    messages = dict(zip(SPOILED_BLOCKS, results, strict=True))
    wrong = {n: messages[n] for n, (_, _, said) in SPOILED_BLOCKS.items() if said not in str(messages[n])}
    assert not wrong


def test_wrong_full_exits_and_no_key() -> None:
    cases = {
        "a FullExit of another amount (account = 5, token = 0, amount = 1, due = 1000": ("full_exit", 5, 0, ALICE, 1),
        "token = 0, amount = 1, due = 0": ("full_exit", 5, 0, BOB, 1),
        "token = 2048, amount = 1, due = 0": ("full_exit", 5, 2048, ALICE, 1),
        "the payer has no key (account = 8)": ("withdraw", 8, 2047, 1, 0, 1),
        "the L1 recipient is 0": ("withdraw", 5, 0, 1, 0, 0),
    }
    inputs = []
    for method, *arguments in cases.values():
        rollup, steps = opened()
        rollup.publish([*steps, getattr(rollup, method)(*arguments)])
        rollup.commit()
        inputs.append(rollup.input())
    for said, result in zip(cases, run_many(inputs), strict=True):
        assert result.startswith("block 1: operation 3 (")
        assert said in result


def test_parents_and_encoding(good: Rollup) -> None:
    inputs, said = [], []

    def case(transactions: list[str], message: str) -> None:
        inputs.append({**good.input(), "transactions": transactions})
        said.append(message)

    first, second, third, _ = good.transactions
    for i, name in enumerate(
        BLOCK_FIELDS
    ):  # the last byte of each word of the second transaction's and of the genesis parent
        at = 2 + 8 + 64 * i + 63
        flipped = f"{int(second[at], 16) ^ 1:x}"
        expected = "parentHash" if name in ("committer", "validatorSet", "committedAt") else name
        if expected == name:
            case([first, second[:at] + flipped + second[at + 1 :]], f"block 2, parent: parent differs in {expected}")
        case(
            [first[:at] + f"{int(first[at], 16) ^ 1:x}" + first[at + 1 :]], f"block 1, parent: parent differs in {name}"
        )
    case([first + "00"], "block 1, input: calldata is not the canonical encoding, or something follows it")
    case([first + "00" * 32], "block 1, input: calldata is not the canonical")
    case([first[:-2]], "block 1, input: calldata")
    case([first[:-2] + "01"], "block 1, input: calldata is not the canonical")
    case(["0x12345678" + first[10:]], "block 1, input: calldata does not decode")
    case([second], "block 1, parent: parent differs in")
    case([first, third], "block 2, parent: parent differs in")
    case([first, first], "block 2, parent: parent differs in number")
    selector = keccak(f"commitBlocks({','.join(COMMIT_BLOCKS)})".encode())[:4]
    nothing = selector + encode(COMMIT_BLOCKS, [good.blocks[0], [], b""])
    case(["0x" + nothing.hex()], "block 1, input: no blocks")
    for message, result in zip(said, run_many(inputs), strict=True):
        assert str(result).startswith(message)


def test_noops_between_operations_are_reported_not_refused() -> None:
    rollup, steps = opened()
    rollup.publish([steps[0], Step(), *steps[1:]])
    rollup.commit()
    (result,) = run_many([rollup.input()])
    assert result["noopsElsewhere"] == [1]
    assert result["root"] == rollup.expected()["root"]


@pytest.mark.slow
def test_a_few_hundred_operations() -> None:
    rollup = Rollup()
    rollup.publish(
        [rollup.deposit(7 * i, 0, 10**18, ALICE + i, KEY, flags=1) for i in range(10)],
        Header(block_size=10, fee_account=7),
    )
    for _ in range(2):
        steps = [rollup.transfer(7 * (i % 10), 7 * (i * i % 10), 0, 1000 + i, i % 5) for i in range(150)]
        rollup.publish(steps, Header(block_size=150, fee_account=7))
    rollup.commit()
    (result,) = run_many([rollup.input()])
    assert rollup.expected().items() <= result.items()


@pytest.mark.slow
def test_every_flipped_byte_is_noticed(good: Rollup) -> None:
    """Somewhere in the output at least; auth, keyAuth and proof are nothing to a rebuilder."""
    inputs = []
    sizes = [len(t) // 2 - 1 for t in good.transactions]
    proof_at = 4 + 32 * len(BLOCK_FIELDS) + 32  # after the selector, the parent and the new block's offset
    proof = range(proof_at, proof_at + 256)
    key_auth_at = sizes[3] - 32 - 96  # before it auth's length, after it 26 bytes of padding
    unread = [
        range(sizes[0] - 32, sizes[0]),
        range(0),
        {*proof, *range(sizes[2] - 64, sizes[2])},
        range(key_auth_at, key_auth_at + 70),
    ]
    for i, size in enumerate(sizes):
        for offset in range(i, size, 41):
            if offset in unread[i]:
                continue
            data = bytearray.fromhex(good.transactions[i][2:])
            data[offset] ^= 1 << offset % 8
            transactions = list(good.transactions)
            transactions[i] = "0x" + data.hex()
            inputs.append({**good.input(), "transactions": transactions})
    original, *results = run_many([good.input(), *inputs])
    assert all(result != original for result in results)
