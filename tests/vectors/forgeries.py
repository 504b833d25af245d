# SPDX-License-Identifier: Apache-2.0
"""Mutations of what is signed: parts of other bundles, other signers, forged certificates."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from datetime import timedelta
from typing import Any

from cryptography import x509

from assay.signing import timestamps, tokens
from assay.signing.bundle import Bundle
from assay.signing.certificates import Chain, Purpose
from assay.signing.keys import Curve
from assay.signing.statements import Statement
from tests.signing.forge import Change, certificate_twin, twin
from tests.signing.world import (
    AT,
    FILES,
    NODE,
    REGISTRY,
    World,
    conduct_claim,
    conduct_reference,
    dataset_claim,
    run_claim,
)
from tests.vectors.mutation import DSSE, ENTRY, OUTPUT, PROOF, Mutation, Path, b64

SECOND = timedelta(seconds=1)


def parts(output: Bundle, earlier: Bundle) -> list[Mutation]:
    """Parts of an earlier bundle in the place of the output's, and parts of its proof changed."""
    material: Any = earlier.to_json()["verificationMaterial"]
    theirs, certificates = material["tlogEntries"][0], material["x509CertificateChain"]
    proof = output.proof
    hashes = [b64(digest) for digest in proof.hashes]
    note, nothing = (*PROOF, "checkpoint", "envelope"), b64(bytes(32))
    larger = proof.note.replace(f"\n{proof.size}\n", f"\n{proof.size + 1}\n")
    signer = ("output.signer", "output.signature", "output.entry")
    issuer = ("output.signer", "output.sct")
    chain, entry, head = (*OUTPUT, "x509CertificateChain"), "output.entry", "output.tree-head"
    stamps = "timestampVerificationData"
    intermediate = (*chain, "certificates", 1)
    table: list[tuple[str, Path, object, tuple[str, ...], str]] = [
        (
            "another timestamp",
            (*OUTPUT, stamps),
            material[stamps],
            ("output.time",),
            "bad-timestamp",
        ),
        ("other certificates", chain, certificates, signer, "wrong-purpose"),
        (
            "another intermediate",
            intermediate,
            certificates["certificates"][1],
            issuer,
            "untrusted-chain",
        ),
        ("another entry and proof", ENTRY, theirs, (entry,), "not-in-ledger"),
        (
            "another stated entry",
            (*ENTRY, "canonicalizedBody"),
            theirs["canonicalizedBody"],
            (entry,),
            "not-in-ledger",
        ),
        ("another ledger's id", (*ENTRY, "logId", "keyId"), nothing, (head,), "bad-tree-head"),
        ("an earlier tree head", note, earlier.proof.note, (head,), "bad-tree-head"),
        ("a changed tree head", note, larger, (head,), "bad-tree-head"),
        (
            "another size",
            (*PROOF, "treeSize"),
            str(proof.size + 1),
            (entry, head),
            "not-in-ledger",
        ),
        ("another root", (*PROOF, "rootHash"), nothing, (entry, head), "not-in-ledger"),
        ("a changed proof", (*PROOF, "hashes", 0), nothing, (entry,), "not-in-ledger"),
        ("a proof too short", (*PROOF, "hashes"), hashes[1:], (entry,), "not-in-ledger"),
        ("a proof too long", (*PROOF, "hashes"), [*hashes, nothing], (entry,), "not-in-ledger"),
    ]
    der = bytearray(output.chain.to_der()[1])
    der[-len(output.chain.intermediate.signature) - 1] = 1  # said to be unused: one bit
    index = {(*ENTRY, "logIndex"): "0", (*PROOF, "logIndex"): "0"}
    return [
        *(
            Mutation(name=f"the output with {name}", set={path: value}, failed=failed, error=error)
            for name, path, value, failed, error in table
        ),
        Mutation(
            name="unreadable: a certificate whose signature has unused bits",
            set={(*intermediate, "rawBytes"): b64(bytes(der))},
            failed=(),
            is_refused=True,
        ),
        Mutation(
            name="the output with another index", set=index, failed=(entry,), error="not-in-ledger"
        ),
    ]


def signatures(output: Bundle) -> list[Mutation]:
    """The output's statement and signature changed."""
    payload, signature = output.envelope.payload, output.envelope.signature
    claim = Statement.parse(payload)
    edited = replace(claim, predicate={**claim.predicate, "media_type": "text/html"}).canonical()
    sig = (*DSSE, "signatures", 0, "sig")
    table: list[tuple[str, Path, bytes, tuple[str, ...], str]] = [
        (
            "an edited statement",
            (*DSSE, "payload"),
            edited,
            ("signature", "entry"),
            "bad-signature",
        ),
        (
            "a statement not in canonical form",
            (*DSSE, "payload"),
            payload + b" ",
            ("statement", "signature", "entry"),
            "bad-envelope",
        ),
        (
            "a statement of another kind",
            (*DSSE, "payload"),
            dataset_claim().statement().canonical(),
            ("statement", "signature", "entry"),
            "wrong-purpose",
        ),
        (
            "a signature of the wrong length",
            sig,
            signature[:-1],
            ("time", "signature", "entry"),
            "bad-timestamp",
        ),
        (
            "the signature in its other form",
            sig,
            twin(signature),
            ("time", "entry"),
            "bad-timestamp",
        ),
        (
            "a timestamp that is none",
            (*OUTPUT, "timestampVerificationData", "rfc3161Timestamps", 0, "signedTimestamp"),
            b"0",
            ("time",),
            "bad-timestamp",
        ),
    ]
    return [
        Mutation(
            name=f"the output with {name}",
            set={path: b64(value)},
            failed=tuple(f"output.{step}" for step in failed),
            error=error,
        )
        for name, path, value, failed, error in table
    ]


def twins(output: Bundle) -> list[Mutation]:
    """ECDSA signatures in their other form: refused where something else is over their bytes."""
    certificates = (*OUTPUT, "x509CertificateChain", "certificates")
    token = timestamps._parse_response(output.timestamp)
    stamper = Chain.parse(token.certificates)
    signed_anew = replace(token, signature=twin(token.signature))
    stamper_leaf = certificate_twin(stamper.leaf, Curve.P256)
    certified_anew = replace(token, certificates=(stamper_leaf, token.certificates[1]))
    stamp = (*OUTPUT, "timestampVerificationData", "rfc3161Timestamps", 0, "signedTimestamp")
    table: list[tuple[str, Path, bytes, tuple[str, ...], str]] = [
        (
            "its leaf's",
            (*certificates, 0, "rawBytes"),
            certificate_twin(output.chain.leaf, Curve.P256),
            ("output.entry",),
            "not-in-ledger",
        ),
        (
            "its intermediate's",
            (*certificates, 1, "rawBytes"),
            certificate_twin(output.chain.intermediate, Curve.P384),
            (),
            "",
        ),
        ("its timestamp's", stamp, tokens.granted(signed_anew, stamper), (), ""),
        (
            "its timestamp's leaf's",
            stamp,
            tokens.granted(certified_anew, stamper),
            ("output.time",),
            "bad-timestamp",
        ),
    ]
    return [
        Mutation(
            name=f"the output with {whose} signature in its other form",
            set={path: b64(value)},
            failed=failed,
            error=error,
        )
        for whose, path, value, failed, error in table
    ]


def links(world: World) -> list[Mutation]:
    """Sound parts that belong to something else."""
    earlier = world.evidence_for_checkpoint({"model.safetensors": b"another checkpoint"})
    run = run_claim(earlier.manifest, dataset_claim().manifest_sha256, world.at)
    dataset = replace(dataset_claim(), manifest_sha256="cd" * 32)
    conduct = replace(conduct_claim(), conduct=replace(conduct_reference(), version="2.0"))
    to_checkpoint = ("output.checkpoint", "checkpoint.manifest", "checkpoint.oms", "checkpoint.run")
    to_conduct = ("output.conduct", "run.conduct", "checkpoint.conduct")
    table: list[tuple[str, Bundle, tuple[str, ...]]] = [
        ("checkpoint", earlier.bundles["checkpoint"], to_checkpoint),
        (
            "run",
            _signed(world, run.statement().canonical(), Purpose.NODE, f"nodes/{NODE}"),
            ("checkpoint.run",),
        ),
        (
            "dataset",
            _signed(world, dataset.statement().canonical(), Purpose.CHECKPOINT, "alice"),
            ("checkpoint.dataset", "run.dataset"),
        ),
        (
            "conduct",
            _signed(world, conduct.statement().canonical(), Purpose.CONDUCT, "conduct"),
            to_conduct,
        ),
    ]
    return [
        Mutation(
            name=f"another {part}, sound in itself",
            set={("bundles", part): bundle.to_json()},
            failed=failed,
            error="broken-link",
        )
        for part, bundle, failed in table
    ]


def models(world: World) -> list[Mutation]:
    """A model signature in the evidence: the checkpoint's, and others that do not belong to it."""
    ours, others = (world.model_signature(files) for files in (FILES, {"a.bin": b"1"}))
    claim = Statement.parse(ours.envelope.payload)
    (subject,) = claim.subjects
    wrong = replace(claim, subjects=(replace(subject, sha256="cd" * 32),)).canonical()
    forged = _signed(world, wrong, Purpose.CHECKPOINT, "alice")
    by_bob = _signed(world, ours.envelope.payload, Purpose.CHECKPOINT, "bob")
    table: list[tuple[str, str, Bundle, tuple[str, ...], str]] = [
        ("the model signature besides", "output", ours, (), ""),
        ("the model signature besides", "checkpoint", ours, (), ""),
        ("another model's signature", "output", others, ("model.checkpoint",), "broken-link"),
        ("the model signature by Bob", "output", by_bob, ("model.checkpoint",), "broken-link"),
        ("the model signature by Bob", "checkpoint", by_bob, ("model.checkpoint",), "broken-link"),
        (
            "a model signature of a wrong root",
            "output",
            forged,
            ("model.statement",),
            "bad-envelope",
        ),
    ]
    place = ("bundles", "model")
    return [
        *(
            Mutation(
                name=name,
                artifact=artifact,
                set={place: bundle.to_json()},
                failed=failed,
                error=error,
            )
            for name, artifact, bundle, failed, error in table
        ),
        Mutation(
            name="a file renamed beside the model signature",
            artifact="checkpoint",
            set={place: ours.to_json()},
            files={f"x{name}": data for name, data in FILES.items()},
            failed=("files", "model.files"),
            error="file-mismatch",
        ),
    ]


def silent(checkpoint: Bundle) -> list[Mutation]:
    """The checkpoint names no dataset any more, and the one that its run names is left out."""
    claim = Statement.parse(checkpoint.envelope.payload)
    edited = replace(claim, predicate={**claim.predicate, "dataset": None}).canonical()
    return [
        Mutation(
            name="a dataset that only the run names, left out",
            artifact="checkpoint",
            set={("bundles", "checkpoint", "dsseEnvelope", "payload"): b64(edited)},
            remove=(("bundles", "dataset"),),
            failed=("checkpoint.signature", "checkpoint.entry", "dataset.statement"),
            error="bad-signature",
        )
    ]


def strangers(world: World, bundles: Mapping[str, Bundle]) -> list[Mutation]:
    """The very same statements, signed by whoever may not."""
    table: list[tuple[str, str, Purpose, str, str]] = [
        ("Bob", "checkpoint", Purpose.CHECKPOINT, "bob", "broken-link"),
        ("Bob", "dataset", Purpose.CHECKPOINT, "bob", "broken-link"),
        ("another node", "run", Purpose.NODE, "nodes/other", "broken-link"),
        ("Alice", "conduct", Purpose.CONDUCT, "alice", "broken-link"),
        ("a node", "checkpoint", Purpose.NODE, "alice", "wrong-purpose"),
        ("a checkpoint's key", "output", Purpose.CHECKPOINT, "alice", "wrong-purpose"),
        ("an output's key", "run", Purpose.OUTPUT, f"nodes/{NODE}", "wrong-purpose"),
        ("a timestamp's key", "conduct", Purpose.TIMESTAMP, "conduct", "wrong-purpose"),
    ]
    signed = [
        (
            f"the {part} signed by {who}",
            part,
            _signed(world, _payload(bundles, part), purpose, path),
            error,
        )
        for who, part, purpose, path, error in table
    ]
    return [
        Mutation(
            name=name,
            set={("bundles", part): bundle.to_json()},
            failed=(f"{part}.signer",),
            error=error,
        )
        for name, part, bundle, error in [*signed, *_forged(world, _payload(bundles, "output"))]
    ]


def _forged(world: World, payload: bytes) -> list[tuple[str, str, Bundle, str]]:
    """The output's statement signed under certificates that no registry issues."""
    authority = x509.BasicConstraints(ca=True, path_length=0)
    usage = x509.ExtendedKeyUsage([x509.ObjectIdentifier("1.3.6.1.5.5.7.3.1")])
    names = [x509.UniformResourceIdentifier(f"{REGISTRY}/{who}") for who in ("alice", "bob")]
    node = x509.PolicyInformation(Purpose.NODE.oid, None)
    changes = [
        (
            "that had expired",
            Change(not_before=AT - 2 * SECOND, not_after=AT - SECOND),
            "untrusted-chain",
        ),
        ("that was not valid yet", Change(not_before=AT + SECOND), "untrusted-chain"),
        ("that is an authority", Change(add=[(authority, True)]), "wrong-purpose"),
        ("for a web server", Change(add=[(usage, False)]), "wrong-purpose"),
        ("for a node", Change(add=[(x509.CertificatePolicies([node]), False)]), "wrong-purpose"),
        ("without a purpose", Change(drop=x509.CertificatePolicies), "untrusted-chain"),
        (
            "of two people",
            Change(add=[(x509.SubjectAlternativeName(names), False)]),
            "untrusted-chain",
        ),
    ]
    forged: list[tuple[str, str, Bundle, str]] = []
    for number, (name, change, error) in enumerate(changes):
        path = f"alice/{number}"
        world.replace_leaf(Purpose.OUTPUT, path, change)
        bundle = _signed(world, payload, Purpose.OUTPUT, path)
        forged.append((f"the output under a certificate {name}", "output", bundle, error))
    return forged


def _payload(bundles: Mapping[str, Bundle], part: str) -> bytes:
    return bundles[part].envelope.payload


def _signed(world: World, payload: bytes, purpose: Purpose, path: str) -> Bundle:
    return world.bundle(world.sign_payload(payload, purpose, path))
