"""Writes the configuration that `sluice node init` begins: every setting with what it is and its default, made from
`config.py` itself.
"""

import json
import types
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import MISSING, dataclass, fields, is_dataclass
from pathlib import Path
from typing import Any, Union, get_args, get_origin

from rollup.api import Limits
from rollup.service.config import Config
from rollup.service.errors import FolderUnusable
from rollup.service.fields import ANY, Setting, settings_of
from rollup.service.folder import keystore_paths, make_folder, make_key

HEAD = """\
# The configuration of a Sluice node. Paths are relative to this file. What is commented out shows its default.
# Look at it with `sluice node check`, start with `sluice node --config {name}`.
"""


@dataclass(frozen=True, slots=True)
class Made:
    """What `sluice node init` made: the keys' addresses, and where they are."""

    sender: str
    validator: str
    keys: Path


def write_template(path: Path, data: Path, manifest: Path, endpoints: Sequence[str]) -> Made:
    """Write a configuration, and make the two keys, unless they are there.

    Args:
        path: The file; it must not be there yet.
        data: The data folder.
        manifest: The deployment.
        endpoints: L1 nodes.

    Raises: FolderUnusable, KeystoreUnusable, FileExposed.
    """
    if path.exists():
        raise FolderUnusable(str(path), "it is there already", "name another file with --config")
    base, keys = path.resolve().parent, make_folder(data).resolve() / "keys"
    sender, validator = (make_key(keys, name) for name in ("sender", "validator"))

    def shown(name: Path) -> str:
        full = name if name.is_absolute() else Path.cwd() / name
        return str(full.relative_to(base)) if full.is_relative_to(base) else str(full)

    def signer(name: str) -> dict[str, Any]:
        keystore, password = keystore_paths(keys, name)
        return {"keystore": shown(keystore), "password_file": shown(password)}

    values = {
        "manifest": shown(manifest), "data": shown(data),
        "l1": {"endpoints": list(endpoints)},
        "sender": signer("sender"), "validator": signer("validator"),
    }  # fmt: skip
    lines = [HEAD.format(name=path.name), *_table(Config, values, "")]
    try:
        path.write_text("\n".join(lines) + "\n")
    except OSError as error:
        reason = error.strerror or str(error)
        raise FolderUnusable(str(path), reason, "name another file with --config, or mend that") from error
    return Made(str(sender.address), str(validator.address), keys)


def _table(kind: type, values: Mapping[str, Any], at: str) -> Iterator[str]:
    """The lines of a table, then those of the tables in it."""
    inner: list[tuple[str, type]] = []
    defaults = {each.name: each for each in fields(kind)}
    for name, (hint, setting) in settings_of(kind).items():
        table = Limits if name == "api" else _dataclass_of(hint)
        if table is not None:
            if get_origin(hint) is not tuple:
                inner.append((name, table))
            continue
        default = defaults[name].default
        if name in values:
            yield f"{name} = {_toml(values[name])}{_note(setting)}"
        elif default is MISSING or default is None or default == ():
            yield f"# {name} ={_note(setting)}"
        else:
            yield f"# {name} = {_toml(default)}{_note(setting)}"
    for name, table in inner:
        yield ""
        yield f"[{_join(at, name)}]  # {(table.__doc__ or '').strip().splitlines()[0]}"
        yield from _table(table, values.get(name, {}), _join(at, name))


def _dataclass_of(hint: Any) -> type | None:
    """The dataclass that a field holds, or holds several of."""
    candidates = get_args(hint) if get_origin(hint) in (Union, types.UnionType, tuple) else (hint,)
    return next((each for each in candidates if isinstance(each, type) and is_dataclass(each)), None)


def _note(setting: Setting) -> str:
    return "" if setting is ANY else f"  # {setting.help}"


def _toml(value: Any) -> str:
    return json.dumps(value, ensure_ascii=False)


def _join(at: str, name: str) -> str:
    return f"{at}.{name}" if at else name
