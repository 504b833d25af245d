# SPDX-License-Identifier: Apache-2.0
"""Batches of outputs over HTTP: from the first byte sent until the last proof is there."""
# ruff: noqa: E402 - models can be imported only once Django is set up

import hashlib
import http.client
import json
import os
import sys
import time

import django

django.setup()

from django.utils import timezone
from measuring import CORES, head, line, median, processor_seconds
from publishing import programs_of

from assay.signing.certificates import Purpose
from assay.signing.evidence import Evidence
from assay.signing.tlog import Proof
from assay.signing.verify import Basis, Content, Requirements, examine_batched
from registry.authority import queries as authority
from registry.authority import revocations
from registry.outputs.batches.lines import MEDIA_TYPE
from registry.supervisor.environment import fill_in
from tests.registry.outputs import world
from tests.registry.people import invite, secret_of
from tests.registry.pool.world import found

GOAL_PER_SECOND = 20_000
PATH = "/api/v1/outputs/batch"
WARM_UP = 1000
CREATED = 201


def main(rounds: int, count: int) -> None:
    """One batch after another."""
    lab = found(invite())
    checkpoint = world.published(lab).manifest_sha256
    secret = secret_of(lab.people.bob, "outputs")
    rates: list[float] = []
    columns = ("a second", "s", "s, 1st line", "MB", "two idle")
    with programs_of(fill_in(os.environ)) as port:
        head(f"batches of {count} outputs (goal: {GOAL_PER_SECOND} a second)", *columns)
        batch(secret, port, checkpoint, WARM_UP)
        for number in range(rounds):
            busy = processor_seconds() - time.process_time()
            took, first, size_bytes = batch(secret, port, checkpoint, count)
            spent = processor_seconds() - time.process_time() - busy
            rates.append(count / took)
            idle = CORES * count / spent
            line(f"round {number + 1}", count / took, took, first, size_bytes / 1e6, idle)
    line("median", median(rates))


def batch(secret: str, port: int, checkpoint: str, count: int) -> tuple[float, float, int]:
    """Seconds until the last line and until the first, and the bytes of all of them."""
    seed = os.urandom(16)
    contents = [seed + number.to_bytes(4, "big") for number in range(count)]
    header = {"checkpoint": f"sha256:{checkpoint}", "media_type": "application/octet-stream"}
    rows = (json.dumps({"sha256": hashlib.sha256(each).hexdigest()}) for each in contents)
    body = "\n".join([json.dumps(header), *rows, ""]).encode()
    connection = http.client.HTTPConnection("127.0.0.1", port)
    began = time.perf_counter()
    headers = {"Authorization": f"Bearer {secret}", "Content-Type": MEDIA_TYPE}
    connection.request("POST", PATH, body, headers)
    answer = connection.getresponse()
    if answer.status != CREATED:
        sys.exit(f"expected a batch, found {answer.read(500).decode()}")
    evidence = json.loads(answer.readline())["evidence"]
    first = time.perf_counter() - began
    rest = answer.read()
    took = time.perf_counter() - began
    *_, last = lines = rest.splitlines()
    if len(lines) != count:
        sys.exit(f"expected {count} proofs, found {len(lines)}")
    examine_batched(
        Evidence.parse(evidence),
        Proof.parse(json.loads(last)["proof"]),
        basis=Basis(
            trust=authority.trust_root(),
            requirements=Requirements(as_of=timezone.now()),
            lists=revocations.stapled(Purpose),
        ),
        content=Content.of(contents[-1]),
    ).verdict()
    return took, first, len(rest)


if __name__ == "__main__":
    main(*map(int, sys.argv[1:]))
