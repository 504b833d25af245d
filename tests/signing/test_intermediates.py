# SPDX-License-Identifier: Apache-2.0
"""An intermediate's name is permanent, and only what fits its name and key is put to use."""

from __future__ import annotations

import pytest
from cryptography import x509

from assay.signing import certificates, crls, intermediates, issuing
from assay.signing.certificates import Issuer, Purpose
from assay.signing.errors import InvalidDocument, WrongPurpose
from assay.signing.intermediates import Name
from assay.signing.keys import Curve, SoftwareKey
from tests.signing.forge import Change, forge
from tests.signing.world import AT

REGISTRY = "http://registry.test"
NAME = Name(purpose=Purpose.OUTPUT, number=2)


@pytest.fixture
def root() -> Issuer:
    key = SoftwareKey.generate(Curve.P384)
    url = crls.address(REGISTRY, crls.ROOT)
    return Issuer(certificate=certificates.root(key, name="Root", at=AT), key=key, crl_url=url)


def made(root: Issuer, key: SoftwareKey, name: Name = NAME) -> x509.Certificate:
    asked = intermediates.read_request(intermediates.request(name, key))
    return intermediates.certify(asked, root=root, at=AT)


def check(
    found: x509.Certificate, key: SoftwareKey, root: Issuer, *, registry: str = REGISTRY
) -> None:
    intermediates.check(
        found, name=NAME, public_key=key.public_key, root=root.certificate, registry=registry
    )


@pytest.mark.parametrize("text", ["output", "output-2", "timestamp-10", "node-9999"])
def test_a_name_is_read_as_it_is_written(text: str) -> None:
    assert str(Name.parse(text)) == text


@pytest.mark.parametrize(
    "text", ["", "root", "output-1", "output-0", "output-02", "output-10000", "Output", "output-2 "]
)
def test_what_is_no_name_is_refused(text: str) -> None:
    with pytest.raises(InvalidDocument, match="issuer: expected one of checkpoint"):
        Name.parse(text)


def test_the_next_is_one_more() -> None:
    assert str(Name(purpose=Purpose.OUTPUT).next.next) == "output-3"


def test_a_certificate_has_the_name_that_was_asked_for(root: Issuer) -> None:
    key = SoftwareKey.generate()
    found = made(root, key)
    assert Name.of(found) == NAME
    check(found, key, root)


def test_the_first_one_has_the_name_that_ceremonies_always_gave(root: Issuer) -> None:
    public = SoftwareKey.generate().public_key
    found = certificates.intermediate(Purpose.OUTPUT, public, issuer=root, at=AT)
    assert Name.of(found) == Name(purpose=Purpose.OUTPUT)


def test_what_does_not_fit_is_refused(root: Issuer) -> None:
    key, other = SoftwareKey.generate(), SoftwareKey.generate()
    stranger = Issuer(certificate=root.certificate, key=SoftwareKey.generate(Curve.P384))
    found = made(root, key)
    limits = x509.BasicConstraints(ca=True, path_length=1)
    for wrong, says in (
        (made(stranger, key), "one that this registry's root issued"),
        (made(root, key, NAME.next), "expected that of output-2, found that of output-3"),
        (made(root, other), "one for the key of output-2"),
        (forge(found, root, Change(drop=x509.KeyUsage)), "an intermediate's extensions"),
        (forge(found, root, Change(drop=x509.CRLDistributionPoints)), "an intermediate's ext"),
    ):
        with pytest.raises(InvalidDocument, match=says):
            check(wrong, key, root)
    with pytest.raises(WrongPurpose, match="an authority over leaves alone"):
        check(forge(found, root, Change(add=((limits, True),))), key, root)
    with pytest.raises(InvalidDocument, match=r"one that names http://other/authority/crl/root"):
        check(found, key, root, registry="http://other")


def test_another_subject_has_no_name(root: Issuer) -> None:
    with pytest.raises(InvalidDocument, match="subject: expected the name"):
        Name.of(root.certificate)
    two = x509.Name([*NAME.subject, *NAME.subject])
    csr = issuing.request(two, SoftwareKey.generate())
    with pytest.raises(InvalidDocument, match="subject: expected the name"):
        intermediates.read_request(csr)


def test_a_request_of_another_kind_is_refused() -> None:
    with pytest.raises(InvalidDocument, match="csr: expected a P-256 key"):
        intermediates.read_request(intermediates.request(NAME, SoftwareKey.generate(Curve.P384)))
