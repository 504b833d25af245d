# SPDX-License-Identifier: Apache-2.0
"""Which chains are trusted: under one root, for one purpose, at one time, and no others."""

from dataclasses import replace
from datetime import datetime, timedelta

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.x509.oid import ExtendedKeyUsageOID, ObjectIdentifier

from assay.signing.certificates import Chain, Issuer, Purpose
from assay.signing.chains import verify_chain
from assay.signing.errors import UntrustedChain, VerificationError, WrongPurpose
from assay.signing.keys import SoftwareKey
from tests.signing import leaves
from tests.signing.forge import Change, forge
from tests.signing.world import AT, World

ALICE = "http://registry.test/alice"
SECOND = timedelta(seconds=1)


def alice(world: World, purpose: Purpose = Purpose.OUTPUT) -> Chain:
    return world.leaf(purpose, ALICE)[1]


def with_leaf(world: World, change: Change, purpose: Purpose = Purpose.OUTPUT) -> Chain:
    chain = alice(world, purpose)
    return replace(chain, leaf=forge(chain.leaf, world.issuers[purpose], change))


def with_intermediate(world: World, change: Change) -> Chain:
    chain = alice(world)
    return replace(chain, intermediate=forge(chain.intermediate, world.root, change))


def judge(world: World, chain: Chain, purpose: Purpose = Purpose.OUTPUT) -> str:
    return verify_chain(chain, root=world.root.certificate, purpose=purpose, at=AT)


def usages(*changed: str) -> x509.KeyUsage:
    names = (
        "digital_signature content_commitment key_encipherment data_encipherment "
        "key_agreement key_cert_sign crl_sign encipher_only decipher_only"
    )
    return x509.KeyUsage(**{name: name in changed for name in names.split()})


def policies(*oids: ObjectIdentifier) -> x509.CertificatePolicies:
    return x509.CertificatePolicies([x509.PolicyInformation(oid, None) for oid in oids])


def names(*uris: str) -> x509.SubjectAlternativeName:
    return x509.SubjectAlternativeName([x509.UniformResourceIdentifier(uri) for uri in uris])


@pytest.mark.parametrize("purpose", list(Purpose))
def test_a_good_chain_names_its_subject(world: World, purpose: Purpose) -> None:
    assert judge(world, alice(world, purpose), purpose) == ALICE


@pytest.mark.parametrize("purpose", list(Purpose))
def test_a_chain_is_good_for_no_other_purpose(world: World, purpose: Purpose) -> None:
    for other in set(Purpose) - {purpose}:
        with pytest.raises(WrongPurpose, match=f"for {other}, found it for {purpose}"):
            judge(world, alice(world, purpose), other)


HOUR, AGE = timedelta(hours=1), timedelta(days=9000)


@pytest.mark.parametrize("role", ["leaf", "intermediate", "root"])
@pytest.mark.parametrize(
    ("at", "is_valid"),
    [(AT - SECOND, False), (AT, True), (AT + HOUR, True), (AT + HOUR + SECOND, False)],
    ids=["before", "first", "last", "after"],
)
def test_the_whole_chain_is_valid_at_the_time_or_not_at_all(
    world: World, role: str, at: datetime, is_valid: bool
) -> None:
    ages, hour = (AT - AGE, AT + AGE), (AT, AT + HOUR)
    leaf, intermediate, root = (
        forge(certificate, issuer, Change(not_before=span[0], not_after=span[1]))
        for certificate, issuer, span in (
            (alice(world).leaf, world.issuers[Purpose.OUTPUT], hour if role == "leaf" else ages),
            (alice(world).intermediate, world.root, hour if role == "intermediate" else ages),
            (world.root.certificate, world.root, hour if role == "root" else ages),
        )
    )
    chain = Chain(leaf=leaf, intermediate=intermediate)
    if is_valid:
        assert verify_chain(chain, root=root, purpose=Purpose.OUTPUT, at=at) == ALICE
        return
    with pytest.raises(UntrustedChain, match=f"the {role} certificate to be valid at"):
        verify_chain(chain, root=root, purpose=Purpose.OUTPUT, at=at)


def test_no_other_root_is_looked_at(world: World) -> None:
    stranger = World.create(at=AT).root.certificate
    with pytest.raises(UntrustedChain, match="a chain to the pinned root"):
        verify_chain(alice(world), root=stranger, purpose=Purpose.OUTPUT, at=AT)


def test_an_intermediate_of_another_purpose_does_not_fit(world: World) -> None:
    chain = replace(alice(world), intermediate=alice(world, Purpose.NODE).intermediate)
    with pytest.raises(UntrustedChain, match="a chain to the pinned root"):
        judge(world, chain)


def test_an_intermediate_may_not_issue_for_another_purpose(world: World) -> None:
    key = SoftwareKey.generate()
    issuer = world.issuers[Purpose.NODE]
    leaf = leaves.leaf(Purpose.OUTPUT, key.public_key, subject=ALICE, issuer=issuer, at=AT)
    chain = Chain(leaf=leaf, intermediate=issuer.certificate)
    with pytest.raises(
        WrongPurpose, match="the intermediate certificate to be for output, found it for node"
    ):
        judge(world, chain)


def test_a_leaf_that_the_root_issued_is_refused(world: World) -> None:
    key = SoftwareKey.generate()
    leaf = leaves.leaf(Purpose.OUTPUT, key.public_key, subject=ALICE, issuer=world.root, at=AT)
    chain = Chain(leaf=leaf, intermediate=alice(world).intermediate)
    with pytest.raises(UntrustedChain, match="leaf, intermediate and root, found another path"):
        judge(world, chain)


def test_a_leaf_that_a_leaf_issued_is_refused(world: World) -> None:
    key, chain = world.leaf(Purpose.OUTPUT, ALICE)
    issuer = Issuer(certificate=chain.leaf, key=key)
    leaf = leaves.leaf(
        Purpose.OUTPUT, SoftwareKey.generate().public_key, subject=ALICE, issuer=issuer, at=AT
    )
    with pytest.raises(VerificationError):
        judge(world, Chain(leaf=leaf, intermediate=chain.leaf))


UNTRUSTED = {
    "no key usage": Change(drop=x509.KeyUsage),
    "no extended key usage": Change(drop=x509.ExtendedKeyUsage),
    "no subject": Change(drop=x509.SubjectAlternativeName),
    "no purpose": Change(drop=x509.CertificatePolicies),
    "two subjects": Change(add=[(names(ALICE, ALICE + "2"), False)]),
    "a host": Change(add=[(x509.SubjectAlternativeName([x509.DNSName("a.test")]), False)]),
    "an RSA key": Change(
        public_key=rsa.generate_private_key(public_exponent=65537, key_size=2048).public_key()
    ),
    "an unknown critical extension": Change(
        add=[(x509.UnrecognizedExtension(ObjectIdentifier("1.2.3.4"), b"\x05\x00"), True)]
    ),
}


@pytest.mark.parametrize("name", list(UNTRUSTED))
def test_a_leaf_without_what_it_needs_is_untrusted(world: World, name: str) -> None:
    with pytest.raises(UntrustedChain):
        judge(world, with_leaf(world, UNTRUSTED[name]))


SIGNING, STAMPING = ExtendedKeyUsageOID.CODE_SIGNING, ExtendedKeyUsageOID.TIME_STAMPING
AUTHORITY = usages("key_cert_sign", "crl_sign")
MISUSED = {
    "key usage not critical": (Purpose.OUTPUT, Change(add=[(usages("digital_signature"), False)])),
    "key usage of an authority": (Purpose.OUTPUT, Change(add=[(AUTHORITY, True)])),
    "key usage for more": (
        Purpose.OUTPUT,
        Change(add=[(usages("digital_signature", "key_cert_sign"), True)]),
    ),
    "code signing and more": (
        Purpose.OUTPUT,
        Change(add=[(x509.ExtendedKeyUsage([SIGNING, STAMPING]), False)]),
    ),
    "stamping instead of signing": (
        Purpose.OUTPUT,
        Change(add=[(x509.ExtendedKeyUsage([STAMPING]), True)]),
    ),
    "stamping not critical": (
        Purpose.TIMESTAMP,
        Change(add=[(x509.ExtendedKeyUsage([STAMPING]), False)]),
    ),
    "stamping not alone": (
        Purpose.TIMESTAMP,
        Change(add=[(x509.ExtendedKeyUsage([STAMPING, SIGNING]), True)]),
    ),
    "two purposes": (
        Purpose.OUTPUT,
        Change(add=[(policies(Purpose.OUTPUT.oid, Purpose.NODE.oid), False)]),
    ),
    "a stranger's policy": (
        Purpose.OUTPUT,
        Change(add=[(policies(ObjectIdentifier("1.2.3.4")), False)]),
    ),
    "a leaf that says it is none": (
        Purpose.OUTPUT,
        Change(add=[(x509.BasicConstraints(ca=False, path_length=None), True)]),
    ),
}


@pytest.mark.parametrize("name", list(MISUSED))
def test_a_leaf_for_another_use_is_refused(world: World, name: str) -> None:
    purpose, change = MISUSED[name]
    with pytest.raises(WrongPurpose, match="expected"):
        judge(world, with_leaf(world, change, purpose), purpose)


def test_a_leaf_that_is_an_authority_is_refused(world: World) -> None:
    authority = Change(add=[(x509.BasicConstraints(ca=True, path_length=0), True)])
    with pytest.raises(VerificationError):
        judge(world, with_leaf(world, authority))


@pytest.mark.parametrize(
    "change",
    [
        Change(drop=x509.BasicConstraints),
        Change(add=[(x509.BasicConstraints(ca=False, path_length=None), True)]),
        Change(drop=x509.KeyUsage),
        Change(add=[(usages("digital_signature"), True)]),
        Change(drop=x509.CertificatePolicies),
    ],
)
def test_an_intermediate_that_is_no_authority_is_refused(world: World, change: Change) -> None:
    with pytest.raises(UntrustedChain):
        judge(world, with_intermediate(world, change))


def test_a_certificate_with_malformed_extensions_is_untrusted(world: World) -> None:
    bad = x509.UnrecognizedExtension(x509.ExtendedKeyUsage.oid, b"\xff\xff")
    change = Change(drop=x509.ExtendedKeyUsage, add=[(bad, False)])
    with pytest.raises(UntrustedChain):
        judge(world, with_leaf(world, change))
