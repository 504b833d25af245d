# SPDX-License-Identifier: Apache-2.0
"""DSSE: what is signed, by one key, and the one form in which it is written."""

import pytest

from assay.signing import canonical, envelope
from assay.signing.envelope import Envelope
from assay.signing.errors import BadSignature, InvalidDocument, KeyUnusable
from assay.signing.keys import Curve, SoftwareKey

PAYLOAD = b'{"a":1}'
GOOD: dict[str, object] = Envelope(payload=PAYLOAD, signature=b"\x01").to_json()


def test_the_payload_is_signed_together_with_its_type() -> None:
    assert envelope.pae(PAYLOAD) == b'DSSEv1 28 application/vnd.in-toto+json 7 {"a":1}'


def test_an_envelope_verifies_under_its_key_and_no_other() -> None:
    key = SoftwareKey.generate()
    signed = envelope.sign(PAYLOAD, key)
    signed.verify(key.public_key)
    with pytest.raises(BadSignature):
        signed.verify(SoftwareKey.generate().public_key)
    with pytest.raises(BadSignature):
        Envelope(payload=PAYLOAD + b" ", signature=signed.signature).verify(key.public_key)


@pytest.mark.parametrize("curve", [Curve.P384, Curve.ED25519])
def test_only_a_p_256_key_signs_envelopes(curve: Curve) -> None:
    with pytest.raises(KeyUnusable, match=f"expected a P-256 key, found {curve}"):
        envelope.sign(PAYLOAD, SoftwareKey.generate(curve))


def test_an_envelope_parses_back_from_its_json() -> None:
    signed = envelope.sign(PAYLOAD, SoftwareKey.generate())
    assert Envelope.parse(canonical.loads(canonical.dumps(signed.to_json()))) == signed


def test_an_absent_key_id_is_an_empty_one() -> None:
    assert Envelope.parse({**GOOD, "signatures": [{"sig": "AQ=="}]}) == Envelope.parse(GOOD)


@pytest.mark.parametrize(
    ("changed", "says"),
    [
        ({"payloadType": "application/json"}, "payloadType: expected application/vnd.in-toto"),
        ({"payload": "e30"}, "payload: expected bytes in standard padded base64"),
        ({"payload": ""}, "payload: expected bytes"),
        ({"signatures": []}, "signatures: expected exactly one, found 0"),
        ({"signatures": [{"sig": "AQ=="}] * 2}, "signatures: expected exactly one, found 2"),
        ({"signatures": ["AQ=="]}, r"signatures\[0\].signature: expected an object"),
        (
            {"signatures": [{"sig": "AQ==", "keyid": "k"}]},
            r"signatures\[0\].keyid: expected nothing",
        ),
        ({"signatures": [{"sig": "AQ==", "cert": ""}]}, r"'cert': expected no such field"),
        ({"signatures": [{"sig": "AR=="}]}, r"signatures\[0\].sig: expected bytes"),
        ({"comment": ""}, "'comment': expected no such field"),
    ],
)
def test_another_form_is_refused(changed: dict[str, object], says: str) -> None:
    with pytest.raises(InvalidDocument, match=says):
        Envelope.parse({**GOOD, **changed})
