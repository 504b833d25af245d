# SPDX-License-Identifier: Apache-2.0
"""The steps of a verification as a tree: each part below the one that names it, with its links.

A link stands with the lower of the two parts that it joins, where a reader looks for what it is
that stands there. What is about no single part (openings, tree heads) stands at the end.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from itertools import chain
from typing import TypeAlias

from ..errors import Outcome, Step
from ..values import dataclass

ROOTS = ("output", "evaluation", "bundle", "checkpoint", "model")
BESIDE = "evidence"
"""The node of the steps that are about no single part."""
BASE = "base-"
"""What the parts of a checkpoint are called that a run continued from; a number follows."""
ACCEPTANCE = "acceptance-"
"""What an acceptance is called; a number follows. It is below the first part that names it."""
# Below which part each stands: the first of these that is there.
_BELOW = {
    "batch": ("output",),
    "checkpoint": ("output", "evaluation"),
    "conduct": ("checkpoint",),
    "dataset": ("run", "checkpoint"),
    "model": ("checkpoint",),
    "run": ("checkpoint",),
    "takedown": ("checkpoint",),
    "withdrawal": ("evaluation",),
}
_Parts: TypeAlias = Mapping[str, tuple[str, ...]]
"""The parts that there are, and of each which ones it may stand below."""
_COMPARED = {"text": ROOTS[:1], "files": ("checkpoint", "model"), "tensors": ("checkpoint",)}


@dataclass(frozen=True, slots=True, kw_only=True)
class Node:
    """One part: the steps about it and its links upwards, and what it names."""

    name: str
    steps: tuple[Step, ...]
    children: tuple[Node, ...] = ()

    @property
    def outcome(self) -> Outcome:
        """The worst of its own steps."""
        found = {step.outcome for step in self.steps}
        order = (Outcome.FAILED, Outcome.NOT_REACHED)
        return next((each for each in order if each in found), Outcome.PASSED)


def tree(steps: Iterable[Step]) -> tuple[Node, ...]:
    """The artifact with all below it, and last what is about no single part."""
    own: list[Step] = []
    bases: dict[str, list[Step]] = {}
    for step in steps:
        (bases.setdefault(step.part, []) if step.part.startswith(BASE) else own).append(step)
    above = {**_BELOW, **_accepted((*own, *chain.from_iterable(bases.values())))}
    parts = {step.part: above.get(step.part, ()) for step in own if step.part in {*above, *ROOTS}}
    placed: dict[str, list[Step]] = {}
    for step in own:
        placed.setdefault(_place(step, parts), []).append(step)
    root = next((name for name in ROOTS if name in parts), BESIDE)
    below = [Node(name=name, steps=tuple(found)) for name, found in bases.items()]
    found = [_node(root, placed, parts, below)]
    if root != BESIDE and BESIDE in placed:
        found.append(Node(name=BESIDE, steps=tuple(placed[BESIDE])))
    return tuple(found)


def _node(name: str, placed: dict[str, list[Step]], parts: _Parts, bases: list[Node]) -> Node:
    below = [part for part in placed if part != name and _above(part, parts) == name]
    children = [_node(part, placed, parts, bases) for part in below]
    if name == "run":
        children += bases
    return Node(name=name, steps=tuple(placed.get(name, ())), children=tuple(children))


def _place(step: Step, parts: _Parts) -> str:
    """The node that a step stands with."""
    part, _, check = step.code.partition(".")
    if not check:
        where = _COMPARED.get(part, ())
        return next((each for each in where if each in parts), BESIDE)
    if check not in parts or _is_above(check, part, parts):
        return part
    return check


def _accepted(steps: Iterable[Step]) -> _Parts:
    """Below which part each acceptance stands: those that name it, or else the artifact."""
    found: dict[str, tuple[str, ...]] = {}
    for step in steps:
        part, _, check = step.code.partition(".")
        if check.startswith(ACCEPTANCE):
            found[check] = (*found.get(check, ()), part)
    return {name: (*parts, *ROOTS) for name, parts in found.items()}


def _above(part: str, parts: _Parts) -> str | None:
    return next((each for each in parts.get(part, ()) if each in parts), None)


def _is_above(higher: str, lower: str, parts: _Parts) -> bool:
    above = _above(lower, parts)
    return above is not None and (above == higher or _is_above(higher, above, parts))
