# SPDX-License-Identifier: Apache-2.0
"""`assay mirror`: a project as a static folder that still verifies after its registry is gone.

assay mirror OWNER/PROJECT[@CHECKPOINT] FOLDER [--registry URL] [--rehash]

1. Each checkpoint is downloaded as `assay download` does it: it appears once every byte of it is
   verified, and what an earlier call left of it is gone on with. What the mirror has already, under
   the same digest, is not fetched again, and is one file on the disk. What is there and is not what
   it should be, by its size or the time of its last change, or with --rehash by its bytes, is told
   and mended.
2. Evidence is renewed for all of them: it says who was revoked until now.
3. Then sums and pages are written, each whole. They speak only of what is there and verified.
"""

from __future__ import annotations

import argparse
import json
from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

from .. import canonical
from ..client import RegistryClient, address
from ..digests import sha256
from ..errors import InvalidDocument, VerificationError
from ..manifest import Manifest
from . import demands, mirrored
from .callers import secret_for
from .download import STALLED_SECONDS
from .errors import DestinationTaken, InputUnreadable
from .judging import judge
from .keeping import Keeper, Refused
from .mirrored import CHECKPOINTS, MIRROR_FILE, SUMS, Kept, Mirror
from .pins import Pins, of_registry, only_registry
from .public import write_public
from .published import MAX_LISTED, Asked, Published, add_names, find
from .steps import print_steps
from .terminal import Terminal, safe, size_in_words
from .verdict import Judged, print_verdict

MAX_PAGES = 10_000  # of a list that a registry gives: a million checkpoints


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The arguments of `assay mirror`."""
    add = parser.add_argument
    add("name", metavar="OWNER/PROJECT[@CHECKPOINT]", help="which; all that is published, or one")
    add("folder", type=Path, metavar="FOLDER", help="where; a mirror of it, or nothing yet")
    add("--registry", metavar="URL", help="from where; else the one registry that you trust")
    add("--rehash", action="store_true", help="read every file again, not only what has changed")
    add_names(parser)
    demands.add_arguments(parser)
    add("--json", action="store_true", help="for programs: one JSON document")


def run(
    arguments: argparse.Namespace,
    *,
    terminal: Terminal,
    progress: Terminal,
    clock: Callable[[], datetime] = lambda: datetime.now(UTC),
) -> int:
    """Mirror, and say what is new; 0, or the exit code of the first step that failed."""
    asked = Asked.parse(arguments.name, signed_as=arguments.signed_as)
    pins = Pins.of_user().all()
    demanded = demands.of(arguments, now=clock())
    url = address(arguments.registry or only_registry(pins, word="--registry URL"))
    folder: Path = arguments.folder

    def judged(published: Published, files: Manifest, at: Path | None) -> Judged:
        given = published.judged_with(files, at)
        name = f"{folder}/{CHECKPOINTS}/{published.name}"
        return judge(given, of_registry(pins, url), demanded, name=name)

    with RegistryClient(url, secret_for(url), timeout_seconds=STALLED_SECONDS) as client:
        keeper = Keeper(
            folder=folder,
            client=client,
            judge=judged,
            progress=progress,
            reads_all=arguments.rehash,
        )
        try:
            mirror = fill(keeper, asked)
        except Refused as refused:
            print_steps(refused.judged.examination.steps, progress)
            print_verdict(refused.judged, progress)
            error = refused.judged.failure or VerificationError("not verified")
            raise error from None
        except OSError as error:
            name = error.filename or folder
            raise InputUnreadable(f"{name}: {error.strerror or error}") from error
    if arguments.json:
        terminal.line(json.dumps(_document(mirror), indent=2))
    else:
        _print(mirror, folder, terminal)
    return 0


def fill(keeper: Keeper, asked: Asked) -> Mirror:
    """Bring a mirror up to now; raises Refused, DestinationTaken, ClientError, OSError."""
    _check_place(keeper.folder, asked)
    keeper.look()
    names = [asked.checkpoint] if asked.checkpoint else [*_listed(keeper.client, asked.project)]
    found: list[tuple[Kept, Judged]] = []
    for name in names:
        published = find(keeper.client, replace(asked, checkpoint=name))
        found.append(keeper.keep(published))
    if not found:
        raise InvalidDocument("results", "a published checkpoint", "none")
    _, newest = found[0]
    before = keeper.names()
    kept = [each for each, _ in found]
    if asked.checkpoint is not None:  # the others that are there stay, as they were
        kept += _left(keeper, asked, before - {asked.checkpoint})
    mirror = Mirror(
        project=asked.project,
        root=newest.pin.root,
        as_of=newest.requirements.as_of,
        kept=tuple(kept),
    )
    _write(keeper.folder, mirror)
    return mirror


def _check_place(folder: Path, asked: Asked) -> None:
    """Nothing, or a mirror of this project; what else is there is left as it is."""
    if not folder.exists() or not any(folder.iterdir()):
        return
    marker = folder / MIRROR_FILE
    project: object = None
    if marker.is_file():
        said = canonical.as_mapping(canonical.loads(marker.read_bytes()), MIRROR_FILE)
        project = said.get("project")
    elif {each.name for each in folder.iterdir()} == {CHECKPOINTS}:
        return  # of a call that was cut off before its end
    if project != asked.project:
        raise DestinationTaken(
            f"expected nothing at {folder}, or a mirror of {asked.project}; found something else"
        )


def _left(keeper: Keeper, asked: Asked, names: set[str]) -> Iterator[Kept]:
    for name in sorted(names):
        kept, _ = keeper.keep(find(keeper.client, replace(asked, checkpoint=name)))
        yield kept


def _listed(client: RegistryClient, project: str) -> Iterator[str]:
    """The names of all published checkpoints, the newest first, as the registry says."""
    path, cursor = f"/api/v1/projects/{project}/checkpoints", ""
    for _ in range(MAX_PAGES):
        params = {"page_size": str(MAX_LISTED), **({"cursor": cursor} if cursor else {})}
        page = canonical.as_mapping(client.get_json(path, params), "checkpoints")
        for each in canonical.items(page, "results", maximum=MAX_LISTED):
            name = canonical.text(canonical.as_mapping(each, "checkpoint"), "name")
            yield Asked.parse(f"{project}@{name}").checkpoint or ""
        following = page.get("next")
        if not isinstance(following, str):
            return
        cursor = parse_qs(urlsplit(following).query).get("cursor", [""])[0]
    raise InvalidDocument("next", f"at most {MAX_PAGES} pages", "more")


def _write(folder: Path, mirror: Mirror) -> None:
    """Proofs, trust and pages; the sums of everything last, and each only if it is another."""
    digests: dict[str, str] = {}
    (folder / mirrored.TRUST).mkdir(exist_ok=True)
    written = [*mirrored.trusted(mirror), *mirrored.pages(mirror)]
    for kept in mirror.kept:
        (folder / kept.proofs).mkdir(exist_ok=True)
        written += [*mirrored.beside(kept), *mirrored.pieces(kept)]
        files = kept.evidence.manifest.files
        digests |= {f"{kept.path}/{file.name}": file.sha256 for file in files}
    for name, data in written:
        _replace(folder / name, data)
        digests[name] = sha256(data)
    _replace(folder / SUMS, mirrored.sums(digests))


def _replace(path: Path, data: bytes) -> None:
    if not path.is_file() or path.read_bytes() != data:
        write_public(path, data)


def _document(mirror: Mirror) -> dict[str, object]:
    new = [each.claim.name for each in mirror.kept if each.is_new]
    return {"verified": True, "added": new, "mended": _mended(mirror), **mirror.to_json()}


def _mended(mirror: Mirror) -> list[str]:
    return [f"{each.path}/{name}" for each in mirror.kept for name in each.mended]


def _print(mirror: Mirror, folder: Path, terminal: Terminal) -> None:
    new = [each for each in mirror.kept if each.is_new]
    size_bytes = sum(each.evidence.manifest.size_bytes for each in new)
    terminal.columns(
        "",
        f"{len(mirror.kept)} of {mirror.project} verified, {len(new)} of them new "
        f"({size_in_words(size_bytes)}). How anybody verifies it is in {mirrored.README}.",
        indent=0,
    )
    for name in _mended(mirror):
        terminal.columns("", f"Mended: {safe(name)} was altered, or gone.", indent=0)
    terminal.line(f"\n  {safe(str(folder))}")
