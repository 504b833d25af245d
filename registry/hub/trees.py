# SPDX-License-Identifier: Apache-2.0
"""What is in a revision: its tree, single paths of it, and what the headers of its weights say."""

from __future__ import annotations

import json
from collections.abc import Sequence
from urllib.parse import parse_qsl

from django.http import HttpRequest, HttpResponse

from registry.catalog.content import formats
from registry.catalog.queries import Project, revisions
from registry.catalog.queries.revisions import MAIN, Found
from registry.storage import services as storage

from . import touching
from .answers import Asked, answer, cursor_of, flag, limit_of, next_page
from .bodies import document
from .callers import check_reads
from .errors import Unreadable
from .files import RepoFile, RepoFolder, below, file_at, files_at, files_of, folders, no_file
from .histories import commit

MAX_LISTED = 1000  # as the Hub's own
MAX_PATHS = 1000
MAX_SHARDS = 500
MAX_HEADERS_BYTES = 32_000_000  # of all shards together: more than any model of today has
MAX_INDEX_BYTES = 8_000_000
INDEX = ".index.json"
EXPAND = "expand"


def tree(asked: Asked, project: Project) -> HttpResponse:
    """A folder of the revision, by path."""
    request, folder = asked.request, "/".join(asked.words[1:]).rstrip("/")
    found = revisions.find_any(project, asked.revision)
    listed = below(files_of(found), folder, is_recursive=flag(request, "recursive"))
    if folder and not listed:
        raise no_file(found, folder)
    is_expanded = flag(request, EXPAND)
    most = touching.MOST_FILES if is_expanded else MAX_LISTED
    limit, after = limit_of(request, most=most), cursor_of(request)
    rest = [each for each in listed if each.path > after]
    page = rest[:limit]
    headers = next_page(request, page[-1].path if len(rest) > limit else None)
    return answer(_documents(found, page, is_expanded=is_expanded), headers)


def paths_info(asked: Asked, project: Project) -> HttpResponse:
    """Those of the paths that there are, files and folders."""
    wanted, is_expanded = _wanted(asked.request)
    found = revisions.find_any(project, asked.revision)
    files = files_of(found)
    inner = folders(files)
    listed: list[RepoFile | RepoFolder] = [file for file in files if file.path in wanted]
    listed += [inner[path] for path in sorted(wanted) if path in inner]
    return answer(_documents(found, listed, is_expanded=is_expanded))


def safetensors_metadata(asked: Asked, project: Project) -> HttpResponse:
    """The headers of a file of weights on `main`, or of all shards that an index names.

    They are bytes of files, and for whoever may have those.
    """
    check_reads(asked.by, project)
    path = "/".join(asked.words)
    found, index = file_at(project, MAIN, path)
    if not path.endswith(INDEX):
        return answer({"index": {}, "headers": {path: _header(index, MAX_HEADERS_BYTES)}})
    document = _index(index)
    folder = path.rpartition("/")[0]
    start, left, headers = f"{folder}/" if folder else "", MAX_HEADERS_BYTES, {}
    shards = _shards(document)
    files = files_at(found, [start + shard for shard in shards])
    for shard, file in zip(shards, files, strict=True):
        raw = _header(file, left)
        headers[shard], left = raw, left - len(json.dumps(raw))
    return answer({"index": {"metadata": document.get("metadata")}, "headers": headers})


def _documents(
    found: Found, listed: Sequence[RepoFile | RepoFolder], *, is_expanded: bool
) -> list[dict[str, object]]:
    """Each as it is listed; expanded, with the commit that changed it last, where that is known."""
    files = [each for each in listed if isinstance(each, RepoFile)] if is_expanded else []
    last = touching.last(found, files) if files else {}
    return [
        {**each.to_json(), **({"lastCommit": commit(last[each.path])} if each.path in last else {})}
        for each in listed
    ]


def _wanted(request: HttpRequest) -> tuple[set[str], bool]:
    """The paths, and whether they are expanded: a form of the Python clients', JSON of npm's."""
    if request.content_type == "application/json":
        body = document(request)
        found, expand = body.get("paths"), body.get(EXPAND)
        paths: list[object] = found if isinstance(found, list) else [found]
    else:
        form = _form(request.body)
        paths = [value for name, value in form if name == "paths"]
        expand = dict(form).get(EXPAND, "")
    texts = {path for path in paths if isinstance(path, str)}
    if len(paths) > MAX_PATHS or not all(isinstance(path, str) for path in paths):
        raise Unreadable(f"expected at most {MAX_PATHS} paths, found others")
    return texts, str(expand).lower() == "true"


def _form(body: bytes) -> list[tuple[str, str]]:
    try:
        return parse_qsl(body.decode(), max_num_fields=MAX_PATHS + 10)
    except ValueError as error:
        raise Unreadable(f"expected a form of at most {MAX_PATHS} paths") from error


def _header(file: RepoFile, most_bytes: int) -> dict[str, object]:
    """The gate read it when it was published, and knows no other JSON."""
    try:
        with storage.local(file.sha256) as path:
            return formats.header(path, most_bytes=most_bytes)
    except formats.Refused as refused:
        raise Unreadable(f"{file.path}: {refused}") from refused


def _index(file: RepoFile) -> dict[str, object]:
    if file.size_bytes > MAX_INDEX_BYTES:
        raise Unreadable(f"expected an index of at most {MAX_INDEX_BYTES} bytes")
    with storage.open_blob(file.sha256) as content:
        document = json.loads(content.read())
    if not isinstance(document, dict):
        raise Unreadable("expected an index with a weight_map, found something else")
    return document


def _shards(index: dict[str, object]) -> list[str]:
    weights = index.get("weight_map")
    names = set(weights.values()) if isinstance(weights, dict) else set()
    if not names or len(names) > MAX_SHARDS or not all(isinstance(each, str) for each in names):
        raise Unreadable(f"expected a weight_map of 1 to {MAX_SHARDS} files, found another")
    return sorted(names)
