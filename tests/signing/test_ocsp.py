# SPDX-License-Identifier: Apache-2.0
"""OCSP: questions are read, answers are signed by a key that the issuer lets, and are judged so."""

import base64
import subprocess
from collections.abc import Callable
from contextlib import suppress
from dataclasses import replace
from datetime import datetime, timedelta
from pathlib import Path
from urllib.parse import quote

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.x509 import ocsp as other
from hypothesis import given, settings
from hypothesis import strategies as st

from assay.signing import crls, der, ocsp, ocspstatus
from assay.signing.crls import Period
from assay.signing.errors import (
    BadRevocation,
    CertificateRevoked,
    InvalidDocument,
    KeyUnusable,
)
from assay.signing.keys import SoftwareKey
from assay.signing.ocsp import Failure, Responder
from assay.signing.revocation import (
    Missing,
    NotRevoked,
    Reason,
    Revocation,
    Revoked,
    Stale,
    Status,
    judge,
)
from tests.needing import needs
from tests.signing import leaves
from tests.signing.forge import Change, forge, private_of
from tests.signing.revoking import (
    INVALID_FROM,
    PERIOD,
    REVOKED_AT,
    Case,
    Role,
    case_of,
    question,
    responder_of,
)
from tests.signing.world import AT, World

GOOD = NotRevoked(said_at=AT)
LOG = leaves.SOMEBODY.public_key
# A flipped bit can make a serial number negative, of which the parser warns before we refuse it.
pytestmark = pytest.mark.filterwarnings("ignore::cryptography.utils.CryptographyDeprecationWarning")
NONCE = bytes(range(16))
SECOND = timedelta(seconds=1)
needs_openssl = needs("openssl")


def answer(
    case: Case,
    finding: NotRevoked | Revocation | Missing,
    *,
    nonce: bytes | None = None,
    responder: Responder | None = None,
    period: Period = PERIOD,
) -> bytes:
    by = responder or responder_of(case.issuer)
    return ocsp.respond(question(case, nonce=nonce), finding, responder=by, period=period)


def status(case: Case, response: bytes, *, nonce: bytes | None = None, at: datetime = AT) -> Status:
    issuer = case.issuer.certificate
    return ocspstatus.status_of(
        case.certificate, issuer=issuer, response=response, log=LOG, at=at, nonce=nonce
    )


def request(case: Case, algorithm: hashes.HashAlgorithm, nonce: bytes | None) -> bytes:
    builder = other.OCSPRequestBuilder().add_certificate(
        case.certificate, case.issuer.certificate, algorithm
    )
    if nonce is not None:
        builder = builder.add_extension(x509.OCSPNonce(nonce), critical=False)
    return builder.build().public_bytes(Encoding.DER)


@pytest.mark.parametrize("algorithm", [hashes.SHA1(), hashes.SHA256(), hashes.SHA512()])  # noqa: S303 - OCSP's own
@pytest.mark.parametrize("nonce", [None, NONCE, bytes(128)])
def test_a_question_is_read(
    world: World, algorithm: hashes.HashAlgorithm, nonce: bytes | None
) -> None:
    case = case_of(world)
    found = ocsp.parse(request(case, algorithm, nonce))
    assert found == question(case, algorithm=algorithm.name, nonce=nonce)
    assert found.about.is_issued_by(case.issuer.certificate)
    assert not found.about.is_issued_by(world.root.certificate)


def test_a_question_in_an_address_is_read(world: World) -> None:
    asked = request(case_of(world), hashes.SHA256(), NONCE)
    text = base64.b64encode(asked).decode()
    assert ocsp.from_path(text) == asked
    assert ocsp.from_path(quote(text, safe="")) == asked
    with pytest.raises(InvalidDocument, match="expected base64"):
        ocsp.from_path("!" + text)


def with_extension(case: Case, *, is_critical: bool = False) -> bytes:
    builder = other.OCSPRequestBuilder().add_certificate(
        case.certificate, case.issuer.certificate, hashes.SHA256()
    )
    unknown = x509.UnrecognizedExtension(x509.ObjectIdentifier("1.2.3.4"), b"\x05\x00")
    builder = builder.add_extension(unknown, critical=is_critical)
    return builder.build().public_bytes(Encoding.DER)


def test_another_extension_of_a_question_is_passed_over(world: World) -> None:
    assert ocsp.parse(with_extension(case_of(world))).nonce is None


@pytest.mark.parametrize(
    ("made", "says"),
    [
        (lambda _: b"", "one certificate"),
        (lambda _: bytes(5000), "at most 4096 bytes"),
        (lambda case: request(case, hashes.SHA224(), None), "SHA-1 or SHA-2, found sha224"),
        (lambda case: request(case, hashes.SHA256(), bytes(129)), "1 to 128 bytes, found 129"),
        (lambda case: with_extension(case, is_critical=True), "no critical extension, found 1.2.3"),
        (lambda case: twice(request(case, hashes.SHA256(), None)), "one certificate"),
    ],
)
def test_what_is_no_question_is_refused(
    world: World, made: Callable[[Case], bytes], says: str
) -> None:
    with pytest.raises(InvalidDocument, match=says):
        ocsp.parse(made(case_of(world)))


def twice(one: bytes) -> bytes:
    """The same question two times in one request."""
    single = one[6:]
    return der.sequence(der.sequence(der.sequence(single, single)))


@pytest.mark.parametrize("role", Role)
@pytest.mark.parametrize("nonce", [None, NONCE])
def test_an_answer_says_good_revoked_or_unknown(
    world: World, role: Role, nonce: bytes | None
) -> None:
    case = case_of(world, role)
    assert status(case, answer(case, GOOD, nonce=nonce), nonce=nonce) == GOOD
    assert status(case, answer(case, Missing(), nonce=nonce), nonce=nonce) == Missing()
    for reason in Reason:
        revocation = case.revocation(reason=reason)
        assert status(case, answer(case, revocation, nonce=nonce), nonce=nonce) == Revoked(
            reason=reason, revoked_at=REVOKED_AT, invalid_from=INVALID_FROM
        )


def test_a_revocation_without_a_date_of_its_own_counts_from_when_it_was_made(world: World) -> None:
    case = case_of(world)
    found = status(case, answer(case, case.revocation(invalid_from=None)))
    assert found == Revoked(
        reason=Reason.KEY_COMPROMISE, revoked_at=REVOKED_AT, invalid_from=REVOKED_AT
    )


def test_an_answer_and_a_list_say_the_same_of_a_stolen_key(world: World) -> None:
    case = case_of(world)
    issuer, revocation = case.issuer.certificate, case.revocation()
    listed = crls.status_of(
        case.certificate, issuer=issuer, lists=[case.crl(revocation)], at=REVOKED_AT
    )
    assert status(case, answer(case, revocation)) == listed
    with pytest.raises(CertificateRevoked):
        judge(listed, role="leaf", proven_at=INVALID_FROM)


def test_nothing_proven_relaxes_an_answer_that_says_not_since_when(world: World) -> None:
    case = case_of(world)
    found = status(case, by_another(case, other.OCSPCertStatus.REVOKED))
    assert found == Revoked(
        reason=Reason.UNSPECIFIED, revoked_at=REVOKED_AT, invalid_from=ocspstatus.ALWAYS
    )
    with pytest.raises(CertificateRevoked, match="proven before 1970-01-01T00:00:00Z"):
        judge(found, role="leaf", proven_at=ocspstatus.ALWAYS, accept_unknown=True)


def test_an_answer_about_another_certificate_says_nothing(world: World) -> None:
    case, above = case_of(world), case_of(world, Role.INTERMEDIATE)
    assert status(case, answer(above, GOOD)) == Missing()
    other_leaf = replace(case, certificate=above.certificate)
    assert status(case, answer(other_leaf, GOOD)) == Missing()


def test_an_answer_for_another_time_is_stale(world: World) -> None:
    case = case_of(world)
    found = status(case, answer(case, GOOD), at=PERIOD.next_update + SECOND)
    assert found == Stale(this_update=PERIOD.this_update, next_update=PERIOD.next_update)


def test_a_key_that_is_not_elliptic_answers_nothing(world: World) -> None:
    case = case_of(world)
    key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
    certificate = forge(case.certificate, case.issuer, Change(public_key=key.public_key()))
    with pytest.raises(KeyUnusable, match="a P-256 or P-384 key, found RSA"):
        crls.elliptic_key(certificate)


class _Liar:
    """A key that signs other bytes than it is given."""

    def __init__(self, key: SoftwareKey) -> None:
        self.public_key = key.public_key
        self._key = key

    def sign(self, data: bytes) -> bytes:
        return self._key.sign(data + b"?")


def test_an_answer_that_its_responder_did_not_sign_is_refused(world: World) -> None:
    case = case_of(world)
    good = responder_of(case.issuer)
    assert isinstance(good.key, SoftwareKey)
    liar = replace(good, key=_Liar(good.key))
    with pytest.raises(BadRevocation, match="signed by its responder"):
        status(case, answer(case, GOOD, responder=liar))


def without_certificate(case: Case) -> bytes:
    """An answer in which nobody says who the responder is."""
    by = responder_of(case.issuer)
    tbs = other.load_der_ocsp_response(answer(case, GOOD, responder=by)).tbs_response_bytes
    return ocsp.assemble(tbs, crls.algorithm_of(by.key.public_key), by.key.sign(tbs), ())


def with_another_first(case: Case) -> bytes:
    """An answer that brings a certificate more than it needs, in front."""
    by, more = responder_of(case.issuer), responder_of(case.issuer)
    ders = tuple(each.certificate.public_bytes(Encoding.DER) for each in (more, by))
    tbs = other.load_der_ocsp_response(answer(case, GOOD, responder=by)).tbs_response_bytes
    return ocsp.assemble(tbs, crls.algorithm_of(by.key.public_key), by.key.sign(tbs), ders)


def with_unused_bits(case: Case) -> bytes:
    """An answer whose responder's certificate claims bits after its signature."""
    by = responder_of(case.issuer)
    while by.certificate.signature[-1] & 1:
        by = responder_of(case.issuer)
    encoded = by.certificate.public_bytes(Encoding.DER)
    signature = by.certificate.signature
    encoded = encoded[: -len(signature) - 1] + b"\x01" + signature
    tbs = other.load_der_ocsp_response(answer(case, GOOD, responder=by)).tbs_response_bytes
    signed = by.key.sign(tbs)
    return ocsp.assemble(tbs, crls.algorithm_of(by.key.public_key), signed, (encoded,))


def by_another(case: Case, said: other.OCSPCertStatus) -> bytes:
    """An answer by another library: it says neither since when nor until when."""
    builder = other.OCSPResponseBuilder().add_response(
        cert=case.certificate,
        issuer=case.issuer.certificate,
        algorithm=hashes.SHA256(),
        cert_status=said,
        this_update=AT,
        next_update=None,
        revocation_time=REVOKED_AT if said is other.OCSPCertStatus.REVOKED else None,
        revocation_reason=None,
    )
    by = case.issuer
    builder = builder.responder_id(other.OCSPResponderEncoding.HASH, by.certificate)
    return builder.sign(private_of(by.key), hashes.SHA256()).public_bytes(Encoding.DER)


@pytest.mark.parametrize(
    ("made", "says"),
    [
        (lambda _: b"", "in DER"),
        (lambda _: bytes(70_000), "at most 65536 bytes"),
        (lambda _: ocsp.refuse(Failure.TRY_LATER), "an OCSP answer, found TRY_LATER"),
        (lambda _: ocsp.refuse(Failure.UNAUTHORIZED), "found UNAUTHORIZED"),
        (without_certificate, "the certificate of the key that answered"),
        (lambda case: by_another(case, other.OCSPCertStatus.GOOD), "says until when"),
        (with_unused_bits, "responder: expected a signature of whole bytes"),
        (
            lambda case: answer(case, GOOD, nonce=bytes(16)),
            "the nonce that was sent",
        ),
        (lambda case: answer(case, GOOD), "the nonce that was sent"),
    ],
)
def test_what_is_no_answer_is_refused(
    world: World, made: Callable[[Case], bytes], says: str
) -> None:
    case = case_of(world)
    nonce = NONCE if "nonce" in says else None
    assert status(case, with_another_first(case)) == GOOD
    with pytest.raises(BadRevocation, match=says):
        status(case, made(case), nonce=nonce)


WORLD = World.create(at=AT)
CASE = case_of(WORLD)
RESPONSE = answer(CASE, GOOD, nonce=NONCE)


@settings(max_examples=300)
@given(st.integers(0, len(RESPONSE) - 1), st.integers(1, 255))
def test_an_answer_with_any_byte_changed_clears_nobody(position: int, difference: int) -> None:
    changed = bytearray(RESPONSE)
    changed[position] ^= difference
    with suppress(BadRevocation):
        assert status(CASE, bytes(changed), nonce=NONCE) == Missing()  # it is about another


@needs_openssl
@pytest.mark.parametrize(
    ("finding", "says"),
    [
        (GOOD, "leaf.pem: good"),
        (Missing(), "leaf.pem: unknown"),
        (None, "Reason: keyCompromise"),
    ],
)
def test_openssl_agrees_with_our_answers(
    world: World, tmp_path: Path, finding: NotRevoked | Missing | None, says: str
) -> None:
    case = case_of(world)
    (tmp_path / "answer.der").write_bytes(answer(case, finding or case.revocation()))
    certificates = {
        "leaf": case.certificate,
        "int": case.issuer.certificate,
        "root": world.root.certificate,
    }
    for name, each in certificates.items():
        (tmp_path / f"{name}.pem").write_bytes(each.public_bytes(Encoding.PEM))
    command = ("openssl", "ocsp", "-respin", "answer.der", "-no_nonce", "-issuer", "int.pem")
    words = ("-cert", "leaf.pem", "-CAfile", "root.pem", "-verify_other", "int.pem")
    moment = ("-attime", f"{AT.timestamp():.0f}", "-validity_period", "1000000000")
    done = subprocess.run(
        (*command, *words, *moment),
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )
    assert "Response verify OK" in done.stderr, done.stderr
    assert says in done.stdout
