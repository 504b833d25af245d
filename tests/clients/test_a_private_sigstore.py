# SPDX-License-Identifier: Apache-2.0
"""Stock clients sign into the running registry and verify: sigstore, model_signing, sigstore-js.

Nothing of ours is between them and the server but its address: the registry says in its documents
that it is at http://localhost:8000, and here it is where a port was free.
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path

import pytest

from assay.signing.digests import sha256
from registry.supervisor import programs, waiting
from registry.supervisor.processes import Process
from tests.issuer import Issuer, running
from tests.needing import needs
from tests.running import Authority, Live, _deployment, _with, free_port
from tests.signing.oms.models import write_model

ROOT = Path(__file__).parents[2]
PROGRAMS = ROOT / ".venv-clients" / "bin"
SCRIPTS = Path(__file__).with_name("js")
NODE = shutil.which("node")
HERE = "http://localhost:8000"
ALICE = "https://example.test/alice"
SECONDS = 180
WEIGHTS = b"some weights"
STATEMENT = {
    "_type": "https://in-toto.io/Statement/v1",
    "subject": [{"name": "weights", "digest": {"sha256": sha256(WEIGHTS)}}],
    "predicateType": "https://example.test/v1",
    "predicate": {},
}

pytestmark = needs("clients")
needs_js = needs("js")


@dataclass(frozen=True, slots=True, kw_only=True)
class Desk:
    """A stranger's folder, with what the registry says of itself."""

    folder: Path
    live: Live
    issuer: Issuer

    def __truediv__(self, name: str) -> Path:
        return self.folder / name

    @property
    def config(self) -> Path:
        return self / "trust_config.json"

    def fetch(self) -> None:
        """What the registry says of itself by now, at the address where it is."""
        with self.live.client() as client:
            for name in ("trust_config.json", "trusted_root.json"):
                answer = client.get(f"/.well-known/assay/{name}")
                assert answer.headers["content-type"] == "application/json", answer.text
                found = answer.json()
                for services in found.get("signingConfig", {}).values():
                    for service in services if isinstance(services, list) else ():
                        service["url"] = service["url"].replace(HERE, self.live.url)
                (self / name).write_text(json.dumps(found))

    def token(self) -> str:
        return self.issuer.token()

    def run(self, *words: object) -> subprocess.CompletedProcess[str]:
        """A program in an environment of its own, which knows of no other Sigstore."""
        return subprocess.run(
            [str(word) for word in words],
            capture_output=True,
            text=True,
            check=False,
            timeout=SECONDS,
            cwd=self.folder,
            env={"HOME": str(self.folder), "PATH": os.environ["PATH"], "NO_PROXY": "*"},
        )

    def sigstore(self, *words: object) -> subprocess.CompletedProcess[str]:
        return self.run(PROGRAMS / "sigstore", "--trust-config", self.config, *words)

    def who(self, name: str = ALICE) -> tuple[str, ...]:
        return ("--cert-identity", name, "--cert-oidc-issuer", self.issuer.url)

    def js_signs(self, kind: str, bundle: str) -> subprocess.CompletedProcess[str]:
        source = "statement.json" if kind == "dsse" else "weights"
        words = (self.live.url, self.token(), kind, self / source, self / bundle)
        return self.run(NODE, SCRIPTS / "sign.mjs", *words)

    def js_verifies(self, *bundles: str, name: str = ALICE) -> list[str]:
        root = self / "trusted_root.json"
        words = (root, name, self.issuer.url, self / "weights", *(self / each for each in bundles))
        done = self.run(NODE, SCRIPTS / "verify.mjs", *words)
        assert len(done.stdout.split()) == len(bundles), done.stderr
        return done.stdout.split()


@pytest.fixture
def desk(live: Live, authority: Authority, tmp_path: Path) -> Iterator[Desk]:
    with running() as issuer:
        provider = {"name": "x", "issuer": issuer.url, "uses": ["signing"]}
        providers = Path(os.environ["ASSAY_OIDC_PROVIDERS"])
        providers.write_text(json.dumps({"providers": [provider]}))
        found = Desk(folder=tmp_path, live=live, issuer=issuer)
        found.fetch()
        (tmp_path / "weights").write_bytes(WEIGHTS)
        (tmp_path / "other").write_bytes(b"other weights")
        (tmp_path / "statement.json").write_text(json.dumps(STATEMENT))
        yield found
        providers.write_text('{"providers":[]}')


def test_sigstore_python_signs_and_verifies_a_file(desk: Desk) -> None:
    bundle = desk / "weights.sigstore.json"
    done = desk.sigstore(
        "sign", "--identity-token", desk.token(), "--bundle", bundle, desk / "weights"
    )
    assert done.returncode == 0, done.stderr
    check = ("verify", "identity", "--bundle", bundle)
    assert desk.sigstore(*check, *desk.who(), desk / "weights").returncode == 0
    assert desk.sigstore(*check, *desk.who(), desk / "other").returncode != 0
    assert desk.sigstore(*check, *desk.who("https://x.test/"), desk / "weights").returncode != 0


def kind_of(bundle: Path) -> str:
    (entry,) = json.loads(bundle.read_text())["verificationMaterial"]["tlogEntries"]
    return f"{entry['kindVersion']['kind']}/{entry['kindVersion']['version']}"


def test_model_signing_signs_and_verifies_a_model(desk: Desk) -> None:
    model, bundle = write_model(desk / "tiny"), desk / "model.sig"
    words = (PROGRAMS / "model_signing", "sign", "sigstore", model, "--signature", bundle)
    done = desk.run(*words, "--trust_config", desk.config, "--identity_token", desk.token())
    assert done.returncode == 0, done.stderr
    check = (
        *(PROGRAMS / "model_signing", "verify", "sigstore", model, "--signature", bundle),
        *("--trust_config", desk.config, "--identity_provider", desk.issuer.url),
    )
    assert desk.run(*check, "--identity", ALICE).returncode == 0
    assert desk.run(*check, "--identity", f"{ALICE}2").returncode != 0
    assert ours(desk, bundle, model).returncode == 0
    (model / "config.json").write_bytes(b"{] ")
    assert desk.run(*check, "--identity", ALICE).returncode != 0
    assert ours(desk, bundle, model).returncode == 20


def ours(desk: Desk, bundle: Path, model: Path) -> subprocess.CompletedProcess[str]:
    """What `assay` says of it, under the registry's own trusted root."""
    config = desk / "config" / "assay"
    config.mkdir(parents=True, exist_ok=True)
    shutil.copy(desk / "trusted_root.json", config / "sigstore-trusted-root.json")
    words = ("oms", "verify-model", "--method", "sigstore", "--model-path", model)
    who = ("--identity", ALICE, "--identity-provider", desk.issuer.url)
    environment = {**os.environ, "ASSAY_CONFIG": str(config)}
    return subprocess.run(
        [str(each) for each in (ROOT / ".venv/bin/assay", *words, "--bundle", bundle, *who)],
        capture_output=True,
        text=True,
        check=False,
        timeout=SECONDS,
        env=environment,
    )


@needs_js
def test_sigstore_js_signs_and_verifies_both(desk: Desk) -> None:
    for kind in ("message", "dsse"):
        done = desk.js_signs(kind, f"{kind}.json")
        assert done.returncode == 0, done.stderr
    assert kind_of(desk / "dsse.json") == "dsse/0.0.1"
    assert desk.js_verifies("message.json", "dsse.json") == ["verified", "verified"]
    check = ("verify", "identity", "--bundle", desk / "dsse.json", *desk.who())
    assert desk.sigstore(*check, desk / "weights").returncode == 0
    assert desk.sigstore(*check, desk / "other").returncode != 0
    assert desk.js_verifies("message.json", "dsse.json", name="https://example.test/bob") == [
        "refused",
        "refused",
    ]


@needs_js
def test_sigstore_js_is_told_why_it_is_refused(desk: Desk) -> None:
    words = (desk.live.url, desk.issuer.token("other"), "message", desk / "weights", desk / "x")
    done = desk.run(NODE, SCRIPTS / "sign.mjs", *words)
    assert done.returncode == 1
    assert "expected a token for sigstore, found one for 'other'" in done.stderr


@needs_js
def test_each_client_verifies_what_another_signed(desk: Desk) -> None:
    python = desk / "python.json"
    done = desk.sigstore(
        "sign", "--identity-token", desk.token(), "--bundle", python, desk / "weights"
    )
    assert done.returncode == 0, done.stderr
    assert desk.js_signs("message", "js.json").returncode == 0
    assert desk.js_verifies("python.json") == ["verified"]
    check = ("verify", "identity", "--bundle", desk / "js.json", *desk.who())
    assert desk.sigstore(*check, desk / "weights").returncode == 0
    (desk / "weights").write_bytes(b"other weights")
    assert desk.js_verifies("python.json") == ["refused"]
    assert desk.sigstore(*check, desk / "weights").returncode != 0


@pytest.fixture
def of_the_other_kind(desk: Desk) -> Iterator[Desk]:
    """The same registry, by a web server that logs envelopes as hashedrekord/0.0.2."""
    environment = {**desk.live.environment, "ASSAY_DSSE_ENTRY_KIND": "hashedrekord/0.0.2"}
    port = free_port()
    web = Process(_with(programs.web(_deployment(port)), environment))
    url = f"http://127.0.0.1:{port}"
    waiting.until_it_answers(web, waiting.is_healthy(url), expectation=f"{url}/readyz")
    yield replace(desk, live=replace(desk.live, url=url))
    web.stop()


@needs_js
def test_an_envelope_is_logged_in_the_kind_that_the_operator_chose(of_the_other_kind: Desk) -> None:
    desk = of_the_other_kind
    done = desk.js_signs("dsse", "dsse.json")
    assert done.returncode == 0, done.stderr
    assert kind_of(desk / "dsse.json") == "hashedrekord/0.0.2"
    check = ("verify", "identity", "--bundle", desk / "dsse.json", *desk.who())
    assert desk.sigstore(*check, desk / "weights").returncode == 0
    assert desk.sigstore(*check, desk / "other").returncode != 0
    # Of @sigstore/verify, 3.1.1 does not read it yet (4.1.3 does): why dsse/0.0.1 is the default.
    assert desk.js_verifies("dsse.json") == ["refused"]


def test_assay_signs_keyless_and_model_signing_verifies_it(desk: Desk) -> None:
    model, bundle = write_model(desk / "tiny"), desk / "model.sig"
    done = desk.run(
        *(ROOT / ".venv/bin/assay", "oms", "sign-model", "--method", "sigstore"),
        *("--model-path", model, "--output-bundle", bundle, "--trust-config", desk.config),
        *("--identity-token", desk.token()),
    )
    assert (done.returncode, done.stdout) == (0, ""), done.stderr
    check = (
        *(PROGRAMS / "model_signing", "verify", "sigstore", model, "--signature", bundle),
        *("--trust_config", desk.config, "--identity_provider", desk.issuer.url),
    )
    assert desk.run(*check, "--identity", ALICE).returncode == 0
    assert ours(desk, bundle, model).returncode == 0
    (model / "config.json").write_bytes(b"{] ")
    assert desk.run(*check, "--identity", ALICE).returncode != 0
