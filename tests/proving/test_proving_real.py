"""Real proofs of the smallest block, made by `sluice prover worker`, verified by the node; and what no node accepts."""

import json
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from proving_rig import SECONDS, Process, refused, until

from rollup._native import verify
from rollup.circuits.keys import build_keys, load_verification_key
from rollup.core import BlockBuilder, Deposit, domain
from rollup.core.block import SealedBlock
from rollup.core.constants import FEE_TOKENS
from rollup.core.state import State
from rollup.l1.anvil import free_port
from rollup.l1.verifier_source import proof_words
from rollup.proving import open_pool
from rollup.proving.certificates import make_certificates, tls_of
from rollup.proving.facts import difference, facts
from rollup.proving.job import check_result, install, job_of, prove_job, run

pytestmark = [pytest.mark.slow, pytest.mark.xdist_group("proving")]
SLUICE = str(Path(sys.executable).parent / "sluice")


@pytest.fixture(scope="module")
def keys(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("keys")
    build_keys([1], folder=folder)
    return folder


def sealed(amount: int, witness: bool = True) -> SealedBlock:
    """A block of one deposit."""
    builder = BlockBuilder(
        State(), domain=domain(31337, 1), block_number=1, timestamp=1_800_000_000, fee_account=0,
        fee_tokens=tuple(range(FEE_TOKENS)), block_size=1, queue_start=0, witness=witness,
    )  # fmt: skip
    builder.add(Deposit(0, 0, amount, 0xA11CE))
    return builder.seal()


@pytest.fixture(scope="module")
def result(keys: Path) -> dict[str, Any]:
    return dict(json.loads(prove_job(job_of(sealed(5)), keys)))


def words_of(words: list[int]) -> dict[str, Any]:
    a, b, c = words[:2], words[2:6], words[6:]
    pi_b = [[str(b[1]), str(b[0])], [str(b[3]), str(b[2])], ["1", "0"]]
    return {"pi_a": [str(a[0]), str(a[1]), "1"], "pi_b": pi_b, "pi_c": [str(c[0]), str(c[1]), "1"]}


@pytest.fixture
def cluster(tmp_path: Path, keys: Path) -> Iterator[tuple[str, Path, Process]]:
    """Address, certificates and worker, all by the commands that people type."""
    folder = tmp_path / "tls"
    made = Process([SLUICE, "prover", "certificates", str(folder)])
    assert made.process.wait(SECONDS) == 0
    port = free_port()

    def tls(name: str) -> list[str]:
        return ["--ca", f"{folder}/ca.crt", "--cert", f"{folder}/{name}.crt", "--key", f"{folder}/{name}.key"]

    local = ["--host", "127.0.0.1"]
    address = f"tls://127.0.0.1:{port}"
    scheduler = Process([SLUICE, "prover", "scheduler", *tls("scheduler"), *local, "--port", str(port)])
    command = [SLUICE, "prover", "worker", "--scheduler", address, *tls("worker"), *local, "--keys", str(keys)]
    worker = Process([*command, "--name", "real"])
    yield address, folder, worker
    assert worker.stop() == 0
    assert scheduler.stop() == 0


def test_prove_by_the_commands_gives_the_node_valid_proofs(
    cluster: tuple[str, Path, Process], keys: Path, tmp_path: Path
) -> None:
    address, folder, worker = cluster
    pool = open_pool(address, tls_of(folder, "node"), keys)
    try:
        blocks = [sealed(amount) for amount in (5, 6)]
        proofs = [pool.submit(block) for block in blocks]
        for block, future in zip(blocks, proofs, strict=True):
            words = future.result(SECONDS)
            public = [block.commitment, block.challenge, block.evaluation]
            key = load_verification_key(1, keys)
            assert verify(key, words_of(list(words)) | {"protocol": "groth16", "curve": "bn128"}, public)
        assert worker.says("worker real: key 1")
    finally:
        pool.close()
    # The worker's keys are the ceremony's, the node's are not.
    manifest = json.loads((keys / "manifest.json").read_text())
    other = tmp_path / "keys"
    other.mkdir()
    manifest["keys"] = []
    (other / "manifest.json").write_text(json.dumps(manifest))
    assert facts(other).keys() == {"format", "version"}
    assert difference(facts(keys), facts(other)) == f"its key 1 is none, the node's {facts(keys)['key 1'][:16]!r}"
    assert difference(facts(other), facts(keys)) is None


def test_worker_with_keys_of_other_circuits_is_refused(
    cluster: tuple[str, Path, Process], keys: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    address, folder, _ = cluster
    expected = facts(keys) | {"key 1": "0" * 64}
    monkeypatch.setattr("rollup.proving.pool.facts", lambda _: expected)
    pool = open_pool(address, tls_of(folder, "node"), keys)
    try:
        until(lambda: refused(pool), "it is seen")
        assert refused(pool)["real"] == f"its key 1 is {facts(keys)['key 1'][:16]!r}, the node's {'0' * 16!r}"
    finally:
        pool.close()


def test_check_result_takes_the_blocks_own_proof_alone(result: dict[str, Any], keys: Path) -> None:
    assert check_result(sealed(5), result, keys) == proof_words(result["proof"])
    with pytest.raises(ValueError, match="it does not verify for what the block publishes"):
        check_result(sealed(6), result, keys)


def test_check_result_verifies_what_l1_gets(result: dict[str, Any], keys: Path) -> None:
    """A proof in other coordinates, or a number written in another way, must not pass as what it is not."""
    words = list(proof_words(result["proof"]))
    assert check_result(sealed(5), {"proof": words_of(words)}, keys) == tuple(words)
    stretched = {"proof": result["proof"] | {"pi_a": [*result["proof"]["pi_a"][:2], "2"]}}
    assert check_result(sealed(5), stretched, keys) == tuple(words)
    negated = words_of([words[0], -words[1], *words[2:]])
    with pytest.raises(ValueError, match="malformed"):
        check_result(sealed(5), {"proof": negated}, keys)
    swapped = words_of([*words[6:], *words[2:6], *words[:2]])
    with pytest.raises(ValueError, match="does not verify"):
        check_result(sealed(5), {"proof": swapped}, keys)


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(["pi_a", "pi_b", "pi_c"]), inner),
)


@given(proof=JSON)
def test_check_result_of_anything_raises_nothing_but_value_errors(keys: Path, proof: Any) -> None:
    with pytest.raises(ValueError, match=r"malformed|does not verify"):
        check_result(sealed(5), {"proof": proof}, keys)


def test_job_of_a_block_without_witness_is_refused() -> None:
    with pytest.raises(ValueError, match="block 1 was sealed without its witness"):
        job_of(sealed(5, witness=False))


def test_run_that_fails_gives_the_reason(keys: Path) -> None:
    install(lambda job: prove_job(job, keys))
    broken = json.loads(job_of(sealed(5))) | {"size": 2}
    assert "no key for blocks of 2 steps" in json.loads(run(json.dumps(broken)))["error"]
    assert json.loads(run("{"))["error"].startswith("JSONDecodeError")


def test_make_certificates_twice_keeps_them(tmp_path: Path) -> None:
    first = make_certificates(tmp_path)
    again = make_certificates(tmp_path, ["worker", "worker2"])
    assert [made.is_new for made in first] == [True] * 4
    assert [(made.name, made.is_new) for made in again] == [("ca", False), ("worker", False), ("worker2", True)]
