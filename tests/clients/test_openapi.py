# SPDX-License-Identifier: Apache-2.0
"""Schemathesis, told docs/openapi.yaml alone, finds a registry that does what is written there.

It asks each address what is allowed and what is not (values that are missing, of another type, too
long, out of range; other methods; without a token), and holds the answers to the document.
"""

from __future__ import annotations

import os
import subprocess
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import pytest
import yaml

from registry.env import CHECKOUT
from tests.needing import needs, python_of
from tests.registry.catalog.world import World, build, by_person, publish
from tests.registry.people import invite, secret_of
from tests.running import Authority, Live

DOCUMENT = CHECKOUT / "docs" / "openapi.yaml"
SCHEMATHESIS = python_of("openapi").with_name("schemathesis")
SECONDS = 500
# What a schema cannot say is refused, too: a `size` that is no square, bytes of another digest.
NOT_ASKED = "positive_data_acceptance"
BATCHES = "/api/v1/outputs/batch"  # lines of JSON, which it does not write

pytestmark = [
    pytest.mark.django_db(transaction=True),
    needs("openapi"),
]


@pytest.fixture
def world(live: Live, authority: Authority, tmp_path: Path) -> World:
    made = build(invite(), tmp_path / "texts")
    publish(by_person(made))
    return made


def asks(
    live: Live, world: World, home: Path, document: Path, *words: str
) -> subprocess.CompletedProcess[str]:
    """A run of it, in Bob's name; the same questions each time."""
    token = secret_of(world.people.bob, "read", "publish", "outputs")
    command: Sequence[str] = (
        *(str(SCHEMATHESIS), "run", str(document), "--url", live.url),
        *("--header", f"Authorization: Bearer {token}"),
        *("--phases", "coverage", "--seed", "1", "--generation-deterministic"),
        *("--checks", "all", "--exclude-checks", NOT_ASKED, "--continue-on-failure"),
        *("--warnings", "off", "--no-color", *words),
    )
    return subprocess.run(
        command,
        cwd=home,
        env={"PATH": os.environ["PATH"], "HOME": str(home), "no_proxy": "*"},
        capture_output=True,
        text=True,
        check=False,
        timeout=SECONDS,
    )


def test_it_does_what_is_written(live: Live, world: World, tmp_path: Path) -> None:
    done = asks(live, world, tmp_path, DOCUMENT, "--exclude-path", BATCHES)
    assert done.returncode == 0, done.stdout + done.stderr
    assert "No issues found" in done.stdout


def only_with_a_token(document: dict[str, Any]) -> None:
    asked = document["paths"]["/api/v1/projects"]["get"]
    asked["security"] = [{"token": []}]


def with_more_on_a_page(document: dict[str, Any]) -> None:
    page = document["components"]["schemas"]["FoundProjects"]
    page["required"].append("total")


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (only_with_a_token, "API accepts requests without authentication"),
        (with_more_on_a_page, '"total" is a required property'),
    ],
)
def test_it_sees_what_is_written_wrongly(
    live: Live,
    world: World,
    tmp_path: Path,
    change: Callable[[dict[str, Any]], None],
    said: str,
) -> None:
    document = yaml.safe_load(DOCUMENT.read_text(encoding="utf-8"))
    change(document)
    wrong = tmp_path / "openapi.yaml"
    wrong.write_text(yaml.safe_dump(document), encoding="utf-8")
    done = asks(live, world, tmp_path, wrong, "--include-path", "/api/v1/projects")
    assert (done.returncode, said in done.stdout) == (1, True), done.stdout + done.stderr
