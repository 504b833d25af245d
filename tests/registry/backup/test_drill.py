# SPDX-License-Identifier: Apache-2.0
"""The drill: a registry that serves is backed up, lost, restored elsewhere, and serves again."""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import replace
from pathlib import Path

import httpx
import pytest

from assay.signing.evidence import Evidence
from assay.signing.verify import verify_checkpoint
from registry.catalog import queries
from registry.supervisor import programs, waiting
from registry.supervisor.environment import fill_in
from registry.supervisor.processes import Process, Program
from tests.registry.backup import places
from tests.registry.backup.places import Place
from tests.registry.catalog.world import build, by_node, publish
from tests.registry.people import invite, secret_of
from tests.registry.verifying import demands
from tests.running import Authority, Live, free_port

pytestmark = pytest.mark.django_db(transaction=True)
CONTENT = b"written after the restoration"


@contextmanager
def served(place: Place) -> Iterator[httpx.Client]:
    """Signer and web server of a restored registry, with the keys that were unwrapped."""
    port = free_port()
    environment = {
        name: value for name, value in os.environ.items() if not name.startswith("ASSAY_")
    }
    environment |= {
        "ASSAY_DATA_DIR": str(place.data),
        "ASSAY_PORT": str(port),
        "DATABASE_URL": place.database_url,
    }
    deployment = fill_in(environment)

    def there(program: Program) -> Program:
        return replace(program, environment=environment | {"PYTHONUNBUFFERED": "1"})

    with ExitStack() as stack:
        stack.callback(deployment.places.tidy)
        signer = Process(there(programs.signer(deployment)))
        stack.callback(signer.stop)
        web = Process(there(programs.web(deployment)))
        stack.callback(web.stop)
        url = f"http://localhost:{port}"
        socket = deployment.places.signer_socket
        waiting.until_it_answers(signer, waiting.listens(socket), expectation="its socket")
        waiting.until_it_answers(web, waiting.is_healthy(url), expectation=f"{url}/readyz")
        yield stack.enter_context(httpx.Client(base_url=url, timeout=60))


def test_a_lost_registry_serves_verifies_and_takes_writes_again(
    live: Live, authority: Authority, tmp_path: Path
) -> None:
    checkpoint = publish(by_node(build(invite(), tmp_path / "texts")))
    files = queries.manifest(checkpoint)
    alice = secret_of(checkpoint.publisher, "publish")
    passphrase = tmp_path / "passphrase"
    passphrase.write_text("of the wrapping alone\n")
    passphrase.chmod(0o600)
    keys = (tmp_path / "keys", "--passphrase-file", passphrase)
    here = places.source()
    assert here.manage("backup", tmp_path / "backups").returncode == 0  # while it serves
    assert here.manage("keys", "wrap", *keys).returncode == 0
    with places.empty(tmp_path / "elsewhere") as place:
        assert place.manage("keys", "unwrap", *keys).returncode == 0
        restored = place.manage("restore", tmp_path / "backups")
        assert restored.returncode == 0, restored.stderr
        with served(place) as client:
            url = f"/api/v1/checkpoints/sha256:{checkpoint.manifest_sha256}"
            evidence = Evidence.parse(json.loads(client.get(f"{url}/evidence").content))
            verify_checkpoint(
                evidence, trust=authority.trust_root, requirements=demands(), files=files
            )
            assert client.get("/ledger/checkpoint").status_code == 200
            put = client.put(
                f"/api/v1/blobs/sha256:{hashlib.sha256(CONTENT).hexdigest()}",
                content=CONTENT,
                headers={"Authorization": f"Bearer {alice}"},
            )
            assert put.status_code == 201, put.text
        rebuilt = place.manage("ledger", "rebuild")
        assert rebuilt.returncode == 0, rebuilt.stderr
