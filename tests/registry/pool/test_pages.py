# SPDX-License-Identifier: Apache-2.0
"""A run's page shows its losses, its checkpoints, its machines; to everybody, without a script."""

from __future__ import annotations

import uuid

from django.test import Client
from django.utils import timezone

from registry.pool import services
from tests.registry.pool.world import Lab, Machine, paper_checkpoint


def test_a_runs_page_shows_how_it_goes(lab: Lab, machine: Machine) -> None:
    lease = services.claim(machine.node, now=timezone.now())
    assert lease is not None
    report = {"step": 20, "bytes_seen": 1, "train": "2.5", "validation": "2.25", "seconds": "1"}
    points = services.parse_points({"points": [report]})
    services.report(lease.id, points, by=lab.people.bob, now=timezone.now())
    paper_checkpoint(lab, 20)
    answer = Client().get(lab.run.path)
    page = answer.content.decode()
    assert answer.status_code == 200
    assert str(lab.run.id) in page
    assert "2.25" in page
    assert "step-000020" in page
    assert machine.node.name in page


def test_a_run_is_found_under_its_own_project_only(lab: Lab) -> None:
    assert Client().get(f"/alice/tiny/runs/{lab.run.id}").status_code == 404
    assert Client().get(f"/lab/tiny/runs/{uuid.uuid4()}").status_code == 404


def test_a_page_takes_no_post(lab: Lab) -> None:
    assert Client().post(lab.run.path).status_code == 405
