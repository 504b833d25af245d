# SPDX-License-Identifier: Apache-2.0
"""A registry that signs the results it is handed, or something a little else; and such results."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, TypeAlias
from uuid import NAMESPACE_URL, uuid5

from assay.signing.evidence import Evidence
from assay.signing.statements import EvaluationClaim, Result
from tests.signing.client.registry import Answer, Loopback, Seen, loopback
from tests.signing.commands.desk import Desk
from tests.signing.evaluating import evaluation_claim, with_part, withdrawal_of
from tests.signing.world import World

Json: TypeAlias = Any
NAME = "alice/tiny@step-100"
PATH = "/api/v1/projects/alice/tiny/checkpoints/step-100/evaluations"
# As lm-evaluation-harness 0.4.9 writes it (loggers/evaluation_tracker.py), cut to what is read.
LM_EVAL: Json = {
    "results": {
        "hellaswag": {
            "alias": "hellaswag",
            "acc,none": 0.2504480183230432,
            "acc_stderr,none": 0.004323856300539177,
            "acc_norm,none": 1e-05,
            "acc_norm_stderr,none": "N/A",
            "p_value,none": 1.25e-20,
        },
        "gsm8k": {"alias": "gsm8k", "exact_match,strict-match": 0, "ok": True},
        "mmlu": {"alias": "mmlu", "acc,none": 0.2294},
        "odd": {"alias": "odd"},
    },
    "groups": {"mmlu": {"alias": "mmlu", "acc,none": 0.2294}},
    "configs": {
        "hellaswag": {"task": "hellaswag", "dataset_path": "Rowan/hellaswag"},
        "gsm8k": {"task": "gsm8k", "dataset_path": "openai/gsm8k", "dataset_name": "main"},
        "odd": {},
    },
    "versions": {"hellaswag": 1.0, "gsm8k": 3.0},
    "n-shot": {"hellaswag": 0, "gsm8k": 5},
    "config": {"model": "hf", "model_args": "pretrained=x", "temperature": 0.5},
    "git_hash": "97a5e2c",
    "date": 1763717400.25,
    "lm_eval_version": "0.4.9.1",
    "task_hashes": {"hellaswag": "ab" * 32},
}


@dataclass(slots=True, kw_only=True)
class Office:
    """A registry that signs what it is handed, or something a little else."""

    world: World
    registry: Loopback
    said: dict[str, object] = field(default_factory=dict[str, object])
    """What it says of an evaluation against the truth; None is what it does not say."""
    altered: Callable[[EvaluationClaim], EvaluationClaim] = lambda claim: claim
    signer: str = ""
    is_withdrawn: bool = False

    @property
    def url(self) -> str:
        return self.registry.url

    def sign(self, seen: Seen) -> Answer:
        handed_in = json.loads(seen.body)
        by = self.signer or handed_in.pop("by", "bob")
        handed_in.pop("by", None)
        below = self.world.evidence_for_checkpoint()
        claim = replace(
            evaluation_claim(self.world, below),
            evaluation=str(uuid5(NAMESPACE_URL, str(seen.headers["Idempotency-Key"]))),
            result=Result.parse(handed_in),
        )
        signed = with_part(self.world, below, "evaluation", self.altered(claim), by)
        if self.is_withdrawn:
            signed = with_part(self.world, signed, "withdrawal", withdrawal_of(signed), by)
        return self.show(claim.evaluation, signed)

    def show(self, evaluation: str, evidence: Evidence) -> Answer:
        of = f"{PATH}/{evaluation}"
        truth = {"id": evaluation, "state": "published", "url": f"http://registry.test{of}"}
        figures = {"task": "hellaswag", "metrics": [{"name": "acc", "value": "0.99"}]}
        whole = {**truth, **figures, **self.said}
        said = {name: value for name, value in whole.items() if value is not None}
        self.registry.on_json("GET", of, said)
        self.registry.on("GET", f"{of}/evidence", Answer(body=evidence.canonical()))
        return Answer(status=201, body=json.dumps(said).encode())


@contextmanager
def opened(desk: Desk) -> Iterator[Office]:
    """One that the desk trusts."""
    desk.pin()
    with loopback() as registry:
        office = Office(world=desk.world, registry=registry)
        registry.made["POST", PATH] = office.sign
        yield office


def results(desk: Desk, document: Json = LM_EVAL) -> Path:
    path = desk.folder / "results.json"
    path.write_text(json.dumps(document))
    return path


def handed(office: Office) -> list[Json]:
    return [json.loads(each.body) for each in office.registry.seen if each.method == "POST"]


def hand_in(
    desk: Desk, office: Office, *more: object, document: Json = LM_EVAL
) -> tuple[int, str, str]:
    path = results(desk, document)
    return desk.assay("results", path, NAME, "--registry", office.url, *more)
