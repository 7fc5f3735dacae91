"""An authority of the prover cluster's own, and a certificate for each of its machines."""

import ipaddress
import os
import socket
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Final

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

from rollup.proving.errors import CertificateUnusable
from rollup.proving.tls import Tls

CA: Final = "ca"
DEFAULT_NAMES: Final = ("scheduler", "node", "worker")
DEFAULT_DAYS: Final = 365
CA_DAYS: Final = 3650
OWNER_ONLY: Final = 0o600
BACKDATED: Final = timedelta(hours=1)
"""Clocks differ."""


@dataclass(frozen=True, slots=True)
class Made:
    """One pair that was made, or was there already."""

    name: str
    certificate: Path
    ends: datetime
    is_new: bool


def make_certificates(
    folder: Path, names: Sequence[str] = DEFAULT_NAMES, days: int = DEFAULT_DAYS, hosts: Sequence[str] = ()
) -> list[Made]:
    """Make an authority in a folder, if there is none, and a certificate for each name that has none.

    Args:
        folder: Gets NAME.crt and NAME.key of each, and ca.crt and ca.key. Keys can be read by their owner alone.
        days: How long a certificate is valid; the authority is for ten years.
        hosts: Names and IP addresses that stand in new certificates, beside this machine's. Dask does not compare them:
            it is the authority that counts.

    Returns: The authority and the names, in order.
    Raises: CertificateUnusable: what is there cannot be used, or the folder cannot be written.
    """
    try:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        ca, ca_key, made = _authority(folder)
        return [made, *(_pair(folder, name, days, hosts, ca, ca_key) for name in names)]
    except OSError as error:
        raise CertificateUnusable(str(error.filename or folder), str(error.strerror)) from error


def tls_of(folder: Path, name: str) -> Tls:
    """The files of one name."""
    return Tls(folder / f"{CA}.crt", folder / f"{name}.crt", folder / f"{name}.key")


def _authority(folder: Path) -> tuple[x509.Certificate, ec.EllipticCurvePrivateKey, Made]:
    path, key_path = folder / f"{CA}.crt", folder / f"{CA}.key"
    if path.exists():
        return (*_read(path, key_path), Made(CA, path, _ends(path), is_new=False))
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "Sluice provers")])
    builder = _builder(name, name, key.public_key(), CA_DAYS)
    usage = x509.KeyUsage(False, False, False, False, False, True, True, False, False)
    certificate = (
        builder.add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
        .add_extension(usage, critical=True)
        .sign(key, hashes.SHA256())
    )
    _write(path, key_path, certificate, key)
    return certificate, key, Made(CA, path, certificate.not_valid_after_utc, is_new=True)


def _pair(
    folder: Path, name: str, days: int, hosts: Sequence[str], ca: x509.Certificate, ca_key: ec.EllipticCurvePrivateKey
) -> Made:
    path, key_path = folder / f"{name}.crt", folder / f"{name}.key"
    if path.exists():
        return Made(name, path, _ends(path), is_new=False)
    key = ec.generate_private_key(ec.SECP256R1())
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
    names = dict.fromkeys((socket.gethostname(), "localhost", "127.0.0.1", *hosts))
    certificate = (
        _builder(subject, ca.subject, key.public_key(), days)
        .add_extension(x509.SubjectAlternativeName([_general_name(each) for each in names]), critical=False)
        .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
        .add_extension(x509.ExtendedKeyUsage([ExtendedKeyUsageOID.CLIENT_AUTH, ExtendedKeyUsageOID.SERVER_AUTH]), False)
        .sign(ca_key, hashes.SHA256())
    )
    _write(path, key_path, certificate, key)
    return Made(name, path, certificate.not_valid_after_utc, is_new=True)


def _builder(
    subject: x509.Name, issuer: x509.Name, key: ec.EllipticCurvePublicKey, days: int
) -> x509.CertificateBuilder:
    now = datetime.now(UTC)
    return (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(issuer)
        .public_key(key)
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - BACKDATED)
        .not_valid_after(now + timedelta(days=days))
    )


def _general_name(host: str) -> x509.GeneralName:
    try:
        return x509.IPAddress(ipaddress.ip_address(host))
    except ValueError:
        return x509.DNSName(host)


def _write(path: Path, key_path: Path, certificate: x509.Certificate, key: ec.EllipticCurvePrivateKey) -> None:
    text = key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    # Never readable by others, not even for a moment.
    with os.fdopen(os.open(key_path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, OWNER_ONLY), "wb") as file:
        os.fchmod(file.fileno(), OWNER_ONLY)
        file.write(text)
    path.write_bytes(certificate.public_bytes(serialization.Encoding.PEM))


def _read(path: Path, key_path: Path) -> tuple[x509.Certificate, ec.EllipticCurvePrivateKey]:
    try:
        key = serialization.load_pem_private_key(key_path.read_bytes(), None)
        certificate = x509.load_pem_x509_certificate(path.read_bytes())
    except ValueError as error:
        raise CertificateUnusable(str(path), f"the authority cannot be read: {error}") from error
    if not isinstance(key, ec.EllipticCurvePrivateKey) or key.public_key() != certificate.public_key():
        raise CertificateUnusable(str(key_path), "it is not the authority's key")
    return certificate, key


def _ends(path: Path) -> datetime:
    try:
        return x509.load_pem_x509_certificate(path.read_bytes()).not_valid_after_utc
    except ValueError as error:
        raise CertificateUnusable(str(path), "it is no certificate in PEM") from error
