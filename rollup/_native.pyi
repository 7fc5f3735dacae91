"""Hot arithmetic, written in Rust (`native/`). Every int is range-checked: out of range is a ValueError.

A *field element* is an int in 0 <= x < FIELD_MODULUS. A *point* is a pair (x, y) of field elements.
"""

from collections.abc import Callable, Mapping, Sequence
from os import PathLike
from typing import Any, Final, TypeAlias, final

# --- hashes, signatures, trees (native/src/py/crypto.rs) ---

_Point = tuple[int, int]
"""(x, y), each a field element; on Baby Jubjub only if `is_on_curve` says so."""
_Signature = tuple[int, int, int]
"""(R.x, R.y, S): circomlib's R8x, R8y, S."""

FIELD_MODULUS: Final[int]
"""r, the order of the scalar field of BN254: the modulus of every field element."""
SUBGROUP_ORDER: Final[int]
"""l, the order of Baby Jubjub's prime-order subgroup; the curve has 8 l points."""
BASE8: Final[_Point]
"""circomlib's base point, of order l."""
SIGNATURE_S_BOUND: Final[int]
"""A signature's S is below it: l without its lower 131 bits, as the circuit compares."""
SIGNATURE_CHALLENGE_BOUND: Final[int]
"""The hash h that a signature multiplies the key by is below it: r without its lower 134 bits."""

def poseidon(inputs: Sequence[int]) -> int:
    """Poseidon with circomlib's parameters.

    Args:
        inputs: 1 to 16 field elements.

    Raises:
        ValueError: another number of inputs, or one that is not a field element.
    """

def poseidon_many(rows: Sequence[Sequence[int]]) -> list[int]:
    """`poseidon` of each row, on all cores, without the GIL."""

def eddsa_public_key(private_key: bytes) -> _Point:
    """The public key of 32 secret bytes, as circomlibjs' `prv2pub`. Not constant time."""

def eddsa_sign(private_key: bytes, message: int) -> _Signature:
    """The one signature of a field element under 32 secret bytes, as circomlibjs' `signPoseidon`. Not constant time."""

def eddsa_verify(public_key: _Point, message: int, signature: _Signature) -> bool:
    """Whether circomlib's `EdDSAPoseidonVerifier` accepts, R and the key are on the curve, S < SIGNATURE_S_BOUND,
    h < SIGNATURE_CHALLENGE_BOUND, and the key is a point of the prime-order subgroup other than the identity.

    Args:
        public_key: a point; (0, 0), which means "no key", is never valid.
        message: a field element.
        signature: a point and any int: an S outside 0 <= S < SIGNATURE_S_BOUND is false, not an error.

    Raises:
        ValueError: a coordinate or the message is not a field element.
    """

def eddsa_verify_many(claims: Sequence[tuple[_Point, int, _Signature]]) -> list[bool]:
    """`eddsa_verify` of each (public_key, message, signature), on all cores, without the GIL.

    Valid ones are checked together by one random combination: a false True has probability 2^-128.
    """

def is_on_curve(point: _Point) -> bool:
    """Whether 168700 x^2 + y^2 = 1 + 168696 x^2 y^2."""

def is_in_subgroup(point: _Point) -> bool:
    """Whether the point is on the curve and SUBGROUP_ORDER times it is the identity (0, 1), which itself is in."""

def compress_point(point: _Point) -> bytes:
    """32 bytes: y little endian, the top bit set if x > r / 2; circomlibjs' `packPoint`.

    Raises:
        ValueError: the point is not on the curve.
    """

def decompress_point(data: bytes) -> _Point:
    """The inverse of `compress_point`; bytes that it never returns are a ValueError."""

@final
class MerkleTree:
    """A sparse 8-ary Merkle tree over Poseidon(8). Its memory grows with the touched leaves only.

    An index is an int in 0 <= index < 8^levels; its least significant base-8 digit is the place in the bottom group.
    """

    def __new__(cls, levels: int, empty_leaf: int = 0) -> MerkleTree:
        """A tree of 8^levels leaves (1 <= levels <= 21), each `empty_leaf`, a field element."""

    @property
    def root(self) -> int: ...
    @property
    def levels(self) -> int: ...
    def get(self, index: int) -> int:
        """The leaf at `index`."""

    def set(self, index: int, value: int) -> None:
        """Makes the field element `value` the leaf at `index`."""

    def set_many(self, updates: Sequence[tuple[int, int]]) -> None:
        """Sets each (index, value); of two for one index the later stays. Hashes each touched node once, on all cores.

        Raises:
            ValueError: an index or a value is out of range; then nothing has changed.
        """

    def path(self, index: int) -> list[list[int]]:
        """The eight children of each node above the leaf, bottom first: levels x 8 ints, the leaf in the first."""

    def copy(self) -> MerkleTree:
        """A snapshot, independent from now on; it costs a pointer, not a copy of the nodes."""

    def __copy__(self) -> MerkleTree: ...

def verify_path(root: int, levels: int, index: int, leaf: int, path: Sequence[Sequence[int]]) -> bool:
    """Whether `path`, as `MerkleTree.path` returns it, leads from `leaf` at `index` to `root`.

    Raises:
        ValueError: the path is not `levels` x 8 field elements, or the index is not below 8^levels. A path of another
            length could pass an inner node for a leaf, so `levels` must be the verifier's, never the prover's.
    """

# --- the node's intake and sealing (native/src/py/node.rs) ---

@final
class PlainTransfer:
    """A signed Transfer that stands alone, its JSON read and every field in its range. Immutable."""

    @property
    def from_id(self) -> int: ...
    @property
    def fields(self) -> tuple[int, int, int, int, int, int, int, int, int]:
        """from_id, to_id, to_address, token, amount, fee, nonce, valid_from, valid_until."""
    @property
    def signature(self) -> _Signature: ...

def parse_transfer(json: bytes) -> PlainTransfer | None:
    """Read one operation; None if it is not a plain Transfer that `rollup.core.wire` takes, whatever else it is."""

def parse_transfers(json: bytes) -> list[PlainTransfer] | None:
    """Read `{"operations": [...]}`; None unless all are plain Transfers. Without the GIL."""

@final
class EddsaKey:
    """A public key, looked at once: whether it is on the curve, in the prime-order subgroup, and not the identity.
    Immutable.

    Raises:
        ValueError: a coordinate is not a field element.
    """

    def __new__(cls, key: _Point) -> EddsaKey: ...

def prepare_transfers(
    transfers: Sequence[PlainTransfer], keys: Sequence[EddsaKey], domain: int
) -> list[tuple[int, int, int, int, int, int, int, int, bytes, bytes, bytes, str] | None]:
    """What a block needs of Transfers. Signatures are checked many at once, without the GIL.

    Args:
        transfers: any number.
        keys: the payers', of (0, 0) for none.
        domain: of the rollup.

    Returns:
        of each: from_id, to_id, token, amount, fee, nonce, valid_from, valid_until; recipient (20 bytes), message hash
        (32 bytes), chunk (15 bytes), JSON as `wire.to_wire` gives it. None if it is not signed by that key.

    Raises:
        ValueError: the domain is no field element, or there are more or fewer keys.
    """

_Receipt = tuple[int, int, bytes, int, bytes, bytes, bytes, int, int, bytes]
"""Its fields from block number to validator set, the recipient as 20 bytes."""

def receipt_digests(separator: bytes, type_hash: bytes, receipts: Sequence[_Receipt]) -> list[bytes]:
    """The EIP-712 digests of receipts; without the GIL."""

def receipt_texts(rollup: str, receipts: Sequence[_Receipt], signatures: Sequence[bytes]) -> list[bytes]:
    """The JSON of receipts, as `rollup.core.receipt.receipt_to_wire` gives it; without the GIL.

    Args:
        rollup: the first fields, which all of them share: `"chain_id":1,"rollup":"0x..."`.
        receipts: any number.
        signatures: of each, 65 bytes.

    Raises:
        ValueError: there are more or fewer signatures, or one has another length.
    """

@final
class EcdsaKey:
    """A private key of an Ethereum account: 32 bytes, from 1 to below the order of secp256k1."""

    def __new__(cls, private_key: bytes) -> EcdsaKey: ...
    @property
    def public_key(self) -> bytes:
        """x and y, 32 bytes each, big endian."""
    def sign_many(self, digests: Sequence[bytes]) -> list[bytes]:
        """The signatures of 32 bytes each, `r 32 | s 32 | v 1`; without the GIL.

        s is in the lower half, v 27 or 28; one digest has always one signature (RFC 6979).
        """

def commit_chains(starts: Sequence[int], steps: Sequence[bytes]) -> list[int]:
    """Chains of Poseidon(8)(C, seven words), side by side; without the GIL.

    Args:
        starts: the first C of each.
        steps: of each, its steps' words, 32 bytes each, big endian.

    Returns:
        the last C of each.

    Raises:
        ValueError: a word is not a field element, or the lengths are not of whole steps.
    """

@final
class StateTree:
    """The tree of accounts over one balance tree each (protocol 2); empty at first."""

    def __new__(cls, account_levels: int, balance_levels: int) -> StateTree: ...
    @property
    def root(self) -> int: ...
    def update(self, changes: Sequence[tuple[int, _Point, int, int, Sequence[tuple[int, int]]]]) -> None:
        """Set accounts, as (id, key, address, nonce, [(slot, leaf)]); all hashes of a level together, without the GIL.

        Raises:
            ValueError: an index is out of range, or a value is no field element; then nothing has changed.
        """
    def account_path(self, account_id: int) -> list[list[int]]:
        """The eight children of every node above the account's leaf, bottom first."""
    def account_node(self, depth: int, index: int) -> int:
        """The hash of the `index`th of the 8^depth nodes that lie `depth` levels below the root."""
    def balance_path(self, account_id: int, slot: int) -> list[list[int]]:
        """The same of a slot, up to the account's balances root."""
    def copy(self) -> StateTree:
        """A snapshot; it costs a pointer an account."""

# --- circuits, linked blocks, witnesses (native/src/py/circuit.rs) ---

Value: TypeAlias = int | Sequence["Value"]
"""A field element, or nested lists of them in the shape of the signal."""

@final
class System:
    """The constraints of a circuit or block, as the prover takes them."""

    @property
    def n_constraints(self) -> int: ...
    @property
    def n_wires(self) -> int: ...
    @property
    def n_public(self) -> int: ...

@final
class Witness:
    """The values of all wires. Not checked: see `Circuit.check` and `Block.check`."""

    def __len__(self) -> int: ...
    def values(self) -> list[int]:
        """By wire: 0 is the constant one, then the public signals, as in circom's `.wtns`."""

    def get(self, name: str) -> int:
        """The value of a signal: "hash.out"; in a block "open.foo", "steps[3].foo[1]", "close.foo" or a public input.

        Raises:
            KeyError: no such signal, or the optimiser dropped it.
        """

    def public(self) -> list[int]:
        """Public outputs, then public inputs."""

    def outputs(self) -> dict[str, int]:
        """Public outputs of a circuit by name, such as "foo_out[3]"; empty for a block, which has none."""

    def write_wtns(self, path: str | PathLike[str]) -> None:
        """Writes snarkjs' `.wtns`."""

@final
class Circuit:
    """A circom `main`, compiled with `--r1cs --sym --O2`. Names are circom's without `main.`, indices in brackets."""

    def __new__(cls, r1cs_path: str | PathLike[str], sym_path: str | PathLike[str]) -> Circuit:
        """Reads both files. Errors call the circuit by the `.r1cs` file's stem.

        Raises:
            ValueError: a file is damaged, or a public signal has no wire of its own.
        """

    @property
    def n_constraints(self) -> int: ...
    @property
    def n_wires(self) -> int: ...
    @property
    def public_outputs(self) -> list[str]: ...
    @property
    def public_inputs(self) -> list[str]: ...
    @property
    def inputs(self) -> list[str]:
        """Public, then private inputs, one name per array element."""

    def witness(self, inputs: Mapping[str, Value], forced: Mapping[str, Value] | None = None) -> Witness:
        """Solves all wires from the inputs.

        Invalid inputs give a witness that `check` refuses. The first call with a new set of names makes a plan
        (seconds for a large circuit); later ones take milliseconds.

        Args:
            inputs: every input, and hints: values of internal signals, of those at least that the error asks for.
            forced: signals that keep these values while those computed from them follow. For tests of soundness.

        Raises:
            ValueError: missing or unknown input, wrong shape, value outside 0..r-1, or undetermined signals.
            TypeError: a value that is neither an int nor a list or tuple.
        """

    def witness_many(self, inputs: Sequence[Mapping[str, Value]]) -> list[Witness]:
        """`witness` of each, in lanes that share inversions, on all cores."""

    def hinted_signals(self) -> list[str]:
        """The signals that are not fixed by one constraint with a constant coefficient: what a forger would vary.

        All others have one possible value for given inputs.
        """

    def hinted_kinds(self) -> dict[str, str]:
        """The same with the reason: "bit" (unique below 254 bits), "aliased bit" (254 bits: v and v + r),
        "inverse" (of IsZero), "quotient" (free where the divisor is 0), "guard" (from a product that must be 0)."""

    def check(self, witness: Witness) -> str | None:
        """None when every constraint holds; else the first violated one, with signal names."""

    def system(self) -> System: ...

@final
class Block:
    """Open, `steps` times Step, Close, linked by the names of their public signals (see native/src/linker.rs)."""

    def __new__(
        cls,
        open: Circuit,  # noqa: A002 (the template is called so)
        step: Circuit,
        close: Circuit,
        steps: int,
        public: Sequence[str] = ("C", "X", "Y"),
    ) -> Block:
        """Links. `public` are the block's public inputs: wires 1, 2, 3.

        Raises:
            ValueError: the interface is not complete and unambiguous; the template and signal are named.
        """

    @property
    def n_constraints(self) -> int: ...
    @property
    def n_wires(self) -> int: ...
    @property
    def steps(self) -> int: ...
    def witness(
        self,
        open_inputs: Mapping[str, Value],
        steps_inputs: Sequence[Mapping[str, Value]],
        close_inputs: Mapping[str, Value],
    ) -> Witness:
        """Solves the block. Public inputs are given once, to any piece; globals and `_in` values follow.

        Steps are solved in parallel when all of them give all their `_in` values, and Close beside them if it gives its
        own too; else one after the other.

        Raises:
            ValueError: as `Circuit.witness`, or a given value contradicts the previous piece's; both are named.
        """

    def check(self, witness: Witness) -> str | None:
        """None when every constraint holds; else the first violated one, with its piece and signal names."""

    def write_r1cs(self, path: str | PathLike[str]) -> None:
        """Writes the whole block as one `.r1cs` for circom and snarkjs tools."""

    def write_sym(self, path: str | PathLike[str]) -> None:
        """Writes its `.sym`: names as `main.steps[0].foo`."""

    def system(self) -> System: ...

# --- Groth16 (native/src/py/groth16.rs) ---

Progress = Callable[[str, float], object]
"""Called now and then with (phase, fraction done, 0 to 1). An exception it raises stops the work; so does Ctrl-C."""

@final
class ProvingKey:
    """A `.zkey` file over BN254, ours or snarkjs's, mapped into memory: opening takes no time whatever the size.

    Opening checks the structure and the points of the verification key, not the millions of others.

    Raises:
        OSError: the file cannot be read.
        ValueError: it is cut off, malformed, of another protocol or curve.
    """

    def __new__(cls, path: str | PathLike[str]) -> ProvingKey: ...
    @property
    def domain_size(self) -> int:
        """Rows, a power of two."""
    @property
    def n_public(self) -> int: ...
    @property
    def n_wires(self) -> int:
        """With the constant one and the public ones."""
    @property
    def has_coefficients(self) -> bool:
        """Whether `prove_zkey` and snarkjs can prove with it; `prove` does not need them."""
    @property
    def hash(self) -> str:
        """SHA-256 of the file, 64 hexadecimal digits."""
    def verification_key(self) -> dict[str, Any]:
        """The same as `snarkjs zkey export verificationkey`."""
    def check_points(self) -> None:
        """Check that every point is in its group. Minutes for large keys.

        Raises:
            ValueError: one is not; the text names it.
        """

@final
class Proof:
    """A Groth16 proof. Coordinates are ints below the base field's order q."""

    @property
    def a(self) -> tuple[int, int]: ...
    @property
    def b(self) -> tuple[tuple[int, int], tuple[int, int]]:
        """((x0, x1), (y0, y1)), the real part first, as in JSON."""
    @property
    def c(self) -> tuple[int, int]: ...
    @property
    def public(self) -> list[int]:
        """Public outputs, then public inputs, each below r."""
    @property
    def timings(self) -> dict[str, float]:
        """Seconds per phase."""
    def solidity(self) -> list[int]:
        """The eight words for the EVM: a.x, a.y, b.x1, b.x0, b.y1, b.y0, c.x, c.y."""
    def to_json(self) -> dict[str, Any]:
        """The content of snarkjs's `proof.json`."""

def setup_development(
    circuit: object,
    zkey_path: str | PathLike[str],
    seed: str,
    coefficients: bool = False,
    progress: Progress | None = None,
) -> dict[str, Any]:
    """Write a development key: UNSAFE, whoever knows the seed can forge proofs.

    alpha, beta and tau come from the seed alone, so keys of all sizes share them; delta from the circuit too. The same
    seed and circuit give the same bytes. The file appears under its name only when complete.

    Args:
        circuit: a `Circuit`, `Block` or `System`.
        coefficients: write section 4, so that the key is usable without the circuit; about 44 bytes per matrix entry.

    Returns:
        hash (as `ProvingKey.hash`), circuit (a fingerprint), domain_size, seed, timings (seconds per phase) and
        unsafe: True.

    Raises:
        OSError: the file cannot be written.
        ValueError: the constraint system contradicts itself or is too large (2^27 rows).
    """

def prove(circuit: object, key: ProvingKey, witness: object, progress: Progress | None = None) -> Proof:
    """Prove that a witness satisfies a circuit. The proof is verified before it is returned.

    Args:
        circuit: the `Circuit`, `Block` or `System` that the key was made for.
        witness: its `Witness`.

    Raises:
        ValueError: the three do not belong together, or a constraint is not satisfied (the text numbers the first).
    """

def prove_zkey(
    zkey_path: str | PathLike[str], wtns_path: str | PathLike[str], progress: Progress | None = None
) -> Proof:
    """Prove with any circom Groth16 key that has coefficients, as `snarkjs groth16 prove` does.

    Raises:
        OSError: a file cannot be read.
        ValueError: the key has no coefficients, a file is malformed, or the witness does not satisfy the circuit.
    """

def verify(verification_key: dict[str, Any], proof: dict[str, Any], public: Sequence[int]) -> bool:
    """Whether a proof holds. False is only for well-formed proofs whose pairing check fails.

    Raises:
        ValueError: a public input >= r or their number is wrong; a coordinate >= q; a point at infinity, off the curve
            or outside the subgroup; a key with gamma = delta or delta = the generator, whose proofs mean nothing.
    """

def check_key(zkey_path: str | PathLike[str], known_seeds: Sequence[str] = ()) -> dict[str, Any]:
    """Tell whether a key may be deployed.

    Returns:
        development: whether it is known to be a development key, by its mark or because its alpha comes from its marked
        seed or one of `known_seeds`; seed: which, or None.

    Raises:
        ValueError: gamma = delta or delta = the generator: phase 2 was skipped.
    """

# --- keys from powers of tau (native/src/py/ceremony.rs) ---

@final
class PowersOfTau:
    """A `.ptau` file over BN254, mapped into memory; prepared for phase 2 or not.

    Opening checks all points and that they are powers of one tau, alpha and beta, and that each contribution follows
    the one before. 2^20 rows take minutes.

    Raises:
        OSError: the file cannot be read.
        ValueError: it is malformed, of another curve, or not what a ceremony leaves; the section is named.
    """

    def __new__(cls, path: str | PathLike[str], progress: Progress | None = None) -> PowersOfTau: ...
    @property
    def power(self) -> int:
        """For circuits of up to 2^power rows."""
    @property
    def ceremony_power(self) -> int:
        """Of the ceremony, of whose file this may be the beginning."""
    @property
    def prepared(self) -> bool:
        """Whether the Lagrange forms are there."""
    @property
    def contributions(self) -> list[dict[str, Any]]:
        """name, hash (of the response, 128 hexadecimal digits) and is_beacon of each."""
    def check_prepared(self, progress: Progress | None = None) -> None:
        """Check all Lagrange forms against the powers; nothing to do if there are none.

        Raises:
            ValueError: one is wrong; section and rows are named.
        """
    def new_key(self, circuit: object, zkey_path: str | PathLike[str], progress: Progress | None = None) -> str:
        """Write a circuit's first key, the same bytes as `snarkjs groth16 setup`, and return its circuit hash.

        Args:
            circuit: a path of a `.r1cs`, or a `Circuit`, `Block` or `System`.

        Raises:
            OSError: a file cannot be read or written.
            ValueError: the circuit is malformed or too large, or a Lagrange form that it needs is wrong.
        """
    def verify_key(
        self,
        circuit: object,
        zkey_path: str | PathLike[str],
        scratch_path: str | PathLike[str],
        progress: Progress | None = None,
    ) -> dict[str, Any]:
        """Check a key as `snarkjs zkey verify` does, and more: random factors of 128 bits, every point in its group.

        Args:
            circuit: as for `new_key`.
            scratch_path: where the first key is made again for comparison; removed afterwards.

        Returns:
            as `read_contributions`.

        Raises:
            ValueError: the key is not what its contributions leave of the circuit's first key, or there are none.
        """

def contribute(
    old_path: str | PathLike[str],
    new_path: str | PathLike[str],
    name: str,
    entropy: bytes,
    progress: Progress | None = None,
) -> str:
    """Write a key with one contribution more and return its hash. The secret comes from the system and `entropy`.

    Raises:
        OSError: a file cannot be read or written.
        ValueError: the key is malformed or a development key, or the name is above 64 bytes.
    """

def contribute_beacon(
    old_path: str | PathLike[str],
    new_path: str | PathLike[str],
    name: str,
    value: bytes,
    log2_iterations: int,
    progress: Progress | None = None,
) -> str:
    """The same with the secret from a public value hashed 2^log2_iterations times: the same bytes as snarkjs's.

    Raises:
        ValueError: also for a value of not 1 to 255 bytes, or iterations of not 2^10 to 2^40.
    """

def read_contributions(zkey_path: str | PathLike[str]) -> dict[str, Any]:
    """The contributions of a key, checked against each other and the key's delta in G1, but not the rest of the key.

    Returns:
        circuit: the circuit hash; contributions: name, hash, beacon (hexadecimal or None) and beacon_log2_iterations
        of each. Hashes have 128 hexadecimal digits.

    Raises:
        ValueError: there are none, they do not follow from each other, or the key is malformed.
    """
