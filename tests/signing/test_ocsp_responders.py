# SPDX-License-Identifier: Apache-2.0
"""Who may answer OCSP, and when: a key that the issuer let, then, as the ledger knew by then."""

from dataclasses import replace
from datetime import datetime

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.x509 import ocsp as other
from cryptography.x509.oid import ExtendedKeyUsageOID

from assay.signing import certificates
from assay.signing.crls import Period
from assay.signing.errors import BadRevocation, KeyUnusable, NotLogged
from assay.signing.keys import SoftwareKey
from assay.signing.ocsp import Responder
from assay.signing.revocation import Revoked, Stale
from tests.signing import leaves
from tests.signing.forge import Change, forge, private_of
from tests.signing.revoking import DAY, PERIOD, UNKNOWN, Case, case_of, responder_of
from tests.signing.test_ocsp import GOOD, SECOND, answer, status
from tests.signing.world import AT, World


def test_the_issuers_own_key_may_answer_too(world: World) -> None:
    case = case_of(world)
    own = Responder(certificate=case.issuer.certificate, key=case.issuer.key)
    assert status(case, answer(case, GOOD, responder=own)) == GOOD


def test_only_the_responders_own_key_answers(world: World) -> None:
    case = case_of(world)
    stranger = replace(responder_of(case.issuer), key=SoftwareKey.generate())
    with pytest.raises(KeyUnusable, match="the responder's own key"):
        answer(case, GOOD, responder=stranger)


def forged(case: Case, change: Change) -> Responder:
    good = responder_of(case.issuer)
    return replace(good, certificate=forge(good.certificate, case.issuer, change))


def usage(*, digital_signature: bool, key_cert_sign: bool) -> x509.KeyUsage:
    return x509.KeyUsage(
        digital_signature=digital_signature,
        key_cert_sign=key_cert_sign,
        crl_sign=False,
        content_commitment=False,
        key_encipherment=False,
        data_encipherment=False,
        key_agreement=False,
        encipher_only=False,
        decipher_only=False,
    )


ISSUES = usage(digital_signature=False, key_cert_sign=True)
BOTH = usage(digital_signature=True, key_cert_sign=True)
USAGES = [ExtendedKeyUsageOID.OCSP_SIGNING, ExtendedKeyUsageOID.CODE_SIGNING]


@pytest.mark.parametrize(
    ("change", "says"),
    [
        (Change(drop=x509.ExtendedKeyUsage), "certified for OCSP alone"),
        (Change(add=[(x509.ExtendedKeyUsage(USAGES), False)]), "certified for OCSP alone"),
        (Change(not_after=AT - DAY / 2, not_before=AT - DAY), "a responder that is valid at"),
        (Change(not_before=AT + DAY), "a responder that is valid at"),
        (Change(drop=x509.KeyUsage), "signs answers and no certificates"),
        (Change(add=[(ISSUES, True)]), "signs answers and no certificates"),
        (Change(add=[(BOTH, True)]), "signs answers and no certificates"),
        (
            Change(add=[(x509.BasicConstraints(ca=True, path_length=None), True)]),
            "signs answers and no certificates",
        ),
        (Change(add=[(UNKNOWN, True)]), "no critical extension 1.2.3.4 of an OCSP responder"),
    ],
)
def test_a_responder_that_was_not_let_is_refused(world: World, change: Change, says: str) -> None:
    case = case_of(world)
    with pytest.raises(BadRevocation, match=says):
        status(case, answer(case, GOOD, responder=forged(case, change)))


@pytest.mark.parametrize(
    "harmless", [(x509.BasicConstraints(ca=False, path_length=None), True), (UNKNOWN, False)]
)
def test_a_responder_with_more_that_says_nothing_else_answers(
    world: World, harmless: tuple[x509.ExtensionType, bool]
) -> None:
    case = case_of(world)
    good = forged(case, Change(add=[harmless]))
    listed = leaves.logged(good.certificate, case.issuer, log=leaves.SOMEBODY, at=AT)
    by = replace(good, certificate=listed)
    assert status(case, answer(case, GOOD, responder=by)) == GOOD


def answered(case: Case, extension: x509.ExtensionType, *, is_critical: bool) -> bytes:
    """An answer by another library, which writes extensions that ours does not."""
    by = responder_of(case.issuer)
    builder = (
        other.OCSPResponseBuilder()
        .add_response(
            cert=case.certificate,
            issuer=case.issuer.certificate,
            algorithm=hashes.SHA1(),  # noqa: S303 - RFC 5019 asks clients for it
            cert_status=other.OCSPCertStatus.GOOD,
            this_update=PERIOD.this_update,
            next_update=PERIOD.next_update,
            revocation_time=None,
            revocation_reason=None,
        )
        .responder_id(other.OCSPResponderEncoding.HASH, by.certificate)
        .certificates([by.certificate])
        .add_extension(extension, critical=is_critical)
    )
    return builder.sign(private_of(by.key), hashes.SHA256()).public_bytes(Encoding.DER)


def test_an_answer_that_says_something_critical_and_unknown_is_refused(world: World) -> None:
    case = case_of(world)
    assert status(case, answered(case, UNKNOWN, is_critical=False)) == GOOD
    with pytest.raises(BadRevocation, match=r"critical extension 1.2.3.4 of an OCSP answer"):
        status(case, answered(case, UNKNOWN, is_critical=True))


def test_a_responder_that_is_in_another_ledger_is_refused(world: World) -> None:
    case = case_of(world)
    elsewhere = responder_of(case.issuer, log=world.log_key)
    with pytest.raises(NotLogged, match="a timestamp of the pinned log"):
        status(case, answer(case, GOOD, responder=elsewhere))


def test_a_responder_of_another_issuer_is_refused(world: World) -> None:
    case = case_of(world)
    foreign = responder_of(world.root)
    with pytest.raises(BadRevocation, match="a responder of the same issuer"):
        status(case, answer(case, GOOD, responder=foreign))


def test_an_answer_from_after_the_moment_asked_about_says_no_less(world: World) -> None:
    case, later = case_of(world), AT + 30 * DAY
    by = responder_of(case.issuer, at=later)
    period = Period(this_update=later, next_update=later + DAY)
    assert status(case, answer(case, GOOD, responder=by, period=period)) == GOOD
    found = status(case, answer(case, case.revocation(), responder=by, period=period))
    assert isinstance(found, Revoked)


def responder_for_a_day(case: Case, *, logged_at: datetime = AT) -> Responder:
    key = SoftwareKey.generate()
    made = certificates.responder(key.public_key, issuer=case.issuer, at=AT, days=1)
    certificate = leaves.logged(made, case.issuer, log=leaves.SOMEBODY, at=logged_at)
    return Responder(certificate=certificate, key=key)


def test_an_answer_from_after_its_responders_end_is_refused(world: World) -> None:
    case = case_of(world)
    by = responder_for_a_day(case)
    late = by.certificate.not_valid_after_utc + SECOND
    response = answer(
        case, GOOD, responder=by, period=Period(this_update=late, next_update=late + DAY)
    )
    for at in (AT, late):
        with pytest.raises(BadRevocation, match="a responder that is valid at"):
            status(case, response, at=at)


def test_an_answer_counts_no_longer_than_its_responder(world: World) -> None:
    case = case_of(world)
    by = responder_for_a_day(case)
    response, end = answer(case, GOOD, responder=by), by.certificate.not_valid_after_utc
    assert end < PERIOD.next_update
    assert status(case, response, at=end) == GOOD
    stale = Stale(this_update=PERIOD.this_update, next_update=end)
    assert status(case, response, at=end + SECOND) == stale


def test_a_responder_that_was_logged_after_it_answered_is_refused(world: World) -> None:
    case = case_of(world)
    response = answer(case, GOOD, responder=responder_for_a_day(case, logged_at=AT + SECOND))
    for at in (AT, AT + SECOND):
        with pytest.raises(NotLogged, match="a certificate logged by 2026-11-20T09:30:00Z"):
            status(case, response, at=at)
