# SPDX-License-Identifier: Apache-2.0
"""`assay info`: what a registry says of a checkpoint or a project, marked as its word alone.

assay info OWNER/PROJECT[@CHECKPOINT] [--registry URL] [--json]

Nothing is verified here, and every answer says so, with the command that verifies it.
"""

from __future__ import annotations

import argparse
import json
from collections.abc import Iterator
from dataclasses import dataclass

from .. import canonical
from ..canonical import Obj
from ..client import RegistryClient, address
from ..client.whoami import moment
from .callers import secret_for
from .pins import Pins, only_registry
from .published import MAX_LISTED, Asked
from .terminal import Ink, Terminal, size_in_words

LABEL_COLUMNS = 9  # beside it a whole id has room in 80
NAME_COLUMNS = 29
DIGEST_CHARACTERS = 12
MAX_SHOWN = 50
MAX_NAMED = 3
Row = tuple[str, str]


@dataclass(frozen=True, slots=True, kw_only=True)
class Listed:
    """A file, or a checkpoint of a project, as a line shows it."""

    sha256: str
    size_bytes: int
    name: str


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The arguments of `assay info`."""
    add = parser.add_argument
    add("name", metavar="OWNER/PROJECT[@CHECKPOINT]", help="a checkpoint, or a project's newest")
    add("--registry", metavar="URL", help="whom to ask; else the one registry that you trust")
    add("--json", action="store_true", help="for programs: one JSON document")


def run(arguments: argparse.Namespace, *, terminal: Terminal) -> int:
    """Ask, and say what was answered; raises ClientError, InvalidDocument."""
    asked = Asked.parse(arguments.name)
    pins = Pins.of_user().all()
    url = address(arguments.registry or only_registry(pins, word="--registry URL"))
    path = f"/api/v1/projects/{asked.project}"
    with RegistryClient(url, secret_for(url)) as client:
        if asked.checkpoint is None:
            said = {"project": _get(client, path), **_list(client, f"{path}/checkpoints")}
        else:
            said = {"checkpoint": _get(client, f"{path}/checkpoints/{asked.checkpoint}")}
    command = f"assay download {arguments.name} --registry {url}"
    if arguments.json:
        document = {"verified": False, "registry": url, "verify_with": command, "says": said}
        terminal.line(json.dumps(document, indent=2))
        return 0
    terminal.headline("Not verified: this is what the registry says.", Ink.YELLOW)
    terminal.columns("", url, indent=2)
    terminal.line()
    if "checkpoint" in said:
        _print_checkpoint(said["checkpoint"], terminal)
    else:
        _print_project(said, terminal)
    terminal.line()
    terminal.columns("", "To fetch it, which verifies every byte:", indent=0)
    terminal.columns("", command, indent=2)
    return 0


def _get(client: RegistryClient, path: str) -> Obj:
    return canonical.as_mapping(client.get_json(path), "answer")


def _list(client: RegistryClient, path: str) -> dict[str, Obj]:
    """The newest checkpoints, in one page."""
    page = client.get_json(path, {"page_size": str(MAX_LISTED)})
    return {"checkpoints": canonical.as_mapping(page, "checkpoints")}


def _print_checkpoint(said: Obj, terminal: Terminal) -> None:
    for label, text in _facts(said):
        terminal.columns(label, text, indent=LABEL_COLUMNS)
    files = [_file(each) for each in canonical.items(said, "files")]
    terminal.line()
    _print_list(files, "files", terminal)


def _facts(said: Obj) -> Iterator[Row]:
    """What there is to say, a row each; what the registry leaves out is left out."""
    yield "name", f"{canonical.text(said, 'project')}@{canonical.text(said, 'name')}"
    yield "id", canonical.text(said, "id")
    yield "state", _state(said)
    yield "size", size_in_words(canonical.integer(said, "size_bytes"))
    yield "conduct", _conduct(said)
    yield from _gate(said)
    yield "signer", _signer(said)
    if said.get("run") is not None:
        yield "run", canonical.text(said, "run") + _step(said)
    if said.get("dataset") is not None:
        yield "data", canonical.text(said, "dataset")
    yield from _described(said)
    if said.get("ledger_index") is not None:
        yield "ledger", f"entry {canonical.integer(said, 'ledger_index')}"
    yield "page", canonical.text(said, "url")


def _described(said: Obj) -> Iterator[Row]:
    """What its card says, and its weights; registries from before say nothing of either."""
    if said.get("card") is not None:
        card = canonical.mapping(said, "card")
        for label, name in (("task", "task"), ("licence", "licence")):
            if card.get(name):
                yield label, canonical.text(card, name)
    if said.get("contents") is not None:
        yield from _contents(canonical.mapping(said, "contents"))


def _contents(said: Obj) -> Iterator[Row]:
    if said.get("parameters") is not None:
        yield "params", f"{canonical.integer(canonical.mapping(said, 'parameters'), 'total'):,}"
    names = [str(each) for each in canonical.items(said, "needs_remote_code")]
    if names:
        yield "code", f"needs remote code: {', '.join(names[:MAX_NAMED])}"


def _state(said: Obj) -> str:
    state = canonical.text(said, "state")
    if said.get("published_at") is not None:
        return f"{state} {moment(said, 'published_at'):%Y-%m-%d %H:%M} UTC"
    return f"{state}: {canonical.text(said, 'reason')}" if said.get("reason") else state


def _conduct(said: Obj) -> str:
    conduct = canonical.mapping(said, "conduct")
    with canonical.within("conduct"):
        return f"{canonical.text(conduct, 'id')} {canonical.text(conduct, 'version')}"


def _gate(said: Obj) -> Iterator[Row]:
    """Who has the files, where that is not everybody who sees it; registries from before have none.

    The refusal that a download meets says where to ask.
    """
    match said.get("gate", "open"):
        case "open":
            return
        case "automatic":
            yield "gated", "the files are for whoever asks on its page"
        case _:
            yield "gated", "the files are for whom its owner lets in; ask on its page"


def _signer(said: Obj) -> str:
    """Whom the certificate in `model.sigstore.json` names; older ones have no such file."""
    if said.get("sigstore") is None:
        return "not said here; the evidence says it"
    return canonical.text(canonical.mapping(said, "sigstore"), "identity")


def _step(said: Obj) -> str:
    return "" if said.get("step") is None else f", step {canonical.integer(said, 'step')}"


def _print_project(said: dict[str, Obj], terminal: Terminal) -> None:
    project, page = said["project"], said["checkpoints"]
    terminal.columns("name", canonical.text(project, "project"), indent=LABEL_COLUMNS)
    for label in ("title", "summary"):
        if project.get(label):
            terminal.columns(label, canonical.text(project, label), indent=LABEL_COLUMNS)
    terminal.columns("conduct", _conduct(project), indent=LABEL_COLUMNS)
    for label, text in _gate(project):
        terminal.columns(label, text, indent=LABEL_COLUMNS)
    terminal.columns("page", canonical.text(project, "url"), indent=LABEL_COLUMNS)
    results = canonical.items(page, "results", maximum=MAX_LISTED)
    terminal.line()
    _print_list([_checkpoint(each) for each in results], "checkpoints", terminal)
    if page.get("next"):
        terminal.columns("", f"and older ones, on {canonical.text(project, 'url')}", indent=2)


def _print_list(listed: list[Listed], what: str, terminal: Terminal) -> None:
    if not listed:
        terminal.line(f"no {what} yet")
    for each in listed[:MAX_SHOWN]:
        size = size_in_words(each.size_bytes)
        label = f"  {each.sha256[:DIGEST_CHARACTERS]}…  {size:>10}"
        terminal.columns(label, each.name, indent=NAME_COLUMNS)
    if len(listed) > MAX_SHOWN:
        terminal.line(f"  and {len(listed) - MAX_SHOWN} more {what}: --json has them all")


def _file(value: object) -> Listed:
    obj = canonical.as_mapping(value, "files")
    size_bytes = canonical.integer(obj, "size")
    digest = canonical.sha256_hex(obj, "sha256")
    return Listed(sha256=digest, size_bytes=size_bytes, name=canonical.text(obj, "name"))


def _checkpoint(value: object) -> Listed:
    obj = canonical.as_mapping(value, "results")
    size_bytes = canonical.integer(obj, "size_bytes")
    shown = f"{canonical.text(obj, 'name')}  {_state(obj)}"
    digest = canonical.text(obj, "id").removeprefix("sha256:")
    return Listed(sha256=digest, size_bytes=size_bytes, name=shown)
