# SPDX-License-Identifier: Apache-2.0
"""What `import assay` gives a program: `verify` and `verify_answer`, with the types of both.

    import assay

    verified = assay.verify("text.txt", evidence="answer.json", trust=assay.trust_root("root.json"))
    print(verified.match, verified.checkpoint.project)

Installed, and in what `./run` makes, this file is `assay/__init__.py` (ADR 0055). So each start of
the command runs it: what is asked for is fetched from `signing/offline.py` then, and not before.
"""

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from .signing.offline import (
        AssayError,
        Demands,
        Match,
        TrustRoot,
        VerificationError,
        Verified,
        trust_root,
        verify,
        verify_answer,
    )
else:  # unseen by type checkers, to which any name would do where there is a `__getattr__`

    def __getattr__(name: str) -> object:
        if name not in __all__:
            raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
        from .signing import offline  # noqa: PLC0415 - see above

        return getattr(offline, name)

    def __dir__() -> list[str]:
        return [*globals(), *__all__]


__all__ = [
    "AssayError",
    "Demands",
    "Match",
    "TrustRoot",
    "VerificationError",
    "Verified",
    "trust_root",
    "verify",
    "verify_answer",
]
