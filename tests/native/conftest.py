"""Vectors that circomlibjs computed (`tests/vectors/make_crypto_vectors.mjs`)."""

import json
from pathlib import Path

import pytest

VECTORS = Path(__file__).parents[1] / "vectors"


@pytest.fixture(scope="session")
def crypto_vectors() -> dict:
    return json.loads((VECTORS / "crypto.json").read_text())
