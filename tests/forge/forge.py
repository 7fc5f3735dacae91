"""How the tests here run forge."""

import subprocess

from rollup.toolchain import ROOT, require_tool, tool_environment

OUT = ROOT / "build" / "forge"


def forge(*arguments: str, place: str, **settings: str) -> str:
    """What forge says, having succeeded.

    Args:
        arguments: of the command line.
        place: folder under build/forge for what is compiled, so that no two ways of compiling undo each other.
        settings: of foundry.toml, as FOUNDRY_NAME=value.
    """
    environment = tool_environment() | {
        "FOUNDRY_OUT": str(OUT / place / "out"),
        "FOUNDRY_CACHE_PATH": str(OUT / place / "cache"),
    }
    environment |= {f"FOUNDRY_{name.upper()}": value for name, value in settings.items()}
    command = [str(require_tool("forge")), *arguments, "--color", "never"]
    done = subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True)
    assert done.returncode == 0, f"\n{done.stdout}\n{done.stderr}"
    return done.stdout + done.stderr
