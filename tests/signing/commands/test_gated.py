# SPDX-License-Identifier: Apache-2.0
"""What `assay` says of a gated project: before a download, and where one is refused."""

from __future__ import annotations

import json
from collections.abc import Iterator

import pytest

from tests.signing.client.registry import Answer, Loopback, loopback
from tests.signing.commands.desk import Desk
from tests.signing.commands.test_download import blob, get, stock
from tests.signing.commands.test_info import LISTING, PROJECT, WHOLE
from tests.signing.world import FILES

PATH = "/api/v1/projects/alice/tiny"
WHERE = "alice/tiny is gated: ask for access at http://registry.test/alice/tiny/settings/ask"
REFUSAL = {"code": "access-needed", "title": "The owner decides", "detail": WHERE, "errors": []}


@pytest.fixture
def shop(desk: Desk) -> Iterator[Loopback]:
    """A registry that shows a checkpoint to everybody, and gives its files to nobody."""
    with loopback() as registry:
        stock(registry, desk.world)
        refused = Answer(status=403, body=json.dumps(REFUSAL).encode())
        for data in FILES.values():
            registry.on("GET", blob(data), refused)
        yield registry


def test_a_refused_download_says_where_to_ask_and_shows_nothing(desk: Desk, shop: Loopback) -> None:
    desk.pin()
    code, _, err = get(desk, shop)
    assert (code, WHERE in " ".join(err.split())) == (5, True)
    assert not (desk.folder / "got").exists()
    stock(shop, desk.world)
    assert get(desk, shop)[0] == 0


@pytest.mark.parametrize(
    ("gate", "words"),
    [
        ("asks", "gated the files are for whom its owner lets in; ask on its page"),
        ("automatic", "gated the files are for whoever asks on its page"),
    ],
)
def test_that_it_is_gated_is_said_beforehand(
    desk: Desk, shop: Loopback, gate: str, words: str
) -> None:
    shop.on_json("GET", PATH, {**PROJECT, "gate": gate})
    shop.on_json("GET", LISTING, {"results": []})
    shop.on_json("GET", f"{PATH}/checkpoints/step-100", {**WHOLE, "gate": gate})
    for name in ("alice/tiny", "alice/tiny@step-100"):
        _, out, _ = desk.assay("info", name, "--registry", shop.url)
        assert words in " ".join(out.split())
        _, out, _ = desk.assay("info", name, "--registry", shop.url, "--json")
        (said, *_) = json.loads(out)["says"].values()
        assert said["gate"] == gate


def test_of_an_open_one_nothing_is_said(desk: Desk, shop: Loopback) -> None:
    shop.on_json("GET", f"{PATH}/checkpoints/step-100", {**WHOLE, "gate": "open"})
    _, out, _ = desk.assay("info", "alice/tiny@step-100", "--registry", shop.url)
    assert "gated" not in out
