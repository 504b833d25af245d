# SPDX-License-Identifier: Apache-2.0
"""Results as programs that evaluate write them: lm-evaluation-harness's file, or the API's form.

Numbers are taken over as exact decimals. What a file does not say (the digest of the data, or the
program's version) is asked of the user and never made up.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from decimal import ROUND_HALF_EVEN, Decimal, InvalidOperation, localcontext
from pathlib import Path
from typing import TypeGuard

from ..canonical import instant_text, text, within
from ..digests import sha256
from ..errors import InvalidDocument
from ..statements import Result
from ..statements.evaluation import COMMIT
from .errors import InputUnreadable

LM_EVAL = "lm-evaluation-harness"
MAX_FILE_BYTES = 64 << 20  # every task of it, configurations and all, is some 5 MB
# Of a decimal, as docs/spec/formats.md has it: digits before the point, and behind it.
MAX_DIGITS, MAX_PLACES = 20, 20
TOO_LARGE = Decimal(10) ** MAX_DIGITS
LAST_YEAR_SECONDS = 253_402_300_800  # since 1970, until the year 10000
MEASURED = ("value", "standard_error")
NO_FILTER = ",none"
ERROR = "_stderr,"
NO_ERROR = "N/A"

Document = Mapping[str, object]


@dataclass(frozen=True, slots=True, kw_only=True)
class Said:
    """What the command line says where a file may not."""

    digests: Mapping[str, str]
    """Of the data, by task; that of the task "" is everybody's."""
    version: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Results:
    """What is to be handed in, and the tasks that are left out, with why."""

    results: tuple[Result, ...]
    left_out: tuple[tuple[str, str], ...] = ()
    by: str | None = None
    """In whose name, where the file says it."""


def read(path: Path, said: Said) -> Results:
    """Raises InputUnreadable for no file, InvalidDocument for one that holds no results."""
    try:
        with path.open("rb") as file:
            data = file.read(MAX_FILE_BYTES + 1)
    except OSError as error:
        raise InputUnreadable(f"{path}: {error.strerror or error}") from error
    with within(path.name):
        if len(data) > MAX_FILE_BYTES:
            raise InvalidDocument("size", f"at most {MAX_FILE_BYTES} bytes", "more")
        exact, plain = _parsed(data)
        if _is_object(exact) and "task" in exact:
            return _of_api(exact)
        if not _is_object(exact) or not _is_object(exact.get("results")):
            raise InvalidDocument("results", f"those of {LM_EVAL}, or a task", "neither")
        return _of_lm_eval(exact, plain, said)


def _parsed(data: bytes) -> tuple[object, object]:
    """The document with its numbers as they stand, and as the harness's own Python reads them."""
    try:
        return json.loads(data, parse_float=Decimal), json.loads(data)
    except (ValueError, RecursionError) as error:
        raise InvalidDocument("document", "JSON", f"a mistake: {error}"[:80]) from error
    except InvalidOperation as error:  # 1e9999999999999999999
        raise InvalidDocument("document", "numbers that can be computed with", "one") from error


def _of_api(document: Document) -> Results:
    """The body of the API's own address; its numbers may be numbers."""
    metrics = document.get("metrics")
    if not _is_array(metrics):
        raise InvalidDocument("metrics", "an array", type(metrics).__name__)
    stated = [
        {
            name: decimal_text(value, f"metrics.{name}")
            if name in MEASURED and _is_number(value)
            else value
            for name, value in each.items()
        }
        if _is_object(each)
        else each
        for each in metrics
    ]
    by = text(document, "by") if "by" in document else None
    rest = {name: value for name, value in document.items() if name != "by"}
    return Results(results=(Result.parse({**rest, "metrics": stated}),), by=by)


def _of_lm_eval(document: Document, plain: object, said: Said) -> Results:
    """A result for each task; groups, which are means over tasks, are left out."""
    harness = {
        "name": LM_EVAL,
        "version": said.version or _version(document),
        "commit": _commit(document.get("git_hash")),
    }
    at = instant_text(_date(document))
    found: list[Result] = []
    left: list[tuple[str, str]] = []
    for task, measured in _inner(document, "results").items():
        config = _inner(document, "configs").get(task)
        metrics = _metrics(measured)
        if not _is_object(config):
            left.append((task, "a group: its tasks are handed in each for itself"))
        elif not metrics:
            left.append((task, "no metric with a number"))
        else:
            dataset = {"name": _dataset(config, task), "sha256": _digest(document, task, said)}
            stated = {
                "task": task,
                "dataset": dataset,
                "harness": harness,
                "config": {"sha256": config_digest(plain, task)},
                "metrics": metrics,
                "evaluated_at": at,
            }
            with within(f"results.{task}"):
                found.append(Result.parse(stated))
    if not found:
        raise InvalidDocument("results", "a task with a number", "none")
    return Results(results=tuple(found), left_out=tuple(left))


def config_digest(document: object, task: str) -> str:
    """SHA-256 over what the task was run with, as JSON with sorted keys and without spaces."""
    whole = document if _is_object(document) else {}
    parts = {
        "config": whole.get("config"),
        "configs": _inner(whole, "configs").get(task),
        "n-shot": _inner(whole, "n-shot").get(task),
        "versions": _inner(whole, "versions").get(task),
    }
    compact = json.dumps(parts, sort_keys=True, separators=(",", ":"), ensure_ascii=False)
    return sha256(compact.encode("utf-8", errors="surrogatepass"))


def _metrics(measured: object) -> list[Document]:
    """`acc,none` is `acc`; another filter stays in the name; what has no number is left out."""
    numbers = measured if _is_object(measured) else {}
    found: list[Document] = []
    for name, value in numbers.items():
        if ERROR in name or not _is_number(value):
            continue
        metric, comma, kind = name.partition(",")
        error = numbers.get(f"{metric}{ERROR}{kind}") if comma else None
        found.append(
            {
                "name": name.removesuffix(NO_FILTER),
                "value": decimal_text(value, name),
                "standard_error": decimal_text(error, name) if _is_number(error) else None,
            }
        )
    return found


def decimal_text(value: Decimal | int, field: str) -> str:
    """A number in plain digits, rounded to twenty places; raises InvalidDocument for a larger one.

    It is compared before it is written out: 1e400000000 has as many digits as it says.
    """
    number = Decimal(value)
    if number.copy_abs() < TOO_LARGE:
        with localcontext(prec=MAX_DIGITS + MAX_PLACES + 1):  # one more, if all nines are rounded
            rounded = number.quantize(Decimal(1).scaleb(-MAX_PLACES), rounding=ROUND_HALF_EVEN)
        if rounded.copy_abs() < TOO_LARGE:
            return f"{rounded:f}".rstrip("0").rstrip(".")
    expected = f"at most {MAX_DIGITS} digits before the point"
    raise InvalidDocument(field, expected, f"{number:.3e}")


def _is_number(value: object) -> TypeGuard[Decimal | int]:
    if isinstance(value, bool):
        return False
    return isinstance(value, int) or (isinstance(value, Decimal) and value.is_finite())


def _digest(document: Document, task: str, said: Said) -> str:
    """The harness's own hash of what it read, where samples were logged; or what the user says."""
    given = said.digests.get(task) or said.digests.get("")
    hashed = _inner(document, "task_hashes").get(task)
    if given or isinstance(hashed, str):
        return given or str(hashed)
    raise InvalidDocument(
        f"task_hashes.{task}",
        f"a digest of the data (lm_eval --log_samples), or --data {task}=SHA256",
        "none",
    )


def _dataset(config: Document, task: str) -> str:
    named = (config.get("dataset_path"), config.get("dataset_name"))
    return " ".join(each for each in named if isinstance(each, str) and each) or task


def _version(document: Document) -> str:
    version = document.get("lm_eval_version")
    if not isinstance(version, str) or not version:
        raise InvalidDocument("lm_eval_version", "one, or --harness-version VERSION", "none")
    return version


def _commit(value: object) -> str | None:
    """`git describe` gives a tag, or a commit, or nothing outside a checkout."""
    return value if isinstance(value, str) and COMMIT.fullmatch(value) else None


def _date(document: Document) -> datetime:
    value = document.get("date")
    if not _is_number(value) or not 0 <= value < LAST_YEAR_SECONDS:
        found = f"{Decimal(value):.3e}" if _is_number(value) else type(value).__name__
        raise InvalidDocument("date", "seconds since 1970", found)
    return datetime.fromtimestamp(int(value), UTC)


def _inner(document: Document, field: str) -> Document:
    found = document.get(field)
    return found if _is_object(found) else {}


def _is_object(value: object) -> TypeGuard[dict[str, object]]:
    return isinstance(value, dict)


def _is_array(value: object) -> TypeGuard[list[object]]:
    return isinstance(value, list)
