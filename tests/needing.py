# SPDX-License-Identifier: Apache-2.0
"""What tests need and a machine may lack: programs, which can be installed, and a kernel's leave.

Without a program a test is skipped, and says why; where the tests are thorough it fails, and says
what to install, or `.ci/run` would hide what it did not test. What the kernel or a container does
not allow is skipped everywhere: nobody can install it.
"""

from __future__ import annotations

import os
import shutil
import subprocess
from functools import cache
from pathlib import Path
from typing import NoReturn

import pytest

from tests.thorough import IS_THOROUGH

ROOT = Path(__file__).parents[1]
needs = pytest.mark.needs
"""For tests: `@needs("openssl", "clients")`, a program or an environment of `./run test`."""

# Each program, and the package of Debian's that has it: `.ci/run` installs them.
PACKAGES = {
    "aria2c": "aria2",
    "bash": "bash",
    "chromium": "chromium",
    "curl": "curl",
    "git": "git",
    "git-lfs": "git-lfs",
    "jq": "jq",
    "libtorrent": "python3-libtorrent",
    "mkfs.ext4": "e2fsprogs",
    "mount": "mount",
    "nginx": "nginx",
    "openssl": "openssl",
    "sha256sum": "coreutils",
    "skopeo": "skopeo",
    "softhsm2-util": "softhsm2",
    "strace": "strace",
}
SYSTEM_PYTHON = Path("/usr/bin/python3")  # libtorrent is a library of Debian's own Python
SOFTHSM = Path("/usr/lib/softhsm/libsofthsm2.so")
# What `./run test` makes: folders that are there when it is.
MADE = {
    "js": ROOT / "tests" / "clients" / "js" / "node_modules",
    "pages": ROOT / "frontend" / "built",
    "axe": ROOT / "frontend" / "node_modules" / "axe-core",
}


@pytest.hookimpl(tryfirst=True)
def pytest_runtest_setup(item: pytest.Item) -> None:
    """Before any fixture is made for a test that cannot run."""
    for mark in item.iter_markers("needs"):
        require(*mark.args)


def require(*everything: str) -> None:
    """Skips the test that lacks one of these, or fails it where the tests are thorough."""
    for what in everything:
        if not is_there(what):
            message = f"{what} is absent: {remedy(what)}"
            if IS_THOROUGH:
                pytest.fail(f"{message} (ASSAY_TEST_THOROUGH skips nothing for want of a program)")
            pytest.skip(message)


def forbidden(why: str) -> NoReturn:
    """Skips the test: the kernel, or the container, does not let it do what it has to."""
    pytest.skip(f"not allowed here: {why}")


def is_there(what: str) -> bool:
    """Whether a program is on the PATH, or what `./run test` makes was made."""
    match what:
        case "chromium":
            return chromium() is not None
        case "libtorrent":
            return _has_libtorrent()
        case "softhsm2-util":
            return shutil.which(what) is not None and SOFTHSM.exists()
        case "js":
            return shutil.which("node") is not None and MADE[what].exists()
        case _ if what in PACKAGES:
            return shutil.which(what) is not None
        case _:
            return MADE.get(what, python_of(what)).exists()


def remedy(what: str) -> str:
    """What somebody has to do about it."""
    package = PACKAGES.get(what)
    return f"apt-get install {package}" if package else "./run test makes it"


def python_of(environment: str) -> Path:
    """The interpreter beside the programs of requirements/ENVIRONMENT.txt."""
    return ROOT / f".venv-{environment}" / "bin" / "python"


def chromium() -> str | None:
    """The browser named in $CHROMIUM, or the one on the PATH."""
    return os.environ.get("CHROMIUM") or shutil.which("chromium")


@cache
def _has_libtorrent() -> bool:
    words = (str(SYSTEM_PYTHON), "-c", "import libtorrent")
    is_python = SYSTEM_PYTHON.exists()
    return is_python and not subprocess.run(words, capture_output=True, check=False).returncode
