# SPDX-License-Identifier: Apache-2.0
"""What changed from one version of a policy to another: clause by clause, word by word."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from difflib import SequenceMatcher
from enum import StrEnum

from assay.signing.policies import Clause, Policy

from . import wording
from .wording import Said

_WORDS = re.compile(r"\S+\s*")


class Part(StrEnum):
    """What became of some words."""

    SAME = "same"
    GONE = "gone"
    NEW = "new"


@dataclass(frozen=True, slots=True, kw_only=True)
class Words:
    """Words next to each other that had the same fate."""

    part: Part
    text: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Change:
    """A clause that is not what it was. One that came or went is new or gone as a whole."""

    id: str
    title: tuple[Words, ...]
    text: tuple[Words, ...]
    no_longer: tuple[Said, ...]
    from_now: tuple[Said, ...]


def changes(before: Policy, after: Policy) -> tuple[Change, ...]:
    """In the order of the new text; what went comes last."""
    old = {each.clause.id: each for each in wording.clauses(before)}
    new = {each.clause.id: each for each in wording.clauses(after)}
    return tuple(_changed(old, new))


def licence(before: Policy, after: Policy) -> tuple[Words, ...]:
    """The licences of both, nothing where they are the same."""
    if before.licence == after.licence:
        return ()
    return words(before.licence or "", after.licence or "")


def is_reordered(before: Policy, after: Policy) -> bool:
    """Whether clauses that both have stand in another order."""
    old, new = ([each.id for each in of.clauses] for of in (before, after))
    return [each for each in old if each in new] != [each for each in new if each in old]


def _changed(
    old: dict[str, wording.ReadClause], new: dict[str, wording.ReadClause]
) -> Iterator[Change]:
    for named in (*new, *(each for each in old if each not in new)):
        was, is_now = old.get(named), new.get(named)
        if was == is_now:
            continue
        rules_before, rules_now = was.says if was else (), is_now.says if is_now else ()
        before, now = _of(was), _of(is_now)
        yield Change(
            id=named,
            title=words(before.title, now.title),
            text=words(before.text, now.text),
            no_longer=tuple(each for each in rules_before if each not in rules_now),
            from_now=tuple(each for each in rules_now if each not in rules_before),
        )


def words(before: str, after: str) -> tuple[Words, ...]:
    """Both texts in one, in pieces."""
    old, new = _WORDS.findall(before), _WORDS.findall(after)
    found: list[Words] = []
    for fate, start, end, new_start, new_end in SequenceMatcher(
        None, old, new, autojunk=False
    ).get_opcodes():
        if fate == "equal":
            found.append(Words(part=Part.SAME, text="".join(new[new_start:new_end])))
            continue
        gone, came = "".join(old[start:end]), "".join(new[new_start:new_end])
        found += [Words(part=Part.GONE, text=gone)] if gone else []
        found += [Words(part=Part.NEW, text=came)] if came else []
    return tuple(found)


def _of(read: wording.ReadClause | None) -> Clause:
    return read.clause if read else Clause(id="", title="", text="")
