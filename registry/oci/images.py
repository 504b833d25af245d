# SPDX-License-Identifier: Apache-2.0
"""What a checkpoint is to clients of OCI: a manifest, its config, and what refers to it.

All of it follows from the checkpoint's files, its signature, its conduct version and what else was
signed when it was published, and from nothing else: the same bytes, and so the same digests,
whenever and by whichever process they are made. Who pins a digest pins it for ever; another form is
another profile beside this one. Bills of material alone may be written anew by a newer registry.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import PurePosixPath

from assay.signing import canonical
from assay.signing.digests import as_id, sha256
from assay.signing.manifest import FileEntry, Manifest
from assay.signing.statements import ConductReference
from registry.catalog.queries import exporting

MANIFEST = "application/vnd.oci.image.manifest.v1+json"
INDEX = "application/vnd.oci.image.index.v1+json"
# CNCF ModelPack (model-spec, docs/spec.md and docs/annotations.md of 2026-06-08).
MODEL = "application/vnd.cncf.model.manifest.v1+json"
CONFIG = "application/vnd.cncf.model.config.v1+json"
WEIGHTS = "application/vnd.cncf.model.weight.v1.raw"
SETTINGS = "application/vnd.cncf.model.weight.config.v1.raw"
TEXTS = "application/vnd.cncf.model.doc.v1.raw"
CODE = "application/vnd.cncf.model.code.v1.raw"
FILE_PATH = "org.cncf.model.filepath"
# OCI image-spec, annotations.md; programs save a layer under its title.
TITLE, REVISION = "org.opencontainers.image.title", "org.opencontainers.image.revision"
# By which programs of Sigstore find and tell apart what refers to a manifest.
BUNDLE = "application/vnd.dev.sigstore.bundle.v0.3+json"
BUNDLE_SAYS = {
    "dev.sigstore.bundle.content": "dsse-envelope",
    "dev.sigstore.bundle.predicateType": "https://model_signing/signature/v1.0",
}
CONDUCT = "application/vnd.assay.conduct.v1+json"
CONDUCT_NAME = "conduct.json"
# By what programs find a bill of material, and its file's name.
BOMS: Mapping[str, str] = {
    exporting.SPDX: "application/spdx+json",
    exporting.CYCLONEDX: "application/vnd.cyclonedx+json",
}

KINDS: Mapping[str, str] = {
    ".safetensors": WEIGHTS,
    ".gguf": WEIGHTS,
    ".md": TEXTS,
    ".py": CODE,
    ".png": TEXTS,
    ".jpg": TEXTS,
    ".jpeg": TEXTS,
    ".webp": TEXTS,
}
TEXT_NAMES = frozenset({"license", "licence", "notice", "readme", "copying"})


@dataclass(frozen=True, slots=True, kw_only=True)
class Document:
    """Bytes that are made here and kept nowhere."""

    media_type: str
    content: bytes
    artifact_type: str = ""

    @property
    def sha256(self) -> str:
        """What names it."""
        return sha256(self.content)

    def descriptor(self) -> dict[str, object]:
        """How another document names it."""
        return _descriptor(self.media_type, self.sha256, len(self.content))


EMPTY = Document(media_type="application/vnd.oci.empty.v1+json", content=b"{}")


@dataclass(frozen=True, slots=True, kw_only=True)
class Image:
    """A published checkpoint, as far as clients of OCI see it."""

    files: Manifest
    signature: FileEntry | None
    """A Sigstore bundle beside the files."""
    conduct: ConductReference
    policy: bytes
    """The canonical document that `conduct` names by digest."""
    boms: Callable[[], Mapping[str, bytes]] = dict
    """Makes the bills of material of what was signed, by the names of their files.

    Of ten thousand files that takes a second: it is asked last, and only by who wants them.
    """

    def config(self) -> Document:
        """Which model it is: by the id that its signature is about."""
        formats = {PurePosixPath(file.name).suffix.lower() for file in self.files.files}
        weights = sorted(each[1:] for each in formats if KINDS.get(each) == WEIGHTS)
        body = {
            "descriptor": {"revision": as_id(self.files.id)},
            "modelfs": {
                "type": "layers",
                "diffIds": [as_id(file.sha256) for file in self.files.files],
            },
            "config": {"format": weights[0]} if weights else {},
        }
        return Document(media_type=CONFIG, content=canonical.dumps(body))

    def manifest(self) -> Document:
        """The checkpoint: a layer is a file, as it is, in the order of the names."""
        layers = [
            _layer(_kind(file.name), file, {FILE_PATH: file.name}) for file in self.files.files
        ]
        said = {REVISION: as_id(self.files.id)}
        return _manifest(MODEL, self.config(), layers, {"annotations": said})

    def referrers(self) -> tuple[Document, ...]:
        """What names the manifest as its subject: the signature, the rules of use, the BOMs."""
        listing = (referrer for _, referrer in self._listing())
        return (*self._signed(), *listing)

    def documents(self) -> Iterator[Document]:
        """Everything here that has a digest and is no file."""
        yield self.manifest()
        yield self.config()
        yield Document(media_type=CONDUCT, content=self.policy)
        yield from self._signed()
        for pair in self._listing():
            yield from pair

    def _signed(self) -> Iterator[Document]:
        about = self._about()
        if self.signature is not None:
            layer = _layer(BUNDLE, self.signature)
            yield _manifest(BUNDLE, EMPTY, [layer], {**about, "annotations": BUNDLE_SAYS})
        file = FileEntry(name=CONDUCT_NAME, sha256=self.conduct.sha256, size=len(self.policy))
        said = {"assay.conduct.id": self.conduct.id, "assay.conduct.version": self.conduct.version}
        layer = _layer(CONDUCT, file)
        yield _manifest(CONDUCT, EMPTY, [layer], {**about, "annotations": said})

    def _listing(self) -> Iterator[tuple[Document, Document]]:
        """Each bill of material, and what refers to the manifest with it."""
        about = self._about()
        for name, content in self.boms().items():
            bom = Document(media_type=BOMS[name], content=content)
            layer = _layer(
                bom.media_type, FileEntry(name=name, sha256=bom.sha256, size=len(content))
            )
            yield bom, _manifest(bom.media_type, EMPTY, [layer], about)

    def _about(self) -> Mapping[str, object]:
        return {"subject": self.manifest().descriptor()}


def listed(referrers: tuple[Document, ...]) -> Document:
    """The index that the referrers API answers with; of none, an empty one."""
    manifests = [{**each.descriptor(), "artifactType": each.artifact_type} for each in referrers]
    body = {"schemaVersion": 2, "mediaType": INDEX, "manifests": manifests}
    return Document(media_type=INDEX, content=canonical.dumps(body))


def _manifest(
    kind: str, config: Document, layers: list[dict[str, object]], more: Mapping[str, object]
) -> Document:
    body = {
        "schemaVersion": 2,
        "mediaType": MANIFEST,
        "artifactType": kind,
        "config": config.descriptor(),
        "layers": layers,
        **more,
    }
    return Document(media_type=MANIFEST, content=canonical.dumps(body), artifact_type=kind)


def _layer(
    media_type: str, file: FileEntry, said: Mapping[str, str] | None = None
) -> dict[str, object]:
    annotations = {TITLE: file.name, **(said or {})}
    return {**_descriptor(media_type, file.sha256, file.size), "annotations": annotations}


def _descriptor(media_type: str, digest: str, size_bytes: int) -> dict[str, object]:
    return {"mediaType": media_type, "digest": as_id(digest), "size": size_bytes}


def _kind(name: str) -> str:
    path = PurePosixPath(name.lower())
    return TEXTS if path.stem in TEXT_NAMES else KINDS.get(path.suffix, SETTINGS)
