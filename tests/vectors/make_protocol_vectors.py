"""Writes `protocol.json` beside this file, and section 9 of `docs/protocol.md` from it.

    python tests/vectors/make_protocol_vectors.py

Everything is fixed: Ethereum keys 0x01.., 0x02.., the L2 keys derived from them, chain 31337. In the file a word, root,
hash, address or key is hex; an amount is a decimal string; ids, counts and times are numbers.
`tests/rollup/test_core_vectors.py` holds both files fresh.
"""

import json
from pathlib import Path
from typing import Any

from eth_account import Account as EthereumAccount

from rollup.core import (
    BlockBuilder,
    Deposit,
    FullExit,
    SealedBlock,
    State,
    Transfer,
    Withdraw,
    domain,
    empty_balances_root,
    empty_root,
    pack_amount,
    pack_fee,
    queue_entry,
    queue_hash,
    unpack_amount,
    unpack_fee,
)
from rollup.core.account import empty_account_leaf
from rollup.core.binding import commit_header, commit_step, evaluate
from rollup.core.constants import CHUNK_BYTES
from rollup.core.errors import AmountNotCanonicalError, AmountNotRepresentableError
from rollup.core.operations import NO_KEY, Noop
from rollup.core.queue import queue_expiry, requested
from rollup.core.streams import l1_words, l2_words
from rollup.wallet.keys import derive_local_key, key_typed_data, local_signer

HERE = Path(__file__).parent
VECTORS = HERE / "protocol.json"
PAGE = HERE.parents[1] / "docs" / "protocol.md"
SECTION_START, SECTION_END = "## 9. Worked example\n", "## 10."

CHAIN_ID = 31337
ROLLUP = 0x5FBDB2315678AFECB367F032D93F642F64180AA3
DOMAIN = domain(CHAIN_ID, ROLLUP)
TIME = 1_800_000_000
FEE_TOKENS = (0, 1, 2, 3, 4, 5, 6, 7)
ETHEREUM = [EthereumAccount.from_key(bytes([n]) * 32) for n in (1, 2, 3)]
OWNER = [int(account.address, 16) for account in ETHEREUM]
KEYS = [derive_local_key(account, CHAIN_ID, ROLLUP) for account in ETHEREUM]
ETHER = 10**18


def word(value: int) -> str:
    """32 bytes in hex."""
    return f"0x{value:064x}"


def address(value: int) -> str:
    """20 bytes in hex."""
    return f"0x{value:040x}"


def chunk(value: int) -> str:
    """15 bytes in hex."""
    return "0x" + value.to_bytes(CHUNK_BYTES, "big").hex()


def amounts(pack: Any, values: list[int], others: list[int], encodings: list[int], unpack: Any) -> dict[str, Any]:
    """Packed values, values that cannot be packed with their neighbours, encodings that are refused."""
    refused = []
    for value in others:
        try:
            pack(value)
        except AmountNotRepresentableError as error:
            upper = None if error.upper is None else str(error.upper)
            refused.append({"value": str(value), "lower": str(error.lower), "upper": upper})
    not_canonical = []
    for packed in encodings:
        try:
            unpack(packed)
        except AmountNotCanonicalError:
            not_canonical.append(packed)
    assert (len(refused), len(not_canonical)) == (len(others), len(encodings))
    return {
        "packed": [{"value": str(value), "packed": pack(value)} for value in values],
        "not_representable": refused,
        "not_canonical": not_canonical,
    }


def describe(operation: Any) -> dict[str, Any]:
    """An operation's fields, for reading and for building it again."""
    fields = {name: getattr(operation, name) for name in operation.__dataclass_fields__}
    described: dict[str, Any] = {"op": type(operation).__name__}
    for name, value in fields.items():
        if name == "signature":
            if value is not None:
                described[name] = {"r8": [word(value.r8x), word(value.r8y)], "s": word(value.s)}
        elif name == "key":
            described[name] = [word(coordinate) for coordinate in value]
        elif name in {"owner", "address", "to_address"}:
            described[name] = address(value)
        elif name == "link":
            if value:
                described[name] = word(value)
        elif name in {"amount", "fee"}:
            described[name] = str(value)
        else:
            described[name] = value
    return described


def published(operation: Any) -> dict[str, Any]:
    """Chunk and record."""
    return {
        "chunk": next((chunk(value) for value in operation.chunks()), None),
        "record": [word(value) for value in operation.record()],
    }


def messages() -> list[dict[str, Any]]:
    """Signed operations: words, hash, signature."""
    operations: list[tuple[int, Transfer | Withdraw]] = [
        (0, Transfer(0, 1, OWNER[1], 1, 25 * ETHER, 10**15, 0)),
        (1, Transfer(2**24 - 1, 2**24 - 2, 2**160 - 1, 2047, 34028236692 * 10**28, 2047 * 10**31, 2**32 - 1, 1, 2)),
        (2, Transfer(0, 0, 1, 0, 0, 0, 0, TIME, TIME)),
        (0, Withdraw(0, OWNER[0], 0, ETHER + 1, 2050, 7, 0, TIME)),
        (1, Withdraw(2**24 - 1, 2**160 - 1, 2047, 2**128 - 1, 0, 2**32 - 1)),
    ]
    vectors = []
    for signer, unsigned in operations:
        signed = KEYS[signer].sign(unsigned, DOMAIN)
        vectors.append(
            {
                "operation": describe(signed),
                "signer": signer,
                "message": [word(value) for value in signed.message_words(DOMAIN)],
                "message_hash": word(signed.message_hash(DOMAIN)),
                **published(signed),
            }
        )
    return vectors


def queue() -> list[dict[str, Any]]:
    """Queue entries: the record as requested, its hash, the slot."""
    operations = [
        Deposit(0, 1, 100 * ETHER, OWNER[0], KEYS[0].public_key, True, queue_fee_gwei=20_000),
        Deposit(5, 1, 100 * ETHER, OWNER[0], KEYS[0].public_key, True, queue_fee_gwei=20_000),
        Deposit(0, 1, 100 * ETHER, OWNER[0], KEYS[0].public_key, True, refused=True, queue_fee_gwei=20_000),
        Deposit(0, 2047, 2**128 - 1, 2**160 - 1, NO_KEY, queue_fee_gwei=2**64 - 1),
        FullExit(1, 1, OWNER[1], 77, 20_000),
        FullExit(1, 1, OWNER[1], 0, 20_000),
    ]
    return [
        {
            "operation": describe(operation),
            "requested_at": TIME,
            "record_as_requested": [word(value) for value in requested(operation).record()],
            "hash": "0x" + queue_hash(operation).hex(),
            "expiry": queue_expiry(TIME),
            "entry": word(queue_entry(operation, TIME)),
        }
        for operation in operations
    ]


def wallet() -> list[dict[str, Any]]:
    """L2 keys of the three users."""
    return [
        {
            "ethereum_private_key": "0x" + (bytes([n + 1]) * 32).hex(),
            "ethereum_address": address(OWNER[n]),
            "signature": "0x" + local_signer(ETHEREUM[n])(key_typed_data(CHAIN_ID, ROLLUP)).hex(),
            "l2_private_key": "0x" + KEYS[n].private_key.hex(),
            "l2_public_key": [word(coordinate) for coordinate in KEYS[n].public_key],
        }
        for n in range(3)
    ]


def first_block(builder: BlockBuilder) -> SealedBlock:
    """All operations of version 1, from the empty tree; account 2 takes the fees."""
    for n in range(3):
        amount = (100 * ETHER, 50 * ETHER + 1, 0)[n]
        builder.add(Deposit(n, 1, amount, OWNER[n], KEYS[n].public_key, True, queue_fee_gwei=20_000 + n))
    builder.add(KEYS[0].sign(Transfer(0, 1, OWNER[1], 1, 25 * ETHER, 10**15, 0), DOMAIN))
    builder.add(KEYS[0].sign(Transfer(0, 0, OWNER[0], 1, 75 * ETHER - 10**15 - 2 * 10**14, 2 * 10**14, 1), DOMAIN))
    builder.add(KEYS[0].sign(Withdraw(0, 0xDEADBEEF, 1, 12345678901234567890, 10**14, 2), DOMAIN))
    builder.add(Deposit(0, 0, 5 * ETHER, OWNER[2], NO_KEY, False, refused=True, queue_fee_gwei=20_003))
    builder.add(FullExit(1, 1, OWNER[1], queue_fee_gwei=20_004))
    builder.add(FullExit(1, 1, OWNER[0], queue_fee_gwei=20_005))
    return builder.seal()


def second_block(builder: BlockBuilder) -> SealedBlock:
    """From there on: a stranger's deposit creates an account without key; the owner's own does not replace his key."""
    builder.add(Deposit(4097, 2047, 7, 0x1234567890ABCDEF, KEYS[1].public_key, False, queue_fee_gwei=1))
    builder.add(Deposit(0, 2, 10**12, OWNER[0], KEYS[1].public_key, True, queue_fee_gwei=2))
    builder.add(KEYS[0].sign(Transfer(0, 4097, 0x1234567890ABCDEF, 2, 10**11, 2047, 3), DOMAIN))
    return builder.seal()


def block_vector(state: State, sealed: SealedBlock) -> dict[str, Any]:
    """One block, with every value on the way."""
    assert sealed.witness is not None
    header, x = sealed.header, sealed.challenge
    commitments = [commit_header(header)]
    padded = [*sealed.operations, *[Noop()] * (header.block_size - len(sealed.operations))]
    for operation in padded:
        commitments.append(commit_step(commitments[-1], operation))
    assert commitments[-1] == sealed.commitment
    steps = [
        {"operation": describe(operation), **published(operation), "root": word(step.state_out.root), "c": word(c)}
        for operation, step, c in zip(padded, sealed.witness.steps, commitments[1:], strict=True)
    ]
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
                "balances": {str(slot): str(balance) for slot, balance in sorted(state.balances(account_id).items())},
            }
            for account_id, account in sorted(state.accounts())
        },
    }  # fmt: skip


def blocks() -> list[dict[str, Any]]:
    """Two blocks in a row."""
    state, vectors, queue_start = State(), [], 0
    for number, (fill, size) in enumerate(((first_block, 12), (second_block, 4)), start=1):
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
        "queue": queue(),
        "blocks": blocks(),
    }


def section(file: dict[str, Any]) -> str:
    """Section 9 of the page."""
    block = file["blocks"][0]
    lines = [
        SECTION_START,
        "The first block of `tests/vectors/protocol.json`, from the empty tree. `make_protocol_vectors.py` writes this",
        "section and the file, which has a second block, and vectors for every format of this page. All hex.",
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
        lines.append(f"{i:2} {fields['op']:9} {step['chunk'][2:] if step['chunk'] else '-'}")
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
