"""The manifest is read back as it was written, and nothing else is taken for one."""

from pathlib import Path

import pytest

from rollup.l1.errors import ManifestInvalid
from rollup.l1.manifest import DeployedContract, DeployedExitKey, DeployedKey, DeployedToken, Manifest, load_manifest


def example() -> Manifest:
    return Manifest(
        chain_id=31337,
        l1_genesis="0xaa",
        deployer="0xbb",
        queue_fee_gwei=5,
        contracts={"Rollup": DeployedContract("0xcc", 7, 20_000)},
        sending={"name": "Rollup", "address": "0xcc", "l1_block": 7},
        genesis={"hash": "0xdd"},
        keys=[DeployedKey(37, 1_000_000, "development (unsafe)", "0xee"), DeployedKey(8, 250_000, "ceremony", "0xff")],
        exit_key=DeployedExitKey(20_000, "ceremony", "0x11"),
        tokens=[DeployedToken(0, "ETH", 18, "0x00", 1)],
        validators=["0xbb"],
    )


def test_save_load_manifest_round_trips(tmp_path: Path) -> None:
    example().save(tmp_path / "deep" / "manifest.json")
    loaded = load_manifest(tmp_path / "deep" / "manifest.json")
    assert loaded == example()
    assert (loaded.rollup, loaded.deployed_at) == ("0xcc", 7)
    assert loaded.block_sizes == [8, 37]
    assert loaded.fee_tokens == tuple(range(8))
    assert [path.name for path in (tmp_path / "deep").iterdir()] == ["manifest.json"]


@pytest.mark.parametrize("text", ["", "[]", "{}", '{"format": 1}', '{"format": 2, "block_sizes": []}'])
def test_load_manifest_other_file_is_refused(tmp_path: Path, text: str) -> None:
    (tmp_path / "m.json").write_text(text)
    with pytest.raises(ManifestInvalid, match="deploy again"):
        load_manifest(tmp_path / "m.json")


def test_load_manifest_missing_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ManifestInvalid, match="No such file"):
        load_manifest(tmp_path / "m.json")
