# SPDX-License-Identifier: Apache-2.0
"""One complete evidence, and what must fail when one thing in it changes.

Each mutation differs from the good evidence in one thing and names every step that fails, in
order; the expected steps are written here and in `forgeries` by hand, and the verifiers are held
to them.
"""

from __future__ import annotations

from assay.signing.canonical import instant_text
from assay.signing.certificates import Purpose
from tests.signing.world import AT, FILES, TEXT, World, manifest_of
from tests.vectors import forgeries
from tests.vectors.forks import forks
from tests.vectors.mutation import DSSE, ENTRY, OUTPUT, PROOF, Mutation, Path, b64
from tests.vectors.revocations import revocations
from tests.vectors.stamps import stamps
from tests.vectors.unlogged import unlogged


def evidence_vectors() -> dict[str, object]:
    """The trust root, the evidence, what it is about, and the mutations."""
    world = _world()
    model_signature = world.model_signature().to_json()
    first = world.evidence_for_checkpoint({"model.safetensors": b"an earlier checkpoint"})
    evidence = world.evidence_for_output()
    mutations = [
        *_content(),
        *_documents(world),
        *forgeries.parts(evidence.bundles["output"], first.bundles["checkpoint"]),
        *forgeries.signatures(evidence.bundles["output"]),
        *forgeries.twins(evidence.bundles["output"]),
        *forgeries.links(world),
        *forgeries.models(world),
        *forgeries.silent(evidence.bundles["checkpoint"]),
        *forgeries.strangers(world, evidence.bundles),
        *revocations(world, evidence),
        *unlogged(world, evidence.bundles["output"]),
        *stamps(world, evidence.bundles["output"]),
        *forks(
            world,
            evidence,
            ("output", "output"),
            ("output", "run"),
            ("checkpoint", "checkpoint"),
            ("checkpoint", "conduct"),
        ),
    ]
    return {
        "source": "docs/spec/formats.md, section 6; a throw-away authority (tests/vectors/make.py)",
        "trust_root": world.trust.to_json(),
        "fingerprint": world.trust.fingerprint,
        "text": TEXT,
        "files": {name: b64(data) for name, data in FILES.items()},
        "as_of": instant_text(AT),
        "evidence": evidence.to_json(),
        "model_signature": model_signature,
        "mutations": [mutation.to_json() for mutation in mutations],
    }


def _world() -> World:
    """One whose intermediate for outputs has a signature with a zero bit at its end."""
    while True:
        world = World.create(at=AT)
        if not world.issuers[Purpose.OUTPUT].certificate.signature[-1] & 1:
            return world


def _content() -> list[Mutation]:
    return [
        Mutation(name="nothing changed", failed=()),
        Mutation(name="nothing changed", artifact="checkpoint", failed=()),
        Mutation(name="line ends changed by copying", text=TEXT.replace("\n", "\r\n"), failed=()),
        Mutation(
            name="one character of the text changed",
            text=TEXT.replace("hello", "hallo"),
            failed=("text",),
            error="text-mismatch",
        ),
        Mutation(
            name="one byte of a file changed",
            artifact="checkpoint",
            files={**FILES, "config.json": b'{"layers":5}\n'},
            failed=("files",),
            error="file-mismatch",
        ),
        Mutation(
            name="a file renamed",
            artifact="checkpoint",
            files={name.replace("README", "ReadMe"): data for name, data in FILES.items()},
            failed=("files",),
            error="file-mismatch",
        ),
        Mutation(
            name="a file added",
            artifact="checkpoint",
            files={**FILES, "run.py": b""},
            failed=("files",),
            error="file-mismatch",
        ),
        Mutation(
            name="a file missing",
            artifact="checkpoint",
            files={"config.json": FILES["config.json"]},
            failed=("files",),
            error="file-mismatch",
        ),
    ]


def _documents(world: World) -> list[Mutation]:
    renamed = manifest_of({f"x{name}": data for name, data in FILES.items()})
    stranger = World.create(at=AT)
    every = ("output", "checkpoint", "run", "dataset", "conduct")
    times = [code for part in every for code in (f"{part}.time", f"{part}.tree-head")]
    other_log = {
        **world.trust.to_json(),
        "certificate_log": stranger.trust.to_json()["certificate_log"],
    }
    other_ledger = {**world.trust.to_json(), "ledger": stranger.trust.to_json()["ledger"]}
    return [
        Mutation(
            name="the files of the manifest renamed, contents the same",
            set={("manifest",): renamed.to_json()},
            failed=("checkpoint.manifest",),
            error="broken-link",
        ),
        Mutation(
            name="a digest in the manifest changed",
            set={("manifest", "files", 0, "sha256"): "00" * 32},
            failed=("checkpoint.manifest", "checkpoint.oms"),
            error="broken-link",
        ),
        Mutation(
            name="the policy document changed",
            set={("policy", "rules"): ["Anything goes."]},
            failed=("conduct.policy",),
            error="broken-link",
        ),
        Mutation(
            name="another registry is pinned, of the same name",
            trust_root=stranger.trust.to_json(),
            failed=tuple(times),
            error="untrusted-chain",
        ),
        Mutation(
            name="another ledger is pinned",
            trust_root=other_ledger,
            failed=tuple(code for code in times if code.endswith("tree-head")),
            error="bad-tree-head",
        ),
        Mutation(
            name="another key for certificates is pinned",
            trust_root=other_log,
            failed=tuple(f"{part}.sct" for part in every),
            error="not-logged",
        ),
        Mutation(
            name="another URL is pinned",
            trust_root={**world.trust.to_json(), "registry": "http://other.test"},
            failed=(*(f"{part}.time" for part in every), "checkpoint.registry"),
            error="bad-timestamp",
        ),
        *(
            Mutation(
                name=f"the {part} missing",
                remove=(("bundles", part),),
                failed=(f"{part}.statement",),
                error="missing-evidence",
            )
            for part in every
        ),
        *(
            Mutation(name=f"unreadable: {name}", set={path: value}, failed=(), is_refused=True)
            for name, path, value in _UNREADABLE
        ),
    ]


_UNREADABLE: list[tuple[str, Path, object]] = [
    ("another type of evidence", ("type",), "https://assay/evidence/v2"),
    ("a field too many", ("comment",), "x"),
    ("a part that does not exist", ("bundles", "weights"), {}),
    ("another media type", ("bundles", "output", "mediaType"), "application/json"),
    ("another payload type", (*DSSE, "payloadType"), "text/plain"),
    ("a key id", (*DSSE, "signatures", 0, "keyid"), "key"),
    ("no signature", (*DSSE, "signatures"), []),
    ("base64 without padding", (*DSSE, "payload"), "e30"),
    ("base64 with loose bits", (*DSSE, "signatures", 0, "sig"), "AR=="),
    ("an index as a number", (*ENTRY, "logIndex"), 3),
    ("an index that is not the proof's", (*ENTRY, "logIndex"), "0"),
    ("an entry of another kind", (*ENTRY, "kindVersion", "kind"), "hashedrekord"),
    ("a hash that is none", (*PROOF, "hashes", 0), "AA=="),
    ("no timestamp", (*OUTPUT, "timestampVerificationData", "rfc3161Timestamps"), []),
    ("a certificate that is none", (*OUTPUT, "x509CertificateChain", "certificates", 0), {}),
    ("a manifest without files", ("manifest", "files"), []),
    ("a name that leaves the folder", ("manifest", "files", 0, "name"), "../README.md"),
    ("a size below zero", ("manifest", "files", 0, "size"), -1),
]
