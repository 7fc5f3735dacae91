"""Mistakes planted in the contracts: ten picked by hand, and all there are."""

from collections import Counter

import pytest
from contract_mutation import REVIEWED, all_mutants, run, sandbox
from solidity_mutants import Mutant, mutants_of

# Shares the machine with forge's other tests, not their files.
pytestmark = pytest.mark.xdist_group("mutants")

PICKED = {
    "a block is executed before it is proven": (
        "Executor",
        "if (block_.number > provenBlocks()) revert BlockNotProven(block_.number, provenBlocks());",
        "if (false) revert BlockNotProven(block_.number, provenBlocks());",
    ),
    "a withdrawal is paid and stays owed": (
        "Vault",
        "pending[owner][token] = most - amount;",
        "",
    ),
    "a hook comes back into a withdrawal": (
        "Vault",
        "function withdrawPending(address owner, uint16 token) external nonReentrant returns (uint128 amount) {",
        "function withdrawPending(address owner, uint16 token) external returns (uint128 amount) {",
    ),
    "an entry may expire a second late": (
        "Queue",
        "return expiry != 0 && block.timestamp >= expiry;",
        "return expiry != 0 && block.timestamp > expiry;",
    ),
    "an exit is made twice": ("Exodus", "_exited.set(place);", ""),
    "exodus begins for an entry in time": (
        "Exodus",
        "if (!_isOverdue(expiry)) revert QueueNotOverdue(index, expiry, block.timestamp);",
        "if (false) revert QueueNotOverdue(index, expiry, block.timestamp);",
    ),
    "a stranger names validators": (
        "Governor",
        "function setValidator(address validator, bool allowed) external onlyOwner {",
        "function setValidator(address validator, bool allowed) external {",
    ),
    "flags of a withdrawal are not looked at": (
        "Committer",
        "else if (w0.flags() != 0 || l1.word(i + 1).aux() != 0) revert MalformedRecord(i);",
        "else if (w0.flags() != 0 && l1.word(i + 1).aux() != 0) revert MalformedRecord(i);",
    ),
    "points of a proof are not looked at": (
        "libraries/Groth16",
        "if (!_isWellFormed(proofs[i], inputs[i])) return false;",
        "if (false) return false;",
    ),
    "an entry left by a proof is overdue": (
        "Prover",
        "_requireNoneOverdue(blocks[blocks.length - 1].queueEnd);",
        "",
    ),
}
"""What is wrong: the contract, its line, and the line as it must not be."""


def picked(name: str) -> Mutant:
    contract, before, after = PICKED[name]
    path = f"contracts/{contract}.sol"
    (found,) = (mutant for mutant in all_mutants() if mutant.path == path and mutant.change == (before, after))
    return found


def test_mutants_are_of_every_kind_and_no_reason_is_left_over() -> None:
    mutants = all_mutants()
    kinds = Counter(mutant.operator for mutant in mutants)
    assert set(kinds) == {
        "operator", "literal", "constant", "condition", "statement deleted", "arguments swapped", "branches swapped",
        "modifier removed", "visibility",
    }  # fmt: skip
    assert set(REVIEWED) <= {mutant.name for mutant in mutants}, "the line of a reviewed survivor has changed"


def test_mutants_of_a_small_contract_are_these() -> None:
    source = """
    contract C {
        function f(uint256 a, uint256 b) external onlyOwner {
            // a < b in a comment is none
            if (a < b) revert Small(a, b);
            g(a, b);
        }
    }
    """
    found = [mutant.change[1] for mutant in mutants_of("C.sol", source)]
    assert found == [
        "function f(uint256 a, uint256 b) external {",
        "if (false) revert Small(a, b);",
        "if (a <= b) revert Small(a, b);",
        "if (a >= b) revert Small(a, b);",
        "if (a < b) revert Small(b, a);",
        "",
        "g(b, a);",
    ]


@pytest.mark.long
def test_picked_mutants_are_killed() -> None:
    with sandbox("picked") as place:
        verdicts = {name: place.verdict(picked(name)) for name in PICKED}
    assert {name: verdict for name, verdict in verdicts.items() if verdict in ("lives", "invalid")} == {}


@pytest.mark.long
def test_mutants_are_killed_or_reviewed() -> None:
    """All of them: hours."""
    with sandbox("all") as place:
        verdicts = run(all_mutants(), place)
    assert sorted(name for name, verdict in verdicts.items() if verdict == "lives" and name not in REVIEWED) == []
    counts = Counter(verdicts.values())
    assert counts["lives"] <= 0.05 * (len(verdicts) - counts["invalid"])
