# SPDX-License-Identifier: Apache-2.0
"""Behind nginx that reads blobs itself: the same answers, byte for byte and header for header."""

from __future__ import annotations

import os
import shutil
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

import httpx
import pytest

from assay.signing.digests import sha256
from registry.api.bodies import cap_of
from registry.supervisor import programs, waiting
from registry.supervisor.processes import Process
from tests.house.test_compose import nginx_files
from tests.needing import forbidden, require
from tests.registry.catalog.world import FILES, World, build, by_person, publish
from tests.registry.people import invite, secret_of
from tests.running import Authority, _deployment, _test_database_url, free_port
from tests.until import until

pytestmark = pytest.mark.django_db(transaction=True)

OWN = {"date", "server", "connection", "x-request-id", "vary", "transfer-encoding"}


@pytest.fixture
def world(transactional_db: None, authority: Authority, tmp_path: Path) -> World:
    found = build(invite(), tmp_path / "texts")
    publish(by_person(found))
    return found


@contextmanager
def serving(**settings: str) -> Iterator[httpx.Client]:
    """A web server, which believes its proxy."""
    deployment = _deployment(free_port())
    program = programs.web(deployment)
    own = {**os.environ, "DATABASE_URL": _test_database_url(), "ASSAY_BEHIND_PROXY": "yes"}
    web = Process(replace(program, environment={**program.environment, **own, **settings}))
    url = programs.local_url(deployment)
    try:
        waiting.until_it_answers(web, waiting.is_healthy(url), expectation=f"{url}/readyz")
        with httpx.Client(base_url=url, timeout=60, trust_env=False) as client:
            yield client
    finally:
        web.stop()


@pytest.fixture
def bare(world: World) -> Iterator[httpx.Client]:
    """One that sends blobs itself."""
    with serving() as client:
        yield client


@pytest.fixture
def behind(world: World) -> Iterator[httpx.Client]:
    """One that leaves them to nginx."""
    with serving(ASSAY_BLOBS_LOCATION="/stored-blobs/") as client:
        yield client


@pytest.fixture
def fronted(behind: httpx.Client, tmp_path: Path) -> Iterator[httpx.Client]:
    """Through nginx, with docker/nginx.conf as it is but for the addresses and the folder."""
    require("nginx")
    program = str(shutil.which("nginx"))
    if os.geteuid() != 0:
        forbidden("only root may start nginx as it is")
    port = free_port()
    places = (
        ("listen 80;", f"listen 127.0.0.1:{port};"),
        ("127.0.0.1:8000", f"127.0.0.1:{behind.base_url.port}"),
    )
    config = nginx_files(tmp_path, *places)
    process = subprocess.Popen((program, "-c", str(config)), stderr=subprocess.DEVNULL)
    try:
        url = f"http://127.0.0.1:{port}"
        with httpx.Client(base_url=url, timeout=60, trust_env=False) as client:
            until(lambda: _answers(client))
            yield client
    finally:
        process.terminate()
        process.wait()


def _answers(client: httpx.Client) -> bool:
    try:
        return client.get("/livez").status_code > 0
    except httpx.TransportError:
        return False


def said(answer: httpx.Response) -> dict[str, str]:
    """A part says by itself that there are parts: nginx does not say so again."""
    left_out = OWN | ({"accept-ranges"} if answer.status_code == 206 else set())
    return {name: value for name, value in answer.headers.items() if name not in left_out}


ADDRESSES = (
    "/lab/small/resolve/main/model.safetensors",
    "/lab/small/first/files/config.json",
    "/v2/lab/small/blobs/sha256:{sha256}",
    "/api/v1/blobs/sha256:{sha256}",
)
ASKED: tuple[dict[str, str], ...] = (
    {},
    {"Range": "bytes=2-5"},
    {"Range": "bytes=-3"},
    {"Range": "bytes=0-0"},
    {"Range": "bytes=2-5", "If-Range": '"{etag}"'},
    {"Range": "bytes=2-5", "If-Range": '"another"'},
    {"Range": "bytes=2-5", "If-Range": "Sat, 21 Nov 2026 11:00:00 GMT"},
    {"If-None-Match": '"{etag}"'},
    {"If-Modified-Since": "Sat, 21 Nov 2099 11:00:00 GMT"},
    {"Range": "bytes=999999-"},
)


def test_answers_are_the_same(bare: httpx.Client, fronted: httpx.Client, world: World) -> None:
    digest = sha256(FILES["model.safetensors"])
    for address in (each.format(sha256=digest) for each in ADDRESSES):
        assert bare.head(address).status_code == 200, (address, bare.get(address).text)
        etag = bare.head(address).headers["etag"].strip('"')
        for method in ("GET", "HEAD"):
            for asked in ASKED:
                headers = {name: value.format(etag=etag) for name, value in asked.items()}
                one = bare.request(method, address, headers=headers)
                other = fronted.request(method, address, headers=headers)
                assert other.status_code == one.status_code, (method, address, asked)
                assert other.content == one.content, (method, address, asked)
                assert said(other) == said(one), (method, address, asked)


def test_it_is_nginx_that_reads(bare: httpx.Client, fronted: httpx.Client, world: World) -> None:
    """What the registry sent itself would say with a part that there are parts."""
    asked = {"Range": "bytes=2-5"}
    for address in (each.format(sha256=sha256(FILES["model.safetensors"])) for each in ADDRESSES):
        assert "accept-ranges" in bare.get(address, headers=asked).headers
        assert "accept-ranges" not in fronted.get(address, headers=asked).headers


def test_who_may_not_read_reads_nothing(
    fronted: httpx.Client, behind: httpx.Client, bare: httpx.Client, world: World
) -> None:
    content, secret = b"what Alice alone has sent", secret_of(world.people.alice, "publish", "read")
    address = f"/api/v1/blobs/sha256:{sha256(content)}"
    alices = {"Authorization": f"Bearer {secret}"}
    assert fronted.put(address, content=content, headers=alices).status_code == 201
    assert fronted.get(address).status_code == 404
    place = f"/stored-blobs/{sha256(content)[:2]}/{sha256(content)}"
    assert fronted.get(place).status_code == 404
    assert fronted.get(address, headers=alices).content == content
    # What a client claims is believed by neither; who asks past nginx is told a name alone.
    told = {**alices, "X-Accel-Location": "/elsewhere/"}
    assert fronted.get(address, headers=told).content == content
    assert bare.get(address, headers=told).content == content
    assert behind.get(address, headers=told).headers["x-accel-redirect"] == place


def test_links_lead_back_through_it(fronted: httpx.Client, world: World) -> None:
    publish(by_person(world, "second", {"README.md": b"# Again\n"}))
    page = fronted.get("/api/v1/projects/lab/small/checkpoints", params={"page_size": 1}).json()
    assert httpx.URL(page["next"]).netloc == fronted.base_url.netloc
    assert len(fronted.get(page["next"]).json()["results"]) == 1


@pytest.mark.parametrize(("over", "status"), [(0, 422), (1, 413)])
def test_the_registry_alone_bounds_what_is_sent(
    fronted: httpx.Client, world: World, over: int, status: int
) -> None:
    secret = secret_of(world.people.alice, "outputs")
    headers = {"Authorization": f"Bearer {secret}", "Content-Type": "application/x-ndjson"}
    path = "/api/v1/outputs/batch"
    answer = fronted.post(path, content=b" " * (cap_of(path) + over), headers=headers)
    assert (answer.status_code, answer.json()["status"]) == (status, status)
