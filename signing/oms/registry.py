# SPDX-License-Identifier: Apache-2.0
"""The registry profile: the one OMS v1.0 statement that we make, which foreign tools verify too.

Its root digest binds the files' content and order but not their names, so it is checked for
conformance and never used as an id; the manifest's own digest is. The predicate's schema allows no
further fields: what else Assay claims stands in statements of its own.
"""

from __future__ import annotations

from typing import Self

from .. import canonical
from ..digests import sha256
from ..errors import InvalidDocument
from ..manifest import (
    MAX_FILES,
    SIGNATURE_NAME,
    SIGNATURE_NAMES,
    SIGSTORE_NAME,
    Manifest,
    check_name,
)
from ..statements import OMS_V1, Statement, Subject
from ..values import dataclass

# What model_signing passes over whether or not it is signed; so neither do we list it here, where
# it would make a foreign verification fail. The manifest, and with it the id, covers all files.
_DEFAULTS = (".git", ".gitattributes", ".github", ".gitignore")
IGNORED = (*SIGNATURE_NAMES, *_DEFAULTS)
IGNORED_BEFORE = (SIGNATURE_NAME, *_DEFAULTS)  # until there was a second wrapper; read for ever


@dataclass(frozen=True, slots=True, kw_only=True)
class Resource:
    """One file as OMS lists it: name and digest; it knows no sizes."""

    name: str
    sha256: str


@dataclass(frozen=True, slots=True, kw_only=True)
class ModelSignature:
    """What an OMS statement says."""

    name: str
    """The model's, for people."""
    resources: tuple[Resource, ...]
    ignored: tuple[str, ...] = IGNORED
    """What a verifier passes over beside these files."""

    @classmethod
    def of(cls, name: str, manifest: Manifest) -> Self:
        """What is to be said about a manifest's files."""
        return cls(name=name, resources=_resources(manifest))

    @property
    def root_sha256(self) -> str:
        """SHA-256 over the files' digests, in the order of their names."""
        digests = (bytes.fromhex(resource.sha256) for resource in self.resources)
        return sha256(b"".join(digests))

    @property
    def has_sigstore_wrapper(self) -> bool:
        """Whether the second wrapper may lie beside the files: else it would be one too many."""
        return SIGSTORE_NAME in self.ignored

    def statement(self) -> Statement:
        """The statement that says it."""
        resources = [
            {"algorithm": "sha256", "digest": each.sha256, "name": each.name}
            for each in self.resources
        ]
        return Statement(
            subjects=(Subject(name=self.name, sha256=self.root_sha256),),
            predicate_type=OMS_V1,
            predicate={
                "resources": resources,
                "serialization": {
                    "allow_symlinks": False,
                    "hash_type": "sha256",
                    "ignore_paths": list(self.ignored),
                    "method": "files",
                },
            },
        )


def statement(name: str, manifest: Manifest) -> Statement:
    """The OMS statement over a manifest's files."""
    return ModelSignature.of(name, manifest).statement()


def root_digest(manifest: Manifest) -> str:
    """The OMS root digest of a manifest's files, which a checkpoint's claim refers to."""
    return ModelSignature.of("", manifest).root_sha256


def parse(statement: Statement) -> ModelSignature:
    """Read an OMS statement of the kind that we write: files, SHA-256, nothing else ignored."""
    predicate = statement.predicate
    found = ModelSignature(
        name=statement.subjects[0].name,
        resources=tuple(
            _parse_resource(value)
            for value in canonical.items(predicate, "resources", maximum=MAX_FILES)
        ),
        ignored=_parse_ignored(canonical.mapping(predicate, "serialization")),
    )
    if found.statement() != statement:
        raise InvalidDocument(
            "statement", "an OMS statement over files by SHA-256 whose root is right", "another"
        )
    return found


def _resources(manifest: Manifest) -> tuple[Resource, ...]:
    listed = tuple(
        Resource(name=entry.name, sha256=entry.sha256)
        for entry in manifest.files
        if entry.name.partition("/")[0] not in IGNORED
    )
    if not listed:
        raise InvalidDocument("files", "a file that model signatures cover", "none")
    return listed


def _parse_ignored(serialization: canonical.Obj) -> tuple[str, ...]:
    """One of the two lists that we ever wrote; whatever else is stated is not equal to either."""
    found = canonical.items(serialization, "ignore_paths")
    return IGNORED_BEFORE if found == [*IGNORED_BEFORE] else IGNORED


def _parse_resource(value: object) -> Resource:
    with canonical.within("resources"):
        obj = canonical.as_mapping(value, "resource")
        canonical.only(obj, "algorithm", "digest", "name")
        canonical.literal(obj, "algorithm", "sha256")
        name = canonical.text(obj, "name")
        check_name(name)
        return Resource(name=name, sha256=canonical.sha256_hex(obj, "digest"))
