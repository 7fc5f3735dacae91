"""How the tests here run forge."""

import subprocess
from collections.abc import Mapping

from rollup.toolchain import ROOT, require_tool, tool_environment

OUT = ROOT / "build" / "forge"


def forge(*arguments: str, place: str, environment: Mapping[str, str] | None = None) -> str:
    """What forge says, having succeeded.

    Args:
        arguments: of the command line.
        place: folder under build/forge for what is compiled, so that no two ways of compiling undo each other.
        environment: variables beside those of the tools.
    """
    places = {"FOUNDRY_OUT": str(OUT / place / "out"), "FOUNDRY_CACHE_PATH": str(OUT / place / "cache")}
    command = [str(require_tool("forge")), *arguments, "--color", "never"]
    done = subprocess.run(
        command, cwd=ROOT, env=tool_environment() | places | dict(environment or {}), capture_output=True, text=True
    )
    assert done.returncode == 0, f"\n{done.stdout}\n{done.stderr}"
    return done.stdout + done.stderr
