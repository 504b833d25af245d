# SPDX-License-Identifier: Apache-2.0
"""`manage.py pool open`: a run on a folder of one's own is opened, and leased by the next node."""

from __future__ import annotations

import io
import json
from pathlib import Path

import pytest
from django.core.management import CommandError, call_command
from django.utils import timezone

from registry.catalog import services as catalog
from registry.pool import queries, services
from registry.pool.models import Run
from registry.site import demo
from tests.registry.pool.world import RECIPE, Lab, join
from tests.registry.site.world import Shown

OWN = "--by bob --dataset lab/letters"


def said_to(words: str, *more: str) -> str:
    said = io.StringIO()
    call_command("pool", "open", "lab/tiny", *words.split(), *more, stdout=said)
    return said.getvalue().strip()


@pytest.fixture
def lab(shown: Shown, tmp_path: Path) -> Lab:
    """Whose letters are a data set, of which one file in a few can be held out."""
    folder = tmp_path / "letters"
    folder.mkdir()
    for number in range(8):
        (folder / f"{number}.txt").write_text(f"Dear reader {number}, " * 40)
    origin = catalog.Origin(folder=folder, title="Letters", source="A test", license="CC0-1.0")
    catalog.add_dataset(shown.lab.people.lab.namespace, "letters", origin)
    return shown.lab


def test_a_run_on_ones_own_text_is_the_next_that_is_leased(lab: Lab) -> None:
    path = said_to(OWN)
    run = queries.newest_run()
    assert run is not None
    assert run.path == path
    assert (run.dataset.name, run.created_by) == ("letters", lab.people.bob)
    asked = demo.recipe()
    assert run.recipe == {**asked, "data": run.recipe["data"]}
    assert run.recipe["data"]["validation_one_in"] in {2, 3, 5, 10, 20}
    lease = services.claim(join(lab.people.bob).node, now=timezone.now())
    assert lease is not None
    assert lease.run == run


def test_a_recipe_of_ones_own_is_taken_as_it_is(lab: Lab, tmp_path: Path) -> None:
    recipe = tmp_path / "recipe.json"
    recipe.write_text(json.dumps(RECIPE))
    said_to(OWN, "--recipe", str(recipe))
    run = queries.newest_run()
    assert run is not None
    assert run.recipe == RECIPE


@pytest.mark.parametrize(
    ("words", "found"),
    [
        ("--by nobody --dataset lab/texts", "expected the name of a person, found 'nobody'"),
        ("--by charlie --dataset lab/texts", "expected a project that you act for"),
        ("--by bob --dataset lab/none", "expected the name of a data set .*, found 'lab/none'"),
        ("--by bob --dataset none", "expected the name of a data set .*, found 'none'"),
        ("--by bob --dataset lab/texts --recipe /dev/null", "document: expected JSON"),
        ("--by bob --dataset lab/texts --recipe /none", "No such file"),
    ],
)
def test_what_opens_no_run_is_said(shown: Shown, words: str, found: str) -> None:
    before = Run.objects.count()
    with pytest.raises(CommandError, match=found):
        said_to(words)
    assert Run.objects.count() == before


def test_a_project_that_is_none_is_said(shown: Shown) -> None:
    with pytest.raises(CommandError, match="lab/none"):
        call_command("pool", "open", "lab/none", *OWN.split())


def test_one_file_cannot_be_split(shown: Shown, tmp_path: Path) -> None:
    (tmp_path / "one").mkdir()
    (tmp_path / "one" / "all.txt").write_text("All of it.")
    origin = catalog.Origin(folder=tmp_path / "one", title="One", source="A test", license="MIT")
    catalog.add_dataset(shown.lab.people.lab.namespace, "one", origin)
    with pytest.raises(CommandError, match="two files or more"):
        said_to("--by bob --dataset lab/one")
