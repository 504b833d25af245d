# SPDX-License-Identifier: Apache-2.0
"""What imports refuse, one class for each stable code."""

from __future__ import annotations

from registry.api.problems import Problem


class InvalidImport(Problem):
    """No file that could be converted, or no name that the result could have."""

    code = "invalid-import"
    title = "This cannot be imported"
    status_code = 422


class ImportUnderway(Problem):
    """The same file waits already, or too many do."""

    code = "import-underway"
    title = "An import is on its way"
    status_code = 409


class ConverterFailed(Problem):
    """It did not begin with the file, or could not write what it made: a fault of ours."""

    code = "converter-failed"
    title = "Nothing can be converted now"
    status_code = 503


class ImportsUnavailable(Problem):
    """Nobody converts here."""

    code = "imports-unavailable"
    title = "This registry imports nothing"
    status_code = 503
