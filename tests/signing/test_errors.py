# SPDX-License-Identifier: Apache-2.0
"""Errors carry stable, distinct codes, and say what was expected and what was found."""

import inspect

from assay.signing import errors
from assay.signing.errors import AssayError, InvalidDocument, SignerError, VerificationError

CLASSES = [
    each
    for _, each in inspect.getmembers(errors, inspect.isclass)
    if issubclass(each, AssayError) and each is not AssayError
]


def test_every_error_has_a_code_and_an_exit_code_of_its_own() -> None:
    assert len({each.code for each in CLASSES}) == len(CLASSES)
    assert len({each.exit_code for each in CLASSES}) == len(CLASSES)


def test_failed_verifications_exit_above_ten_and_never_as_success() -> None:
    failures = [each for each in CLASSES if issubclass(each, VerificationError)]
    assert len(failures) == 26
    assert all(each.exit_code > 10 for each in failures)


def test_an_invalid_document_names_field_expectation_and_finding() -> None:
    error = InvalidDocument("size", "an integer", "'x'")
    assert str(error) == "size: expected an integer, found 'x'"


def test_a_field_is_named_from_the_outer_document() -> None:
    error = InvalidDocument("size", "an integer", "'x'").under("files[3]")
    assert (error.field, error.expected, error.found) == ("files[3].size", "an integer", "'x'")


def test_a_signer_error_keeps_the_signers_own_reason() -> None:
    error = SignerError("ledger-rollback", "expected at least 5 entries, found 3")
    assert (error.reason, str(error)) == (
        "ledger-rollback",
        "expected at least 5 entries, found 3",
    )
