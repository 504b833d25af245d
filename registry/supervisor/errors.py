# SPDX-License-Identifier: Apache-2.0
"""What can go wrong while processes are started, each with a stable code."""


class SupervisorError(Exception):
    """A problem that stops the start; its message says what to do about it."""

    code = "supervisor"
    exit_code = 1


class Interrupted(SupervisorError):
    """Somebody stopped it before it had done what it is for."""

    code = "interrupted"
    exit_code = 130  # 128 + SIGINT, as shells say it


class AlreadyRunning(SupervisorError):
    """Another supervisor holds the lock of this data folder."""

    code = "already-running"


class PortTaken(SupervisorError):
    """Something else listens where the web server should."""

    code = "port-taken"


class ProgramMissing(SupervisorError):
    """A program that the supervisor needs is not installed."""

    code = "program-missing"


class ProgramFailed(SupervisorError):
    """A program ended, or did not become ready in time."""

    code = "program-failed"


class UnsafeFolder(SupervisorError):
    """A folder that must be private belongs to somebody else or is open to others."""

    code = "unsafe-folder"
