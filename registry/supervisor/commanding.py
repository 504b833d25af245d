# SPDX-License-Identifier: Apache-2.0
"""One management command from its words to its exit code, with the servers that it needs."""

import os
import sys

from django.conf import settings
from django.core.exceptions import ImproperlyConfigured
from django.core.management import execute_from_command_line
from django.db import OperationalError
from psycopg import errors

from .embedded import servers_for
from .environment import fill_in
from .errors import SupervisorError
from .terminal import wrapped


def command(words: list[str]) -> int:
    """Runs it; whatever is wrong with the start is said in a sentence, and is the exit code."""
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "registry.settings")
    word = words[1] if len(words) > 1 else "help"
    try:
        with servers_for(word, fill_in(os.environ)):
            execute_from_command_line(words)
    except SupervisorError as problem:
        return _refused(str(problem), problem.exit_code)
    except ImproperlyConfigured as problem:
        return _refused(f"{problem} (docs/settings.md)")
    except OperationalError as problem:
        if not is_away(problem):
            raise
        return _refused(_away(problem))
    return 0


def _refused(said: str, exit_code: int = SupervisorError.exit_code) -> int:
    sys.stderr.write(f"✘ {wrapped(said, '  ')}\n")
    return exit_code


def is_away(problem: OperationalError) -> bool:
    """Whether there was no database to talk to: what a database says itself has an SQLSTATE."""
    cause = problem.__cause__
    return isinstance(cause, errors.Error) and cause.sqlstate is None


def _away(problem: OperationalError) -> str:
    """What was expected, without the password that DATABASE_URL may hold."""
    found = settings.DATABASES["default"]
    where = f"{found['HOST'] or 'its socket'}{':' if found['PORT'] else ''}{found['PORT']}"
    said = str(problem).strip().splitlines()
    return (
        f"expected PostgreSQL to answer at {where}, database {found['NAME']}, as DATABASE_URL "
        f"says; found: {said[0] if said else 'nothing'}. Start it, or unset DATABASE_URL: then "
        "one is started here"
    )
