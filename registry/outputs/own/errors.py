# SPDX-License-Identifier: Apache-2.0
"""What is refused of callers' own signatures, one class for each stable code."""

from __future__ import annotations

from registry.api.problems import Problem


class CertificateOfAnother(Problem):
    """The certificate names somebody else than the caller."""

    code = "certificate-of-another"
    title = "This certificate is not yours"
    status_code = 403


class CertificateUnusable(Problem):
    """It is none for outputs, not from here, not valid now, or not under what was accepted."""

    code = "certificate-unusable"
    title = "Nothing is signed with this certificate now"
    status_code = 422


class SignatureRefused(Problem):
    """The signature is not by the certified key over the statement that the registry makes."""

    code = "signature-refused"
    title = "This signature is not over the statement"
    status_code = 422


class OutputTaken(Problem):
    """The output's id is that of another output."""

    code = "output-taken"
    title = "There is another output of this id"
    status_code = 409
