"""Blocks of page_model, sound and damaged, applied by rollup.core and by JavaScript: the same states and refusals."""

from __future__ import annotations

import json
import subprocess
from collections import Counter
from dataclasses import replace

import pytest
from page_model import Header, Rollup
from random_chain import FEE_TOKENS, RandomChain
from rebuild_runs import HERE, later_operations, run_many, traders
from test_operations_js import REFUSED, after_traders

from rollup.core import Deposit, FullExit, State, apply_block_data, decode_streams, encode_streams, header_from_words
from rollup.core.errors import ReplayError, RootMismatchError, StreamError

DRIVER = f"""
import {{ readFileSync }} from "node:fs";
import {{ buildPoseidon }} from "circomlibjs";
import {{ decodeStreams }} from "{(HERE / "streams.mjs").as_uri()}";
import {{ State, applyBlock }} from "{(HERE / "state.mjs").as_uri()}";
import {{ Inconsistent, toHex }} from "{(HERE / "encoding.mjs").as_uri()}";
const poseidon = await buildPoseidon();
const known = new Map(); // nearly all of the trees is the same in all cases
const hash = (inputs) => {{
  const key = inputs.join();
  if (!known.has(key)) known.set(key, poseidon.F.toObject(poseidon(inputs)));
  return known.get(key);
}};
const {{ feeAccount, feeTokens, first, cases }} = JSON.parse(readFileSync(0, "utf8"));
const apply = (state, streams) => {{
  const {{ operations }} = decodeStreams(...streams.map((hex) => Buffer.from(hex, "hex")));
  applyBlock(state, operations, BigInt(feeAccount), feeTokens.map(BigInt));
}};
const run = (streams) => {{
  const state = new State(hash);
  apply(state, first);
  try {{
    apply(state, streams);
    return {{ root: toHex(state.root(), 32) }};
  }} catch (error) {{
    if (!(error instanceof Inconsistent)) throw error;
    return {{ refused: error.message }};
  }}
}};
console.log(JSON.stringify(cases.map(run)));
"""
Published = tuple[list[int], bytes, bytes]


def core_rebuilds(rollup: Rollup) -> State:
    state = State()
    for words, l2, l1 in rollup.published:
        apply_block_data(state, header_from_words(words), l2, l1)
    return state


@pytest.mark.parametrize("seed", range(2))
def test_rebuild_random_blocks_page_core_and_js_give_one_state(seed: int) -> None:
    chain = RandomChain(seed)
    rollup = chain.rollup
    for block in range(3):
        steps = chain.steps(40) if block else chain.open()
        rollup.publish(steps, Header(block_size=50, fee_tokens=FEE_TOKENS))
    rollup.commit()
    (result,) = run_many([rollup.input()])
    assert isinstance(result, dict), result
    assert rollup.expected().items() <= result.items()
    assert core_rebuilds(rollup).root == rollup.blocks[-1][3]
    for _, l2, l1 in rollup.published:
        assert encode_streams(decode_streams(l2, l1)) == (l2, l1)


@pytest.mark.parametrize("name", REFUSED)
def test_apply_broken_condition_core_refuses_as_js_does(name: str) -> None:
    """test_operations_js holds the JavaScript to the same blocks."""
    ((words, l2, l1),) = after_traders(REFUSED[name][1]).published
    with pytest.raises((StreamError, ReplayError)):
        apply_block_data(State(), header_from_words(words), l2, l1)


def damaged(l2: bytes, l1: bytes) -> list[tuple[bytes, bytes]]:
    """Flipped bits: all of an operation's code, of the rest every eleventh, so all positions in a byte come up."""

    def flip(data: bytes, bit: int) -> bytes:
        return (int.from_bytes(data, "big") ^ 1 << bit).to_bytes(len(data), "big")

    codes = [bit for bit in range(8 * len(l2)) if bit % 120 >= 116]
    bits = sorted({*codes, *range(0, 8 * len(l2), 11)})
    return [(flip(l2, bit), l1) for bit in bits] + [(l2, flip(l1, bit)) for bit in range(0, 8 * len(l1), 11)]


def core_says(state: State, words: list[int], l2: bytes, l1: bytes) -> dict[str, str]:
    """The root, or why not; the counts of the header are those of the streams."""
    try:
        operations = decode_streams(l2, l1)
        queued = sum(isinstance(operation, Deposit | FullExit) for operation in operations)
        apply_block_data(state.copy(), replace(header_from_words(words), queue_count=queued), l2, l1)
    except RootMismatchError as error:
        return {"root": f"0x{error.got:064x}"}
    except (StreamError, ReplayError) as error:
        return {"refused": str(error)}
    return {"root": f"0x{words[3]:064x}"}


def test_apply_damaged_blocks_core_and_js_refuse_the_same() -> None:
    rollup, steps = traders()
    header = Header(block_size=30, fee_account=9, fee_tokens=(*range(7), 2047))
    rollup.publish(steps, header)
    rollup.publish([rollup.full_exit(5, 0, rollup.account(9).address, 0), *later_operations(rollup)], header)
    (first, *streams), (words, l2, l1) = rollup.published
    state = State()
    apply_block_data(state, header_from_words(first), *streams)
    cases = [(l2, l1), *damaged(l2, l1)]
    given = {
        "feeAccount": header.fee_account,
        "feeTokens": header.fee_tokens,
        "first": [stream.hex() for stream in streams],
        "cases": [[own.hex() for own in case] for case in cases],
    }
    command = ["node", "--input-type=module", "-e", DRIVER]
    done = subprocess.run(command, input=json.dumps(given), capture_output=True, text=True, cwd=HERE, timeout=600)
    assert done.returncode == 0, done.stderr
    results = json.loads(done.stdout)
    assert results[0] == {"root": f"0x{words[3]:064x}"}
    apart = []
    for case, result in zip(cases, results, strict=True):
        own = core_says(state, words, *case)
        if ("refused" in own) != ("refused" in result) or own.get("root") != result.get("root"):
            apart.append((own, result))
    assert not apart, (len(apart), apart[:10])
    kinds = Counter("refused" in result for result in results)
    assert min(kinds.values()) > 100, kinds
