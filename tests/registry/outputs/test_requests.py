# SPDX-License-Identifier: Apache-2.0
"""What may be asked is read strictly, before anything is looked up."""

from __future__ import annotations

from typing import Any

import pytest

from assay.signing.errors import InvalidDocument
from registry.outputs.services import Assertion, Request
from tests.registry.outputs.world import ASKED

ID = f"sha256:{'0' * 64}"
WHOLE = {"checkpoint": ID, **ASKED}
DIGESTS = {"sha256": "1" * 64, "normalised": "2" * 64}
ASSERTED: dict[str, Any] = {
    "checkpoint": ID,
    "media_type": "text/plain",
    "digests": DIGESTS,
}


def test_a_request_is_read() -> None:
    request = Request.parse(WHOLE)
    assert request.checkpoint == "0" * 64
    assert request.sampling.to_json() == ASKED


@pytest.mark.parametrize(("given", "kept"), [(0.7, "0.7"), (1, "1"), ("0.70", "0.7"), (0, "0")])
def test_a_temperature_may_be_written_as_people_write_it(given: object, kept: str) -> None:
    sampling = Request.parse({**WHOLE, "temperature": given}).sampling
    assert sampling.to_json()["temperature"] == kept


def test_a_seed_that_is_not_given_is_drawn() -> None:
    without = {name: value for name, value in WHOLE.items() if name != "seed"}
    seeds = {Request.parse(without).sampling.seed for _ in range(8)}
    assert len(seeds) > 1


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("checkpoint", "0" * 64),
        ("checkpoint", "sha256:zz"),
        ("checkpoint", 1),
        ("prompt", ""),
        ("prompt", "a" * 4097),
        ("prompt", "\u00e9" * 2049),
        ("prompt", None),
        ("max_new_bytes", 0),
        ("max_new_bytes", 1025),
        ("max_new_bytes", "64"),
        ("temperature", "2.01"),
        ("temperature", 2.01),
        ("temperature", -0.1),
        ("temperature", True),
        ("temperature", None),
        ("temperature", "1e-3"),
        ("seed", -1),
        ("seed", 2**31),
        ("seed", None),
        ("top_k", 5),
    ],
)
def test_one_wrong_field_is_refused_by_name(field: str, value: object) -> None:
    with pytest.raises(InvalidDocument) as refusal:
        Request.parse({**WHOLE, field: value})
    assert refusal.value.field.strip("'") in {field, "id"}


@pytest.mark.parametrize("field", ["checkpoint", "prompt", "max_new_bytes", "temperature"])
def test_each_field_must_be_there(field: str) -> None:
    with pytest.raises(InvalidDocument):
        Request.parse({name: value for name, value in WHOLE.items() if name != field})


def test_an_assertion_is_read() -> None:
    assertion = Assertion.parse(ASSERTED)
    assert (assertion.sha256, assertion.normalised_sha256) == ("1" * 64, "2" * 64)
    alone = Assertion.parse({**ASSERTED, "digests": {"sha256": "1" * 64}})
    assert (alone.normalised_sha256, alone.lines) == ("", None)
    lines = {"count": 2, "sha256": "3" * 64}
    named = Assertion.parse({**ASSERTED, "digests": {**DIGESTS, "lines": lines}}).lines
    assert named is not None
    assert named.to_json() == lines


@pytest.mark.parametrize(
    "stated",
    ["image/svg+xml", "text/plain; charset=utf-8", 'multipart/mixed;boundary="a b";x=1'],
)
def test_a_media_type_may_have_parameters(stated: str) -> None:
    assert Assertion.parse({**ASSERTED, "media_type": stated}).media_type == stated


@pytest.mark.parametrize(
    "wrong",
    [
        {"checkpoint": "0" * 64},
        {"media_type": "text"},
        {"media_type": "text/"},
        {"media_type": "text/plain\n"},
        {"media_type": " / "},
        {"media_type": "text/html<script>"},
        {"media_type": "text/plain;charset"},
        {"media_type": "t\u00e9xt/plain"},
        {"media_type": "a/" + "b" * 100},
        {"digests": {}},
        {"digests": {"sha256": "A" * 64}},
        {"digests": {"sha256": "1" * 64, "normalised": "x"}},
        {"digests": {"sha256": "1" * 64, "md5": "x"}},
        {"digests": {**DIGESTS, "lines": {"count": 0, "sha256": "3" * 64}}},
        {"digests": {**DIGESTS, "lines": {"count": 4097, "sha256": "3" * 64}}},
        {"digests": {**DIGESTS, "lines": {"count": 10**400, "sha256": "3" * 64}}},
        {"digests": {**DIGESTS, "lines": {"count": 2, "sha256": "3"}}},
        {"digests": {**DIGESTS, "lines": {"count": 2}}},
        {"digests": {**DIGESTS, "lines": ["3" * 64]}},
        {"digests": {**DIGESTS, "lines": None}},
        {"digests": {"sha256": "1" * 64, "lines": {"count": 2, "sha256": "3" * 64}}},
        {"claim": "server-generated"},
    ],
)
def test_an_assertion_that_is_none_is_refused(wrong: dict[str, Any]) -> None:
    with pytest.raises(InvalidDocument):
        Assertion.parse({**ASSERTED, **wrong})


def test_a_wrong_checkpoint_is_named_by_its_own_field() -> None:
    for parse, whole in ((Request.parse, WHOLE), (Assertion.parse, ASSERTED)):
        with pytest.raises(InvalidDocument, match=r"^checkpoint: expected sha256: and 64"):
            parse({**whole, "checkpoint": "zzz"})
