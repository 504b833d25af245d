# SPDX-License-Identifier: Apache-2.0
"""An export of a period holds line by line; what was changed, cut or left out is found."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import pytest

from assay.signing import canonical, entries, periods
from assay.signing.bundle import Bundle, ledger_leaf
from assay.signing.certificates import Purpose
from assay.signing.entries import EntryKind
from assay.signing.errors import (
    AssayError,
    BadTimestamp,
    BrokenLink,
    DigestMismatch,
    InvalidDocument,
    MissingEvidence,
    UntrustedChain,
)
from assay.signing.evidence import Part
from assay.signing.revocation import Reason, Revocation
from assay.signing.statements import PeriodClaim
from tests.signing.periods.exports import (
    Json,
    again,
    head_of,
    lines_of,
    signed,
    statement_line,
)
from tests.signing.world import AT, World


@pytest.fixture
def own(world: World) -> list[Bundle]:
    """What Alice signed."""
    return signed(world)[0]


@pytest.fixture
def body(own: list[Bundle]) -> list[Json]:
    return [statement_line(each) for each in own]


def test_a_whole_one_holds(world: World, own: list[Bundle], body: list[Json]) -> None:
    certificate = {"line": "certificate", "serial": "1"}
    accepted = {"line": "acceptance", "bundle": body[0]["bundle"]}
    revoked = {"line": "revocation", "bundle": body[0]["bundle"]}
    made = lines_of(world, [certificate, accepted, *body, revoked])
    found = periods.examine(again(made), trust=world.trust)
    assert found.indexes == {each.proof.index for each in own}
    assert found.counts == {
        "lists": 1,
        "certificate": 1,
        "acceptance": 1,
        "statement": 3,
        "revocation": 1,
    }
    assert (found.refused, found.revoked) == ([], [])
    assert (found.claim.lines, found.claim.made_at) == (len(made) - 1, AT)


def test_what_is_not_kept_has_its_place(world: World, own: list[Bundle], body: list[Json]) -> None:
    erased = {
        "line": "erased",
        "index": own[1].proof.index,
        "statement": f"sha256:{'1' * 64}",
    }
    made = lines_of(world, [body[0], erased, body[2]])
    found = periods.examine(again(made), trust=world.trust)
    assert (len(found.indexes), found.refused) == (3, [])


def test_a_revoked_certificate_is_counted_and_not_refused(
    world: World, own: list[Bundle], body: list[Json]
) -> None:
    leaf = own[0].chain.leaf
    revoked = Revocation(serial=leaf.serial_number, reason=Reason.KEY_COMPROMISE, revoked_at=AT)
    purpose = next(
        each for each in Purpose if world.issuers[each].certificate.subject == leaf.issuer
    )
    made = lines_of(world, body, lists=world.lists({purpose.value: revoked}))
    found = periods.examine(again(made), trust=world.trust)
    assert (bool(found.revoked), found.refused) == (True, [])
    assert len(found.indexes) == 3


@pytest.mark.parametrize(
    ("change", "why"),
    [
        (lambda lines: lines[:0], MissingEvidence),
        (lambda lines: lines[:1], MissingEvidence),
        (lambda lines: lines[:-1], MissingEvidence),
        (lambda lines: [*lines[:3], *lines[4:]], DigestMismatch),
        (lambda lines: [*lines[:3], lines[4], lines[3], *lines[5:]], DigestMismatch),
        (lambda lines: [*lines[:-1], lines[3], lines[-1]], DigestMismatch),
        (lambda lines: [lines[0], *lines[2:]], InvalidDocument),
        (lambda lines: [b'{"x": 1}\n', *lines[1:]], InvalidDocument),
        (lambda lines: [b'{"x":1}\n', *lines[1:]], InvalidDocument),
        (lambda lines: [b"[]\n", *lines[1:]], InvalidDocument),
        (lambda lines: [*lines[:-1], lines[-1][:-1]], InvalidDocument),
        (lambda lines: [b"7" * (1 << 20) + b"1\n", *lines[1:]], InvalidDocument),
    ],
)
def test_another_file_is_found_out(
    world: World,
    body: list[Json],
    change: Callable[[list[bytes]], list[bytes]],
    why: type[AssayError],
) -> None:
    made = change(lines_of(world, body))
    with pytest.raises(why):
        periods.examine(again(made), trust=world.trust)


@pytest.mark.parametrize(
    ("claim", "why"),
    [
        (lambda made: replace(made, lines=2), DigestMismatch),
        (lambda made: replace(made, lines=9), DigestMismatch),
        (lambda made: replace(made, end=made.end + 1), BrokenLink),
        (lambda made: replace(made, lines_sha256="1" * 64), DigestMismatch),
        (lambda made: replace(made, first=made.end, end=0), InvalidDocument),
    ],
)
def test_an_end_of_another_export_is_refused(
    world: World,
    body: list[Json],
    claim: Callable[[PeriodClaim], PeriodClaim],
    why: type[AssayError],
) -> None:
    with pytest.raises(why):
        periods.examine(again(lines_of(world, body, claim=claim)), trust=world.trust)


def test_only_the_registrys_office_signs_an_end(world: World, body: list[Json]) -> None:
    with pytest.raises(AssayError, match="conduct"):
        periods.examine(again(lines_of(world, body, by="alice")), trust=world.trust)


def test_another_registrys_is_refused(world: World, body: list[Json]) -> None:
    made = lines_of(world, body)
    with pytest.raises(BrokenLink, match="an export of"):
        periods.examine(again(made), trust=replace(world.trust, registry="http://x.test"))
    with pytest.raises(UntrustedChain):
        periods.examine(again(made), trust=World.create(at=AT).trust)


def test_each_line_that_does_not_hold_is_named(
    world: World, own: list[Bundle], body: list[Json]
) -> None:
    office = signed(world)[1]
    forged = body[1]["bundle"]["dsseEnvelope"]["signatures"][0]
    forged["sig"] = own[0].envelope.to_json()["signatures"][0]["sig"]  # type: ignore[index]
    strange = {"line": "erased", "index": 10**6, "statement": f"sha256:{'1' * 64}"}
    wrong = [
        body[1],
        body[0],  # before the one before
        statement_line(replace(office)),
        strange,
        {"line": "poem"},
        {"line": "acceptance", "bundle": {}},
    ]
    made = lines_of(world, wrong, head=head_of(world, end=len(world.entries)))
    found = periods.examine(again(made), trust=world.trust)
    kinds = [type(each.error) for each in found.refused]
    assert [each.number for each in found.refused] == [3, 4, 5, 6, 7, 8]
    assert kinds == [
        BadTimestamp,
        BrokenLink,
        BrokenLink,
        BrokenLink,
        InvalidDocument,
        InvalidDocument,
    ]


def test_a_kind_of_statement_that_nobody_knows_is_refused(world: World, own: list[Bundle]) -> None:
    statement = canonical.loads(own[0].envelope.payload)
    assert isinstance(statement, dict)
    payload = canonical.dumps({**statement, "predicateType": "https://else/v1"})
    bundle = world.bundle(world.sign_payload(payload, Purpose.OUTPUT, world.alice))
    made = lines_of(world, [statement_line(bundle)])
    (refused,) = periods.examine(again(made), trust=world.trust).refused
    assert "known" in str(refused.error)


def ledger_of(world: World, own: list[Bundle], kind: EntryKind) -> list[tuple[int, bytes]]:
    """The ledger's entries, in one of the two forms, as whoever reads it gets them."""
    found = {each.proof.index: ledger_leaf(each.envelope, each.chain.leaf, kind) for each in own}
    office = world.evidence_for_upload().bundles[Part.CONDUCT]
    other = ledger_leaf(office.envelope, office.chain.leaf, kind)
    return [(index, found.get(index, other)) for index in range(len(world.entries))]


@pytest.mark.parametrize("kind", EntryKind)
def test_what_the_ledger_has_and_the_export_has_not_is_missing(
    world: World, own: list[Bundle], body: list[Json], kind: EntryKind
) -> None:
    ledger = ledger_of(world, own, kind)
    whole = periods.examine(again(lines_of(world, body)), trust=world.trust)
    assert list(periods.missing(whole, ledger)) == []
    part = periods.examine(again(lines_of(world, body[:2])), trust=world.trust)
    assert list(periods.missing(part, ledger)) == [own[2].proof.index]
    after = head_of(world, first=own[2].proof.index + 1)
    none = periods.examine(again(lines_of(world, [], head=after)), trust=world.trust)
    assert list(periods.missing(none, ledger)) == []


@pytest.mark.parametrize(
    "entry",
    [
        b"x",
        b'{"certificate":"AA==","type":"https://assay/certificate/v1"}',
        entries.hashed.__doc__.encode(),  # type: ignore[union-attr]
        b'{"apiVersion":"0.0.1","kind":"dsse","spec":{"signatures":[{"verifier":"AA=="}]}}',
        b'{"apiVersion":"0.0.1","kind":"dsse","spec":{"signatures":[]}}',
    ],
)
def test_entries_that_are_no_signatures_have_no_line(
    world: World, body: list[Json], entry: bytes
) -> None:
    none = periods.examine(again(lines_of(world, body[:0])), trust=world.trust)
    assert list(periods.missing(none, [(0, entry)])) == []
