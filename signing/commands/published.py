# SPDX-License-Identifier: Apache-2.0
"""What a registry shows under a checkpoint's name, to be judged before anything of it is believed.

A registry may answer with something sound that is not what was asked for: `Asked.check` holds the
name against what was signed.
"""

from __future__ import annotations

import argparse
import re
from collections.abc import Collection, Iterator
from dataclasses import dataclass
from pathlib import Path

from .. import canonical, oms
from ..bundle import Bundle
from ..canonical import Obj
from ..client import RegistryClient
from ..digests import as_id, parse_id
from ..errors import BrokenLink, InvalidDocument
from ..evidence import Evidence
from ..manifest import SIGNATURE_NAME, SIGSTORE_NAME, Manifest
from ..statements import CheckpointClaim, Statement
from .given import CheckpointGiven
from .inputs import tensors_in

MAX_LISTED = 100  # a page of the registry's lists (docs/spec/http.md)
_SEGMENT = r"[a-z0-9][a-z0-9._-]*"
_PROJECT = re.compile(rf"{_SEGMENT}/{_SEGMENT}")
_NAME = re.compile(rf"({_PROJECT.pattern})(?:@({_SEGMENT}))?")


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """What was asked for: a checkpoint by its name, or a project for its newest.

    A project that was moved has statements under the names it had; `signed_as` are those that the
    person believes, for a registry's word does not make one project another.
    """

    project: str
    checkpoint: str | None
    signed_as: frozenset[str] = frozenset()

    @classmethod
    def parse(cls, text: str, *, signed_as: Collection[str] = ()) -> Asked:
        """Raises InvalidDocument for what is no such name."""
        found = _NAME.fullmatch(text)
        if found is None:
            raise InvalidDocument("name", "OWNER/PROJECT or OWNER/PROJECT@CHECKPOINT", ascii(text))
        for other in signed_as:
            if not _PROJECT.fullmatch(other):
                raise InvalidDocument("--signed-as", "OWNER/PROJECT", ascii(other))
        return cls(project=found[1], checkpoint=found[2], signed_as=frozenset(signed_as))

    def check(self, signed: CheckpointClaim | None) -> CheckpointClaim:
        """The same; raises BrokenLink unless it is what was asked for, whoever answered."""
        if signed is None or signed.project not in {self.project, *self.signed_as}:
            found = "none" if signed is None else signed.project
            raise BrokenLink(
                f"expected a checkpoint of {self.project}, found one of {found}; if you know that "
                f"the project had that name at another time, add --signed-as {found}"
            )
        if self.checkpoint not in {None, signed.name}:
            raise BrokenLink(f"expected the checkpoint {self.checkpoint}, found {signed.name}")
        return signed


def add_names(parser: argparse.ArgumentParser) -> None:
    """The arguments that say which checkpoints are meant."""
    parser.add_argument(
        "--signed-as",
        action="append",
        default=[],
        metavar="OWNER/PROJECT",
        help="a name that the project had at another time; may be repeated",
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class Published:
    """A checkpoint as the registry shows it; nothing of it is believed yet."""

    asked: Asked
    name: str
    evidence: Evidence
    signature: Bundle | None
    """The `model.sig` beside the files."""

    def judged_with(self, files: Manifest, folder: Path | None = None) -> CheckpointGiven:
        """The same as what `assay verify` judges, with these files, which are in the folder."""
        return CheckpointGiven(
            evidence=self.evidence,
            files=files,
            signature=self.signature,
            tensors=None if folder is None else tensors_in(folder, self.evidence, files),
        )

    def beside(self) -> Iterator[tuple[str, bytes]]:
        """What lies beside the files, made of the one signature that was judged."""
        if self.signature is not None:
            yield SIGNATURE_NAME, canonical.dumps(self.signature.to_json())
            model = oms.parse(Statement.parse(self.signature.envelope.payload))
            if model.has_sigstore_wrapper:
                yield SIGSTORE_NAME, canonical.dumps(self.signature.to_sigstore_json())


def find(client: RegistryClient, asked: Asked) -> Published:
    """What the registry shows under a name; raises ClientError, InvalidDocument."""
    path = f"/api/v1/projects/{asked.project}/checkpoints"
    name = asked.checkpoint or _newest(client, path)
    stated = canonical.as_mapping(client.get_json(f"{path}/{name}"), "checkpoint")
    checkpoint_id = parse_id(canonical.text(stated, "id"))
    by_id = f"/api/v1/checkpoints/{as_id(checkpoint_id)}"
    with canonical.within("evidence"):
        # Another project may have published the same files; its statement would name that one.
        path = f"{by_id}/evidence?project={asked.project}"
        evidence = Evidence.parse(client.get_document(path))
    if evidence.manifest.id != checkpoint_id:
        found = as_id(evidence.manifest.id)
        raise InvalidDocument("evidence.manifest", as_id(checkpoint_id), found)
    return Published(
        asked=asked, name=name, evidence=evidence, signature=_signature(client, stated)
    )


def _newest(client: RegistryClient, path: str) -> str:
    """The name of a project's newest checkpoint, as the registry says."""
    page = canonical.as_mapping(client.get_json(path), "checkpoints")
    newest = canonical.items(page, "results", maximum=MAX_LISTED)
    if not newest:
        raise InvalidDocument("results", "a published checkpoint", "none")
    name = canonical.text(canonical.as_mapping(newest[0], "checkpoint"), "name")
    if not re.fullmatch(_SEGMENT, name):
        raise InvalidDocument("name", "a checkpoint's name", ascii(name[:80]))
    return name


def _signature(client: RegistryClient, stated: Obj) -> Bundle | None:
    if stated.get("signature") is None:
        return None
    file = canonical.mapping(stated, "signature")
    with canonical.within("signature"):
        data = client.small_blob(canonical.sha256_hex(file, "sha256"))
    with canonical.within(SIGNATURE_NAME):
        return Bundle.parse(canonical.loads(data))
