# SPDX-License-Identifier: Apache-2.0
"""What one key may sign, no other key may: every statement, and every other form of signature.

Each case is a good one signed again by another key of the same registry, under the name that the
verifier expects; by its own key it verifies.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Mapping
from dataclasses import replace

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.x509 import ocsp as other

from assay.signing import (
    crls,
    der,
    merkle,
    ocsp,
    ocspstatus,
    oms,
    scts,
    timestamps,
    tokens,
    treehead,
)
from assay.signing.bundle import ledger_leaf
from assay.signing.canonical import base64_text
from assay.signing.certificates import Chain, Purpose
from assay.signing.envelope import Envelope, pae
from assay.signing.errors import (
    BadRevocation,
    BadSignature,
    BadTimestamp,
    BadTreeHead,
    NotLogged,
    UntrustedChain,
    VerificationError,
    WrongPurpose,
)
from assay.signing.keys import Signer
from assay.signing.revocation import NotRevoked
from assay.signing.statements import PURPOSE_OF, ListReference, PeriodClaim, Statement
from assay.signing.tokens import Token
from assay.signing.verify import examine_bundle, verify_bundle
from assay.signing.verify.kinds import KIND_OF
from tests.signing.batching import batch_claim, placed
from tests.signing.evaluating import evidence_for_evaluation, withdrawal_of
from tests.signing.revoking import PERIOD, case_of, question, responder_of
from tests.signing.test_statements import CLAIMS
from tests.signing.world import AT, FILES, REGISTRY, Signed, World, checkpoint_claim, manifest_of

WORLD = World.create(at=AT)
LISTED = ListReference(count=1, sha256="ab" * 32)


def statements() -> dict[str, Statement]:
    """One of each kind that a certificate is for."""
    evaluated = evidence_for_evaluation(WORLD)
    listed = replace(checkpoint_claim(REGISTRY, manifest_of(FILES), run=None), tensors=LISTED)
    claims = [
        *CLAIMS,
        listed,
        batch_claim(evaluated, placed(["a", "b"])),
        withdrawal_of(evaluated),
        PeriodClaim(lines_sha256="ab" * 32, lines=1, first=0, end=1, made_at=AT),
    ]
    found = [each.statement() for each in claims]
    found += [oms.statement("tiny", manifest_of(FILES))]
    found += [Statement.parse(evaluated.bundles["evaluation"].envelope.payload)]
    return {each.predicate_type: each for each in found if each.predicate_type in KIND_OF}


STATEMENTS = statements()


def path_of(statement: Statement) -> str:
    """Whoever may sign it, below the registry."""
    kind = KIND_OF[statement.predicate_type]
    expected = kind.signer(kind.parse(statement), REGISTRY).removeprefix(f"{REGISTRY}/")
    return expected or "alice"


def test_no_kind_is_left_out() -> None:
    assert STATEMENTS.keys() == KIND_OF.keys()


@pytest.mark.parametrize("purpose", list(Purpose))
@pytest.mark.parametrize("predicate_type", STATEMENTS)
def test_a_statement_is_for_the_keys_of_one_purpose(predicate_type: str, purpose: Purpose) -> None:
    statement, own = STATEMENTS[predicate_type], PURPOSE_OF[predicate_type]
    bundle = WORLD.bundle(WORLD.sign(statement, purpose, path_of(statement)))
    if purpose is own:
        verify_bundle(bundle, basis=WORLD.basis(), purpose=own)
        return
    found = examine_bundle(bundle, basis=WORLD.basis(), purpose=own)
    assert [step.code for step in found.failures] == ["bundle.signer"]
    with pytest.raises(WrongPurpose):
        found.verdict()
    # Nor does it help to say that it is the other purpose's.
    found = examine_bundle(bundle, basis=WORLD.basis(), purpose=purpose)
    assert [step.code for step in found.failures] == ["bundle.statement"]
    with pytest.raises(WrongPurpose):
        found.verdict()


CASE = case_of(WORLD)
RESPONDER = responder_of(CASE.issuer, log=WORLD.log_key)
DATA = b"a signature"
KEYS: Mapping[str, Signer] = {
    **{
        f"a leaf's for {each}": WORLD.leaf(each, f"{REGISTRY}/{path}")[0]
        for each, path in {
            **dict.fromkeys(Purpose, "alice"),
            Purpose.TIMESTAMP: "timestamp",
        }.items()
    },
    **{f"the intermediate's for {each}": WORLD.issuers[each].key for each in Purpose},
    "the root's": WORLD.root.key,
    "the ledger's": WORLD.ledger_key,
    "the certificate log's": WORLD.log_key,
    "the responder's": RESPONDER.key,
}


def statement_by(key: Signer) -> None:
    statement = Statement.parse(STATEMENTS["https://assay/dataset/v1"].canonical())
    _, chain = WORLD.leaf(Purpose.CHECKPOINT, f"{REGISTRY}/alice")
    payload = statement.canonical()
    signed = Envelope(payload=payload, signature=key.sign(pae(payload)))
    WORLD.entries.append(merkle.leaf_hash(ledger_leaf(signed, chain.leaf)))
    whole = Signed(
        envelope=signed,
        chain=chain,
        timestamp=WORLD.timestamp(signed.signature),
        index=len(WORLD.entries) - 1,
    )
    verify_bundle(WORLD.bundle(whole), basis=WORLD.basis(), purpose=Purpose.CHECKPOINT)


def timestamp_by(key: Signer) -> None:
    _, chain = WORLD.leaf(Purpose.TIMESTAMP, f"{REGISTRY}/timestamp")
    imprint = tokens.imprint(tokens.Algorithm.SHA256, _sha256(DATA), has_null=True)
    info = tokens.info(imprint=imprint, serial=1, at=AT, nonce=None)
    attributes = tokens.signed_attributes(info, chain.to_der()[0])
    token = Token(
        info=info,
        signed_attributes=attributes,
        signature=key.sign(attributes),
        certificates=chain.to_der(),
    )
    timestamps.verify(
        tokens.granted(token, chain),
        data=DATA,
        root=WORLD.root.certificate,
        authority=timestamps.authority(REGISTRY),
    )


def certificate_timestamp_by(key: Signer) -> None:
    _, chain = WORLD.leaf(Purpose.OUTPUT, f"{REGISTRY}/alice")
    made = scts.make(chain.leaf, issuer=chain.intermediate, key=WORLD.log_key, at=AT)
    signed = scts._signed_bytes(chain.leaf, chain.intermediate, made.milliseconds)
    sct = replace(made, signature=key.sign(signed))
    leaf = scts.certificate(chain.leaf, sct, issuer=WORLD.issuers[Purpose.OUTPUT])
    log = WORLD.log_key.public_key
    scts.verify(leaf, issuer=chain.intermediate, log=log, by=AT)


def tree_head_by(key: Signer) -> None:
    verifier = treehead.Verifier.parse(WORLD.trust.verifier)
    body = WORLD.note().partition("\n\n")[0] + "\n"
    line = base64_text(verifier.hint + key.sign(body.encode()))
    treehead.verify(f"{body}\n— {verifier.origin} {line}\n", WORLD.trust.verifier)


def list_by(key: Signer) -> None:
    issuer = CASE.issuer
    tbs = x509.load_der_x509_crl(CASE.crl()).tbs_certlist_bytes
    signed = der.sequence(tbs, crls.algorithm_of(issuer.key.public_key), der.bits(key.sign(tbs)))
    found = crls.status_of(CASE.certificate, issuer=issuer.certificate, lists=[signed], at=AT)
    assert isinstance(found, NotRevoked)


def answer_by(key: Signer) -> None:
    issuer, good = CASE.issuer.certificate, NotRevoked(said_at=AT)
    response = ocsp.respond(question(CASE), good, responder=RESPONDER, period=PERIOD)
    tbs = other.load_der_ocsp_response(response).tbs_response_bytes
    signed = ocsp.assemble(
        tbs,
        crls.algorithm_of(RESPONDER.key.public_key),
        key.sign(tbs),
        (RESPONDER.certificate.public_bytes(Encoding.DER),),
    )
    log = WORLD.log_key.public_key
    found = ocspstatus.status_of(CASE.certificate, issuer=issuer, response=signed, log=log, at=AT)
    assert found == good


def certificate_by(key: Signer) -> None:
    """By its intermediate's; the timestamp in it is of the log, over what is signed."""
    _, chain = WORLD.leaf(Purpose.OUTPUT, f"{REGISTRY}/alice")
    body = chain.leaf.tbs_certificate_bytes
    algorithm = crls.algorithm_of(WORLD.issuers[Purpose.OUTPUT].key.public_key)
    leaf = der.sequence(body, algorithm, der.bits(key.sign(body)))
    found = Chain.parse([leaf, chain.to_der()[1]])
    world = replace(WORLD, leaves={**WORLD.leaves})
    subject = (Purpose.OUTPUT, f"{REGISTRY}/alice")
    world.leaves[subject] = WORLD.leaves[subject][0], found
    statement = STATEMENTS["https://assay/output/v1"]
    bundle = world.bundle(world.sign(statement, Purpose.OUTPUT, "alice"))
    verify_bundle(bundle, basis=world.basis(), purpose=Purpose.OUTPUT)


Form = Callable[[Signer], None]
OWN: Mapping[Form, tuple[str, type[VerificationError]]] = {
    statement_by: ("a leaf's for checkpoint", BadSignature),
    timestamp_by: ("a leaf's for timestamp", BadTimestamp),
    certificate_timestamp_by: ("the certificate log's", NotLogged),
    tree_head_by: ("the ledger's", BadTreeHead),
    list_by: ("the intermediate's for output", BadRevocation),
    answer_by: ("the responder's", BadRevocation),
    certificate_by: ("the intermediate's for output", UntrustedChain),
}


@pytest.mark.parametrize("key", KEYS)
@pytest.mark.parametrize("form", OWN, ids=lambda form: form.__name__)
def test_a_signature_is_its_own_keys(form: Form, key: str) -> None:
    own, error = OWN[form]
    if key == own:
        form(KEYS[key])
        return
    with pytest.raises(error):
        form(KEYS[key])


def _sha256(data: bytes) -> bytes:
    return hashlib.sha256(data).digest()
