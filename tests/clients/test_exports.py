# SPDX-License-Identifier: Apache-2.0
"""What is exported of a checkpoint is read and judged by programs that we did not write.

Each of them is shown the export, which it takes, and the same with one thing changed, which it
refuses.
"""

from __future__ import annotations

import json
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeAlias

import pytest
from django.test import Client

from registry.catalog.models import Checkpoint, Project
from registry.catalog.queries import exporting
from registry.conduct import services as conduct
from tests.keeping import kept
from tests.needing import needs, python_of
from tests.registry.catalog.test_evaluations import RESULT
from tests.registry.catalog.test_listings import OURS
from tests.registry.catalog.world import FILES, World, built, by_node, by_person, publish
from tests.registry.people import client_of

Document: TypeAlias = Any  # JSON of somebody else's form
Change: TypeAlias = Callable[[Document], object]
SECONDS = 300
ODD = 'Ōwls & "parrots" <b>, 100 %: #1 ~ ^ \\ 🦉' + " very long" * 40
NAMES = ("sub/a b.txt", "ünï-%41 🦉.txt", f"{'long/' * 30}{'n' * 120}.txt")
CARD = """---
license: other
license_name: The owls' own
language: ["no", de]
base_model: [lab/base, other/base]
tags: [tiny, "yes", "ü # x"]
model-index:
- name: declared
  results:
  - task: {type: text-generation}
    dataset: {type: a/b, name: B}
    metrics: [{type: accuracy, value: 0.5}]
---
# A card
"""
# Each prints a JSON list: of every file named, what is wrong with it, or what was read of it.
SPDX = """
import io, json, sys
from license_expression import get_spdx_licensing
from spdx_python_model import v3_0_1 as spdx
def read(path):
    found = spdx.SHACLObjectSet()
    with open(path, "rb") as file:
        spdx.JSONLDDeserializer().read(file, found)
    missing = found.link()
    assert not missing, missing
    spdx.JSONLDSerializer().write(found, io.BytesIO())  # counts what is required
    (model,) = found.foreach_type(spdx.ai_AIPackage)
    packages = (model, *found.foreach_type(spdx.dataset_DatasetPackage))
    ends = {each.relationshipType.rpartition("/")[2]: each for each in
            found.foreach_type(spdx.Relationship) if each.from_ is model}
    licensing = get_spdx_licensing()
    for each in found.foreach_type(spdx.simplelicensing_LicenseExpression):
        text = each.simplelicensing_licenseExpression
        named = licensing.license_keys(text)
        unknown = [key for key in licensing.unknown_license_keys(text)
                   if not key.startswith("LicenseRef-")]
        assert named and not unknown, text
    return {
        "name": model.name, "version": model.software_packageVersion,
        "hash": [each.hashValue for each in model.verifiedUsing],
        "supplier": model.suppliedBy.name,
        "files": {each.name: each.verifiedUsing[0].hashValue
                  for each in ends["contains"].to},
        "data": [each.name for each in ends["trainedOn"].to] if "trainedOn" in ends else [],
        "origins": sorted(  # a set of objects has no order
            each.name for relation in found.foreach_type(spdx.Relationship)
            if relation.relationshipType.endswith("descendantOf") for each in relation.to),
        "metrics": [each.key for each in model.ai_metric],
        "required": [  # by the profiles for AI and data sets, in words alone
            bool(each) for one in packages
            for each in (one.releaseTime, one.software_primaryPurpose,
                         one.software_downloadLocation, one.software_packageVersion,
                         one.suppliedBy or (one.originatedBy and one.builtTime))],
    }
"""
CYCLONEDX = """
import json, sys
from cyclonedx.schema import SchemaVersion
from cyclonedx.validation.json import JsonStrictValidator
validator = JsonStrictValidator(SchemaVersion.V1_7)
def read(path):
    text = open(path).read()
    errors = validator.validate_str(text, all_errors=True)
    assert not errors, [str(each.data.message) for each in errors]
    document = json.loads(text)
    refs, used = [], []
    def walk(each):
        if isinstance(each, dict):
            refs.append(each["bom-ref"]) if "bom-ref" in each else None
            used.append(each["ref"]) if "ref" in each else None
            used.extend(each.get("dependsOn", []))
            each = list(each.values())
        for one in each if isinstance(each, list) else []:
            walk(one)
    walk(document)
    assert len(refs) == len(set(refs)), refs
    assert set(used) <= set(refs), used
    return document
"""
CROISSANT = """
import json, logging, sys
import mlcroissant
def read(path):
    found = mlcroissant.Dataset(jsonld=path).metadata
    assert not found.ctx.issues.warnings, found.ctx.issues.report()
    return {"name": found.name, "license": found.license, "version": found.version,
            "files": {each.name: each.sha256 for each in found.distribution},
            "urls": [each.content_url for each in found.distribution]}
"""
HUB = """
import json, sys
from huggingface_hub import ModelCard
def read(path):
    data = ModelCard.load(path).data
    return {**{key: data[key] for key in ("license", "language", "base_model", "tags", "datasets")},
            "assay": data["assay"], "results": [
                [each.task_type, each.dataset_name, each.metric_type, each.metric_value,
                 each.source_name] for each in data.eval_results]}
"""
EACH = """
found = []
for path in sys.argv[1:]:
    try:
        found.append(read(path))
    except Exception as error:
        found.append(f"{type(error).__name__}: {error}")
print(json.dumps(found))
"""

pytestmark = needs("exports")


world = kept(built)


@pytest.fixture
def checkpoint(world: World) -> Checkpoint:
    """By a run, with odd names everywhere, and evaluated by a stranger."""
    Project.objects.update(title=ODD[:200], summary=ODD)
    files = {**OURS, "README.md": CARD.encode(), **dict.fromkeys(NAMES, b"text")}
    published = publish(by_node(world, files=files))
    charlie = world.people.charlie
    conduct.accept(world.conduct, charlie.namespace, charlie)
    url = f"/api/v1/projects/lab/small/checkpoints/{published.name}/evaluations"
    sent = {**RESULT, "task": "ARC 🦉 challenge"}
    assert client_of(charlie, "publish").post(url, sent, format="json").status_code == 201
    return published


@pytest.fixture
def bare(world: World) -> Checkpoint:
    """By a person, without data, card or evaluations."""
    return publish(by_person(world, files={**FILES, "README.md": b"# x\n"}))


def fetched(of: Checkpoint, name: str) -> str:
    path = f"/api/v1/projects/lab/small/checkpoints/{of.name}/exports/{name}"
    answer = Client().get(path)
    assert answer.status_code == 200
    return answer.content.decode()


def judged(environment: str, script: str, folder: Path, *texts: str) -> list[Document]:
    """What the script read of each; for what it refuses, the words in which it does."""
    files = [folder / f"{number}.md" for number, _ in enumerate(texts)]
    for file, text in zip(files, texts, strict=True):
        file.write_text(text)
    python = str(python_of(environment))
    command = (python, "-W", "ignore", "-c", script + EACH, *map(str, files))
    done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=SECONDS)
    assert done.returncode == 0, done.stderr
    found: list[Document] = json.loads(done.stdout.splitlines()[-1])
    return found


def changed(text: str, change: Change) -> str:
    document = json.loads(text)
    change(document)
    return json.dumps(document)


def element(kind: str, change: Change) -> Change:
    """Changes the first element of this kind in a graph of SPDX's."""

    def do(document: Document) -> None:
        change(next(each for each in document["@graph"] if each["type"] == kind))

    return do


def digests(of: Checkpoint) -> dict[str, str]:
    signatures = {"model.sig", "model.sigstore.json"}
    return {each.name: each.sha256 for each in of.files.exclude(name__in=signatures)}


SPDX_FAULTS: tuple[tuple[Change, str], ...] = (
    (element("ai_AIPackage", lambda one: one.update(colour="red")), "Unknown property"),
    (element("ai_AIPackage", lambda one: one.update(releaseTime="today")), "datetime"),
    (element("ai_AIPackage", lambda one: one.update(software_primaryPurpose="toy")), "toy"),
    (element("dataset_DatasetPackage", lambda one: one.pop("dataset_datasetType")), "required"),
    (element("Relationship", lambda one: one.update(to=["http://x/none"])), "http://x/none"),
    (element("Relationship", lambda one: one.pop("from")), "required"),
    (
        element(
            "simplelicensing_LicenseExpression",
            lambda one: one.update(simplelicensing_licenseExpression="Owls-1.0"),
        ),
        "Owls-1.0",
    ),
)


def test_spdxs_own_library_reads_the_bill_of_material(
    checkpoint: Checkpoint, bare: Checkpoint, tmp_path: Path
) -> None:
    text = fetched(checkpoint, exporting.SPDX)
    broken = [changed(text, change) for change, _ in SPDX_FAULTS]
    stated = exporting.stated(checkpoint)[exporting.SPDX]
    bom, other, signed, *refused = judged(
        "exports", SPDX, tmp_path, text, fetched(bare, exporting.SPDX), stated, *broken
    )
    assert (bom["name"], bom["version"], bom["supplier"]) == ("lab/small", checkpoint.name, "lab")
    assert bom["hash"] == [checkpoint.manifest_sha256]
    assert bom["files"] == signed["files"] == digests(checkpoint)
    assert (bom["data"], bom["origins"]) == (["lab/texts"], ["lab/base", "other/base"])
    assert any("ARC 🦉 challenge" in each for each in bom["metrics"])
    assert not any("ARC" in each for each in signed["metrics"])
    assert all([*bom["required"], *other["required"]])
    assert (other["data"], other["origins"], other["metrics"]) == ([], [], [])
    for said, (_, word) in zip(refused, SPDX_FAULTS, strict=True):
        assert word in said


CYCLONEDX_FAULTS: tuple[tuple[Change, str], ...] = (
    (lambda one: one["metadata"]["component"]["modelCard"].update(colour="red"), "colour"),
    (lambda one: one["metadata"]["component"]["hashes"][0].update(content="xyz"), "xyz"),
    (lambda one: one.update(serialNumber="1"), "'1'"),
    (lambda one: one["components"][0].update({"bom-ref": "model"}), "AssertionError"),
    (lambda one: one["dependencies"][0].update(dependsOn=["none"]), "AssertionError"),
    (lambda one: one["components"][0].update(licenses=[{"license": {"id": "Owls"}}]), "Owls"),
)


def test_cyclonedxs_strict_schema_takes_the_bill_of_material(
    checkpoint: Checkpoint, bare: Checkpoint, tmp_path: Path
) -> None:
    text = fetched(checkpoint, exporting.CYCLONEDX)
    broken = [changed(text, change) for change, _ in CYCLONEDX_FAULTS]
    stated = exporting.stated(checkpoint)[exporting.CYCLONEDX]
    others = (fetched(bare, exporting.CYCLONEDX), stated)
    bom, other, signed, *refused = judged("exports", CYCLONEDX, tmp_path, text, *others, *broken)
    model = bom["metadata"]["component"]
    assert model["type"] == "machine-learning-model"
    assert {each["name"]: each["hashes"][0]["content"] for each in model["components"]} == digests(
        checkpoint
    )
    assert model["licenses"] == [
        {"expression": "LicenseRef-The-owls-own", "acknowledgement": "declared"}
    ]
    (data,) = bom["components"]
    assert (data["type"], data["licenses"][0]["expression"]) == ("data", "CC0-1.0")
    metrics = model["modelCard"]["quantitativeAnalysis"]["performanceMetrics"]
    assert {"type": "acc", "value": "0.2504", "slice": metrics[-1]["slice"]} in metrics
    assert "ARC 🦉 challenge on Rowan/hellaswag" in metrics[-1]["slice"]
    assert (other["components"], signed["serialNumber"] == bom["serialNumber"]) == ([], False)
    for said, (_, word) in zip(refused, CYCLONEDX_FAULTS, strict=True):
        assert word in said


CROISSANT_FAULTS: tuple[tuple[Change, str], ...] = (
    (lambda one: one["distribution"][0].pop("sha256"), "sha256"),
    (lambda one: one["distribution"][0].pop("contentUrl"), "contentUrl"),
    (lambda one: one["distribution"][0].pop("encodingFormat"), "encodingFormat"),
    (lambda one: one.pop("license"), "license"),
    (lambda one: one.update(version="newest"), "newest"),
)


def test_mlcroissant_reads_the_data_set_and_warns_of_nothing(
    world: World, checkpoint: Checkpoint, tmp_path: Path
) -> None:
    text = fetched(checkpoint, "croissant.json")
    broken = [changed(text, change) for change, _ in CROISSANT_FAULTS]
    found, *refused = judged("exports", CROISSANT, tmp_path, text, *broken)
    assert found["name"] == "lab/texts"
    assert found["license"] == ["https://spdx.org/licenses/CC0-1.0.html"]
    assert found["version"] == f"1.0.0+{world.dataset.sha256}"
    assert found["files"] == dict(world.dataset.files.values_list("name", "sha256"))
    first = f"/api/v1/blobs/sha256:{found['files']['a.txt']}"
    assert found["urls"][0] == f"http://localhost:8000{first}"
    for said, (_, word) in zip(refused, CROISSANT_FAULTS, strict=True):
        assert word in said


@needs("hub-2.4")
def test_the_hubs_client_reads_the_front_matter(checkpoint: Checkpoint, tmp_path: Path) -> None:
    text = fetched(checkpoint, "front-matter.md")
    broken = text.replace("      type: Rowan/hellaswag\n", "")
    found, refused = judged("hub-2.4", HUB, tmp_path, text, broken)
    assert (found["license"], found["language"]) == ("other", ["no", "de"])
    assert found["base_model"] == ["lab/base", "other/base"]
    conduct_tag = "conduct:community-language-models/1.0"
    assert found["tags"] == ["tiny", "yes", "ü # x", conduct_tag]
    assert found["datasets"] == ["lab/texts"]
    assert found["assay"]["checkpoint"] == f"sha256:{checkpoint.manifest_sha256}"
    declared, *signed = found["results"]
    assert declared == ["text-generation", "B", "accuracy", 0.5, None]
    assert [each[2:4] for each in signed] == [["acc", 0.2504], ["acc_norm", 0.2511]]
    assert "signed by http://localhost:8000/charlie" in signed[0][4]
    assert "KeyError" in refused or "ValueError" in refused
