"""Keys from files: web3 keystores of version 3, each with its password, which nobody else on the machine can read."""

import json
import os
import stat
from collections.abc import Callable
from pathlib import Path
from typing import Final

from eth_account import Account
from eth_account.signers.local import LocalAccount

from rollup.landing.errors import FileExposed, KeystoreUnusable

KEYSTORE_BYTES: Final = 1 << 16
OTHERS: Final = stat.S_IRWXG | stat.S_IRWXO
_MISMATCH: Final = "MAC mismatch"
"""What eth-keyfile says of a wrong password."""
_NAME_ONE: Final = "name a file whose first line is the password"


def open_keystore(path: Path, password: Path | Callable[[str], str]) -> LocalAccount:
    """Return the account of a keystore.

    Args:
        path: The keystore.
        password: A file whose first line it is, or a function that asks for it, called with words for a prompt.

    Raises: FileExposed, KeystoreUnusable.
    """
    content = _read_private(path)
    try:
        keystore = json.loads(content)
        secret = password(f"password of {path}: ") if callable(password) else read_password(password)
        key = Account.decrypt(keystore, secret)
        account: LocalAccount = Account.from_key(key)
    except (FileExposed, KeystoreUnusable):
        raise
    except (ValueError, TypeError, KeyError, AttributeError, NotImplementedError) as error:
        if str(error) == _MISMATCH:
            raise KeystoreUnusable(str(path), "the password is wrong", "give the keystore's own") from error
        raise KeystoreUnusable(str(path), str(error) or type(error).__name__) from error
    named = keystore.get("address")
    if named is not None and int(str(named), 16) != int(account.address, 16):
        raise KeystoreUnusable(str(path), f"it says it is of {named}, its key is of {account.address}")
    return account


def create_keystore(path: Path, key: bytes, password: str, iterations: int | None = None) -> None:
    """Write a key into a new keystore, for its owner's eyes only; an existing file is left as it is.

    Args:
        path: The file.
        key: 32 bytes.
        password: Of the keystore.
        iterations: What guessing the password costs; None for eth-account's choice, which takes seconds.

    Raises: KeystoreUnusable.
    """
    content = json.dumps(Account.encrypt(key, password, iterations=iterations)).encode()
    try:
        with open(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
    except OSError as error:
        way_out = "name a file that is not there yet, in a folder that is yours"
        raise KeystoreUnusable(str(path), error.strerror or str(error), way_out) from error


def read_password(path: Path) -> str:
    """The first line of a password file. Raises: FileExposed, KeystoreUnusable."""
    try:
        lines = _read_private(path).decode().splitlines()
    except UnicodeDecodeError as error:
        raise KeystoreUnusable(str(path), "the password is not UTF-8", _NAME_ONE) from error
    except KeystoreUnusable as error:
        raise KeystoreUnusable(error.path, error.reason, _NAME_ONE) from error
    if not lines:
        raise KeystoreUnusable(str(path), "the password file is empty", _NAME_ONE)
    return lines[0]


def _read_private(path: Path) -> bytes:
    try:
        with path.open("rb") as file:
            status = os.fstat(file.fileno())
            if status.st_mode & OTHERS or status.st_uid not in (os.geteuid(), 0):
                raise FileExposed(str(path), stat.S_IMODE(status.st_mode))
            content = file.read(KEYSTORE_BYTES + 1)
    except OSError as error:
        raise KeystoreUnusable(str(path), error.strerror or str(error)) from error
    if len(content) > KEYSTORE_BYTES:
        raise KeystoreUnusable(str(path), f"it is longer than {KEYSTORE_BYTES} bytes")
    return content
