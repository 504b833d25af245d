# SPDX-License-Identifier: Apache-2.0
"""aria2 and libtorrent, unmodified: they fetch by our documents, and repair what is broken."""

from __future__ import annotations

import hashlib
import json
import os
import subprocess
from pathlib import Path

import pytest

from tests.needing import SYSTEM_PYTHON, needs
from tests.registry.catalog.world import World, build, by_person, publish
from tests.registry.people import invite
from tests.running import Authority, Live, free_port

SECONDS = 120
NAME = "weights.safetensors"
COUNT = 5_000_000  # twenty pieces
# Says what libtorrent makes of a torrent, and of the file that it is about.
EXAMINE = """
import json, sys
import libtorrent as lt
torrent, file = sys.argv[1:]
theirs = lt.file_storage()
lt.add_files(theirs, file)
made = lt.create_torrent(theirs, 262144)
lt.set_piece_hashes(made, file.rpartition('/')[0])
expected = lt.torrent_info(made.generate())
ours = lt.torrent_info(torrent)
hashes = ours.info_hashes()
said = {'v1': hashes.has_v1(), 'v2': hashes.has_v2(), 'seeds': [s['url'] for s in ours.web_seeds()]}
said['same'] = str(ours.info_hashes().v2) == str(expected.info_hashes().v2)
said['pieces'] = all(
    ours.hash_for_piece(n) == expected.hash_for_piece(n) for n in range(ours.num_pieces())
)
said['count'] = ours.num_pieces()
print(json.dumps(said))
"""
FETCH = """
import sys, time
import libtorrent as lt
torrent, folder, port = sys.argv[1:]
session = lt.session({
    'listen_interfaces': f'127.0.0.1:{port}', 'enable_dht': False, 'enable_lsd': False,
    'enable_upnp': False, 'enable_natpmp': False, 'ssrf_mitigation': False,
})
handle = session.add_torrent({'ti': lt.torrent_info(torrent), 'save_path': folder})
for _ in range(600):
    if handle.status().is_seeding:
        sys.exit(0)
    time.sleep(0.1)
sys.exit(f'{handle.status().progress:.0%}: {handle.status().errc.message()}')
"""

pytestmark = pytest.mark.django_db(transaction=True)
needs_aria2 = needs("aria2c")

needs_libtorrent = needs("libtorrent")


def weights() -> bytes:
    header = b'{"x":{"dtype":"U8","shape":[%d],"data_offsets":[0,%d]}}' % (COUNT, COUNT)
    numbers = b"".join(b"%07d " % number for number in range(COUNT // 8))
    return len(header).to_bytes(8, "little") + header + numbers


CONTENT = weights()


@pytest.fixture
def world(live: Live, authority: Authority, tmp_path: Path) -> World:
    found = build(invite(), tmp_path / "texts")
    publish(by_person(found, files={NAME: CONTENT}))
    return found


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "fetched").mkdir()
    return tmp_path / "fetched"


def document(live: Live, folder: Path, kind: str) -> Path:
    with live.client() as client:
        content = client.get(f"/lab/small/resolve/main/{NAME}?as={kind}").content
    path = folder.with_name(f"file.{kind}")
    path.write_bytes(content)
    return path


def ran(*words: object) -> str:
    done = subprocess.run(
        [str(word) for word in words],
        capture_output=True,
        text=True,
        check=False,
        timeout=SECONDS,
        env={"HOME": "/nonexistent", "PATH": os.environ["PATH"], "no_proxy": "*"},
    )
    assert done.returncode == 0, f"{done.stdout}\n{done.stderr}"
    return done.stdout


def aria2(folder: Path, *words: object) -> str:
    """Alone: no peers, no tables of other torrents."""
    alone = ("--enable-dht=false", "--bt-enable-lpd=false", "--seed-time=0", "--no-conf")
    port = f"--listen-port={free_port()}"
    return ran("aria2c", *alone, port, "--allow-overwrite=true", "-d", folder, *words)


def break_a_byte(path: Path, at: int) -> None:
    content = bytearray(path.read_bytes())
    content[at] ^= 1
    path.write_bytes(bytes(content))


@needs_aria2
def test_aria2_follows_the_address_and_fetches_in_parts(
    live: Live, world: World, folder: Path
) -> None:
    aria2(folder, "-x4", "-s4", "-k1M", f"{live.url}/lab/small/resolve/main/{NAME}?as=meta4")
    assert (folder / NAME).read_bytes() == CONTENT


@needs_aria2
def test_aria2_repairs_one_byte_and_fetches_no_more_than_its_piece(
    live: Live, world: World, folder: Path
) -> None:
    found = document(live, folder, "meta4")
    aria2(folder, "-M", found)
    break_a_byte(folder / NAME, 3_000_000)
    repaired = aria2(folder, "-V", "-M", found, "--console-log-level=info")
    assert (folder / NAME).read_bytes() == CONTENT
    ranges = [line for line in repaired.splitlines() if line.startswith("Range: bytes=")]
    assert 0 < len(ranges) <= 2, repaired
    piece = 3_000_000 // 262_144 * 262_144
    assert any(line.startswith(f"Range: bytes={piece}-") for line in ranges), ranges


@needs_aria2
def test_aria2_refuses_other_bytes_than_the_document_says(
    live: Live, world: World, folder: Path
) -> None:
    found = document(live, folder, "meta4")
    piece = hashlib.sha256(CONTENT[:262_144]).hexdigest()
    found.write_text(found.read_text().replace(piece, "ab" * 32))
    with pytest.raises(AssertionError, match=r"[Cc]hecksum|Invalid"):
        aria2(folder, "-m1", "-M", found)


@needs_aria2
def test_aria2_fetches_a_torrent_from_us_and_repairs_it(
    live: Live, world: World, folder: Path
) -> None:
    found = document(live, folder, "torrent")
    aria2(folder, "-T", found)
    assert (folder / NAME).read_bytes() == CONTENT
    break_a_byte(folder / NAME, 1_000_000)
    aria2(folder, "-V", "-T", found)
    assert (folder / NAME).read_bytes() == CONTENT


@needs_libtorrent
def test_libtorrent_makes_the_same_torrent_and_fetches_by_ours(
    live: Live, world: World, folder: Path
) -> None:
    found = document(live, folder, "torrent")
    ran(str(SYSTEM_PYTHON), "-c", FETCH, found, folder, free_port())
    assert (folder / NAME).read_bytes() == CONTENT
    said = json.loads(ran(str(SYSTEM_PYTHON), "-c", EXAMINE, found, folder / NAME))
    assert (said["v1"], said["v2"], said["same"], said["pieces"]) == (True,) * 4
    assert said["count"] == -(-len(CONTENT) // 262_144)
    (seed,) = said["seeds"]
    assert seed.startswith(f"{live.url}/lab/small/resolve/")
