# SPDX-License-Identifier: Apache-2.0
"""OCSP answers about one certificate: what each says of it, or why it is none."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import datetime, timedelta

from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.x509 import ocsp as other

from assay.signing import keys, ocsp, ocspstatus
from assay.signing.canonical import instant_text
from assay.signing.crls import Period
from assay.signing.keys import SoftwareKey
from assay.signing.ocsp import Failure, Responder
from assay.signing.revocation import Missing, NotRevoked, Reason, Revoked, Stale, Status
from tests.signing import leaves
from tests.signing.forge import Change
from tests.signing.revoking import (
    DAY,
    INVALID_FROM,
    PERIOD,
    REVOKED_AT,
    UNKNOWN,
    Case,
    Role,
    case_of,
    question,
    responder_of,
)
from tests.signing.test_ocsp import (
    GOOD,
    answer,
    by_another,
    with_another_first,
    with_unused_bits,
    without_certificate,
)
from tests.signing.test_ocsp_responders import BOTH, USAGES, answered, forged
from tests.signing.world import AT, World
from tests.vectors.mutation import b64

SECOND = timedelta(seconds=1)
BAD = "bad-revocation"
Cases = Iterator[dict[str, object]]


def answer_vectors() -> dict[str, object]:
    """A certificate, who issued it, the log's key, and answers."""
    world = World.create(at=AT)
    case = case_of(world)
    return {
        "source": "RFC 6960; docs/spec/formats.md, section 9; a throw-away authority",
        "certificate": b64(case.certificate.public_bytes(Encoding.DER)),
        "issuer": b64(case.issuer.certificate.public_bytes(Encoding.DER)),
        "log": b64(keys.spki(leaves.SOMEBODY.public_key)),
        "at": instant_text(AT),
        "accepted": list(_accepted(world, case)),
        "refused": list(_refused(case)),
    }


def status_json(status: Status) -> dict[str, str]:
    """What an answer says, as it stands in the file."""
    match status:
        case NotRevoked(said_at=said_at):
            return {"kind": "not-revoked", "said_at": instant_text(said_at)}
        case Revoked(reason=reason, revoked_at=revoked_at, invalid_from=invalid_from):
            stated = {"kind": "revoked", "reason": reason.value}
            since = {} if invalid_from is None else {"invalid_from": instant_text(invalid_from)}
            return {**stated, "revoked_at": instant_text(revoked_at), **since}
        case Stale(this_update=start, next_update=end):
            period = {"this_update": instant_text(start), "next_update": instant_text(end)}
            return {"kind": "stale", **period}
        case Missing():
            return {"kind": "missing"}


def _accepted(world: World, case: Case) -> Cases:
    own = Responder(certificate=case.issuer.certificate, key=case.issuer.key)
    revoked = Revoked(
        reason=Reason.KEY_COMPROMISE, revoked_at=REVOKED_AT, invalid_from=INVALID_FROM
    )
    short = responder_of(case.issuer)
    ends = short.certificate.not_valid_after_utc
    long = Period(this_update=AT, next_update=ends + DAY)
    table: list[tuple[str, bytes, Status, datetime]] = [
        ("good", answer(case, GOOD), GOOD, AT),
        ("good, by the issuer's own key", answer(case, GOOD, responder=own), GOOD, AT),
        ("good, by the second of two certificates", with_another_first(case), GOOD, AT),
        ("good, from after the moment", answer(case, GOOD), GOOD, AT - DAY),
        ("good, on its last second", answer(case, GOOD), GOOD, PERIOD.next_update),
        (
            "good, a second after its end",
            answer(case, GOOD),
            Stale(this_update=AT, next_update=PERIOD.next_update),
            PERIOD.next_update + SECOND,
        ),
        (
            "good for longer than who answered is certified",
            answer(case, GOOD, responder=short, period=long),
            Stale(this_update=AT, next_update=ends),
            ends + SECOND,
        ),
        *(
            (f"good, named by {name}", _named_by(case, name), GOOD, AT)
            for name in ("sha256", "sha384", "sha512")
        ),
        ("unknown", answer(case, Missing()), Missing(), AT),
        ("revoked", answer(case, case.revocation()), revoked, AT),
        (
            "revoked, and not since when",
            answer(case, case.revocation(invalid_from=None)),
            replace(revoked, invalid_from=REVOKED_AT),
            AT,
        ),
        (
            "revoked, without a reason",
            answer(case, case.revocation(reason=Reason.UNSPECIFIED)),
            replace(revoked, reason=Reason.UNSPECIFIED),
            AT,
        ),
        (
            "revoked, by another program that says not since when: always",
            by_another(case, other.OCSPCertStatus.REVOKED),
            Revoked(
                reason=Reason.UNSPECIFIED,
                revoked_at=REVOKED_AT,
                invalid_from=ocspstatus.ALWAYS,
            ),
            AT,
        ),
        (
            "about another certificate",
            answer(case_of(world, Role.INTERMEDIATE), GOOD),
            Missing(),
            AT,
        ),
        (
            "about a certificate of another issuer of the same name",
            answer(case_of(World.create(at=AT)), GOOD),
            Missing(),
            AT,
        ),
        (
            "with an unknown extension that is not critical",
            answered(case, UNKNOWN, is_critical=False),
            GOOD,
            AT,
        ),
    ]
    for name, response, status, at in table:
        found = {"name": name, "response": b64(response), "at": instant_text(at)}
        yield {**found, "status": status_json(status)}


def _named_by(case: Case, algorithm: str) -> bytes:
    asked = question(case, algorithm=algorithm)
    return ocsp.respond(asked, GOOD, responder=responder_of(case.issuer), period=PERIOD)


def _refused(case: Case) -> Cases:
    good = answer(case, GOOD)
    flipped = bytearray(good)
    flipped[-1] ^= 1  # of the responder's certificate, the last of all
    unlogged = responder_of(case.issuer, log=SoftwareKey.generate())
    elsewhere = responder_of(case_of(World.create(at=AT)).issuer)
    table: list[tuple[str, bytes, str]] = [
        ("nothing", b"", "expected an OCSP answer in DER, found other bytes"),
        ("too many bytes", bytes(70_000), "expected at most 65536 bytes, found 70000"),
        (
            "a failure",
            ocsp.refuse(Failure.TRY_LATER),
            "expected an OCSP answer, found TRY_LATER",
        ),
        ("bytes behind it", good + b"\0", "expected an OCSP answer in DER, found other bytes"),
        (
            "no certificate of who answered",
            without_certificate(case),
            "expected the certificate of the key that answered, found none",
        ),
        (
            "good, and not until when",
            by_another(case, other.OCSPCertStatus.GOOD),
            "expected an OCSP answer that says until when, found none",
        ),
        ("a certificate with unused bits", with_unused_bits(case), ""),
        (
            "a changed bit of the certificate",
            bytes(flipped),
            "expected a responder of the same issuer, found another",
        ),
        (
            "a responder of another issuer",
            answer(case, GOOD, responder=elsewhere),
            "expected a responder of the same issuer, found another",
        ),
        (
            "a critical extension of the answer",
            answered(case, UNKNOWN, is_critical=True),
            "expected no critical extension 1.2.3.4 of an OCSP answer, found it",
        ),
        *(
            (name, answer(case, GOOD, responder=forged(case, change)), says)
            for name, change, says in _CHANGES
        ),
    ]
    for name, response, says in table:
        yield {"name": name, "response": b64(response), "error": BAD, "says": says}
    yield {
        "name": "a responder that the log has not seen",
        "response": b64(answer(case, GOOD, responder=unlogged)),
        "error": "not-logged",
        "says": "expected a timestamp of the pinned log, found one of another log",
    }


_SIGNS = "expected a responder whose key signs answers and no certificates, found another"
_CHANGES = [
    (
        "a responder for code too",
        Change(add=[(x509.ExtendedKeyUsage(USAGES), False)]),
        "expected a responder certified for OCSP alone, found another",
    ),
    (
        "a responder that was valid before",
        Change(not_after=AT - DAY / 2, not_before=AT - DAY),
        f"expected a responder that is valid at {instant_text(AT)}",
    ),
    ("a responder without a key usage", Change(drop=x509.KeyUsage), _SIGNS),
    ("a responder that issues", Change(add=[(BOTH, True)]), _SIGNS),
    (
        "a responder that is an authority",
        Change(add=[(x509.BasicConstraints(ca=True, path_length=None), True)]),
        _SIGNS,
    ),
    (
        "a critical extension of the responder",
        Change(add=[(UNKNOWN, True)]),
        "expected no critical extension 1.2.3.4 of an OCSP responder, found it",
    ),
]
