"""circom's own witness generator, the referee of ours."""

import hashlib
import json
import os
import shutil
import subprocess
import tempfile
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

from rollup._native import Circuit
from rollup.toolchain import ROOT

CACHE = ROOT / ".build" / "test-circuits"
CALCULATE = """
const [folder, name, input, out] = process.argv.slice(1);
const fs = require("fs");
require(`${folder}/${name}_js/witness_calculator.js`)(fs.readFileSync(`${folder}/${name}_js/${name}.wasm`))
  .then(async (calculator) => {
    fs.writeFileSync(out, Buffer.from(await calculator.calculateWTNSBin(JSON.parse(fs.readFileSync(input)), 0)));
  })
  .catch((error) => { console.error(String(error)); process.exit(3); });
"""


class Refused(Exception):
    """circom's witness generator refused the inputs."""


@dataclass(frozen=True)
class Compiled:
    """One compiled `main`."""

    folder: Path
    name: str

    @property
    def r1cs(self) -> Path:
        return self.folder / f"{self.name}.r1cs"

    @property
    def sym(self) -> Path:
        return self.folder / f"{self.name}.sym"

    def circuit(self) -> Circuit:
        return Circuit(self.r1cs, self.sym)

    def reference(self, inputs: dict[str, Any]) -> list[int]:
        """The witness by circom's WASM. Raises: Refused."""
        with tempfile.TemporaryDirectory() as scratch:
            given, out = Path(scratch, "input.json"), Path(scratch, "out.wtns")
            given.write_text(json.dumps(_text(inputs)))
            done = subprocess.run(
                ["node", "-e", CALCULATE, str(self.folder), self.name, str(given), str(out)],
                capture_output=True,
                text=True,
                check=False,
            )
            if done.returncode != 0:
                raise Refused(done.stderr)
            return read_wtns(out)

    def wires(self) -> dict[str, int]:
        """Signal name -> wire, for signals that have one."""
        rows = (line.split(",", 3) for line in self.sym.read_text().splitlines())
        return {name: int(wire) for _, wire, _, name in rows if wire != "-1"}


def _text(value: Any) -> Any:
    """Ints as strings: JSON numbers lose digits in JavaScript."""
    if isinstance(value, dict):
        return {key: _text(inner) for key, inner in value.items()}
    if isinstance(value, list | tuple):
        return [_text(inner) for inner in value]
    return str(value)


def read_wtns(path: Path) -> list[int]:
    """All values of a snarkjs `.wtns` as circom writes it."""
    data = path.read_bytes()
    body = data[76:]
    return [int.from_bytes(body[at : at + 32], "little") for at in range(0, len(body), 32)]


@cache
def compile_circom(name: str, source: str, level: str = "--O2") -> Compiled:
    """Compile with an optimisation level, cached by the source's hash in .build."""
    source = "pragma circom 2.1.0;\n" + source
    folder = CACHE / f"{name}-{hashlib.sha256((source + level.removeprefix('--O2')).encode()).hexdigest()[:16]}"
    if not folder.exists():
        CACHE.mkdir(parents=True, exist_ok=True)
        scratch = Path(tempfile.mkdtemp(dir=CACHE))
        (scratch / f"{name}.circom").write_text(source)
        relative = scratch.relative_to(ROOT)
        command = ["node", "node_modules/circom2/cli.js", f"{relative}/{name}.circom"]
        flags = ["--r1cs", "--sym", "--wasm", level, "-l", "node_modules", "-o", str(relative)]
        done = subprocess.run([*command, *flags], cwd=ROOT, capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stdout + done.stderr
        try:
            os.rename(scratch, folder)
        except OSError:  # another worker was first
            shutil.rmtree(scratch)
    return Compiled(folder, name)
