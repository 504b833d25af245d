# SPDX-License-Identifier: Apache-2.0
"""Keyless signing: by the services that a config names; what does not verify is not given."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import pytest
from cryptography import x509

from assay.signing.client import ClientError, RegistryUnreachable, keyless
from assay.signing.errors import InvalidDocument, VerificationError, WrongIdentity
from assay.signing.keys import SoftwareKey
from assay.signing.provenance import ISSUER_V1, ISSUER_V2
from assay.signing.sigstore import SigstoreBundle
from assay.signing.sigstore.certificate import identity_of
from assay.signing.sigstore.config import TrustConfig
from tests.signing.client.services import Services, serving
from tests.signing.sigstore.instance import ISSUER, NAME, Instance, statement


@pytest.fixture
def services() -> Iterator[Services]:
    with serving() as running:
        yield running


def sign(services: Services, **changed: Any) -> bytes:  # noqa: ANN401 - JSON
    config = TrustConfig.parse(json.dumps({**services.config(), **changed}).encode())
    key = SoftwareKey(private=services.instance.signer)
    return keyless.sign(statement(), config, token="a.b.c", key=key)


def test_what_comes_back_verified(services: Services) -> None:
    bundle = SigstoreBundle.parse(sign(services))
    assert identity_of(bundle.certificate).name == NAME
    assert identity_of(bundle.certificate).issuer == ISSUER
    assert services.tokens == ["Bearer a.b.c", "", ""]


def test_what_does_not_verify_is_not_given(services: Services) -> None:
    with pytest.raises(VerificationError):
        sign(services, trustedRoot=Instance().trusted_root())


REFUSALS = [
    (403, b'{"message":"not you"}', "not you"),
    (500, b"<html>", "without a reason"),
    (200, b"{}", "expected a certificate"),
    (200, b'{"signedCertificateEmbeddedSct":{"chain":{"certificates":[]}}}', "certificate"),
    (200, b"nonsense", "expected JSON"),
    (200, b" " * (2 << 20), "at most"),
]


@pytest.mark.parametrize(("status", "body", "message"), REFUSALS)
def test_a_refusal_is_told(services: Services, status: int, body: bytes, message: str) -> None:
    services.answers["/api/v2/signingCert"] = (status, body)
    with pytest.raises(ClientError, match=message):
        sign(services)


def test_services_that_are_away_are_told() -> None:
    with serving() as services:
        config = services.config()
    with pytest.raises(RegistryUnreachable):
        sign(services, **config)


def service(**more: Any) -> list[dict[str, Any]]:  # noqa: ANN401 - JSON
    return [{"url": "https://x.example", "majorApiVersion": 2, **more}]


@pytest.mark.parametrize(
    ("tlogs", "message"),
    [
        (service(majorApiVersion=3), "a service of version 2"),
        ([], "a service of version 2"),
        (service(url="ftp://x.example"), "http or https"),
        (service(url="https://a@x.example"), "http or https"),
    ],
)
def test_a_config_without_a_service_is_refused(
    services: Services, tlogs: list[object], message: str
) -> None:
    config = services.config()
    config["signingConfig"]["rekorTlogUrls"] = tlogs
    with pytest.raises(InvalidDocument, match=message):
        sign(services, **config)


def test_a_certificate_of_two_names_or_issuers_is_nobodys() -> None:
    instance = Instance()
    two = {ISSUER_V1: b"https://a.example", ISSUER_V2: b"\x0c\x11https://b.example"}
    for leaf in (
        instance.certificate(issuers=two),
        instance.certificate(name=x509.DNSName("x.example")),
    ):
        with pytest.raises(WrongIdentity, match="one name and one issuer"):
            identity_of(leaf)
    with pytest.raises(WrongIdentity, match="names an identity"):
        identity_of(instance.root.certificate)
