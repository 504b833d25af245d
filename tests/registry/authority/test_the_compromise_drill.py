# SPDX-License-Identifier: Apache-2.0
"""The drill, on real processes: a key is lost, signing stops, is revoked, and comes back."""

from __future__ import annotations

import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from django.db import connection

from assay.signing import crls
from assay.signing.certificates import Chain, Purpose
from assay.signing.errors import SignerError
from assay.signing.intermediates import Name
from assay.signing.revocation import Reason, Revoked, Status
from assay.signing.statements import REVOCATION_V1
from registry.authority import issuing
from registry.ledger import certificates
from registry.ledger import services as ledger
from registry.ledger.certificates import Wanted
from registry.ledger.models import Statement
from tests.running import Authority, Live
from tests.signing.signer.worlds import POLICY, output_statement
from tests.thorough import thorough
from tests.until import until

pytestmark = thorough

ROOT = Path(__file__).parents[3]
STOPPED_WITHIN_SECONDS = 120.0  # issue 3: signing stops within two minutes,
ROTATED_WITHIN_SECONDS = 900.0  # and another key signs within fifteen
SECONDS = 180
LEAVES = 3


def issue(authority: Authority, name: str) -> Chain:
    """A leaf as publishing makes it, and its row."""
    subject = f"{authority.trust_root.registry}/{name}"
    chain = certificates.issue(
        Wanted(purpose=Purpose.OUTPUT, subject=subject, conduct_sha256=POLICY)
    )
    issuing.keep(chain, Purpose.OUTPUT, subject)
    return chain


@dataclass(slots=True)
class Customers:
    """Somebody who has outputs signed all the time, and notes when that ended and began again."""

    subject: str
    has_signed: bool = False
    refused_at: float | None = None
    signed_again_at: float | None = None
    codes: set[str] = field(default_factory=set)
    ended: threading.Event = field(default_factory=threading.Event)

    def has_returned(self) -> bool:
        return self.signed_again_at is not None

    def ask(self) -> None:
        client = ledger.signer()
        wanted = Wanted(purpose=Purpose.OUTPUT, subject=self.subject, conduct_sha256=POLICY)
        while not self.ended.wait(0.02):
            try:
                certificates.ensure(wanted)
                client.sign(Purpose.OUTPUT, self.subject, output_statement(), POLICY)
            except SignerError as error:
                self.codes.add(error.reason)
                self.refused_at = self.refused_at or time.monotonic()
            else:
                self.has_signed = True
                if self.refused_at is not None and self.signed_again_at is None:
                    self.signed_again_at = time.monotonic()
        connection.close()  # this thread's own


@contextmanager
def asking(subject: str) -> Iterator[Customers]:
    customers = Customers(subject=subject)
    thread = threading.Thread(target=customers.ask)
    thread.start()
    try:
        yield customers
    finally:
        customers.ended.set()
        thread.join()


def command(live: Live, *words: str) -> str:
    """In a process of its own; not by manage.py, which would start servers and stop them."""
    done = subprocess.run(
        (sys.executable, "-m", "django", "authority", *words),
        cwd=ROOT,
        env={**live.environment, "DJANGO_SETTINGS_MODULE": "registry.settings"},
        capture_output=True,
        text=True,
        check=False,
        timeout=SECONDS,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


def status(live: Live, chain: Chain, name: str) -> Status:
    with live.client() as client:
        content = client.get(f"/authority/crl/{name}.crl").content
    now = datetime.now(UTC)
    return crls.status_of(chain.leaf, issuer=chain.intermediate, lists=[content], at=now)


def test_the_drill(live: Live, authority: Authority, capsys: pytest.CaptureFixture[str]) -> None:
    chains = [issue(authority, f"person-{number}") for number in range(LEAVES)]
    since = datetime.now(UTC).replace(microsecond=0) - timedelta(hours=1)
    with asking(f"{authority.trust_root.registry}/customer") as customers:
        until(lambda: customers.has_signed)  # with a certificate of their own: one more to revoke
        began = time.monotonic()
        said = command(
            live, "compromise", "output", "--since", since.isoformat(), *authority.root_words
        )
        revoked = time.monotonic()
        for chain in chains:  # (b) by whoever asks the running registry
            found = status(live, chain, "output")
            assert isinstance(found, Revoked)
            assert (found.reason, found.counts_from) == (Reason.KEY_COMPROMISE, since)
        assert is_revoked_by_root(live, authority, chains[0])
        assert not customers.has_returned()
        rotating = time.monotonic()
        command(live, "rotate", "output", *authority.root_words)
        until(customers.has_returned)
    assert customers.codes == {"purpose-stopped"}
    assert customers.refused_at is not None
    assert customers.signed_again_at is not None
    until(lambda: logged() == LEAVES + 2)  # leaves, the customers' one, the intermediate
    assert said.splitlines()[0] == "output is stopped: it signs no more"
    assert f"{LEAVES + 1} of its certificates are revoked, listed and logged" in said
    assert Name.of(issue(authority, "person-0").intermediate).number == 2
    stopped = customers.refused_at - began
    back = customers.signed_again_at - rotating
    with capsys.disabled():
        print(  # noqa: T201 - the measured drill, for whoever reads the run
            f"\ncompromise drill: stopped after {stopped:.1f} s, revoked and served after "
            f"{revoked - began:.1f} s, another key signs {back:.1f} s after its rotation began"
        )
    assert stopped < STOPPED_WITHIN_SECONDS
    assert customers.signed_again_at - began < ROTATED_WITHIN_SECONDS


def is_revoked_by_root(live: Live, authority: Authority, chain: Chain) -> bool:
    with live.client() as client:
        content = client.get("/authority/crl/root.crl").content
    root, now = authority.trust_root.root, datetime.now(UTC)
    found = crls.status_of(chain.intermediate, issuer=root, lists=[content], at=now)
    return isinstance(found, Revoked) and found.reason is Reason.CA_COMPROMISE


def logged() -> int:
    """Statements about revocations that a signed tree head includes."""
    statements = Statement.objects.filter(predicate_type=REVOCATION_V1)
    return statements.filter(entry__index__isnull=False).count()
