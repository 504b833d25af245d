# SPDX-License-Identifier: Apache-2.0
"""What the words of `assay verify` demand: whose signature, who saw it, and how fresh lists are."""

from __future__ import annotations

import argparse
import re
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding

from .. import canonical, crls
from ..canonical import instant_text
from ..errors import InvalidDocument, NotWitnessed, RevocationUnknown
from ..ocspstatus import MAX_RESPONSE_BYTES
from ..tlog import MAX_POLICY_BYTES, Policy
from ..trust import Pinned
from ..verify import Requirements, newest_seen
from .errors import InputUnreadable

_PEM = re.compile(rb"-----BEGIN X509 CRL-----[A-Za-z0-9+/=\s]+-----END X509 CRL-----")


@dataclass(frozen=True, slots=True, kw_only=True)
class Demands:
    """What was demanded, whatever root judges."""

    as_of: datetime
    is_pack: bool = False
    """Instead of `as_of`, the moment that the evidence speaks for by itself."""
    is_past: bool = False
    """Whether `as_of` is a moment before now."""
    policy: Policy | None = None
    signer: str | None = None
    accepts_unknown: bool = False
    lists: tuple[bytes, ...] = ()
    answers: tuple[bytes, ...] = ()
    """Of OCSP responders."""

    def under(self, pin: Pinned, notes: Iterable[str]) -> Requirements:
        """The same with what was pinned; `notes` are the evidence's tree heads.

        Raises NotWitnessed where the evidence cannot say for which moment it speaks, and
        RevocationUnknown for a moment at which there was no such registry.
        """
        policy = self.policy
        if policy is None and pin.policy is not None:
            policy = parse_policy(pin.policy)
        as_of = self.as_of
        if self.is_pack:
            if policy is None:
                raise NotWitnessed(
                    "--pack judges at the time that witnesses saw the evidence: expected "
                    "--policy FILE or a policy pinned with assay trust add, found neither"
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
            accepts_unknown=self.accepts_unknown,
        )


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The words for it."""
    add = parser.add_argument
    add("--signer", metavar="URI", help="who must have signed it; else whoever may")
    add(
        "--policy",
        type=Path,
        metavar="FILE",
        help="which witnesses must have seen the ledger (C2SP tlog-policy); else what you pinned",
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
    moment = parser.add_mutually_exclusive_group()
    moment.add_argument(
        "--as-of",
        type=_instant,
        metavar="TIME",
        help="the moment for which it must be known who was revoked, such as "
        "2026-11-20T09:30:00Z; now, if it is not said",
    )
    moment.add_argument(
        "--pack",
        action="store_true",
        help="that moment is when the witnesses saw the newest tree head in the evidence",
    )
    add(
        "--accept-unknown-revocation",
        action="store_true",
        help="go on where nothing current says whether a certificate was revoked",
    )


def of(arguments: argparse.Namespace, *, now: datetime) -> Demands:
    """What the words say; raises InputUnreadable and InvalidDocument for the files they name."""
    now = now.replace(microsecond=0)
    as_of = arguments.as_of or now
    return Demands(
        as_of=as_of,
        is_pack=arguments.pack,
        is_past=as_of < now,
        policy=None if arguments.policy is None else read_policy(arguments.policy)[0],
        signer=arguments.signer,
        accepts_unknown=arguments.accept_unknown_revocation,
        lists=tuple(each for path in arguments.crl for each in read_lists(path)),
        answers=tuple(_read(path, most=MAX_RESPONSE_BYTES) for path in arguments.ocsp),
    )


def read_policy(path: Path) -> tuple[Policy, str]:
    """The policy in a file, and its text."""
    data = _read(path, most=MAX_POLICY_BYTES)
    with canonical.within(path.name):
        return Policy.parse(data), data.decode("latin-1")


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
    except ValueError as error:
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


def _instant(text: str) -> datetime:
    try:
        return canonical.instant({"TIME": text}, "TIME")
    except InvalidDocument as error:
        raise argparse.ArgumentTypeError(str(error)) from error
