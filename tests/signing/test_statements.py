# SPDX-License-Identifier: Apache-2.0
"""Statements and claims: each claim reads back as itself, and a changed field is named."""

from collections.abc import Callable
from dataclasses import replace
from typing import TypeAlias

import pytest

from assay.signing import canonical
from assay.signing.digests import sha256
from assay.signing.errors import InvalidDocument
from assay.signing.revocation import Reason, Revocation
from assay.signing.statements import (
    SALT_BYTES,
    AcceptanceClaim,
    Breach,
    CheckpointClaim,
    Claim,
    ConductClaim,
    ConsentClaim,
    DatasetClaim,
    LiftingClaim,
    ListReference,
    Origin,
    OutputClaim,
    RevocationClaim,
    RunClaim,
    RunReference,
    SanctionClaim,
    Sanctioned,
    Statement,
    Subject,
    TakedownClaim,
    commit,
    party_commitment,
    predicate_type_of,
    sanctioned_commitment,
)
from assay.signing.verify.kinds import KIND_OF
from tests.signing.world import (
    AT,
    FILES,
    REGISTRY,
    RUN,
    checkpoint_claim,
    conduct_claim,
    conduct_reference,
    dataset_claim,
    manifest_of,
    output_claim,
    run_claim,
)
from tests.vectors.consents import consent_claim

DIGEST = "ab" * 32
MANIFEST = manifest_of(FILES)
OUTPUT = output_claim("text", MANIFEST.id, DIGEST)
BREACH = Breach(conduct=conduct_reference(), clause="coc:2.1", evidence_sha256=DIGEST)
CLAIMS: list[Claim] = [
    checkpoint_claim(REGISTRY, MANIFEST, run=RunReference(id=RUN, statement_sha256=DIGEST)),
    checkpoint_claim(REGISTRY, MANIFEST, run=None),
    run_claim(MANIFEST, DIGEST, AT),
    replace(run_claim(MANIFEST, DIGEST, AT), parent_sha256=DIGEST),
    dataset_claim(),
    conduct_claim(),
    AcceptanceClaim(conduct=conduct_reference(), commitment=DIGEST, accepted_at=AT),
    OUTPUT,
    replace(OUTPUT, claim=Origin.CALLER_ASSERTED, request_commitment=None, generation=None),
    replace(OUTPUT, claim=Origin.CALLER_ASSERTED, normalised_sha256=None),
    RevocationClaim(
        certificate_sha256=DIGEST,
        issuer="output-2",
        revocation=Revocation(serial=0x5F, revoked_at=AT, reason=Reason.SUPERSEDED),
    ),
    TakedownClaim(
        checkpoint_sha256=MANIFEST.id,
        checkpoint_statement_sha256=DIGEST,
        reason="A court forbade it.",
        taken_down_at=AT,
    ),
    TakedownClaim(
        checkpoint_sha256=MANIFEST.id,
        checkpoint_statement_sha256=DIGEST,
        reason="It was made to defraud.",
        taken_down_at=AT,
        breach=BREACH,
    ),
    *(
        SanctionClaim(
            against=against, subject_sha256=DIGEST, breach=BREACH, imposed_at=AT, until=until
        )
        for against in Sanctioned
        for until in (None, AT)
    ),
    LiftingClaim(statement_sha256=DIGEST, lifted_at=AT),
    AcceptanceClaim(
        conduct=conduct_reference(), commitment=DIGEST, accepted_at=AT, consent="cd" * 32
    ),
    consent_claim(),
    replace(OUTPUT, lines=ListReference(count=2, sha256=DIGEST)),
]
Parser: TypeAlias = Callable[[Statement], Claim]


def parser_of(claim: Claim) -> Parser:
    if isinstance(claim, ConsentClaim):  # no certificate is for them, and so no verifier's kind
        return ConsentClaim.parse
    return KIND_OF[claim.statement().predicate_type].parse


@pytest.mark.parametrize("claim", CLAIMS)
def test_a_claim_reads_back_from_its_signed_bytes(claim: Claim) -> None:
    statement = Statement.parse(claim.statement().canonical())
    assert parser_of(claim)(statement) == claim
    assert statement.sha256 == sha256(claim.statement().canonical())
    assert predicate_type_of(claim.statement().canonical()) == statement.predicate_type


def test_whom_a_sanction_is_against_is_recognised_with_the_salt_alone() -> None:
    salt, uri = b"s" * SALT_BYTES, f"{REGISTRY}/alice"
    found = sanctioned_commitment(salt, Sanctioned.PARTY, uri)
    assert found == party_commitment(salt, uri)
    assert found != sanctioned_commitment(salt, Sanctioned.NODE, uri)


def test_a_sanction_against_something_else_is_none() -> None:
    sanction = next(claim for claim in CLAIMS if isinstance(claim, SanctionClaim)).statement()
    other = replace(sanction, subjects=(Subject(name="project", sha256=DIGEST),))
    with pytest.raises(InvalidDocument, match="subject: expected one of party, node"):
        SanctionClaim.parse(other)


@pytest.mark.parametrize("claim", CLAIMS)
def test_a_claim_is_of_one_predicate_type(claim: Claim) -> None:
    other = replace(claim.statement(), predicate_type="https://assay/other/v1")
    with pytest.raises(InvalidDocument, match="predicateType: expected https://assay/"):
        parser_of(claim)(other)


@pytest.mark.parametrize("claim", CLAIMS)
def test_a_claim_has_no_other_fields(claim: Claim) -> None:
    statement = claim.statement()
    more = replace(statement, predicate={**statement.predicate, "note": "x"})
    with pytest.raises(InvalidDocument, match=r"predicate\.'note': expected no such field"):
        parser_of(claim)(more)


@pytest.mark.parametrize("claim", CLAIMS)
def test_every_field_of_a_claim_must_be_there(claim: Claim) -> None:
    statement = claim.statement()
    for field in statement.predicate:
        rest = {name: value for name, value in statement.predicate.items() if name != field}
        with pytest.raises(InvalidDocument, match=f"{field}: expected a value"):
            parser_of(claim)(replace(statement, predicate=rest))


@pytest.mark.parametrize("claim", CLAIMS)
def test_a_subject_that_does_not_follow_from_the_claim_is_refused(claim: Claim) -> None:
    statement = claim.statement()
    more = (*statement.subjects, Subject(name="other", sha256=DIGEST))
    with pytest.raises(InvalidDocument, match="subject: expected"):
        parser_of(claim)(replace(statement, subjects=more))


def change(claim: Claim, /, **fields: object) -> Statement:
    statement = claim.statement()
    return replace(statement, predicate={**statement.predicate, **fields})


@pytest.mark.parametrize(
    ("parse", "statement", "says"),
    [
        (CheckpointClaim.parse, change(CLAIMS[0], project="tiny"), "project: expected owner/name"),
        (CheckpointClaim.parse, change(CLAIMS[0], project="a/b/c"), "project: expected owner/name"),
        (
            CheckpointClaim.parse,
            change(CLAIMS[0], name="other"),
            "subject: expected 'alice/tiny@other'",
        ),
        (CheckpointClaim.parse, change(CLAIMS[0], oms={}), "oms.sha256: expected a value"),
        (
            CheckpointClaim.parse,
            change(CLAIMS[0], run={"id": "x"}),
            "run.statement: expected a value",
        ),
        (
            CheckpointClaim.parse,
            change(CLAIMS[0], dataset={"sha256": "x"}),
            "dataset.sha256: expected",
        ),
        (
            CheckpointClaim.parse,
            change(CLAIMS[0], conduct={"id": "x"}),
            "conduct.version: expected",
        ),
        (RunClaim.parse, change(CLAIMS[2], losses={"train": "1"}), "losses.validation: expected"),
        (
            RunClaim.parse,
            change(CLAIMS[2], losses={"train": "1,5", "validation": "1"}),
            "losses.train: expected a decimal number such as 1.41, found '1,5'",
        ),
        (RunClaim.parse, change(CLAIMS[2], started_at="2026"), "started_at: expected a time"),
        (
            OutputClaim.parse,
            change(CLAIMS[7], claim="sworn"),
            "claim: expected server-generated or",
        ),
        (
            OutputClaim.parse,
            change(CLAIMS[7], claim="caller-asserted"),
            "subject: expected 'content'",
        ),
        (
            OutputClaim.parse,
            change(CLAIMS[7], request={"commitment": 1}),
            "request.commitment: exp",
        ),
        (
            OutputClaim.parse,
            change(CLAIMS[7], checkpoint={"sha256": DIGEST}),
            "checkpoint.statement",
        ),
        (OutputClaim.parse, change(CLAIMS[9], claim="server-generated"), "`text.normalised`"),
        (ConductClaim.parse, change(CLAIMS[5], version="2.0"), "subject: expected 'conduct/comm"),
        (
            RevocationClaim.parse,
            change(CLAIMS[10], issuer="roots"),
            "issuer: expected one of check",
        ),
        (RevocationClaim.parse, change(CLAIMS[10], serial="5e"), "subject: expected 'certificate/"),
    ],
)
def test_a_changed_field_is_named(parse: Parser, statement: Statement, says: str) -> None:
    with pytest.raises(InvalidDocument, match=says):
        parse(statement)


def test_a_dataset_is_named_after_its_owner() -> None:
    assert dataset_claim().owner == "alice"
    nameless = replace(dataset_claim().statement(), subjects=(Subject(name="x", sha256=DIGEST),))
    with pytest.raises(InvalidDocument, match="name: expected owner/name, found 'x'"):
        DatasetClaim.parse(nameless)


GOOD = conduct_claim().statement()


@pytest.mark.parametrize(
    ("payload", "says"),
    [
        (b"[]", "statement: expected an object"),
        (GOOD.canonical().replace(b'"_type"', b' "_type"'), "the canonical form"),
        (
            GOOD.canonical().replace(b"Statement/v1", b"Statement/v0"),
            "_type: expected https://in-to",
        ),
        (
            GOOD.canonical().replace(b'{"digest":{"sha256"', b'{"digest":{"sha512"'),
            "sha512': expected no such field",
        ),
        (replace(GOOD, subjects=()).canonical(), "subject: expected at least one subject"),
        (replace(GOOD, subjects=GOOD.subjects * 3).canonical(), "subject: expected at most 2"),
        (
            canonical.dumps({"_type": "https://in-toto.io/Statement/v1"}),
            "subject: expected a value",
        ),
    ],
)
def test_another_payload_is_no_statement(payload: bytes, says: str) -> None:
    with pytest.raises(InvalidDocument, match=says):
        Statement.parse(payload)


def test_a_commitment_is_over_the_salt_and_the_canonical_value() -> None:
    salt = bytes(range(32))
    expected = sha256(salt + b'{"party":"http://registry.test/alice"}')
    assert party_commitment(salt, "http://registry.test/alice") == expected
    assert commit(salt, {"party": "http://registry.test/alice"}) == expected


def test_the_root_revokes_intermediates_and_these_their_leaves() -> None:
    claim = CLAIMS[10]
    assert isinstance(claim, RevocationClaim)
    for issuer in ("root", "output", "timestamp-3"):
        named = replace(claim, issuer=issuer)
        assert RevocationClaim.parse(named.statement()) == named


def test_a_short_salt_is_refused() -> None:
    with pytest.raises(InvalidDocument, match="salt: expected 32 random bytes, found 16"):
        party_commitment(bytes(16), "http://registry.test/alice")
