# SPDX-License-Identifier: Apache-2.0
"""`assay mirror`: a project as a static folder that still verifies after its registry is gone.

assay mirror OWNER/PROJECT[@CHECKPOINT] FOLDER [--registry URL]

1. Each checkpoint is downloaded as `assay download` does it: it appears once every byte of it is
   verified, and what an earlier call left of it is gone on with. What the mirror has already, under
   the same digest, is not fetched again, and is one file on the disk.
2. Evidence is renewed for all of them: it says who was revoked until now.
3. Then sums and pages are written, each whole. They speak only of what is there and verified.
"""

from __future__ import annotations

import argparse
import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

from .. import canonical
from ..client import RegistryClient, address
from ..client.downloads import Parts
from ..digests import sha256_file
from ..durable import link_or_copy
from ..errors import InvalidDocument, VerificationError
from ..evidence import Evidence
from ..manifest import Manifest
from . import demands, mirrored
from .callers import secret_for
from .download import STALLED_SECONDS, download
from .errors import DestinationTaken, InputUnreadable
from .inputs import EVIDENCE_SUFFIX
from .mirrored import CHECKPOINTS, MIRROR_FILE, SUMS, Kept, Mirror
from .pins import Pins, of_registry, only_registry
from .published import MAX_LISTED, Asked, Published, find
from .sign import write_public
from .terminal import Terminal, safe, size_in_words
from .verdict import Judged, print_steps, print_verdict
from .verify import judge

MAX_PAGES = 10_000  # of a list that a registry gives: a million checkpoints


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The arguments of `assay mirror`."""
    add = parser.add_argument
    add("name", metavar="OWNER/PROJECT[@CHECKPOINT]", help="which; all that is published, or one")
    add("folder", type=Path, metavar="FOLDER", help="where; a mirror of it, or nothing yet")
    add("--registry", metavar="URL", help="from where; else the one registry that you trust")
    demands.add_arguments(parser)
    add("--json", action="store_true", help="for programs: one JSON document")


class Refused(Exception):
    """A checkpoint that does not verify; the mirror is as it was but for what came before it."""

    def __init__(self, judged: Judged) -> None:
        super().__init__()
        self.judged = judged


@dataclass(slots=True, kw_only=True)
class Keeper:
    """A mirror while it is filled."""

    folder: Path
    client: RegistryClient
    judge: Callable[[Published, Manifest, Path | None], Judged]
    progress: Terminal
    known: dict[str, Path] = field(default_factory=dict[str, Path])
    """The files that the mirror has, by digest; what is made of one of them is hashed again."""

    def look(self) -> None:
        """See what an earlier call has left."""
        for name in _names(self.folder):
            target = self.folder / CHECKPOINTS / name
            for entry in _evidence_at(target).manifest.files:
                if (target / entry.name).is_file():
                    self.known.setdefault(entry.sha256, target / entry.name)

    def keep(self, published: Published) -> tuple[Kept, Judged]:
        """The checkpoint is in the mirror; raises Refused for what does not verify."""
        target = self.folder / CHECKPOINTS / published.name
        manifest = published.evidence.manifest
        is_new = not _has(target, manifest)
        if is_new:
            judged = download(
                self.client,
                published,
                target,
                judged=lambda files, at: self.judge(published, files, at),
                progress=self.progress,
                seed=self._seed,
            )
        else:
            judged = self.judge(published, manifest, None)
        if judged.failure is not None:
            raise Refused(judged)
        verified = judged.examination.verdict()
        published.asked.check(verified.checkpoint)
        assert verified.checkpoint is not None  # noqa: S101 - what was checked in the line above
        write_public(_evidence_of(target), published.evidence.canonical())
        if is_new:
            self._share(target, manifest)
        kept = Kept(
            claim=verified.checkpoint,
            evidence=published.evidence,
            signed_before=verified.parts[0].signed_before,
            is_new=is_new,
        )
        return kept, judged

    def _seed(self, parts: Parts) -> None:
        for entry in parts.manifest.files:
            if entry.sha256 in self.known:
                parts.adopt(entry, self.known[entry.sha256])

    def _share(self, target: Path, manifest: Manifest) -> None:
        """The same bytes under several names become one file: that which was verified just now."""
        for entry in manifest.files:
            path = target / entry.name
            before = self.known.get(entry.sha256, path)
            if not path.samefile(before):
                link_or_copy(path, before)
            self.known[entry.sha256] = path


def run(
    arguments: argparse.Namespace,
    *,
    terminal: Terminal,
    progress: Terminal,
    clock: Callable[[], datetime] = lambda: datetime.now(UTC),
) -> int:
    """Mirror, and say what is new; 0, or the exit code of the first step that failed."""
    asked = Asked.parse(arguments.name)
    pins = Pins.of_user().all()
    demanded = demands.of(arguments, now=clock())
    url = address(arguments.registry or only_registry(pins, word="--registry URL"))
    folder: Path = arguments.folder

    def judged(published: Published, files: Manifest, at: Path | None) -> Judged:
        given = published.judged_with(files, at)
        name = f"{folder}/{CHECKPOINTS}/{published.name}"
        return judge(given, of_registry(pins, url), demanded, name=name)

    with RegistryClient(url, secret_for(url), timeout_seconds=STALLED_SECONDS) as client:
        keeper = Keeper(folder=folder, client=client, judge=judged, progress=progress)
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
    before = _names(keeper.folder)
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


def _names(folder: Path) -> set[str]:
    """The checkpoints that are there, whole."""
    inside = (folder / CHECKPOINTS).glob("*")
    return {each.name for each in inside if each.is_dir() and _evidence_of(each).is_file()}


def _left(keeper: Keeper, asked: Asked, names: set[str]) -> Iterator[Kept]:
    for name in sorted(names):
        kept, _ = keeper.keep(find(keeper.client, replace(asked, checkpoint=name)))
        yield kept


def _has(target: Path, manifest: Manifest) -> bool:
    """Whether the checkpoint is there; it was verified before it appeared."""
    if not target.is_dir() or not _evidence_of(target).is_file():
        return False
    return _evidence_at(target).manifest == manifest and all(
        (target / file.name).is_file() and (target / file.name).stat().st_size == file.size
        for file in manifest.files
    )


def _evidence_at(target: Path) -> Evidence:
    path = _evidence_of(target)
    with canonical.within(path.name):
        return Evidence.parse(canonical.loads(path.read_bytes()))


def _evidence_of(target: Path) -> Path:
    return target.with_name(target.name + EVIDENCE_SUFFIX)


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
    for kept in mirror.kept:
        (folder / f"{kept.path}{mirrored.SIGNED_SUFFIX}").mkdir(exist_ok=True)
        for name, data in mirrored.pieces(kept):
            _replace(folder / name, data)
    (folder / mirrored.TRUST).mkdir(exist_ok=True)
    for name, data in (*mirrored.trusted(mirror), *mirrored.pages(mirror)):
        _replace(folder / name, data)
    for kept in mirror.kept:
        files = {file.name: file.sha256 for file in kept.evidence.manifest.files}
        digests |= {f"{kept.path}/{name}": digest for name, digest in files.items()}
    for path in sorted(folder.rglob("*")):
        name = path.relative_to(folder).as_posix()
        if path.is_file() and name not in digests and _is_of_it(name, mirror):
            digests[name] = sha256_file(path)[0]
    _replace(folder / SUMS, mirrored.sums(digests))


def _is_of_it(name: str, mirror: Mirror) -> bool:
    """Not what a call that was cut off left, nor what somebody else put there."""
    own = {each.path for each in mirror.kept}
    tops = {mirrored.README, mirrored.INDEX, MIRROR_FILE, mirrored.TRUST}
    return name.split("/", maxsplit=1)[0] in tops or any(
        name.startswith((f"{path}/", f"{path}{mirrored.SIGNED_SUFFIX}/"))
        or name == f"{path}{EVIDENCE_SUFFIX}"
        for path in own
    )


def _replace(path: Path, data: bytes) -> None:
    if not path.is_file() or path.read_bytes() != data:
        write_public(path, data)


def _document(mirror: Mirror) -> dict[str, object]:
    new = [each.claim.name for each in mirror.kept if each.is_new]
    return {"verified": True, "added": new, **mirror.to_json()}


def _print(mirror: Mirror, folder: Path, terminal: Terminal) -> None:
    new = [each for each in mirror.kept if each.is_new]
    size_bytes = sum(each.evidence.manifest.size_bytes for each in new)
    terminal.columns(
        "",
        f"{len(mirror.kept)} of {mirror.project} verified, {len(new)} of them new "
        f"({size_in_words(size_bytes)}). How anybody verifies it is in {mirrored.README}.",
        indent=0,
    )
    terminal.line(f"\n  {safe(str(folder))}")
