# SPDX-License-Identifier: Apache-2.0
"""Mutations of what is known about revocations: who was revoked, by whose word, and how fresh."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import datetime, timedelta

from asn1crypto import core
from asn1crypto import crl as asn1
from cryptography import x509

from assay.signing import timestamps
from assay.signing.certificates import Purpose
from assay.signing.crls import MAX_LISTS, ROOT, Period
from assay.signing.evidence import LISTS, Evidence
from assay.signing.keys import SoftwareKey
from assay.signing.revocation import Reason, Revocation
from tests.signing.forge import twin
from tests.signing.revoking import (
    DAY,
    ODD_ENTRY,
    PERIOD,
    UNKNOWN,
    USERS_ONLY,
    Case,
    build,
    named_twice,
)
from tests.signing.world import AT, LISTS_LAST, World
from tests.vectors.mutation import Mutation, b64

EVERY = ("output", "checkpoint", "run", "dataset", "conduct")
ALL = tuple(f"{part}.revocation" for part in EVERY)
OUTPUT = ("output.revocation",)
SECOND, YEAR = timedelta(seconds=1), timedelta(days=365)
UNKNOWN_CODE, REVOKED, BAD = "revocation-unknown", "certificate-revoked", "bad-revocation"
Lists = Mapping[str, bytes]


def revocations(world: World, evidence: Evidence) -> list[Mutation]:
    """Everything about lists; `evidence` is of an output that nothing was revoked behind."""
    lists = dict(zip((ROOT, *Purpose), world.lists(), strict=True))
    return [*_missing(lists), *_old(world, lists), *_revoked(world, evidence), *_bad(world, lists)]


def _put(lists: Lists, **changes: bytes) -> dict[tuple[str | int, ...], object]:
    return {(LISTS,): [b64(each) for each in {**lists, **changes}.values()]}


def _missing(lists: Lists) -> list[Mutation]:
    stranger = World.create(at=AT)

    def without(issuer: str) -> dict[tuple[str | int, ...], object]:
        return _put({name: each for name, each in lists.items() if name != issuer})

    return [
        Mutation(name="no revocation lists", remove=((LISTS,),), failed=ALL, error=UNKNOWN_CODE),
        Mutation(
            name="no list of the output's issuer",
            set=without(Purpose.OUTPUT),
            failed=OUTPUT,
            error=UNKNOWN_CODE,
        ),
        Mutation(name="no list of the root", set=without(ROOT), failed=ALL, error=UNKNOWN_CODE),
        Mutation(
            name="no list of the timestamp authority's issuer",
            set=without(Purpose.TIMESTAMP),
            failed=ALL,
            error=UNKNOWN_CODE,
        ),
        Mutation(
            name="lists of another registry of the same names",
            set={(LISTS,): [b64(each) for each in stranger.lists()]},
            failed=ALL,
            error=UNKNOWN_CODE,
        ),
        Mutation(
            name="lists of another registry besides",
            set={(LISTS,): [b64(each) for each in (*lists.values(), *stranger.lists())]},
            failed=(),
        ),
        *(
            Mutation(name=f"unreadable: {why}", set={(LISTS,): value}, failed=(), is_refused=True)
            for why, value in (
                ("lists that are no array", "AA=="),
                ("a list that is no text", [1]),
                ("too many lists", ["AA=="] * (MAX_LISTS + 1)),
            )
        ),
    ]


def _old(world: World, lists: Lists) -> list[Mutation]:
    case = _case(world)
    short, end = case.crl(), case.issuer.certificate.not_valid_after_utc
    until_its_end = case.crl(period=Period(this_update=AT, next_update=end))
    return [
        Mutation(name="on the last day of the lists", as_of=AT + LISTS_LAST, failed=()),
        Mutation(
            name="a second after the lists have ended",
            as_of=AT + LISTS_LAST + SECOND,
            failed=ALL,
            error=UNKNOWN_CODE,
        ),
        Mutation(
            name="a day before the lists were made: newer ones know more",
            as_of=AT - DAY,
            failed=(),
        ),
        Mutation(
            name="a list that ends earlier, after its end",
            as_of=PERIOD.next_update + SECOND,
            set=_put(lists, output=short),
            failed=OUTPUT,
            error=UNKNOWN_CODE,
        ),
        Mutation(  # which no reader can tell from its last one: somebody may have left that out
            name="after the issuer has expired, with a list that lasted until then",
            as_of=AT + 6 * YEAR,
            set=_put(lists, output=until_its_end),
            failed=OUTPUT,
            error=UNKNOWN_CODE,
        ),
        Mutation(
            name="an older list beside a current one",
            as_of=PERIOD.next_update + SECOND,
            set=_put(lists, older=short),
            failed=(),
        ),
    ]


def _revoked(world: World, evidence: Evidence) -> list[Mutation]:
    output = evidence.bundles["output"]
    stamper = timestamps.chain(output.timestamp)
    table = [
        ("the output's leaf", Purpose.OUTPUT, output.chain.leaf, OUTPUT),
        ("the output's intermediate", ROOT, output.chain.intermediate, OUTPUT),
        ("the timestamp authority", Purpose.TIMESTAMP, stamper.leaf, ALL),
        ("the timestamp authority's intermediate", ROOT, stamper.intermediate, ALL),
    ]
    found = [
        Mutation(
            name=f"{who} was revoked {when}",
            set={
                (LISTS,): [
                    b64(each) for each in world.lists({issuer: _revocation(certificate, since)})
                ]
            },
            failed=failed,
            error=REVOKED,
        )
        for who, issuer, certificate, failed in table
        for when, since in (("now", None), ("with effect from before", AT - DAY))
    ]
    aged = _case(world).crl(_revocation(output.chain.leaf, None))
    lists = dict(zip((ROOT, *Purpose), world.lists(), strict=True))
    return [
        *found,
        Mutation(
            name="a list that has ended still says who was revoked",
            as_of=PERIOD.next_update + SECOND,
            set=_put(lists, older=aged),
            failed=OUTPUT,
            error=REVOKED,
        ),
        Mutation(
            name="a revoked one, before its revocation",
            as_of=AT - DAY,
            set=_put(lists, output=aged),
            failed=OUTPUT,
            error=REVOKED,
        ),
    ]


def _bad(world: World, lists: Lists) -> list[Mutation]:
    case = _case(world)
    flipped = bytearray(lists[Purpose.OUTPUT])
    flipped[-1] ^= 1
    made: list[tuple[str, Callable[[], bytes]]] = [
        ("by another key", lambda: build(case, key=SoftwareKey.generate())),
        ("with a bit of its signature changed", lambda: bytes(flipped)),
        ("with bytes behind it", lambda: lists[Purpose.OUTPUT] + b"\0"),
        ("without a number", lambda: build(case, number=None)),
        ("with a critical number", lambda: build(case, is_critical=True)),
        ("with an unknown critical extension", lambda: build(case, more=[(UNKNOWN, True)])),
        ("that names its issuer twice", lambda: build(case, more=[(named_twice(case), False)])),
        ("of users only", lambda: build(case, more=[(USERS_ONLY, False)])),
        ("of changes only", lambda: build(case, more=[(x509.DeltaCRLIndicator(1), True)])),
        (
            "with an unknown critical extension of an entry",
            lambda: build(case, entries=[ODD_ENTRY]),
        ),
    ]
    return [
        *(
            Mutation(
                name=f"the output's list {how}",
                set=_put(lists, output=make()),
                failed=OUTPUT if how != "with bytes behind it" else ALL,
                error=BAD,
            )
            for how, make in made
        ),
        Mutation(name="a list that is none", set=_put(lists, more=b"0"), failed=ALL, error=BAD),
        Mutation(
            name="the output's list with an unknown extension that is not critical",
            set=_put(lists, output=build(case, more=[(UNKNOWN, False)])),
            failed=(),
        ),
        Mutation(
            name="the output's list with its signature in its other form",
            set=_put(lists, output=_list_twin(lists[Purpose.OUTPUT])),
            failed=(),
        ),
    ]


def _case(world: World) -> Case:
    _, chain = world.leaf(Purpose.OUTPUT, f"{world.registry}/alice")
    return Case(certificate=chain.leaf, issuer=world.issuers[Purpose.OUTPUT])


def _revocation(certificate: x509.Certificate, since: datetime | None) -> Revocation:
    return Revocation(
        serial=certificate.serial_number,
        revoked_at=AT,
        reason=Reason.KEY_COMPROMISE,
        invalid_from=since,
    )


def _list_twin(encoded: bytes) -> bytes:
    parsed = asn1.CertificateList.load(encoded)
    found = x509.load_der_x509_crl(encoded)
    parsed["signature"] = core.OctetBitString(twin(found.signature))
    return bytes(parsed.dump())
