"""Writes `receipt.json` beside this file: receipts of the first blocks of `protocol.json`, signed by a known key.

    python tests/vectors/make_receipt_vectors.py

`tests/rollup/test_core_receipt.py` holds the file fresh.
"""

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

from eth_keys.datatypes import PrivateKey

from rollup.core.constants import CHUNK_BYTES, MAX_TIMESTAMP_BEHIND_SECONDS
from rollup.core.operations import domain
from rollup.core.receipt import Receipt, receipt_to_wire
from rollup.core.streams import WORD_BYTES

HERE = Path(__file__).parent
VECTORS = HERE / "receipt.json"
PRIVATE_KEY = bytes(31) + b"\x07"


def sign(receipt: Receipt, private_key: bytes = PRIVATE_KEY) -> Receipt:
    """The receipt with a signature by this key."""
    signature = PrivateKey(private_key).sign_msg_hash(receipt.digest)
    r, s = signature.r.to_bytes(32, "big"), signature.s.to_bytes(32, "big")
    return replace(receipt, signature=r + s + bytes([27 + signature.v]))


def vectors() -> dict[str, Any]:
    """A receipt for each of some steps of the protocol's vectors: of one chunk, of three, and with a record."""
    blocks = json.loads((HERE / "protocol.json").read_text())["blocks"]
    made = []
    for block in blocks:
        header = block["header"]
        chunk_position = word_position = 0
        for number, step in enumerate(block["steps"]):
            chunks, words = (b"".join(bytes.fromhex(text[2:]) for text in step[name]) for name in ("chunks", "record"))
            if step["operation"]["op"] in ("Transfer", "TransferToAddress", "Withdraw"):
                receipt = Receipt(
                    domain=domain(header["chain_id"], int(header["rollup_address"], 16)),
                    block_number=header["block_number"],
                    chunk_position=chunk_position,
                    chunks=chunks,
                    word_position=word_position,
                    record=words,
                    operation_hash=(number + 1).to_bytes(32, "big"),
                    recipient=0xA000 + number,
                    issued_at=header["timestamp"] + number,
                    commit_by=header["timestamp"] + MAX_TIMESTAMP_BEHIND_SECONDS,
                    validator_set=bytes(31) + b"\x01",
                )
                made.append({"digest": "0x" + receipt.digest.hex(), "receipt": receipt_to_wire(sign(receipt))})
            chunk_position += len(chunks) // CHUNK_BYTES
            word_position += len(words) // WORD_BYTES
    return {"private_key": "0x" + PRIVATE_KEY.hex(), "receipts": made}


if __name__ == "__main__":
    VECTORS.write_text(json.dumps(vectors(), indent=1) + "\n")
