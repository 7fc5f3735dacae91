"""Shows the steps of an exit as they land."""

import json
import sys
from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

import click

if TYPE_CHECKING:
    from rollup.exits.leave import Step
    from rollup.l1.manifest import Manifest


def show_steps(manifest: "Manifest", steps: "Iterable[Step]", as_json: bool) -> None:
    """Print each step, or all of them as one JSON object; exit with 1 if one failed."""
    taken = []
    for step in steps:
        taken.append(step)
        if not as_json:
            click.echo(_line(manifest, step))
    failed = any(step.failure for step in taken)
    if as_json:
        click.echo(json.dumps({"ok": not failed, "steps": [_values(step) for step in taken]}))
    elif not taken:
        click.echo("nothing is left to do")
    sys.exit(1 if failed else 0)


def _line(manifest: "Manifest", step: "Step") -> str:
    from rollup.core.addresses import show_address

    money = f"{_amount(manifest, step)} of {show_address(step.owner)}"
    what = {
        "executed": f"block {step.place} executed",
        "exited": f"{money} claimed from account {step.place} (proof: {step.proof_seconds:.1f} s)",
        "refunded": f"{money} taken back from the queue, entry {step.place}",
        "paid": f"{money} paid out",
    }[step.kind]
    if step.failure is not None:
        return f"not {what}: {step.failure}"
    if step.sent is None:
        return f"{what} by somebody else"
    return f"{what} ({step.sent.transaction}, {step.sent.gas_used:,} gas)"


def _amount(manifest: "Manifest", step: "Step") -> str:
    from rollup.wallet.tokens import Token

    for known in manifest.tokens:
        if known.token_id == step.token:
            return f"{Token(known.token_id, known.symbol, known.decimals).show(step.amount)} {known.symbol}"
    return f"{step.amount} smallest units of token {step.token}"


def _values(step: "Step") -> dict[str, Any]:
    from rollup.core.addresses import show_address

    return {
        "step": str(step.kind),
        "place": step.place,
        "owner": show_address(step.owner),
        "token": step.token,
        "amount": str(step.amount),
        "transaction": step.sent.transaction if step.sent else None,
        "gas": step.sent.gas_used if step.sent else 0,
        "proof_seconds": round(step.proof_seconds, 2),
        "failure": str(step.failure) if step.failure else None,
    }
