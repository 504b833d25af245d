# SPDX-License-Identifier: Apache-2.0
"""What the environment does not say is filled in; what it says is kept."""

import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from registry.supervisor import programs
from registry.supervisor.environment import fill_in, secret_file
from registry.supervisor.errors import SupervisorError
from registry.supervisor.places import Places

FIXED = {"registry": "http://localhost:8123", "ledger": {"origin": "localhost:8123/ledger"}}


@pytest.fixture
def environment(tmp_path: Path) -> Iterator[dict[str, str]]:
    yield {"ASSAY_DATA_DIR": str(tmp_path / "data")}
    Places.of(tmp_path / "data").tidy()


@pytest.fixture
def fixed(environment: dict[str, str]) -> dict[str, str]:
    """A registry whose authority is made: its names are permanent."""
    authority = Path(environment["ASSAY_DATA_DIR"]) / "authority"
    authority.mkdir(parents=True)
    (authority / "trust-root.json").write_text(json.dumps(FIXED), encoding="utf-8")
    return environment


def test_everything_has_a_value(environment: dict[str, str]) -> None:
    deployment = fill_in(environment)
    assert deployment.port == 8000
    assert environment["ASSAY_PUBLIC_URL"] == "http://localhost:8000"
    assert environment["ASSAY_LEDGER_ORIGIN"] == "localhost:8000/ledger"
    assert environment["DATABASE_URL"].startswith("postgresql://assay@/assay?host=/")
    assert environment["BROKER_URL"].startswith("redis+socket:///")
    assert deployment.postgres is not None
    assert deployment.valkey is not None


def test_trustmarks_networks_are_given_to_the_generation_program(
    environment: dict[str, str], tmp_path: Path
) -> None:
    token = tmp_path / "token"
    assert "--trustmark" not in programs.generator(fill_in(environment), token).arguments
    environment["ASSAY_TRUSTMARK"] = str(tmp_path)
    command = programs.generator(fill_in(environment), token).arguments
    assert command[command.index("--trustmark") + 1] == str(tmp_path)


def test_servers_of_others_are_used_and_none_is_started(environment: dict[str, str]) -> None:
    environment |= {"DATABASE_URL": "postgresql://db/assay", "BROKER_URL": "redis://broker"}
    deployment = fill_in(environment)
    assert (deployment.postgres, deployment.valkey) == (None, None)
    assert environment["DATABASE_URL"] == "postgresql://db/assay"


def test_what_was_filled_in_once_is_still_our_own(environment: dict[str, str]) -> None:
    first = fill_in(environment)
    assert fill_in(environment) == first


def test_the_port_is_in_the_public_url(environment: dict[str, str]) -> None:
    environment["ASSAY_PORT"] = "8123"
    assert fill_in(environment).port == 8123
    assert environment["ASSAY_PUBLIC_URL"] == "http://localhost:8123"


@pytest.mark.parametrize("port", ["0", "65536", "http", "\uff18\uff10", "-1", "9" * 4301])
def test_a_port_that_is_none_is_refused(environment: dict[str, str], port: str) -> None:
    with pytest.raises(SupervisorError, match="ASSAY_PORT must be a port"):
        fill_in(environment | {"ASSAY_PORT": port})


def test_a_public_url_whose_port_is_none_is_refused(environment: dict[str, str]) -> None:
    with pytest.raises(SupervisorError, match=r"ASSAY_PUBLIC_URL must be like .* its port is none"):
        fill_in(environment | {"ASSAY_PUBLIC_URL": "http://h:99999"})


def test_the_names_in_the_certificates_stay(fixed: dict[str, str]) -> None:
    deployment = fill_in(fixed)
    assert deployment.public_url == "http://localhost:8123"
    assert deployment.port == 8123


def test_another_port_serves_the_same_registry(fixed: dict[str, str]) -> None:
    deployment = fill_in(fixed | {"ASSAY_PORT": "9000"})
    assert (deployment.port, deployment.public_url) == (9000, "http://localhost:8123")


def test_another_public_url_is_refused(fixed: dict[str, str]) -> None:
    with pytest.raises(SupervisorError, match="http://localhost:8123 for ever"):
        fill_in(fixed | {"ASSAY_PUBLIC_URL": "https://elsewhere.example"})


def test_a_secret_is_private_and_made_once(tmp_path: Path) -> None:
    first = secret_file(tmp_path / "key").read_text(encoding="ascii")
    assert secret_file(tmp_path / "key").read_text(encoding="ascii") == first
    assert len(first) > 60
    assert (tmp_path / "key").stat().st_mode & 0o777 == 0o600
