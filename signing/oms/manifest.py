# SPDX-License-Identifier: Apache-2.0
"""What an OMS statement says of a model: which files, hashed how, which of them left out.

Reads predicate v1.0 as the specification has it (sections 5 and 8.3), and v0.1 of the first
releases; writes v1.0. Whether the files are so is left to `files`.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from enum import StrEnum

from .. import canonical
from ..canonical import Obj
from ..digests import sha256
from ..errors import InvalidDocument
from ..statements import OMS_V1

STATEMENT_V1 = "https://in-toto.io/Statement/v1"
DIGESTS_V0_1 = "https://model_signing/Digests/v0.1"  # model_signing 0.2.0; read, never written
MAX_PAYLOAD_BYTES = 64 << 20
MAX_ENTRIES = 1_000_000
MAX_IGNORED = 10_000

# Section 6.2: passed over at the top of the model, whether or not a statement says so.
DEFAULT_IGNORED = (".git", ".gitattributes", ".github", ".gitignore")
WHOLE_MODEL = "."
"""How model_signing names the one file of a model that is a file."""

_SHARD = re.compile(r"(?P<path>.+):(?P<start>0|[1-9][0-9]*):(?P<end>[1-9][0-9]*)", re.DOTALL)
_HEX = re.compile(r"[0-9a-f]+")
_GLOB = frozenset("*?[")


class Method(StrEnum):
    """How files become entries (section 6.3)."""

    FILES = "files"
    SHARDS = "shards"


class Hash(StrEnum):
    """How entries are hashed; blake3, which is optional too, would need another library."""

    SHA256 = "sha256"
    BLAKE2B = "blake2b"


DIGEST_CHARACTERS: Mapping[Hash, int] = {Hash.SHA256: 64, Hash.BLAKE2B: 128}


@dataclass(frozen=True, slots=True, kw_only=True)
class Serialization:
    """How a model's files are listed and hashed."""

    method: Method = Method.FILES
    hash: Hash = Hash.SHA256
    follows_links: bool = False
    shard_bytes: int | None = None
    ignored: tuple[str, ...] = ()
    """Beyond the defaults; what is no plain relative path matches nothing."""

    def to_json(self) -> dict[str, object]:
        """The JSON form, in which the defaults are listed too."""
        found: dict[str, object] = {
            "method": self.method.value,
            "hash_type": self.hash.value,
            "allow_symlinks": self.follows_links,
            "ignore_paths": sorted({*DEFAULT_IGNORED, *self.ignored}),
        }
        return found if self.shard_bytes is None else {**found, "shard_size": self.shard_bytes}


@dataclass(frozen=True, slots=True, kw_only=True)
class ModelManifest:
    """The entries of a model: whole files, or byte ranges of them."""

    name: str
    """For people; nothing depends on it (section 6.5)."""
    serialization: Serialization
    digests: Mapping[str, str]

    def by_path(self) -> dict[str, dict[str, str]]:
        """The entries of each file."""
        found: dict[str, dict[str, str]] = {}
        for name, digest in self.digests.items():
            found.setdefault(_path_of(name, self.serialization), {})[name] = digest
        return found

    def payload(self) -> bytes:
        """The statement's bytes, which are signed."""
        names = sorted(self.digests)
        algorithm = self.serialization.hash.value
        resources = [
            {"name": name, "digest": self.digests[name], "algorithm": algorithm} for name in names
        ]
        root = _root(self.digests[name] for name in names)
        return canonical.dumps(
            {
                "_type": STATEMENT_V1,
                "subject": [{"name": self.name, "digest": {"sha256": root}}],
                "predicateType": OMS_V1,
                "predicate": {
                    "resources": resources,
                    "serialization": self.serialization.to_json(),
                },
            }
        )


def parse(payload: bytes) -> ModelManifest:
    """Read a statement of predicate v1.0 or v0.1."""
    value = canonical.loads(payload, max_bytes=MAX_PAYLOAD_BYTES, has_fractions=True)
    obj = canonical.as_mapping(value, "statement")
    canonical.literal(obj, "_type", STATEMENT_V1)
    kind = canonical.text(obj, "predicateType")
    if kind == DIGESTS_V0_1:
        return _parse_v0_1(obj)
    canonical.literal(obj, "predicateType", OMS_V1)
    return _parse_v1(obj)


def check_path(path: str) -> None:
    """Refuse a path that is not relative, normalised and within the model (section 6.1.2)."""
    segments = path.split("/")
    is_plain = not {"", ".", ".."}.intersection(segments) and not {"\\", "\0"}.intersection(path)
    if not is_plain or any("\ud800" <= character <= "\udfff" for character in path):
        raise InvalidDocument("name", "a relative path within the model", ascii(path[:80]))


def check_ignored(path: str) -> None:
    """Refuse what a signer may not list as passed over (section 6.2.1)."""
    check_path(path)
    if not _GLOB.isdisjoint(path):
        raise InvalidDocument("ignore_paths", "a path without * ? [", ascii(path[:80]))


def shard_name(path: str, start: int, end: int) -> str:
    """How the byte range from `start` to before `end` of a file is called (section 6.3.2)."""
    return f"{path}:{start}:{end}"


def _parse_v1(obj: Obj) -> ModelManifest:
    predicate = canonical.mapping(obj, "predicate")
    with canonical.within("predicate"):
        canonical.only(predicate, "resources", "serialization")
        serialization = _serialization(canonical.mapping(predicate, "serialization"))
        values = canonical.items(predicate, "resources", maximum=MAX_ENTRIES)
        digests = _entries(((_resource(value, serialization)) for value in values), serialization)
    subjects = canonical.items(obj, "subject")
    if len(subjects) != 1:
        raise InvalidDocument("subject", "exactly one", str(len(subjects)))
    with canonical.within("subject[0]"):
        subject = canonical.as_mapping(subjects[0], "subject")
        # In the order of the statement: model_signing sorts by path segment, which is another.
        canonical.literal(canonical.mapping(subject, "digest"), "sha256", _root(digests.values()))
        name = canonical.text(subject, "name")
    return ModelManifest(name=name, serialization=serialization, digests=digests)


def _parse_v0_1(obj: Obj) -> ModelManifest:
    """One subject for each file, hashed with SHA-256; there is no more to it."""
    serialization = Serialization()
    values = canonical.items(obj, "subject", maximum=MAX_ENTRIES)
    digests = _entries((_subject(value) for value in values), serialization)
    return ModelManifest(name=DIGESTS_V0_1, serialization=serialization, digests=digests)


def _serialization(obj: Obj) -> Serialization:
    with canonical.within("serialization"):
        canonical.only(obj, "method", "hash_type", "shard_size", "allow_symlinks", "ignore_paths")
        method = Method(_one_of(obj, "method", Method))
        follows_links = obj.get("allow_symlinks")
        if not isinstance(follows_links, bool):
            raise InvalidDocument("allow_symlinks", "true or false", "something else")
        if method is Method.FILES and "shard_size" in obj:
            raise InvalidDocument("shard_size", "no such field for whole files", "one")
        is_sharded = method is Method.SHARDS
        return Serialization(
            method=method,
            hash=Hash(_one_of(obj, "hash_type", Hash)),
            follows_links=follows_links,
            shard_bytes=canonical.integer(obj, "shard_size", minimum=1) if is_sharded else None,
            ignored=tuple(_ignored(obj)),
        )


def _one_of(obj: Obj, field: str, kinds: type[StrEnum]) -> str:
    value = canonical.text(obj, field)
    if value not in {kind.value for kind in kinds}:
        expected = " or ".join(kind.value for kind in kinds)
        raise InvalidDocument(field, f"{expected} (what this verifier knows)", ascii(value[:80]))
    return value


def _ignored(obj: Obj) -> Iterable[str]:
    values = canonical.items({"ignore_paths": (), **obj}, "ignore_paths", maximum=MAX_IGNORED)
    for value in values:
        path = canonical.text({"ignore_paths": value}, "ignore_paths")
        if path not in DEFAULT_IGNORED:
            yield path


def _resource(value: object, serialization: Serialization) -> tuple[str, str]:
    """A descriptor's name and digest; what else stands in one is to be passed over (5.2.1)."""
    with canonical.within("resources"):
        obj = canonical.as_mapping(value, "resource")
        canonical.literal(obj, "algorithm", serialization.hash.value)
        digest = canonical.text(obj, "digest")
        expected = DIGEST_CHARACTERS[serialization.hash]
        if len(digest) != expected or not _HEX.fullmatch(digest):
            raise InvalidDocument("digest", f"{expected} hexadecimal characters", ascii(digest))
        return canonical.text(obj, "name"), digest


def _subject(value: object) -> tuple[str, str]:
    with canonical.within("subject"):
        obj = canonical.as_mapping(value, "subject")
        digest = canonical.sha256_hex(canonical.mapping(obj, "digest"), "sha256")
        return canonical.text(obj, "name"), digest


def _entries(found: Iterable[tuple[str, str]], serialization: Serialization) -> dict[str, str]:
    digests: dict[str, str] = {}
    for name, digest in found:
        if name in digests:
            raise InvalidDocument("resources", f"one entry {name[:80]!a}", "several")
        digests[name] = digest
    if not digests:
        raise InvalidDocument("resources", "at least one entry", "none")
    for name in digests:
        if digests.keys() != {WHOLE_MODEL}:
            check_path(_path_of(name, serialization))
    return digests


def _path_of(name: str, serialization: Serialization) -> str:
    """The file that an entry is of; names may hold colons, so the last two count (6.3.2)."""
    if serialization.method is Method.FILES:
        return name
    shard = _SHARD.fullmatch(name)
    if shard is None:
        raise InvalidDocument("name", "path:start:end", ascii(name[:80]))
    return shard["path"]


def _root(digests: Iterable[str]) -> str:
    """SHA-256 over the digests' bytes, whatever they were made with (section 6.5.1)."""
    return sha256(b"".join(bytes.fromhex(digest) for digest in digests))
