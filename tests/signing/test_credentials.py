# SPDX-License-Identifier: Apache-2.0
"""A report on C2PA media is judged by all that is in it, not by its word for the state."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from assay.signing.credentials import (
    Credentials,
    defined,
    definition,
    in_words,
    judge,
    label,
    of_stranger,
)
from assay.signing.errors import BadCredentials, BrokenLink, InvalidDocument
from assay.signing.statements import Origin
from tests.signing.claiming import report, said
from tests.signing.signer.worlds import REGISTRY
from tests.signing.world import output_claim
from tests.vectors.credentials import credentials_vectors


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


GIVEN: Any = json.loads(
    (Path(__file__).parents[1] / "vectors/credentials.json").read_text(encoding="ascii")
)
SAYS = {
    "no object": "the C2PA manifest is no registry's: report: expected an object",
    "nothing in it": "validation_state: expected",
    "valid, and not trusted": "that is Trusted under the pinned root, found Valid",
    "a failure of the whole": "without any failure, found assertion.dataHash.mismatch",
    "a failure of the manifest": "found assertion.dataHash.mismatch",
    "a failure of what it was made from": "found assertion.dataHash.mismatch",
    "a failure that its maker saw": "found assertion.dataHash.mismatch",
    "no timestamp": "expected a timestamp of the registry's authority",
    "two manifests": "found 2: others have worked on this file since",
    "an active manifest that is not there": "urn:c2pa:2",
    "no assertion of the registry's": "in the C2PA manifest, found 0",
    "two of them": "in the C2PA manifest, found 2",
    "another registry's": "found one of 'https://other.example'",
    "another claim": "claim: expected server-generated or caller-asserted",
    "another version": "type: expected",
    "an index below zero": "index: expected",
    "a field too many": "extra",
    "no checkpoint": "checkpoint",
}


@pytest.mark.parametrize("case", GIVEN["refused"], ids=lambda case: case["why"])
def test_any_other_is_refused(case: Any) -> None:  # noqa: ANN401 - JSON
    with pytest.raises(BadCredentials) as refusal:
        judge(case["report"], registry=GIVEN["registry"])
    assert SAYS[case["why"]] in str(refusal.value)


def test_the_vectors_are_those_of_now() -> None:
    assert json.loads(json.dumps(credentials_vectors())) == GIVEN


def test_without_any_word_on_success_there_is_no_timestamp() -> None:
    results: dict[str, Any] = {"activeManifest": {}}
    with pytest.raises(BadCredentials, match="expected a timestamp"):
        judge(report(validation_results=results), registry=REGISTRY)


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


@pytest.mark.parametrize("found", GIVEN["strangers"])
def test_a_whole_manifest_by_somebody_unknown_is_read_and_not_believed(found: Any) -> None:  # noqa: ANN401 - JSON
    assert of_stranger(found, registry=GIVEN["registry"]) == said()
    with pytest.raises(BadCredentials, match="without any failure"):
        judge(found, registry=GIVEN["registry"])


@pytest.mark.parametrize("case", GIVEN["no_strangers"], ids=lambda case: case["why"])
def test_any_other_fault_is_no_strangers(case: Any) -> None:  # noqa: ANN401 - JSON
    assert of_stranger(case["report"], registry=GIVEN["registry"]) is None


def test_a_definition_is_what_follows_from_its_assertion() -> None:
    made = definition(said(), name="alice/tiny@step-100", media_type="image/png")
    again = json.loads(json.dumps(made))
    assert defined(again, registry=REGISTRY, media_type="image/png") == said()
    marked = definition(said(), name="a", media_type="image/png", is_marked=True)
    others: list[object] = [marked, {**made, "title": "more"}, {**made, "ingredients": []}, {}, []]
    for other in others:
        with pytest.raises((BadCredentials, InvalidDocument)):
            defined(other, registry=REGISTRY, media_type="image/png")
    with pytest.raises(InvalidDocument, match="definition: expected what follows"):
        defined(made, registry=REGISTRY, media_type="image/jpeg")
    with pytest.raises(BadCredentials):
        defined(made, registry="https://other.example", media_type="image/png")
