# SPDX-License-Identifier: Apache-2.0
"""Eight numbered steps from a Sigstore bundle to who signed what, and when."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.utils import Prehashed
from cryptography.hazmat.primitives.hashes import SHA256

from .. import canonical, keys
from ..envelope import PAYLOAD_TYPE
from ..errors import (
    BadSignature,
    BadTimestamp,
    DigestMismatch,
    KeyUnusable,
    NotInLedger,
    Outcome,
    Step,
    UntrustedChain,
    VerificationError,
)
from ..paths import check_signs_code, key_of
from . import certificate, entry
from .bundle import Message, Signed, SigstoreBundle
from .certificate import Identity
from .roots import TrustedRoot, find_log

PART = "sigstore"
STATEMENT = "https://in-toto.io/Statement/v"
MAX_SUBJECTS = 10_000


@dataclass(frozen=True, slots=True, kw_only=True)
class Verification:
    """What verified."""

    identity: Identity
    at: datetime
    """The earliest time at which the signature is known to have been there."""
    content: Signed | Message
    steps: tuple[Step, ...]


@dataclass(slots=True)
class _Steps:
    """The steps so far; a step that fails is added to the error."""

    done: list[Step] = field(default_factory=list[Step])

    @contextmanager
    def step(self, code: str, title: str) -> Iterator[Callable[[str], None]]:
        said: list[str] = []
        number = len(self.done) + 1
        name = f"{PART}.{code}"
        try:
            yield said.append
        except VerificationError as error:
            error.step = Step(
                number=number,
                part=PART,
                code=name,
                title=title,
                detail=str(error),
                outcome=Outcome.FAILED,
                error=error,
            )
            error.passed = tuple(self.done)
            raise
        detail = "; ".join(said)
        passed = Outcome.PASSED
        self.done.append(
            Step(number=number, part=PART, code=name, title=title, detail=detail, outcome=passed)
        )


def verify(
    bundle: SigstoreBundle, *, root: TrustedRoot, identity: Identity, sha256: bytes = b""
) -> Verification:
    """Verify a bundle; `sha256` is the file's that a message signature is over.

    1. A trusted timestamp authority, or the log's promise, says when the signature was there.
    2. A trusted authority issued the certificate, and everything was valid at each such time.
    3. A trusted certificate log had taken the certificate in.
    4. The certificate is for signing code, and names the expected identity and issuer.
    5. The log, trusted at each such time, signed the tree head.
    6. The proof leads from the entry to that tree head.
    7. The certificate's key signed the content.
    8. The entry states this content, signature and certificate.
    """
    steps = _Steps()
    leaf, log_entry = bundle.certificate, bundle.entry
    log = find_log(root.logs, log_entry.log_id)
    with steps.step("time", "Is it known when the signature was made") as say:
        times = certificate.stamped_times(bundle.timestamps, bundle.content.signature, root)
        promised = entry.promised_at(log_entry, log)
        times += [] if promised is None else [promised]
        if not times:  # 1
            raise BadTimestamp("expected a trusted timestamp or a log's promise, found none")
        say(f"before {canonical.instant_text(min(times))}")
    with steps.step("certificate", "Did a trusted authority issue the certificate"):
        issuer = certificate.verify_chain(leaf, times, root)  # 2
    with steps.step("logged", "Is the certificate in a certificate log") as say:
        say(f"since {canonical.instant_text(certificate.verify_sct(leaf, issuer, root))}")  # 3
    with steps.step("identity", "Is it the expected identity") as say:
        check_signs_code(leaf)
        certificate.verify_identity(leaf, identity)  # 4
        say(f"{identity.name}, says {identity.issuer}")
    with steps.step("tree-head", "Did a trusted log sign the tree head"):
        if log is None or not all(log.period.covers(at) for at in times):
            raise NotInLedger("expected a log that is trusted then, found another")
        entry.verify_head(log_entry.proof, log)  # 5
    with steps.step("entry", "Is the entry in the log") as say:
        entry.verify_inclusion(log_entry)  # 6
        say(f"entry {log_entry.proof.index} of {log_entry.proof.size}")
    with steps.step("signature", "Did this certificate's key sign the content"):
        _verify_signature(bundle, sha256)  # 7
    with steps.step("body", "Does the entry state this signature"):
        entry.verify_body(log_entry, bundle.content, leaf, sha256)  # 8
    return Verification(
        identity=identity, at=min(times), content=bundle.content, steps=tuple(steps.done)
    )


def check_subject(content: Signed, sha256: str) -> None:
    """Raise `DigestMismatch` unless an in-toto statement is about the file with this digest."""
    if content.payload_type != PAYLOAD_TYPE:
        raise DigestMismatch(f"expected a payload of type {PAYLOAD_TYPE}, found another")
    value = canonical.loads(content.payload, has_fractions=True)
    obj = canonical.as_mapping(value, "statement")
    if not canonical.text(obj, "_type").startswith(STATEMENT):
        raise DigestMismatch("expected an in-toto statement, found another document")
    subjects = canonical.items(obj, "subject", maximum=MAX_SUBJECTS)
    found = [canonical.as_mapping(value, "subject") for value in subjects]
    digests = [canonical.mapping(each, "digest").get("sha256") for each in found]
    if sha256 not in digests:
        raise DigestMismatch(f"expected a statement about sha256:{sha256}, found others")


def _verify_signature(bundle: SigstoreBundle, sha256: bytes) -> None:
    key = key_of(bundle.certificate)
    try:
        keys.curve_of(key)
    except KeyUnusable as error:
        raise UntrustedChain(str(error)) from error
    match bundle.content:
        case Signed() as signed if isinstance(key, keys.PublicKey):
            keys.verify(key, signed.signature, signed.pae())
        case Message() as message if isinstance(key, ec.EllipticCurvePublicKey):
            _verify_message(message, key, sha256)
        case _:
            raise UntrustedChain("expected an ECDSA key for the signature of a file")


def _verify_message(message: Message, key: ec.EllipticCurvePublicKey, sha256: bytes) -> None:
    if not sha256 or message.digest not in {None, sha256}:
        raise DigestMismatch("expected a signature over this file, found one over another")
    try:
        key.verify(message.signature, sha256, ec.ECDSA(Prehashed(SHA256())))
    except InvalidSignature as error:
        raise BadSignature("expected a signature over this file's SHA-256") from error
