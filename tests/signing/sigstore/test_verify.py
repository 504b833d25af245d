# SPDX-License-Identifier: Apache-2.0
"""A Sigstore bundle verifies in eight steps, and each step fails for its own reasons."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, padding, rsa
from cryptography.hazmat.primitives.hashes import SHA256

from assay.signing.canonical import base64_decode, base64_text
from assay.signing.errors import (
    BadSignature,
    BadTimestamp,
    BadTreeHead,
    DigestMismatch,
    NotInLedger,
    NotLogged,
    Outcome,
    UntrustedChain,
    VerificationError,
)
from assay.signing.sigstore import Identity, Signed, check_subject
from assay.signing.sigstore.roots import Log, Period, find_log
from tests.signing.pki import AT, NOW, TIME_STAMPING, ec_key
from tests.signing.pki import signer as holder_below
from tests.signing.sigstore.bundles import ALICE, KINDS, Made, entry_body, envelope, judge, message
from tests.signing.sigstore.instance import FILE, Instance, sign, statement
from tests.signing.stamps import Stamp

LATER = AT + timedelta(hours=1)


@pytest.fixture
def instance() -> Instance:
    return Instance()


def entry_of(made: Made) -> Made:
    found: Made = made["verificationMaterial"]["tlogEntries"][0]
    return found


def stamps_of(made: Made) -> list[Made]:
    found: list[Made] = made["verificationMaterial"]["timestampVerificationData"][
        "rfc3161Timestamps"
    ]
    return found


def signature_of(made: Made) -> bytes:
    return base64_decode(made["dsseEnvelope"]["signatures"][0]["sig"])


def refuse(
    made: Made,
    instance: Instance,
    error: type[VerificationError],
    code: str,
    *,
    root: Made | None = None,
    identity: Identity = ALICE,
) -> None:
    """The step that fails is named, and those before it passed."""
    with pytest.raises(error) as caught:
        judge(made, instance, root=root, identity=identity)
    step = caught.value.step
    assert step is not None
    assert (step.code, step.outcome) == (f"sigstore.{code}", Outcome.FAILED)
    assert step.number == len(caught.value.passed) + 1


@pytest.mark.parametrize("kind", KINDS)
def test_an_envelope_verifies_whatever_the_form_of_its_entry(
    instance: Instance, kind: tuple[str, str]
) -> None:
    found = judge(envelope(instance, *kind), instance)
    assert (found.identity, found.at, len(found.steps)) == (ALICE, AT, 8)


@pytest.mark.parametrize("version", ["0.0.1", "0.0.2"])
def test_a_file_verifies(instance: Instance, version: str) -> None:
    made = message(instance, version)
    assert judge(made, instance).at == AT
    del made["messageSignature"]["messageDigest"]
    assert judge(made, instance).at == AT


def test_a_promise_is_as_good_as_a_timestamp(instance: Instance) -> None:
    made = envelope(instance, "hashedrekord", "0.0.1")
    material = made["verificationMaterial"]
    material["tlogEntries"][0] = instance.promise(entry_of(made))
    del material["timestampVerificationData"]
    assert judge(made, instance).at == AT


def test_a_log_with_an_ed25519_key_is_as_good() -> None:
    instance = Instance(rekor=ed25519.Ed25519PrivateKey.generate())
    assert judge(envelope(instance, "hashedrekord", "0.0.2"), instance).at == AT


@pytest.mark.parametrize("end", [AT, LATER])
@pytest.mark.parametrize("part", ["tlog", "ctlog", "fulcio", "tsa"])
def test_a_period_has_both_its_ends(instance: Instance, part: str, end: datetime) -> None:
    period = {"start": AT.isoformat(), "end": end.isoformat().replace("+00:00", "Z")}
    root = instance.trusted_root(**{part: period})
    assert judge(envelope(instance, "dsse", "0.0.1"), instance, root=root).at == AT


@pytest.mark.parametrize(
    ("part", "error", "code"),
    [
        ("tsa", BadTimestamp, "time"),
        ("fulcio", UntrustedChain, "certificate"),
        ("ctlog", NotLogged, "logged"),
        ("tlog", NotInLedger, "tree-head"),
    ],
)
@pytest.mark.parametrize("start", [AT - timedelta(days=9), AT + timedelta(seconds=1)])
def test_nobody_is_trusted_outside_the_period(
    instance: Instance, part: str, error: type[VerificationError], code: str, start: datetime
) -> None:
    end = start + timedelta(days=8)
    period = {"start": start.isoformat(), "end": end.isoformat()}
    root = instance.trusted_root(**{part: period})
    refuse(envelope(instance, "dsse", "0.0.1"), instance, error, code, root=root)


@pytest.mark.parametrize(
    ("part", "error", "code"),
    [
        ("timestampAuthorities", BadTimestamp, "time"),
        ("certificateAuthorities", UntrustedChain, "certificate"),
        ("ctlogs", NotLogged, "logged"),
        ("tlogs", NotInLedger, "tree-head"),
    ],
)
def test_whom_the_root_does_not_name_is_not_trusted(
    instance: Instance, part: str, error: type[VerificationError], code: str
) -> None:
    root = {**instance.trusted_root(), part: Instance().trusted_root()[part]}
    refuse(envelope(instance, "dsse", "0.0.1"), instance, error, code, root=root)


def test_a_timestamp_over_something_else_is_no_time(instance: Instance) -> None:
    made = envelope(instance, "dsse", "0.0.1")
    stamps_of(made)[0]["signedTimestamp"] = base64_text(instance.stamp(b"another"))
    refuse(made, instance, BadTimestamp, "time")


def test_an_authority_that_the_root_does_not_list_proves_no_time(instance: Instance) -> None:
    """Though it is certified by the root that is listed for another."""
    made = envelope(instance, "dsse", "0.0.1")
    other = holder_below(instance.root, purposes=[TIME_STAMPING])
    stamp = Stamp(holder=other, data=signature_of(made), at=AT)
    stamps_of(made)[0]["signedTimestamp"] = base64_text(stamp.response())
    refuse(made, instance, BadTimestamp, "time")


def test_every_time_must_be_within_the_certificates(instance: Instance) -> None:
    made = envelope(instance, "dsse", "0.0.1")
    late = base64_text(instance.stamp(signature_of(made), at=LATER))
    stamps_of(made).append({"signedTimestamp": late})
    refuse(made, instance, UntrustedChain, "certificate")


@pytest.mark.parametrize("field", ["integratedTime", "logIndex", "canonicalizedBody"])
def test_a_promise_binds_time_index_and_body(instance: Instance, field: str) -> None:
    made = envelope(instance, "dsse", "0.0.1")
    promised = instance.promise(entry_of(made))
    promised[field] = {"canonicalizedBody": base64_text(b"another")}.get(field, "17")
    made["verificationMaterial"]["tlogEntries"][0] = promised
    refuse(made, instance, NotInLedger, "time")


def test_a_promise_of_an_unknown_log_is_none(instance: Instance) -> None:
    made = envelope(instance, "dsse", "0.0.1")
    made["verificationMaterial"]["tlogEntries"][0] = instance.promise(entry_of(made))
    root = {**instance.trusted_root(), "tlogs": []}
    refuse(made, instance, NotInLedger, "time", root=root)


def test_a_root_that_issues_itself_is_its_own_issuer() -> None:
    instance = Instance()
    instance.fulcio = instance.root
    root = instance.trusted_root()
    root["certificateAuthorities"][0]["certChain"]["certificates"].pop()
    assert judge(envelope(instance, "dsse", "0.0.1"), instance, root=root).at == AT


def no_sct(instance: Instance) -> x509.Certificate:
    good = instance.certificate()
    names = good.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    usage = good.extensions.get_extension_for_class(x509.ExtendedKeyUsage).value
    return (
        x509.CertificateBuilder()
        .subject_name(good.subject)
        .issuer_name(good.issuer)
        .public_key(instance.signer.public_key())
        .serial_number(9)
        .not_valid_before(good.not_valid_before_utc)
        .not_valid_after(good.not_valid_after_utc)
        .add_extension(names, critical=True)
        .add_extension(usage, critical=False)
        .sign(instance.fulcio.key, SHA256())
    )


def two_scts(instance: Instance) -> x509.Certificate:
    one = instance.sct_list(b"s", AT)[2:]
    return instance.certificate(sct=(2 * len(one)).to_bytes(2, "big") + one + one)


SCTS: dict[str, Callable[[Instance], x509.Certificate]] = {
    "none": no_sct,
    "two": two_scts,
    "no list": lambda instance: instance.certificate(sct=b"\x00"),
    "over something else": lambda instance: instance.certificate(
        sct=instance.sct_list(sign(instance.ct, b"another"), AT)
    ),
    "with another hash": lambda instance: instance.certificate(
        sct=instance.sct_list(sign(instance.ct, b"another"), AT, hash_id=5)
    ),
}


@pytest.mark.parametrize("kind", SCTS)
def test_a_certificate_that_no_log_took_in_is_refused(instance: Instance, kind: str) -> None:
    made = envelope(instance, "dsse", "0.0.1", certificate=SCTS[kind](instance))
    refuse(made, instance, NotLogged, "logged")


def note_of(made: Made) -> str:
    note: str = entry_of(made)["inclusionProof"]["checkpoint"]["envelope"]
    return note


NOTES: dict[str, Callable[[str, Instance], str]] = {
    "unsigned": lambda note, _: note.partition("\n\n")[0] + "\n\n",
    "no note": lambda _, __: "x",
    "another size": lambda note, _: note.replace("\n2\n", "\n3\n", 1),
    "of another tree": lambda _, instance: instance.note(2, bytes(32)),
    "of another size": lambda _, instance: instance.note(
        3, base64_decode(note_of(envelope(instance, "dsse", "0.0.1")).split("\n")[2])
    ),
    "many signatures": lambda note, _: note + "— a AAAA\n" * 16,
    "a line that is none": lambda note, _: note + "- a AAAA\n",
    "a line without base64": lambda note, _: note + "— a AAA\n",
    "a line that goes on": lambda note, _: note + "— a AAAA",
    "a line that ends otherwise": lambda note, _: note[:-1] + "\x0b",
}


@pytest.mark.parametrize("kind", NOTES)
def test_another_tree_head_is_refused(instance: Instance, kind: str) -> None:
    made = envelope(instance, "dsse", "0.0.1")
    changed = NOTES[kind](note_of(made), instance)
    entry_of(made)["inclusionProof"]["checkpoint"]["envelope"] = changed
    refuse(made, instance, BadTreeHead, "tree-head")


def test_an_entry_that_is_not_in_the_tree_is_refused(instance: Instance) -> None:
    made = envelope(instance, "dsse", "0.0.1")
    entry_of(made)["inclusionProof"]["hashes"] = [base64_text(bytes(32))]
    refuse(made, instance, NotInLedger, "entry")


def test_a_signature_by_another_key_is_refused(instance: Instance) -> None:
    leaf = instance.certificate()
    instance.signer = ec_key()
    made = envelope(instance, "dsse", "0.0.1", certificate=leaf)
    refuse(made, instance, BadSignature, "signature")
    instance = Instance()
    made = message(instance)
    other = sign(ec_key(), FILE)
    made["messageSignature"]["signature"] = base64_text(other)
    stamps_of(made)[0]["signedTimestamp"] = base64_text(instance.stamp(other))
    refuse(made, instance, BadSignature, "signature")


def test_a_signature_over_another_file_is_refused(instance: Instance) -> None:
    refuse(message(instance, file=b"else"), instance, DigestMismatch, "signature")


@pytest.mark.parametrize("kind", [ec.SECP256K1(), ec.SECP521R1()])
def test_a_key_on_another_curve_is_refused(instance: Instance, kind: ec.EllipticCurve) -> None:
    instance.signer = ec_key(kind)
    made = envelope(instance, "dsse", "0.0.1")
    with pytest.raises(VerificationError):
        judge(made, instance)


def test_an_ed25519_key_signs_envelopes_and_no_files(instance: Instance) -> None:
    key: Any = ed25519.Ed25519PrivateKey.generate()
    instance.signer = key
    assert judge(envelope(instance, "dsse", "0.0.1"), instance).at == AT
    refuse(message(instance), instance, UntrustedChain, "signature")


def body(instance: Instance, **changes: Any) -> Made:  # noqa: ANN401 - any part of an entry
    """An envelope whose entry states other things, in the log all the same."""
    kind, version = changes.pop("kind", ("dsse", "0.0.1"))
    leaf = instance.certificate()
    made = envelope(instance, kind, version, certificate=leaf)
    stated = {
        "digest": hashlib.sha256(statement()).digest(),
        "signature": signature_of(made),
        "leaf": leaf,
        **changes,
    }
    value = changes.get("raw") or entry_body(
        kind, version, stated["digest"], stated["signature"], stated["leaf"]
    )
    made["verificationMaterial"]["tlogEntries"][0] = instance.log(kind, version, value)
    return made


BODIES: dict[str, Callable[[Instance], dict[str, Any]]] = {
    "another digest": lambda _: {"digest": bytes(32)},
    "another signature": lambda _: {"signature": b"s"},
    "another certificate": lambda instance: {"leaf": instance.fulcio.certificate},
    "an unknown kind": lambda _: {"kind": ("rpm", "0.0.1")},
    "no JSON": lambda _: {"raw": b"x"},
    "another kind inside": lambda _: {"raw": b'{"apiVersion":"0.0.1","kind":"rpm","spec":{}}'},
    "no spec": lambda _: {"raw": b'{"apiVersion":"0.0.1","kind":"dsse","spec":{}}'},
}


@pytest.mark.parametrize("kind", BODIES)
def test_an_entry_that_states_other_things_is_refused(instance: Instance, kind: str) -> None:
    made = body(instance, **BODIES[kind](instance))
    refuse(made, instance, NotInLedger, "body")


@pytest.mark.parametrize(
    ("old", "new"),
    [
        (b'"sha256"', b'"md5"'),
        (b'"signatures":[', b'"signatures":[{},'),
        (b'"value":"', b'"value":"x'),
        (b'"verifier":"LS0t', b'"verifier":"AAAA'),
    ],
)
def test_an_entry_that_cannot_be_read_is_refused(
    instance: Instance, old: bytes, new: bytes
) -> None:
    leaf = instance.certificate()
    made = envelope(instance, "dsse", "0.0.1", certificate=leaf)
    good = base64_decode(entry_of(made)["canonicalizedBody"])
    made["verificationMaterial"]["tlogEntries"][0] = instance.log(
        "dsse", "0.0.1", good.replace(old, new)
    )
    refuse(made, instance, NotInLedger, "body")


def test_a_files_signature_is_logged_as_one(instance: Instance) -> None:
    made = message(instance)
    leaf = base64_decode(made["verificationMaterial"]["certificate"]["rawBytes"])
    signature = base64_decode(made["messageSignature"]["signature"])
    digest = hashlib.sha256(FILE).digest()
    value = entry_body("dsse", "0.0.1", digest, signature, x509.load_der_x509_certificate(leaf))
    made["verificationMaterial"]["tlogEntries"][0] = instance.log("dsse", "0.0.1", value)
    refuse(made, instance, NotInLedger, "body")


def test_a_statement_is_about_its_subjects() -> None:
    content = Signed(
        payload_type="application/vnd.in-toto+json", payload=statement(), signature=b""
    )
    check_subject(content, hashlib.sha256(FILE).hexdigest())
    with pytest.raises(DigestMismatch, match="expected a statement about"):
        check_subject(content, "0" * 64)
    other = Signed(payload_type="text/plain", payload=statement(), signature=b"")
    with pytest.raises(DigestMismatch, match="payload of type"):
        check_subject(other, hashlib.sha256(FILE).hexdigest())
    value = {**json.loads(statement()), "_type": "https://example.test"}
    unknown = Signed(
        payload_type=content.payload_type, payload=json.dumps(value).encode(), signature=b""
    )
    with pytest.raises(DigestMismatch, match="in-toto statement"):
        check_subject(unknown, hashlib.sha256(FILE).hexdigest())


def test_a_log_with_an_rsa_key_signs_too() -> None:
    key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
    period = Period(start=NOW.start, end=None)
    log = Log(log_id=b"x", key=key.public_key(), period=period)
    signature = key.sign(b"data", padding.PKCS1v15(), SHA256())
    assert (log.signed(signature, b"data"), log.signed(signature, b"Data")) == (True, False)
    assert find_log([log], b"y") is None


def test_times_are_in_utc(instance: Instance) -> None:
    assert judge(envelope(instance, "dsse", "0.0.1"), instance).at.tzinfo is UTC
