"""`sluice build`: everything that is made from sources, each part only if its inputs changed."""

import click

from rollup.progress import Advance, Bars

PARTS = ("constants", "circuits", "keys", "contracts", "hashes")
DOMAINS_LOG2 = (18, 20)
"""Block sizes are the largest that fit these domains."""


@click.command()
@click.argument("parts", nargs=-1, type=click.Choice(PARTS))
def build(parts: tuple[str, ...]) -> None:
    """Build constants, circuits, development keys and contracts, and list their hashes: all, or those named.

    Keys come from a published seed and are for tests and the demo only: with them anyone can forge proofs.
    """
    with Bars() as bars:
        for part in parts or PARTS:
            with bars.step(f"build {part}") as advance:
                BUILDERS[part](advance)


def block_sizes() -> list[int]:
    """Return the sizes that keys are built for, in steps."""
    from rollup.circuits.blocks import largest_block

    return sorted({largest_block(domain_log2) for domain_log2 in DOMAINS_LOG2})


def _build_constants(_: Advance) -> None:
    from rollup.circuits.constants import write_constants
    from rollup.l1.constants_source import write
    from rollup.toolchain import ROOT

    write_constants(ROOT)
    write()


def _build_circuits(advance: Advance) -> None:
    from rollup.circuits.blocks import build_circuits
    from rollup.circuits.exit_circuit import build_exit

    build_circuits(lambda what, done: advance(what, done, 1))
    build_exit()


def _build_keys(advance: Advance) -> None:
    from rollup.circuits.keys import build_keys

    build_keys(block_sizes(), lambda what, done: advance(what, done, 1))


def _build_contracts(advance: Advance) -> None:
    from rollup.circuits.keys import find_exit_kit, load_verification_key, read_manifest
    from rollup.exits.kit import ExitKit
    from rollup.l1.project import compiled_contracts
    from rollup.l1.verifier_source import write

    keys = [(size, load_verification_key(size)) for size in sorted(read_manifest())]
    if not keys:
        raise click.ClickException("there are no keys to make the verifier of: run `sluice build keys`")
    write(keys, ExitKit.open(find_exit_kit()).verification_key())
    advance("solc", 0.5, 1)
    compiled_contracts()


def _build_hashes(_: Advance) -> None:
    from rollup.artefacts import write_hashes

    write_hashes()


BUILDERS = {
    "constants": _build_constants,
    "circuits": _build_circuits,
    "keys": _build_keys,
    "contracts": _build_contracts,
    "hashes": _build_hashes,
}
