"""The deployment manifest: what a reader or integrator must know of a deployment, and how far one has come.

It is written after every step, so that a deployment cut off anywhere goes on from there.
"""

import json
import os
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any, Final

from rollup.core.constants import FEE_TOKENS
from rollup.core.operations import domain
from rollup.l1.errors import ManifestInvalid

FORMAT: Final = 2
DEVELOPMENT_CLASS: Final = "development (unsafe)"
CEREMONY_CLASS: Final = "ceremony"


@dataclass(frozen=True, slots=True)
class DeployedContract:
    """A contract on chain.

    Args:
        address: Checksummed.
        l1_block: L1 block number at or just before its creation.
        bytes_of_code: Size of its code; EIP-170 allows 24,576.
    """

    address: str
    l1_block: int
    bytes_of_code: int


@dataclass(frozen=True, slots=True)
class DeployedKey:
    """A verification key inside the verifier. `key_hash` is what IVerifier.keyHash answers.

    `ceremony` of a key of one: its circuit hash, and name, hash and beacon of each contribution.
    """

    block_size: int
    constraints: int
    key_class: str
    key_hash: str
    ceremony: dict[str, Any] | None = None


@dataclass(frozen=True, slots=True)
class DeployedExitKey:
    """The key inside the exit verifier. The exit kit, which is published with the deployment, has its `key_hash`."""

    constraints: int
    key_class: str
    key_hash: str
    ceremony: dict[str, Any] | None = None


@dataclass(frozen=True, slots=True)
class DeployedToken:
    """A listed token. The address of ETH is zero; the cap is in its smallest units."""

    token_id: int
    symbol: str
    decimals: int
    address: str
    deposit_cap: int


@dataclass
class Manifest:
    """A deployment.

    Args:
        chain_id: EIP-155 chain id.
        l1_genesis: Hash of L1's block 0: tells two local chains with one id apart.
        deployer: Who deployed, and owns the governor.
        queue_fee_gwei: Base fee of a queue entry.
        contracts: By name, as they land.
        sending: Name, address and L1 block of the contract whose creation was sent and not seen yet.
        genesis: Preimage of block 0, by field, its hash, and the L1 block to read from.
        keys: What the verifier holds.
        exit_key: What the exit verifier holds.
        tokens: By id.
        validators: Addresses that may commit.
        commit: Of the sources, if they are a clean checkout.
        complete: Whether every step has landed.
    """

    chain_id: int
    l1_genesis: str
    deployer: str
    queue_fee_gwei: int
    contracts: dict[str, DeployedContract] = field(default_factory=dict)
    sending: dict[str, Any] | None = None
    genesis: dict[str, Any] = field(default_factory=dict)
    keys: list[DeployedKey] = field(default_factory=list)
    exit_key: DeployedExitKey | None = None
    tokens: list[DeployedToken] = field(default_factory=list)
    validators: list[str] = field(default_factory=list)
    commit: str | None = None
    complete: bool = False

    @property
    def rollup(self) -> str:
        """Address of the rollup.

        Raises: ManifestInvalid if the deployment was cut off before there was one.
        """
        return self._rollup.address

    @property
    def deployed_at(self) -> int:
        """L1 block to read events from."""
        return self._rollup.l1_block

    @property
    def _rollup(self) -> DeployedContract:
        if "Rollup" not in self.contracts:
            raise ManifestInvalid("the manifest", "its deployment is not finished", "run `sluice deploy` again")
        return self.contracts["Rollup"]

    @property
    def domain(self) -> int:
        """What every signature is bound to: the chain and the rollup."""
        return domain(self.chain_id, int(self.rollup, 16))

    @property
    def block_sizes(self) -> list[int]:
        """Sizes of blocks that the verifier knows, smallest first."""
        return sorted(key.block_size for key in self.keys)

    @property
    def fee_tokens(self) -> tuple[int, ...]:
        """Eight token ids for a block's header: the lowest."""
        return tuple(range(FEE_TOKENS))

    def save(self, path: Path) -> None:
        """Write the manifest, all or nothing."""
        path.parent.mkdir(parents=True, exist_ok=True)
        text = {"format": FORMAT, **asdict(self), "block_sizes": self.block_sizes, "fee_tokens": self.fee_tokens}
        # A string, as a JSON number of this size is not read back exactly everywhere.
        text["tokens"] = [{**asdict(token), "deposit_cap": str(token.deposit_cap)} for token in self.tokens]
        partial = path.with_suffix(path.suffix + ".partial")
        partial.write_text(json.dumps(text, indent=2) + "\n")
        os.replace(partial, path)


def load_manifest(path: Path) -> Manifest:
    """Read a manifest.

    Raises: ManifestInvalid if there is none, or it is of another form.
    """
    try:
        values = json.loads(path.read_text())
        if values.pop("format") != FORMAT:
            raise ManifestInvalid(str(path), f"not a manifest of format {FORMAT}")
        del values["block_sizes"], values["fee_tokens"]
        values["contracts"] = {name: DeployedContract(**value) for name, value in values["contracts"].items()}
        values["keys"] = [DeployedKey(**value) for value in values["keys"]]
        if values["exit_key"] is not None:
            values["exit_key"] = DeployedExitKey(**values["exit_key"])
        values["tokens"] = [
            DeployedToken(**{**value, "deposit_cap": int(value["deposit_cap"])}) for value in values["tokens"]
        ]
        return Manifest(**values)
    except OSError as error:
        way_out = "name the deployment's file with --manifest, or make one with `sluice deploy`"
        raise ManifestInvalid(str(path), error.strerror or "cannot be read", way_out) from error
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise ManifestInvalid(str(path), f"not a deployment manifest ({type(error).__name__}: {error})") from error
