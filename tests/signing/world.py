# SPDX-License-Identifier: Apache-2.0
"""A throw-away registry for tests: real certificates, a real timestamp authority, a real ledger.

`World.create(at=…)` makes the keys; `evidence_for_checkpoint` and `evidence_for_output` sign, stamp
and log all that a verifier wants. Only disk and network are missing. Alice owns what there is.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta

from cryptography import x509

from assay.signing import (
    canonical,
    certificates,
    crls,
    envelope,
    merkle,
    oms,
    timestamps,
    treehead,
)
from assay.signing.bundle import Bundle, LedgerProof, ledger_leaf
from assay.signing.certificates import Chain, Issuer, Purpose
from assay.signing.crls import ROOT, Period
from assay.signing.digests import normalised_text, sha256
from assay.signing.envelope import Envelope
from assay.signing.evidence import Evidence
from assay.signing.keys import Curve, SoftwareKey
from assay.signing.manifest import FileEntry, Manifest
from assay.signing.provenance import Holder
from assay.signing.pseudonyms import PartyOpening
from assay.signing.revocation import Revocation
from assay.signing.statements import (
    CheckpointClaim,
    ConductClaim,
    ConductReference,
    DatasetClaim,
    Origin,
    OutputClaim,
    RunClaim,
    RunReference,
    Statement,
    commit,
)
from assay.signing.trust import TrustRoot
from assay.signing.verify import Basis, Requirements
from tests.signing import leaves
from tests.signing.forge import Change, forge
from tests.signing.trees import root_of

AT = datetime(2026, 11, 20, 9, 30, tzinfo=UTC)
LISTS_LAST = timedelta(days=3650)
PART_STEPS = 8  # by which each signed part is judged (verify/parts)
REGISTRY = "http://registry.test"
ORIGIN = "registry.test/ledger"
NODE = "7f1f0a52-5d0c-4a5f-9f53-1c2f60f5f4a1"
RUN = "b9a9c9de-61f5-4b17-9d3c-2f6d2f1f7b10"
POLICY: Mapping[str, object] = {
    "id": "community-language-models",
    "version": "1.0",
    "title": "Community language models",
    "rules": ["Say what a model is."],
}
FILES: Mapping[str, bytes] = {
    "README.md": b"# Tiny\n",
    "config.json": b'{"layers":4}\n',
    "model.safetensors": bytes(range(256)),
}
DATA: Mapping[str, bytes] = {"ast.py": b"import sys\n", "json/decoder.py": b"import re\n"}
TEXT = "def hello(self):\n    return 'café'\n"


@dataclass(frozen=True, slots=True, kw_only=True)
class Signed:
    """A signed statement before it has its place in the ledger's tree."""

    envelope: Envelope
    chain: Chain
    timestamp: bytes
    index: int


@dataclass(slots=True, kw_only=True)
class World:
    """One registry with all its keys, and a ledger in memory."""

    at: datetime
    registry: str
    root: Issuer
    issuers: dict[Purpose, Issuer]
    ledger_key: SoftwareKey
    log_key: SoftwareKey
    leaves: dict[tuple[Purpose, str], tuple[SoftwareKey, Chain]] = field(default_factory=dict)
    entries: list[bytes] = field(default_factory=list)
    """The ledger's leaf hashes."""
    salt: bytes | None = None  # of Alice's pseudonym; none as before there were any
    parent: str | None = None  # what runs continue from, by its manifest's digest

    @classmethod
    def create(cls, *, at: datetime, registry: str = REGISTRY, salt: bytes | None = None) -> World:
        """A registry that was set up a day before `at`."""
        made_at = at - timedelta(days=1)
        root_key = SoftwareKey.generate(Curve.P384)
        certificate = certificates.root(root_key, name=f"Root of {registry}", at=made_at)
        root = Issuer(certificate=certificate, key=root_key)
        return cls(
            at=at,
            registry=registry,
            root=root,
            issuers={each: _issuer(each, root, registry, made_at) for each in Purpose},
            ledger_key=SoftwareKey.generate(Curve.ED25519),
            log_key=SoftwareKey.generate(),
            salt=salt,
        )

    @property
    def openings(self) -> tuple[PartyOpening, ...]:
        """What says that Alice is behind her pseudonym, if she has one."""
        alice = f"{self.registry}/alice"
        return (PartyOpening(party=alice, salt=self.salt),) if self.salt else ()

    @property
    def alice(self) -> str:
        """The path that Alice's certificates name."""
        return self.openings[0].pseudonym("")[1:] if self.openings else "alice"

    @property
    def requirements(self) -> Requirements:
        """What a verifier demands who lives in this present, and asks no witnesses."""
        return Requirements(as_of=self.at)

    def basis(self) -> Basis:
        """What the verification of one bundle rests on."""
        return Basis(trust=self.trust, requirements=self.requirements, lists=self.lists())

    def lists(
        self,
        revoked: Mapping[str, Revocation] | None = None,
        purposes: Collection[Purpose] = tuple(Purpose),
    ) -> tuple[bytes, ...]:
        """The root's and these issuers' revocation lists, some with one revoked certificate.

        They last for years: what a test does not say about time must not depend on today's.
        """
        period = Period(this_update=self.at, next_update=self.at + LISTS_LAST)
        found = revoked or {}
        issuers = {ROOT: self.root, **{each.value: self.issuers[each] for each in purposes}}
        return tuple(
            crls.create(
                [found[name]] if name in found else [],
                issuer=issuer.certificate,
                key=issuer.key,
                number=1,
                period=period,
            )
            for name, issuer in issuers.items()
        )

    @property
    def trust(self) -> TrustRoot:
        """What a user of this registry pins."""
        return TrustRoot(
            registry=self.registry,
            root=self.root.certificate,
            origin=ORIGIN,
            verifier=treehead.vkey(ORIGIN, self.ledger_key.public_key),
            certificate_log=self.log_key.public_key,
        )

    def leaf(self, purpose: Purpose, subject: str) -> tuple[SoftwareKey, Chain]:
        """The key and chain of a subject for a purpose, made on first use."""
        if (purpose, subject) not in self.leaves:
            key = SoftwareKey.generate()
            issuer = self.issuers[purpose]
            holder = Holder(uri=subject, conduct_sha256=_conduct_of(purpose))
            made = certificates.precertificate(
                purpose, key.public_key, holder=holder, issuer=issuer, at=self.at
            )
            leaf = leaves.logged(made, issuer, log=self.log_key, at=self.at)
            chain = Chain(leaf=leaf, intermediate=issuer.certificate)
            self.leaves[purpose, subject] = key, chain
        return self.leaves[purpose, subject]

    def replace_leaf(self, purpose: Purpose, path: str, change: Change) -> None:
        """Give a subject a certificate that a registry would never issue, for the same key.

        It is logged as others are: of its faults that would be one more.
        """
        subject, issuer = f"{self.registry}/{path}", self.issuers[purpose]
        key, chain = self.leaf(purpose, subject)
        forged = forge(chain.leaf, issuer, change)
        leaf = leaves.logged(forged, issuer, log=self.log_key, at=self.at)
        self.leaves[purpose, subject] = key, replace(chain, leaf=leaf)

    def mark_leaf(
        self, purpose: Purpose, path: str, values: Callable[[x509.Certificate], Sequence[bytes]]
    ) -> None:
        """Give a subject a certificate with other timestamps than the log's."""
        subject = f"{self.registry}/{path}"
        key, chain = self.leaf(purpose, subject)
        leaf = leaves.stamped(chain.leaf, self.issuers[purpose], *values(chain.leaf))
        self.leaves[purpose, subject] = key, replace(chain, leaf=leaf)

    def timestamp(self, data: bytes, *, at: datetime | None = None) -> bytes:
        """An RFC 3161 response over some bytes."""
        key, chain = self.leaf(Purpose.TIMESTAMP, f"{self.registry}/timestamp")
        request = timestamps.request(data)
        return timestamps.respond(
            request, key=key, chain=chain, at=at or self.at, serial=len(self.entries) + 1
        )

    def sign(self, statement: Statement, purpose: Purpose, path: str) -> Signed:
        """Sign, stamp and log a statement in the name of `registry/path`."""
        return self.sign_payload(statement.canonical(), purpose, path)

    def sign_payload(self, payload: bytes, purpose: Purpose, path: str) -> Signed:
        """The same for any bytes, which a real signer would never do."""
        key, chain = self.leaf(purpose, f"{self.registry}/{path}")
        signed = envelope.sign(payload, key)
        self.entries.append(merkle.leaf_hash(ledger_leaf(signed, chain.leaf)))
        return Signed(
            envelope=signed,
            chain=chain,
            timestamp=self.timestamp(signed.signature),
            index=len(self.entries) - 1,
        )

    def note(self) -> str:
        """The signed head of the ledger as it stands."""
        head = treehead.TreeHead(origin=ORIGIN, size=len(self.entries), root=root_of(self.entries))
        return treehead.sign(head, self.ledger_key)

    def bundle(self, signed: Signed) -> Bundle:
        """The bundle of a signed statement under the ledger's head as it stands."""
        stored = merkle.new_subtrees(0, self.entries, lambda *_: b"")
        hashes = merkle.inclusion_proof(
            signed.index, len(self.entries), lambda level, position: stored[level, position]
        )
        verifier = self.trust.verifier
        proof = LedgerProof.of(signed.index, hashes, note=self.note(), verifier=verifier)
        return Bundle(
            envelope=signed.envelope, chain=signed.chain, timestamp=signed.timestamp, proof=proof
        )

    def model_signature(self, files: Mapping[str, bytes] = FILES, by: str = "") -> Bundle:
        """The `model.sig` beside some files: by Alice, who owns the checkpoint, unless another."""
        statement = oms.statement("tiny", manifest_of(files))
        return self.bundle(self.sign(statement, Purpose.CHECKPOINT, by or self.alice))

    def evidence_for_checkpoint(self, files: Mapping[str, bytes] = FILES) -> Evidence:
        """Everything about a checkpoint that a run made."""
        return self._evidence(self._sign_below(files), files)

    def evidence_for_upload(self, files: Mapping[str, bytes] = FILES) -> Evidence:
        """Everything about a checkpoint that no run made."""
        claim = checkpoint_claim(self.registry, manifest_of(files), run=None)
        signed = {
            "checkpoint": self.sign(claim.statement(), Purpose.CHECKPOINT, self.alice),
            "conduct": self.sign(conduct_claim().statement(), Purpose.CONDUCT, "conduct"),
        }
        return self._evidence(signed, files)

    def evidence_for_output(self, text: str = TEXT, files: Mapping[str, bytes] = FILES) -> Evidence:
        """Everything about a text that the server generated from a checkpoint."""
        below = self._sign_below(files)
        claim = output_claim(
            text, manifest_of(files).id, sha256(below["checkpoint"].envelope.payload)
        )
        signed = {"output": self.sign(claim.statement(), Purpose.OUTPUT, self.alice), **below}
        return self._evidence(signed, files)

    def _sign_below(self, files: Mapping[str, bytes]) -> dict[str, Signed]:
        manifest, data = manifest_of(files), manifest_of(DATA)
        dataset = self.sign(dataset_claim().statement(), Purpose.CHECKPOINT, self.alice)
        conduct = self.sign(conduct_claim().statement(), Purpose.CONDUCT, "conduct")
        run_statement = run_claim(manifest, data.id, self.at, self.parent).statement()
        run = self.sign(run_statement, Purpose.NODE, f"nodes/{NODE}")
        reference = RunReference(id=RUN, statement_sha256=run_statement.sha256)
        claim = checkpoint_claim(self.registry, manifest, run=reference)
        checkpoint = self.sign(claim.statement(), Purpose.CHECKPOINT, self.alice)
        return {"checkpoint": checkpoint, "run": run, "dataset": dataset, "conduct": conduct}

    def _evidence(self, signed: Mapping[str, Signed], files: Mapping[str, bytes]) -> Evidence:
        bundles = {name: self.bundle(each) for name, each in signed.items()}
        issuers = {each.chain.intermediate.subject for each in bundles.values()}
        purposes = {p for p, each in self.issuers.items() if each.certificate.subject in issuers}
        return Evidence(
            bundles=bundles,
            manifest=manifest_of(files),
            policy=POLICY,
            lists=self.lists(purposes=purposes | {Purpose.TIMESTAMP}),
            openings=self.openings,
        )


def manifest_of(files: Mapping[str, bytes]) -> Manifest:
    """The manifest of files in memory."""
    return Manifest.of(
        FileEntry(name=name, sha256=sha256(data), size=len(data)) for name, data in files.items()
    )


def conduct_reference() -> ConductReference:
    """The one conduct policy of these tests."""
    digest = sha256(canonical.dumps(POLICY))
    return ConductReference(id="community-language-models", version="1.0", sha256=digest)


def conduct_claim() -> ConductClaim:
    """The policy came into effect."""
    return ConductClaim(
        conduct=conduct_reference(),
        title="Community language models",
        severity="minor",
        effective_at=datetime.fromisoformat("2026-01-01T00:00:00Z"),
        text_sha256=sha256(b"# Community language models\n"),
    )


def dataset_claim() -> DatasetClaim:
    """Alice's dataset."""
    data = manifest_of(DATA)
    return DatasetClaim(
        manifest_sha256=data.id,
        name="alice/stdlib",
        title="The Python standard library",
        source="https://www.python.org/",
        license="PSF-2.0",
        files=len(data.files),
        bytes=data.size_bytes,
    )


def run_claim(manifest: Manifest, data: str, at: datetime, parent: str | None = None) -> RunClaim:
    """A node made the checkpoint."""
    return RunClaim(
        manifest_sha256=manifest.id,
        run=RUN,
        node=NODE,
        step=100,
        recipe={"trainer": "byte-gpt/v1", "seed": 1337},
        dataset_sha256=data,
        conduct=conduct_reference(),
        parent_sha256=parent,
        bytes_seen=6_553_600,
        train_loss="1.39",
        validation_loss="1.41",
        software={"torch": "2.13.0"},
        hardware={"cpu": "2 cores"},
        started_at=at - timedelta(minutes=5),
        finished_at=at,
    )


def checkpoint_claim(
    registry: str, manifest: Manifest, *, run: RunReference | None
) -> CheckpointClaim:
    """Alice published the checkpoint."""
    return CheckpointClaim(
        manifest_sha256=manifest.id,
        registry=registry,
        project="alice/tiny",
        name="step-100",
        step=None if run is None else 100,
        oms_sha256=oms.root_digest(manifest),
        run=run,
        dataset_sha256=None if run is None else manifest_of(DATA).id,
        conduct=conduct_reference(),
    )


def output_claim(text: str, checkpoint_sha256: str, statement_sha256: str) -> OutputClaim:
    """The server generated a text."""
    return OutputClaim(
        exact_sha256=sha256(text.encode()),
        normalised_sha256=sha256(normalised_text(text).encode()),
        output="0b8f7ad4-6b8e-4b53-8f3a-54b0c2b7e6c1",
        claim=Origin.SERVER_GENERATED,
        checkpoint_sha256=checkpoint_sha256,
        checkpoint_statement_sha256=statement_sha256,
        conduct=conduct_reference(),
        media_type="text/plain; charset=utf-8",
        request_commitment=commit(bytes(32), {"prompt": "def "}),
        generation={"temperature": "0.7", "max_new_bytes": 240, "seed": 7},
    )


def _issuer(purpose: Purpose, root: Issuer, registry: str, at: datetime) -> Issuer:
    key = SoftwareKey.generate()
    certificate = certificates.intermediate(purpose, key.public_key, issuer=root, at=at)
    return Issuer(certificate=certificate, key=key, registry=registry)


def _conduct_of(purpose: Purpose) -> str | None:
    """The registry's own offices are under no conduct policy."""
    return None if purpose in {Purpose.CONDUCT, Purpose.TIMESTAMP} else conduct_reference().sha256
