"""Where the pinned tools of this checkout are, for code that starts them (ape, anvil, solc, circom, node).

The Makefile exports the same; this makes `pytest`, `ape run` and `sluice` work from a plain shell as well.
"""

import os
import shutil
import sys
from collections.abc import Mapping
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
"""The checkout: the package is installed from it in place."""


class ToolMissing(RuntimeError):
    """A tool that the set-up brings is not there."""

    def __init__(self, tool: str) -> None:
        super().__init__(f"{tool}: not found in this checkout. Run `make setup` in {ROOT}.")
        self.tool = tool


def tool_environment(base: Mapping[str, str] | None = None) -> dict[str, str]:
    """Return `base` (default: the process's environment) with our tools first on PATH and our solc named to ape.

    Applying it twice changes nothing more.
    """
    environment = dict(os.environ if base is None else base)
    ours = [str(ROOT / "tools"), str(ROOT / "node_modules" / ".bin"), str(Path(sys.prefix) / "bin")]
    theirs = [folder for folder in environment.get("PATH", os.defpath).split(os.pathsep) if folder not in ours]
    environment["PATH"] = os.pathsep.join(ours + theirs)
    environment["SOLCX_BINARY_PATH"] = str(ROOT / "tools" / "solcx")
    return environment


def use_tool_environment() -> None:
    """Apply `tool_environment` to this process. Call it before ape is imported."""
    os.environ.update(tool_environment())


def require_tool(name: str) -> Path:
    """Return the path of a tool such as "anvil" or "circom2".

    Raises: ToolMissing if it is neither in the checkout nor on PATH.
    """
    found = shutil.which(name, path=tool_environment()["PATH"])
    if found is None:
        raise ToolMissing(name)
    return Path(found)
