"""A linked toy block against the same block as one circom `main`; every way in which an interface may be wrong."""

import random
import subprocess
from pathlib import Path
from typing import Any

import pytest
from circom_reference import Compiled, Refused, compile_circom

from rollup._native import Block, Circuit
from rollup.toolchain import ROOT

BITS = 'include "circomlib/circuits/bitify.circom";'
OPEN = """template Open() {
    signal input X; signal input seed_local; var seed = seed_local;
    signal output acc_out; signal output sum_out[2]; signal output g; signal output h[2];
    acc_out <== seed; sum_out[0] <== seed * seed; sum_out[1] <== X + 1; g <== seed * X; h[0] <== seed + 3; h[1] <== X;
}"""
STEP = """template Step() {
    signal input X; signal input g; signal input acc_in; signal input sum_in[2]; signal input v;
    signal output acc_out; signal output sum_out[2];
    component bits = Num2Bits(8); bits.in <== v;
    acc_out <== acc_in * X + v;
    sum_out[0] <== sum_in[0] + bits.out[0] * g;
    sum_out[1] <== sum_in[1];
}"""
CLOSE = """template Close() {
    signal input C; signal input Y; signal input h[2]; signal input acc_in; signal input sum_in[2];
    signal part; part <== sum_in[0] * h[1];
    acc_in === Y; C === part + sum_in[1] * h[0];
}"""
TOY = """template Toy(N) {
    signal input C; signal input X; signal input Y; signal input seed_local; signal input v[N];
    component open = Open(); open.X <== X; open.seed_local <== seed_local;
    component steps[N];
    for (var i = 0; i < N; i++) {
        steps[i] = Step(); steps[i].X <== X; steps[i].g <== open.g; steps[i].v <== v[i];
        if (i == 0) {
            steps[i].acc_in <== open.acc_out;
            for (var k = 0; k < 2; k++) steps[i].sum_in[k] <== open.sum_out[k];
        } else {
            steps[i].acc_in <== steps[i - 1].acc_out;
            for (var k = 0; k < 2; k++) steps[i].sum_in[k] <== steps[i - 1].sum_out[k];
        }
    }
    component close = Close(); close.C <== C; close.Y <== Y;
    close.acc_in <== steps[N - 1].acc_out;
    for (var k = 0; k < 2; k++) { close.h[k] <== open.h[k]; close.sum_in[k] <== steps[N - 1].sum_out[k]; }
}"""
OPEN_MAIN = OPEN + "component main {public [X, seed_local]} = Open();"
STEP_MAIN = BITS + STEP + "component main {public [X, g, acc_in, sum_in]} = Step();"
CLOSE_MAIN = CLOSE + "component main {public [C, Y, h, acc_in, sum_in]} = Close();"


def link(steps: int, **sources: str) -> Block:
    texts = {"open": OPEN_MAIN, "step": STEP_MAIN, "close": CLOSE_MAIN} | sources
    pieces = {name: compile_circom(name, text).circuit() for name, text in texts.items()}
    return Block(pieces["open"], pieces["step"], pieces["close"], steps)


def inputs(steps: int, seed: int = 5) -> dict[str, Any]:
    rng = random.Random(steps * 1000 + seed)
    x, values = rng.randrange(2**128), [rng.randrange(256) for _ in range(steps)]
    acc, total, g = seed, seed * seed, seed * x
    for v in values:
        acc, total = acc * x + v, total + (v & 1) * g
    r = 21888242871839275222246405745257275088548364400416034343698204186575808495617
    return {"C": (total * x + (x + 1) * (seed + 3)) % r, "X": x, "Y": acc % r, "seed_local": seed, "v": values}


def solve(block: Block, given: dict[str, Any], **step: Any) -> Any:
    steps = [{"v": v} | step for v in given["v"]]
    return block.witness(
        {"X": given["X"], "seed_local": given["seed_local"]}, steps, {"C": given["C"], "Y": given["Y"]}
    )


@pytest.mark.parametrize("steps", [1, 2, 3, 4])
def test_linked_block_equals_the_monolithic_one(tmp_path: Path, steps: int) -> None:
    toy = f"component main {{public [C, X, Y]}} = Toy({steps});"
    mono = compile_circom(f"toy{steps}", BITS + OPEN + STEP + CLOSE + TOY + toy)
    block, given = link(steps), inputs(steps)
    expected, wires = mono.reference(given), mono.wires()
    witness = solve(block, given)
    assert block.check(witness) is None
    assert witness.public() == [given["C"], given["X"], given["Y"]] == expected[1:4]
    block.write_r1cs(tmp_path / "block.r1cs")
    block.write_sym(tmp_path / "block.sym")
    linked = Compiled(tmp_path, "block").wires()
    compared = [name for name in wires if name in linked]
    assert len(compared) > 8 * steps
    for name in compared:
        assert witness.get(name) == expected[wires[name]], name
        assert witness.values()[linked[name]] == expected[wires[name]], name
    bad = dict(given, Y=given["Y"] + 1)
    with pytest.raises(Refused):
        mono.reference(bad)
    assert "(close)" in (block.check(solve(block, bad)) or "")
    bad = dict(given, v=[256, *given["v"][1:]])
    with pytest.raises(Refused):
        mono.reference(bad)
    assert "(steps[0])" in (block.check(solve(block, bad)) or "")


def test_written_r1cs_reads_back_and_passes_snarkjs(tmp_path: Path) -> None:
    block, given = link(3), inputs(3)
    paths = {kind: tmp_path / f"block.{kind}" for kind in ("r1cs", "sym", "wtns")}
    block.write_r1cs(paths["r1cs"])
    block.write_sym(paths["sym"])
    whole = Circuit(paths["r1cs"], paths["sym"])
    assert (whole.n_wires, whole.n_constraints) == (block.n_wires, block.n_constraints)
    assert (whole.public_outputs, whole.public_inputs) == ([], ["C", "X", "Y"])
    witness = solve(block, given)
    assert whole.check(witness) is None
    command = ["node", str(ROOT / "node_modules/snarkjs/build/cli.cjs"), "wtns", "check"]
    for good in (True, False):
        (witness if good else solve(block, dict(given, Y=1))).write_wtns(paths["wtns"])
        done = subprocess.run([*command, paths["r1cs"], paths["wtns"]], capture_output=True, text=True, check=False)
        assert ("WITNESS IS CORRECT" in done.stdout) == good


def test_steps_with_all_states_given_are_solved_alike_and_a_wrong_state_is_named() -> None:
    block, given = link(4), inputs(4)
    witness = solve(block, given)
    ends = ({"X": given["X"], "seed_local": given["seed_local"]}, {"C": given["C"], "Y": given["Y"]})
    steps = [
        {
            "v": v,
            "acc_in": witness.get(f"steps[{i}].acc_in"),
            "sum_in": [witness.get(f"steps[{i}].sum_in[{k}]") for k in (0, 1)],
        }
        for i, v in enumerate(given["v"])
    ]
    close = ends[1] | {
        "acc_in": witness.get("close.acc_in"),
        "sum_in": [witness.get(f"close.sum_in[{k}]") for k in (0, 1)],
    }
    for end in (ends[1], close):
        assert block.witness(ends[0], steps, end).values() == witness.values()
        assert block.witness(ends[0], [{"v": v} for v in given["v"]], end).values() == witness.values()
    wrong = close | {"acc_in": close["acc_in"] + 1}
    for given_steps in (steps, [{"v": v} for v in given["v"]]):
        with pytest.raises(ValueError, match=r"close: acc_in is given as \d+, but acc_out of steps\[3\] gives \d+"):
            block.witness(ends[0], given_steps, wrong)
    steps[2]["acc_in"] += 1
    with pytest.raises(ValueError, match=r"steps\[2\]: acc_in is given as \d+, but acc_out of steps\[1\] gives \d+"):
        block.witness(ends[0], steps, ends[1])
    del steps[3]["acc_in"]
    with pytest.raises(ValueError, match=r"steps\[2\]: acc_in is given as"):
        block.witness(ends[0], steps, ends[1])


def test_block_inputs_missing_or_contradicting_are_named() -> None:
    block, given = link(2), inputs(2)
    with pytest.raises(ValueError, match="missing public input C"):
        block.witness({"X": 1, "seed_local": 1}, [{"v": 1}] * 2, {"Y": 1})
    with pytest.raises(ValueError, match=r"steps\[0\]: step: missing input v"):
        block.witness({"X": 1, "seed_local": 1}, [{}, {}], {"C": 1, "Y": 1})
    with pytest.raises(ValueError, match="public input X is given as"):
        solve(block, given, X=given["X"] + 1)
    with pytest.raises(ValueError, match=r"steps\[0\]: g is given as"):
        solve(block, given, g=given["X"] + 1)
    with pytest.raises(ValueError, match="1 steps for a block of 2"):
        block.witness({"X": 1, "seed_local": 1}, [{"v": 1}], {"C": 1, "Y": 1})


def public(names: str, template: str) -> str:
    return f"component main {{public [{names}]}} = {template}();"


REFUSED = [
    (
        "step",
        STEP_MAIN.replace(", sum_in]", "]"),
        r"step: sum_in\[0\] (is private|was dropped).*must be public and kept",
    ),
    ("step", STEP_MAIN.replace("acc_in", "ac_in"), r"open: acc_out is not consumed: step has no public input acc_in"),
    (
        "step",
        STEP_MAIN.replace("sum_out[2]", "sum_out[3]").replace("sum_out[1] <==", "sum_out[2] <== g; sum_out[1] <=="),
        r"step: sum_out\[2\] is not consumed: step has no public input sum_in\[2\]",
    ),
    (
        "step",
        STEP_MAIN.replace("signal output acc_out;", "signal output acc_out; signal output other; other <== g;"),
        "step: public output other leads nowhere",
    ),
    ("step", STEP_MAIN.replace("[X, g", "[X, v, g"), "step: public input v has no source"),
    ("step", STEP_MAIN.replace("[X, g,", "[X,"), r"step: g (is private|was dropped)"),
    ("step", STEP_MAIN.replace("[X, g", "[g"), r"step: X (is private|was dropped)"),
    (
        "open",
        OPEN_MAIN.replace("h[0] <==", "k <== X; h[0] <==").replace(
            "signal output g;", "signal output g; signal output k;"
        ),
        "open: global k is consumed by neither",
    ),
    (
        "open",
        OPEN_MAIN.replace("[X, ", "[X, sead, ").replace("signal input X;", "signal input X; signal input sead;"),
        "open: public input sead has no source",
    ),
    (
        "open",
        OPEN_MAIN.replace("signal output g;", "signal output g; signal output Y;").replace(
            "h[1] <==", "Y <== X; h[1] <=="
        ),
        "open: Y is a public input of the block",
    ),
    (
        "close",
        CLOSE_MAIN.replace("signal input C; ", "").replace("[C, ", "[").replace("C ===", "acc_in ==="),
        "no template declares the block's public input C",
    ),
    ("close", CLOSE_MAIN.replace(", acc_in", ""), r"close: acc_in (is private|was dropped)"),
]


@pytest.mark.parametrize(("piece", "source", "message"), REFUSED, ids=[str(i) for i in range(len(REFUSED))])
def test_link_of_a_wrong_interface_is_refused_with_the_signal(piece: str, source: str, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        link(2, **{piece: source})


def test_private_input_dropped_by_the_optimiser_is_named_and_its_outputs_can_be_given() -> None:
    source = OPEN.replace("signal input seed_local; var seed = seed_local;", "signal input seed;")
    circuit = compile_circom("open", source + "component main {public [X]} = Open();").circuit()
    with pytest.raises(ValueError, match="dropped the private inputs seed: make them public"):
        circuit.witness({"X": 3, "seed": 5})
    witness = circuit.witness({"X": 3, "seed": 5, "acc_out": 5})
    assert witness.outputs() == {"acc_out": 5, "sum_out[0]": 25, "sum_out[1]": 4, "g": 15, "h[0]": 8, "h[1]": 3}
    assert circuit.check(witness) is None


def test_link_of_no_steps_is_refused() -> None:
    with pytest.raises(ValueError, match="at least one step"):
        link(0)


@pytest.mark.parametrize(
    ("wire", "message"), [("-1", "acc_in was dropped.*wire -1.*public and kept"), ("4", "acc_in has wire 4, expected")]
)
def test_public_signal_without_its_own_wire_is_refused(tmp_path: Path, wire: str, message: str) -> None:
    compiled = compile_circom("step", STEP_MAIN)
    lines = compiled.sym.read_text().splitlines()
    altered = [
        ",".join([line.split(",")[0], wire, *line.split(",")[2:]]) if line.endswith("main.acc_in") else line
        for line in lines
    ]
    (tmp_path / "step.sym").write_text("\n".join(altered))
    with pytest.raises(ValueError, match=message):
        Circuit(compiled.r1cs, tmp_path / "step.sym")
