# SPDX-License-Identifier: Apache-2.0
"""`assay search`: projects of a registry, by words and facets.

assay search [WORD…] [--task TASK] [--licence SPDX] … [--limit N] [--registry URL] [--json]

What is listed is the registry's word; `assay download` verifies what it fetches.
"""

from __future__ import annotations

import argparse
import json

from .. import canonical
from ..canonical import Obj
from ..client import RegistryClient, address
from ..errors import InvalidDocument
from .callers import secret_for
from .pins import Pins, only_registry
from .terminal import Terminal

FACETS = {
    "task": "such as text-generation",
    "size": "of parameters, such as 1b-3b",
    "licence": "an SPDX identifier, such as Apache-2.0",
    "trained": "run: in the registry's pool; person: elsewhere",
    "verified": "what proves it: run, publisher (a CI job), person",
    "conduct": "ID/VERSION of the rules that it is under",
}
SINCE = frozenset({"verified"})  # facets that registries of version 0.1 may not have
SORTS = ("relevance", "updated", "created", "downloads")
LIMIT, MAX_LIMIT = 20, 100
INDENT = 2
MOST_SHOWN = 5  # values of a facet


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The arguments of `assay search`."""
    add = parser.add_argument
    add("words", nargs="*", metavar="WORD", help="in names, titles, tags and cards; none for all")
    for name, about in FACETS.items():
        add(f"--{name}", help=about)
    add("--sort", choices=SORTS, help="else by relevance, or what was changed last")
    add("--limit", type=int, default=LIMIT, help=f"how many; {LIMIT}, at most {MAX_LIMIT}")
    add("--registry", metavar="URL", help="whom to ask; else the one registry that you trust")
    add("--json", action="store_true", help="for programs: one JSON document")


def run(arguments: argparse.Namespace, *, terminal: Terminal) -> int:
    """Ask, and list; raises ClientError, InvalidDocument."""
    if not 0 < arguments.limit <= MAX_LIMIT:
        raise InvalidDocument("--limit", f"1 to {MAX_LIMIT}", str(arguments.limit))
    url = address(arguments.registry or only_registry(Pins.of_user().all(), word="--registry URL"))
    given = {name: getattr(arguments, name) for name in (*FACETS, "sort")}
    asked = {name: value for name, value in given.items() if value}
    asked |= {"q": " ".join(arguments.words), "page_size": str(arguments.limit)}
    with RegistryClient(url, secret_for(url)) as client:
        said = canonical.as_mapping(client.get_json("/api/v1/projects", asked), "answer")
    if arguments.json:
        terminal.line(json.dumps({"registry": url, "says": said}, indent=2))
        return 0
    listed = [
        canonical.as_mapping(each, "results")
        for each in canonical.items(said, "results", maximum=MAX_LIMIT)
    ]
    for each in listed:
        terminal.line(canonical.text(each, "project"))
        terminal.columns("", _about(each), indent=INDENT)
    if listed:
        terminal.line()
    terminal.columns("", _counted(said, shown=len(listed)), indent=0)
    for name in FACETS:
        if not asked.get(name) and (values := _values(said, name)):
            terminal.columns(f"--{name}", values, indent=len("--conduct") + INDENT)
    return 0


def _about(project: Obj) -> str:
    """In a line or two: what it is called, and what is known of it."""
    named = (name for name in ("title", "task", "licence") if project.get(name))
    words = [canonical.text(project, name) for name in named]
    if project.get("parameters") is not None:
        words.append(f"{canonical.integer(project, 'parameters'):,} parameters")
    if project.get("trained") == "run":
        words.append("trained in the pool")
    if project.get("needs_remote_code"):
        words.append("needs remote code")
    return " · ".join(words)


def _counted(said: Obj, *, shown: int) -> str:
    count = canonical.mapping(said, "count")
    if not shown:
        return "no project is like that"
    more = "" if count.get("is_exact") else "+"
    return f"{shown} of {canonical.integer(count, 'value'):,}{more}"


def _values(said: Obj, name: str) -> str:
    """The most frequent values of a facet, each with how many there are."""
    facets = canonical.mapping(said, "facets")
    if name in SINCE and name not in facets:  # an older registry
        return ""
    rows = canonical.items(facets, name)
    values = [canonical.as_mapping(each, name) for each in rows[:MOST_SHOWN]]
    return ", ".join(
        f"{canonical.text(each, 'name')} ({canonical.integer(each, 'value'):,}"
        f"{'' if each.get('is_exact') else '+'})"
        for each in values
    )
