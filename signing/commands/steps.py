# SPDX-License-Identifier: Apache-2.0
"""A verification's steps on a terminal: on the left the tree of parts, beside it each step."""

from __future__ import annotations

from collections.abc import Iterator

from ..errors import Outcome, Step
from ..values import dataclass
from ..verify.tree import ACCEPTANCE, BASE, Node, tree
from .terminal import COLUMNS, Ink, Terminal, seen_width, shortened, wrapped

MIN_PART_COLUMNS = 11
NAME_COLUMNS = 11
LINK_COLUMNS = 22
MIN_DETAIL_COLUMNS = 24
_INK_OF = {Outcome.PASSED: None, Outcome.FAILED: Ink.RED, Outcome.NOT_REACHED: Ink.DIM}
_SIGNED_PART_CHECKS = frozenset(
    {"statement", "time", "signer", "sct", "revocation", "signature", "entry", "tree-head", "proof"}
    | {"opening", "consent"}  # of an acceptance
)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Row:
    """A node, and what the tree looks like left of it: on its first line and on all others."""

    node: Node
    label: str
    rail: str


def print_steps(steps: tuple[Step, ...], terminal: Terminal) -> None:
    """Every step on a line of its own, those about one part together, below what names it.

    Of acceptances, and of checkpoints that a run continued from, only what did not pass is.
    """
    rows = [row for node in tree(steps) for row in _rows(node, "", "", "")]
    width = max([MIN_PART_COLUMNS, *(len(row.label) + 2 for row in rows)])
    for row in rows:
        _print_node(row, width, terminal)
    terminal.line()


def _rows(node: Node, above: str, branch: str, stem: str) -> Iterator[_Row]:
    """The node's row, and those of all below it."""
    before, last = above + stem, len(node.children) - 1
    rail = before + ("│" if node.children else "")
    yield _Row(node=node, label=above + branch + _name(node), rail=rail)
    for place, child in enumerate(node.children):
        is_last = place == last
        yield from _rows(child, before, "└ " if is_last else "├ ", "  " if is_last else "│ ")


def _name(node: Node) -> str:
    return node.name.replace("-", " ") if _is_counted(node) else node.name


def _is_counted(node: Node) -> bool:
    """Whether it is one of several, of which each has many steps."""
    return node.name.startswith((BASE, ACCEPTANCE))


def _print_node(row: _Row, width: int, terminal: Terminal) -> None:
    node, lefts = row.node, _lefts(row, width, terminal)
    steps = node.steps
    if _is_counted(node):
        steps = tuple(step for step in steps if step.outcome is not Outcome.PASSED)
        _print_passed(node, len(node.steps) - len(steps), lefts, terminal)
    for step in steps:
        _print_step(step, lefts, terminal)


def _lefts(row: _Row, width: int, terminal: Terminal) -> Iterator[str]:
    """What stands left of each line of a node: once its name, then the rails of the tree."""
    yield terminal.paint(Ink.BOLD, f"{row.label:<{width}}")
    while True:
        yield terminal.paint(Ink.DIM, f"{row.rail:<{width}}")


def _print_passed(node: Node, passed: int, lefts: Iterator[str], terminal: Terminal) -> None:
    """How many steps about one of several passed, what it is by its own word, and whose."""
    details = [step for step in node.steps if step.outcome is Outcome.PASSED]
    whose = [step for step in details if step.code == f"{node.name}.opening"]
    said = [step.detail for step in (*details[:1], *whose)]
    head = f"{terminal.mark(node.outcome)} {node.steps[0].number:>2} "
    text = ": ".join(
        [f"{passed} of {len(node.steps)} steps passed", *filter(None, ["; ".join(said)])]
    )
    _print_beside(lefts, head, text, terminal=terminal)


def _print_step(step: Step, lefts: Iterator[str], terminal: Terminal) -> None:
    name, width = _named(step)
    head = f"{terminal.mark(step.outcome)} {step.number:>2} {name:<{width - 1}} "
    _print_beside(lefts, head, step.detail, terminal=terminal, ink=_INK_OF[step.outcome])


def _named(step: Step) -> tuple[str, int]:
    """A step's name beside its node, and how wide the names of its sort are."""
    code = step.code.removeprefix(f"{step.part}.") if step.part.startswith(BASE) else step.code
    part, _, check = code.partition(".")
    if not check:
        return part, NAME_COLUMNS
    if check not in _SIGNED_PART_CHECKS:
        return f"{part} → {check}", LINK_COLUMNS
    return (check, NAME_COLUMNS) if code == step.code else (f"{part} {check}", LINK_COLUMNS)


def _print_beside(
    lefts: Iterator[str], head: str, text: str, *, terminal: Terminal, ink: Ink | None = None
) -> None:
    """A head, and beside it a text wrapped at 80 columns, with the tree going on at the left."""
    left = next(lefts)
    indent = seen_width(left) + seen_width(head)
    lines = wrapped(shortened(text), max(COLUMNS - indent, MIN_DETAIL_COLUMNS))
    for number, each in enumerate(lines):
        shown = each if ink is None else terminal.paint(ink, each)
        middle = head if number == 0 else " " * seen_width(head)
        terminal.line(f"{left if number == 0 else next(lefts)}{middle}{shown}")
