# SPDX-License-Identifier: Apache-2.0
"""A memory of judgements changes none: what is judged warm is what is judged cold."""

from __future__ import annotations

import functools
import gc
import json
import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from datetime import timedelta
from pathlib import Path
from typing import Any, TypeAlias

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from assay.signing import spans
from assay.signing.certificates import Purpose
from assay.signing.commands.pins import Pins
from assay.signing.digests import sha256
from assay.signing.errors import AssayError, InvalidDocument, Outcome, Step
from assay.signing.evidence import SHARED, Evidence
from assay.signing.trust import Pinned
from assay.signing.verify import Basis, Content, Requirements, examine_output
from assay.signing.verify.memory import Judgement, remembering
from tests.signing.witnesses import Witnesses
from tests.signing.world import AT, FILES, World, manifest_of, output_claim

Json: TypeAlias = Any
Place: TypeAlias = tuple[str | int, ...]
Said: TypeAlias = tuple[object, ...]
TEXTS = tuple(f"def number_{number}():\n    return {number}\n" for number in range(3))
WORLD = World.create(at=AT, salt=bytes(32))
STRANGER = World.create(at=AT)
ALICE = f"{WORLD.registry}/alice"


def outputs() -> Iterator[Json]:
    """The evidence of each text: all stand on one checkpoint, whose parts are the same."""
    witnesses = Witnesses(world=WORLD)
    first = WORLD.evidence_for_output(TEXTS[0])
    statement = sha256(first.bundles["checkpoint"].envelope.payload)
    for text in TEXTS:
        claim = output_claim(text, manifest_of(FILES).id, statement)
        bundle = WORLD.bundle(WORLD.sign(claim.statement(), Purpose.OUTPUT, WORLD.alice))
        evidence = replace(first, bundles={**first.bundles, "output": bundle})
        yield witnesses.named(evidence, w1=AT, w2=AT).to_json()


GIVEN: list[Json] = [json.loads(json.dumps(each)) for each in outputs()]
AS_OF = Requirements(as_of=AT)
DEMANDED = (
    (WORLD.trust, AS_OF),
    (WORLD.trust, replace(AS_OF, signer=ALICE)),
    (WORLD.trust, replace(AS_OF, signer=f"{WORLD.registry}/bob")),
    (WORLD.trust, replace(AS_OF, as_of=AT + timedelta(days=9999))),
    (WORLD.trust, replace(AS_OF, as_of=AT + timedelta(days=9999), accepts_unknown=True)),
    (WORLD.trust, replace(AS_OF, policy=Witnesses(world=WORLD).policy())),
    (STRANGER.trust, AS_OF),
)


def places(value: Json, path: Place = ()) -> Iterator[Place]:
    """Every string and number in a document."""
    inner = value.items() if isinstance(value, dict) else enumerate(value)
    for name, each in inner:
        if isinstance(each, dict | list):
            yield from places(each, (*path, name))
        else:
            yield (*path, name)


PLACES = tuple(places(GIVEN[0]))


def tampered(document: Json, path: Place, at: int) -> Json:
    """The same with another character, or number, in one place."""
    changed = json.loads(json.dumps(document))
    *outer, last = path
    inner = changed
    for name in outer:
        inner = inner[name]
    match inner[last]:
        case str() as text if text:
            at %= len(text)
            inner[last] = text[:at] + ("B" if text[at] == "A" else "A") + text[at + 1 :]
        case int() as number:
            inner[last] = number + 1
        case _:
            inner[last] = "A"
    return changed


@dataclass(frozen=True, slots=True, kw_only=True)
class Case:
    """One text with its evidence, tampered with or not, and what is demanded of it."""

    text: int
    change: tuple[Place, int] | None = None
    demand: int = 0

    def judged(self) -> Said:
        """All that there is to say."""
        document = GIVEN[self.text]
        if self.change is not None:
            document = tampered(document, *self.change)
        try:
            evidence = Evidence.parse(spans.loads(json.dumps(document).encode(), names=SHARED))
        except InvalidDocument as error:
            return (str(error),)
        trust, requirements = DEMANDED[self.demand]
        basis = Basis(trust=trust, requirements=requirements)
        content = Content.of(TEXTS[self.text].encode())
        found = examine_output(evidence, basis=basis, content=content)
        steps = [
            (replace(step, error=None), step.error and str(step.error)) for step in found.steps
        ]
        try:
            return (steps, replace(found.verdict(), steps=()))
        except AssayError as error:
            at = error.step  # type: ignore[attr-defined]  # of a verification
            return (steps, error.code, str(error), at.number, len(error.passed))  # type: ignore[attr-defined]  # likewise


CASES = st.builds(
    Case,
    text=st.sampled_from(range(len(GIVEN))),
    change=st.none() | st.tuples(st.sampled_from(PLACES), st.integers(0, 5000)),
    demand=st.sampled_from(range(len(DEMANDED))),
)


def forget() -> None:
    """Whatever the library remembers, as in a process that has just begun."""
    for each in (*frozen(), *memories()):
        each.cache_clear()


@functools.cache
def frozen() -> list[Json]:
    """Those that are not listed: they were there when all tests had been collected."""
    gc.unfreeze()
    found = memories()
    gc.freeze()
    return found


def memories() -> list[Json]:
    """Every memory of the library; asking a lazy object for more than its type wakes it."""
    found = (each for each in gc.get_objects() if type(each) is functools._lru_cache_wrapper)
    return [each for each in found if each.__module__.startswith("assay.signing")]


@settings(max_examples=40)
@given(st.lists(CASES, min_size=2, max_size=6))
def test_what_was_judged_before_changes_no_verdict(given_: list[Case]) -> None:
    cold = []
    for each in given_:
        forget()
        cold.append(each.judged())
    forget()
    assert [each.judged() for each in given_] == cold


@pytest.mark.parametrize("place", range(len(TEXTS)))
def test_one_tampered_part_among_good_ones_fails_wherever_it_stands(place: int) -> None:
    path: Place = ("bundles", "run", "dsseEnvelope", "signatures", 0, "sig")
    for _ in range(2):
        for number in range(len(GIVEN)):
            case = Case(text=number, change=(path, 20) if number == place else None)
            _, verdict, *_ = case.judged()
            assert (verdict == "bad-timestamp") is (number == place)


def test_a_process_that_begins_says_what_one_says_that_has_seen_others(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("ASSAY_CONFIG", str(tmp_path / "config"))
    Pins.of_user().add(Pinned(root=WORLD.trust, pinned_at=AT, pinned_from="a test"))
    broken = tampered(GIVEN[1], ("bundles", "conduct", "dsseEnvelope", "payload"), 40)
    paths: list[Path] = []
    for number, document in ((0, GIVEN[0]), (1, broken), (1, GIVEN[1]), (2, GIVEN[2])):
        paths.append(tmp_path / f"{len(paths)}.json")
        paths[-1].write_text(json.dumps({"text": TEXTS[number], "evidence": document}))
    words = ("-m", "assay.signing.commands", "verify", "--json", "--as-of", "2026-11-20T09:30:00Z")

    def said(*given_: Path) -> Json:
        command = [sys.executable, *words, *map(str, given_)]
        done = subprocess.run(
            command, capture_output=True, check=False, timeout=60, env=dict(os.environ)
        )
        assert done.stderr == b""
        return json.loads(done.stdout)

    together = said(*paths)["artifacts"]
    assert [each["verified"] for each in together] == [True, False, True, True]
    assert together == [{"path": str(path), **said(path)} for path in paths]


@dataclass(frozen=True, slots=True, kw_only=True)
class Subject:
    """Whatever a judgement may depend on."""

    value: object
    beside: object = None


def judging(*outcomes: Outcome) -> tuple[Callable[[Subject], Judgement[int]], list[Subject]]:
    """A judge whose steps end so, and all that it judged."""
    seen: list[Subject] = []
    steps = tuple(
        Step(number=1, part="part", code="part.step", title="", detail="", outcome=each)
        for each in outcomes
    )

    @remembering
    def judge(subject: Subject) -> Judgement[int]:
        seen.append(subject)
        return Judgement(steps=steps, found=len(seen))

    return judge, seen


POLICY = Witnesses(world=WORLD).policy()
DIFFERENT: tuple[object, ...] = (
    *(None, True, 1, False, 0, "1", b"1", "", (), {}, AT, AT + timedelta(seconds=1)),
    *((1,), (True,), {"a": 1}, {"a": True}, {"a": ()}, {"a": {}}),
    *(GIVEN and Evidence.parse(each) for each in GIVEN[:2]),
    *(Basis(trust=trust, requirements=each) for trust, each in DEMANDED),
    POLICY,
)


def test_each_difference_between_subjects_counts() -> None:
    judge, seen = judging(Outcome.PASSED)
    for value in DIFFERENT:
        before = len(seen)
        assert judge(Subject(value=value)).found == before + 1
        assert judge(Subject(value=value)).found == before + 1
    judge(Subject(value=DIFFERENT[-1], beside=1))
    assert len(seen) == len(DIFFERENT) + 1


def test_what_failed_or_was_not_reached_is_judged_again() -> None:
    for outcome in (Outcome.FAILED, Outcome.NOT_REACHED):
        judge, seen = judging(Outcome.PASSED, outcome)
        assert [judge(Subject(value=1)).found for _ in range(2)] == [1, 2]
        assert len(seen) == 2
