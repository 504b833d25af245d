# SPDX-License-Identifier: Apache-2.0
"""Revocation lists: others read ours as we mean them, and none but whole ones are believed."""

import subprocess
from collections.abc import Callable
from contextlib import suppress
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.serialization import Encoding
from hypothesis import given, settings
from hypothesis import strategies as st

from assay.signing import certificates, crls, der
from assay.signing.certificates import Issuer, Purpose
from assay.signing.errors import BadRevocation, InvalidDocument, KeyUnusable
from assay.signing.keys import Curve, SoftwareKey
from assay.signing.revocation import Missing, NotRevoked, Reason, Revocation, Revoked, Stale, Status
from tests.needing import needs
from tests.signing.forge import Change, forge, private_of
from tests.signing.revoking import (
    DAY,
    ENTRY,
    ODD_ENTRY,
    PERIOD,
    REVOKED_AT,
    UNKNOWN,
    USERS_ONLY,
    Case,
    Role,
    build,
    case_of,
    named_twice,
)
from tests.signing.world import AT, World

GOOD = NotRevoked(said_at=AT)
# A flipped bit can make a serial number negative, of which the parser warns before we refuse it.
pytestmark = pytest.mark.filterwarnings("ignore::cryptography.utils.CryptographyDeprecationWarning")
needs_openssl = needs("openssl")


def status(case: Case, *lists: bytes, issuer: x509.Certificate | None = None) -> Status:
    return crls.status_of(
        case.certificate, issuer=issuer or case.issuer.certificate, lists=lists, at=AT
    )


@pytest.mark.parametrize("role", Role)
@pytest.mark.parametrize("reason", Reason)
def test_a_revoked_certificate_is_found_with_its_reason(
    world: World, role: Role, reason: Reason
) -> None:
    case = case_of(world, role)
    other = replace(case.revocation(), serial=1)
    wanted = case.revocation(reason=reason)
    assert status(case, case.crl(wanted, other)) == Revoked(
        reason=reason, revoked_at=REVOKED_AT, invalid_from=wanted.invalid_from
    )
    assert status(case, case.crl(other)) == GOOD
    assert status(case, case.crl()) == GOOD


def test_without_an_invalidity_date_there_is_none(world: World) -> None:
    case = case_of(world)
    found = status(case, case.crl(case.revocation(invalid_from=None, reason=Reason.UNSPECIFIED)))
    assert found == Revoked(reason=Reason.UNSPECIFIED, revoked_at=REVOKED_AT, invalid_from=None)


def test_a_list_is_what_another_library_writes_but_for_its_signature(world: World) -> None:
    case = case_of(world)
    ours = x509.load_der_x509_crl(case.crl(case.revocation(), number=300))
    entry = ENTRY().serial_number(case.certificate.serial_number).revocation_date(REVOKED_AT)
    entry = entry.add_extension(x509.CRLReason(x509.ReasonFlags.key_compromise), critical=False)
    date = x509.InvalidityDate((AT - 2 * DAY).replace(tzinfo=None))
    entry = entry.add_extension(date, critical=False)
    theirs = build(case, number=300, entries=[entry.build()])
    assert ours.tbs_certlist_bytes == x509.load_der_x509_crl(theirs).tbs_certlist_bytes


def without_identifier(case: Case) -> bytes:
    """A list that does not say which key of its issuer it is by."""
    issuer = case.issuer.certificate
    builder = x509.CertificateRevocationListBuilder().issuer_name(issuer.subject)
    builder = builder.last_update(AT).next_update(AT + DAY)
    builder = builder.add_extension(x509.CRLNumber(1), critical=False)
    return builder.sign(private_of(case.issuer.key), hashes.SHA256()).public_bytes(Encoding.DER)


Builder = Callable[[Case], bytes]


@pytest.mark.parametrize(
    ("made", "says"),
    [
        (lambda case: build(case, number=None), r"extension 2\.5\.29\.20"),
        (lambda case: build(case, is_critical=True), "a number that is not critical"),
        (
            lambda case: build(case, more=[(named_twice(case), False)]),
            "its issuer's key identifier alone",
        ),
        (lambda case: build(case, more=[(UNKNOWN, True)]), r"a whole list, found 1\.2\.3\.4"),
        (lambda case: build(case, more=[(USERS_ONLY, True)]), "a whole list"),
        (lambda case: build(case, more=[(x509.DeltaCRLIndicator(1), True)]), "a whole list"),
        (lambda case: build(case, more=[(USERS_ONLY, False)]), "a whole list"),
        (lambda case: build(case, entries=[ODD_ENTRY]), "entries without critical extensions"),
        (lambda case: build(case, key=SoftwareKey.generate()), "signed by its issuer"),
        (without_identifier, r"extension 2\.5\.29\.35"),
        (lambda case: case.crl() + b"\x00", "in DER"),
        (lambda _: b"", "in DER"),
        (lambda _: bytes(crls.MAX_BYTES + 1), "at most 8388608 bytes"),
    ],
)
def test_a_list_that_is_not_whole_and_the_issuers_is_refused(
    world: World, made: Builder, says: str
) -> None:
    case = case_of(world)
    assert status(case, build(case, more=[(UNKNOWN, False)])) == GOOD
    with pytest.raises(BadRevocation, match=says) as refused:
        status(case, made(case))
    assert (refused.value.code, refused.value.exit_code) == ("bad-revocation", 25)


def test_an_unknown_entry_extension_that_is_not_critical_is_passed_over(world: World) -> None:
    case = case_of(world)
    entry = ENTRY().serial_number(case.certificate.serial_number).revocation_date(AT)
    entry = entry.add_extension(UNKNOWN, critical=False)
    hold = x509.CRLReason(x509.ReasonFlags.certificate_hold)
    listed = build(case, entries=[entry.add_extension(hold, critical=False).build()])
    wanted = Revoked(reason=Reason.UNSPECIFIED, revoked_at=AT, invalid_from=None)
    assert status(case, listed) == wanted


def test_a_list_without_an_end_is_refused_unless_it_revokes(world: World) -> None:
    case = case_of(world)
    for lists, is_listed in ((without_end(case), False), (without_end(case, listed=True), True)):
        if is_listed:
            assert isinstance(status(case, lists), Revoked)
        else:
            with pytest.raises(BadRevocation, match="says when the next comes"):
                status(case, lists)


def without_end(case: Case, *, listed: bool = False) -> bytes:
    """The syntax lets nextUpdate be absent, though no library writes a list without it."""
    whole = case.crl(case.revocation()) if listed else case.crl()
    found = x509.load_der_x509_crl(whole)
    end = der.time(PERIOD.next_update)
    content = found.tbs_certlist_bytes.replace(end, b"", 1)
    tbs = der.sequence(content[4:] if content[1] == 0x82 else content[3:])
    algorithm = crls.algorithm_of(case.issuer.key.public_key)
    return der.sequence(tbs, algorithm, der.bits(case.issuer.key.sign(tbs)))


def test_another_issuers_list_says_nothing(world: World) -> None:
    case, above = case_of(world), case_of(world, Role.INTERMEDIATE)
    assert status(case, above.crl()) == Missing()
    key = SoftwareKey.generate()
    renewed = certificates.intermediate(
        Purpose.OUTPUT, key.public_key, issuer=world.root, at=AT - DAY
    )
    same_name = replace(case, issuer=Issuer(certificate=renewed, key=key))
    assert status(case, same_name.crl()) == Missing()


def test_too_many_lists_are_refused(world: World) -> None:
    case = case_of(world)
    with pytest.raises(BadRevocation, match="at most 64 revocation lists, found 65"):
        status(case, *[case.crl()] * 65)


@pytest.mark.parametrize(
    "signed",
    [
        der.sequence(der.sequence(der.oid("1.2.840.10045.4.3.2")), der.sequence()),
        der.sequence(der.integer(0), der.sequence(), der.sequence()),
        der.sequence(),
    ],
    ids=["version 1, which says none", "another version", "nothing"],
)
def test_a_list_of_another_version_is_refused(world: World, signed: bytes) -> None:
    with pytest.raises(BadRevocation, match="list of version 2, found another"):
        status(case_of(world), der.sequence(signed))


def test_a_list_for_another_time_is_stale_unless_it_revokes(world: World) -> None:
    case = case_of(world)
    late = PERIOD.next_update + timedelta(seconds=1)
    issuer = case.issuer.certificate
    old = crls.status_of(case.certificate, issuer=issuer, lists=[case.crl()], at=late)
    assert old == Stale(this_update=PERIOD.this_update, next_update=PERIOD.next_update)
    listed = [case.crl(case.revocation())]
    found = crls.status_of(case.certificate, issuer=issuer, lists=listed, at=late)
    assert isinstance(found, Revoked)


def test_an_issuer_that_may_not_sign_lists_is_refused(world: World) -> None:
    case = case_of(world)
    usage = x509.KeyUsage(
        digital_signature=False,
        key_cert_sign=True,
        crl_sign=False,
        content_commitment=False,
        key_encipherment=False,
        data_encipherment=False,
        key_agreement=False,
        encipher_only=False,
        decipher_only=False,
    )
    forged = forge(case.issuer.certificate, world.root, Change(add=[(usage, True)]))
    with pytest.raises(BadRevocation, match="may sign revocation lists"):
        status(case, case.crl(), issuer=forged)


def test_only_the_issuers_own_key_makes_a_list(world: World) -> None:
    case = case_of(world)
    stranger = replace(case.issuer, key=SoftwareKey.generate())
    with pytest.raises(KeyUnusable, match="the issuer's own key"):
        replace(case, issuer=stranger).crl()
    with pytest.raises(InvalidDocument, match="number: expected at most 159 bits"):
        case.crl(number=1 << 159)
    with pytest.raises(KeyUnusable, match="a P-256 or P-384 key, found Ed25519"):
        crls.algorithm_of(SoftwareKey.generate(Curve.ED25519).public_key)


WORLD = World.create(at=AT)
CASE = case_of(WORLD)
LIST = CASE.crl(Revocation(serial=5, revoked_at=AT, reason=Reason.SUPERSEDED))


@settings(max_examples=300)
@given(st.integers(0, len(LIST) - 1), st.integers(1, 255))
def test_a_list_with_any_byte_changed_clears_nobody(position: int, difference: int) -> None:
    changed = bytearray(LIST)
    changed[position] ^= difference
    with suppress(BadRevocation):
        assert status(CASE, bytes(changed)) == Missing()  # it names another issuer


@needs_openssl
@pytest.mark.parametrize(
    ("revoked", "says"),
    [((), "OK"), ((Role.LEAF,), "error 23 at 0 depth"), ((Role.INTERMEDIATE,), "error 23 at 1")],
)
def test_openssl_reads_our_lists(
    world: World, tmp_path: Path, revoked: tuple[Role, ...], says: str
) -> None:
    cases = {role: case_of(world, role) for role in Role}
    lists = {
        role: case.crl(*([case.revocation()] if role in revoked else []))
        for role, case in cases.items()
    }
    assert says in verify(world, tmp_path, list(lists.values()))
    if not revoked:
        assert "unable to get certificate CRL" in verify(world, tmp_path, [lists[Role.LEAF]])


def verify(world: World, folder: Path, lists: list[bytes]) -> str:
    leaf, intermediate = (case_of(world, role).certificate for role in Role)
    for name, found in (("leaf", leaf), ("int", intermediate), ("root", world.root.certificate)):
        (folder / f"{name}.pem").write_bytes(found.public_bytes(Encoding.PEM))
    read = [x509.load_der_x509_crl(each).public_bytes(Encoding.PEM) for each in lists]
    (folder / "crls.pem").write_bytes(b"".join(read))
    command = ("openssl", "verify", "-CAfile", "root.pem", "-untrusted", "int.pem")
    words = ("-CRLfile", "crls.pem", "-crl_check_all", "-attime", f"{AT.timestamp():.0f}")
    done = subprocess.run(
        (*command, *words, "leaf.pem"),
        cwd=folder,
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )
    return done.stdout + done.stderr
