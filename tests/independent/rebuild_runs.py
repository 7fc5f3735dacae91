"""Chains of blocks for rebuild.mjs, and runs of it over many of them."""

from __future__ import annotations

import json
import subprocess

from page_model import FIELD, ROOT, Fill, Header, Rollup, Step, key_auth

HERE = ROOT / "tests/independent"
ALICE, BOB, CAROL = 0xA11CE << 100, 0xB0B << 60, 0xCA201 << 10
KEY = (12345, FIELD - 1)
# Runs many inputs in one process: starting circomlibjs takes seconds.
DRIVER = f"""
import {{ readFileSync }} from "node:fs";
import {{ buildPoseidon }} from "circomlibjs";
import {{ rebuild }} from "{(HERE / "rebuild.mjs").as_uri()}";
import {{ Inconsistent }} from "{(HERE / "encoding.mjs").as_uri()}";
const poseidon = await buildPoseidon();
const run = (input) => {{
  try {{
    return rebuild(poseidon, input);
  }} catch (error) {{
    if (!(error instanceof Inconsistent)) throw error;
    return error.message;
  }}
}};
console.log(JSON.stringify(JSON.parse(readFileSync(0, "utf8")).map(run)));
"""


def run_many(inputs: list[dict]) -> list:
    command = ["node", "--input-type=module", "-e", DRIVER]
    done = subprocess.run(command, input=json.dumps(inputs), capture_output=True, text=True, cwd=HERE, timeout=300)
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


def run_program(given: dict) -> subprocess.CompletedProcess[str]:
    command = ["node", str(HERE / "rebuild.mjs")]
    return subprocess.run(command, input=json.dumps(given), capture_output=True, text=True, timeout=300)


def opened() -> tuple[Rollup, list[Step]]:
    """A chain whose first block, not yet published, gives Alice account 5 with a key and Bob account 8 without."""
    rollup = Rollup()
    steps = [
        rollup.deposit(5, 0, 10**18, ALICE, KEY, flags=1),
        rollup.deposit(8, 2047, 2**128 - 1, BOB),
        rollup.deposit(0, 3, 77, BOB, KEY, flags=3),
    ]
    return rollup, steps


def traders() -> tuple[Rollup, list[Step]]:
    """`opened`, and Carol: account 9 with a key and 10^6 of token 1. Five of the steps are taken."""
    rollup, steps = opened()
    steps.append(rollup.deposit(9, 1, 10**6, CAROL, KEY, flags=1))
    steps.append(rollup.deposit(9, 2, 10**6, CAROL))
    return rollup, steps


def later_operations(rollup: Rollup) -> list[Step]:
    """From `traders` on, all operations that `chain` begins without, 16 steps."""
    return [
        rollup.transfer_to_address(5, 11, 0, 10**15, 7, BOB << 3),
        rollup.transfer_to_address(5, 11, 0, 0, 0, BOB << 3),
        rollup.transfer_to_address(9, 9, 1, 1, 0, CAROL),
        *rollup.swap(Fill(5, 2048, 3, 0, 3000, 2), Fill(9, 4095, 2**32 - 1, 1, 1000)),
        *rollup.swap(Fill(9, 4095, 2**32 - 1, 1, 10, 1), Fill(5, 2048, 4, 0, 20)),
        *rollup.swap(Fill(9, 2048, 0, 1, 0), Fill(9, 2049, 0, 2, 5)),
        rollup.cancel_order(5, 2048, 2**32 - 1, 0, 2047),
        rollup.cancel_order(9, 3000, 1, 1, 0),
        rollup.forced_exit(9, 11, 0, 1, 30),
        rollup.change_pub_key(8, BOB, (1, 2), 2047, 2047 * 10**20, key_auth(2**40 - 1, 5, 6, 28)),
    ]


def chain() -> Rollup:
    """Five blocks in four transactions, with every operation."""
    rollup, steps = opened()
    rollup.publish(steps)
    rollup.commit(auth=b"\x01\x02")
    rollup.publish(
        [
            rollup.transfer(5, 8, 0, 123_450_000_000_000, 2047 * 10**3),
            rollup.transfer(5, 5, 0, 0, 0),
            rollup.withdraw(5, 0, 10**17 + 1, 10**12, 0xFEED),
            rollup.full_exit(8, 0, ALICE, 0),
            rollup.full_exit(8, 0, BOB, 123_450_000_000_000),
        ],
        Header(timestamp=1_700_000_000, fee_tokens=(0, 9, 10, 11, 12, 13, 14, 2047)),
    )
    rollup.publish([], Header(timestamp=1_700_000_001, block_size=2, fee_account=8))
    rollup.commit()
    steps = [
        rollup.deposit(8, 0, 5, BOB, (1, 2), flags=1),  # the first key
        rollup.deposit(5, 2046, 6, ALICE, (1, 2), flags=1),  # no second key
        rollup.deposit(8**8 - 1, 1, 7, BOB),
        rollup.transfer(8, 8**8 - 1, 2047, (2**35 - 1) * 10**27, 2047 * 10**10),
    ]
    header = Header(1_700_000_009, block_size=5, fee_account=8**8 - 1, fee_tokens=(*range(1, 8), 2047))
    rollup.publish(steps, header)
    rollup.commit("commitProveExecute", auth=b"\xff" * 33)
    steps = [rollup.deposit(9, 1, 10**6, CAROL, KEY, flags=1), rollup.deposit(9, 2, 10**6, CAROL)]
    steps += later_operations(rollup)
    header = Header(1_700_000_009, block_size=len(steps) + 1, fee_account=9, fee_tokens=(*range(7), 2047))
    rollup.publish(steps, header)
    rollup.commit()
    return rollup
