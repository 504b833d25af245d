# SPDX-License-Identifier: Apache-2.0
"""After a compromise stock clients refuse what was signed later, and accept what was before."""

from __future__ import annotations

import os
import subprocess
import time
from datetime import UTC, datetime
from pathlib import Path

import pytest

from tests.clients import test_a_private_sigstore as private
from tests.clients.test_a_private_sigstore import ALICE, PROGRAMS, ROOT, Desk, ours
from tests.registry.authority.test_the_compromise_drill import command
from tests.running import Authority
from tests.signing.oms.models import write_model

desk = private.desk
pytestmark = private.pytestmark


@pytest.fixture
def model(desk: Desk, authority: Authority) -> Path:
    """A model; the timestamp authority is one that this registry's rows know."""
    command(desk.live, "rotate", "timestamp", *authority.root_words)
    desk.fetch()
    return write_model(desk / "tiny")


def sign(desk: Desk, model: Path, name: str) -> Path:
    bundle = desk / name
    words = (PROGRAMS / "model_signing", "sign", "sigstore", model, "--signature", bundle)
    done = desk.run(*words, "--trust_config", desk.config, "--identity_token", desk.token())
    assert done.returncode == 0, done.stderr
    return bundle


def sign_file(desk: Desk, name: str) -> Path:
    bundle = desk / name
    words = ("sign", "--identity-token", desk.token(), "--bundle", bundle, desk / "weights")
    done = desk.sigstore(*words)
    assert done.returncode == 0, done.stderr
    return bundle


def model_signing(desk: Desk, model: Path, bundle: Path) -> int:
    words = (PROGRAMS / "model_signing", "verify", "sigstore", model, "--signature", bundle)
    who = ("--identity", ALICE, "--identity_provider", desk.issuer.url)
    return desk.run(*words, "--trust_config", desk.config, *who).returncode


def sigstore_python(desk: Desk, bundle: Path) -> int:
    words = ("verify", "identity", "--bundle", bundle, *desk.who(), desk / "weights")
    return desk.sigstore(*words).returncode


def verify_bundle(desk: Desk, bundle: Path) -> int:
    who = ("--certificate-identity", ALICE, "--certificate-oidc-issuer", desk.issuer.url)
    words = ("sigstore", "verify-bundle", "--bundle", bundle, *who)
    root = ("--trusted-root", desk / "trusted_root.json", desk / "weights")
    return subprocess.run(
        [str(each) for each in (ROOT / ".venv/bin/assay", *words, *root)],
        capture_output=True,
        check=False,
        timeout=private.SECONDS,
        env={**os.environ, "ASSAY_CONFIG": str(desk.folder)},
    ).returncode


def verdicts(desk: Desk, model: Path, name: str) -> dict[str, bool]:
    """By verifier, whether what was signed under this name is accepted."""
    signed, file = desk / f"{name}.model.sig", desk / f"{name}.file.json"
    return {
        "model_signing": model_signing(desk, model, signed) == 0,
        "sigstore-python": sigstore_python(desk, file) == 0,
        "assay verify-bundle": verify_bundle(desk, file) == 0,
        "assay oms": ours(desk, signed, model).returncode == 0,
    }


def signed(desk: Desk, model: Path, name: str) -> None:
    sign(desk, model, f"{name}.model.sig")
    sign_file(desk, f"{name}.file.json")


def test_a_lost_timestamp_key_proves_no_later_time(
    desk: Desk, authority: Authority, model: Path
) -> None:
    signed(desk, model, "before")
    time.sleep(1.1)
    since = datetime.now(UTC).replace(microsecond=0)
    time.sleep(1.1)
    signed(desk, model, "later")
    for name in ("before", "later"):
        assert all(verdicts(desk, model, name).values())
    words = ("--since", since.isoformat(), *authority.root_words)
    command(desk.live, "compromise", "timestamp", *words)
    command(desk.live, "rotate", "timestamp", *authority.root_words)
    desk.fetch()
    assert all(verdicts(desk, model, "before").values())
    assert not any(verdicts(desk, model, "later").values())
    signed(desk, model, "again")  # under the key that took its place
    assert all(verdicts(desk, model, "again").values())
