# SPDX-License-Identifier: Apache-2.0
"""`/api/models/{owner}/{name}/…`: which view answers what about one repository."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace

from django.http import HttpResponse

from registry.api.problems import NotFound
from registry.catalog.queries import Project

from . import addresses, admitting, discussions, governing, histories, infos, trees, writing
from .answers import Asked, answer, endpoint
from .callers import check_reads, check_writes, project
from .errors import RepoUnknown, WrongMethod
from .xet import granting

PREFIX = 2  # api/models
WRITE = "write"
Handler = Callable[[Asked, Project], HttpResponse]


@endpoint
def repo(asked: Asked) -> HttpResponse:
    """Anything about one repository; the address is read as it was sent."""
    owner, *more = addresses.of_request(asked.request)[PREFIX:]
    if not more:
        raise RepoUnknown(f"expected owner/name, found {owner[:80]!r}")
    found = project(asked.by, owner, more[0])
    verb, *words = more[1:] or [""]
    handler = _handler(verb, asked.request.method or "")
    return handler(replace(asked, words=tuple(words)), found)


def _handler(verb: str, method: str) -> Handler:
    by_method = ROUTES.get(verb)
    if by_method is None:
        raise NotFound(f"expected an address of the protocol, found {verb[:80]!r} behind it")
    handler = by_method.get("GET" if method == "HEAD" else method)
    if handler is None:
        allowed = ", ".join(by_method)
        raise WrongMethod(f"expected {allowed}, found {method}", headers={"Allow": allowed})
    return handler


def auth_check(asked: Asked, of: Project) -> HttpResponse:
    """That the caller may read here, or write: 200, or the refusal that writing would meet."""
    if asked.words == (WRITE,):
        check_writes(asked.by, of)
    else:
        check_reads(asked.by, of)
    return answer({})


ROUTES: Mapping[str, Mapping[str, Handler]] = {
    "": {"GET": infos.info},
    "revision": {"GET": infos.info},
    "tree": {"GET": trees.tree},
    "paths-info": {"POST": trees.paths_info},
    "refs": {"GET": histories.refs},
    "commits": {"GET": histories.commits},
    "safetensors-metadata": {"GET": trees.safetensors_metadata},
    "auth-check": {"GET": auth_check},
    "xet-read-token": {"GET": granting.read_token},
    "xet-write-token": {"GET": granting.write_token},
    "settings": {"PUT": governing.settings},
    "user-access-request": {"GET": admitting.listed, "POST": admitting.answered},
    "preupload": {"POST": writing.preupload},
    "discussions": {"GET": discussions.read, "POST": discussions.write},
    "branch": {"POST": writing.add_branch, "DELETE": writing.remove_branch},
    "tag": {"POST": writing.add_tag, "DELETE": writing.remove_tag},
}
