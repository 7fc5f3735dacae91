"""The data folder: what a node keeps that has no other place, for its own user's eyes only.

node.db, journal/      what was promised, twice
sender.db              what was signed for L1
keys/                  keystores and their password files
l1.json                the local chain, as it was when it stopped
deployment.json        the local deployment
"""

import os
import secrets
from pathlib import Path

from eth_account import Account
from eth_account.signers.local import LocalAccount

from rollup.landing.keystore import create_keystore, open_keystore
from rollup.service.errors import FolderUnusable

DEFAULT_DATA = Path("sluice-data")


def make_folder(path: Path) -> Path:
    """Make a folder, for its owner alone, if it is not there.

    Raises: FolderUnusable.
    """
    try:
        path.mkdir(parents=True, exist_ok=True, mode=0o700)
        if not os.access(path, os.W_OK | os.X_OK):
            raise FolderUnusable(str(path), "it cannot be written")
    except OSError as error:
        raise FolderUnusable(str(path), error.strerror or str(error)) from error
    return path


def write_private(path: Path, text: str) -> None:
    """Write a new file for its owner's eyes only; on the disk when it returns.

    Raises: FolderUnusable: it is there already, or cannot be written.
    """
    try:
        with open(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as file:
            file.write(text)
            file.flush()
            os.fsync(file.fileno())
    except OSError as error:
        raise FolderUnusable(str(path), error.strerror or str(error)) from error


def keystore_paths(folder: Path, name: str) -> tuple[Path, Path]:
    """The keystore of a name, and its password file."""
    return folder / f"{name}.json", folder / f"{name}.password"


def make_key(folder: Path, name: str) -> LocalAccount:
    """Make a key in a keystore with a password file beside it, or open the one that is there.

    Raises: FolderUnusable, FileExposed, KeystoreUnusable.
    """
    keystore, password = keystore_paths(make_folder(folder), name)
    if not password.exists():
        write_private(password, secrets.token_urlsafe(32) + "\n")
    if not keystore.exists():
        # Half a keystore would be in the way for ever.
        partial = keystore.with_suffix(".partial")
        partial.unlink(missing_ok=True)
        create_keystore(partial, secrets.token_bytes(32), password.read_text().strip())
        os.replace(partial, keystore)
    return open_keystore(keystore, password)


def write_plain_key(path: Path, key: bytes) -> LocalAccount:
    """Write a key as the command line takes it, for one that is worth nothing; an existing file stays.

    Raises: FolderUnusable.
    """
    if not path.exists():
        write_private(path, f"0x{key.hex()}\n")
    account: LocalAccount = Account.from_key(key)
    return account
