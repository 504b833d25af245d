# SPDX-License-Identifier: Apache-2.0
"""What the words of `assay verify` demand: whose signature, who saw it, and how fresh lists are."""

from __future__ import annotations

import argparse
import re
from collections.abc import Iterable
from dataclasses import replace
from datetime import datetime
from functools import lru_cache
from pathlib import Path
from typing import Self

from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding

from .. import canonical, crls
from ..acceptance import AcceptanceEvidence
from ..canonical import instant_text
from ..certificates import MALFORMED
from ..digests import as_id, parse_id
from ..errors import InvalidDocument, NotWitnessed, RevocationUnknown
from ..evidence import Evidence
from ..ocspstatus import MAX_RESPONSE_BYTES
from ..pack import Pack
from ..tlog import MAX_POLICY_BYTES, Policy
from ..trust import Pinned
from ..values import dataclass
from ..verify import Requirements, newest_seen
from .errors import FingerprintMismatch, InputUnreadable

NOW, EVIDENCE = "now", "evidence"
DIGEST_PREFIX = "sha256:"
KEPT = 16  # policies, as read: each artifact is judged by one of few
_PEM = re.compile(rb"-----BEGIN X509 CRL-----[A-Za-z0-9+/=\s]+-----END X509 CRL-----")


@dataclass(frozen=True, slots=True, kw_only=True)
class Demands:
    """What was demanded, whatever root judges."""

    as_of: datetime
    is_pack: bool = False
    """Instead of `as_of`, the moment that the evidence speaks for by itself."""
    is_past: bool = False
    """Whether `as_of` is a moment before now."""
    is_said: bool = False
    """Whether any moment was named at all."""
    policy: str | None = None
    """The text of a policy file (`Pinned.policy`)."""
    policy_sha256: str | None = None
    """Instead of it, the digest of the one that comes in a pack."""
    signer: str | None = None
    signer_key: str | None = None
    """The digest of a key, in hexadecimal."""
    accepts_unknown: bool = False
    accepts_excerpt: bool = False
    lists: tuple[bytes, ...] = ()
    answers: tuple[bytes, ...] = ()
    """Of OCSP responders."""
    bases: tuple[Evidence, ...] = ()
    """Of checkpoints that runs continued from."""
    acceptances: tuple[AcceptanceEvidence, ...] = ()
    """Each has to be of somebody who signed what is verified."""
    anchors: bytes = b""
    """Of C2PA manifests (PEM)."""

    def of_pack(self, pack: Pack | None) -> Self:
        """The same for what came in a pack, or in none.

        A pack speaks for its own time, unless another is named; and the policy in it counts if its
        digest was named. Raises FingerprintMismatch where it has another.
        """
        if pack is None:
            return self
        found = replace(self, is_pack=self.is_pack or not self.is_said)
        if self.policy_sha256 is None:
            return found
        if pack.policy_sha256 != self.policy_sha256:
            other = pack.policy_sha256 and as_id(pack.policy_sha256)
            raise FingerprintMismatch(
                f"--policy: expected {as_id(self.policy_sha256)} in the pack, "
                f"found {other or 'none'}: nothing was verified"
            )
        return replace(found, policy=pack.policy, policy_sha256=None)

    def policy_under(self, pin: Pinned) -> str | None:
        """Which policy counts under a pin: what was named here, or else what was pinned."""
        return pin.policy if self.policy is None else self.policy

    def under(self, pin: Pinned, notes: Iterable[str]) -> Requirements:
        """The same with what was pinned; `notes` are the evidence's tree heads.

        Raises NotWitnessed where the evidence cannot say for which moment it speaks, and
        RevocationUnknown for a moment at which there was no such registry.
        """
        if self.policy_sha256 is not None:
            raise InvalidDocument("--policy", "a file; only a pack's is named by a digest", "that")
        text = self.policy_under(pin)
        policy = None if text is None else parse_policy(text)
        as_of = self.as_of
        if self.is_pack:
            if policy is None:
                raise NotWitnessed(
                    "evidence is judged at the time that witnesses saw it: expected "
                    "--policy FILE or a policy pinned with assay trust add, found neither. "
                    "A pack's own policy is named by its digest, --policy sha256:…; "
                    "without witnesses: --as-of now"
                )
            as_of = newest_seen(notes, trust=pin.root, policy=policy)
        founded_at = pin.root.root.not_valid_before_utc
        if self.is_past and as_of < founded_at:
            raise RevocationUnknown(
                f"expected a moment since the root of {pin.root.registry} was made "
                f"({instant_text(founded_at)}), found {instant_text(as_of)}: of what was before, "
                "nothing says who was revoked"
            )
        return Requirements(
            as_of=as_of,
            policy=policy,
            signer=self.signer,
            signer_key=self.signer_key,
            accepts_unknown=self.accepts_unknown,
            accepts_excerpt=self.accepts_excerpt,
        )


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The words for it."""
    add = parser.add_argument
    add("--signer", metavar="URI", help="who must have signed it; else whoever may")
    about = "with which key: the digest of its SubjectPublicKeyInfo, for one that a caller holds"
    add("--signer-key", metavar="sha256:…", help=about)
    add(
        "--policy",
        type=Path,
        metavar="FILE",
        help="which witnesses must have seen the ledger (C2SP tlog-policy); else what you pinned. "
        "Of an evidence pack also sha256:…, which names the policy in it",
    )
    add(
        "--crl",
        type=Path,
        action="append",
        default=[],
        metavar="FILE",
        help="revocation lists, in DER or PEM, besides those of the evidence; may be repeated",
    )
    add(
        "--ocsp",
        type=Path,
        action="append",
        default=[],
        metavar="FILE",
        help="an OCSP answer in DER, as `openssl ocsp -respout FILE` writes it; may be repeated",
    )
    add(
        "--as-of",
        type=_moment,
        metavar="TIME",
        help="the moment for which it must be known who was revoked: such as "
        "2026-11-20T09:30:00Z; `now`, as if nothing is said; or `evidence`, when the witnesses "
        "saw the newest tree head in it, as an evidence pack is judged if nothing is said",
    )
    add(
        "--accept-unknown-revocation",
        action="store_true",
        help="go on where nothing current says whether a certificate was revoked",
    )


def of(arguments: argparse.Namespace, *, now: datetime) -> Demands:
    """What the words say; raises InputUnreadable and InvalidDocument for the files they name."""
    now = now.replace(microsecond=0)
    said, policy = arguments.as_of, arguments.policy
    named = policy is not None and str(policy).startswith(DIGEST_PREFIX)
    as_of = said if isinstance(said, datetime) else now
    return Demands(
        as_of=as_of,
        is_pack=said == EVIDENCE,
        is_past=as_of < now,
        is_said=said is not None,
        policy=None if policy is None or named else read_policy(policy)[1],
        policy_sha256=parse_id(str(policy)) if named else None,
        signer=arguments.signer,
        signer_key=_digest(arguments.signer_key),
        accepts_unknown=arguments.accept_unknown_revocation,
        lists=tuple(each for path in arguments.crl for each in read_lists(path)),
        answers=tuple(_read(path, most=MAX_RESPONSE_BYTES) for path in arguments.ocsp),
    )


def _digest(named: str | None) -> str | None:
    return None if named is None else parse_id(named, "--signer-key")


def read_policy(path: Path) -> tuple[Policy, str]:
    """The policy in a file, and its text."""
    data = _read(path, most=MAX_POLICY_BYTES)
    with canonical.within(path.name):
        return Policy.parse(data), data.decode("latin-1")


@lru_cache(KEPT)
def parse_policy(text: str) -> Policy:
    """The policy that a pin keeps as text, a character for each byte of its file."""
    return Policy.parse(text.encode("latin-1", errors="replace"))


def read_lists(path: Path) -> tuple[bytes, ...]:
    """The revocation lists in a file: one in DER, or some in PEM."""
    return lists_in(_read(path, most=crls.MAX_BYTES), name=path.name)


def lists_in(data: bytes, *, name: str) -> tuple[bytes, ...]:
    """The same of what was read."""
    try:
        return tuple(_der(block) for block in _PEM.findall(data)) or (data,)
    except MALFORMED as error:
        raise InvalidDocument(name, "revocation lists in PEM", "other bytes") from error


def _der(block: bytes) -> bytes:
    return x509.load_pem_x509_crl(block).public_bytes(Encoding.DER)


def _read(path: Path, *, most: int) -> bytes:
    """A file's bytes, and one more than it may have if it has more."""
    try:
        with path.open("rb") as file:
            return file.read(most + 1)
    except (OSError, ValueError) as error:
        reason = getattr(error, "strerror", None) or str(error)
        raise InputUnreadable(f"{path}: {reason}") from error


def _moment(text: str) -> datetime | str:
    if text in {NOW, EVIDENCE}:
        return text
    try:
        return canonical.instant({"TIME": text}, "TIME")
    except InvalidDocument as error:
        raise argparse.ArgumentTypeError(str(error)) from error
