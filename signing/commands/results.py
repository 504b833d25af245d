# SPDX-License-Identifier: Apache-2.0
"""`assay results`: say how a checkpoint did, in your name, and verify what was signed.

assay results FILE OWNER/PROJECT@NAME [--registry URL]
assay results --withdraw ID --reason mistaken OWNER/PROJECT@NAME

FILE is what lm-evaluation-harness writes (`--output_path`, `--log_samples` for the digests of the
data), or one result in the API's own form. Run again, the same command says nothing twice.
"""

from __future__ import annotations

import argparse
import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from .. import canonical
from ..canonical import Obj
from ..client import RegistryClient, address
from ..digests import sha256
from ..errors import BrokenLink, InvalidDocument, Outcome
from ..evidence import Evidence
from ..statements import Withdrawn
from . import harness
from .callers import secret_demanded
from .demands import Demands
from .harness import Document, Said
from .inputs import EvaluationGiven
from .pins import Pins, of_registry, only_registry
from .published import Asked
from .terminal import Ink, Terminal
from .verdict import Judged, print_steps, print_verdict
from .verify import judge

ANSWER_SECONDS = 120.0  # each is signed and logged before it is answered
ALL = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Done:
    """One that was handed in or taken back, and what became of its verification."""

    said: Obj
    judged: Judged | None
    """None where no root of the registry is pinned, or the ledger does not include it yet."""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The arguments of `assay results`."""
    parser.set_defaults(refuse_words=parser.error)
    add = parser.add_argument
    add("file", type=Path, nargs="?", metavar="FILE", help="results, as a harness writes them")
    add("name", metavar="OWNER/PROJECT@NAME", help="the checkpoint that was evaluated")
    add("--registry", metavar="URL", help="where; else the one registry that you trust")
    add("--by", metavar="NAME", help="an organisation in whose name you say it; else your own")
    add(
        "--data",
        action="append",
        default=[],
        metavar="[TASK=]SHA256",
        help="the digest of the data, where FILE has none; may be repeated",
    )
    add("--harness-version", metavar="VERSION", help="where FILE does not say it")
    add("--withdraw", metavar="ID", help="take one back that you said")
    add("--reason", choices=tuple(Withdrawn), help="why it is taken back")
    add("--json", action="store_true", help="for programs: one JSON document")


def run(
    arguments: argparse.Namespace,
    *,
    terminal: Terminal,
    clock: Callable[[], datetime] = lambda: datetime.now(UTC),
) -> int:
    """Hand in, or take back, and verify; 0, or the code of the first failure. Raises AssayError."""
    asked = Asked.parse(arguments.name)
    if asked.checkpoint is None:
        raise InvalidDocument("name", "OWNER/PROJECT@NAME", ascii(asked.project))
    is_back = arguments.withdraw is not None
    if is_back != (arguments.file is None) or is_back != (arguments.reason is not None):
        arguments.refuse_words("expected FILE, or --withdraw ID with --reason, and not both")
    found = None if is_back else harness.read(arguments.file, _said(arguments))
    pins = Pins.of_user().all()
    url = address(arguments.registry or only_registry(pins, word="--registry URL"))
    path = f"/api/v1/projects/{asked.project}/checkpoints/{asked.checkpoint}/evaluations"
    with RegistryClient(url, secret_demanded(url), timeout_seconds=ANSWER_SECONDS) as client:
        trusted = of_registry(pins, url)

        def judged(said: Obj) -> Judged | None:
            if not trusted or said["state"] == "received":
                return None
            document = client.get_document(f"{path}/{canonical.text(said, 'id')}/evidence")
            given = EvaluationGiven(evidence=Evidence.parse(document), files=None)
            name = canonical.text(said, "id")
            return judge(given, trusted, Demands(as_of=clock()), name=name)

        if found is None:
            bodies: tuple[Document, ...] = ({"reason": arguments.reason},)
            path_of = f"{path}/{arguments.withdraw}/withdrawal"
        else:
            by = {"by": arguments.by} if arguments.by else {}
            bodies, path_of = tuple({**each, **by} for each in found.results), path
        done = tuple(
            _judged(_said_now(client, path, path_of, body), judged, asked) for body in bodies
        )
    left_out = () if found is None else found.left_out
    if arguments.json:
        terminal.line(json.dumps(_document(done, left_out), indent=2))
    else:
        _print(done, left_out, terminal)
    failures = [each.judged.failure for each in done if each.judged and each.judged.failure]
    return failures[0].exit_code if failures else 0


def _said_now(client: RegistryClient, path: str, to: str, body: Document) -> Obj:
    """Hand it in: the same body under the same key, so that nothing is said twice."""
    text = json.dumps(body, sort_keys=True)
    key = f"assay-results-{sha256(f'{to} {text}'.encode())}"
    answer = canonical.as_mapping(client.post_json(to, body, idempotency_key=key), "answer")
    # An answer that is repeated is as old as the first one.
    now = client.get_json(f"{path}/{canonical.text(answer, 'id')}")
    return canonical.as_mapping(now, "answer")


def _judged(said: Obj, judged: Callable[[Obj], Judged | None], asked: Asked) -> Done:
    found = judged(said)
    if found is not None and found.failure is None:
        verified = found.examination.verdict()
        asked.check(verified.checkpoint)
        claim = verified.evaluation
        if claim is None or claim.evaluation != said["id"]:
            raise BrokenLink(f"expected evidence of {said['id']!a}, found another evaluation's")
    return Done(said=said, judged=found)


def _said(arguments: argparse.Namespace) -> Said:
    digests: dict[str, str] = {}
    for each in arguments.data:
        task, equals, digest = each.rpartition("=")
        canonical.sha256_hex({"--data": digest}, "--data")
        digests[task if equals else ALL] = digest
    return Said(digests=digests, version=arguments.harness_version)


def _document(done: tuple[Done, ...], left_out: tuple[tuple[str, str], ...]) -> dict[str, object]:
    return {
        "results": [
            {**each.said, "verified": each.judged is not None and each.judged.failure is None}
            for each in done
        ],
        "left_out": [{"task": task, "why": why} for task, why in left_out],
    }


def _print(
    done: tuple[Done, ...], left_out: tuple[tuple[str, str], ...], terminal: Terminal
) -> None:
    for each in done:
        if each.judged is not None and each.judged.failure is not None:
            print_steps(each.judged.examination.steps, terminal)
            print_verdict(each.judged, terminal)
            continue
        is_sound = each.judged is not None
        mark = terminal.mark(Outcome.PASSED if is_sound else Outcome.NOT_REACHED)
        terminal.columns(f"{mark} ", "; ".join(_measured(each.said)), indent=2)
        terminal.columns("", f"{each.said['state']}: {each.said['url']}", indent=4)
    for task, why in left_out:
        terminal.columns("- ", f"{task} is left out: {why}", indent=2)
    unknown = sum(each.judged is None for each in done)
    if unknown == 0 and all(each.judged and each.judged.failure is None for each in done):
        terminal.headline("Signed, in the ledger, and verified.", Ink.GREEN)
    elif unknown:
        terminal.headline("Handed in; not verified here.", Ink.YELLOW)
        hint = "To verify: assay trust add URL, then this command again, which says nothing twice."
        terminal.columns("", hint, indent=2)


def _measured(said: Obj) -> Iterator[str]:
    yield f"{said['task']}"
    for each in canonical.items(said, "metrics"):
        metric = canonical.as_mapping(each, "metrics")
        error = metric.get("standard_error")
        yield f"{metric['name']} {metric['value']}{f' ± {error}' if error else ''}"
