# SPDX-License-Identifier: Apache-2.0
"""What every other process uses of the signer: its questions over its unix socket.

Each call is a connection of its own, so that a client may be shared by threads, survives a restart
of the signer, and never holds one caller up for another's sake.
"""

from __future__ import annotations

import socket
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import TypeVar

from ..certificates import Chain, Purpose
from ..errors import InvalidDocument, SignerError
from ..intermediates import Name
from ..revocation import Revocation
from . import administration, answers
from .administration import (
    InstallRequest,
    InstallRootCrlRequest,
    IssuersRequest,
    IssuerState,
    PrepareRequest,
    StopRequest,
)
from .answers import Description, Signed
from .claims import SignClaimRequest
from .errors import BadRequest, SignerUnavailable
from .protocol import (
    LENGTH_BYTES,
    MAX_CLAIMS,
    MAX_MESSAGE_BYTES,
    AuthoritiesRequest,
    CertificateRequest,
    CertifyRequest,
    DescribeRequest,
    PrecertifyRequest,
    Request,
    SignAllRequest,
    SignHeadRequest,
    SignRequest,
    TimestampRequest,
    frame,
    request_message,
)
from .revocations import RootCrlRequest, SignCrlRequest, SignOcspRequest
from .vouchers import (
    DistributionKeyRequest,
    PrecertifyIdentityRequest,
    SignMetadataRequest,
    SignTokenRequest,
    TokenKeyRequest,
)

TIMEOUT_SECONDS = 30.0
RECEIVE_BYTES = 1 << 16

T = TypeVar("T")


class SignerClient:
    """The signer behind a socket. Every call raises SignerError: refused, or not there."""

    def __init__(self, socket_path: Path, *, timeout_seconds: float = TIMEOUT_SECONDS) -> None:
        self._path = socket_path
        self._timeout_seconds = timeout_seconds

    def describe(self) -> Description:
        """The trust root, and the ledger's high-water mark."""
        return self._ask(DescribeRequest(), answers.read_description)

    def sign(
        self,
        purpose: Purpose,
        subject: str,
        statement: bytes,
        conduct_sha256: str | None = None,
        *,
        salt: bytes | None = None,
    ) -> Signed:
        """Sign and timestamp a statement's canonical bytes in the name of a subject (a URI).

        With a salt the subject is a person, and the certificate names the pseudonym of both.
        Raises NotCertified unless the subject is certified for this, under this conduct policy.
        """
        request = SignRequest(
            purpose=purpose,
            subject=subject,
            statement=statement,
            conduct_sha256=conduct_sha256,
            salt=salt,
        )
        return self._ask(request, answers.read_signed)

    def sign_claim(self, request: SignClaimRequest) -> bytes:
        """A signature (ES256, as COSE has it) over a C2PA claim; NotCertified as of `sign`."""
        return self._ask(request, answers.read_signature)

    def sign_all(self, claims: Sequence[SignRequest]) -> list[Signed | SignerError]:
        """Sign many statements for one purpose: what came of each, in their order.

        What raises is about all of them.
        """
        found: list[Signed | SignerError] = []
        for start in range(0, len(claims), MAX_CLAIMS):
            asked = tuple(claims[start : start + MAX_CLAIMS])
            reader = partial(answers.read_signed_all, statements=[each.statement for each in asked])
            found += self._ask(SignAllRequest(claims=asked), reader)
        return found

    def timestamp(self, request: bytes) -> bytes:
        """Answer an RFC 3161 query: TimeStampReq to TimeStampResp, both DER."""
        return self._ask(TimestampRequest(request=request), answers.read_timestamp)

    def precertify(self, request: PrecertifyRequest) -> bytes:
        """A precertificate (DER), whose entry the ledger must hold before it is certified."""
        return self._ask(request, answers.read_precertificate)

    def certify(self, request: CertifyRequest) -> Chain:
        """The certificate that a precertificate announced; NotIncluded unless it is logged."""
        return self._ask(request, answers.read_chain)

    def certificate(self, request: CertificateRequest) -> bytes | None:
        """The certificate (DER) that signs for a purpose and subject now; None without one."""
        return self._ask(request, answers.read_certificate)

    def authorities(self) -> tuple[bytes, ...]:
        """The certificates that issue others (DER): the root, then the intermediates."""
        return self._ask(AuthoritiesRequest(), answers.read_authorities)

    def sign_head(self, size: int, root: bytes, consistency: Sequence[bytes]) -> str:
        """Sign the ledger's tree head. The proof leads to it from `describe().head`."""
        request = SignHeadRequest(size=size, root=root, consistency=tuple(consistency))
        return self._ask(request, answers.read_note)

    def sign_crl(self, issuer: Name, revocations: Sequence[Revocation]) -> bytes:
        """A revocation list (DER) of all that an intermediate has revoked."""
        request = SignCrlRequest(issuer=issuer, revocations=tuple(revocations))
        return self._ask(request, answers.read_crl)

    def root_crl(self) -> bytes:
        """The root's revocation list (DER), about the intermediates."""
        return self._ask(RootCrlRequest(), answers.read_crl)

    def sign_ocsp(self, request: SignOcspRequest) -> bytes:
        """An OCSPResponse (DER); BadRequest for a question that is not about this issuer's."""
        return self._ask(request, answers.read_ocsp)

    def issuers(self) -> tuple[IssuerState, ...]:
        """Every intermediate: which ones issue, and which were stopped."""
        return self._ask(IssuersRequest(), administration.read_issuers)

    def stop(self, issuer: Name) -> None:
        """Let an intermediate sign no more, until another takes its place."""
        self._ask(StopRequest(issuer=issuer), administration.read_done)

    def prepare_intermediate(self, purpose: Purpose) -> bytes:
        """The request (PKCS#10, DER) for a purpose's next intermediate; its key stays there."""
        return self._ask(PrepareRequest(purpose=purpose), administration.read_request)

    def install_intermediate(self, certificate: bytes) -> None:
        """Put the intermediate that was asked for to use, by its certificate (DER)."""
        self._ask(InstallRequest(certificate=certificate), administration.read_done)

    def install_root_crl(self, crl: bytes) -> None:
        """Have a newer list of the root's (DER) shown; what it revokes signs no more."""
        self._ask(InstallRootCrlRequest(crl=crl), administration.read_done)

    def sign_token(self, subject: str, audience: str, *, nonce: str = "") -> str:
        """An identity token about a person of this registry, good for ten minutes."""
        request = SignTokenRequest(subject=subject, audience=audience, nonce=nonce)
        return self._ask(request, answers.read_token)

    def precertify_identity(self, request: PrecertifyIdentityRequest) -> bytes:
        """A precertificate (DER) of minutes for whom an identity provider knows."""
        return self._ask(request, answers.read_precertificate)

    def sign_metadata(self, metadata: bytes) -> bytes:
        """A signature (ECDSA, DER) over TUF metadata that distributes the trust root."""
        return self._ask(SignMetadataRequest(metadata=metadata), answers.read_signature)

    def distribution_key(self) -> bytes:
        """The key (SubjectPublicKeyInfo) that such metadata verifies with."""
        return self._ask(DistributionKeyRequest(), answers.read_public_key)

    def token_key(self) -> Mapping[str, str]:
        """The key (a JWK) that this registry's identity tokens verify with."""
        return self._ask(TokenKeyRequest(), answers.read_token_key)

    def _ask(self, request: Request, reader: Callable[[Mapping[str, object]], T]) -> T:
        message = self._exchange(request_message(request))
        try:
            return reader(answers.read(message))
        except InvalidDocument as error:
            raise SignerUnavailable(f"the signer's answer is malformed: {error}") from error

    def _exchange(self, message: bytes) -> bytes:
        if len(message) > MAX_MESSAGE_BYTES:
            raise BadRequest(f"expected at most {MAX_MESSAGE_BYTES} bytes, found {len(message)}")
        try:
            with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as connection:
                connection.settimeout(self._timeout_seconds)
                connection.connect(str(self._path))
                connection.sendall(frame(message))
                length = int.from_bytes(_receive(connection, LENGTH_BYTES), "big")
                if length > MAX_MESSAGE_BYTES:
                    raise SignerUnavailable(f"the signer announced an answer of {length} bytes")
                return _receive(connection, length)
        except OSError as error:
            expected = f"no signer answers on {self._path} (is the registry up?)"
            raise SignerUnavailable(f"{expected}: {error}") from error


def _receive(connection: socket.socket, size_bytes: int) -> bytes:
    received = bytearray()
    while len(received) < size_bytes:
        chunk = connection.recv(min(RECEIVE_BYTES, size_bytes - len(received)))
        if not chunk:
            raise ConnectionError("it hung up in the middle of an answer")
        received += chunk
    return bytes(received)
