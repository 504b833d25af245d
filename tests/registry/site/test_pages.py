# SPDX-License-Identifier: Apache-2.0
"""Every page for people renders, says what it is about, and works without scripts."""

from __future__ import annotations

from html import unescape

import pytest
from django.test import Client

from assay.signing.digests import as_id
from tests.registry.site.world import TEXT, Shown


def page(client: Client, url: str, status: int = 200) -> str:
    answer = client.get(url)
    assert answer.status_code == status
    assert answer.headers["Content-Type"].startswith("text/html")
    return unescape(answer.content.decode())


def test_the_list_names_projects_and_their_newest_checkpoints(
    shown: Shown, stranger: Client
) -> None:
    found = page(stranger, "/projects")
    assert 'href="/lab/tiny"' in found
    assert f'href="{shown.checkpoint.path}"' in found


def test_a_project_lists_its_checkpoints(shown: Shown, stranger: Client) -> None:
    found = page(stranger, "/lab/tiny")
    assert f'href="{shown.checkpoint.path}"' in found
    assert shown.lab.version.title in found


def test_a_checkpoint_shows_files_signatures_and_commands(shown: Shown, stranger: Client) -> None:
    found = page(stranger, shown.checkpoint.path)
    assert as_id(shown.checkpoint.manifest_sha256) in found
    for name in ("README.md", "config.json", "model.safetensors", "model.sig"):
        assert f">{name}</a>" in found
    assert "Tiny at step 20" in found
    assert "2.6000 held out, 2.5000 training" in found
    assert (
        "curl -sf -C - --create-dirs -o tiny-step-000020/model.sig "
        "http://localhost:8000/lab/tiny/step-000020/files/model.sig" in found
    )
    assert "assay verify tiny-step-000020" in found
    assert (
        "model_signing verify certificate tiny-step-000020 --signature "
        "tiny-step-000020/model.sig --certificate_chain root.pem" in found
    )


def test_a_run_shows_its_recipe_and_its_machine(shown: Shown, stranger: Client) -> None:
    found = page(stranger, shown.lab.run.path)
    assert '"trainer": "byte-gpt/v1"' in found
    assert shown.machine.node.name in found
    assert TEXT in found


def test_an_output_shows_its_text_and_its_tree(shown: Shown, stranger: Client) -> None:
    found = page(stranger, shown.sample.path)
    assert TEXT in found
    assert "server-generated: our worker ran the checkpoint" in found


@pytest.mark.parametrize("index", range(4))
def test_a_ledger_entry_shows_what_was_said(shown: Shown, stranger: Client, index: int) -> None:
    found = page(stranger, f"/ledger/entries/{index}")
    assert f"Entry {index}" in found
    assert '"predicateType":' in found


def test_the_ledger_lists_its_newest_entries_first(shown: Shown, stranger: Client) -> None:
    found = page(stranger, "/ledger")
    indexes = [part.split('"')[0] for part in found.split('href="/ledger/entries/')[1:]]
    assert indexes == sorted(indexes, key=int, reverse=True)
    assert "acceptance of conduct" in found


def test_a_conduct_version_shows_its_clauses_and_a_form(shown: Shown, stranger: Client) -> None:
    version = shown.lab.version
    assert f'href="{version.path}"' in page(stranger, "/conduct")
    assert "Sign in to accept" in page(stranger, version.path)
    stranger.force_login(shown.lab.people.charlie)
    assert "Accept for charlie" in page(stranger, version.path)
    stranger.post(f"{version.path}/answer", {"owner": "charlie"})
    assert "Withdraw" in page(stranger, version.path)


def test_signing_in_says_where_the_password_is(db: None, stranger: Client) -> None:
    assert ".data/secrets/demo.password" in page(stranger, "/login")


def test_a_wrong_password_is_said_aloud(shown: Shown, stranger: Client) -> None:
    answer = stranger.post("/login", {"username": "alice", "password": "wrong"})
    assert 'role="alert"' in answer.content.decode()


def test_what_is_not_there_is_said_in_words(db: None, stranger: Client) -> None:
    assert "There is nothing here for you" in page(stranger, "/no/such/thing/at/all", 404)


def test_a_form_of_another_site_is_refused_in_words(db: None) -> None:
    answer = Client(enforce_csrf_checks=True).post("/site/theme", {"theme": "dark"})
    assert answer.status_code == 403
    assert "You may not do this" in answer.content.decode()
