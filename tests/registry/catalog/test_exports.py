# SPDX-License-Identifier: Apache-2.0
"""What is exported of a checkpoint; tests/clients/test_exports.py has the readers of each form."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Any
from urllib.parse import quote

import pytest
import yaml
from django.test import Client
from markdown_it import MarkdownIt
from rest_framework.test import APIClient

from registry.accounts.models import User
from registry.catalog import services
from registry.catalog.models import Checkpoint, Gate, Project, Visibility
from registry.catalog.queries import exporting
from registry.catalog.queries.exporting import card, gpai, licences
from registry.catalog.queries.exporting.facts import of as facts_of
from registry.catalog.services import takedowns
from registry.catalog.services.takedowns import Order
from registry.conduct import queries as conduct_queries
from registry.conduct import services as conduct
from tests.registry.catalog.test_descent import BASE, model, tuned
from tests.registry.catalog.test_evaluations import RESULT
from tests.registry.catalog.test_listings import OURS
from tests.registry.catalog.world import FILES, World, by_node, by_person, claim, publish
from tests.registry.people import client_of

AT = "/api/v1/projects/lab/small/checkpoints"
BOMS = (exporting.SPDX, exporting.CYCLONEDX)
GPAI = ("gpai-documentation.md", "gpai-documentation.json")
CARD, CROISSANT = "front-matter.md", "croissant.json"
Document = Any  # JSON of somebody else's form


@pytest.fixture
def made(world: World) -> Checkpoint:
    """By a run, with a card, and with what Charlie measured."""
    published = publish(by_node(world, files={**OURS, "LICENSE": b"Do.\n"}))
    charlie = world.people.charlie
    conduct.accept(world.conduct, charlie.namespace, charlie)
    said(charlie)
    return published


def said(by: User, **result: object) -> str:
    """The address of an evaluation that is signed and shown."""
    url = f"{AT}/step-000010/evaluations"
    answer = client_of(by, "publish").post(url, {**RESULT, **result}, format="json")
    assert answer.status_code == 201
    return f"{url}/{answer.json()['id']}"


def read(of: Checkpoint, name: str) -> Document:
    return json.loads(exporting.export(of, name))


def front_matter(of: Checkpoint) -> Document:
    return yaml.safe_load(exporting.export(of, CARD).strip("-\n"))


def elements(of: Checkpoint, kind: str) -> list[Document]:
    return [each for each in read(of, exporting.SPDX)["@graph"] if each["type"] == kind]


def fields(of: Checkpoint) -> dict[str, Document]:
    sections = read(of, GPAI[1])["sections"]
    return {each["field"]: each["value"] for section in sections for each in section["fields"]}


def test_each_is_a_file_with_an_address_on_the_page(made: Checkpoint, client: Client) -> None:
    page = client.get(made.path).content.decode()
    for name, form in exporting.FORMS.items():
        url = f"{AT}/step-000010/exports/{name}"
        assert f'href="{url}"' in page
        answer = client.get(url)
        assert (answer.status_code, answer["Content-Type"]) == (200, form.media_type)
        assert answer["Content-Disposition"] == f'attachment; filename="{name}"'
        assert answer.content == exporting.export(made, name).encode()
    assert client.get(f"{AT}/step-000010/exports/bom.xml").status_code == 404


def test_each_names_the_id_the_entry_and_the_command(made: Checkpoint) -> None:
    assert made.statement is not None
    for name in (*BOMS, CARD, *GPAI):
        text = exporting.export(made, name).replace("\\", "")
        assert f"sha256:{made.manifest_sha256}" in text
        assert str(made.statement.entry.index) in text
        assert "assay download lab/small@step-000010 --registry http://localhost:8000" in text
    assert made.dataset is not None
    assert read(made, CROISSANT)["version"].endswith(made.dataset.sha256)


def test_a_checkpoint_without_data_or_evaluations_names_none(world: World, client: Client) -> None:
    bare = publish(by_person(world))
    assert exporting.names(bare) == tuple(name for name in exporting.FORMS if name != CROISSANT)
    assert client.get(f"{AT}/first/exports/{CROISSANT}").status_code == 404
    assert CROISSANT not in client.get(bare.path).content.decode()
    assert elements(bare, "dataset_DatasetPackage") == []
    (model,) = elements(bare, "ai_AIPackage")
    assert not {"ai_metric", "ai_informationAboutTraining", "ai_domain"} & set(model)
    bom = read(bare, exporting.CYCLONEDX)
    assert (bom["components"], "licenses" in bom["metadata"]["component"]) == ([], False)
    assert "quantitativeAnalysis" not in bom["metadata"]["component"]["modelCard"]
    assert set(front_matter(bare)) == {"tags", "assay"}
    known = {key for key, value in fields(bare).items() if value is not None}
    assert {"training-design", "data-modality", "training-time", "license"}.isdisjoint(known)


def test_what_is_not_published_is_not_exported(world: World, client: Client) -> None:
    received = services.receive(by_person(world))
    client.force_login(world.people.alice)
    for name in exporting.FORMS:
        assert client.get(f"{AT}/first/exports/{name}").status_code == 404
    assert "exports/" not in client.get(received.path).content.decode()


def test_what_is_private_is_exported_to_its_people_alone(world: World) -> None:
    publish(by_node(world))
    services.show(world.project, Visibility.PRIVATE, by=world.people.alice)
    for name in exporting.FORMS:
        url = f"{AT}/step-000010/exports/{name}"
        assert APIClient().get(url).status_code == 404
        assert client_of(world.people.charlie, "read").get(url).status_code == 404
        assert client_of(world.people.alice, "read").get(url).status_code == 200


@pytest.mark.parametrize(
    ("visibility", "gate", "access"),
    [
        (Visibility.PUBLIC, Gate.OPEN, "everybody"),
        (Visibility.PUBLIC, Gate.ASKS, "those whom the owner lets in"),
        (Visibility.PRIVATE, Gate.OPEN, "the owner's people"),
    ],
)
def test_the_form_says_who_is_given_the_files(
    world: World, visibility: Visibility, gate: Gate, access: str
) -> None:
    published = publish(by_person(world))
    Project.objects.filter(pk=world.project.pk).update(visibility=visibility, gate=gate)
    channel = fields(Checkpoint.objects.get(pk=published.pk))["distribution-channels"]
    assert channel == [f"Assay, localhost:8000, to {access}: http://localhost:8000/lab/small/first"]


def test_what_was_taken_down_says_so_and_shows_no_card(made: Checkpoint, client: Client) -> None:
    takedowns.take_down_checkpoint(made, Order(reason="It had to.", by="system"))
    made.refresh_from_db()
    assert client.get(f"{AT}/step-000010/exports/{CARD}").status_code == 404
    assert "exports/" not in client.get(made.path).content.decode()
    for name in (*BOMS, *GPAI):
        text = client.get(f"{AT}/step-000010/exports/{name}").content.decode()
        assert ("assay verify small-step" in text, "assay download" in text) == (True, False)
    model = read(made, exporting.CYCLONEDX)["metadata"]["component"]
    assert {"name": "assay:state", "value": "taken-down"} in model["properties"]
    assert "took it down" in elements(made, "ai_AIPackage")[0]["comment"]
    assert "took it down" in fields(made)["distribution-channels"][0]


def test_the_card_is_kept_and_what_is_known_is_added(made: Checkpoint) -> None:
    found = front_matter(made)
    assert (found["license"], found["pipeline_tag"]) == ("mit", "text-generation")
    assert found["base_model"] == "lab/base"
    assert found["tags"] == ["tiny", "\ufffdodd", "conduct:community-language-models/1.0"]
    assert found["datasets"] == ["lab/texts"]
    (ours,) = found["model-index"]
    assert [each["value"] for each in ours["results"][0]["metrics"]] == [0.2504, 0.2511]
    assert found["assay"]["checkpoint"] == f"sha256:{made.manifest_sha256}"


def test_no_card_says_under_which_rules_it_is(world: World) -> None:
    card = b"---\ntags: [a, 'conduct:none/1.0', 'verified:run']\nassay: mine\n---\n"
    published = publish(by_person(world, files={**FILES, "README.md": card}))
    found = front_matter(published)
    assert found["tags"] == ["a", "conduct:community-language-models/1.0"]
    assert found["assay"]["checkpoint"] == f"sha256:{published.manifest_sha256}"


def test_a_card_that_names_its_own_project_names_no_origin(world: World) -> None:
    card = b"---\nbase_model: lab/small\n---\n"
    published = publish(by_person(world, files={**FILES, "README.md": card}))
    assert "descendantOf" not in exporting.export(published, exporting.SPDX)
    assert "descendantOf" not in exporting.stated(published)[exporting.SPDX]


def test_results_that_the_card_declares_stay_before_signed_ones(world: World) -> None:
    listed = b"---\nlicense: other\nmodel-index:\n- name: x\n  results: []\ndatasets: a/b\n---\n"
    files = {**FILES, "README.md": listed, "LICENSE": b"Do.\n"}
    published = publish(by_node(world, files=files))
    conduct.accept(world.conduct, world.people.charlie.namespace, world.people.charlie)
    said(world.people.charlie)
    found = front_matter(published)
    assert [each["name"] for each in found["model-index"]] == ["x", "lab/small"]
    assert (found["license_link"], found["datasets"]) == ("LICENSE", ["a/b", "lab/texts"])


def test_what_was_withdrawn_is_exported_no_more(world: World, made: Checkpoint) -> None:
    url = said(world.people.charlie, task="mmlu")
    assert all("mmlu" in exporting.export(made, name) for name in (*BOMS, CARD))
    charlie = client_of(world.people.charlie, "publish")
    charlie.post(f"{url}/withdrawal", {"reason": "mistaken"}, format="json")
    assert not any("mmlu" in exporting.export(made, name) for name in (*BOMS, CARD))


def test_what_tensors_prove_is_an_origin_if_everybody_sees_it(world: World) -> None:
    model(world, "base", BASE)
    child = model(world, "child", tuned(0))
    why = "3 of 4 tensors are the very same in lab/base@c0"
    relationships = {each["relationshipType"]: each for each in elements(child, "Relationship")}
    assert relationships["descendantOf"]["comment"] == why
    pedigree = read(child, exporting.CYCLONEDX)["metadata"]["component"]["pedigree"]
    assert pedigree["notes"] == f"lab/base: {why}"
    assert front_matter(child)["base_model"] == ["lab/base"]
    assert fields(child)["model-dependencies"] == [f"lab/base: {why}"]
    services.show(Project.objects.get(name="base"), Visibility.PRIVATE, by=world.people.alice)
    assert not any("lab/base" in exporting.export(child, name) for name in (*BOMS, CARD, *GPAI))


def test_a_run_that_went_on_from_a_checkpoint_names_it(world: World) -> None:
    first = publish(by_node(world))
    submission = by_node(world, step=20)
    went_on = replace(claim(world, submission.manifest, 20), parent_sha256=first.manifest_sha256)
    second = publish(by_node(world, step=20, said=went_on))
    (origin,) = elements(second, "software_Package")
    assert origin["verifiedUsing"][0]["hashValue"] == first.manifest_sha256
    assert "base_model" not in front_matter(second)


def test_the_authenticity_field_is_filled_and_nothing_is_invented(made: Checkpoint) -> None:
    assert made.statement is not None
    found = read(made, GPAI[1])
    proof = found["authenticity"]
    assert proof["checkpoint"] == f"sha256:{made.manifest_sha256}"
    assert (proof["signer"], proof["ledger"]["index"]) == (
        "http://localhost:8000/lab",
        made.statement.entry.index,
    )
    digests = dict(made.files.values_list("name", "sha256"))
    assert all(digests[each["name"]] == each["sha256"] for each in proof["files"])
    filled = fields(made)
    assert filled["model-authenticity"][1] == "Signed by http://localhost:8000/lab"
    for unknown in ("legal-name", "union-release-date", "training-energy", "data-biases"):
        assert filled[unknown] is None


def test_the_form_for_people_says_the_same(made: Checkpoint) -> None:
    text = exporting.export(made, GPAI[0])
    headings = [
        each for each in MarkdownIt("commonmark").parse(text) if each.type == "heading_open"
    ]
    sections = read(made, GPAI[1])["sections"]
    count = sum(len(section["fields"]) for section in sections)
    assert len(headings) == 1 + len(sections) + count
    unknown = [value for value in fields(made).values() if value is None]
    assert text.count(gpai.UNKNOWN) == len(unknown) > 10


def test_prohibited_uses_are_those_of_the_rules(world: World) -> None:
    conduct.publish_shipped()
    rules = conduct_queries.version("community-language-models", "1.1")
    conduct.accept(rules, world.lab, world.people.alice)
    world.project.conduct = rules
    world.project.save()
    uses = fields(publish(by_person(world)))["intended-uses"]
    assert all(each.startswith("Prohibited: ") for each in uses)
    assert len(uses) == len(set(uses)) > 1


def test_what_is_stated_stays_whatever_happens_afterwards(world: World, made: Checkpoint) -> None:
    before = exporting.stated(made)
    now = {name: exporting.export(made, name) for name in BOMS}
    said(world.people.charlie, task="mmlu")
    Project.objects.filter(pk=world.project.pk).update(title="Another", summary="words")
    services.move(world.project, world.lab, "large", by=world.people.alice)
    found = Checkpoint.objects.get(pk=made.pk)
    assert exporting.stated(found) == before
    for name in BOMS:
        assert exporting.export(found, name) != now[name]
        assert "charlie" not in before[name]


def test_words_of_others_do_nothing_in_the_form(world: World) -> None:
    Project.objects.update(title="# Not\n\n## a heading <b>", summary="*x*")
    odd = b"---\nlicense: other\nlicense_name: '`<script>`'\nlibrary_name: '<b>x</b>'\n---\n"
    published = publish(by_person(world, files={**FILES, "README.md": odd, "a|b_c.txt": b"x"}))
    html = MarkdownIt("commonmark").render(exporting.export(published, GPAI[0]))
    assert "<b>" not in html
    assert "a|b_c.txt" in html
    assert quote("a|b_c.txt") in exporting.export(published, exporting.SPDX)


@pytest.mark.parametrize(
    ("licence", "expression"),
    [
        ("MIT", "MIT"),
        ("LicenseRef-openrail", "LicenseRef-openrail"),
        ("Apache-2.0 WITH LLVM-exception", "Apache-2.0 WITH LLVM-exception"),
        ("(MIT OR GPL-2.0+) AND CC0-1.0", "(MIT OR GPL-2.0+) AND CC0-1.0"),
        ("MIT OR", "LicenseRef-MIT-OR"),
        (")MIT(", "LicenseRef-MIT"),
        ("whatever the owner likes", "LicenseRef-whatever-the-owner-likes"),
        ("ü", "LicenseRef-unnamed"),
    ],
)
def test_what_is_no_expression_becomes_a_reference(licence: str, expression: str) -> None:
    assert licences.expression(licence) == expression


@pytest.mark.parametrize(
    ("decimal", "number"),
    [("0.25", 0.25), ("12", 12), ("12.0", 12), ("0.12345678901234567890", None)],
)
def test_a_figure_is_a_number_where_nothing_is_lost(decimal: str, number: float | None) -> None:
    assert card.number(decimal) == (decimal if number is None else number)


@pytest.mark.parametrize(
    ("task", "taken", "given"),
    [
        ("text-generation", "Text", "Text"),
        ("text-to-image", "Text", "Image"),
        ("reinforcement-learning", None, None),
        ("", None, None),
    ],
)
def test_modalities_are_those_in_the_tasks_name(
    made: Checkpoint, task: str, taken: str | None, given: str | None
) -> None:
    known = facts_of(made)
    changed_task = replace(known, said=replace(known.said, task=task))
    found = {each.key: each.answer for _, some in gpai.filled(changed_task) for each in some}
    for key, expected in (("input-modalities", taken), ("output-modalities", given)):
        answer = found[key]
        assert (answer.lines[0].partition(" ")[0] if answer else None) == expected
