"""``make_signing_key.py FILE``: a service account's key for signing links on one machine; made once."""

import json
import secrets
import sys
from pathlib import Path

from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import rsa


def account() -> dict[str, str]:
    """What Google's clients read from a key file. No such account exists: it signs, and never asks for a token."""
    key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
    pem = key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    return {
        "type": "service_account",
        "project_id": "mmsearch-local",
        "private_key_id": secrets.token_hex(20),
        "private_key": pem.decode(),
        "client_email": "compose@mmsearch-local.iam.gserviceaccount.com",
        "client_id": "000000000000000000001",
        "token_uri": "http://127.0.0.1:9/token",
    }


def main() -> int:
    """The command line."""
    path = Path(sys.argv[1])
    if not path.exists():
        path.write_text(json.dumps(account(), indent=2))
        path.chmod(0o444)  # the volume is seen by the services alone, which run as another user than this job
    return 0


if __name__ == "__main__":
    sys.exit(main())
