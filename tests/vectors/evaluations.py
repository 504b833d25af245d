# SPDX-License-Identifier: Apache-2.0
"""An evaluation that its maker withdrew, changed in one thing each; and what is no statement."""

from __future__ import annotations

from dataclasses import replace

from assay.signing import canonical
from assay.signing.canonical import instant_text
from assay.signing.certificates import Purpose
from assay.signing.statements import Claim, Statement
from tests.signing.evaluating import (
    evaluation_claim,
    evidence_for_evaluation,
    with_part,
    withdrawal_of,
    withdrawn,
)
from tests.signing.world import AT, NODE, World, manifest_of
from tests.vectors.forks import forks
from tests.vectors.mutation import Mutation

ARTIFACT = "evaluation"


def evaluation_vectors() -> dict[str, object]:
    """The trust root, the evidence, the mutations, and predicates that no reader may accept."""
    world = World.create(at=AT)
    evidence = withdrawn(world)
    return {
        "source": "docs/spec/formats.md, section 2",
        "trust_root": world.trust.to_json(),
        "as_of": instant_text(AT),
        "evidence": evidence.to_json(),
        "mutations": [
            each.to_json()
            for each in (*_mutations(world), *forks(world, evidence, (ARTIFACT, "run")))
        ],
        "statement": _loads(evaluation_claim(world, evidence)),
        "withdrawal": _loads(withdrawal_of(evidence)),
        "refused": _refused(),
    }


def _loads(claim: Claim) -> object:
    return canonical.loads(claim.statement().canonical())


def _mutations(world: World) -> list[Mutation]:
    good = evidence_for_evaluation(world)
    other = world.evidence_for_checkpoint({"model.safetensors": b"another checkpoint"})
    of_other = with_part(world, good, "evaluation", evaluation_claim(world, other), "bob")
    twin = replace(evaluation_claim(world, good), evaluation="another")
    of_twin = with_part(world, good, "evaluation", twin, "bob")
    not_his = withdrawn(world, by="carol")
    by_node = with_part(
        world,
        good,
        "evaluation",
        evaluation_claim(world, good),
        f"nodes/{NODE}",
        purpose=Purpose.NODE,
    )
    renamed = manifest_of({"x": b"y"})
    return [
        Mutation(name="nothing changed", artifact=ARTIFACT, failed=()),
        Mutation(
            name="not withdrawn",
            artifact=ARTIFACT,
            remove=(("bundles", "withdrawal"),),
            failed=(),
        ),
        Mutation(
            name="no evaluation",
            artifact=ARTIFACT,
            remove=(("bundles", "evaluation"),),
            failed=("evaluation.statement",),
            error="missing-evidence",
        ),
        Mutation(
            name="an evaluation of another checkpoint",
            artifact=ARTIFACT,
            set={("bundles", "evaluation"): of_other.bundles["evaluation"].to_json()},
            failed=("evaluation.checkpoint", "withdrawal.evaluation"),
            error="broken-link",
        ),
        Mutation(
            name="the withdrawal of another evaluation",
            artifact=ARTIFACT,
            set={("bundles", "evaluation"): of_twin.bundles["evaluation"].to_json()},
            failed=("withdrawal.evaluation",),
            error="broken-link",
        ),
        Mutation(
            name="withdrawn by somebody else",
            artifact=ARTIFACT,
            set={
                ("bundles", "evaluation"): not_his.bundles["evaluation"].to_json(),
                ("bundles", "withdrawal"): not_his.bundles["withdrawal"].to_json(),
                ("bundles", "checkpoint"): not_his.bundles["checkpoint"].to_json(),
            },
            failed=("withdrawal.evaluation",),
            error="broken-link",
        ),
        Mutation(
            name="an evaluation by the node that made the checkpoint",
            artifact=ARTIFACT,
            set={("bundles", "evaluation"): by_node.bundles["evaluation"].to_json()},
            remove=(("bundles", "withdrawal"),),
            failed=("evaluation.signer",),
            error="wrong-purpose",
        ),
        Mutation(
            name="a withdrawal for the evaluation",
            artifact=ARTIFACT,
            set={("bundles", "evaluation"): not_his.bundles["withdrawal"].to_json()},
            failed=("evaluation.statement",),
            error="bad-envelope",
        ),
        Mutation(
            name="the files of the manifest changed",
            artifact=ARTIFACT,
            set={("manifest",): renamed.to_json()},
            failed=("checkpoint.manifest", "checkpoint.oms"),
            error="broken-link",
        ),
    ]


def _refused() -> list[dict[str, object]]:
    """One place of the statement (or with `withdrawal`, of that) set to what it may not be."""
    metric = {"name": "acc", "value": "1", "standard_error": None}
    bad: list[tuple[str, list[str | int], object]] = [
        ("a number that is no text", ["metrics", 0, "value"], 1),
        ("a number with an exponent", ["metrics", 0, "value"], "1e-3"),
        ("not a number", ["metrics", 0, "value"], "NaN"),
        ("an error that is no number", ["metrics", 0, "standard_error"], "N/A"),
        ("no metrics", ["metrics"], []),
        ("a metric twice", ["metrics"], [metric, metric]),
        ("another order", ["metrics"], [{**metric, "name": "b"}, metric]),
        (
            "the order of UTF-16",
            ["metrics"],
            [{**metric, "name": "\U0001f600"}, {**metric, "name": "\uffe5"}],
        ),
        ("too many metrics", ["metrics"], [{**metric, "name": f"{n:03}"} for n in range(65)]),
        ("a metric of a field more", ["metrics", 0, "unit"], "%"),
        ("a task of two lines", ["task"], "a\nb"),
        ("a task that turns text around", ["task"], "a\u202eb"),
        ("a task of 201 characters", ["task"], "a" * 201),
        ("no task", ["task"], ""),
        ("a data set without a digest", ["dataset"], {"name": "a"}),
        ("a digest in capitals", ["dataset", "sha256"], "AB" * 32),
        ("a field of the data set more", ["dataset", "split"], "test"),
        ("a commit that is none", ["harness", "commit"], "main"),
        ("a harness without a version", ["harness"], {"name": "a", "commit": None}),
        ("a configuration that is no digest", ["config"], "x"),
        ("a time with a fraction", ["evaluated_at"], "2026-11-20T09:30:00.5Z"),
        ("a field more", ["by"], "alice"),
    ]
    withdrawal: list[tuple[str, list[str | int], object]] = [
        ("a reason in words of one's own", ["reason"], "I was wrong"),
        ("a field more", ["by"], "alice"),
    ]
    named = [("statement", bad), ("withdrawal", withdrawal)]
    return [
        {"of": of, "why": why, "path": ["predicate", *path], "value": value}
        for of, each in named
        for why, path, value in each
    ] + [
        {"of": of, "why": "another subject", "path": ["subject", 0, "name"], "value": "x"}
        for of, _ in named
    ]


def statement_of(document: object) -> Statement:
    """The statement in a vector."""
    return Statement.parse(canonical.dumps(document))
