# SPDX-License-Identifier: Apache-2.0
"""An evidence pack: all that a walk from an artifact down to its data and rules used, in one file.

It is an archive (`archive`) whose files are named by their digests (docs/spec/evidence-pack.md).
Only the form is checked here: what is in it proves nothing before `verify` examined it, and whom to
trust is the reader's to say, also where the pack brings a trust root.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Self

from . import archive, canonical, crls
from .acceptance import AcceptanceEvidence
from .canonical import Obj
from .digests import sha256
from .errors import DigestMismatch, InvalidDocument, MissingEvidence
from .evidence import Evidence, Part
from .ocspstatus import MAX_RESPONSE_BYTES
from .statements import Placed, Statement
from .tlog import MAX_POLICY_BYTES, Policy, Proof
from .trust import TrustRoot
from .values import dataclass
from .verify.descent import MAX_BASES

PACK_V1 = "https://assay/evidence-pack/v1"
SUFFIX = ".assay-pack"
INDEX, TRUST_ROOT, POLICY = "pack.json", "trust-root.json", "policy"
MAX_ARTIFACTS = 256
MAX_ACCEPTANCES = 64  # each takes as many signatures to check as a part of an artifact
MAX_TEXT_BYTES = 1 << 20  # of a conduct policy, as people read it
# By folder: how its files' names end.
ENDINGS: Mapping[str, str] = {
    "acceptances": ".json",
    "answers": ".ocsp",
    "evidence": ".json",
    "lists": ".crl",
    "proofs": ".tlog-proof",
    "texts": ".txt",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Artifact:
    """What a pack is about: its evidence, and of an output of a batch its proof."""

    evidence: Evidence
    proof: Proof | None = None

    @property
    def path(self) -> str:
        """The file of a pack that its evidence is in."""
        return _path("evidence", sha256(self.evidence.canonical()))

    @property
    def digests(self) -> frozenset[str]:
        """What it is about, by its own word: of a checkpoint its id, of an output its content."""
        bundles = self.evidence.bundles
        try:
            if self.proof is not None and self.proof.extra is not None:
                placed = Placed.parse(self.proof.extra)
                digests = (placed.exact_sha256, placed.normalised_sha256)
                return frozenset(each for each in digests if each is not None)
            for part in (Part.OUTPUT, Part.CHECKPOINT):
                if part in bundles:
                    about = Statement.parse(bundles[part].envelope.payload).subjects
                    return frozenset(each.sha256 for each in about)
        except InvalidDocument:
            pass  # what it is instead, its own steps say
        return frozenset()


@dataclass(frozen=True, slots=True, kw_only=True)
class Pack:
    """Artifacts of one registry, and all that there is to judge them by."""

    trust: TrustRoot
    """Whose they are by the pack's own word: no reason to believe it."""
    artifacts: tuple[Artifact, ...]
    bases: tuple[Evidence, ...] = ()
    """Of checkpoints that runs continued from."""
    policy: str | None = None
    """Which witnesses are asked (C2SP tlog-policy), a character for each byte; likewise."""
    lists: tuple[bytes, ...] = ()
    """Revocation lists (DER) besides those of the evidence."""
    answers: tuple[bytes, ...] = ()
    """OCSP answers (DER)."""
    texts: tuple[bytes, ...] = ()
    """Conduct policies as people read them."""
    acceptances: tuple[AcceptanceEvidence, ...] = ()
    """Of those policies, by people and organisations that chose to show them."""

    def __post_init__(self) -> None:
        for name, found, most in (
            ("artifacts", self.artifacts, MAX_ARTIFACTS),
            ("bases", self.bases, MAX_BASES),
            ("acceptances", self.acceptances, MAX_ACCEPTANCES),
        ):
            if len(found) > most:
                raise InvalidDocument(name, f"at most {most}", str(len(found)))
        if not self.artifacts:
            raise InvalidDocument("artifacts", "at least one", "none")

    @property
    def policy_sha256(self) -> str | None:
        """The digest by which people name the policy."""
        return None if self.policy is None else sha256(_policy_bytes(self.policy))

    @classmethod
    def parse(cls, data: bytes) -> Self:
        """Read a pack; raises InvalidDocument.

        DigestMismatch for a file that is another than its name says, and MissingEvidence for one
        that is named and not there.
        """
        files = archive.read(data)
        index = _json(files, INDEX)
        canonical.literal(index, "type", PACK_V1)
        canonical.only(index, "type", "artifacts", "bases")
        found = _ByDigest.of(files)
        pack = cls(
            trust=_trust(files),
            artifacts=_artifacts(index, found),
            bases=_bases(index, found),
            policy=_policy(files),
            lists=tuple(found.of_folder("lists", most=crls.MAX_BYTES)),
            answers=tuple(found.of_folder("answers", most=MAX_RESPONSE_BYTES)),
            texts=tuple(found.of_folder("texts", most=MAX_TEXT_BYTES)),
            acceptances=_acceptances(found),
        )
        if pack.files() != files:
            names = sorted(files.keys() ^ pack.files().keys())
            found_names = ", ".join(names) or "another form of one of its documents"
            raise InvalidDocument("pack", "only files that its index names", found_names)
        return pack

    def canonical(self) -> bytes:
        """The bytes of the pack's file."""
        return archive.write(self.files())

    def files(self) -> dict[str, bytes]:
        """Its files by name."""
        files: dict[str, bytes] = {TRUST_ROOT: self.trust.canonical()}
        if self.policy is not None:
            files[POLICY] = _policy_bytes(self.policy)
        artifacts: list[Obj] = []
        for each in self.artifacts:
            proof = each.proof and _add(files, "proofs", each.proof.text().encode())
            named = _add(files, "evidence", each.evidence.canonical())
            artifacts.append({"evidence": named, "proof": proof})
        bases = sorted({_add(files, "evidence", each.canonical()) for each in self.bases})
        for folder, contents in (
            ("lists", self.lists),
            ("answers", self.answers),
            ("texts", self.texts),
            ("acceptances", [each.canonical() for each in self.acceptances]),
        ):
            for content in contents:
                _add(files, folder, content)
        index = {"type": PACK_V1, "artifacts": artifacts, "bases": bases}
        return {**files, INDEX: canonical.dumps(index)}


@dataclass(frozen=True, slots=True)
class _ByDigest:
    """The files that are named by their digests, each compared with its name."""

    folders: Mapping[str, Mapping[str, bytes]]

    @classmethod
    def of(cls, files: Mapping[str, bytes]) -> Self:
        folders: dict[str, dict[str, bytes]] = {folder: {} for folder in ENDINGS}
        for name, data in files.items():
            folder, _, rest = name.partition("/")
            if folder not in ENDINGS:
                continue
            if name != _path(folder, sha256(data)):
                raise DigestMismatch(
                    f"{name}: expected content of the digest that it is named by, "
                    f"found {sha256(data)}"
                )
            folders[folder][rest.removesuffix(ENDINGS[folder])] = data
        return cls(folders=folders)

    def get(self, folder: str, digest: str) -> bytes:
        """A file that the index names."""
        if digest not in self.folders[folder]:
            path = _path(folder, digest)
            raise MissingEvidence(f"expected {path}, which the pack's index names; found none")
        return self.folders[folder][digest]

    def of_folder(self, folder: str, *, most: int) -> Iterable[bytes]:
        """All of a folder, in the order of their digests."""
        for digest, data in sorted(self.folders[folder].items()):
            if len(data) > most:
                found = f"{len(data)}"
                raise InvalidDocument(_path(folder, digest), f"at most {most} bytes", found)
            yield data


def _artifacts(index: Obj, found: _ByDigest) -> tuple[Artifact, ...]:
    artifacts: list[Artifact] = []
    for value in canonical.items(index, "artifacts", maximum=MAX_ARTIFACTS):
        each = canonical.as_mapping(value, "artifacts")
        canonical.only(each, "evidence", "proof")
        proof = canonical.nullable(each, "proof", canonical.sha256_hex)
        artifacts.append(
            Artifact(
                evidence=_evidence(found, canonical.sha256_hex(each, "evidence")),
                proof=None if proof is None else _proof(found, proof),
            )
        )
    return tuple(artifacts)


def _bases(index: Obj, found: _ByDigest) -> tuple[Evidence, ...]:
    named = [
        canonical.sha256_hex({"bases": each}, "bases")
        for each in canonical.items(index, "bases", maximum=MAX_BASES)
    ]
    return tuple(_evidence(found, each) for each in named)


def _acceptances(found: _ByDigest) -> tuple[AcceptanceEvidence, ...]:
    acceptances: list[AcceptanceEvidence] = []
    for data in found.of_folder("acceptances", most=canonical.MAX_BYTES):
        with canonical.within(_path("acceptances", sha256(data))):
            acceptances.append(AcceptanceEvidence.parse(canonical.loads(data)))
    return tuple(acceptances)


def _evidence(found: _ByDigest, digest: str) -> Evidence:
    data = found.get("evidence", digest)
    with canonical.within(_path("evidence", digest)):
        return Evidence.parse(canonical.loads(data))


def _proof(found: _ByDigest, digest: str) -> Proof:
    data = found.get("proofs", digest)
    with canonical.within(_path("proofs", digest)):
        try:
            return Proof.parse(data.decode("utf-8"))
        except UnicodeDecodeError as error:
            raise InvalidDocument("proof", "UTF-8 text", error.reason) from error


def _trust(files: Mapping[str, bytes]) -> TrustRoot:
    with canonical.within(TRUST_ROOT):
        return TrustRoot.parse(_json(files, TRUST_ROOT))


def _policy(files: Mapping[str, bytes]) -> str | None:
    if POLICY not in files:
        return None
    data = files[POLICY]
    with canonical.within(POLICY):
        if len(data) > MAX_POLICY_BYTES:
            raise InvalidDocument("policy", f"at most {MAX_POLICY_BYTES} bytes", "more")
        Policy.parse(data)
    return data.decode("latin-1")


def _policy_bytes(text: str) -> bytes:
    return text.encode("latin-1")


def _json(files: Mapping[str, bytes], name: str) -> Obj:
    if name not in files:
        raise MissingEvidence(f"expected {name} in the pack, found none")
    with canonical.within(name):
        return canonical.as_mapping(canonical.loads(files[name]), "document")


def _add(files: dict[str, bytes], folder: str, data: bytes) -> str:
    digest = sha256(data)
    files[_path(folder, digest)] = data
    return digest


def _path(folder: str, digest: str) -> str:
    return f"{folder}/{digest}{ENDINGS[folder]}"
