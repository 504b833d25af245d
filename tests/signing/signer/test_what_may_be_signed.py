# SPDX-License-Identifier: Apache-2.0
"""The signer signs statements for the purpose and in the name that may say them, no others."""

from __future__ import annotations

import json
import re
from dataclasses import replace
from pathlib import Path

import pytest

from assay.signing import chains, oms, timestamps
from assay.signing.certificates import Purpose
from assay.signing.digests import sha256
from assay.signing.errors import SignerError
from assay.signing.signer.ceremony import AUDIT_FILE
from assay.signing.signer.client import SignerClient
from assay.signing.signer.errors import (
    BY_CODE,
    BadRequest,
    NotCertified,
    WrongPurpose,
    WrongStatement,
)
from assay.signing.statements import AcceptanceClaim, RunReference, Statement, Subject
from tests.signing import world
from tests.signing.signer.worlds import ALICE, BORN, POLICY, REGISTRY, TIMESTAMPS, output_statement
from tests.vectors.consents import consent_claim

CONDUCT = f"{REGISTRY}/conduct"
CHARLIE = f"{REGISTRY}/charlie"
MANIFEST = world.manifest_of(world.FILES)


def _checkpoint(registry: str = REGISTRY) -> bytes:
    return world.checkpoint_claim(registry, MANIFEST, run=None).statement().canonical()


def _without_dataset() -> bytes:
    run = RunReference(id=world.RUN, statement_sha256="11" * 32)
    claim = world.checkpoint_claim(REGISTRY, MANIFEST, run=run)
    return replace(claim, dataset_sha256=None).statement().canonical()


def _acceptance(consent: str | None = None) -> bytes:
    claim = AcceptanceClaim(
        conduct=world.conduct_reference(),
        commitment="77" * 32,
        accepted_at=BORN,
        consent=consent,
    )
    return claim.statement().canonical()


SIGNABLE = {
    "an output": (Purpose.OUTPUT, ALICE, output_statement()),
    "a checkpoint": (Purpose.CHECKPOINT, ALICE, _checkpoint()),
    "a dataset": (Purpose.CHECKPOINT, ALICE, world.dataset_claim().statement().canonical()),
    "a model": (Purpose.CHECKPOINT, ALICE, oms.statement("tiny", MANIFEST).canonical()),
    "a policy": (Purpose.CONDUCT, CONDUCT, world.conduct_claim().statement().canonical()),
    "an acceptance": (Purpose.CONDUCT, CONDUCT, _acceptance()),
    "an acceptance by key": (Purpose.CONDUCT, CONDUCT, _acceptance("88" * 32)),
}


@pytest.mark.parametrize("kind", SIGNABLE)
def test_a_statement_is_signed_stamped_and_written_down(
    client: SignerClient, folder: Path, kind: str
) -> None:
    purpose, subject, statement = SIGNABLE[kind]
    policy = None if purpose is Purpose.CONDUCT else POLICY
    signed = client.sign(purpose, subject, statement, policy)
    root = client.describe().trust_root.root
    signed.envelope.verify(signed.chain.public_key)
    assert signed.envelope.payload == statement
    stamped_at = timestamps.verify(
        signed.timestamp, data=signed.envelope.signature, root=root, authority=TIMESTAMPS
    )
    assert stamped_at == BORN
    found = chains.verify_chain(signed.chain, root=root, purpose=purpose, at=stamped_at)
    assert found == subject
    line = json.loads((folder / AUDIT_FILE).read_bytes())
    assert (line["op"], line["purpose"], line["subject"]) == ("sign", purpose, subject)
    assert line["statement_sha256"] == sha256(statement)
    assert line["certificate_serial"] == f"{signed.chain.leaf.serial_number:x}"


@pytest.mark.parametrize(
    ("purpose", "subject", "statement", "said"),
    [
        pytest.param(
            Purpose.CHECKPOINT, ALICE, output_statement(), "purpose checkpoint", id="purpose"
        ),
        pytest.param(Purpose.OUTPUT, ALICE, _checkpoint(), "purpose output", id="other purpose"),
        pytest.param(Purpose.CHECKPOINT, CHARLIE, _checkpoint(), "/charlie may", id="stranger"),
        pytest.param(
            Purpose.CHECKPOINT, f"{ALICE}x", _checkpoint(), "/alicex may", id="longer name"
        ),
        pytest.param(
            Purpose.CHECKPOINT, ALICE, _checkpoint("http://elsewhere"), "registry", id="registry"
        ),
        pytest.param(
            Purpose.CHECKPOINT, ALICE, _without_dataset(), "dataset of the run", id="no dataset"
        ),
        pytest.param(
            Purpose.CONDUCT,
            ALICE,
            world.conduct_claim().statement().canonical(),
            "found one for http://localhost:8000/conduct",
            id="policy by a member",
        ),
        pytest.param(
            Purpose.CONDUCT,
            ALICE,
            _acceptance(),
            "found one for http://localhost:8000/conduct",
            id="acceptance by a member",
        ),
        pytest.param(
            Purpose.CONDUCT,
            CONDUCT,
            consent_claim().statement().canonical(),
            "found 'https://assay/consent/v1'",
            id="a party's own consent",
        ),
        pytest.param(Purpose.OUTPUT, ALICE, b"{}", "malformed", id="no statement"),
        pytest.param(Purpose.OUTPUT, ALICE, output_statement() + b" ", "canonical", id="spaces"),
        pytest.param(Purpose.OUTPUT, ALICE, b"localhost\n1\nAAAA\n", "JSON", id="tree head"),
        pytest.param(
            Purpose.OUTPUT,
            ALICE,
            Statement(
                subjects=(Subject(name="x", sha256="11" * 32),),
                predicate_type="https://elsewhere/v1",
                predicate={},
            ).canonical(),
            "found 'https://elsewhere/v1'",
            id="foreign predicate",
        ),
    ],
)
def test_another_statement_is_refused_and_leaves_no_trace(
    client: SignerClient,
    folder: Path,
    purpose: Purpose,
    subject: str,
    statement: bytes,
    said: str,
) -> None:
    with pytest.raises(WrongStatement, match=said) as caught:
        client.sign(purpose, subject, statement)
    assert caught.value.reason == "wrong-statement"
    assert (folder / AUDIT_FILE).read_bytes() == b""


@pytest.mark.parametrize("purpose", [Purpose.NODE, Purpose.TIMESTAMP])
def test_runs_and_timestamps_are_not_signed_on_request(
    client: SignerClient, purpose: Purpose
) -> None:
    with pytest.raises(WrongPurpose, match=f"found '{purpose}'"):
        client.sign(purpose, ALICE, output_statement())


@pytest.mark.parametrize(
    "subject",
    [
        "http://elsewhere/alice",
        "http://localhost:8000.evil/alice",
        f"{REGISTRY}/",
        REGISTRY,
        f"{REGISTRY}/a b",
        f"{REGISTRY}/\x1b[31m",
        f"{REGISTRY}/ålice",
    ],
)
def test_a_subject_that_is_not_ours_is_refused(client: SignerClient, subject: str) -> None:
    with pytest.raises(BadRequest, match="subject: expected a URL below"):
        client.sign(Purpose.OUTPUT, subject, output_statement(), POLICY)


def test_nobody_signs_without_a_certificate(bare: SignerClient, bare_folder: Path) -> None:
    with pytest.raises(NotCertified, match="of http://localhost:8000/alice for output, found none"):
        bare.sign(Purpose.OUTPUT, ALICE, output_statement(), POLICY)
    with pytest.raises(NotCertified, match="a certificate of the timestamp authority, found none"):
        bare.timestamp(timestamps.request(b"data"))
    assert (bare_folder / AUDIT_FILE).read_bytes() == b""


def test_a_timestamp_is_given_and_written_down(client: SignerClient, folder: Path) -> None:
    response = client.timestamp(timestamps.request(b"data"))
    root = client.describe().trust_root.root
    assert timestamps.verify(response, data=b"data", root=root, authority=TIMESTAMPS) == BORN
    assert json.loads((folder / AUDIT_FILE).read_bytes())["op"] == "timestamp"


def test_a_malformed_query_gets_rfc_3161s_failure_and_no_audit_line(
    client: SignerClient, folder: Path
) -> None:
    response = client.timestamp(b"not a query")
    root = client.describe().trust_root.root
    with pytest.raises(Exception, match="rejection"):
        timestamps.verify(response, data=b"data", root=root, authority=TIMESTAMPS)
    assert (folder / AUDIT_FILE).read_bytes() == b""


def test_no_two_timestamps_have_one_serial_number(client: SignerClient, folder: Path) -> None:
    for _ in range(20):
        client.timestamp(timestamps.request(b"data"))
    lines = [json.loads(line) for line in (folder / AUDIT_FILE).read_bytes().splitlines()]
    assert len({line["timestamp_serial"] for line in lines}) == 20


def test_each_refusal_of_the_spec_has_its_error() -> None:
    spec = Path(__file__).parents[3].joinpath("docs", "spec", "signer.md").read_text()
    listed = re.findall(r"`([a-z]+(?:-[a-z]+)+)`", spec.partition("A failure answers")[2])
    assert {"bad-request", "ledger-rollback"} < set(listed) <= set(BY_CODE)
    for code, kind in BY_CODE.items():
        error = kind("why")
        assert (error.reason, error.code, str(error)) == (code, code, "why")
        assert error.exit_code == SignerError.exit_code
