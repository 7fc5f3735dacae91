"""Certificates: made so that they can be used, and refused by name when they cannot."""

import shutil
import stat
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from click.testing import CliRunner
from cryptography import x509

from rollup.cli.prover import prover as command
from rollup.proving.certificates import make_certificates, tls_of
from rollup.proving.errors import CertificateUnusable, SchedulerUnusable
from rollup.proving.pool import check_address, open_pool


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("made") / "tls"
    make_certificates(folder, days=30, hosts=["prover.example", "10.0.0.7"])
    return folder


@pytest.fixture
def folder(made: Path, tmp_path: Path) -> Path:
    return Path(shutil.copytree(made, tmp_path / "tls"))


def test_certificates_keys_are_the_owners_alone_and_each_serves_both_sides(made: Path) -> None:
    assert sorted(path.name for path in made.iterdir()) == sorted(
        f"{name}.{kind}" for name in ("ca", "scheduler", "node", "worker") for kind in ("crt", "key")
    )
    assert {stat.S_IMODE(path.stat().st_mode) for path in made.glob("*.key")} == {0o600}
    assert stat.S_IMODE(made.stat().st_mode) == 0o700
    certificate = x509.load_pem_x509_certificate((made / "worker.crt").read_bytes())
    names = certificate.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    assert "prover.example" in names.get_values_for_type(x509.DNSName)
    assert "10.0.0.7" in [str(each) for each in names.get_values_for_type(x509.IPAddress)]
    usage = certificate.extensions.get_extension_for_class(x509.ExtendedKeyUsage).value
    assert len(list(usage)) == 2
    assert not certificate.extensions.get_extension_for_class(x509.BasicConstraints).value.ca
    ends = tls_of(made, "worker").check()
    assert timedelta(days=29) < ends - datetime.now(UTC) <= timedelta(days=30)


def test_check_key_others_can_read_is_refused(folder: Path) -> None:
    (folder / "node.key").chmod(0o640)
    with pytest.raises(CertificateUnusable, match=r"node\.key: its permissions are 640: others can read it"):
        tls_of(folder, "node").check()


def test_check_certificate_of_another_authority_is_refused(folder: Path, tmp_path: Path) -> None:
    make_certificates(tmp_path / "other", ["node"])
    shutil.copy(tmp_path / "other" / "node.crt", folder / "node.crt")
    with pytest.raises(CertificateUnusable, match=r"node\.crt: it is not of the authority"):
        tls_of(folder, "node").check()


def test_check_key_of_another_certificate_is_refused(folder: Path) -> None:
    shutil.copy(folder / "worker.key", folder / "node.key")
    with pytest.raises(CertificateUnusable, match=r"node\.key: it is not the key of"):
        tls_of(folder, "node").check()


def test_check_expired_certificate_is_refused(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    class Later(datetime):
        @classmethod
        def now(cls, tz: object = None) -> datetime:
            return datetime.now(UTC) + timedelta(days=31)

    monkeypatch.setattr("rollup.proving.tls.datetime", Later)
    with pytest.raises(CertificateUnusable, match=r"node\.crt: it is valid from .* to .*, and now is"):
        tls_of(folder, "node").check()


@pytest.mark.parametrize(
    ("name", "content", "reason"),
    [
        ("node.crt", b"", "no certificate in PEM"),
        ("node.crt", None, "No such file"),
        ("node.key", None, "No such file"),
    ],
)
def test_check_file_that_cannot_be_read_is_refused(folder: Path, name: str, content: bytes | None, reason: str) -> None:
    (folder / name).unlink()
    if content is not None:
        (folder / name).write_bytes(content)
    with pytest.raises(CertificateUnusable, match=reason):
        tls_of(folder, "node").check()


def test_make_certificates_authoritys_key_lost_or_another_is_refused(folder: Path) -> None:
    shutil.copy(folder / "worker.key", folder / "ca.key")
    with pytest.raises(CertificateUnusable, match=r"ca\.key: it is not the authority's key"):
        make_certificates(folder, ["more"])
    (folder / "ca.key").unlink()
    with pytest.raises(CertificateUnusable, match=r"ca\.key: No such file"):
        make_certificates(folder, ["more"])


@pytest.mark.parametrize(
    "address", ["tcp://host:1", "tls://host", "host:1", "tls://:1", "tls://h:1/x", "tls://h:99999"]
)
def test_open_pool_at_no_scheduler_is_refused(folder: Path, address: str) -> None:
    with pytest.raises(SchedulerUnusable, match="it is written tls://HOST:PORT"):
        open_pool(address, tls_of(folder, "node"))
    assert check_address("tls://host:8786") == ("host", 8786)


def test_certificates_command_says_what_is_there(tmp_path: Path) -> None:
    arguments = ["certificates", str(tmp_path / "tls"), "--days", "7"]
    first, second = (CliRunner().invoke(command, arguments) for _ in range(2))
    assert [first.exit_code, second.exit_code] == [0, 0]
    assert first.output.count("new, valid until") == 4
    assert second.output.count("kept, valid until") == 4
