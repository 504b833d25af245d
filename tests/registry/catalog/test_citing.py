# SPDX-License-Identifier: Apache-2.0
"""How a checkpoint is cited; tests/clients/test_citations.py has the readers of each form."""

from __future__ import annotations

import json

import pytest
import yaml
from django.test import Client

from registry.catalog import services
from registry.catalog.errors import NotFound
from registry.catalog.models import Checkpoint, Project
from registry.catalog.queries import citing
from registry.catalog.services import takedowns
from registry.catalog.services.takedowns import Order
from tests.registry.catalog.test_listings import OURS
from tests.registry.catalog.world import FILES, World, by_person, publish


def cite(of: Checkpoint, name: str) -> str:
    return citing.FORMS[name][1](of)


def test_each_form_names_the_id_the_entry_and_the_command(world: World, client: Client) -> None:
    published = publish(by_person(world, files=OURS))
    assert published.statement is not None
    page = client.get(published.path).content.decode()
    for name in citing.FORMS:
        text = cite(published, name)
        assert f"sha256:{published.manifest_sha256}" in text
        assert str(published.statement.entry.index) in text
        assert "assay download lab/small@first --registry http://localhost:8000" in text
        assert f'href="{published.path}/citation/{name}"' in page


def test_what_was_taken_down_is_cited_without_a_download(world: World, client: Client) -> None:
    published = publish(by_person(world))
    takedowns.take_down_checkpoint(published, Order(reason="It had to.", by="system"))
    published.refresh_from_db()
    for name in citing.FORMS:
        text = client.get(f"{published.path}/citation/{name}").content.decode()
        assert ("assay verify small-first" in text, "assay download" in text) == (True, False)


@pytest.mark.parametrize("licence", ["", "license: openrail\n"])
def test_a_licence_that_spdx_does_not_know_is_no_identifier(world: World, licence: str) -> None:
    card = f"---\n{licence}a: b\n---\n# A\n".encode()
    published = publish(by_person(world, files={**FILES, "README.md": card}))
    assert "license" not in yaml.safe_load(cite(published, "CITATION.cff"))
    assert "rightsList" not in json.loads(cite(published, "datacite.json"))
    graph = json.loads(cite(published, "ro-crate-metadata.json"))["@graph"]
    (root,) = (each for each in graph if each["@id"] == "./")
    assert root["license"] == ("LicenseRef-openrail" if licence else "unknown")


def test_a_licence_younger_than_the_citation_file_format_is_named_by_its_address(
    world: World,
) -> None:
    card = b"---\nlicense: cdla-permissive-2.0\n---\n# A\n"
    published = publish(by_person(world, files={**FILES, "README.md": card}))
    said = yaml.safe_load(cite(published, "CITATION.cff"))
    assert "license" not in said
    assert said["license-url"] == "https://spdx.org/licenses/CDLA-Permissive-2.0.html"


def test_a_project_without_a_title_is_cited_by_its_name(world: World) -> None:
    Project.objects.update(title="", summary="")
    published = publish(by_person(world))
    assert yaml.safe_load(cite(published, "CITATION.cff"))["title"] == "lab/small, first"


def test_what_is_not_published_is_not_cited(world: World, client: Client) -> None:
    received = services.receive(by_person(world))
    with pytest.raises(NotFound):
        citing.cited(received)
    client.force_login(world.people.alice)
    assert client.get(f"{received.path}/citation/citation.bib").status_code == 404
    assert "citation.bib" not in client.get(received.path).content.decode()
