# SPDX-License-Identifier: Apache-2.0
"""The trusted root says until when each authority is believed, and clients hold it to that."""

from __future__ import annotations

import base64
import json
import time
from datetime import datetime, timedelta

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding
from django.test import Client
from django.utils import timezone

from assay.signing import timestamps
from assay.signing.canonical import base64_text
from assay.signing.certificates import Purpose
from assay.signing.digests import sha256
from assay.signing.errors import BadTimestamp, UntrustedChain, VerificationError
from assay.signing.intermediates import Name
from assay.signing.revocation import Reason
from assay.signing.sigstore import SigstoreBundle, TrustedRoot, verify
from assay.signing.sigstore.certificate import identity_of
from assay.signing.sigstore.roots import Authority as Listed
from registry import wakeups
from registry.authority import compromise, revocations
from registry.sigstore import material, tasks
from tests.issuer import Issuer
from tests.registry.authority.test_rotating import say
from tests.registry.sigstore.asking import CERTIFICATES, ENTRIES, certificates, csr, hashed, post
from tests.registry.sigstore.asking import token as token_of
from tests.running import Authority

pytestmark = pytest.mark.django_db(transaction=True)
KEY = ec.generate_private_key(ec.SECP256R1())
FILE = b"a file"
DIGEST_TYPE = {"algorithm": "SHA2_256"}
JUST_BEFORE = timedelta(milliseconds=1)


@pytest.fixture(autouse=True)
def _a_timestamp_authority_of_our_own(transactional_db: None, authority: Authority) -> None:
    """Which this test's rows know, as a registry's do; the first one is older than the database."""
    say("rotate", "timestamp", *authority.root_words)


@pytest.fixture
def leaf(authority: Authority, issuer: Issuer, client: Client) -> x509.Certificate:
    found, *_ = certificates(post(client, CERTIFICATES, csr(KEY), bearer=token_of(issuer)))
    return found


def bundle(client: Client, leaf: x509.Certificate) -> SigstoreBundle:
    """A new signature over the file, logged and timestamped, as stock clients put it together."""
    request = hashed(KEY, leaf, FILE)
    asked = request["hashedRekordRequestV002"]
    signature = asked["signature"]["content"]
    entry = post(client, ENTRIES, request)
    assert entry.status_code == 201, entry.content
    query = timestamps.request(base64.b64decode(signature))
    stamp = client.post("/api/v1/timestamp", query, content_type="application/timestamp-query")
    made = {
        "mediaType": "application/vnd.dev.sigstore.bundle.v0.3+json",
        "verificationMaterial": {
            "certificate": {"rawBytes": base64_text(leaf.public_bytes(Encoding.DER))},
            "tlogEntries": [json.loads(entry.content)],
            "timestampVerificationData": {
                "rfc3161Timestamps": [{"signedTimestamp": base64_text(stamp.content)}]
            },
        },
        "messageSignature": {
            "messageDigest": {**DIGEST_TYPE, "digest": asked["digest"]},
            "signature": signature,
        },
    }
    return SigstoreBundle.parse(json.dumps(made).encode())


def root_of(client: Client) -> TrustedRoot:
    return TrustedRoot.parse(client.get("/.well-known/assay/trusted_root.json").content)


def check(found: SigstoreBundle, root: TrustedRoot) -> None:
    who = identity_of(found.certificate)
    verify(found, root=root, identity=who, sha256=bytes.fromhex(sha256(FILE)))


def next_second() -> datetime:
    """A whole second between what was signed before and what will be."""
    time.sleep(1.1)
    now = timezone.now().replace(microsecond=0)
    time.sleep(1.1)
    return now


@pytest.mark.parametrize(
    ("purpose", "refusal"), [("timestamp", BadTimestamp), ("identity", UntrustedChain)]
)
def test_what_was_signed_before_a_compromise_verifies_and_what_was_later_does_not(
    authority: Authority,
    client: Client,
    leaf: x509.Certificate,
    purpose: str,
    refusal: type[VerificationError],
) -> None:
    before = bundle(client, leaf)
    since = next_second()
    later = bundle(client, leaf)
    for each in (before, later):
        check(each, root_of(client))
    say("compromise", purpose, "--since", since.isoformat(), *authority.root_words)
    say("rotate", purpose, *authority.root_words)
    root = root_of(client)
    check(before, root)
    with pytest.raises(refusal):
        check(later, root)


def ends(listed: tuple[Listed, ...]) -> dict[str, datetime | None]:
    """By the name of the intermediate."""
    intermediates = [each.chain[-2] for each in listed]
    return {
        str(Name.of(intermediate)): each.period.end
        for each, intermediate in zip(listed, intermediates, strict=True)
    }


@pytest.mark.parametrize("purpose", ["output", "checkpoint"])
def test_a_compromised_intermediate_ends_when_its_key_was_lost(
    authority: Authority, client: Client, purpose: str
) -> None:
    root_of(client)
    since = timezone.now().replace(microsecond=0)
    say("compromise", purpose, "--since", since.isoformat(), *authority.root_words)
    say("rotate", purpose, *authority.root_words)
    found = ends(root_of(client).authorities)
    assert found[purpose] == since - JUST_BEFORE
    others = {end for name, end in found.items() if name != purpose}
    assert all(end is not None and end > since + timedelta(days=300) for end in others)
    assert f"{purpose}-2" in found


def test_an_intermediate_that_was_never_believed_is_not_listed(
    authority: Authority, client: Client
) -> None:
    root_of(client)
    words = ("--since", "2026-01-02T03:04:05+00:00", *authority.root_words)
    say("compromise", "output", *words)
    assert "output" not in ends(root_of(client).authorities)


def test_one_that_is_stopped_ends_then_until_the_root_says_more(
    authority: Authority, client: Client
) -> None:
    began = timezone.now()
    root_of(client)
    compromise.stop(Name(purpose=Purpose.OUTPUT))
    end = ends(root_of(client).authorities)["output"]
    assert end is not None
    assert began - JUST_BEFORE <= end <= timezone.now()


def test_a_revoked_timestamp_certificate_ends_too(authority: Authority, client: Client) -> None:
    root_of(client)
    (old,) = material.current().timestamps
    since = next_second()
    serial = f"{old.leaf.serial_number:x}"
    revocations.revoke(serial, Reason.KEY_COMPROMISE, invalid_from=since)
    found = {each.chain[0]: each.period.end for each in root_of(client).timestamp_authorities}
    assert len(found) == 2  # a new one is certified in its place
    assert found[old.leaf] == since - JUST_BEFORE


def test_trusted_roots_are_distributed_at_once(
    authority: Authority, monkeypatch: pytest.MonkeyPatch
) -> None:
    told: list[str] = []
    monkeypatch.setattr(wakeups, "_send", lambda name, _args: told.append(name))
    since = timezone.now().replace(microsecond=0).isoformat()
    for words in (("compromise", "output", "--since", since), ("rotate", "output")):
        told.clear()
        say(*words, *authority.root_words)
        assert tasks.distribute.name in told
