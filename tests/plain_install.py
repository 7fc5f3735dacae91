"""What `pip install` of the package alone gives: which distributions, and an environment with these and no others."""

import re
import subprocess
import sys
import tomllib
import venv
from importlib import metadata
from pathlib import Path

from rollup.toolchain import ROOT


def plain(name: str) -> str:
    """A distribution's name, normalised."""
    return re.sub(r"[-_.]+", "-", name).lower()


def plain_distributions() -> set[str]:
    """The distributions that pyproject.toml's dependencies bring, without any extra."""
    wanted = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["dependencies"]
    found: set[str] = set()
    while wanted:
        text = wanted.pop()
        name = plain(re.match(r"[A-Za-z0-9._-]+", text)[0])  # type: ignore[index]
        if name in found or "extra ==" in text:
            continue
        found.add(name)
        try:
            wanted += metadata.requires(name) or []
        except metadata.PackageNotFoundError:
            found.discard(name)  # for another platform or Python
        wanted += ["pycryptodome"] if name == "eth-hash" else []  # its extra, which we ask for
    return found


def install(folder: Path) -> Path:
    """Build the wheel and install it into a new environment without this one's packages; return its `sluice`.

    The dependencies' files come from this environment, so no index is asked; `pip check` says whether they suffice.
    """
    pip = [sys.executable, "-m", "pip", "--disable-pip-version-check"]
    build = [*pip, "wheel", "-q", "--no-deps", "--no-index", "--no-build-isolation", "-w", str(folder)]
    subprocess.run([*build, "--config-settings=build-args=--locked", str(ROOT)], check=True)
    (wheel,) = folder.glob("sluice_rollup-*.whl")
    environment = folder / "venv"
    venv.create(environment)
    (packages,) = (environment / "lib").glob("python*/site-packages")
    for name in plain_distributions():
        _copy(name, packages)
    pip += ["--python", str(environment / "bin" / "python")]
    subprocess.run([*pip, "install", "-q", "--no-deps", "--no-index", str(wheel)], check=True)
    subprocess.run([*pip, "check"], check=True)
    return environment / "bin" / "sluice"


def _copy(name: str, packages: Path) -> None:
    distribution = metadata.distribution(name)
    for path in distribution.files or []:
        if ".." in path.parts:
            continue  # scripts
        target = packages / path
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_bytes(Path(str(distribution.locate_file(path))).read_bytes())
