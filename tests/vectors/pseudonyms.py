# SPDX-License-Identifier: Apache-2.0
"""Evidence whose certificates name a person's pseudonym, and what must fail about its openings."""

from __future__ import annotations

from assay.signing.bundle import Bundle
from assay.signing.canonical import instant_text
from assay.signing.certificates import Purpose
from assay.signing.pseudonyms import MAX_OPENINGS, PartyOpening
from assay.signing.statements import Statement
from tests.signing.world import AT, FILES, REGISTRY, TEXT, World
from tests.vectors.mutation import Mutation, b64

SALT = bytes(range(32))  # of a worked number: a real one is random
BOB = PartyOpening(party=f"{REGISTRY}/bob", salt=bytes(range(32, 64)))
OPENINGS = ("openings",)
FIRST = (*OPENINGS, 0)
PARTS = ("output", "checkpoint", "run", "dataset", "conduct")
OWNED = ("checkpoint.signer", "dataset.signer")


def pseudonym_vectors() -> dict[str, object]:
    """Worked numbers; then a trust root, evidence, what it is about, and mutations of it."""
    world = World.create(at=AT, salt=SALT)
    (alice,) = world.openings
    evidence = world.evidence_for_output()
    return {
        "source": "docs/spec/formats.md, section 8; a throw-away authority (tests/vectors/make.py)",
        "pseudonyms": [
            {**each.to_json(), "registry": REGISTRY, "pseudonym": each.pseudonym(REGISTRY)}
            for each in (alice, BOB)
        ],
        "trust_root": world.trust.to_json(),
        "fingerprint": world.trust.fingerprint,
        "text": TEXT,
        "files": {name: b64(data) for name, data in FILES.items()},
        "as_of": instant_text(AT),
        "evidence": evidence.to_json(),
        "mutations": [
            each.to_json()
            for each in (
                *_good(world, evidence.bundles["dataset"]),
                *_wrong(alice),
                *_others(world, evidence.bundles["checkpoint"], alice),
                *_models(world, alice),
                *_malformed(alice),
                _elsewhere(world),
            )
        ],
    }


def _good(world: World, dataset: Bundle) -> list[Mutation]:
    clear = _signed_by(world, dataset, "alice")
    return [
        Mutation(name="nothing changed", failed=()),
        Mutation(name="nothing changed", artifact="checkpoint", failed=()),
        Mutation(
            name="the dataset signed in clear, before there were pseudonyms",
            set={("bundles", "dataset"): clear},
            failed=(),
        ),
    ]


def _wrong(alice: PartyOpening) -> list[Mutation]:
    """Openings of nothing in the certificates: each is said once, and no signer is reached."""
    table: list[tuple[str, object]] = [
        ("the salt of another", [{**alice.to_json(), "salt": BOB.salt.hex()}]),
        ("one bit of the salt changed", [{**alice.to_json(), "salt": "01" + alice.salt.hex()[2:]}]),
        ("another person's name under the same salt", [{**alice.to_json(), "party": BOB.party}]),
        ("the opening of another person", [BOB.to_json()]),
        ("an opening too many", [alice.to_json(), BOB.to_json()]),
        ("a party without its registry", [{**alice.to_json(), "party": "alice"}]),
    ]
    return [
        Mutation(
            name=f"openings: {name}",
            set={OPENINGS: openings},
            failed=("openings",),
            error="wrong-opening",
        )
        for name, openings in table
    ]


def _others(world: World, checkpoint: Bundle, alice: PartyOpening) -> list[Mutation]:
    path = BOB.pseudonym(REGISTRY).removeprefix(f"{REGISTRY}/")
    place = ("bundles", "checkpoint")
    by_bob = _signed_by(world, checkpoint, path)
    in_clear = _signed_by(world, checkpoint, "bob")
    return [
        Mutation(
            name="no opening: whose the project is cannot be said",
            remove=(OPENINGS,),
            failed=OWNED,
            error="broken-link",
        ),
        Mutation(name="no openings at all", set={OPENINGS: []}, failed=OWNED, error="broken-link"),
        Mutation(
            name="the checkpoint signed by another person's pseudonym",
            set={place: by_bob, OPENINGS: [alice.to_json(), BOB.to_json()]},
            failed=("checkpoint.signer",),
            error="broken-link",
        ),
        Mutation(
            name="the checkpoint signed by a pseudonym that nothing opens",
            set={place: by_bob},
            failed=("checkpoint.signer",),
            error="broken-link",
        ),
        Mutation(
            name="the checkpoint signed by another person in clear",
            set={place: in_clear},
            failed=("checkpoint.signer",),
            error="broken-link",
        ),
    ]


def _models(world: World, alice: PartyOpening) -> list[Mutation]:
    """The model signature in the name of the checkpoint's party, and of nobody else."""
    ours = world.model_signature()
    in_clear, by_bob = (
        _signed_by(world, ours, uri.removeprefix(f"{REGISTRY}/"))
        for uri in (alice.party, BOB.pseudonym(REGISTRY))
    )
    place, link = ("bundles", "model"), ("model.checkpoint",)
    return [
        Mutation(name="the model signature besides", set={place: ours.to_json()}, failed=()),
        Mutation(
            name="the model signature in clear, of the same party", set={place: in_clear}, failed=()
        ),
        Mutation(
            name="the model signature by another person's pseudonym",
            set={place: by_bob, OPENINGS: [alice.to_json(), BOB.to_json()]},
            failed=link,
            error="broken-link",
        ),
        Mutation(
            name="the model signature by a pseudonym that nothing opens",
            set={place: by_bob},
            failed=link,
            error="broken-link",
        ),
    ]


def _malformed(alice: PartyOpening) -> list[Mutation]:
    good = alice.to_json()
    table: list[tuple[str, object]] = [
        ("no array", good),
        ("a salt of 31 bytes", [{**good, "salt": alice.salt.hex()[2:]}]),
        ("a salt in capitals", [{**good, "salt": "AB" * 32}]),
        ("no party", [{"salt": good["salt"]}]),
        ("an empty party", [{**good, "party": ""}]),
        ("a field too many", [{**good, "name": "alice"}]),
        ("too many", [good] * (MAX_OPENINGS + 1)),
    ]
    return [
        Mutation(name=f"openings: {name}", set={OPENINGS: value}, failed=(), is_refused=True)
        for name, value in table
    ]


def _elsewhere(world: World) -> Mutation:
    """Judged under another registry's name, where no opening could fit."""
    return Mutation(
        name="another URL is pinned",
        trust_root={**world.trust.to_json(), "registry": "http://other.test"},
        failed=("openings", *(f"{part}.time" for part in PARTS), "checkpoint.registry"),
        error="untrusted-chain",
    )


def _signed_by(world: World, bundle: Bundle, path: str) -> dict[str, object]:
    """The same statement, signed as somebody else."""
    statement = Statement.parse(bundle.envelope.payload)
    return world.bundle(world.sign(statement, Purpose.CHECKPOINT, path)).to_json()
