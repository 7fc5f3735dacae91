"""What a run came to: a table for people, and the same numbers as one JSON object for programs."""

from typing import Any

from rich.console import Console
from rich.table import Table

from rollup.core.operations import Deposit, FullExit, Withdraw
from rollup.demo.scenario import Outcome
from rollup.node.validator import Landed


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
        "deposits": outcome.deposits,
        "withdrawals": outcome.withdrawals,
        "forced_exits": outcome.forced_exits,
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
        },
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


def _block(landed: Landed, constraints: int, gas_verification: int) -> dict[str, Any]:
    operations = landed.proven.block.operations
    return {
        "number": landed.l1_block.number,
        "steps": landed.l1_block.block_size,
        "constraints": constraints,
        "deposits": sum(isinstance(operation, Deposit) for operation in operations),
        "transfers": landed.transfers,
        "withdrawals": sum(isinstance(operation, Withdraw) for operation in operations),
        "forced_exits": sum(isinstance(operation, FullExit) for operation in operations),
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
    seconds, gas = values["seconds"], values["gas_per_transfer"]
    for name, value in (
        ("users", values["users"]),
        ("payments", values["payments"]),
        (
            "deposits, withdrawals, forced exits",
            f"{values['deposits']}, {values['withdrawals']}, {values['forced_exits']}",
        ),
        ("blocks", values["blocks"]),
        ("constraints proven", f"{values['constraints']:,}"),
        ("seconds: witness / proof / L1", f"{seconds['witness']} / {seconds['proof']} / {seconds['l1_blocks']}"),
        ("seconds: in all", seconds["total"]),
        ("gas per transfer, with all the blocks carry", f"{gas['total']:,}"),
        ("  data (calldata)", f"{gas['data']:,}"),
        ("  verification", f"{gas['verification']:,}"),
        ("  the rest (storage, binding, events, base)", f"{gas['rest']:,}"),
        (
            "rebuilt from L1 and compared",
            f"root, {values['accounts_compared']} accounts, {values['balances_compared']} balances: equal",
        ),
    ):
        table.add_row(name, str(value))
    console.print(table)
    console.print(_ledger_table(outcome))


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
