"""Streams of every operation, damaged: the parser of streams.mjs refuses them or reads other operations (I-15), and
rollup.core refuses exactly the same ones. Neither ever fails in another way."""

from __future__ import annotations

import json
import random
import subprocess

import pytest
from page_model import Fill, Rollup, Step, pack_decimal, word
from rebuild_runs import ALICE, BOB, CAROL, HERE, KEY

from rollup.core import decode_streams
from rollup.core.errors import StreamError

Streams = tuple[bytes, bytes]
DRIVER = f"""
import {{ readFileSync }} from "node:fs";
import {{ decodeStreams }} from "{(HERE / "streams.mjs").as_uri()}";
import {{ Inconsistent }} from "{(HERE / "encoding.mjs").as_uri()}";
const text = (key, value) => (typeof value === "bigint" ? value.toString() : key === "steps" ? undefined : value);
const read = (streams) => {{
  try {{
    const {{ operations }} = decodeStreams(...streams.map((hex) => Buffer.from(hex, "hex")));
    return {{ operations: JSON.stringify(operations, text) }};
  }} catch (error) {{
    if (!(error instanceof Inconsistent)) throw error;
    return {{ refused: error.message }};
  }}
}};
console.log(JSON.stringify(JSON.parse(readFileSync(0, "utf8")).map(read)));
"""


def read_all(cases: list[Streams]) -> list[dict]:
    command = ["node", "--input-type=module", "-e", DRIVER]
    given = json.dumps([[l2.hex(), l1.hex()] for l2, l1 in cases])
    done = subprocess.run(command, input=given, capture_output=True, text=True, cwd=HERE, timeout=300)
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


def core_reads(streams: Streams) -> bool:
    try:
        decode_streams(*streams)
    except StreamError:
        return False
    return True


def one_of_each() -> list[Step]:
    """An operation of each code, in the order of the codes, and each field other than 0 where it may be."""
    rollup = Rollup()
    for index, address in ((5, ALICE), (8, BOB)):
        rollup.account(index).address = address
    rollup.account(8).balances[6] = 777
    return [
        rollup.deposit(5, 3, 10**18, ALICE, KEY, flags=1),
        rollup.full_exit(5, 3, ALICE, 10**17),
        rollup.transfer(5, 8, 4, 123_450_000_000_000, 2047 * 10**3),
        rollup.transfer_to_address(5, 9, 4, 10**12, 3, CAROL | 1),
        rollup.withdraw(5, 4, 10**17 + 1, 10**12, 0xFEED << 140 | 1),
        rollup.change_pub_key(5, ALICE, KEY, 4, 10**5),
        rollup.forced_exit(5, 8, 6, 4, 9),
        *rollup.swap(Fill(5, 2048, 3, 4, 3000, 2), Fill(8, 4095, 2**32 - 1, 6, 10**11, 40)),
        rollup.cancel_order(5, 2049, 2**32 - 2, 4, 5),
    ]


def streams_of(steps: list[Step]) -> Streams:
    l2 = b"".join(chunk.to_bytes(15, "big") for step in steps for chunk in step.chunks)
    return l2, b"".join(word(value) for step in steps for value in step.words)


def flipped(data: bytes) -> list[bytes]:
    """Every bit, one at a time."""
    number, size = int.from_bytes(data, "big"), len(data)
    return [(number ^ 1 << bit).to_bytes(size, "big") for bit in range(8 * size)]


def reshaped(data: bytes, unit: int, other: int) -> list[bytes]:
    """Cut at every byte; a unit taken out, doubled, zeroed, exchanged with the next; other units put in."""
    shapes = [data[:end] for end in range(len(data))] + [data + bytes(1), data + data[:unit]]
    inserted = [bytes(unit), b"\xff" * unit, *((op << 8 * unit - other).to_bytes(unit, "big") for op in range(1, 16))]
    for at in range(0, len(data), unit):
        head, own, tail = data[:at], data[at : at + unit], data[at + unit :]
        shapes += [head + tail, head + own + own + tail, head + bytes(unit) + tail]
        shapes += [head + tail[:unit] + own + tail[unit:]] if tail else []
        shapes += [head + more + own + tail for more in inserted]
    return shapes


def replaced(data: bytes, values: list[bytes], at: int) -> list[bytes]:
    return [data[:at] + value + data[at + len(value) :] for value in values]


def decimals_everywhere(l2: bytes) -> list[bytes]:
    """Encodings that are not canonical, or too large, as amount and as fee of every chunk."""
    amounts = [(1 << 5 | 1), (2**35 - 1) << 5 | 31, 34028236693 << 5 | 28, 31, 2**35 - 1 << 5 | 27]
    fees = [(1 << 5 | 1), 2047 << 5 | 31, 31, 204 << 5 | 1, 205 << 5 | 1]
    damaged = []
    for at in range(0, len(l2), 15):
        damaged += replaced(l2, [amount.to_bytes(5, "big") for amount in amounts], at + 8)
        damaged += replaced(l2, [fee.to_bytes(2, "big") for fee in fees], at + 13)
    return damaged


@pytest.fixture(scope="module")
def sound() -> Streams:
    return streams_of(one_of_each())


def hold_to_the_page(sound: Streams, cases: list[Streams]) -> tuple[int, int]:
    """How many of the cases are refused, and how many read as other operations."""
    cases = [case for case in cases if case != sound]
    original, *results = read_all([sound, *cases])
    assert "operations" in original, original
    same = [case for case, result in zip(cases, results, strict=True) if result == original]
    assert not same
    apart = [
        (result, l2.hex(), l1.hex())
        for (l2, l1), result in zip(cases, results, strict=True)
        if core_reads((l2, l1)) != ("operations" in result)
    ]
    assert not apart, (len(apart), apart[:5])
    refused = sum("refused" in result for result in results)
    return refused, len(results) - refused


def test_decode_one_of_each_reads_every_operation(sound: Streams) -> None:
    (result,) = read_all([sound])
    names = [operation["name"] for operation in json.loads(result["operations"])]
    codes = "Deposit FullExit Transfer TransferToAddress Withdraw ChangePubKey ForcedExit Swap CancelOrder"
    assert names == codes.split()
    assert core_reads(sound)


def test_decode_any_bit_flipped_refused_or_another_operation(sound: Streams) -> None:
    l2, l1 = sound
    cases = [(other, l1) for other in flipped(l2)] + [(l2, other) for other in flipped(l1)]
    refused, read = hold_to_the_page(sound, cases)
    assert refused > 1000
    assert read > 1000


def test_decode_streams_cut_or_rearranged_refused_or_other_operations(sound: Streams) -> None:
    l2, l1 = sound
    cases = [(other, l1) for other in reshaped(l2, 15, 4)] + [(l2, other) for other in reshaped(l1, 32, 60)]
    refused, _ = hold_to_the_page(sound, cases)
    assert refused > 500


def test_decode_decimals_not_canonical_refused(sound: Streams) -> None:
    l2, l1 = sound
    refused, _ = hold_to_the_page(sound, [(other, l1) for other in decimals_everywhere(l2)])
    assert refused > 50


def test_decode_random_bytes_refused_alike(sound: Streams) -> None:
    """Of the right lengths, and with plausible first bytes: purely random ones would all fail at the first chunk."""
    random_ = random.Random(20)
    cases = []
    for _ in range(2000):
        chunks = [bytes([random_.randrange(1, 11) << 4]) + random_.randbytes(14) for _ in range(random_.randrange(4))]
        words = [b"\0" + random_.randbytes(31) for _ in range(random_.choice((0, 2, 4, 6)))]
        cases.append((b"".join(chunks), b"".join(words)))
    for _ in range(2000):  # sound transfers, orders and cancellations of random fields
        limits = (4096, 2**24, random_.choice((4096, 2**24)), 2**36, 2**18)
        fields = [random_.randrange(limit) for limit in limits]
        token, from_, to, amount, fee = fields
        tail = pack_decimal(amount - amount % 10, 35) << 16 | pack_decimal(fee - fee % 1000, 11)
        body = ((token << 24 | from_) << 24 | to) << 56 | tail
        op = random_.choice((3, 8, 9))
        chunk = (op << 116 | body).to_bytes(15, "big")
        settlement = (8 << 116 | random_.getrandbits(64 + random_.choice((0, 0, 1)))).to_bytes(15, "big")
        cases.append((chunk + chunk + settlement if op == 8 else chunk, b""))
    refused, read = hold_to_the_page(sound, cases)
    assert refused > 2000
    assert read > 1000
