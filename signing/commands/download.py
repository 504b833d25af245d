# SPDX-License-Identifier: Apache-2.0
"""`assay download`: fetch a checkpoint, and let it appear once every byte of it is verified.

assay download OWNER/PROJECT[@CHECKPOINT] [--to FOLDER] [--registry URL]

1. The evidence comes first: what does not verify by itself is not downloaded.
2. The files grow in FOLDER.part, in parallel; cut off, the same command goes on from there.
3. All of them are hashed and verified as `assay verify` does. Then, and only then, the folder
   gets its name, with the evidence beside it.
"""

from __future__ import annotations

import argparse
import os
import re
import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path

from .. import canonical, durable
from ..bundle import Bundle
from ..canonical import Obj
from ..client import RegistryClient
from ..client.downloads import Parts, fetch
from ..digests import as_id, parse_id
from ..errors import InvalidDocument, NoTrustRoot
from ..evidence import Evidence
from ..manifest import SIGNATURE_NAME, SIGSTORE_NAME, Manifest
from ..trust import Pinned
from . import bar, demands
from .errors import DestinationTaken, InputUnreadable, UnknownPin
from .hashing import hasher
from .inputs import EVIDENCE_SUFFIX, CheckpointGiven
from .pins import Pins
from .programs import print_json
from .terminal import Terminal, safe, size_in_words
from .verdict import Judged, print_steps, print_verdict
from .verify import judge

PART_SUFFIX = ".part"
TOKEN_VARIABLE = "ASSAY_TOKEN"  # noqa: S105 - the variable's name
ROUNDS = 2  # what arrived damaged is fetched once more
MAX_LISTED = 100  # a page of the registry's lists (docs/spec/http.md)
# Where the registry's document says what lies beside the files (docs/spec/http.md).
SIGNATURE_FIELDS = {SIGNATURE_NAME: "signature", SIGSTORE_NAME: "sigstore"}
_SEGMENT = r"[a-z0-9][a-z0-9._-]*"
_NAME = re.compile(rf"({_SEGMENT})/({_SEGMENT})(?:@({_SEGMENT}))?")


@dataclass(frozen=True, slots=True, kw_only=True)
class Published:
    """A checkpoint as the registry shows it; nothing of it is believed yet."""

    folder: str
    """Where it goes if nobody says where else."""
    evidence: Evidence
    signatures: Mapping[str, bytes]
    """What lies beside the files, by name: `model.sig`, and the same for Sigstore's clients."""

    def given(self, files: Manifest) -> CheckpointGiven:
        """The same as what `assay verify` judges, with these files."""
        bundle = None
        if SIGNATURE_NAME in self.signatures:
            with canonical.within(SIGNATURE_NAME):
                bundle = Bundle.parse(canonical.loads(self.signatures[SIGNATURE_NAME]))
        return CheckpointGiven(evidence=self.evidence, files=files, signature=bundle)


@dataclass(slots=True)
class Arrived:
    """How many bytes have come; told by several threads."""

    bytes: int = 0
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def more(self, number: int) -> None:
        """Count some; those that are asked for again are taken back."""
        with self._lock:
            self.bytes += number


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The arguments of `assay download`."""
    add = parser.add_argument
    add("name", metavar="OWNER/PROJECT[@CHECKPOINT]", help="which; the newest, if none is named")
    add("--to", type=Path, metavar="FOLDER", help="where; else PROJECT-CHECKPOINT, here")
    add("--registry", metavar="URL", help="from where; else the one registry that you trust")
    demands.add_arguments(parser)
    add("--json", action="store_true", help="for programs: one JSON document")


def run(
    arguments: argparse.Namespace,
    *,
    terminal: Terminal,
    progress: Terminal,
    clock: Callable[[], datetime] = lambda: datetime.now(UTC),
) -> int:
    """Download, verify, and only then show; 0, or the exit code of the first step that failed."""
    pins = Pins.of_user().all()
    demanded = demands.of(arguments, now=clock())
    url = arguments.registry or _only_registry(pins)
    with RegistryClient(url, os.environ.get(TOKEN_VARIABLE)) as client:
        published = find(client, arguments.name)
        folder: Path = arguments.to or Path(published.folder)

        def judged(files: Manifest) -> Judged:
            return judge(published.given(files), pins, demanded, name=str(folder))

        try:
            found = download(client, published, folder, judged=judged, progress=progress)
        except OSError as error:
            name = error.filename or folder
            raise InputUnreadable(f"{name}: {error.strerror or error}") from error
    if arguments.json:
        print_json(found, terminal)
    elif found.failure is not None:
        print_steps(found.examination.steps, terminal)
        print_verdict(found, terminal)
    else:
        print_verdict(found, terminal)
        size = size_in_words(published.evidence.manifest.size_bytes)
        terminal.line(f"\n  {safe(str(folder))}: {size}")
    return 0 if found.failure is None else found.failure.exit_code


def find(client: RegistryClient, name: str) -> Published:
    """What the registry shows under a name; raises ClientError, InvalidDocument."""
    path, folder = _path(client, name)
    stated = canonical.as_mapping(client.get_json(path), "checkpoint")
    checkpoint_id = parse_id(canonical.text(stated, "id"))
    by_id = f"/api/v1/checkpoints/{as_id(checkpoint_id)}"
    with canonical.within("evidence"):
        evidence = Evidence.parse(client.get_document(f"{by_id}/evidence"))
    if evidence.manifest.id != checkpoint_id:
        found = as_id(evidence.manifest.id)
        raise InvalidDocument("evidence.manifest", as_id(checkpoint_id), found)
    return Published(folder=folder, evidence=evidence, signatures=_signatures(client, stated))


def download(
    client: RegistryClient,
    published: Published,
    folder: Path,
    *,
    judged: Callable[[Manifest], Judged],
    progress: Terminal,
) -> Judged:
    """Fetch into `folder`, which appears only if all is judged well; raises DestinationTaken."""
    if os.path.lexists(folder):
        raise DestinationTaken(f"expected nothing at {folder}, found something: it was left")
    manifest = published.evidence.manifest
    found = judged(manifest)  # 1
    if found.failure is not None:
        return found
    place = folder.with_name(folder.name + PART_SUFFIX)
    parts = Parts.of(place, manifest)
    if parts is None:
        raise DestinationTaken(
            f"expected {place} to hold parts of this checkpoint, found something else: delete it, "
            "or name another folder with --to"
        )
    found = judged(_fetched(client, parts, progress))  # 2, 3
    if found.failure is None:
        _show(parts, published, folder)
    return found


def _path(client: RegistryClient, name: str) -> tuple[str, str]:
    """Where a checkpoint's document is, of a project its newest's; and a name for its folder."""
    found = _NAME.fullmatch(name)
    if found is None:
        raise InvalidDocument("name", "OWNER/PROJECT or OWNER/PROJECT@CHECKPOINT", ascii(name))
    owner, project, checkpoint = found.groups()
    path = f"/api/v1/projects/{owner}/{project}/checkpoints"
    if checkpoint is None:
        page = canonical.as_mapping(client.get_json(path), "checkpoints")
        newest = canonical.items(page, "results", maximum=MAX_LISTED)
        if not newest:
            raise InvalidDocument("results", f"a published checkpoint of {name}", "none")
        checkpoint = canonical.text(canonical.as_mapping(newest[0], "checkpoint"), "name")
        if not re.fullmatch(_SEGMENT, checkpoint):
            raise InvalidDocument("name", "a checkpoint's name", ascii(checkpoint[:80]))
    return f"{path}/{checkpoint}", f"{project}-{checkpoint}"


def _signatures(client: RegistryClient, stated: Obj) -> dict[str, bytes]:
    found: dict[str, bytes] = {}
    for name, field_name in SIGNATURE_FIELDS.items():
        if stated.get(field_name) is not None:
            file = canonical.mapping(stated, field_name)
            with canonical.within(field_name):
                found[name] = client.small_blob(canonical.sha256_hex(file, "sha256"))
    return found


def _fetched(client: RegistryClient, parts: Parts, progress: Terminal) -> Manifest:
    """Fetch what is missing, and hash all of it; what arrived damaged is fetched once more."""
    hash_folder = hasher(frozenset(), progress)
    for _ in range(ROUNDS - 1):
        _fetch(client, parts, progress)
        damaged = parts.manifest.differences(found := hash_folder(parts.files)).changed
        if not damaged:
            return found
        for name in damaged:
            parts.forget(name)
    _fetch(client, parts, progress)
    return hash_folder(parts.files)


def _fetch(client: RegistryClient, parts: Parts, progress: Terminal) -> None:
    arrived = Arrived()
    work = bar.Work(
        verb="downloading",
        total_bytes=sum(each.stop - each.start for each in parts.missing()),
        done_bytes=lambda: arrived.bytes,
    )
    with bar.shown(work, progress):
        fetch(client, parts, arrived=arrived.more)


def _show(parts: Parts, published: Published, folder: Path) -> None:
    """The evidence first: a folder without it could not be verified."""
    for name, data in published.signatures.items():
        durable.write_file(parts.files / name, data)
    beside = folder.with_name(folder.name + EVIDENCE_SUFFIX)
    durable.write_file(beside, published.evidence.canonical())
    parts.become(folder)


def _only_registry(pins: tuple[Pinned, ...]) -> str:
    """Where to look if nothing is said: where the one pinned root is in force."""
    registries = sorted({pin.root.registry for pin in pins})
    if not registries:
        raise NoTrustRoot("no registry is trusted yet. To trust one: assay trust add URL")
    if len(registries) > 1:
        raise UnknownPin(f"expected --registry URL, as you trust several: {', '.join(registries)}")
    return registries[0]
