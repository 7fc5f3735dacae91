"""A rollup whose blocks need no proofs, though its exits do, and `sluice` for who leaves it."""

import json
import shutil
import subprocess
from collections.abc import Sequence
from contextlib import chdir
from pathlib import Path
from typing import Any

from click.testing import CliRunner
from eth_account import Account

from bench.accept_all import AcceptAll
from rollup.circuits.keys import find_exit_kit
from rollup.cli.main import cli
from rollup.cli.options import KEY_VARIABLE
from rollup.l1.manifest import DeployedContract, DeployedToken, Manifest
from rollup.l1.project import compiled_contracts
from rollup.toolchain import ROOT, require_tool

RESCUER = Account.from_key(b"a stranger who pays for the gas.")
ETHER = 10**18


def exit_verifier_code() -> bytes:
    """Creation code of the verifier of this checkout's exit key."""
    code: bytes = compiled_contracts()("ExitVerifier").contract_type.get_deployment_bytecode()
    return bytes(code)


def token_codes() -> dict[str, bytes]:
    """Creation code of the tests' token models."""
    paths = (
        ROOT / "tests" / "contracts" / "sources" / "Tokens.sol",
        ROOT / "tests" / "exits" / "sources" / "HalfUpToken.sol",
    )
    sources = {path.name: {"content": path.read_text()} for path in paths}
    settings = {"evmVersion": "prague", "outputSelection": {"*": {"*": ["evm.bytecode.object"]}}}
    job = {"language": "Solidity", "sources": sources, "settings": settings}
    command = [str(require_tool("solc")), "--standard-json"]
    done = subprocess.run(command, input=json.dumps(job), capture_output=True, text=True, check=True)
    compiled = json.loads(done.stdout)["contracts"]
    return {
        name: bytes.fromhex(values["evm"]["bytecode"]["object"])
        for contracts in compiled.values()
        for name, values in contracts.items()
    }


class Leaving:
    """A folder with a deployment's manifest and exit kit, and `sluice` in it; a stranger pays."""

    def __init__(self, l1: AcceptAll, folder: Path, tokens: Sequence[DeployedToken] = ()) -> None:
        self.l1 = l1
        self.folder = folder
        origin = l1.origin
        eth = DeployedToken(0, "ETH", 18, "0x" + 40 * "0", 0)
        contracts = {"Rollup": DeployedContract(origin.rollup, origin.deployed_at, 1)}
        manifest = Manifest(origin.chain_id, origin.l1_genesis, l1.validator, 1, contracts, tokens=[eth, *tokens])
        manifest.save(folder / "deployment.json")
        shutil.copy(find_exit_kit(), folder / "exit.kit")
        l1.rpc("anvil_setBalance", RESCUER.address, hex(1_000 * ETHER))

    def sluice(self, *arguments: str, key: bytes = bytes(RESCUER.key)) -> dict[str, Any]:
        """Run a command; return what it prints as JSON, or as text under "said"."""
        with chdir(self.folder):
            command = [*arguments, "--rpc", self.l1.rpc.url]
            result = CliRunner().invoke(cli, command, env={KEY_VARIABLE: key.hex()})
        assert result.exception is None or isinstance(result.exception, SystemExit), result.exception
        if "--json" not in arguments:
            assert result.exit_code == 0, result.output
            return {"said": result.stdout}
        said: dict[str, Any] = json.loads(result.stdout)
        assert result.exit_code == (0 if said["ok"] else 1)
        return said

    def begin_exodus(self) -> None:
        """Wait until it is due."""
        due = self.sluice("exodus", "status", "--json")["exodus_due"]
        self.l1.rpc("evm_increaseTime", hex(max(due - self.l1.now, 0)))
        self.l1.mine(1)
        self.sluice("exodus", "activate")

    def view(self, name: str, *arguments: tuple[str, Any]) -> int:
        """What a view of the rollup answers, a number."""
        from eth_abi.abi import encode

        from rollup.l1.abi import selector

        types, values = [type_ for type_, _ in arguments], [value for _, value in arguments]
        return int.from_bytes(self.l1.rpc.call(self.l1.rollup, selector(name, types) + encode(types, values)), "big")
