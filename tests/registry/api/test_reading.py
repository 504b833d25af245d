# SPDX-License-Identifier: Apache-2.0
"""One rule for every way to read: docs/spec/http.md, Reading. A new view has to take its place.

Blobs are asked below Django (tests/registry/test_asgi.py), statements where there are signed ones
(tests/registry/site/test_pieces.py).
"""

from __future__ import annotations

from collections.abc import Mapping

import pytest
from rest_framework.test import APIClient

from registry.accounts.queries import Scope
from registry.catalog.models import State
from registry.outputs.models import Batch, Claim, Output
from tests.registry.api.test_access import EVERY
from tests.registry.people import People, client_of
from tests.registry.pool.world import Lab, on_paper, paper_checkpoint

PROJECT = "api/v1/projects/<str:owner>/<str:project>"
CHECKPOINT = "api/v1/checkpoints/sha256:<digest:sha256>"
PUBLIC = {
    "api/v1/projects",
    PROJECT,
    f"{PROJECT}/checkpoints",
    f"{PROJECT}/checkpoints/<str:checkpoint>/evaluations",
    f"{PROJECT}/checkpoints/<str:checkpoint>/evaluations/<uuid:evaluation>",
    f"{PROJECT}/checkpoints/<str:checkpoint>/evaluations/<uuid:evaluation>/evidence",
    f"{PROJECT}/checkpoints/<str:checkpoint>/exports/<str:name>",
    f"{CHECKPOINT}/manifest",
    f"{CHECKPOINT}/evidence",
    f"{CHECKPOINT}/tensors",
    "api/v1/conduct/<slug:policy>/<str:number>",
    "api/v1/by-hash/<str:sought>",
    "api/v1/ledger/entries",
    "api/v1/ledger/entries/<int:index>",
    "api/v1/schema",
    "api/v1/transparency",
    "c2pa/manifests/<str:manifest_id>",
    "c2pa/matches/byBinding",
    "c2pa/services/supportedAlgorithms",
    "v1/models",
    "v1/models/<path:model>",
}
MADE_BY: Mapping[str, set[Scope]] = {
    f"{PROJECT}/checkpoints/<str:checkpoint>": {Scope.PUBLISH, Scope.NODE},
    CHECKPOINT: {Scope.PUBLISH, Scope.NODE},
    "api/v1/outputs/<uuid:output_id>": {Scope.OUTPUTS},
    "api/v1/outputs/batches/<uuid:batch_id>": {Scope.OUTPUTS},
}
# Proofs and packs are there once it was signed (outputs/batches/test_api.py, test_packing.py), and
# a picture once it was delivered (outputs/pictures/test_taking.py).
SIGNED = {
    "api/v1/outputs/batches/<uuid:batch_id>/proofs",
    "api/v1/outputs/<uuid:output_id>/content",
    "api/v1/outputs/<uuid:output_id>/pack",
}
OWN = {"api/v1/whoami"}  # of whoever calls: their token's alone (test_account_api.py)
WEBHOOKS = "api/v1/webhooks"
IN_BROWSER = {
    "api/v1/account",
    "api/v1/organisations",
    "api/v1/tokens",
    f"{PROJECT}/publishers",
    WEBHOOKS,
    f"{WEBHOOKS}/<uuid:hook_id>",
    f"{WEBHOOKS}/<uuid:hook_id>/deliveries",
}
# Who may have a gated project's files, who is in an organisation, what was signed of a content, and
# what a party accepted, or had signed: each for those whom it concerns (test_gates.py,
# test_gate_pages.py, accounts/test_members.py, outputs/test_by_content.py, test_own_lists.py,
# conduct/test_consents.py, conduct/test_proving.py).
CONCERNED = {
    "api/v1/conduct/<slug:policy>/<str:number>/acceptances/<str:owner>",
    "api/v1/conduct/<slug:policy>/<str:number>/acceptances/<str:owner>/evidence",
    f"{PROJECT}/access",
    f"{PROJECT}/access/requests",
    f"{PROJECT}/checkpoints/<str:checkpoint>/doi",
    f"{PROJECT}/imports",
    f"{PROJECT}/imports/<uuid:import_id>",
    "api/v1/outputs",
    "api/v1/outputs/batches",
    "api/v1/outputs/by-content/<str:sought>",
    "api/v1/organisations/<str:name>/members",
}


@pytest.fixture
def lab(people: People) -> Lab:
    return on_paper(people)


@pytest.fixture
def public(lab: Lab) -> dict[str, str]:
    """A published checkpoint, and all else that anybody may read."""
    sha256 = paper_checkpoint(lab, 1).manifest_sha256
    return {route: filled(route, sha256=sha256) for route in PUBLIC}


@pytest.fixture
def private(lab: Lab) -> dict[str, str]:
    """A checkpoint that Bob has sent and nobody has signed, and an output of his."""
    checkpoint = paper_checkpoint(lab, 2, state=State.RECEIVED)
    published = paper_checkpoint(lab, 3)
    output = Output.objects.create(
        checkpoint=checkpoint,
        caller=lab.people.bob.namespace,
        claim=Claim.CALLER_ASSERTED,
        media_type="text/plain",
        sha256="0" * 64,
    )
    batch = Batch.objects.create(
        checkpoint=published, caller=lab.people.bob.namespace, count=1, root="0" * 64, salt=b""
    )
    values = {
        "sha256": checkpoint.manifest_sha256,
        "checkpoint": checkpoint.name,
        "output_id": str(output.pk),
        "batch_id": str(batch.pk),
    }
    return {route: filled(route, **values) for route in MADE_BY}


def filled(route: str, **values: str) -> str:
    known = {"owner": "lab", "project": "tiny", "index": "0", "number": "1.0"}
    known |= {"evaluation": "00000000-0000-4000-8000-000000000000"}
    known |= {"sought": values.get("sha256", "0" * 64)}
    known |= {"policy": "community-language-models", "model": "lab/tiny@step-000001", **values}
    path = route
    for name, value in known.items():
        for kind in ("str", "digest", "slug", "int", "uuid", "path"):
            path = path.replace(f"<{kind}:{name}>", value)
    return f"/{path}"


def statuses(client: APIClient, urls: Mapping[str, str]) -> dict[str, int]:
    client.raise_request_exception = False
    return {route: client.get(url).status_code for route, url in urls.items()}


def test_every_view_of_the_api_that_reads_has_its_place() -> None:
    reads = {one.route for one in EVERY if one.is_api and hasattr(one.view, "get")}
    assert reads == PUBLIC | set(MADE_BY) | IN_BROWSER | OWN | CONCERNED | SIGNED


@pytest.mark.parametrize("scope", Scope)
def test_what_is_public_is_the_same_with_any_token(
    people: People, public: dict[str, str], scope: Scope
) -> None:
    anybodys = statuses(client_of(None), public)
    assert not {401, 403} & set(anybodys.values())
    assert statuses(client_of(people.charlie, scope), public) == anybodys


@pytest.mark.parametrize("scope", Scope)
def test_what_is_private_takes_a_token_to_read_it_or_to_make_it(
    people: People, private: dict[str, str], scope: Scope
) -> None:
    assert statuses(client_of(people.bob, scope), private) == {
        route: 200 if scope in {Scope.READ, *makers} else 404 for route, makers in MADE_BY.items()
    }


def test_what_is_private_is_shown_in_a_session(people: People, private: dict[str, str]) -> None:
    client = APIClient()
    client.force_login(people.bob)
    assert set(statuses(client, private).values()) == {200}


def test_what_is_private_is_not_there_for_anybody_else(
    people: People, private: dict[str, str]
) -> None:
    for client in (client_of(None), client_of(people.charlie, *Scope.values)):
        assert set(statuses(client, private).values()) == {404}


def test_a_token_that_does_not_open_reads_nothing(
    public: dict[str, str], private: dict[str, str]
) -> None:
    client = APIClient(headers={"Authorization": "Bearer assay_typo"})
    assert set(statuses(client, {**public, **private}).values()) == {401}
