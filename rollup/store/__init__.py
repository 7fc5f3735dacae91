"""The embedded store: a rollup's state in one SQLite file, that anything can read while one process writes it."""

from rollup.store.store import Store
from rollup.store.tracked import TrackedState

__all__ = ["Store", "TrackedState"]
