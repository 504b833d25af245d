# SPDX-License-Identifier: Apache-2.0
"""What a manifest by a caller's own certificate is to say: what the rows here do, and no more."""

from __future__ import annotations

import pytest
from django.conf import settings

from assay.signing import credentials
from assay.signing.statements import Origin
from registry.catalog.models import Checkpoint
from registry.outputs.models import Output
from tests.registry.outputs.owning import OUTPUTS, Json
from tests.registry.people import client_of
from tests.registry.pool.world import Lab

MANIFESTS = f"{OUTPUTS}/manifests"


def asked_of(of: Checkpoint, /, **other: object) -> Json:
    return {
        "checkpoint": f"sha256:{of.manifest_sha256}",
        "media_type": "image/png",
        **other,
    }


def test_it_is_what_follows_from_the_checkpoint(real_lab: Lab, real_checkpoint: Checkpoint) -> None:
    client = client_of(real_lab.people.bob, "outputs")
    first, other = (client.post(MANIFESTS, asked_of(real_checkpoint)) for _ in range(2))
    assert first.status_code == 200
    found = first.json()
    said = credentials.defined(
        found["definition"], registry=settings.PUBLIC_URL, media_type="image/png"
    )
    assert said.output == found["output"] != other.json()["output"]
    assert said.claim is Origin.CALLER_ASSERTED
    assert said.checkpoint_sha256 == real_checkpoint.manifest_sha256
    assert real_checkpoint.statement is not None
    assert said.checkpoint_statement_sha256 == real_checkpoint.statement.sha256
    assert said.index == real_checkpoint.statement.entry.index
    assert found["definition"]["ingredients"][0]["title"] == real_checkpoint.full_name
    assert not Output.objects.exists()


@pytest.mark.parametrize(
    ("changed", "status", "code"),
    [
        ({"checkpoint": f"sha256:{'0' * 64}"}, 404, "not-found"),
        ({"checkpoint": "step-1"}, 422, "invalid-document"),
        ({"media_type": "text/plain"}, 415, "media-type-unknown"),
        ({"media_type": "none"}, 422, "invalid-document"),
        ({"claim": "server-generated"}, 422, "invalid-document"),
    ],
)
def test_anything_else_is_refused(
    real_lab: Lab, real_checkpoint: Checkpoint, changed: Json, status: int, code: str
) -> None:
    client = client_of(real_lab.people.bob, "outputs")
    answer = client.post(MANIFESTS, asked_of(real_checkpoint, **changed))
    assert (answer.status_code, answer.json()["code"]) == (status, code)


def test_only_who_accepted_the_rules_is_told(real_lab: Lab, real_checkpoint: Checkpoint) -> None:
    for person, scope, code in (
        (real_lab.people.charlie, "outputs", "conduct-not-accepted"),
        (real_lab.people.bob, "read", "scope-missing"),
    ):
        answer = client_of(person, scope).post(MANIFESTS, asked_of(real_checkpoint))
        assert (answer.status_code, answer.json()["code"]) == (403, code)
