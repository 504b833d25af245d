# SPDX-License-Identifier: Apache-2.0
"""Who is confined reads one file, writes what is open, computes within limits, and nothing else."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

PROGRAM = """
import json, os, platform, resource, signal, socket, sys, threading
from assay.trainers import confine as c
from assay.trainers.confine import Unconfined, confine

source, target = int(sys.argv[1]), int(sys.argv[2])
BEFORE
try:
    confine(source, memory_bytes=256 << 20, cpu_seconds=1, written_bytes=1000)
except Unconfined as error:
    sys.exit(f"{error.code}: {error}")

def tried(what):
    try:
        return repr(what())
    except BaseException as error:
        return f"{type(error).__name__} {error}"

def written():
    signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    return os.write(target, b"x" * 2000), os.write(target, b"y")

said = {
    "its file": tried(lambda: open(f"/proc/self/fd/{source}").read()),
    "another file": tried(lambda: open("/etc/passwd").read(1)),
    "a folder": tried(lambda: os.listdir("/")),
    "a new file": tried(lambda: open("/tmp/assay-escaped", "w")),
    "its own memory": tried(lambda: open("/proc/self/mem", "rb")),
    "its file, to write": tried(lambda: open(f"/proc/self/fd/{source}", "r+")),
    "a socket": tried(lambda: socket.socket()),
    "a pair": tried(lambda: socket.socketpair()),
    "a process": tried(lambda: os.fork()),
    "a program": tried(lambda: os.execv("/bin/true", ["true"])),
    "a thread": tried(lambda: threading.Thread(target=int).start()),
    "a signal": tried(lambda: os.kill(os.getppid(), 0)),
    "more rights": tried(lambda: resource.setrlimit(resource.RLIMIT_AS, (-1, -1))),
    "much memory": tried(lambda: len(bytes(1 << 30))),
    "a long output": tried(written),
}
print(json.dumps(said), flush=True)
if sys.argv[3] == "spin":
    while True:
        pass
"""


def confined(
    tmp_path: Path, word: str = "", program: str = PROGRAM.replace("BEFORE", "")
) -> tuple[int, str, str]:
    source, target = tmp_path / "source", tmp_path / "target"
    source.write_text("the file")
    with source.open("rb") as file, target.open("wb") as output:
        fds = (file.fileno(), output.fileno())
        ended = subprocess.run(
            [sys.executable, "-c", program, *map(str, fds), word],
            pass_fds=fds,
            capture_output=True,
            text=True,
            check=False,
        )
    return ended.returncode, ended.stdout, ended.stderr


def test_it_reads_its_file_and_reaches_nothing_else(tmp_path: Path) -> None:
    code, said, error = confined(tmp_path)
    assert (code, error) == (0, "")
    found = json.loads(said)
    assert found.pop("its file") == "'the file'"
    assert found.pop("a long output").startswith("OSError [Errno 27] File too large")
    assert found.pop("much memory").startswith("MemoryError")
    assert found.pop("a thread").startswith("RuntimeError can't start new thread")
    refused = {name: each.partition(" ")[0] for name, each in found.items()}
    assert refused.pop("more rights") == "ValueError", found
    assert set(refused.values()) == {"PermissionError"}, found
    assert len(refused) == 10
    assert not Path("/tmp/assay-escaped").exists()  # noqa: S108 - where it tried to write
    assert (tmp_path / "target").stat().st_size == 1000


def test_its_time_ends(tmp_path: Path) -> None:
    code, _, _ = confined(tmp_path, "spin")
    assert code in {-9, -24}  # SIGKILL at the hard limit, SIGXCPU at the soft one


ODD = {
    "machine": ("platform.machine = lambda: 'mips'", "expected a machine of x86_64, found mips"),
    "no Landlock": ("c.SYS_LANDLOCK_CREATE = 9999", "expected a kernel with Landlock"),
    "no rights": ("c.RIGHTS = dict.fromkeys(c.RIGHTS, 60)", "Landlock: Invalid argument"),
    "no rule": ("c.SYS_LANDLOCK_ADD = 9999", "Landlock: "),
    "no restriction": ("c.SYS_LANDLOCK_RESTRICT = 9999", "Landlock: "),
    "a lower limit": (
        "resource.setrlimit(resource.RLIMIT_FSIZE, (999, 999))",
        "expected to set RLIMIT_FSIZE to 1000, found: ",
    ),
    "no seccomp": ("c.SYS_SECCOMP = 9999", "seccomp: "),
    "no giving up": ("c.PR_SET_NO_NEW_PRIVS = 9999", "gives up rights"),
    "threads": (
        "import time; threading.Thread(target=time.sleep, args=(9,), daemon=True).start()",
        "expected one thread to confine, found 2",
    ),
}


@pytest.mark.parametrize(("change", "message"), ODD.values(), ids=ODD)
def test_where_it_cannot_be_shut_in_it_says_so_and_ends(
    tmp_path: Path, change: str, message: str
) -> None:
    program = PROGRAM.replace("BEFORE", change)
    code, said, error = confined(tmp_path, program=program)
    assert (code, said) == (1, "")
    assert error.startswith("unconfined: ")
    assert message in error
