"""Writes `protocol.json` beside this file, and section 9 of `docs/protocol.md` from it.

    python tests/vectors/make_protocol_vectors.py

Who does what is in `vector_operations.py`, how values are written in `vector_formats.py`. In the file a word, root,
hash, address or key is hex; an amount is a decimal string; ids, counts and times are numbers.
`tests/rollup/test_core_vectors.py` holds both files fresh.
"""

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from vector_formats import address, amounts, describe, published, word
from vector_operations import (
    CHAIN_ID,
    DOMAIN,
    ROLLUP,
    TIME,
    first_block,
    key_changes,
    messages,
    queue,
    second_block,
    third_block,
    wallet,
)

from rollup._native import poseidon
from rollup.core import (
    BlockBuilder,
    SealedBlock,
    State,
    empty_balances_root,
    empty_root,
    pack_amount,
    pack_fee,
    unpack_amount,
    unpack_fee,
)
from rollup.core.account import empty_account_leaf
from rollup.core.binding import commit_header, commit_step, evaluate
from rollup.core.constants import ARITY
from rollup.core.streams import l1_words, l2_words
from rollup.core.witness_inputs import StepInputs

HERE = Path(__file__).parent
VECTORS = HERE / "protocol.json"
PAGE = HERE.parents[1] / "docs" / "protocol.md"
SECTION_START, SECTION_END = "## 9. Worked example\n", "## 10."
FEE_TOKENS = (0, 1, 2, 3, 4, 5, 6, 7)


def step_vector(step: StepInputs, commitment: int) -> dict[str, Any]:
    """A step: what it is, what it publishes, and what is after it."""
    vector = {"operation": describe(step.operation), **published(step.operation)}
    if step.batch_rest is not None:
        vector["batch_rest"] = word(step.batch_rest)
    after = step.state_out
    if after.pending:
        vector |= {"pending": after.pending, "link": word(after.link), "rest": word(after.rest)}
    return vector | {"root": word(root_over(after.nodes)), "c": word(commitment)}


def root_over(nodes: Sequence[int]) -> int:
    """The state root over the nodes that the steps share."""
    while len(nodes) > 1:
        nodes = [poseidon(list(nodes[at : at + ARITY])) for at in range(0, len(nodes), ARITY)]
    return nodes[0]


def block_vector(state: State, sealed: SealedBlock) -> dict[str, Any]:
    """One block, with every value on the way."""
    assert sealed.witness is not None
    header, x = sealed.header, sealed.challenge
    commitments = [commit_header(header)]
    for step in sealed.witness.steps:
        commitments.append(commit_step(commitments[-1], step.operation))
    assert commitments[-1] == sealed.commitment
    steps = [step_vector(step, c) for step, c in zip(sealed.witness.steps, commitments[1:], strict=True)]
    return {
        "header": {
            "chain_id": CHAIN_ID,
            "rollup_address": address(ROLLUP),
            **{
                name: getattr(header, name)
                for name in (
                    "version", "block_size", "block_number", "timestamp", "queue_start", "queue_count", "l2_chunks",
                    "l1_words", "fee_account", "fee_tokens",
                )
            },
            "old_root": word(header.old_root),
            "new_root": word(header.new_root),
        },
        "header_words": [word(value) for value in header.words()],
        "steps": steps,
        "fees": {str(t): str(f) for t, f in zip(FEE_TOKENS, sealed.witness.close.state_in.fees, strict=True) if f},
        "l2": "0x" + sealed.l2.hex(),
        "l1": "0x" + sealed.l1.hex(),
        "key_auth": "0x" + sealed.key_auth().hex(),
        "c_0": word(commitments[0]),
        "C": word(sealed.commitment),
        "X": word(x),
        "evaluation_header": word(evaluate(header.words(), x)),
        "evaluation_l2": word(evaluate(l2_words(sealed.l2), x)),
        "evaluation_l1": word(evaluate(l1_words(sealed.l1), x)),
        "Y": word(sealed.evaluation),
        "accounts": {
            str(account_id): {
                "key": [word(coordinate) for coordinate in account.key],
                "address": address(account.address),
                "nonce": account.nonce,
                "balances": {str(token): str(b) for token, b in sorted(state.balances(account_id).items())},
                "orders": {
                    str(slot): {"order_id": order.order_id, "filled": str(order.filled)}
                    for slot, order in sorted(state.order_slots(account_id).items())
                },
            }
            for account_id, account in sorted(state.accounts())
        },
    }  # fmt: skip


def blocks() -> list[dict[str, Any]]:
    """Three blocks in a row."""
    state, vectors, queue_start = State(), [], 0
    for number, (fill, size) in enumerate(((first_block, 12), (second_block, 4), (third_block, 16)), start=1):
        builder = BlockBuilder(
            state, domain=DOMAIN, block_number=number, timestamp=TIME + 60 * number, fee_account=2,
            fee_tokens=FEE_TOKENS, block_size=size, queue_start=queue_start,
        )  # fmt: skip
        sealed = fill(builder)
        queue_start += sealed.header.queue_count
        vectors.append(block_vector(state, sealed))
    return vectors


def vectors() -> dict[str, Any]:
    """The whole file."""
    small = [0, 1, 10, 2047, 2050, 10**18]
    return {
        "source": "tests/vectors/make_protocol_vectors.py",
        "domain": {"chain_id": CHAIN_ID, "rollup_address": address(ROLLUP), "word": word(DOMAIN)},
        "roots": {
            "EMPTY_BALANCES_ROOT": word(empty_balances_root()),
            "empty_account_leaf": word(empty_account_leaf()),
            "EMPTY_ROOT": word(empty_root()),
        },
        "amounts": amounts(
            pack_amount,
            [*small, 2**35 - 1, 2**35 + 2, 123456789 * 10**12, (2**35 - 1) * 10**27, 34028236692 * 10**28],
            [2**35, 2**35 + 1, (2**35 - 1) * 10 + 1, 10**20 + 1, 2**128 - 1],
            [1, 31, 1 << 5 | 1, 3435973836 << 5 | 1, 34028236693 << 5 | 28, (2**35 - 1) << 5 | 28, 2**40 - 1],
            unpack_amount,
        ),
        "fees": amounts(
            pack_fee,
            [*small, 2047 * 10**31],
            [2048, 2049, 20471, 2047 * 10**31 + 1, 2**128 - 1],
            [1, 31, 1 << 5 | 1, 204 << 5 | 1],
            unpack_fee,
        ),
        "keys": wallet(),
        "messages": messages(),
        "key_changes": key_changes(),
        "queue": queue(),
        "blocks": blocks(),
    }


def section(file: dict[str, Any]) -> str:
    """Section 9 of the page."""
    block = file["blocks"][0]
    lines = [
        SECTION_START,
        "The first block of `tests/vectors/protocol.json`, from the empty tree. `make_protocol_vectors.py` writes this",
        "section and the file, which has two blocks more, with every other operation, and vectors for every format of",
        "this page. All hex.",
        "",
        "```",
        f"EMPTY_BALANCES_ROOT  {file['roots']['EMPTY_BALANCES_ROOT'][2:]}",
        f"EMPTY_ROOT           {file['roots']['EMPTY_ROOT'][2:]}",
        *(f"H{i}  {value[2:]}" for i, value in enumerate(block["header_words"])),
        "```",
        "",
        "Steps: number, operation, chunk; then its record, one word a line; then the state root and C after the step.",
        "",
        "```",
        f"       C_0   {block['c_0'][2:]}",
    ]
    for i, step in enumerate(block["steps"]):
        fields = step["operation"]
        lines.append(f"{i:2} {fields['op']:9} {' '.join(value[2:] for value in step['chunks']) or '-'}")
        lines += [f"       W{j}    {value[2:]}" for j, value in enumerate(step["record"])]
        lines += [f"       root  {step['root'][2:]}", f"       C     {step['c'][2:]}"]
    first = file["messages"][0]
    lines += [
        "```",
        "",
        "Step 3 is signed. Its message, and the signature by this L2 private key:",
        "",
        "```",
        f"key   {file['keys'][0]['l2_private_key'][2:]}",
        *(f"M{i}    {value[2:]}" for i, value in enumerate(first["message"])),
        f"hash  {first['message_hash'][2:]}",
        f"R8x   {first['operation']['signature']['r8'][0][2:]}",
        f"R8y   {first['operation']['signature']['r8'][1][2:]}",
        f"S     {first['operation']['signature']['s'][2:]}",
        "```",
        "",
        "The L2 stream is the chunks one after the other, the L1 stream the records. The fees of token 1,",
        f"{block['fees']['1']} in all, go to account 2 and give the new root, H3. Then",
        "",
        "```",
        f"X      {block['X'][2:]}",
        f"E(H)   {block['evaluation_header'][2:]}",
        f"E(L2)  {block['evaluation_l2'][2:]}",
        f"E(L1)  {block['evaluation_l1'][2:]}",
        f"Y      {block['Y'][2:]}",
        "```",
        "",
        "",
    ]
    return "\n".join(lines)


def page_with(text: str, page: str) -> str:
    """The page with this section 9."""
    start, end = page.index(SECTION_START), page.index(SECTION_END)
    return page[:start] + text + page[end:]


def main() -> None:
    """Write both files."""
    file = vectors()
    VECTORS.write_text(json.dumps(file, indent=1) + "\n")
    PAGE.write_text(page_with(section(file), PAGE.read_text()))


if __name__ == "__main__":
    main()
