# SPDX-License-Identifier: Apache-2.0
"""A node's key and certificate: made once, readable by nobody else, checked before use."""

import stat
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from assay.signing import certificates
from assay.signing.errors import InvalidDocument, KeyUnusable, UntrustedChain
from assay.signing.keys import SoftwareKey
from assay.trainers import identity
from assay.trainers.identity import Identity

from .builders import CPU
from .node_builders import Site, site
from .registry_world import World


def join(here: Site, key: SoftwareKey, at: datetime | None = None) -> Identity:
    return identity.join(
        here.client,
        key,
        name="a machine",
        hardware=CPU.to_json(),
        now=lambda: at or datetime.now(UTC),
        patience=here.patience,
    )


def test_the_key_is_made_once_and_only_its_user_may_read_it(tmp_path: Path) -> None:
    directory = tmp_path / "node"
    first, second = identity.node_key(directory), identity.node_key(directory)
    assert first.public_key == second.public_key
    path = directory / "node.key.pem"
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert stat.S_IMODE(directory.stat().st_mode) == 0o700
    assert list(directory.iterdir()) == [path]


def test_a_key_that_others_may_read_is_refused(tmp_path: Path) -> None:
    identity.node_key(tmp_path)
    (tmp_path / "node.key.pem").chmod(0o644)
    with pytest.raises(KeyUnusable, match="expected a key file of mode 0600"):
        identity.node_key(tmp_path)


def test_joining_again_with_the_same_key_is_the_same_node(tmp_path: Path) -> None:
    key = identity.node_key(tmp_path)
    with site(World()) as here:
        assert join(here, key).id == join(here, key).id
        assert join(here, SoftwareKey.generate()).id == "node-2"


def test_the_certificate_is_of_our_key(tmp_path: Path) -> None:
    key = identity.node_key(tmp_path)
    with site(World()) as here:
        me = join(here, key)
        assert me.chain.public_key == key.public_key
        assert me.uri == f"{here.world.url}/nodes/node-1"


def test_a_certificate_of_another_key_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    world = World()
    with site(world) as here:
        other = SoftwareKey.generate()
        answer = world.join

        def join_another(body: object) -> object:
            csr = identity._pem(certificates.request(other, subject="a machine"))
            return answer({"name": "a machine", "csr": csr, "hardware": {"device": "cpu"}})

        monkeypatch.setattr(world, "join", join_another)
        with pytest.raises(UntrustedChain, match="expected a certificate of our key"):
            join(here, identity.node_key(tmp_path))


def test_a_certificate_under_another_root_is_refused(tmp_path: Path) -> None:
    world = World()
    world.root = World().root
    with site(world) as here, pytest.raises(UntrustedChain):
        join(here, identity.node_key(tmp_path))


def test_a_certificate_that_has_run_out_is_refused(tmp_path: Path) -> None:
    later = datetime.now(UTC) + timedelta(days=400)
    with (
        site(World()) as here,
        pytest.raises(UntrustedChain, match="expected the leaf certificate"),
    ):
        join(here, identity.node_key(tmp_path), at=later)


def test_a_clock_that_is_a_minute_behind_does_no_harm(tmp_path: Path) -> None:
    earlier = datetime.now(UTC) - timedelta(minutes=1)
    world = World(at=earlier - timedelta(days=1))
    with site(world) as here:
        assert join(here, identity.node_key(tmp_path), at=earlier).id == "node-1"


def test_a_certificate_that_begins_tomorrow_is_refused(tmp_path: Path) -> None:
    earlier = datetime.now(UTC) - timedelta(days=1)
    world = World(at=earlier)
    with site(world) as here, pytest.raises(UntrustedChain, match="expected the leaf certificate"):
        join(here, identity.node_key(tmp_path), at=earlier)


def test_a_chain_that_is_no_pem_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    world = World()
    monkeypatch.setattr(world, "join", lambda _: {"id": "n", "chain": ["x", "y"]})
    with site(world) as here, pytest.raises(InvalidDocument, match="chain: expected certificates"):
        join(here, identity.node_key(tmp_path))
