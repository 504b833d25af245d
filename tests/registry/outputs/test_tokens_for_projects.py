# SPDX-License-Identifier: Apache-2.0
"""A token for some projects signs outputs of their checkpoints, and does nothing else."""

from __future__ import annotations

import json
import secrets
from datetime import timedelta
from typing import Any

import pytest
from django.core.management import call_command
from django.db import IntegrityError, transaction
from django.utils import timezone
from rest_framework.test import APIClient

from registry.accounts import services
from registry.accounts.errors import InvalidTokenRequest
from registry.accounts.models import Token
from registry.catalog import services as catalog
from registry.catalog.models import Checkpoint, Visibility
from registry.outputs.batches.lines import MEDIA_TYPE
from registry.outputs.models import Batch, Output
from tests import media
from tests.registry.outputs import world
from tests.registry.outputs.media import sending
from tests.registry.people import browser, client_for, client_of, in_session
from tests.registry.pool.world import Lab

SIGN, BATCH, ASK = "/api/v1/outputs/sign", "/api/v1/outputs/batch", "/api/v1/outputs"


def body_of(of: Checkpoint) -> dict[str, Any]:
    return world.asserted_of(of) | {"digests": {"sha256": secrets.token_hex(32)}}


def batch_of(client: APIClient, of: Checkpoint) -> Any:  # noqa: ANN401 - of either kind
    lines = [
        {"checkpoint": f"sha256:{of.manifest_sha256}", "media_type": "text/plain"},
        {"sha256": secrets.token_hex(32)},
    ]
    text = "".join(f"{json.dumps(line)}\n" for line in lines)
    return client.post(BATCH, text.encode(), content_type=MEDIA_TYPE)


def test_it_signs_of_its_projects(lab: Lab, checkpoint: Checkpoint) -> None:
    client = client_for(lab.people.bob, "alice/other", checkpoint.project.full_name)
    answer = client.post(SIGN, body_of(checkpoint))
    assert answer.status_code in {201, 202}
    assert client.get(f"{ASK}/{answer.json()['id']}").status_code == 200
    assert batch_of(client, checkpoint).status_code in {201, 202}
    assert (Output.objects.count(), Batch.objects.count()) == (1, 1)


def test_it_signs_media_of_its_projects_and_reads_what_proves_it(
    real_lab: Lab, real_checkpoint: Checkpoint
) -> None:
    bob, named = real_lab.people.bob, real_checkpoint.project.full_name
    ours, others = client_for(bob, named), client_for(bob, "alice/other")
    assert sending.send(ours, real_checkpoint, media.picture("PNG")).status_code == 201
    beside = ours.post(sending.SIDECAR_URL, body_of(real_checkpoint))
    assert beside.status_code == 201
    pack = f"{ASK}/{beside.json()['id']}/pack"
    assert (ours.get(pack).status_code, others.get(pack).status_code) == (200, 404)


def test_of_others_it_is_told_for_which_project_it_lacks(lab: Lab, checkpoint: Checkpoint) -> None:
    client = client_for(lab.people.bob, "alice/other")
    named = {"model": checkpoint.full_name, "prompt": "def ", "max_tokens": 8}
    refused = [
        client.post(SIGN, body_of(checkpoint)),
        client.post(ASK, world.asked_of(checkpoint)),
        batch_of(client, checkpoint),
        sending.send(client, checkpoint, media.picture("PNG")),
        client.post(sending.SIDECAR_URL, body_of(checkpoint)),
    ]
    for answer in refused:
        assert (answer.status_code, answer.json()["code"]) == (403, "token-for-other-projects")
        assert answer.json()["detail"] == (
            f"expected a token for {checkpoint.project.full_name}, found one for alice/other "
            "alone: issue another at http://localhost:8000/settings/tokens"
        )
    drawn = {"model": checkpoint.full_name, "prompt": "A"}
    for path, body in (("/v1/completions", named), ("/v1/images/generations", drawn)):
        openai = client.post(path, body)
        code = openai.json()["error"]["code"]
        assert (openai.status_code, code) == (403, "token-for-other-projects")
    assert not Output.objects.exists()


def test_what_may_not_be_seen_is_not_there(lab: Lab, checkpoint: Checkpoint) -> None:
    catalog.show(checkpoint.project, Visibility.PRIVATE, by=lab.people.alice)
    lab.accept(lab.people.charlie)
    for named in (checkpoint.project.full_name, "alice/other"):
        answer = client_for(lab.people.charlie, named).post(SIGN, body_of(checkpoint))
        assert (answer.status_code, answer.json()["code"]) == (404, "not-found")


def test_outputs_of_other_projects_are_not_shown_to_it(lab: Lab, checkpoint: Checkpoint) -> None:
    bob = lab.people.bob
    output = client_of(bob, "outputs").post(SIGN, body_of(checkpoint)).json()
    batch = batch_of(client_of(bob, "outputs"), checkpoint).json()
    ours, others = client_for(bob, checkpoint.project.full_name), client_for(bob, "alice/other")
    for path in (f"{ASK}/{output['id']}", f"{ASK}/batches/{batch['batch']}"):
        assert ours.get(path).status_code == 200
        assert others.get(path).status_code == 404


def test_a_key_of_another_token_says_nothing_to_it(lab: Lab, checkpoint: Checkpoint) -> None:
    bob, headers, body = lab.people.bob, {"Idempotency-Key": "1"}, body_of(checkpoint)
    assert client_of(bob, "outputs").post(SIGN, body, headers=headers).status_code == 202
    answer = client_for(bob, "alice/other").post(SIGN, body, headers=headers)
    assert answer.status_code == 403


@pytest.mark.parametrize(
    ("method", "path", "status"),
    [
        ("post", "/api/v1/generation/lease", 403),
        ("get", "/api/v1/organisations/lab/members", 403),
        ("post", "/api/v1/tokens", 403),
        ("post", "/api/v1/projects/lab/small/checkpoints", 403),
    ],
)
def test_it_opens_nothing_else(lab: Lab, method: str, path: str, status: int) -> None:
    client = client_for(lab.people.alice, "lab/small")
    assert getattr(client, method)(path).status_code == status


def test_nothing_private_is_shown_to_it(lab: Lab, checkpoint: Checkpoint) -> None:
    catalog.show(checkpoint.project, Visibility.PRIVATE, by=lab.people.alice)
    client = client_for(lab.people.alice, checkpoint.project.full_name)
    assert client.get(f"/api/v1/checkpoints/sha256:{checkpoint.manifest_sha256}").status_code == 404


def test_a_view_that_minds_no_projects_is_closed_to_it(
    lab: Lab, checkpoint: Checkpoint, monkeypatch: pytest.MonkeyPatch
) -> None:
    from registry.outputs.api import OutputsView  # noqa: PLC0415 - of whatever comes later

    monkeypatch.setattr(OutputsView, "minds_limits", False)
    client = client_for(lab.people.bob, checkpoint.project.full_name)
    answer = client.post(ASK, world.asked_of(checkpoint))
    assert (answer.status_code, answer.json()["code"]) == (403, "not-allowed")
    assert checkpoint.project.full_name in answer.json()["detail"]


def test_whoami_names_its_projects(lab: Lab) -> None:
    said = client_for(lab.people.bob, "lab/small", "alice/other").get("/api/v1/whoami").json()
    assert said["projects"] == ["alice/other", "lab/small"]
    assert client_of(lab.people.bob, "outputs").get("/api/v1/whoami").json()["projects"] == []


@pytest.mark.parametrize(
    ("scopes", "projects", "said"),
    [
        (["outputs", "read"], ["lab/small"], "the scope outputs alone"),
        (["publish"], ["lab/small"], "the scope outputs alone"),
        (["outputs"], ["small"], "OWNER/NAME, found 'small'"),
        (["outputs"], ["lab/small/x"], "OWNER/NAME"),
        (["outputs"], [f"lab/n{number}" for number in range(21)], "at most 20 projects"),
    ],
)
def test_one_that_cannot_be_is_not_issued(
    lab: Lab, scopes: list[str], projects: list[str], said: str
) -> None:
    at = timezone.now() + timedelta(hours=1)
    with pytest.raises(InvalidTokenRequest, match=said):
        services.issue_token(lab.people.bob, "shop", scopes, at, projects=projects)
    assert not Token.objects.exists()


def test_no_row_says_that_one_does_more(lab: Lab) -> None:
    client_for(lab.people.bob, "lab/small")
    with pytest.raises(IntegrityError), transaction.atomic():
        Token.objects.update(scopes=["outputs", "publish"])


def test_a_person_issues_one_by_page_api_or_terminal(
    lab: Lab, capsys: pytest.CaptureFixture[str]
) -> None:
    alice = lab.people.alice
    page = browser(alice).post(
        "/settings/tokens",
        {"label": "shop", "scopes": ["outputs"], "days": "7", "projects": "lab/small, alice/other"},
    )
    assert page.status_code == 201
    wanted = {"label": "shop", "scopes": ["outputs"], "projects": ["alice/other", "lab/small"]}
    answer = in_session(alice).post("/api/v1/tokens", wanted)
    assert (answer.status_code, answer.json()["projects"]) == (201, wanted["projects"])
    words = ("--scope", "outputs", "--project", "lab/small", "--project", "alice/other")
    call_command("token", "issue", "alice", *words)
    assert capsys.readouterr().out.startswith("assay_")
    issued = Token.objects.values_list("projects", flat=True)
    assert list(issued) == [["alice/other", "lab/small"]] * 3
    assert (
        "for alice/other, lab/small alone"
        in browser(alice).get("/settings/tokens").content.decode()
    )


def test_the_page_says_what_is_wrong_with_a_project(lab: Lab) -> None:
    asked = {"label": "shop", "scopes": ["outputs"], "days": "7", "projects": "small"}
    answer = browser(lab.people.alice).post("/settings/tokens", asked)
    assert answer.status_code == 422
    assert "OWNER/NAME" in answer.content.decode()
    assert not Token.objects.exists()
