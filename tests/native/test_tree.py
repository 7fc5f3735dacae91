"""The 8-ary Merkle tree equals a dense one built from the definition, and refuses paths and indices of other shapes."""

import copy
import random
import re

import pytest

from rollup._native import FIELD_MODULUS, MerkleTree, poseidon, verify_path

ARITY = 8
LEVELS = 3
CAPACITY = ARITY**LEVELS


def dense_root(leaves):
    while len(leaves) > 1:
        leaves = [poseidon(leaves[i : i + ARITY]) for i in range(0, len(leaves), ARITY)]
    return leaves[0]


def random_updates(count, seed=0):
    rng = random.Random(seed)
    return [(rng.randrange(CAPACITY), rng.randrange(FIELD_MODULUS)) for _ in range(count)]


@pytest.fixture
def tree():
    result = MerkleTree(LEVELS)
    result.set_many(random_updates(40))
    return result


def test_root_of_untouched_tree_is_dense_tree_of_empty_leaves():
    for empty in (0, 5, FIELD_MODULUS - 1):
        assert MerkleTree(LEVELS, empty).root == dense_root([empty] * CAPACITY)
    assert MerkleTree(LEVELS, 0).root != MerkleTree(LEVELS, 1).root
    assert MerkleTree(LEVELS).levels == LEVELS


def test_set_random_leaves_equals_dense_tree():
    tree, leaves = MerkleTree(LEVELS, 9), [9] * CAPACITY
    for index, value in random_updates(50):
        tree.set(index, value)
        leaves[index] = value
    assert tree.root == dense_root(leaves)
    assert [tree.get(i) for i in range(CAPACITY)] == leaves


def test_set_many_repeated_indices_equals_setting_in_order():
    updates = random_updates(800)
    one_by_one, batch = MerkleTree(LEVELS), MerkleTree(LEVELS)
    for update in updates:
        one_by_one.set(*update)
    batch.set_many(updates)
    assert batch.root == one_by_one.root
    batch.set_many([])
    assert batch.root == one_by_one.root


def test_set_empty_leaf_value_restores_empty_root():
    tree = MerkleTree(8)
    empty_root = tree.root
    tree.set(ARITY**8 - 1, 1)
    assert tree.root != empty_root
    tree.set(ARITY**8 - 1, 0)
    assert tree.root == empty_root


def test_path_of_empty_leaf_holds():
    tree = MerkleTree(8, 3)
    assert tree.get(12345) == 3
    assert verify_path(tree.root, 8, 12345, 3, tree.path(12345))
    assert not verify_path(tree.root, 8, 12345, 0, tree.path(12345))


def test_path_every_leaf_holds_for_its_index_only(tree):
    for index in range(CAPACITY):
        path = tree.path(index)
        assert [len(children) for children in path] == [ARITY] * LEVELS
        assert path[0][index % ARITY] == tree.get(index)
        assert verify_path(tree.root, LEVELS, index, tree.get(index), path)
        assert not verify_path(tree.root, LEVELS, index, tree.get(index) ^ 1, path)
    index, value = random_updates(40)[-1]
    others = [other for other in range(CAPACITY) if other != index]
    assert not any(verify_path(tree.root, LEVELS, other, value, tree.path(index)) for other in others)


def test_path_digits_are_least_significant_at_the_bottom():
    tree = MerkleTree(LEVELS)
    index = 0o351
    tree.set(index, 42)
    path = tree.path(index)
    assert path[0] == [0, 42, 0, 0, 0, 0, 0, 0]
    assert path[1][5] == poseidon(path[0])
    assert path[2][3] == poseidon(path[1])
    assert tree.root == poseidon(path[2])


def test_copy_then_set_leaves_both_independent(tree):
    root = tree.root
    for snapshot in (tree.copy(), copy.copy(tree)):
        tree.set(7, 70)
        assert (snapshot.root, tree.get(7)) == (root, 70)
        snapshot.set(7, 71)
        assert (snapshot.get(7), tree.get(7)) == (71, 70)
        tree = MerkleTree(LEVELS)
        tree.set_many(random_updates(40))


@pytest.mark.parametrize("index", [-1, CAPACITY, CAPACITY + 5, 2**64, -(2**70)])
def test_access_index_out_of_range_raises_value_error(tree, index):
    root, path = tree.root, tree.path(5)
    message = f"^index must be 0 <= index < {CAPACITY}, got {index}$"
    calls = [
        lambda: tree.get(index),
        lambda: tree.set(index, 1),
        lambda: tree.set_many([(1, 1), (index, 1)]),
        lambda: tree.path(index),
        lambda: verify_path(root, LEVELS, index, tree.get(5), path),
    ]
    for call in calls:
        with pytest.raises(ValueError, match=message):
            call()
    assert tree.root == root


@pytest.mark.parametrize("value", [FIELD_MODULUS, -1])
def test_set_value_out_of_field_raises_value_error(tree, value):
    root = tree.root
    with pytest.raises(ValueError, match=f"^value must be 0 <= value < {FIELD_MODULUS}, got {value}$"):
        tree.set(1, value)
    with pytest.raises(ValueError, match=re.escape(f"updates[1][1] must be 0 <= value < {FIELD_MODULUS}, got {value}")):
        tree.set_many([(1, 1), (2, value)])
    with pytest.raises(ValueError, match=r"^empty_leaf must be"):
        MerkleTree(LEVELS, value)
    assert tree.root == root


@pytest.mark.parametrize("levels", [0, -1, 22, 2**70])
def test_new_levels_out_of_range_raises_value_error(levels):
    with pytest.raises(ValueError, match=f"^levels must be 1 to 21, got {levels}$"):
        MerkleTree(levels)
    with pytest.raises(ValueError, match=f"^levels must be 1 to 21, got {levels}$"):
        verify_path(0, levels, 0, 0, [])


def test_new_deepest_tree_takes_its_last_index():
    tree = MerkleTree(21)
    tree.set(8**21 - 1, 6)
    assert verify_path(tree.root, 21, 8**21 - 1, 6, tree.path(8**21 - 1))


def test_verify_path_too_short_or_long_or_empty_raises_value_error(tree):
    path = tree.path(5)
    for wrong in (path[:-1], path[1:], [*path, path[0]], []):
        with pytest.raises(ValueError, match=f"^path must have {LEVELS} levels, got {len(wrong)}$"):
            verify_path(tree.root, LEVELS, 5, tree.get(5), wrong)


def test_verify_path_inner_node_as_leaf_raises_value_error(tree):
    path = tree.path(5)
    node = poseidon(path[0])
    assert verify_path(tree.root, LEVELS - 1, 0, node, path[1:])
    with pytest.raises(ValueError, match=f"^path must have {LEVELS} levels"):
        verify_path(tree.root, LEVELS, 0, node, path[1:])


@pytest.mark.parametrize("width", [0, 1, 7, 9, 16])
def test_verify_path_wrong_number_of_children_raises_value_error(tree, width):
    path = tree.path(5)
    path[1] = (path[1] * 2)[:width]
    with pytest.raises(ValueError, match=f"^path must have 8 children at each level, got {width} at level 1$"):
        verify_path(tree.root, LEVELS, 5, tree.get(5), path)


def test_verify_path_child_out_of_field_raises_value_error(tree):
    path = tree.path(5)
    path[2][3] += FIELD_MODULUS
    with pytest.raises(ValueError, match=r"^path\[2\]\[3\] must be"):
        verify_path(tree.root, LEVELS, 5, tree.get(5), path)
    with pytest.raises(ValueError, match=r"^root must be"):
        verify_path(tree.root + FIELD_MODULUS, LEVELS, 5, tree.get(5), tree.path(5))
    with pytest.raises(ValueError, match=r"^leaf must be"):
        verify_path(tree.root, LEVELS, 5, tree.get(5) + FIELD_MODULUS, tree.path(5))


def test_verify_path_each_child_changed_does_not_hold(tree):
    for level in range(LEVELS):
        for child in range(ARITY):
            path = tree.path(83)
            path[level][child] ^= 1
            assert not verify_path(tree.root, LEVELS, 83, tree.get(83), path)
