# SPDX-License-Identifier: Apache-2.0
"""How a checkpoint is cited is read by programs that we did not write: each form by its own."""

from __future__ import annotations

import json
import re
import subprocess
from pathlib import Path

import pytest
from django.test import Client

from registry.catalog import tasks
from registry.catalog.content import described
from registry.catalog.models import Checkpoint, Project
from registry.catalog.queries import citing
from tests.keeping import kept
from tests.needing import needs
from tests.registry.catalog.conftest import account, remote
from tests.registry.catalog.datacite import DataCite, asked
from tests.registry.catalog.test_listings import OURS
from tests.registry.catalog.world import World, built, by_person, publish

__all__ = ["account", "remote"]  # the fixtures
PYTHON = Path(__file__).parents[2] / ".venv-citing" / "bin" / "python"
ODD = 'Owls & parrots: 100 % of "them", {_all_} \\ #1 ~ ^'

CFF = """
import sys
from cffconvert import Citation
citation = Citation(open(sys.argv[1]).read())
citation.validate()
print(citation.as_bibtex())
"""
LICENCES = """
import json, sys
from pathlib import Path
import cffconvert
schema = Path(cffconvert.__file__).parent / "schemas" / "1.2.0" / "schema.json"
known = json.loads(schema.read_text())["definitions"]["license-enum"]["enum"]
unknown = set(json.loads(Path(sys.argv[1]).read_text())) - set(known)
assert not unknown, unknown
"""
DATACITE = """
import json, sys
from datacite import schema45
document = json.load(open(sys.argv[1]))
schema45.validator.validate(document)
assert schema45.tostring({**document, "doi": "10.1234/x"})
"""
CRATE = """
import json, sys
from pathlib import Path
from rocrate.rocrate import ROCrate
crate = ROCrate(Path(sys.argv[1]).parent)
print(json.dumps({
    "name": crate.name, "license": str(crate.license.id), "author": crate.root_dataset["author"].id,
    "files": sorted(each.id for each in crate.data_entities),
    "sha256": {each.id: each["sha256"] for each in crate.data_entities},
    "identifier": [each["value"] for each in crate.root_dataset["identifier"]],
}))
"""
BIBTEX = """
import json, sys
import bibtexparser
library = bibtexparser.parse_file(sys.argv[1])
assert not library.failed_blocks, library.failed_blocks
(entry,) = library.entries
fields = {each.key: each.value for each in entry.fields}
print(json.dumps({"type": entry.entry_type, "key": entry.key, **fields}))
"""

pytestmark = needs("citing")


world = kept(built)


@pytest.fixture
def checkpoint(world: World) -> Checkpoint:
    Project.objects.update(title=ODD)
    return publish(by_person(world, files={**OURS, "sub/a b.txt": b"text"}))


def fetched(of: Checkpoint, name: str, folder: Path) -> Path:
    answer = Client().get(f"{of.path}/citation/{name}")
    assert answer.status_code == 200
    file = folder / name
    file.write_bytes(answer.content)
    return file


def judged(script: str, file: Path) -> str:
    command = (str(PYTHON), "-W", "ignore", "-c", script, str(file))
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return done.stdout


def everywhere(of: Checkpoint) -> tuple[str, str, str]:
    """What each form must say: the id, the ledger's entry, the command."""
    assert of.statement is not None
    entry = f"localhost:8000/ledger#{of.statement.entry.index}"
    return f"sha256:{of.manifest_sha256}", entry, "assay download lab/small@first --registry"


def test_cffconvert_reads_the_citation_file(checkpoint: Checkpoint, tmp_path: Path) -> None:
    file = fetched(checkpoint, "CITATION.cff", tmp_path)
    assert "author" in judged(CFF, file)
    for said in everywhere(checkpoint):
        assert said in file.read_text()
    assert "license: MIT" in file.read_text()


def test_every_licence_that_a_card_may_name_is_one_to_cffconvert(tmp_path: Path) -> None:
    named = tmp_path / "licences.json"
    named.write_text(json.dumps(sorted({*described.SPDX.values()} - citing.NOT_IN_CFF)))
    judged(LICENCES, named)


def test_datacites_schema_takes_the_document(checkpoint: Checkpoint, tmp_path: Path) -> None:
    file = fetched(checkpoint, "datacite.json", tmp_path)
    judged(DATACITE, file)
    document = json.loads(file.read_text())
    assert document["titles"] == [{"title": f"{ODD}, first"}]
    for said in everywhere(checkpoint):
        assert said in file.read_text()


def test_rocrate_reads_the_crate(checkpoint: Checkpoint, tmp_path: Path) -> None:
    found = json.loads(judged(CRATE, fetched(checkpoint, "ro-crate-metadata.json", tmp_path)))
    names = [*OURS, "sub/a%20b.txt"]
    assert found["files"] == sorted(names)
    assert found["license"] == "https://spdx.org/licenses/MIT"
    assert found["name"] == f"{ODD}, first"
    digests = {file.name: file.sha256 for file in checkpoint.files.all()}
    assert found["sha256"]["README.md"] == digests["README.md"]
    id_, entry, command = everywhere(checkpoint)
    assert found["identifier"][:2] == [id_, entry]
    assert found["identifier"][2].startswith(command)


def test_bibtexparser_reads_the_entry(checkpoint: Checkpoint, tmp_path: Path) -> None:
    found = json.loads(judged(BIBTEX, fetched(checkpoint, "citation.bib", tmp_path)))
    assert (found["type"], found["key"]) == ("misc", "lab-small-first")
    assert "Owls \\& parrots: 100 \\%" in found["title"]
    assert re.fullmatch(r"20[0-9]{2}", found["year"])
    id_, _, command = everywhere(checkpoint)
    assert id_ in found["note"]
    assert command in found["note"]


def test_every_reader_finds_the_doi(
    world: World, checkpoint: Checkpoint, remote: DataCite, tmp_path: Path
) -> None:
    doi = asked(world, checkpoint).doi
    tasks.register()
    assert judged(CFF, fetched(checkpoint, "CITATION.cff", tmp_path)).count(doi) == 1
    judged(DATACITE, fetched(checkpoint, "datacite.json", tmp_path))
    crate = json.loads(judged(CRATE, fetched(checkpoint, "ro-crate-metadata.json", tmp_path)))
    assert crate["identifier"][-1] == doi
    entry = json.loads(judged(BIBTEX, fetched(checkpoint, "citation.bib", tmp_path)))
    assert entry["doi"] == doi
    assert list(remote.dois) == [doi]


def test_datacites_schema_takes_what_a_doi_is_registered_with(
    world: World, checkpoint: Checkpoint, remote: DataCite, tmp_path: Path
) -> None:
    asked(world, checkpoint)
    tasks.register()
    (sent,) = remote.dois.values()
    assert (sent.pop("event"), sent.pop("state")) == ("publish", "findable")
    file = tmp_path / "sent.json"
    file.write_text(json.dumps(sent))
    judged(DATACITE, file)


def test_nothing_else_is_a_form(checkpoint: Checkpoint) -> None:
    assert Client().get(f"{checkpoint.path}/citation/endnote.xml").status_code == 404
    assert Client().get("/lab/small/none/citation/citation.bib").status_code == 404
