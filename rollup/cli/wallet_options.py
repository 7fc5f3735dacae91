"""What the commands of `sluice wallet` share: where the wallet and the node are, and how they tell.

The folder ($SLUICE_HOME, by default ~/.sluice) holds

    settings.json                         what `sluice wallet connect` was told
    pins/NODE.json                        which rollup a node said it is of, when it was first asked
    wallets/NAME/keystore.json            the key, encrypted
    wallets/NAME/CHAIN-ROLLUP/            what was sent there, and the receipts
"""

import json
import os
import re
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from functools import wraps
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import click

from rollup.cli.errors import Failure, failure_summary
from rollup.cli.options import NodeUrl
from rollup.core.errors import SluiceError

if TYPE_CHECKING:
    from eth_account.signers.local import LocalAccount

    from rollup.client import Deployment, SluiceClient, Wallet
    from rollup.client.errors import Refused

HOME_VARIABLE, NODE_VARIABLE, RPC_VARIABLE = "SLUICE_HOME", "SLUICE_NODE", "SLUICE_RPC"
MANIFEST_VARIABLE, WALLET_VARIABLE, PASSWORD_VARIABLE = "SLUICE_MANIFEST", "SLUICE_WALLET", "SLUICE_PASSWORD_FILE"
DEFAULT_NODE = "http://127.0.0.1:8000"
LOCAL_RPC = "http://127.0.0.1:8545"
LOCAL_CHAIN_ID = 31337
DEFAULT_WALLET = "main"
_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.-]{0,63}")
_Command = TypeVar("_Command", bound=Callable[..., Any])


@dataclass(frozen=True, slots=True)
class Purse:
    """One wallet in its folder, and the node it uses; options come before the environment, that before the settings.

    Args:
        home: The folder.
        name: The wallet's.
        node: The API's address.
        manifest: The deployment, if one was named.
        rpc: An L1 node, if one was named: what the node says is then looked up there too.
        password_file: Of the keystore; None: it is asked for.
        as_json: Whether one JSON object is printed.
        done: What is done already, for the object of a failure after it.
    """

    home: Path
    name: str
    node: str
    manifest: Path | None
    rpc: str | None
    password_file: Path | None
    as_json: bool
    done: dict[str, Any]

    @property
    def folder(self) -> Path:
        """The wallet's."""
        return self.home / "wallets" / self.name

    @property
    def keystore(self) -> Path:
        """Its key."""
        return self.folder / "keystore.json"

    @property
    def pin(self) -> Path:
        """What is known of the node."""
        return self.home / "pins" / (re.sub(r"[^A-Za-z0-9.]+", "_", self.node) + ".json")

    def records_folder(self, deployment: "Deployment") -> Path:
        """Where what was sent to a rollup is written down."""
        return self.folder / f"{deployment.chain_id}-{deployment.rollup}"

    def address(self) -> str:
        """Whose the wallet is, without its password.

        Raises: WalletUnknown, KeystoreUnusable.
        """
        from rollup.client.errors import WalletUnknown
        from rollup.core.addresses import parse_address, show_address
        from rollup.landing.errors import KeystoreUnusable

        if not self.keystore.exists():
            raise WalletUnknown(self.name, str(self.home), tuple(wallet_names(self.home)))
        try:
            return show_address(parse_address("0x" + json.loads(self.keystore.read_text())["address"].lower()[-40:]))
        except (OSError, ValueError, KeyError, TypeError, AttributeError, SluiceError) as error:
            raise KeystoreUnusable(str(self.keystore), "it names no address") from error

    def owner(self) -> "LocalAccount":
        """The Ethereum account, its keystore opened.

        Raises: WalletUnknown, FileExposed, KeystoreUnusable.
        """
        from rollup.landing.keystore import open_keystore

        self.address()
        return open_keystore(self.keystore, self.password_file or _ask_password)

    @contextmanager
    def client(self) -> "Iterator[SluiceClient]":
        """The node, held to the manifest, or to what it was when it was first asked.

        Raises: ManifestInvalid, NodeOfAnother, PinDiffers, RecordsUnusable, NodeNotAnswering.
        """
        from rollup.client import SluiceClient
        from rollup.client.errors import NodeOfAnother, PinDiffers, Refused
        from rollup.l1.patient import PatientRpc

        deployment = self._deployment()
        l1 = None if self.rpc is None else PatientRpc(self.rpc)
        with SluiceClient(self.node, deployment, l1) as client:
            try:
                known = client.known()
            except NodeOfAnother as error:
                if deployment is None or not deployment.is_pinned:
                    raise
                raise PinDiffers(self.node, error.what, error.expected, error.got, str(self.pin)) from error
            if deployment is None:
                self._keep_pin(known)
            if client.core.l1 is None and known.chain_id == LOCAL_CHAIN_ID:
                # Only to send by: what a guessed address says is not asked for.
                client.core.sending_l1 = PatientRpc(LOCAL_RPC)
            try:
                yield client
            except Refused as refusal:
                raise _in_units(refusal, known) from refusal

    @contextmanager
    def open(self, owner: "LocalAccount | None" = None, ignore_outstanding: bool = False) -> "Iterator[Wallet]":
        """The wallet, its keystore opened, at the node. What it sent before and never heard of is asked for first."""
        from rollup.client import Wallet

        owner = owner or self.owner()
        with self.client() as client:
            folder = self.records_folder(client.known())
            wallet = Wallet(client, owner, folder, despite_outstanding=ignore_outstanding)
            yield wallet

    def _deployment(self) -> "Deployment | None":
        from rollup.client import Deployment
        from rollup.l1.manifest import load_manifest

        if self.manifest is not None:
            return Deployment.of_manifest(load_manifest(self.manifest))
        return Deployment.load(self.pin) if self.pin.exists() else None

    def _keep_pin(self, known: "Deployment") -> None:
        write_private(self.pin, json.dumps(known.to_json(), indent=2) + "\n")
        click.echo(
            f"{self.node} is asked for the first time, and believed: rollup {known.rollup} on chain {known.chain_id}, "
            f"validator {', '.join(known.validators)}. It is held to that from now on ({self.pin}); compare it with "
            "somebody you trust, or name the deployment with --manifest",
            err=True,
        )

    # How it tells

    def show(self, values: dict[str, Any], lines: Sequence[str]) -> None:
        """Print the outcome: one JSON object, or lines for people."""
        if self.as_json:
            click.echo(json.dumps({"ok": True, **values}))
            return
        for line in lines:
            click.echo(line)


def _in_units(refusal: "Refused", known: "Deployment") -> "Refused":
    """A refusal for too little money in the token's units, where the API has smallest ones; others as they are."""
    if refusal.code != "balance_too_low":
        return refusal
    try:
        balance, amount, fee = (int(refusal.detail[name]) for name in ("balance", "amount", "fee"))
        (token,) = (each for each in known.tokens if each.token_id == refusal.detail["token"])
    except (KeyError, TypeError, ValueError):
        return refusal
    short = amount + fee - balance
    text = (
        f"the account has {token.show(balance)} {token.symbol}, this takes {token.show(amount)} and a fee of "
        f"{token.show(fee)}: deposit {token.show(short)} {token.symbol} more, or send less"
    )
    return replace(refusal, text=text)


def wallet_names(home: Path) -> list[str]:
    """The wallets of a folder."""
    return sorted(path.parent.name for path in (home / "wallets").glob("*/keystore.json"))


def write_private(path: Path, text: str) -> None:
    """Write a file for its owner's eyes only, all or nothing.

    Raises: RecordsUnusable.
    """
    from rollup.client.errors import RecordsUnusable

    partial = path.with_suffix(path.suffix + ".partial")
    try:
        path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        partial.unlink(missing_ok=True)
        with open(os.open(partial, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as file:
            file.write(text)
            file.flush()
            os.fsync(file.fileno())
        os.replace(partial, path)
    except OSError as error:
        raise RecordsUnusable(str(path), error.strerror or str(error)) from error


def read_settings(home: Path) -> dict[str, str]:
    """What `sluice wallet connect` was told: node, rpc, manifest.

    Raises: RecordsUnusable.
    """
    from rollup.client.errors import RecordsUnusable

    path = home / "settings.json"
    try:
        values = json.loads(path.read_text()) if path.exists() else {}
    except (OSError, ValueError) as error:
        raise RecordsUnusable(str(path), str(error)) from error
    if not isinstance(values, dict) or not all(isinstance(each, str) for each in values.values()):
        raise RecordsUnusable(str(path), "it holds no settings: run `sluice wallet connect` again")
    return values


def uses_purse(node: bool = True) -> Callable[[_Command], _Command]:
    """Give a command the shared options, joined in `purse`; without `node`, those of the folder alone.

    Whatever is wrong is one line, and with --json the last line of stdout.
    """

    def decorate(command: _Command) -> _Command:
        @wraps(command)
        def run(home: Path, wallet: str, as_json: bool, password_file: Path | None, **others: Any) -> Any:
            done: dict[str, Any] = {}
            with told(as_json, done):
                if not _NAME.fullmatch(wallet):
                    reason = f"{wallet!r}: use letters, digits, '.', '_' and '-', at most 64"
                    raise click.BadParameter(reason, param_hint="--wallet")
                settings = read_settings(home)
                url, rpc, manifest = (others.pop(name, None) for name in ("node_url", "rpc", "manifest"))
                saved = settings.get("manifest")
                purse = Purse(
                    home, wallet, (url or settings.get("node") or DEFAULT_NODE).rstrip("/"),
                    manifest or (Path(saved) if saved else None), rpc or settings.get("rpc"), password_file,
                    as_json, done,
                )  # fmt: skip
                return command(purse=purse, **others)

        wrapped: Any = run
        for option in reversed([*_FOLDER_OPTIONS, *(_NODE_OPTIONS if node else []), _JSON_OPTION]):
            wrapped = option(wrapped)
        return wrapped  # type: ignore[no-any-return]

    return decorate


@contextmanager
def told(as_json: bool, done: dict[str, Any]) -> Iterator[None]:
    """Have what goes wrong told as the command line tells it, with JSON what was done before too."""
    from rollup.l1.rpc import RpcError
    from rollup.wallet.tokens import AmountTextError

    try:
        yield
    except (SluiceError, RpcError, AmountTextError) as error:
        raise Failure(error, as_json, done) from error
    except click.ClickException as error:
        if as_json:
            said = failure_summary(error) | {"code": "usage", "reason": error.format_message()}
            click.echo(json.dumps({**done, **said}))
        raise


def _ask_password(prompt: str) -> str:
    return str(click.prompt(prompt.rstrip(": "), hide_input=True, err=True))


_PATH = click.Path(path_type=Path)
_FOLDER_OPTIONS = (
    click.option(
        "--home", type=_PATH, envvar=HOME_VARIABLE, default=lambda: Path.home() / ".sluice", show_default="~/.sluice",
        help=f"Folder of the wallets.  [${HOME_VARIABLE}]",
    ),
    click.option(
        "--wallet", envvar=WALLET_VARIABLE, default=DEFAULT_WALLET, show_default=True,
        help=f"Which of them.  [${WALLET_VARIABLE}]",
    ),
    click.option(
        "--password-file", type=click.Path(path_type=Path, dir_okay=False), envvar=PASSWORD_VARIABLE,
        help=f"Its first line is the keystore's password; for you alone.  [${PASSWORD_VARIABLE}; else asked for]",
    ),
)  # fmt: skip
_NODE_OPTIONS = (
    click.option(
        "--node", "node_url", type=NodeUrl(), envvar=NODE_VARIABLE,
        help=f"Address of a node's API.  [${NODE_VARIABLE}; else as connected; else {DEFAULT_NODE}]",
    ),
    click.option(
        "--manifest", type=_PATH, envvar=MANIFEST_VARIABLE,
        help=f"The deployment.  [${MANIFEST_VARIABLE}; else as connected; else as the node said when first asked]",
    ),
    click.option(
        "--rpc", type=NodeUrl(), envvar=RPC_VARIABLE,
        help=f"JSON-RPC address of an L1 node: what the node says is looked up there.  [${RPC_VARIABLE}]",
    ),
)  # fmt: skip
_JSON_OPTION = click.option("--json", "as_json", is_flag=True, help="Print one JSON object, amounts in smallest units.")
