"""What a run came to: a table for people, and the same numbers as one JSON object for programs."""

from collections import Counter
from collections.abc import Iterable
from typing import Any, Final

from rich.console import Console
from rich.table import Table

from rollup.core.operations import (
    CancelOrder,
    ChangePubKey,
    Deposit,
    ForcedExit,
    FullExit,
    Operation,
    Swap,
    Transfer,
    TransferToAddress,
    Withdraw,
)
from rollup.demo.scenario import Outcome
from rollup.node.validator import Landed

KINDS: Final[dict[str, type]] = {
    "deposits": Deposit,
    "transfers": Transfer,
    "transfers to an address": TransferToAddress,
    "swaps": Swap,
    "cancelled orders": CancelOrder,
    "key changes": ChangePubKey,
    "withdrawals": Withdraw,
    "forced exits": ForcedExit,
    "full exits": FullExit,
}


def summary(outcome: Outcome) -> dict[str, Any]:
    """Return the run as plain values. Gas per transfer is all gas of the blocks over all transfers in them."""
    transfers = sum(landed.transfers for landed in outcome.landed)
    gas = sum(landed.sent.gas_used for landed in outcome.landed)
    data = sum(landed.sent.gas_data for landed in outcome.landed)
    verification = sum(outcome.gas_verification)
    proofs = [landed.proven for landed in outcome.landed]
    blocks = [
        _block(landed, outcome.constraints[landed.l1_block.block_size], spent)
        for landed, spent in zip(outcome.landed, outcome.gas_verification, strict=True)
    ]
    return {
        "ok": True,
        "users": outcome.users,
        "payments": outcome.payments,
        "batches": outcome.batches,
        "old_keys_refused": outcome.old_keys_refused,
        "operations": _counts(operation for proven in proofs for operation in proven.block.operations),
        "blocks": len(blocks),
        "constraints": sum(block["constraints"] for block in blocks),
        "seconds": {
            "l1_setup": round(outcome.l1_setup_seconds, 2),
            "witness": round(sum(proven.witness_seconds for proven in proofs), 2),
            "proof": round(sum(proven.prove_seconds for proven in proofs), 2),
            "l1_blocks": round(sum(landed.l1_seconds for landed in outcome.landed), 2),
            "rebuild": round(outcome.rebuild_seconds, 2),
            "total": round(outcome.total_seconds, 2),
        },
        "gas_per_transfer": {
            "total": gas // transfers,
            "data": data // transfers,
            "verification": verification // transfers,
            "rest": (gas - data - verification) // transfers,
        }
        if transfers
        else None,
        "block_list": blocks,
        "root": f"{outcome.checked.root:#066x}",
        "accounts_compared": outcome.checked.accounts,
        "balances_compared": outcome.checked.balances,
        "ledger": {
            entry.token.symbol: {
                "accounted": str(entry.accounted),
                "on_l2": str(entry.on_l2),
                "in_queue": str(entry.in_queue),
                "pending": str(entry.pending),
                "holdings": str(entry.holdings),
            }
            for entry in outcome.checked.ledger
        },
    }


def _counts(operations: Iterable[Operation]) -> dict[str, int]:
    """How many there are of each kind that there is."""
    counted = Counter(name for operation in operations for name, kind in KINDS.items() if isinstance(operation, kind))
    return {name.replace(" ", "_"): counted[name] for name in KINDS if counted[name]}


def _block(landed: Landed, constraints: int, gas_verification: int) -> dict[str, Any]:
    return {
        "number": landed.l1_block.number,
        "steps": landed.l1_block.block_size,
        "constraints": constraints,
        "transfers": landed.transfers,
        "operations": _counts(landed.proven.block.operations),
        "witness_seconds": round(landed.proven.witness_seconds, 2),
        "proof_seconds": round(landed.proven.prove_seconds, 2),
        "l1_seconds": round(landed.l1_seconds, 2),
        "gas": landed.sent.gas_used,
        "gas_data": landed.sent.gas_data,
        "gas_verification": gas_verification,
    }


def print_report(outcome: Outcome, console: Console) -> None:
    """Print the tables."""
    values = summary(outcome)
    console.print(_blocks_table(values))
    table = Table(title="The whole run", show_header=False, title_justify="left")
    seconds, operations = values["seconds"], values["operations"]
    rows: list[tuple[str, object]] = [
        ("users", values["users"]),
        ("payments; batches", f"{values['payments']}; {values['batches']}"),
        *((name.replace("_", " "), count) for name, count in operations.items()),
        ("old keys tried and refused", values["old_keys_refused"]),
        ("blocks", values["blocks"]),
        ("constraints proven", f"{values['constraints']:,}"),
        ("seconds: witness / proof / L1", f"{seconds['witness']} / {seconds['proof']} / {seconds['l1_blocks']}"),
        ("seconds: in all", seconds["total"]),
        *_gas_rows(values["gas_per_transfer"]),
        (
            "rebuilt from L1 and compared",
            f"root, {values['accounts_compared']} accounts, {values['balances_compared']} balances: equal",
        ),
    ]
    for name, value in rows:
        table.add_row(name, str(value))
    console.print(table)
    console.print(_ledger_table(outcome))


def _gas_rows(gas: dict[str, int] | None) -> list[tuple[str, object]]:
    if gas is None:
        return []
    return [
        ("gas per transfer, with all the blocks carry", f"{gas['total']:,}"),
        ("  data (calldata)", f"{gas['data']:,}"),
        ("  verification", f"{gas['verification']:,}"),
        ("  the rest (storage, binding, events, base)", f"{gas['rest']:,}"),
    ]


def _blocks_table(values: dict[str, Any]) -> Table:
    table = Table(title="Blocks, each accepted by L1 with its proof", title_justify="left")
    columns = {
        "block": "number",
        "steps": "steps",
        "constraints": "constraints",
        "transfers": "transfers",
        "witness s": "witness_seconds",
        "proof s": "proof_seconds",
        "L1 s": "l1_seconds",
        "gas": "gas",
    }
    for column in columns:
        table.add_column(column, justify="right")
    for block in values["block_list"]:
        cells = (block[key] for key in columns.values())
        table.add_row(*(f"{cell:,}" if isinstance(cell, int) else str(cell) for cell in cells))
    return table


def _ledger_table(outcome: Outcome) -> Table:
    table = Table(title="What the contract owes, and holds", title_justify="left")
    for column in ("token", "accounted", "= on L2", "+ queue", "+ pending", "holds"):
        table.add_column(column, justify="left" if column == "token" else "right")
    for entry in outcome.checked.ledger:
        amounts = (entry.accounted, entry.on_l2, entry.in_queue, entry.pending, entry.holdings)
        table.add_row(entry.token.symbol, *(entry.token.show(amount) for amount in amounts))
    return table
