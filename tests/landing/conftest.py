"""Finds the modules that these tests share with those of restore."""

import sys
from pathlib import Path

sys.path.append(str(Path(__file__).parents[1] / "restore"))  # rpc_server
