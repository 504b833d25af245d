# SPDX-License-Identifier: Apache-2.0
"""Paths of foreign authorities: any depth up to eight, valid in every link at one moment."""

from __future__ import annotations

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.x509.oid import ExtendedKeyUsageOID

from assay.signing import paths
from assay.signing.errors import InvalidDocument, UntrustedChain, WrongPurpose
from tests.signing.pki import (
    AT,
    FUTURE,
    PAST,
    Holder,
    authority,
    ec_key,
    issued,
    on_no_known_curve,
    signer,
    unreadable,
    usage,
)

ROOT = authority("root")
MIDDLE = authority("middle", ROOT)


def verify(leaf: Holder, *middles: Holder, root: Holder = ROOT) -> int:
    intermediates = [each.certificate for each in middles]
    anchors = [root.certificate]
    return len(paths.verify_path(leaf.certificate, intermediates, anchors=anchors, at=AT))


def test_a_path_leads_to_the_anchor() -> None:
    assert verify(signer(MIDDLE), MIDDLE) == 3
    assert verify(signer(ROOT)) == 2


def test_an_authority_with_an_rsa_key_is_as_good() -> None:
    key = rsa.generate_private_key(public_exponent=65537, key_size=3072)
    root = authority("rsa root", key=key)
    assert verify(signer(root), root=root) == 2


def test_a_self_signed_leaf_may_be_its_own_anchor() -> None:
    leaf = signer(None, is_authority=True)
    assert verify(leaf, root=leaf) == 1


def test_a_leaf_that_claims_to_be_an_authority_is_left_to_the_caller() -> None:
    assert verify(signer(MIDDLE, is_authority=True), MIDDLE) == 3


@pytest.mark.parametrize(
    ("leaf", "middles", "root"),
    [
        (signer(ROOT, period=PAST), [], ROOT),
        (signer(ROOT, period=FUTURE), [], ROOT),
        (signer(late := authority("late", ROOT, period=PAST)), [late], ROOT),
        (signer(early := authority("early", ROOT, period=FUTURE)), [early], ROOT),
        (signer(old := authority("old", period=PAST)), [], old),
        (signer(MIDDLE), [MIDDLE], authority("root")),
        (signer(MIDDLE), [], ROOT),
        (signer(plain := signer(ROOT)), [plain], ROOT),
    ],
    ids=[
        *("leaf expired", "leaf not yet valid", "intermediate expired"),
        *("intermediate not yet valid", "anchor expired", "another anchor"),
        *("intermediate missing", "issued by a leaf"),
    ],
)
def test_another_path_is_refused(leaf: Holder, middles: list[Holder], root: Holder) -> None:
    with pytest.raises(UntrustedChain):
        verify(leaf, *middles, root=root)


def test_an_expired_leaf_that_is_its_own_anchor_is_refused() -> None:
    leaf = signer(None, period=PAST, is_authority=True)
    with pytest.raises(UntrustedChain, match="valid at 2026-11-20T09:30:00Z, found one valid from"):
        verify(leaf, root=leaf)


def test_nine_intermediates_are_too_many() -> None:
    chain = [authority("1", ROOT)]
    for number in range(2, 9):
        chain.append(authority(str(number), chain[-1]))
    assert verify(signer(chain[-1]), *chain) == 10
    with pytest.raises(UntrustedChain, match="at most 8 intermediates, found 9"):
        verify(signer(chain[-1]), *chain, MIDDLE)


def test_whoever_trusts_nobody_accepts_nothing() -> None:
    with pytest.raises(UntrustedChain, match="a certificate to trust, found none"):
        paths.verify_path(signer(ROOT).certificate, [], anchors=[], at=AT)


def test_a_code_signing_leaf_signs_code() -> None:
    paths.check_signs_code(signer(ROOT).certificate)
    without_usage = issued(
        "leaf",
        ROOT,
        key=ec_key(),
        more=[(x509.ExtendedKeyUsage([paths.CODE_SIGNING]), False)],
    )
    paths.check_signs_code(without_usage.certificate)


@pytest.mark.parametrize(
    "leaf",
    [
        signer(ROOT, purposes=()),
        signer(ROOT, purposes=[ExtendedKeyUsageOID.SERVER_AUTH]),
        signer(ROOT, more=[(usage(key_cert_sign=True), True)]),
    ],
)
def test_another_leaf_does_not(leaf: Holder) -> None:
    with pytest.raises(WrongPurpose):
        paths.check_signs_code(leaf.certificate)


def test_a_certificate_that_cannot_be_read_is_refused() -> None:
    broken = unreadable(signer(ROOT).certificate)
    with pytest.raises(UntrustedChain, match="well-formed certificate"):
        paths.check_signs_code(broken)
    with pytest.raises(UntrustedChain):
        paths.verify_path(broken, [], anchors=[ROOT.certificate], at=AT)


def test_a_key_of_no_known_kind_is_refused() -> None:
    with pytest.raises(UntrustedChain, match="key of a known kind"):
        paths.key_of(on_no_known_curve(ROOT.certificate))
    assert paths.key_of(ROOT.certificate) == ROOT.key.public_key()


def test_pem_files_hold_certificates() -> None:
    assert paths.parse_pem("a.pem", ROOT.pem + MIDDLE.pem) == (
        ROOT.certificate,
        MIDDLE.certificate,
    )
    with pytest.raises(InvalidDocument, match=r"a\.pem: expected certificates in PEM"):
        paths.parse_pem("a.pem", b"")
    with pytest.raises(InvalidDocument, match="at most 32 certificates"):
        paths.parse_pem("a.pem", ROOT.pem * 33)


@pytest.mark.parametrize("names", [b"0\x04\x87\x02\x00\x00", b"0\x04\xa5\x02\x05\x00"])
def test_a_leaf_with_a_name_that_is_none_is_refused(names: bytes) -> None:
    """An address of two bytes, and a kind of name that the library does not know."""
    bad = x509.UnrecognizedExtension(x509.SubjectAlternativeName.oid, names)
    leaf = signer(ROOT, more=[(bad, False)])
    with pytest.raises(UntrustedChain):
        verify(leaf)
