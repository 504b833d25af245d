# SPDX-License-Identifier: Apache-2.0
"""Shuts this process in, before it reads what a stranger made: for good, or Unconfined is raised.

1. It has one thread: what is confined from here on is all there is.
2. A network of its own, with nothing in it, where the kernel gives one to programs without rights.
3. Limits of memory, processor time, bytes written and open files; no core is left behind.
4. Landlock: of all files it may open one, to read it.
5. seccomp: of all system calls those that reading, computing and writing take. No socket, no other
   process, no signal to one, no program.

2 is there besides: without it 5 keeps the network away. All others must be had.
"""

import ctypes
import os
import platform
import resource
import struct
from collections.abc import Mapping
from pathlib import Path

from .errors import TrainerError

MACHINE = "x86_64"  # whose system calls are numbered below; nobody tested another
AUDIT_ARCH = 0xC000003E
CALLS: Mapping[str, int] = {
    "read": 0, "write": 1, "close": 3, "stat": 4, "fstat": 5, "lstat": 6, "lseek": 8, "mmap": 9,
    "mprotect": 10, "munmap": 11, "brk": 12, "rt_sigaction": 13, "rt_sigprocmask": 14,
    "rt_sigreturn": 15, "pread64": 17, "pwrite64": 18, "readv": 19, "writev": 20, "access": 21,
    "sched_yield": 24, "mremap": 25, "madvise": 28, "getpid": 39, "exit": 60, "readlink": 89,
    "getrusage": 98, "sysinfo": 99, "sigaltstack": 131, "gettid": 186, "futex": 202,
    "sched_getaffinity": 204, "clock_gettime": 228, "exit_group": 231, "openat": 257,
    "newfstatat": 262, "getrandom": 318, "statx": 332,
}  # fmt: skip
EPERM = 1
OPEN_FILES = 64
# linux/prctl.h, sched.h, seccomp.h, landlock.h, bpf_common.h
PR_SET_NO_NEW_PRIVS = 38
CLONE_NEWNET, CLONE_NEWUSER = 0x40000000, 0x10000000
SYS_SECCOMP, SYS_LANDLOCK_CREATE, SYS_LANDLOCK_ADD, SYS_LANDLOCK_RESTRICT = 317, 444, 445, 446
SECCOMP_SET_MODE_FILTER = 1
RET_KILL_PROCESS, RET_ERRNO, RET_ALLOW = 0x80000000, 0x00050000, 0x7FFF0000
BPF_LOAD_WORD, BPF_JUMP_EQUAL, BPF_RETURN = 0x20, 0x15, 0x06
ARCH_AT, CALL_AT = 4, 0  # in struct seccomp_data
LANDLOCK_VERSION = 1
LANDLOCK_PATH_BENEATH = 1
READ_FILE = 1 << 2
# By version of Landlock: the rights over files that it knows, all of which are taken away.
RIGHTS = {1: 13, 2: 14, 3: 15, 4: 15, 5: 16}


class Unconfined(TrainerError):
    """The machine cannot keep the process in."""

    code = "unconfined"


def confine(readable: int, *, memory_bytes: int, cpu_seconds: int, written_bytes: int) -> None:
    """From here on: one file to read, by this descriptor, and what is open. Raises Unconfined."""
    threads = len(list(Path("/proc/self/task").iterdir()))
    if threads != 1:  # 1
        raise Unconfined(f"expected one thread to confine, found {threads}")
    if platform.machine() != MACHINE:
        raise Unconfined(f"expected a machine of {MACHINE}, found {platform.machine()}")
    libc = ctypes.CDLL(None, use_errno=True)
    libc.unshare(CLONE_NEWUSER | CLONE_NEWNET)  # 2
    _limit(memory_bytes, cpu_seconds, written_bytes)  # 3
    if libc.prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0):
        raise Unconfined("expected a kernel that gives up rights, found one that does not")
    _open_nothing_but(libc, readable)  # 4
    _call_nothing_but(libc)  # 5


def _limit(memory_bytes: int, cpu_seconds: int, written_bytes: int) -> None:
    pages = int(Path("/proc/self/statm").read_text(encoding="ascii").split()[0])
    limits = {
        "RLIMIT_AS": pages * resource.getpagesize() + memory_bytes,
        "RLIMIT_CPU": int(_used_seconds()) + 1 + cpu_seconds,
        "RLIMIT_FSIZE": written_bytes,
        "RLIMIT_NOFILE": OPEN_FILES,
        "RLIMIT_NPROC": 0,
        "RLIMIT_CORE": 0,
    }
    for name, most in limits.items():
        try:
            resource.setrlimit(getattr(resource, name), (most, most))
        except (ValueError, OSError) as error:  # a limit that is lower already is a ValueError
            raise Unconfined(f"expected to set {name} to {most}, found: {error}") from error


def _used_seconds() -> float:
    used = resource.getrusage(resource.RUSAGE_SELF)
    return used.ru_utime + used.ru_stime


def _open_nothing_but(libc: ctypes.CDLL, readable: int) -> None:
    version = libc.syscall(SYS_LANDLOCK_CREATE, None, 0, LANDLOCK_VERSION)
    if version < 1:
        raise Unconfined("expected a kernel with Landlock (5.13, switched on), found none")
    handled = (1 << RIGHTS[min(version, max(RIGHTS))]) - 1
    ruleset = struct.pack("=Q", handled)
    rules = _ruled(libc, SYS_LANDLOCK_CREATE, ruleset, len(ruleset), 0)
    rule = struct.pack("=Qi", READ_FILE, readable)
    _ruled(libc, SYS_LANDLOCK_ADD, rules, LANDLOCK_PATH_BENEATH, rule, 0)
    _ruled(libc, SYS_LANDLOCK_RESTRICT, rules, 0)
    os.close(rules)


def _ruled(libc: ctypes.CDLL, *call: int | bytes) -> int:
    """What Landlock answers; the reason for a refusal is gone with the next call."""
    answer: int = libc.syscall(*call)
    if answer < 0:
        raise Unconfined(f"Landlock: {os.strerror(ctypes.get_errno())}")
    return answer


def _call_nothing_but(libc: ctypes.CDLL) -> None:
    """The filter: another architecture's calls end the process, calls not listed are refused."""
    program = [
        (BPF_LOAD_WORD, 0, 0, ARCH_AT),
        (BPF_JUMP_EQUAL, 1, 0, AUDIT_ARCH),
        (BPF_RETURN, 0, 0, RET_KILL_PROCESS),
        (BPF_LOAD_WORD, 0, 0, CALL_AT),
    ]
    for number in sorted(CALLS.values()):
        program += [(BPF_JUMP_EQUAL, 0, 1, number), (BPF_RETURN, 0, 0, RET_ALLOW)]
    program.append((BPF_RETURN, 0, 0, RET_ERRNO | EPERM))
    code = ctypes.create_string_buffer(b"".join(struct.pack("=HBBI", *each) for each in program))
    described = struct.pack("@HP", len(program), ctypes.addressof(code))
    if libc.syscall(SYS_SECCOMP, SECCOMP_SET_MODE_FILTER, 0, described):
        raise Unconfined(f"seccomp: {os.strerror(ctypes.get_errno())}")
