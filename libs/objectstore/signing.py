"""Turns a service account without a key file (Cloud Run) into one that signs, by asking IAM's signBlob."""

from typing import Any, cast

import google.auth
from google.auth import credentials, iam
from google.auth.transport import Request
from google.auth.transport.requests import Request as GoogleRequest

_SCOPE = "https://www.googleapis.com/auth/cloud-platform"


class RemoteSigning(credentials.Signing):
    """Signs as the service account that ``source`` (the platform's own credentials) belongs to.

    The account needs ``roles/iam.serviceAccountTokenCreator`` on itself. ``transport`` carries the requests. Blocking.
    """

    def __init__(self, source: credentials.Credentials, transport: Request) -> None:
        self._source = source
        self._transport = transport

    def sign_bytes(self, message: bytes) -> bytes:
        """The RSA-SHA256 signature. Raises ``google.auth.exceptions.TransportError`` when IAM refuses."""
        return self.signer.sign(message)

    @property
    def signer_email(self) -> str:
        """The account's address; asked of the platform at the first use."""
        if self._email() in (None, "default"):
            cast("Any", self._source).refresh(self._transport)
        return cast("str", self._email())

    @property
    def signer(self) -> iam.Signer:
        """The signer itself."""
        return iam.Signer(self._transport, self._source, self.signer_email)

    def _email(self) -> str | None:
        return getattr(self._source, "service_account_email", None)


def remote_signing() -> RemoteSigning:
    """For the account this process runs as. Raises ``google.auth.exceptions.DefaultCredentialsError`` without one."""
    source, _ = google.auth.default(scopes=[_SCOPE])
    return RemoteSigning(source, GoogleRequest())
