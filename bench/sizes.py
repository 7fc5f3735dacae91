"""Steps of the blocks that are measured: the largest that fit their domains, by the committed counts of constraints."""

import json
from collections.abc import Mapping
from typing import Final

from rollup.circuits.blocks import steps_that_fit
from rollup.circuits.compiler import CIRCUITS
from rollup.cli.build import DOMAINS_LOG2

DOMAINS: Final = (*DOMAINS_LOG2, 22)
"""Those of the deployed sizes, and a large one."""
CONSTRAINTS: Final[Mapping[str, int]] = json.loads((CIRCUITS / "constraints.json").read_text())
SIZES: Final = [steps_that_fit(domain, CONSTRAINTS) for domain in DOMAINS]
PROVABLE: Final = SIZES[: len(DOMAINS_LOG2)]
"""Those that `sluice build keys` makes keys of."""
