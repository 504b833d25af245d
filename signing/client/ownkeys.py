# SPDX-License-Identifier: Apache-2.0
"""Has outputs signed by a key of the caller's own, which signs what was read and nothing else.

1. The registry says the statement; it must be the claim that was asked for, and no more.
2. The key signs it.
3. The registry takes the signature, with the certificate that it gave this key before; where there
   is none, or that is used no more, another is asked for by a request that the key signs (PKCS#10).

Each step may be repeated: the same output is asked for under the same key, and taken once.
"""

from __future__ import annotations

import threading
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding

from .. import canonical, certificates, envelope
from ..canonical import Obj
from ..certificates import Chain
from ..digests import as_id, sha256
from ..durable import PRIVATE_FOLDER_MODE, write_file
from ..errors import BrokenLink, InvalidDocument
from ..keys import Signer, spki
from ..paths import parse_pem
from ..statements import Origin, OutputClaim, Statement
from .errors import ClientError
from .registry import RegistryClient

CERTIFICATES = "/api/v1/outputs/certificates"
STATEMENTS = "/api/v1/outputs/statements"
OWN = "/api/v1/outputs/own"
SUBJECT = "a key for outputs"  # for people only: the registry writes whom the certificate names
MAX_CHAIN_CHARACTERS = 16 * 1024
# What a registry says of a certificate that another one may take the place of.
STALE = frozenset({"certificate-of-another", "certificate-unusable", "certificate-revoked"})
TAKEN = "output-taken"


@dataclass(frozen=True, slots=True, kw_only=True)
class OwnKey:
    """A key, and the folder in which its certificates are kept until they end.

    Of several threads one at a time has the key: a token has one session.
    """

    key: Signer
    folder: Path
    _lock: threading.Lock = field(default_factory=threading.Lock, repr=False)

    @property
    def sha256(self) -> str:
        """By which verifiers know the key: of its SubjectPublicKeyInfo."""
        return sha256(spki(self.key.public_key))

    def signed(
        self, client: RegistryClient, asked: Mapping[str, object], *, idempotency_key: str
    ) -> Obj:
        """The registry's answer about the output that these words ask for, as of `sign`.

        `asked` has checkpoint, media type and digests, and perhaps an output's id. Raises
        BrokenLink for another statement, ClientError, KeyUnusable, or OSError.
        """
        stated = _answer(client.post_json(STATEMENTS, asked, idempotency_key=idempotency_key))
        payload = canonical.base64_bytes(stated, "statement")
        output = canonical.text(stated, "output")
        _check(payload, asked, output)  # 1
        with self._lock:
            signature = envelope.sign(payload, self.key).signature  # 2
        sent = {**asked, "output": output, "signature": canonical.base64_text(signature)}
        try:
            return self._sent(client, sent)  # 3
        except ClientError as error:
            if error.problem != TAKEN:  # by a certificate of this key that is not kept any more
                raise
        return _answer(client.get_json(f"/api/v1/outputs/{output}"))

    def _sent(self, client: RegistryClient, sent: Mapping[str, object]) -> Obj:
        place = self._place(client, canonical.text(sent, "checkpoint"))
        kept = self._kept(place)
        if kept is not None:
            try:
                return _answer(client.post_json(OWN, {**sent, "chain": kept}))
            except ClientError as error:
                if error.problem not in STALE:
                    raise
        chain = self._certified(client, canonical.text(sent, "checkpoint"), place)
        return _answer(client.post_json(OWN, {**sent, "chain": chain}))

    def _certified(self, client: RegistryClient, checkpoint: str, place: Path) -> str:
        with self._lock:
            der = certificates.request(self.key, subject=SUBJECT)
        csr = x509.load_der_x509_csr(der).public_bytes(Encoding.PEM).decode()
        asked = {"csr": csr, "checkpoint": checkpoint}
        found = _answer(client.post_json(CERTIFICATES, asked))
        chain = canonical.text(found, "chain", max_characters=MAX_CHAIN_CHARACTERS)
        if _parsed(chain).public_key != self.key.public_key:
            raise BrokenLink("expected a certificate for your key, found one for another")
        self.folder.mkdir(mode=PRIVATE_FOLDER_MODE, parents=True, exist_ok=True)
        write_file(place, chain.encode())
        return chain

    def _kept(self, place: Path) -> str | None:
        """What is no certificate is asked for again; whether it is good, the registry says."""
        try:
            chain = place.read_text("ascii")
            _parsed(chain)
        except (FileNotFoundError, UnicodeDecodeError, InvalidDocument):
            return None
        return chain

    def _place(self, client: RegistryClient, checkpoint: str) -> Path:
        """One for each registry, key and checkpoint, whose rules the certificate is under."""
        named = f"{client.url}\n{self.sha256}\n{checkpoint}"
        return self.folder / f"{sha256(named.encode())}.pem"


def _check(payload: bytes, asked: Mapping[str, object], output: str) -> None:
    """Raise BrokenLink unless the statement claims what was asked for, as one's own word."""
    claim = OutputClaim.parse(Statement.parse(payload))
    digests: dict[str, object] = {"sha256": claim.exact_sha256}
    if claim.normalised_sha256 is not None:
        digests["normalised"] = claim.normalised_sha256
    if claim.lines is not None:
        digests["lines"] = claim.lines.to_json()
    said: dict[str, object] = {
        "output": claim.output,
        "checkpoint": as_id(claim.checkpoint_sha256),
        "media_type": claim.media_type,
        "digests": digests,
    }
    for name, expected in {"output": output, **asked}.items():
        if said.get(name) != expected:
            raise BrokenLink(
                f"{name}: expected {expected} in the statement that your key is to sign, found "
                f"{said.get(name)}: nothing was signed"
            )
    more = (claim.claim, claim.request_commitment, claim.generation)
    if more != (Origin.CALLER_ASSERTED, None, None):
        raise BrokenLink(
            f"claim: expected {Origin.CALLER_ASSERTED} and nothing more in the statement that your "
            f"key is to sign, found {claim.claim} and more: nothing was signed"
        )


def _parsed(pem: str) -> Chain:
    found = parse_pem("chain", pem.encode())
    return Chain.parse([each.public_bytes(Encoding.DER) for each in found])


def _answer(value: object) -> Obj:
    return canonical.as_mapping(value, "answer")
