"""All that a node needs on one machine, for trying: a chain that stays, a deployment, keys, money on both sides."""

import contextlib
import os
import secrets
import signal
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path
from types import TracebackType
from typing import Final, Self

from eth_abi.abi import encode
from eth_account.signers.local import LocalAccount

from rollup.core.operations import Deposit
from rollup.demo.tokens import USDS
from rollup.l1.abi import selector
from rollup.l1.anvil import Anvil
from rollup.l1.client import RollupClient
from rollup.l1.errors import ManifestInvalid, PortInUse
from rollup.l1.key_sender import KeySender
from rollup.l1.manifest import Manifest, load_manifest
from rollup.l1.refusals import Refusals
from rollup.l1.rpc import JsonRpc
from rollup.service.config import (
    Config,
    FeeSettings,
    KeystoreSettings,
    L1Settings,
    PolicySettings,
    SenderSettings,
)
from rollup.service.errors import LocalChainUnusable
from rollup.service.folder import keystore_paths, make_key, write_plain_key
from rollup.service.logs import Event, log
from rollup.wallet.keys import derive_local_key

DEFAULT_PORT: Final = 8545
STATE_SECONDS: Final = 5
"""So often the chain is written to its file; also when it ends."""
BLOCK_SECONDS: Final = 15.0
"""A block is closed after this, as nobody who tries wants to wait five minutes."""
ETHER: Final = 10**18
FUNDS: Final = 1_000 * ETHER
LEAST_FUNDS: Final = 100 * ETHER
FIRST_DEPOSIT: Final = ETHER
DOLLARS: Final = 1_000_000 * 10**6
DOLLAR_ETH: Final = "0.0003"
SENDER, VALIDATOR, USER = "sender", "validator", "user.key"


class LocalChain:
    """An L1 of our own in a data folder: the same chain each time. Use as a context manager.

    Args:
        data: The folder.
        port: TCP port; None: 8545 if it is free.
    """

    def __init__(self, data: Path, port: int | None = None) -> None:
        self.data, self.keys = data, data / "keys"
        self.state, self.manifest = data / "l1.json", data / "deployment.json"
        if self.manifest.exists() and not self.state.exists():
            raise LocalChainUnusable(str(self.state), "the chain of this folder's deployment is gone")
        self._anvil = self._start(port)
        log(Event.LOCAL_CHAIN, rpc=self.url, state=str(self.state))

    @property
    def url(self) -> str:
        """JSON-RPC endpoint."""
        return self._anvil.url

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._anvil.stop()

    def set_up(self) -> Config:
        """Make keys, deploy, and give everybody money, as far as that is not done; return the node's configuration.

        Raises: LocalChainUnusable, FolderUnusable, KeystoreUnusable, ManifestInvalid, L1Error.
        """
        sender, validator = (make_key(self.keys, name) for name in (SENDER, VALIDATOR))
        user = write_plain_key(self.keys / USER, secrets.token_bytes(32))
        rpc = JsonRpc(self.url)
        for account in (sender, validator, user):
            if int(rpc("eth_getBalance", account.address, "latest"), 16) < LEAST_FUNDS:
                rpc("anvil_setBalance", account.address, hex(FUNDS))
        deployed = self._deployed([str(sender.address), str(validator.address)])
        self._first_deposit(rpc, deployed, validator)
        self._mint(rpc, deployed, user)
        return self._config()

    # Steps

    def _start(self, port: int | None) -> Anvil:
        flags = ("--state", str(self.state.resolve()), "--state-interval", str(STATE_SECONDS))
        if port is None:
            with contextlib.suppress(PortInUse):
                return Anvil(DEFAULT_PORT, flags=flags, death_signal=signal.SIGTERM)
        return Anvil(port or None, flags=flags, death_signal=signal.SIGTERM)

    def _deployed(self, validators: Sequence[str]) -> Manifest:
        with contextlib.suppress(ManifestInvalid):
            if (found := load_manifest(self.manifest)).complete:
                return found
        log(Event.LOCAL_DEPLOYING, rpc=self.url)
        command = [sys.executable, "-m", "rollup.service.local_deployment", self.url, str(self.manifest), *validators]
        ran = subprocess.run(command, capture_output=True, text=True, check=False, env=os.environ)
        if ran.returncode:
            words = (ran.stderr.strip().splitlines() or ["no reason given"])[-1]
            (self.data / "deployment.log").write_text(ran.stderr)
            reason = f"{words} (all of it in {self.data / 'deployment.log'}); is the checkout built (`make setup`)?"
            raise LocalChainUnusable("the local deployment", reason)
        found = load_manifest(self.manifest)
        log(Event.LOCAL_DEPLOYED, rollup=found.rollup, manifest=str(self.manifest))
        return found

    def _first_deposit(self, rpc: JsonRpc, manifest: Manifest, validator: LocalAccount) -> None:
        """The validator's own, so that fees have an account."""
        client = RollupClient(KeySender(rpc, Refusals.of_contracts()), manifest.rollup, manifest.deployed_at)
        owner = int(validator.address, 16)
        if any(isinstance(each.operation, Deposit) and each.operation.owner == owner for each in client.queue()):
            return
        key = derive_local_key(validator, manifest.chain_id, int(manifest.rollup, 16))
        sent = client.deposit_eth(validator, FIRST_DEPOSIT, key=key.public_key)
        log(Event.LOCAL_DEPOSIT, owner=validator.address, transaction=sent.transaction)

    def _mint(self, rpc: JsonRpc, manifest: Manifest, user: LocalAccount) -> None:
        for token in manifest.tokens[1:]:
            holder = encode(["address"], [user.address])
            if int.from_bytes(rpc.call(token.address, selector("balanceOf", ["address"]) + holder), "big"):
                continue
            data = selector("mint", ["address", "uint256"]) + encode(["address", "uint256"], [user.address, DOLLARS])
            KeySender(rpc, Refusals.of_contracts()).send("the minting", token.address, data, user)

    def _config(self) -> Config:
        keystore, password = keystore_paths(self.keys, SENDER)
        validator = KeystoreSettings(*keystore_paths(self.keys, VALIDATOR))
        return Config(
            l1=L1Settings((self.url,), confirmations=0, has_finalized_tag=False, poll_seconds=0.5),
            sender=SenderSettings(keystore, password),
            validator=validator,
            manifest=self.manifest,
            data=self.data,
            policy=PolicySettings(max_age_seconds=BLOCK_SECONDS),
            fees=FeeSettings(prices={USDS.symbol: DOLLAR_ETH}),
        )
