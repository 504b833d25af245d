# SPDX-License-Identifier: Apache-2.0
"""A report on C2PA media is judged by all that is in it, not by its word for the state."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from assay.signing.credentials import Credentials, in_words, judge, label
from assay.signing.errors import BadCredentials, BrokenLink, InvalidDocument
from assay.signing.statements import Origin
from tests.signing.claiming import LABEL, report, said
from tests.signing.signer.worlds import REGISTRY
from tests.signing.world import output_claim


@pytest.mark.parametrize(
    ("registry", "name"),
    [
        ("http://localhost:8000", "localhost.assay.output"),
        ("https://models.example.org", "org.example.models.assay.output"),
    ],
)
def test_the_assertion_is_named_by_the_registrys_host(registry: str, name: str) -> None:
    assert label(registry) == name


def test_what_a_manifest_says_is_read() -> None:
    found = judge(report(), registry=REGISTRY)
    assert found == said()
    assert in_words(found) == f"caller-asserted, from sha256:{'1' * 64}, entry 7 of the ledger"


def with_manifest(**changes: object) -> dict[str, Any]:
    (manifest,) = report()["manifests"].values()
    return report(manifests={"urn:c2pa:1": manifest | changes})


def with_data(**changes: object) -> dict[str, Any]:
    return with_manifest(assertions=[{"label": LABEL, "data": said().to_json() | changes}])


def with_results(**changes: object) -> dict[str, Any]:
    return report(validation_results=report()["validation_results"] | changes)


FAILED = [{"code": "assertion.dataHash.mismatch"}]


@pytest.mark.parametrize(
    ("document", "says"),
    [
        ([], "the C2PA manifest is no registry's: report: expected an object"),
        ({}, "validation_state: expected"),
        (report(validation_state="Valid"), "that is Trusted under the pinned root, found Valid"),
        (report(validation_status=FAILED), "without any failure, found assertion.dataHash.mism"),
        (with_results(activeManifest={"failure": FAILED}), "found assertion.dataHash.mismatch"),
        (
            with_results(ingredientDeltas=[{"validationDeltas": {"failure": FAILED}}]),
            "found assertion.dataHash.mismatch",
        ),
        (
            with_manifest(
                ingredients=[{"validation_results": {"activeManifest": {"failure": FAILED}}}]
            ),
            "found assertion.dataHash.mismatch",
        ),
        (with_results(activeManifest={"success": []}), "expected a timestamp of the registry's"),
        (with_results(activeManifest={}), "expected a timestamp of the registry's"),
        (report(manifests={"a": {}, "b": {}}), "found 2: others have worked on this file since"),
        (report(active_manifest="urn:c2pa:2"), "urn:c2pa:2"),
        (
            with_manifest(assertions=[]),
            f"expected one assertion {LABEL} in the C2PA manifest, found 0",
        ),
        (
            with_manifest(assertions=[{"label": LABEL, "data": said().to_json()}] * 2),
            "found 2",
        ),
        (with_manifest(assertions=["none", {"label": "x"}]), "found 0"),
        (with_data(registry="https://other.example"), "found one of 'https://other.example'"),
        (with_data(claim="hearsay"), "claim: expected server-generated or caller-asserted"),
        (with_data(type="https://assay/media/v9"), "type: expected"),
        (with_data(index=-1), "index: expected"),
        (with_data(extra=1), "extra"),
        (with_data(checkpoint={}), "checkpoint"),
    ],
)
def test_any_other_is_refused(document: object, says: str) -> None:
    with pytest.raises(BadCredentials) as refusal:
        judge(document, registry=REGISTRY)
    assert says in str(refusal.value)


def test_the_document_is_read_as_it_is_written() -> None:
    assert Credentials.parse(said().to_json()) == said()
    with pytest.raises(InvalidDocument, match="output"):
        Credentials.parse({**said().to_json(), "output": 7})


def test_another_outputs_manifest_is_told_apart() -> None:
    claim = output_claim("a text", "1" * 64, "2" * 64)
    same = said(
        output=claim.output,
        claim=claim.claim,
        checkpoint_sha256=claim.checkpoint_sha256,
        checkpoint_statement_sha256=claim.checkpoint_statement_sha256,
    )
    same.check(claim)
    other = next(each for each in Origin if each is not claim.claim)
    differing: tuple[dict[str, Any], ...] = (
        {"output": "another"},
        {"claim": other},
        {"checkpoint_sha256": "3" * 64},
        {"checkpoint_statement_sha256": "4" * 64},
    )
    for changes in differing:
        with pytest.raises(BrokenLink, match="in the C2PA manifest, as the output's statement has"):
            replace(same, **changes).check(claim)
