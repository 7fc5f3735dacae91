"""The interpreter's collector of cycles, in a process that keeps much, makes few of them and must not pause."""

import gc
from typing import Final

YOUNG_OBJECTS: Final = 50_000
"""New ones until the young are looked through, some 500 operations."""
YOUNG_COLLECTIONS: Final = 20
"""Of them until the middle generation is."""
MIDDLE_COLLECTIONS: Final = 100
"""Of them until everything is, which takes 0.1 s for what 100,000 operations leave while they wait for their proofs."""


def calm() -> None:
    """Leave out what there is now, for good, and look through the rest seldom: all of it about once in 1,000,000
    operations. With the interpreter's own thresholds that came every second or two under load, each a pause for all.
    """
    gc.collect()
    gc.freeze()
    gc.set_threshold(YOUNG_OBJECTS, YOUNG_COLLECTIONS, MIDDLE_COLLECTIONS)
