# SPDX-License-Identifier: Apache-2.0
"""Whom a certificate names, and who vouches for it: in any form, and for nobody else."""

from __future__ import annotations

import pytest
from asn1crypto import core
from cryptography import x509

from assay.signing.errors import WrongIdentity, WrongPurpose
from assay.signing.provenance import ISSUER_V1, ISSUER_V2
from assay.signing.sigstore import Identity
from assay.signing.sigstore.certificate import USER_NAME
from tests.signing.pki import AT
from tests.signing.sigstore.bundles import envelope, judge
from tests.signing.sigstore.instance import ISSUER, NAME, Instance
from tests.signing.sigstore.test_verify import refuse


@pytest.fixture
def instance() -> Instance:
    return Instance()


UTF8 = core.UTF8String
TRIGGER = x509.ObjectIdentifier("1.3.6.1.4.1.57264.1.2")  # one of the many that Fulcio adds
NAMES: dict[str, x509.GeneralName] = {
    NAME: x509.RFC822Name(NAME),
    "https://example.test/workflow": x509.UniformResourceIdentifier(
        "https://example.test/workflow"
    ),
    "alice!example": x509.OtherName(USER_NAME, UTF8("alice!example").dump()),
}


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize(
    "issuers",
    [{ISSUER_V1: ISSUER.encode(), TRIGGER: b"push"}, {ISSUER_V2: UTF8(ISSUER).dump()}],
)
def test_the_identity_may_be_stated_in_any_form(
    instance: Instance, name: str, issuers: dict[x509.ObjectIdentifier, bytes]
) -> None:
    leaf = instance.certificate(name=NAMES[name], issuers=issuers)
    made = envelope(instance, "dsse", "0.0.1", certificate=leaf)
    assert judge(made, instance, identity=Identity(name=name, issuer=ISSUER)).at == AT


@pytest.mark.parametrize(
    "identity",
    [
        Identity(name="bob@example.test", issuer=ISSUER),
        Identity(name=NAME, issuer=f"{ISSUER}/"),
        Identity(name="", issuer=ISSUER),
        Identity(name=NAME, issuer=""),
    ],
)
def test_another_identity_is_refused(instance: Instance, identity: Identity) -> None:
    made = envelope(instance, "dsse", "0.0.1")
    refuse(made, instance, WrongIdentity, "identity", identity=identity)


@pytest.mark.parametrize(
    "issuers",
    [
        {},
        {ISSUER_V1: b"https://else.test", ISSUER_V2: UTF8(ISSUER).dump()},
        {ISSUER_V1: b"\xff"},
        {ISSUER_V2: ISSUER.encode()},
        {ISSUER_V2: core.IA5String(ISSUER).dump()},
    ],
)
def test_one_issuer_is_stated(
    instance: Instance, issuers: dict[x509.ObjectIdentifier, bytes]
) -> None:
    leaf = instance.certificate(issuers=issuers)
    made = envelope(instance, "dsse", "0.0.1", certificate=leaf)
    refuse(made, instance, WrongIdentity, "identity")


def test_a_certificate_for_something_else_is_refused(instance: Instance) -> None:
    leaf = instance.certificate(purpose=x509.oid.ExtendedKeyUsageOID.CLIENT_AUTH)
    made = envelope(instance, "dsse", "0.0.1", certificate=leaf)
    refuse(made, instance, WrongPurpose, "identity")
