"""The trees of protocol section 2, read as a recursion."""

from functools import lru_cache

from rollup._native import poseidon


@lru_cache(maxsize=1 << 16)
def hashed(*inputs: int) -> int:
    """Poseidon, remembered: from block to block most nodes are the same."""
    return poseidon(list(inputs))


def node_at(level: int, position: int, leaves: dict[int, int], empty: int) -> int:
    """The node `level` levels above the leaves, `position` counted from the left."""
    if level == 0:
        return leaves.get(position, empty)
    if not leaves:
        return hashed(*[node_at(level - 1, 0, {}, empty)] * 8)
    children = []
    for digit in range(8):
        child = 8 * position + digit
        below = {i: leaf for i, leaf in leaves.items() if i // 8 ** (level - 1) == child}
        children.append(node_at(level - 1, child, below, empty))
    return hashed(*children)
