"""EdDSA-Poseidon is circomlibjs', and refuses what the operator must refuse."""

import json
import re
import shutil
import subprocess
from pathlib import Path

import pytest
import reference_babyjub as reference

from rollup._native import (
    BASE8,
    FIELD_MODULUS,
    SUBGROUP_ORDER,
    compress_point,
    decompress_point,
    eddsa_public_key,
    eddsa_sign,
    eddsa_verify,
    eddsa_verify_many,
    is_in_subgroup,
    is_on_curve,
    poseidon,
)

ROOT = Path(__file__).parents[2]
KEY = bytes(range(32))
MESSAGE = 0x5EA1
OFF_CURVE = (1, 1)
TORSION = reference.torsion_points()
SMALL_ORDER = [point for point in TORSION if point != reference.IDENTITY]


@pytest.fixture(scope="module")
def public_key():
    return eddsa_public_key(KEY)


@pytest.fixture(scope="module")
def signature():
    return eddsa_sign(KEY, MESSAGE)


def pair(strings):
    return tuple(int(x) for x in strings)


def refused(public_key, message, signature):
    """One by one, and twice in a batch beside a valid one."""
    claim = (public_key, message, signature)
    valid = (eddsa_public_key(KEY), MESSAGE, eddsa_sign(KEY, MESSAGE))
    batch = eddsa_verify_many([claim, valid, claim])
    assert batch[1] is True
    assert batch[0] == batch[2] == eddsa_verify(*claim)
    return not batch[0]


def test_constants_equal_the_reference():
    assert (FIELD_MODULUS, SUBGROUP_ORDER) == (reference.R, reference.ORDER)
    assert reference.is_on_curve(BASE8)
    assert reference.multiply(BASE8, SUBGROUP_ORDER) == reference.IDENTITY


def test_sign_every_vector_equals_circomlibjs(crypto_vectors):
    for vector in crypto_vectors["eddsa"]:
        private_key, message = bytes.fromhex(vector["privateKey"]), int(vector["message"])
        key = pair(vector["publicKey"])
        assert eddsa_public_key(private_key) == key
        assert eddsa_sign(private_key, message) == pair(vector["signature"])
        assert compress_point(key).hex() == vector["packed"]
        assert decompress_point(bytes.fromhex(vector["packed"])) == key


def test_verify_every_vector_accepts(crypto_vectors):
    claims = [
        (pair(vector["publicKey"]), int(vector["message"]), pair(vector["signature"]))
        for vector in crypto_vectors["eddsa"]
    ]
    assert all(eddsa_verify(*claim) for claim in claims)
    assert eddsa_verify_many(claims) == [True] * len(claims)


@pytest.mark.slow
@pytest.mark.skipif(
    shutil.which("node") is None or not (ROOT / "node_modules/circomlibjs").exists(), reason="needs `npm ci`"
)
def test_sign_random_messages_circomlibjs_accepts():
    claims = []
    for i in range(10):
        private_key, message = bytes([i]) * 32, poseidon([i])
        claims.append((eddsa_public_key(private_key), message, eddsa_sign(private_key, message)))
    key, message, (x, y, s) = claims[0]
    claims.append((key, message, (x, y, (s + 1) % SUBGROUP_ORDER)))
    rows = [
        {"publicKey": [str(c) for c in key], "message": str(message), "signature": [str(c) for c in signature]}
        for key, message, signature in claims
    ]
    script = ROOT / "tests/vectors/verify_eddsa.mjs"
    result = subprocess.run(["node", script], input=json.dumps(rows), capture_output=True, text=True, check=True)
    assert json.loads(result.stdout) == [True] * 10 + [False] == eddsa_verify_many(claims)


def test_verify_other_message_or_key_refuses(public_key, signature):
    assert eddsa_verify(public_key, MESSAGE, signature)
    assert refused(public_key, MESSAGE + 1, signature)
    assert refused(eddsa_public_key(bytes(32)), MESSAGE, signature)


@pytest.mark.parametrize("shift", [-2, -1, 1, 2, 5, 2**20])
def test_verify_s_plus_multiple_of_order_refuses(public_key, signature, shift):
    x, y, s = signature
    assert refused(public_key, MESSAGE, (x, y, s + shift * SUBGROUP_ORDER))


def test_verify_negative_s_refuses(public_key, signature):
    x, y, s = signature
    for bad in (-s, -1, SUBGROUP_ORDER - s):
        assert refused(public_key, MESSAGE, (x, y, bad))


def signature_with_nonce(public_key, r, message, secret_times_8, nonce):
    h = poseidon([*r, *public_key, message])
    return (*r, (nonce + h * secret_times_8) % SUBGROUP_ORDER)


def test_verify_s_equal_to_order_refuses():
    # With the secret 0 the key is the identity, S = nonce = 0 would satisfy the equation, and so would S = order.
    # A real key: choose the nonce so that S is 0, which is valid; S = order is the same point and is not.
    secret = 12345
    public_key = reference.multiply(BASE8, secret)
    assert refused(public_key, MESSAGE, (*BASE8, SUBGROUP_ORDER))
    r = reference.IDENTITY
    valid = signature_with_nonce(public_key, r, MESSAGE, 8 * secret, 0)
    assert eddsa_verify(public_key, MESSAGE, valid)
    assert refused(public_key, MESSAGE, (*r, valid[2] + SUBGROUP_ORDER))


def test_torsion_points_equal_circomlibjs(crypto_vectors):
    assert set(TORSION) == {pair(point) for point in crypto_vectors["torsion"]}
    assert len(set(TORSION)) == 8
    assert all(is_on_curve(point) for point in TORSION)


@pytest.mark.parametrize("point", TORSION)
def test_verify_torsion_key_refuses(point, signature):
    assert refused(point, MESSAGE, signature)
    # 8 A is the identity, so for any S the point R = S * BASE8 satisfies the equation: anybody could sign.
    s = 77
    assert refused(point, MESSAGE, (*reference.multiply(BASE8, s), s))


@pytest.mark.parametrize("point", TORSION)
def test_verify_torsion_r_refuses(point, public_key, signature):
    assert refused(public_key, MESSAGE, (*point, signature[2]))


@pytest.mark.parametrize("point", SMALL_ORDER)
def test_verify_r_with_torsion_added_refuses(point, public_key, signature):
    x, y, s = signature
    assert refused(public_key, MESSAGE, (*reference.add((x, y), point), s))


@pytest.mark.parametrize("point", SMALL_ORDER)
def test_verify_torsion_r_signed_for_by_the_key_refuses(point):
    """The signer himself takes a small-order R and computes S for its hash: only a check with a cofactor accepts."""
    secret = 999
    public_key = reference.multiply(BASE8, secret)
    assert refused(public_key, MESSAGE, signature_with_nonce(public_key, point, MESSAGE, 8 * secret, 0))


@pytest.mark.parametrize("point", SMALL_ORDER)
def test_verify_key_with_torsion_added_refuses(point):
    """The equation holds, as 8 A forgets the torsion: refusing is the operator's policy."""
    secret, nonce = 4242, 31337
    mixed = reference.add(reference.multiply(BASE8, secret), point)
    r = reference.multiply(BASE8, nonce)
    forged = signature_with_nonce(mixed, r, MESSAGE, 8 * secret, nonce)
    h = poseidon([*r, *mixed, MESSAGE])
    right = reference.add(r, reference.multiply(mixed, 8 * h))
    assert reference.multiply(BASE8, forged[2]) == right
    assert refused(mixed, MESSAGE, forged)


def test_verify_zero_key_refuses(signature):
    assert refused((0, 0), MESSAGE, signature)
    assert refused((0, 0), MESSAGE, (*reference.multiply(BASE8, 5), 5))


def test_verify_off_curve_key_refuses(signature):
    assert not is_on_curve(OFF_CURVE)
    assert refused(OFF_CURVE, MESSAGE, signature)


def test_verify_off_curve_r_refuses(public_key, signature):
    x, y, s = signature
    for r in (OFF_CURVE, (0, 0), (y, x), (x, (y + 1) % FIELD_MODULUS)):
        assert refused(public_key, MESSAGE, (*r, s))


def test_verify_negated_points_refuses(public_key, signature):
    x, y, s = signature
    assert refused(public_key, MESSAGE, (FIELD_MODULUS - x, y, s))
    assert refused((FIELD_MODULUS - public_key[0], public_key[1]), MESSAGE, signature)


@pytest.mark.parametrize("value", [FIELD_MODULUS, -1, 2**256])
def test_verify_value_out_of_field_raises_value_error(value, public_key, signature):
    x, y, s = signature
    claims = {
        "public_key[0]": ((value, public_key[1]), MESSAGE, signature),
        "public_key[1]": ((public_key[0], value), MESSAGE, signature),
        "message": (public_key, value, signature),
        "signature[0]": (public_key, MESSAGE, (value, y, s)),
        "signature[1]": (public_key, MESSAGE, (x, value, s)),
    }
    for what, claim in claims.items():
        message = re.escape(f"{what} must be 0 <= value < {FIELD_MODULUS}, got {value}")
        with pytest.raises(ValueError, match=f"^{message}$"):
            eddsa_verify(*claim)
        with pytest.raises(ValueError, match=rf"^claims\[1\]: {message}$"):
            eddsa_verify_many([(public_key, MESSAGE, signature), claim])


def test_verify_many_some_forged_names_exactly_those():
    keys = [bytes([i]) * 32 for i in range(40)]
    claims = [(eddsa_public_key(key), i, eddsa_sign(key, i)) for i, key in enumerate(keys)]
    claims = claims * 10
    bad = {0, 3, 4, 255, 256, 399}
    for i in bad:
        key, message, signature = claims[i]
        claims[i] = (key, message + 1, signature)
    assert eddsa_verify_many(claims) == [i not in bad for i in range(400)]
    assert eddsa_verify_many([]) == []


def test_verify_many_errors_that_cancel_in_the_plain_sum_refuses_both(public_key):
    (x1, y1, s1), (x2, y2, s2) = (eddsa_sign(KEY, message) for message in (1, 2))
    shifted = [(public_key, 1, (x1, y1, s1 + 1)), (public_key, 2, (x2, y2, s2 - 1))]
    assert eddsa_verify_many(shifted) == [False, False]


@pytest.mark.parametrize("length", [0, 31, 33, 64])
def test_sign_private_key_of_wrong_length_raises_value_error(length):
    message = f"^private_key must be 32 bytes, got {length}$"
    with pytest.raises(ValueError, match=message):
        eddsa_public_key(bytes(length))
    with pytest.raises(ValueError, match=message):
        eddsa_sign(bytes(length), 1)


@pytest.mark.parametrize("value", [FIELD_MODULUS, -1])
def test_sign_message_out_of_field_raises_value_error(value):
    with pytest.raises(ValueError, match=re.escape(f"message must be 0 <= value < {FIELD_MODULUS}, got {value}")):
        eddsa_sign(KEY, value)


def test_is_in_subgroup_every_coset_agrees_with_multiplying_by_the_order():
    for i, torsion in enumerate(TORSION):
        point = reference.add(reference.multiply(BASE8, 1000 + i), torsion)
        assert is_on_curve(point)
        assert is_in_subgroup(point) == (torsion == reference.IDENTITY)
    for point, _ in zip(reference.curve_points(), range(20), strict=False):
        assert is_in_subgroup(point) == (reference.multiply(point, reference.ORDER) == reference.IDENTITY)


def test_is_in_subgroup_identity_and_off_curve():
    assert is_in_subgroup(reference.IDENTITY)
    assert not is_in_subgroup((0, 0))
    assert not is_in_subgroup(OFF_CURVE)


def test_is_on_curve_value_out_of_field_raises_value_error():
    with pytest.raises(ValueError, match=re.escape(f"point[1] must be 0 <= value < {FIELD_MODULUS}, got {1 - 2**9}")):
        is_on_curve((0, 1 - 2**9))
    with pytest.raises(ValueError, match=r"point\[0\]"):
        is_in_subgroup((FIELD_MODULUS, 1))


def test_decompress_non_canonical_bytes_raises_value_error(public_key):
    packed = compress_point(public_key)
    sign_of_zero = bytearray(compress_point((0, 1)))
    sign_of_zero[31] |= 0x80
    for data in (b"", packed[:31], packed + b"\0", FIELD_MODULUS.to_bytes(32, "little"), bytes(sign_of_zero)):
        with pytest.raises(ValueError, match=f"^data must be 32 bytes of a compressed point, got 0x{data.hex()}$"):
            decompress_point(data)


def test_compress_off_curve_raises_value_error():
    with pytest.raises(ValueError, match=r"^point must be on the curve, got \(1, 1\)$"):
        compress_point(OFF_CURVE)
