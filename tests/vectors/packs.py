# SPDX-License-Identifier: Apache-2.0
"""A whole evidence pack, one thing changed in it each time, and archives of other forms."""

from __future__ import annotations

import io
import json
import struct
import zipfile
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace

from assay.signing import archive, canonical, ocsp
from assay.signing.acceptance import AcceptanceEvidence
from assay.signing.canonical import instant_text
from assay.signing.certificates import Purpose
from assay.signing.crls import Period
from assay.signing.digests import sha256
from assay.signing.evidence import Evidence
from assay.signing.keys import SoftwareKey
from assay.signing.pack import INDEX, MAX_ACCEPTANCES, POLICY, TRUST_ROOT, Artifact, Pack
from assay.signing.pseudonyms import PartyOpening
from assay.signing.revocation import NotRevoked
from assay.signing.statements import Consent
from tests.signing.accepting import Accepting, accepted, consent_claim
from tests.signing.batching import TEXTS, evidence_for_batch, proof_of
from tests.signing.descending import lineage, output_of
from tests.signing.revoking import DAY, Case, question, responder_of
from tests.signing.witnesses import Witnesses
from tests.signing.world import AT, TEXT, World
from tests.vectors.mutation import b64
from tests.vectors.standing import SEEN

FILES = {"lists/ab.crl": b"\x30\x00", "pack.json": b"{}", "texts/cd.txt": "é\n".encode()}
READ = b"# Community language models\n"
SHOWN = 2  # of the outputs of the batch
OTHER = "ab" * 32
INVALID, DIFFERS, MISSING = "invalid-document", "digest-mismatch", "missing-evidence"
FORM = "another form of one of its documents"


@dataclass(frozen=True, slots=True, kw_only=True)
class Changed:
    """What is another in the files of a pack, and why it is none."""

    name: str
    error: str
    says: str
    """Part of the message."""
    put: Mapping[str, bytes] = field(default_factory=dict[str, bytes])
    remove: tuple[str, ...] = ()


def pack_vectors() -> dict[str, object]:
    """A pack by its files, whom to name for it, and what is none."""
    world = World.create(at=AT)
    pack = _pack(world)
    files = pack.files()
    return {
        "source": "docs/spec/evidence-pack.md; a throw-away authority (tests/vectors/make.py)",
        "fingerprint": pack.trust.fingerprint,
        "policy_sha256": pack.policy_sha256,
        "text": TEXT,
        "batched": TEXTS[SHOWN],
        "as_of": instant_text(SEEN),
        "files": {name: b64(data) for name, data in files.items()},
        "sha256": sha256(archive.write(files)),
        "refused": [_to_json(each) for each in _changed(pack)],
        "archives": {
            "accepted": b64(archive.write(FILES)),
            "files": {name: b64(data) for name, data in FILES.items()},
            "refused": [
                {"name": name, "archive": b64(data), "says": says}
                for name, data, says in _archives()
            ],
        },
        "named": _named(pack),
    }


def _pack(world: World) -> Pack:
    """One with everything that a pack can have."""
    witnesses = Witnesses(world=world)
    consent = Consent.by(SoftwareKey.generate(), consent_claim(world))
    acceptance = accepted(world, Accepting(consent=consent))
    (base,) = lineage(world, 1)
    output, batch = output_of(world, base), evidence_for_batch(world)
    seen: list[Evidence] = [
        witnesses.evidence(each, w1=AT, w2=SEEN) for each in (output, batch, base)
    ]
    bundle = output.bundles["output"]
    case = Case(certificate=bundle.chain.leaf, issuer=world.issuers[Purpose.OUTPUT])
    by = responder_of(case.issuer, log=world.log_key)
    answer = ocsp.respond(
        question(case),
        NotRevoked(said_at=AT),
        responder=by,
        period=Period(this_update=AT, next_update=AT + DAY),
    )
    return Pack(
        trust=world.trust,
        artifacts=(
            Artifact(evidence=seen[0]),
            Artifact(evidence=seen[1], proof=proof_of(world, batch, SHOWN)),
        ),
        bases=(seen[2],),
        policy=witnesses.text(),
        lists=tuple(sorted(world.lists(), key=sha256)),
        answers=(answer,),
        texts=(READ,),
        acceptances=(
            replace(acceptance, bundle=witnesses.bundle(acceptance.bundle, w1=AT, w2=SEEN)),
        ),
    )


def _named(pack: Pack) -> list[dict[str, object]]:
    """What a user names, and what comes of it: the code of the error, or none."""
    root, policy = pack.trust.fingerprint, pack.policy_sha256
    table: list[tuple[str, str | None, str | None, bool, str]] = [
        ("root and policy", root, policy, False, ""),
        ("the root, and now", root, None, True, ""),
        ("root and policy, and now", root, policy, True, ""),
        ("the root alone", root, None, False, "not-witnessed"),
        ("another policy", root, OTHER, False, "fingerprint-mismatch"),
        ("another policy, and now", root, OTHER, True, "fingerprint-mismatch"),
        ("another root", OTHER, policy, False, "fingerprint-mismatch"),
        ("nothing", None, None, False, "no-trust-root"),
    ]
    return [
        {"name": name, "fingerprint": of, "policy": by, "now": now, "error": error}
        for name, of, by, now, error in table
    ]


def _changed(pack: Pack) -> list[Changed]:
    files = pack.files()
    (evidence, other, *_) = (name for name in files if name.startswith("evidence/"))
    (proof,) = (name for name in files if name.startswith("proofs/"))
    (acceptance,) = (name for name in files if name.startswith("acceptances/"))
    foreign = canonical.dumps(World.create(at=AT).evidence_for_output().to_json())
    index = dict(canonical.as_mapping(canonical.loads(files[INDEX]), "index"))
    artifacts = list(canonical.items(index, "artifacts"))
    bases = list(canonical.items(index, "bases"))

    def indexed(**changes: object) -> dict[str, bytes]:
        return {INDEX: canonical.dumps({**index, **changes})}

    def rewritten(change: Callable[[dict[str, object]], object]) -> dict[str, bytes]:
        """The base's evidence in another form, under its own digest, which the index names."""
        document = dict(canonical.as_mapping(canonical.loads(files[_path(bases[0])]), "evidence"))
        change(document)
        data = canonical.dumps(document)
        return {f"evidence/{sha256(data)}.json": data, **indexed(bases=[sha256(data)])}

    return [
        Changed(
            name="a file with the content of another",
            put={evidence: files[other]},
            error=DIFFERS,
            says="expected content of the digest that it is named by",
        ),
        Changed(
            name="evidence that is missing",
            remove=(evidence,),
            error=MISSING,
            says="which the pack's index names; found none",
        ),
        Changed(
            name="a proof that is missing",
            remove=(proof,),
            error=MISSING,
            says=f"expected {proof}, which the pack's index names; found none",
        ),
        Changed(
            name="evidence that the index does not name",
            put={f"evidence/{sha256(foreign)}.json": foreign},
            error=INVALID,
            says="only files that its index names, found evidence/",
        ),
        Changed(
            name="a file that has no place in a pack",
            put={"readme.txt": b""},
            error=INVALID,
            says="only files that its index names, found readme.txt",
        ),
        Changed(
            name="a file that is called as a folder is",
            put={"evidence": b"{}"},
            error=DIFFERS,
            says="evidence: expected content of the digest",
        ),
        Changed(
            name="a file whose name is no digest",
            put={"evidence/ab.json": b"{}"},
            error=DIFFERS,
            says="evidence/ab.json: expected content of the digest",
        ),
        Changed(
            name="a list with the ending of a text",
            put={f"lists/{sha256(READ)}.txt": READ},
            error=DIFFERS,
            says="expected content of the digest that it is named by",
        ),
        Changed(name="no index", remove=(INDEX,), error=MISSING, says="expected pack.json in"),
        Changed(name="no root", remove=(TRUST_ROOT,), error=MISSING, says="trust-root.json in"),
        Changed(
            name="a root that is none",
            put={TRUST_ROOT: b"{}"},
            error=INVALID,
            says="trust-root.json.type",
        ),
        Changed(
            name="a root in another form",
            put={TRUST_ROOT: pack.trust.canonical() + b"\n"},
            error=INVALID,
            says=FORM,
        ),
        Changed(
            name="a policy that is none",
            put={POLICY: b"quorum\n"},
            error=INVALID,
            says="policy.line",
        ),
        Changed(
            name="an index that is none",
            put={INDEX: b"[]"},
            error=INVALID,
            says="pack.json.document",
        ),
        Changed(
            name="an index in another form",
            put={INDEX: files[INDEX].replace(b'{"art', b'{ "art')},
            error=INVALID,
            says=FORM,
        ),
        Changed(
            name="a pack of another version",
            put=indexed(type="https://assay/evidence-pack/v9"),
            error=INVALID,
            says="type: expected https://assay/evidence-pack/v1",
        ),
        Changed(
            name="a field more", put=indexed(more=1), error=INVALID, says="expected no such field"
        ),
        Changed(
            name="no artifacts",
            put=indexed(artifacts=[], bases=bases),
            error=INVALID,
            says="artifacts: expected at least one, found none",
        ),
        Changed(
            name="an artifact without a word about its proof",
            put=indexed(artifacts=[{"evidence": OTHER}]),
            error=INVALID,
            says="proof",
        ),
        Changed(
            name="too many artifacts",
            put=indexed(artifacts=artifacts * 129),
            error=INVALID,
            says="at most 256 items",
        ),
        Changed(
            name="too many bases",
            put=indexed(bases=bases * 65),
            error=INVALID,
            says="at most 64 items",
        ),
        Changed(
            name="a base that leads elsewhere",
            put=indexed(bases=["../x"]),
            error=INVALID,
            says="bases",
        ),
        Changed(
            name="a base that is missing",
            put=indexed(bases=[OTHER]),
            error=MISSING,
            says=f"expected evidence/{OTHER}.json, which the pack's index names; found none",
        ),
        Changed(name="a base twice", put=indexed(bases=bases * 2), error=INVALID, says=FORM),
        Changed(
            name="evidence with an empty list, which is left out",
            put=rewritten(lambda document: document.update(openings=[])),
            remove=(_path(bases[0]),),
            error=INVALID,
            says="only files that its index names, found",
        ),
        Changed(
            name="an acceptance that is none",
            put={f"acceptances/{sha256(b'{}')}.json": b"{}"},
            error=INVALID,
            says=".type: expected",
        ),
        Changed(
            name="an acceptance with an empty list, which is left out",
            put=_listing_nothing(files[acceptance]),
            remove=(acceptance,),
            error=INVALID,
            says="only files that its index names, found",
        ),
        Changed(
            name="an acceptance whose consent leaves out what is always written",
            put=_without_key_id(pack.acceptances[0]),
            remove=(acceptance,),
            error=INVALID,
            says="only files that its index names, found",
        ),
        Changed(
            name="too many acceptances",
            put=_many(pack.acceptances[0]),
            error=INVALID,
            says="acceptances: expected at most 64, found 65",
        ),
        Changed(
            name="a proof that is none",
            put={
                f"proofs/{sha256(b'no proof')}.tlog-proof": b"no proof",
                **indexed(
                    artifacts=[
                        artifacts[0],
                        {
                            **canonical.as_mapping(artifacts[1], "artifact"),
                            "proof": sha256(b"no proof"),
                        },
                    ]
                ),
            },
            remove=(proof,),
            error=INVALID,
            says="proofs/",
        ),
    ]


def _listing_nothing(acceptance: bytes) -> dict[str, bytes]:
    document = {
        **canonical.as_mapping(canonical.loads(acceptance), "acceptance"),
        "revocation_lists": [],
    }
    data = canonical.dumps(document)
    return {f"acceptances/{sha256(data)}.json": data}


def _without_key_id(acceptance: AcceptanceEvidence) -> dict[str, bytes]:
    """In another form: absent and empty are one in protobuf's JSON."""
    document = json.loads(acceptance.canonical())
    del document["consent"]["envelope"]["signatures"][0]["keyid"]
    data = canonical.dumps(document)
    return {f"acceptances/{sha256(data)}.json": data}


def _many(acceptance: AcceptanceEvidence) -> dict[str, bytes]:
    """With 64 others, by other salts."""
    party = acceptance.opening.party
    each = (
        replace(acceptance, opening=PartyOpening(party=party, salt=bytes([number]) * 32))
        for number in range(MAX_ACCEPTANCES)
    )
    return {f"acceptances/{sha256(data)}.json": data for data in (one.canonical() for one in each)}


def _path(digest: object) -> str:
    return f"evidence/{digest}.json"


def _archives() -> list[tuple[str, bytes, str]]:
    """Archives that other programs make, and ours with something changed."""
    ours, one = archive.write(FILES), archive.write({"a": b"1"})
    flipped = bytearray(ours)
    flipped[ours.index(b"{}")] ^= 1
    local = one[: one.index(b"PK\x01\x02")]
    compressed = zipped(("a", bytes(1000)), how=zipfile.ZIP_DEFLATED)
    return [
        ("nothing", b"", "1 to 1024 files, found 0"),
        ("another byte of a file", bytes(flipped), "the one form"),
        ("a byte behind it", ours + b"\0", "the one form"),
        ("a byte before it", b"\0" + ours, "1 to 1024 files, found 0"),
        ("cut in a header", ours[:20], "cut off"),
        ("cut in a file", ours[:40], "cut off"),
        ("cut in its directory", ours[:-7], "the one form"),
        ("compressed", compressed, "stored as they are"),
        ("as another program stores it", zipped(("a", b"1")), "the one form"),
        ("in another order", _reordered(), "the one form"),
        ("a name twice", local + one, "found a twice"),
        ("a name that leads elsewhere", zipped(("../up", b"")), "a name of"),
        ("a name with a capital", zipped(("Pack", b"")), "a name of"),
        ("a size that is too large", ours[:18] + b"\xff" * 8 + ours[26:], "cut off"),
        ("two sizes", ours[:18] + b"\x01" + ours[19:], "stored as they are"),
        ("a date", ours[:10] + b"\x01" + ours[11:], "the one form"),
        ("a name of its directory", _in_the_directory(ours), "the one form"),
    ]


def zipped(*files: tuple[str, bytes], how: int = zipfile.ZIP_STORED) -> bytes:
    """As another program would write them."""
    found = io.BytesIO()
    with zipfile.ZipFile(found, "w", how) as file:
        for name, data in files:
            file.writestr(zipfile.ZipInfo(name), data, compress_type=how)
    return found.getvalue()


def _reordered() -> bytes:
    """Ours, with the last file first, and each where the directory says."""
    parts, directory, offset = list[bytes](), list[bytes](), 0
    for name, data in sorted(FILES.items(), reverse=True):
        alone = archive.write({name: data})
        at, end = alone.index(b"PK\x01\x02"), alone.index(b"PK\x05\x06")
        entry = alone[at:end]
        directory.append(entry[:42] + struct.pack("<I", offset) + entry[46:])
        parts.append(alone[:at])
        offset += at
    listed, count = b"".join(directory), len(FILES)
    end_of_it = struct.pack("<4H2IH", 0, 0, count, count, len(listed), offset, 0)
    return b"".join((*parts, listed, b"PK\x05\x06", end_of_it))


def _in_the_directory(data: bytes) -> bytes:
    """The same, whose directory calls the last file otherwise."""
    at = data.rindex(b"texts/cd.txt")
    return data[:at] + b"texts/ce.txt" + data[at + 12 :]


def _to_json(changed: Changed) -> dict[str, object]:
    stated: dict[str, object] = {
        "name": changed.name,
        "put": {name: b64(data) for name, data in changed.put.items()},
        "remove": list(changed.remove),
        "error": changed.error,
        "says": changed.says,
    }
    return {name: value for name, value in stated.items() if value}
