# SPDX-License-Identifier: Apache-2.0
"""Measures transfers: files down and up beside nginx and Debian's docker-registry, in turns.

`./run bench transfers [--gib 1] [--upload-gib 2] [--rounds 5]` starts a registry of its own with
its web server, nginx (Debian's) with the same file, and before the registry as docker/blobs.conf
has it, and docker-registry where it is installed. A client fetches one file from each, and sends
one to each, in turns, ROUNDS times; it ends with medians and ratios, and with what each of eight
transfers at once adds to the web server's memory. The goals: 0.7 of nginx by the embedded server,
0.95 through nginx, as fast as docker-registry, 64 MiB. (The hash's cost: `./run bench hashing`.)
"""

import argparse
import hashlib
import os
import re
import shutil
import socket
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from urllib.parse import urljoin, urlsplit

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from ledger import free_port, registry

from registry.supervisor import programs, waiting
from registry.supervisor.environment import CHECKOUT, Deployment, fill_in
from registry.supervisor.processes import Process

BLOCK_BYTES = 16 << 20
AT_ONCE = 8
MIB = 1 << 20
GOALS = {"embedded": 0.7, "through nginx": 0.95, "upload": 1.0}
NGINX = """
user root;
worker_processes auto;
daemon off;
pid {folder}/nginx.pid;
error_log {folder}/nginx.log;
events {{ }}
http {{
    access_log off;
    sendfile on;
    tcp_nopush on;
    client_body_temp_path {folder}/body;
    proxy_temp_path {folder}/proxy;
    upstream web {{ server 127.0.0.1:{web}; keepalive 32; }}
    server {{
        listen 127.0.0.1:{port};
        location /bare/ {{ alias {folder}/bare/; }}
        proxy_http_version 1.1;
        proxy_set_header Host $host;
        proxy_set_header Connection "";
        location /api/ {{ proxy_pass http://web; }}
        include {folder}/blobs.conf;
    }}
}}
"""
DOCKER = """
version: 0.1
log: {{level: error}}
storage: {{filesystem: {{rootdirectory: {folder}/docker}}}}
http: {{addr: 127.0.0.1:{port}}}
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class File:
    """What is fetched and sent."""

    path: Path
    sha256: str

    @classmethod
    def of(cls, path: Path, size_bytes: int) -> "File":
        """Of one random block, each time with its number: no two are the same."""
        block, digest = os.urandom(BLOCK_BYTES - 8), hashlib.sha256()
        path.parent.mkdir(exist_ok=True)
        with path.open("wb") as file:
            for number in range(size_bytes // BLOCK_BYTES):
                for piece in (number.to_bytes(8, "big"), block):
                    digest.update(piece)
                    file.write(piece)
        return cls(path=path, sha256=digest.hexdigest())

    @property
    def blob(self) -> str:
        """Its address at a registry of ours."""
        return f"/api/v1/blobs/sha256:{self.sha256}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """A registry that runs, whoever may write to it, and nginx before it."""

    folder: Path
    url: str
    nginx: str
    secret: str
    web: Process

    def get(self, url: str) -> float:
        """Seconds that one download took: of a client that costs less than any server."""
        return self._timed("GET", url, None)

    def put(self, url: str, path: Path) -> float:
        """Seconds that one upload took, until it was acknowledged."""
        return self._timed("PUT", url, path)

    def _timed(self, method: str, url: str, path: Path | None) -> float:
        place, began = urlsplit(url), time.perf_counter()
        length = path.stat().st_size if path else 0
        target = url.partition(place.netloc)[2]
        head = (
            f"{method} {target} HTTP/1.1\r\nHost: {place.netloc}\r\nContent-Length: {length}\r\n"
            f"Content-Type: application/octet-stream\r\nAuthorization: Bearer {self.secret}\r\n"
            "Connection: close\r\n\r\n"
        )
        with socket.create_connection((place.hostname, place.port)) as to:
            to.sendall(head.encode())
            if path is not None:
                with path.open("rb") as file:
                    to.sendfile(file)
            _read(to)
        return time.perf_counter() - began


def _read(source: socket.socket) -> None:
    """One answer to its end; ends the benchmark for what is no success, or was cut off."""
    view = memoryview(bytearray(MIB))
    size = source.recv_into(view)
    head, _, body = bytes(view[:size]).partition(b"\r\n\r\n")
    if head.split()[1] not in {b"200", b"201"}:
        sys.exit(f"expected a transfer, found {head.decode()}")
    lengths = re.search(rb"(?i)content-length: *([0-9]+)", head)
    left = int(lengths[1]) - len(body) if lengths else 0
    while left > 0 and (size := source.recv_into(view)):
        left -= size
    if left:
        sys.exit(f"expected {left} more bytes")


def main() -> None:
    """Down, up, then memory."""
    words = argparse.ArgumentParser(prog="./run bench transfers", description=__doc__)
    words.add_argument("--gib", type=float, default=1.0, help="of the file that is fetched")
    words.add_argument("--upload-gib", type=float, default=2.0, help="of the file that is sent")
    words.add_argument("--rounds", type=int, default=5)
    given = words.parse_args()
    if shutil.which("nginx") is None:
        sys.exit("nginx is not installed (Debian: apt-get install nginx)")
    os.environ.pop("PYTHONDONTWRITEBYTECODE", None)
    with ExitStack() as stack:
        name = stack.enter_context(tempfile.TemporaryDirectory(prefix="assay-bench-"))
        stack.enter_context(registry(Path(name)))
        place = stack.enter_context(started(Path(name)))
        down = File.of(place.folder / "bare" / "down", int(given.gib * (1 << 30)))
        place.put(place.url + down.blob, down.path)
        download(place, down, given.rounds)
        up = File.of(place.folder / "up", int(given.upload_gib * (1 << 30)))
        upload(place, up, given.rounds)
        memory(place, down)


def download(place: Place, file: File, rounds: int) -> None:
    """The same file by the embedded server, through nginx, and by nginx alone."""
    bare = f"{place.nginx}/bare/{file.path.name}"
    ways = {
        "nginx": lambda: place.get(bare),
        "embedded": lambda: place.get(place.url + file.blob),
        "through nginx": lambda: place.get(place.nginx + file.blob),
    }
    contest(f"download of {file.path.stat().st_size / 2**30:.1f} GiB", ways, rounds, file)


def upload(place: Place, file: File, rounds: int) -> None:
    """The same blob to ours and to docker-registry: received, hashed, and on the disk."""
    program = shutil.which("docker-registry")
    ways = {"upload": lambda: place.put(place.url + file.blob, file.path)}
    title = f"upload of {file.path.stat().st_size / 2**30:.1f} GiB"
    if program is None:
        print("\ndocker-registry is not installed (Debian: apt-get install docker-registry)")
        contest(title, ways, rounds, file)
        return
    with docker(place.folder, program) as url:
        peer = {"docker-registry": lambda: _push(place, url, file)}
        contest(title, {**peer, **ways}, rounds, file)


def contest(title: str, ways: Mapping[str, Callable[[], float]], rounds: int, file: File) -> None:
    """One warm-up of each, then in turns; the first is the peer."""
    size_bytes, (peer, *_) = file.path.stat().st_size, ways
    print(f"\n{title}: GB/s, client and server on this machine")
    line("", *ways)
    for way in ways.values():
        way()
    found: list[dict[str, float]] = []
    for number in range(rounds):
        found.append({name: size_bytes / way() / 1e9 for name, way in ways.items()})
        line(f"round {number + 1}", *found[-1].values())
    line("median", *(statistics.median(each[name] for each in found) for name in ways))
    for name in [each for each in ways if each in GOALS and each != peer]:
        ratio = statistics.median(each[name] / each[peer] for each in found)
        print(f"  {name} to {peer}: {ratio:.2f} (goal: {GOALS[name]})", flush=True)


def memory(place: Place, file: File) -> None:
    """The peak of the web server's processes, above what they had before."""
    print(f"\nmemory that each of {AT_ONCE} transfers at once adds to the web server, MiB")
    for title, words in (
        ("download", (place.url + file.blob,)),
        ("upload", ("-T", str(file.path), place.url + file.blob)),
    ):
        before = _resident(place.web)
        bearer = ("-H", f"Authorization: Bearer {place.secret}")
        command = ("curl", "-sSf", "-o", "/dev/null", *bearer, *words)
        running = [subprocess.Popen(command) for _ in range(AT_ONCE)]
        codes = [each.wait() for each in running]
        if any(codes):
            sys.exit("a transfer failed")
        line(f"{title} (goal: at most 64)", (_peak(place.web) - before) / AT_ONCE / MIB)


@contextmanager
def started(folder: Path) -> Iterator[Place]:
    """A web server, another that leaves blobs to nginx, and a person's token."""
    os.environ |= {"ASSAY_STORAGE_QUOTA": "1T"}
    deployment, port = fill_in(os.environ), free_port()
    manage = (sys.executable, str(CHECKOUT / "manage.py"))
    run(*manage, "user", "create", "writer", "--no-password")
    said = run(*manage, "token", "issue", "writer", "--scope", "publish", "--scope", "read")
    secret = next(word for word in said.split() if word.startswith("assay_"))
    blobs = (CHECKOUT / "docker" / "blobs.conf").read_text()
    data = deployment.places.data
    (folder / "blobs.conf").write_text(blobs.replace("/data/blobs/", f"{data}/blobs/"))
    behind = replace(deployment, port=free_port())
    (folder / "nginx.conf").write_text(NGINX.format(folder=folder, web=behind.port, port=port))
    with ExitStack() as stack:
        web = stack.enter_context(_web(deployment))
        leaves_blobs = {"ASSAY_BEHIND_PROXY": "yes", "ASSAY_BLOBS_LOCATION": "/stored-blobs/"}
        stack.enter_context(_web(behind, **leaves_blobs))
        stack.enter_context(_running("nginx", "-c", str(folder / "nginx.conf")))
        nginx = f"http://127.0.0.1:{port}"
        _until_open(nginx)
        url = programs.local_url(deployment)
        yield Place(folder=folder, url=url, nginx=nginx, secret=secret, web=web)


@contextmanager
def _web(deployment: Deployment, **settings: str) -> Iterator[Process]:
    program, url = programs.web(deployment), programs.local_url(deployment)
    web = Process(replace(program, environment={**program.environment, **settings}))
    try:
        waiting.until_it_answers(web, waiting.is_healthy(url), expectation=f"{url}/readyz")
        yield web
    finally:
        web.stop()


@contextmanager
def docker(folder: Path, program: str) -> Iterator[str]:
    """Debian's docker-registry."""
    port, config = free_port(), folder / "docker.yml"
    config.write_text(DOCKER.format(folder=folder, port=port))
    with _running(program, "serve", str(config)):
        url = f"http://127.0.0.1:{port}"
        _until_open(f"{url}/v2/")
        yield url


def _push(place: Place, url: str, file: File) -> float:
    """As docker pushes a blob in one piece."""
    begun = ("curl", "-sf", "-X", "POST", "-o", "/dev/null", "-w", "%header{location}")
    location = urljoin(url, run(*begun, f"{url}/v2/x/blobs/uploads/"))
    mark = "&" if "?" in location else "?"
    to = f"{location}{mark}digest=sha256:{file.sha256}"
    return place.put(to, file.path)


@contextmanager
def _running(*command: str) -> Iterator[None]:
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        yield
    finally:
        process.terminate()
        process.wait()


def _until_open(url: str) -> None:
    run(
        "curl",
        "-s",
        "-o",
        "/dev/null",
        "--retry",
        "50",
        "--retry-connrefused",
        "--retry-delay",
        "1",
        url,
    )


def _resident(web: Process) -> int:
    """Bytes that the web server's processes have now; from here on their peak is counted anew."""
    for status in _processes(web):
        (status / "clear_refs").write_text("5")
    return _sum(web, "VmRSS")


def _peak(web: Process) -> int:
    return _sum(web, "VmHWM")


def _sum(web: Process, name: str) -> int:
    lines = [row for each in _processes(web) for row in (each / "status").read_text().splitlines()]
    return sum(int(row.split()[1]) << 10 for row in lines if row.startswith(f"{name}:"))


def _processes(web: Process) -> list[Path]:
    own = Path(f"/proc/{web.pid}")
    children = (own / "task" / str(web.pid) / "children").read_text().split()
    return [own, *(Path(f"/proc/{pid}") for pid in children)]


def run(*command: str) -> str:
    """What a program that must end well prints."""
    return subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True).stdout


def line(text: str, *values: float | str) -> None:
    """One measured line."""
    cells = (f"{v:>17}" if isinstance(v, str) else f"{v:17.2f}" for v in values)
    print(f"  {text:<26}{''.join(cells)}", flush=True)


if __name__ == "__main__":
    main()
