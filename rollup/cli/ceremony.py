"""`sluice ceremony`: keys from powers of tau and contributions, in snarkjs's formats."""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from rollup.progress import Bars

if TYPE_CHECKING:
    from rollup.groth16 import Ceremony
    from rollup.groth16.files import Progress

FILE = click.Path(path_type=Path, dir_okay=False)
BLOCK, EXIT = "block:", "exit"


class Constraints(click.ParamType):
    """A `.r1cs`, `block:STEPS` for blocks of so many steps, or `exit`."""

    name = "circuit"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Any:
        """Return the path, or the circuit of this checkout."""
        from rollup.circuits.blocks import load_block
        from rollup.circuits.exit_circuit import load_exit

        if not isinstance(value, str):
            return value
        if value == EXIT:
            return load_exit()
        if value.startswith(BLOCK):
            steps = value.removeprefix(BLOCK)
            if not (steps.isascii() and steps.isdecimal()):
                self.fail(f"{value!r}: write block:STEPS, such as block:37", param, ctx)
            return load_block(int(steps))
        return Path(value)


name_option = click.option("--name", default="", help="Published in the key, at most 64 bytes.")
json_option = click.option("--json", "as_json", is_flag=True, help="Print one JSON object.")


@click.group()
def ceremony() -> None:
    """Keys that need no trusted maker. Files are snarkjs's: either program goes on where the other stopped.

    \b
    check-powers   a .ptau: points, powers, contributions, Lagrange forms
    new-key        a circuit's first key, from its constraints and powers of tau
    contribute     a secret of this machine into a key, forgotten at once
    beacon         a public value into a key, the last contribution
    verify         a key against its circuit, powers and contributions
    install        a verified key into build/keys, for `sluice build contracts` and `sluice deploy`

    CIRCUIT is a .r1cs, block:STEPS, or exit.
    """


@ceremony.command()
@click.argument("powers", type=FILE)
@json_option
def check_powers(powers: Path, as_json: bool) -> None:
    """Check a powers-of-tau file whole, and show who contributed."""
    from rollup.groth16 import check_powers as check

    with _bar("check powers", as_json) as progress:
        checked = check(powers, progress)
    if as_json:
        values = {"ok": True, "power": checked.power, "prepared": checked.prepared}
        click.echo(json.dumps({**values, "contributions": dict(checked.contributions)}))
        return
    prepared = "prepared for phase 2" if checked.prepared else "not prepared for phase 2"
    click.echo(f"{powers}: 2^{checked.power} rows, {prepared}, {len(checked.contributions)} contributions: sound")
    for index, (name, response) in enumerate(checked.contributions, 1):
        click.echo(f"{index:4} {response} {name}")


@ceremony.command()
@click.argument("circuit", type=Constraints())
@click.argument("powers", type=FILE)
@click.argument("key", type=FILE)
def new_key(circuit: Any, powers: Path, key: Path) -> None:
    """Write KEY, the first key of CIRCUIT from POWERS. It is unsafe until somebody contributes."""
    from rollup.groth16 import new_key as make

    with _bar("new key") as progress:
        circuit_hash = make(circuit, powers, key, progress)
    click.echo(f"{key}: circuit hash {circuit_hash}")


@ceremony.command()
@click.argument("old", type=FILE)
@click.argument("new", type=FILE)
@name_option
@click.option("--ask", is_flag=True, help="Ask for text to add to the system's randomness; it isn't shown or kept.")
def contribute(old: Path, new: Path, name: str, ask: bool) -> None:
    """Write NEW: OLD with your contribution. Publish the hash that is printed."""
    from rollup.groth16 import contribute as apply

    entropy = click.prompt("anything", hide_input=True).encode() if ask else b""
    with _bar("contribute") as progress:
        contribution_hash = apply(old, new, name, entropy, progress)
    click.echo(f"{new}: your contribution {contribution_hash}")


@ceremony.command()
@click.argument("old", type=FILE)
@click.argument("new", type=FILE)
@click.argument("value")
@click.option("--log2-iterations", type=click.IntRange(10, 40), default=10, show_default=True, help="Hashes of it.")
@name_option
def beacon(old: Path, new: Path, value: str, log2_iterations: int, name: str) -> None:
    """Write NEW: OLD with a contribution of the public VALUE, in hexadecimal. Announce beforehand which it will be."""
    from rollup.groth16 import add_beacon

    try:
        data = bytes.fromhex(value.removeprefix("0x"))
    except ValueError as error:
        raise click.BadParameter(f"{value!r} is no hexadecimal number of whole bytes", param_hint="VALUE") from error
    with _bar("beacon") as progress:
        contribution_hash = add_beacon(old, new, data, log2_iterations, name, progress)
    click.echo(f"{new}: beacon {contribution_hash}")


@ceremony.command()
@click.argument("circuit", type=Constraints())
@click.argument("powers", type=FILE)
@click.argument("key", type=FILE)
@json_option
def verify(circuit: Any, powers: Path, key: Path, as_json: bool) -> None:
    """Check that KEY is what its contributions leave of CIRCUIT's first key from POWERS, and nothing else."""
    from rollup.groth16 import verify_key

    with _bar("verify", as_json) as progress:
        found = verify_key(circuit, powers, key, progress)
    if as_json:
        click.echo(json.dumps({"ok": True, **asdict(found)}))
        return
    click.echo(f"{key}: sound, {len(found.contributions)} contributions")
    _show(found)


@ceremony.command()
@click.argument("circuit", metavar="CIRCUIT")
@click.argument("powers", type=FILE)
@click.argument("key", type=FILE)
def install(circuit: str, powers: Path, key: Path) -> None:
    """Verify KEY and put it in the place of the development key of CIRCUIT: block:STEPS or exit.

    Then run `sluice build contracts`: it needs all keys to be from the same powers of tau.
    """
    from rollup.circuits.keys import KEYS, install_exit_key, install_key

    steps = circuit.removeprefix(BLOCK)
    with _bar("install") as progress:
        if circuit == EXIT:
            name = install_exit_key(powers, key, progress=progress).kit
        elif circuit.startswith(BLOCK) and steps.isascii() and steps.isdecimal():
            name = install_key(int(steps), powers, key, progress=progress).proving_key
        else:
            raise click.BadParameter(f"{circuit!r}: write block:STEPS, such as block:37, or exit", param_hint="CIRCUIT")
    click.echo(f"{KEYS / name}: installed")


def _show(found: "Ceremony") -> None:
    click.echo(f"circuit hash {found.circuit}")
    for index, step in enumerate(found.contributions, 1):
        beacon = f" (beacon {step.beacon}, 2^{step.beacon_log2_iterations})" if step.beacon else ""
        click.echo(f"{index:4} {step.hash} {step.name}{beacon}")


@contextmanager
def _bar(what: str, quiet: bool = False) -> Iterator["Progress"]:
    """One progress bar, moved by what the library calls with (phase, part done)."""
    with Bars(quiet) as bars, bars.step(what) as advance:
        yield lambda phase, done: advance(phase, done, 1)
