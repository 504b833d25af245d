# SPDX-License-Identifier: Apache-2.0
"""mlflow-skinny, unmodified, reads the catalogue as a registry of models, and downloads."""

from __future__ import annotations

import json
import os
import subprocess
from pathlib import Path
from typing import Any

import pytest

from registry.catalog import services
from registry.catalog.queries.revisions import Kind, find
from tests.needing import needs
from tests.registry.catalog.world import FILES, World, build, by_node, by_person, project, publish
from tests.registry.people import invite, secret_of
from tests.running import Authority, Live

SECONDS = 180
PYTHON = Path(__file__).parents[2] / ".venv-mlflow" / "bin" / "python"
PRELUDE = """
import json, mlflow
from mlflow import MlflowClient
from mlflow.exceptions import MlflowException
client = MlflowClient()
"""

pytestmark = [
    pytest.mark.django_db(transaction=True),
    needs("mlflow"),
]


@pytest.fixture
def world(live: Live, authority: Authority, tmp_path: Path) -> World:
    return build(invite(), tmp_path / "texts")


def says(live: Live, home: Path, script: str, token: str = "") -> Any:  # noqa: ANN401 - JSON
    """What a script leaves in `said`."""
    done = subprocess.run(
        [str(PYTHON), "-c", f"{PRELUDE}{script}\nprint('>' + json.dumps(said))"],
        cwd=home,
        env={
            "PATH": os.environ["PATH"],
            "HOME": str(home),
            "MLFLOW_TRACKING_URI": live.url,
            "MLFLOW_DISABLE_TELEMETRY": "true",
            "MLFLOW_HTTP_REQUEST_MAX_RETRIES": "1",
            "MLFLOW_TRACKING_TOKEN": token,
            "no_proxy": "*",
        },
        capture_output=True,
        text=True,
        check=False,
        timeout=SECONDS,
    )
    assert done.returncode == 0, done.stderr
    (line,) = (line[1:] for line in done.stdout.splitlines() if line.startswith(">"))
    return json.loads(line)


def test_models_and_versions_are_found_and_described(
    live: Live, world: World, tmp_path: Path
) -> None:
    old, new = publish(by_node(world)), publish(by_person(world))
    for number in range(3):
        project(world.lab, world.conduct, world.people.alice, f"empty-{number}")
    script = """
first = client.search_registered_models(max_results=2)
second = client.search_registered_models(max_results=2, page_token=first.token)
one = client.get_registered_model('lab.small')
versions = client.search_model_versions("name = 'lab.small'")
version = client.get_model_version('lab.small', versions[0].version)
of_run = "run_id = '" + versions[1].run_id + "'"
said = [
    [found.name for found in [*first, *second]],
    [found.name for found in client.search_registered_models("name = 'lab.small'")],
    [found.name for found in client.search_registered_models("name ILIKE '%empty-1%'")],
    [found.version for found in one.latest_versions],
    [found.version for found in versions],
    [version.tags['sha256'], version.status, list(version.aliases)],
    [found.version for found in client.search_model_versions(of_run)],
]
"""
    listed, named, searched, latest, versions, one, of_run = says(live, tmp_path, script)
    assert listed == ["lab.empty-2", "lab.empty-1", "lab.empty-0", "lab.small"]
    assert (named, searched) == (["lab.small"], ["lab.empty-1"])
    assert latest == [str(new.pk)]
    assert versions == [str(new.pk), str(old.pk)]
    assert one == [new.manifest_sha256, "READY", ["main"]]
    assert of_run == [str(old.pk)]


def test_a_model_is_downloaded_by_alias_and_by_version(
    live: Live, world: World, tmp_path: Path
) -> None:
    files = {**FILES, "a folder/b.txt": b"b"}
    old = publish(by_person(world, files=files))
    alice, at = world.people.alice, find(world.project, "main")
    services.add_ref(world.project, Kind.TAG, "stable", at, by=alice, actor=alice.actor)
    publish(by_node(world))
    script = f"""
from pathlib import Path
get = lambda uri, to: mlflow.artifacts.download_artifacts(artifact_uri=uri, dst_path=to)
stable = Path(get('models:/lab.small@stable', 'one'))
number = Path(get('models:/lab.small/{old.pk}', 'two'))
newest = Path(get('models:/lab.small@main/step.txt', 'three'))
read = lambda folder: {{
    str(path.relative_to(folder)): path.read_bytes().decode('latin-1')
    for path in folder.rglob('*') if path.is_file()
}}
said = [read(stable), read(number), newest.read_text()]
"""
    stable, number, step = says(live, tmp_path, script, secret_of(world.people.bob, "read"))
    for folder in (stable, number):
        found = {name: content.encode("latin-1") for name, content in folder.items()}
        assert files.items() <= found.items()
        assert {"model.sig", "model.sigstore.json"} < found.keys()
    assert step == "10\n"


def test_what_is_not_there_is_told_in_its_words(live: Live, world: World, tmp_path: Path) -> None:
    published = publish(by_person(world))
    script = f"""
said = []
for ask in (
    lambda: client.get_registered_model('lab.none'),
    lambda: client.get_model_version_by_alias('lab.small', 'none'),
    lambda: client.get_model_version('lab.small', '{published.pk + 1}'),
    lambda: client.search_registered_models("description = 'x'"),
    lambda: client.create_registered_model('lab.new'),
):
    try:
        ask()
    except MlflowException as error:
        said.append([error.error_code, str(error)])
"""
    told = says(live, tmp_path, script)
    gone, wrong = "RESOURCE_DOES_NOT_EXIST", "INVALID_PARAMETER_VALUE"
    assert [code for code, _ in told[:4]] == [gone, gone, gone, wrong]
    assert all("expected " in message for _, message in told[:4])
    assert len(told) == 5
    (refused,) = says(
        live,
        tmp_path,
        """
said = []
try:
    client.get_registered_model('lab.small')
except MlflowException as error:
    said.append([error.error_code, str(error)])
""",
        "assay_nothing",
    )
    assert refused[0] == "UNAUTHENTICATED"
