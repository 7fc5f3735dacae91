"""The certificate one party shows the others, and the authority all of them know."""

import ssl
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final

from cryptography import x509
from cryptography.exceptions import InvalidSignature

from rollup.proving.errors import CertificateUnusable

OTHERS: Final = 0o077
"""Permissions that nobody but the owner of a private key may have."""


@dataclass(frozen=True, slots=True)
class Tls:
    """Files in PEM.

    Args:
        ca: The authority's certificate. Who shows one that it signed is trusted; nobody else gets through.
        certificate, key: Ours.
    """

    ca: Path
    certificate: Path
    key: Path

    def check(self) -> datetime:
        """See that the files can be used now, before anything is connected.

        Returns: When the certificate ends.
        Raises: CertificateUnusable.
        """
        ca, ours = (_load(path) for path in (self.ca, self.certificate))
        now = datetime.now(UTC)
        for path, certificate in ((self.ca, ca), (self.certificate, ours)):
            if not certificate.not_valid_before_utc <= now < certificate.not_valid_after_utc:
                until = (
                    f"from {certificate.not_valid_before_utc:%Y-%m-%d} to {certificate.not_valid_after_utc:%Y-%m-%d}"
                )
                raise CertificateUnusable(str(path), f"it is valid {until}, and now is {now:%Y-%m-%d}")
        try:
            ours.verify_directly_issued_by(ca)
        except (InvalidSignature, ValueError, TypeError) as error:
            raise CertificateUnusable(str(self.certificate), f"it is not of the authority {self.ca}") from error
        self._check_key()
        return ours.not_valid_after_utc

    def _check_key(self) -> None:
        try:
            mode = self.key.stat().st_mode
        except OSError as error:
            raise CertificateUnusable(str(self.key), str(error.strerror)) from error
        if mode & OTHERS:
            raise CertificateUnusable(
                str(self.key), f"its permissions are {mode & 0o777:o}: others can read it (chmod 600)"
            )
        try:
            ssl.create_default_context().load_cert_chain(self.certificate, self.key)
        except (ssl.SSLError, OSError) as error:
            raise CertificateUnusable(str(self.key), f"it is not the key of {self.certificate}") from error

    def security(self) -> Any:
        """What Dask takes: TLS 1.3, both sides show a certificate of this authority."""
        from distributed.security import Security

        pair = str(self.certificate), str(self.key)
        ours = {f"tls_{role}_{what}": path for role in ROLES for what, path in zip(("cert", "key"), pair, strict=True)}
        least = ssl.TLSVersion.TLSv1_3
        make: Any = Security  # its signature has no types
        return make(require_encryption=True, tls_ca_file=str(self.ca), tls_min_version=least, **ours)


ROLES: Final = ("client", "scheduler", "worker")


def _load(path: Path) -> x509.Certificate:
    try:
        return x509.load_pem_x509_certificate(path.read_bytes())
    except OSError as error:
        raise CertificateUnusable(str(path), str(error.strerror)) from error
    except ValueError as error:
        raise CertificateUnusable(str(path), "it is no certificate in PEM") from error
