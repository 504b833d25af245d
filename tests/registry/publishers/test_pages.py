# SPDX-License-Identifier: Apache-2.0
"""Naming publishers in a browser, without a script; and the lines that a job is told to run."""

from __future__ import annotations

import json
import os
import subprocess
from collections.abc import Iterator
from html import unescape
from pathlib import Path

import pytest
from django.conf import settings
from django.core.cache import cache
from django.test import Client
from pytest_django import Settings

from registry.publishers import jobs, queries, services
from registry.publishers.services import Description
from tests.issuer import Issuer, running
from tests.needing import needs
from tests.registry.catalog.conftest import world
from tests.registry.catalog.world import World, build
from tests.registry.people import browser, invite
from tests.running import Authority, Live

__all__ = ["world"]  # the fixture
PAGE = "/lab/small/settings/publishers"
GITHUB = {
    "form": "github",
    "repository": "lab/model",
    "owner_id": "71096353",
    "branch": "main",
    "environment": "",
    "workflow": "release.yml",
}
OTHER = {"form": "other", "subject": "project_path:lab/model:ref:main", "claims": "a = b\n\nc=d=e"}


def providers(issuer: Issuer) -> str:
    ci = {"name": "ci", "title": "Our CI", "issuer": issuer.url, "uses": ["publishing"]}
    return json.dumps({"providers": [ci, {"preset": "github-actions"}]})


@pytest.fixture
def ci(settings: Settings, tmp_path: Path) -> Iterator[Issuer]:
    cache.clear()
    with running() as issuer:
        path = tmp_path / "providers.json"
        path.write_text(providers(issuer))
        settings.OIDC_PROVIDERS = str(path)
        yield issuer


@pytest.fixture
def alice(world: World, ci: Issuer) -> Client:
    return browser(world.people.alice)


def text_of(client: Client, url: str = PAGE) -> str:
    return unescape(client.get(url).content.decode())


def send(client: Client, **fields: str) -> str:
    """What the page says after the form was sent."""
    answer = client.post(PAGE, fields, follow=True)
    return unescape(answer.content.decode())


def test_a_workflow_is_named_in_githubs_words(world: World, alice: Client) -> None:
    assert "The publisher was named." in send(alice, **GITHUB)
    (publisher,) = queries.publishers_of(world.project)
    assert publisher.issuer == "https://token.actions.githubusercontent.com"
    assert publisher.subject == "repo:lab/model:ref:refs/heads/main"
    assert publisher.claims == {
        "repository_owner_id": "71096353",
        "workflow_ref": "lab/model/.github/workflows/release.yml@refs/heads/main",
    }


def test_an_environment_is_named_instead_of_a_branch(world: World, alice: Client) -> None:
    send(alice, **{**GITHUB, "branch": "", "environment": "release", "workflow": ""})
    (publisher,) = queries.publishers_of(world.project)
    assert publisher.subject == "repo:lab/model:environment:release"
    assert publisher.claims == {"repository_owner_id": "71096353"}


def test_another_issuers_job_is_named_by_its_claims(
    world: World, alice: Client, ci: Issuer
) -> None:
    send(alice, issuer=ci.url, **OTHER)
    (publisher,) = queries.publishers_of(world.project)
    assert (publisher.issuer, publisher.subject) == (ci.url, OTHER["subject"])
    assert publisher.claims == {"a": "b", "c": "d=e"}
    assert "Our CI" in text_of(alice)


@pytest.mark.parametrize(
    ("changed", "problem"),
    [
        ({"branch": ""}, "expected a branch or an environment, found both or neither"),
        ({"environment": "release"}, "expected a branch or an environment, found both or neither"),
        ({"branch": "", "environment": "release"}, "expected a branch with the workflow file"),
        ({"owner_id": "lab"}, "expected the number of the repository's owner"),
        ({"repository": "*"}, "subject: expected a subject"),
        ({"form": "other", "issuer": "https://evil.example"}, "issuer: expected one that this"),
        ({"form": "other", "claims": "a"}, "expected lines `name=value`, each name once: 'a'"),
        ({"form": "other", "claims": "a=1\na=2"}, "each name once: 'a=2'"),
    ],
)
def test_what_nobody_fits_is_refused_and_can_be_mended(
    world: World, alice: Client, changed: dict[str, str], problem: str
) -> None:
    answer = alice.post(PAGE, {**GITHUB, "subject": "a job of ours", **changed})
    text = unescape(answer.content.decode())
    assert answer.status_code == 422
    assert problem in text
    assert 'value="release.yml"' in text
    assert not queries.publishers_of(world.project).exists()


def test_a_publisher_is_removed_once(world: World, alice: Client) -> None:
    send(alice, **GITHUB)
    (publisher,) = queries.publishers_of(world.project)
    assert "The publisher was removed." in unescape(
        alice.post(f"{PAGE}/{publisher.pk}/remove", follow=True).content.decode()
    )
    assert alice.post(f"{PAGE}/{publisher.pk}/remove").status_code == 404


def test_the_page_is_for_those_who_act_for_the_owner(world: World, ci: Issuer) -> None:
    assert browser(world.people.bob).get(PAGE).status_code == 200
    assert browser(world.people.charlie).get(PAGE).status_code == 403
    assert browser(world.people.charlie).post(PAGE, GITHUB).status_code == 403
    assert Client().get(PAGE)["Location"] == f"/login?next={PAGE}"


def test_the_project_names_the_page_to_them_alone(world: World, alice: Client) -> None:
    assert PAGE in text_of(alice, "/lab/small")
    assert PAGE not in text_of(browser(world.people.charlie), "/lab/small")
    assert PAGE not in text_of(Client(), "/lab/small")


def test_an_issuer_that_is_believed_no_more_is_said_so(
    world: World, alice: Client, ci: Issuer
) -> None:
    send(alice, issuer=ci.url, **OTHER)
    Path(settings.OIDC_PROVIDERS).write_text('{"providers":[]}')
    text = text_of(alice)
    assert "no longer believes this issuer" in text
    assert "This registry believes no CI system yet." in text


@pytest.fixture
def job(live: Live, authority: Authority, tmp_path: Path) -> Iterator[Issuer]:
    """The issuer of a job that a live registry's project has named."""
    lab = build(invite(), tmp_path / "texts")
    believed = Path(os.environ["ASSAY_OIDC_PROVIDERS"])
    before = believed.read_text()
    with running() as issuer:
        believed.write_text(providers(issuer))
        wanted = Description(issuer=issuer.url, subject="repo:lab/model:*", claims={})
        services.name(lab.project, wanted, by=lab.people.alice)
        yield issuer
    believed.write_text(before)


@needs("jq", "bash")
@pytest.mark.parametrize("is_github", [True, False])
def test_the_lines_for_a_job_give_it_a_secret(live: Live, job: Issuer, *, is_github: bool) -> None:
    token = job.token(settings.PUBLIC_URL, sub="repo:lab/model:ref:refs/heads/main")
    asked = f"/token?v=2&audience={settings.PUBLIC_URL}"
    job.answers[asked] = (200, json.dumps({"value": token}).encode())
    lines = (jobs.github if is_github else jobs.other)("lab/small")
    # The registry listens elsewhere in tests; what the token is for stays its public address.
    lines = lines.replace(f"{settings.PUBLIC_URL}/api", f"{live.url}/api")
    done = subprocess.run(
        ("bash", "-euo", "pipefail", "-c", f'{lines}\nprintf %s "$SECRET"'),
        env={
            **os.environ,
            "no_proxy": "*",
            "IDENTITY": token,
            "ACTIONS_ID_TOKEN_REQUEST_TOKEN": "of the job",
            "ACTIONS_ID_TOKEN_REQUEST_URL": f"{job.url}/token?v=2",
        },
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    with live.client(done.stdout) as client:
        assert client.post("/api/v1/projects/lab/small/checkpoints", json={}).status_code == 400
        assert client.post("/api/v1/projects/lab/other/checkpoints", json={}).status_code == 403
