# SPDX-License-Identifier: Apache-2.0
"""`/outputs/sign` over HTTP: requests a second that are signed, durable and in a signed tree.

The whole path: token, scope, checkpoint, conduct, audit rows, idempotency key, evidence in each
answer. The load is this process, on the same cores; its peers are the same requests through Django,
which answers one at a time, and the signatures alone.
"""
# ruff: noqa: E402 - models can be imported only once Django is set up

import asyncio
import hashlib
import json
import os
import sys
import time
import uuid
from collections.abc import Callable, Mapping
from functools import partial

import django

django.setup()

from measuring import CORES, head, line, median, p99, processor_seconds
from publishing import programs_of

from assay.signing.keys import SoftwareKey
from registry.outputs.models import Output, State
from registry.supervisor.environment import fill_in
from tests.registry.outputs import world
from tests.registry.people import invite, secret_of
from tests.registry.pool.world import found

GOAL_PER_SECOND, GOAL_P99_MS = 800, 100
CONNECTIONS = 64
ALONE_CONNECTIONS = 8  # each holds one of the web server's ten of the database; more are refused
WARM_UP = 200
P256_SIGNATURES = 2000
CREATED = b"201"
TOGETHER = {"Accept": "*/*"}
# What else but JSON may be answered is Django's to decide: its view answers, one at a time.
ALONE = {"Accept": "application/json, */*"}


def main(rounds: int, count: int) -> None:
    """Each round: together, alone, and together at half of the rate that was found, and asked."""
    lab = found(invite())
    checkpoint = world.published(lab).manifest_sha256
    secret = secret_of(lab.people.bob, "outputs")
    with programs_of(fill_in(os.environ)) as port:

        def load(headers: Mapping[str, str], count: int, per_second: float = 0) -> list[float]:
            ask = request(port, secret, checkpoint, headers)
            connections = CONNECTIONS if headers is TOGETHER else ALONE_CONNECTIONS
            return asyncio.run(Load(port, ask, count, per_second).run(connections))

        load(TOGETHER, WARM_UP)
        load(ALONE, WARM_UP // 4)
        show_all(load, rounds, count)
    signed = Output.objects.filter(state=State.SIGNED).count()
    print(f"  {signed} outputs are signed")


def show_all(load: Callable[..., list[float]], rounds: int, count: int) -> None:
    """The rounds, and their medians."""
    columns = ("a second", "median ms", "99 of 100", "ms of CPU", "two idle")
    title = f"signed digests, {CONNECTIONS} connections (goal: {GOAL_PER_SECOND} a second"
    head(f"{title}; {GOAL_P99_MS} ms at half load)", *columns)
    rates: dict[str, list[float]] = {}
    for number in range(rounds):
        for name, headers, share in (("together", TOGETHER, 1), ("through Django", ALONE, 4)):
            rate = show(f"{name}, round {number + 1}", partial(load, headers, count // share))
            rates.setdefault(name, []).append(rate)
        for half in (median(rates["together"]) / 2, GOAL_PER_SECOND / 2):
            show(f"at {half:.0f} a second", partial(load, TOGETHER, count // 2, half))
    p256 = p256_alone()
    for name, measured in rates.items():
        line(f"median, {name}", median(measured))
    line("P-256 signatures alone, one core", p256)
    line("together, to Django's", median(rates["together"]) / median(rates["through Django"]))
    line("together, to P-256 alone", median(rates["together"]) / p256)


def show(text: str, load: Callable[[], list[float]]) -> float:
    """One measurement; the rate."""
    busy, began = processor_seconds(), time.perf_counter()
    took = load()
    seconds, spent = time.perf_counter() - began, processor_seconds() - busy
    rate = len(took) / seconds
    cost = spent / len(took)
    line(text, rate, median(took) * 1e3, p99(took) * 1e3, cost * 1e3, CORES / cost)
    return rate


def p256_alone() -> float:
    """Signatures a second, of what a statement's size is."""
    key, payload = SoftwareKey.generate(), os.urandom(1024)
    began = time.perf_counter()
    for _ in range(P256_SIGNATURES):
        key.sign(payload)
    return P256_SIGNATURES / (time.perf_counter() - began)


def request(
    port: int, secret: str, checkpoint: str, headers: Mapping[str, str]
) -> Callable[[], bytes]:
    """Makes the bytes of a request that is like no other."""
    lines = {
        "Host": f"127.0.0.1:{port}",
        "Authorization": f"Bearer {secret}",
        "Content-Type": "application/json",
        **headers,
    }
    start = "POST /api/v1/outputs/sign HTTP/1.1\r\n"
    start += "".join(f"{name}: {value}\r\n" for name, value in lines.items())
    seed = os.urandom(16)
    numbers = iter(range(1 << 40))

    def ask() -> bytes:
        digest = hashlib.sha256(seed + next(numbers).to_bytes(8, "big")).hexdigest()
        body = json.dumps(
            {
                "checkpoint": f"sha256:{checkpoint}",
                "media_type": "text/plain",
                "digests": {"sha256": digest},
            }
        )
        key = f"Idempotency-Key: {uuid.uuid4()}\r\nContent-Length: {len(body)}\r\n\r\n"
        return (start + key + body).encode()

    return ask


class Load:
    """So many requests: over each connection one after the other's answer, or so many a second."""

    def __init__(
        self, port: int, ask: Callable[[], bytes], count: int, per_second: float = 0
    ) -> None:
        self._port, self._ask, self._count, self._per_second = port, ask, count, per_second
        self._number = 0
        self._began = 0.0
        self._took: list[float] = []

    async def run(self, connections: int) -> list[float]:
        """The seconds that each took, from the moment at which it was due."""
        streams = [
            await asyncio.open_connection("127.0.0.1", self._port, limit=1 << 22)
            for _ in range(connections)
        ]
        self._began = time.perf_counter()
        await asyncio.gather(*(self._converse(*each) for each in streams))
        for _, writer in streams:
            writer.close()
        return self._took

    async def _converse(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        while self._number < self._count:
            number, self._number = self._number, self._number + 1
            due = time.perf_counter()
            if self._per_second:
                due = self._began + number / self._per_second
                await asyncio.sleep(max(0.0, due - time.perf_counter()))
            writer.write(self._ask())
            start = await reader.readuntil(b"\r\n\r\n")
            status, lowered = start.split(b" ", 2)[1], start.lower()
            _, _, rest = lowered.partition(b"content-length:")
            body = await reader.readexactly(int(rest.split(b"\r\n", 1)[0]))
            if status != CREATED:
                sys.exit(f"expected a signature, found {status!r}: {body[:500]!r}")
            self._took.append(time.perf_counter() - due)


if __name__ == "__main__":
    main(*map(int, sys.argv[1:]))
