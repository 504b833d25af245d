# SPDX-License-Identifier: Apache-2.0
"""Conduct versions: signed, logged, readable, the same for ever."""

from __future__ import annotations

import io
import json
from pathlib import Path

import pytest
from django.core.management import CommandError, call_command
from django.db import IntegrityError, connection, transaction
from django.test import Client

from assay.signing import canonical
from assay.signing.bundle import Bundle
from assay.signing.certificates import Purpose
from assay.signing.digests import sha256
from assay.signing.errors import InvalidDocument
from assay.signing.statements import ConductClaim, Statement
from assay.signing.verify import verify_bundle
from registry.audit.models import AuditRow
from registry.conduct import queries, services
from registry.conduct.errors import NotFound, VersionImmutable
from registry.conduct.models import PolicyVersion
from registry.ledger import queries as ledger
from tests.registry.conduct.published import first_version
from tests.registry.verifying import basis
from tests.running import Authority

pytestmark = pytest.mark.django_db
URL = "/api/v1/conduct/community-language-models/1.0"


def policy(folder: Path, number: str = "1.0", /, **changes: object) -> Path:
    """A small policy in a folder."""
    document = {
        "type": "https://assay/conduct-policy/v1",
        "id": "house-rules",
        "version": number,
        "title": "House rules",
        "severity": "major",
        "effective_at": "2026-11-20T00:00:00Z",
        "clauses": [{"id": "hr:1.1", "title": "Shoes", "text": "Take them off."}],
        **changes,
    }
    folder.mkdir(exist_ok=True)
    (folder / f"{number}.json").write_text(json.dumps(document))
    (folder / f"{number}.md").write_text("# House rules\n\n**hr:1.1 Shoes.** Take them off.\n")
    return folder


def test_the_shipped_policy_is_published_signed_and_included(authority: Authority) -> None:
    version = first_version()
    assert str(version) == "community-language-models@1.0"
    assert version.sha256 == sha256(queries.document(version))
    bundle = queries.bundle(version)
    verify_bundle(bundle, basis=basis(authority), purpose=Purpose.CONDUCT)
    claim = ConductClaim.parse(Statement.parse(bundle.envelope.payload))
    assert claim.conduct == queries.reference(version)
    assert claim.text_sha256 == sha256(version.text.encode())


def test_its_clauses_have_stable_ids_and_stand_in_the_text(authority: Authority) -> None:
    version = first_version()
    clauses = version.document["clauses"]
    ids = [clause["id"] for clause in clauses]
    assert ids[0] == "coc:1.1"
    assert len(set(ids)) == len(ids) > 10
    for clause in clauses:
        assert f"**{clause['id']} {clause['title']}.** {clause['text']}" in version.text


def test_publishing_again_changes_nothing(authority: Authority) -> None:
    first = services.publish_shipped()
    size = ledger.tree_head().size
    assert services.publish_shipped() == first
    assert ledger.tree_head().size == size
    assert AuditRow.objects.filter(action="conduct.publish").count() == len(first)


@pytest.mark.parametrize(
    "changes",
    [{"title": "Other rules"}, {"clauses": []}, {"effective_at": "2027-01-01T00:00:00Z"}],
)
def test_a_version_that_says_something_else_is_refused(
    authority: Authority, tmp_path: Path, changes: dict[str, object]
) -> None:
    version = services.publish_version(policy(tmp_path), "1.0")
    with pytest.raises(VersionImmutable):
        services.publish_version(policy(tmp_path, **changes), "1.0")
    assert PolicyVersion.objects.get() == version


def test_a_text_that_was_edited_is_refused(authority: Authority, tmp_path: Path) -> None:
    services.publish_version(policy(tmp_path), "1.0")
    with (tmp_path / "1.0.md").open("a") as text:
        text.write("And run.\n")
    with pytest.raises(VersionImmutable):
        services.publish_version(tmp_path, "1.0")


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        ({"type": "other"}, "'type': expected no such field"),
        ({"severity": "grave"}, "severity: expected major or minor"),
        ({"effective_at": "tomorrow"}, "effective_at: expected a time"),
        ({"clauses": [{"id": "hr:9", "title": "x", "text": "y"}]}, "word for word"),
        ({"clauses": 1}, "clauses: expected an array"),
        ({"title": ""}, "title: expected a string"),
        ({"title": "House\nrules"}, "title: expected one line, found several"),
        ({"title": "House\u202erules"}, "text: expected no character that hides or reorders"),
        ({"title": "x" * 201}, "title: expected at most 200 characters, found 201"),
        ({"id": "new"}, "id: expected another name than 'new'"),
    ],
)
def test_a_document_that_is_no_policy_is_refused(
    authority: Authority, tmp_path: Path, changes: dict[str, object], expected: str
) -> None:
    with pytest.raises(InvalidDocument, match=expected):
        services.publish_version(policy(tmp_path, **changes), "1.0")
    assert not PolicyVersion.objects.exists()


@pytest.mark.parametrize(
    "change",
    [
        "UPDATE conduct_policyversion SET title = 'x'",
        "DELETE FROM conduct_policyversion",
    ],
)
def test_the_database_keeps_versions_as_they_are(authority: Authority, change: str) -> None:
    services.publish_shipped()
    with (
        pytest.raises(IntegrityError, match="never changed"),
        transaction.atomic(),
        connection.cursor() as cursor,
    ):
        cursor.execute(change)


def test_a_version_over_http(authority: Authority, client: Client) -> None:
    version = first_version()
    found = client.get(URL).json()
    assert found["sha256"] == sha256(canonical.dumps(found["policy"])) == version.sha256
    assert found["text"] == version.text
    bundle = Bundle.parse(found["bundle"])
    verify_bundle(bundle, basis=basis(authority), purpose=Purpose.CONDUCT)


@pytest.mark.parametrize("path", ["community-language-models/9.9", "other/1.0"])
def test_an_unknown_version_is_a_problem(authority: Authority, client: Client, path: str) -> None:
    services.publish_shipped()
    answer = client.get(f"/api/v1/conduct/{path}")
    assert answer.status_code == 404
    assert answer["Content-Type"] == "application/problem+json"
    assert client.get(f"/conduct/{path}").status_code == 404
    with pytest.raises(NotFound):
        queries.version(*path.split("/"))


def test_the_page_shows_every_clause(authority: Authority, client: Client) -> None:
    version = first_version()
    page = client.get(version.path).content.decode()
    for clause in version.document["clauses"]:
        assert clause["id"] in page


def test_the_text_is_shown_and_given_as_it_was_signed(authority: Authority, client: Client) -> None:
    """What it says beside its clauses, too: for whom they are, and why."""
    version = first_version()
    page = client.get(version.path).content.decode()
    assert "A community that pools its machines makes models that belong to many." in page
    assert f'href="{version.path}/text.md"' in page
    claim = ConductClaim.parse(Statement.parse(queries.bundle(version).envelope.payload))
    assert sha256(client.get(f"{version.path}/text.md").content) == claim.text_sha256
    assert client.get("/conduct/none/1.0/text.md").status_code == 404


def test_the_command_publishes(authority: Authority, tmp_path: Path) -> None:
    said = io.StringIO()
    call_command("conduct", "publish", stdout=said)
    call_command("conduct", "publish", str(policy(tmp_path) / "1.0.json"), stdout=said)
    lines = said.getvalue().splitlines()
    assert [line.split("  ")[0] for line in lines] == [
        "community-language-models@1.0",
        "community-language-models@1.1",
        "openmdw@1.1",
        "openrail-m@1.0",
        "house-rules@1.0",
    ]
    with pytest.raises(CommandError, match="No such file"):
        call_command("conduct", "publish", str(tmp_path / "none.json"))
    with pytest.raises(CommandError, match="severity"):
        call_command("conduct", "publish", str(policy(tmp_path, severity="x") / "1.0.json"))
