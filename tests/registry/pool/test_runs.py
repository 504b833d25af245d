# SPDX-License-Identifier: Apache-2.0
"""Runs are opened by who acts for the project, and by nobody else."""

from __future__ import annotations

import uuid

import pytest

from assay.signing.errors import InvalidDocument
from registry.api.problems import NotFound
from registry.catalog.errors import MayNotPublish
from registry.pool import queries, services
from registry.pool.models import Run, RunState
from tests.registry.pool.world import RECIPE, STEPS, Lab


def test_a_member_opens_a_run_under_the_projects_conduct(lab: Lab) -> None:
    run = services.create_run(lab.project, RECIPE, lab.dataset, lab.people.bob)
    assert (run.state, run.steps, run.conduct) == (RunState.OPEN, STEPS, lab.version)
    assert run.path == f"/lab/tiny/runs/{run.id}"
    assert list(queries.runs_of(lab.project)) == [run, lab.run]
    assert queries.newest_run() == run
    assert str(run) == f"run {run.id} (open)"


def test_a_stranger_opens_none(lab: Lab) -> None:
    with pytest.raises(MayNotPublish):
        services.create_run(lab.project, RECIPE, lab.dataset, lab.people.charlie)
    assert Run.objects.count() == 1


def test_a_recipe_that_is_none_opens_none(lab: Lab) -> None:
    with pytest.raises(InvalidDocument):
        services.create_run(lab.project, {"trainer": "mine"}, lab.dataset, lab.people.alice)
    assert Run.objects.count() == 1


@pytest.mark.parametrize("unknown", ["nonsense", str(uuid.uuid4())], ids=["nonsense", "another"])
def test_an_unknown_run_is_not_found(lab: Lab, unknown: str) -> None:
    with pytest.raises(NotFound, match="expected the id of a run"):
        queries.run(unknown)
