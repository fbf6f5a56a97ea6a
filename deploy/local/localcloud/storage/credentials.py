"""A data directory into the key that signs URLs (a service account file any Google client accepts) and the
self-signed certificate of the TLS port, both made at first start."""

import ipaddress
import json
import os
import secrets
from datetime import UTC, datetime, timedelta
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.x509.oid import NameOID

from localcloud.storage.signing import Signer

SERVICE_ACCOUNT_FILE = "service-account.json"
_EMAIL = "local-signer@mmsearch-local.iam.gserviceaccount.com"


def ensure_signer(directory: Path) -> Signer:
    """The account of ``service-account.json``, generated with mode 0600 when the file is not there."""
    path = directory / SERVICE_ACCOUNT_FILE
    if not path.exists():
        _write_private(path, json.dumps(_new_account(), indent=2).encode())
    account = json.loads(path.read_text())
    key = serialization.load_pem_private_key(account["private_key"].encode(), password=None)
    if not isinstance(key, rsa.RSAPrivateKey):
        raise TypeError(f"{path} holds no RSA key")
    return Signer(account["client_email"], key.public_key())


def ensure_certificate(directory: Path) -> tuple[Path, Path]:
    """Paths of the certificate and its key for 127.0.0.1 and localhost, generated when not there."""
    certificate, key = directory / "tls-certificate.pem", directory / "tls-key.pem"
    if not (certificate.exists() and key.exists()):
        private = rsa.generate_private_key(public_exponent=65537, key_size=2048)
        _write_private(key, _pem(private))
        _write_private(certificate, _self_signed(private).public_bytes(serialization.Encoding.PEM))
    return certificate, key


def _new_account() -> dict[str, str]:
    private = rsa.generate_private_key(public_exponent=65537, key_size=2048)
    return {
        "type": "service_account",
        "project_id": "mmsearch-local",
        "private_key_id": secrets.token_hex(20),
        "private_key": _pem(private).decode(),
        "client_email": _EMAIL,
        "client_id": "000000000000000000001",
        # Nothing listens there: this account signs, it never asks anybody for a token.
        "token_uri": "http://127.0.0.1:9/token",
    }


def _pem(key: rsa.RSAPrivateKey) -> bytes:
    return key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )


def _self_signed(key: rsa.RSAPrivateKey) -> x509.Certificate:
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "localhost")])
    addresses = [x509.IPAddress(ipaddress.ip_address(text)) for text in ("127.0.0.1", "::1")]
    now = datetime.now(UTC)
    return (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(days=1))
        .not_valid_after(now + timedelta(days=3650))
        .add_extension(x509.SubjectAlternativeName([x509.DNSName("localhost"), *addresses]), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .sign(key, hashes.SHA256())
    )


def _write_private(path: Path, data: bytes) -> None:
    """Write so that a crash leaves the whole file or none, readable by the owner only."""
    partial = path.with_suffix(".partial")
    partial.unlink(missing_ok=True)
    descriptor = os.open(partial, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(descriptor, "wb") as file:
        file.write(data)
        file.flush()
        os.fsync(file.fileno())
    partial.replace(path)
