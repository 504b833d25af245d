# SPDX-License-Identifier: Apache-2.0
"""Ask sigstore-python about bundles: `verify_bundle.py ROOT NAME ISSUER FILE BUNDLE…`.

Runs in `.venv-clients`; prints a word for each bundle.
"""

# mypy: disable-error-code="import-not-found,misc,unused-ignore"

import sys
from pathlib import Path

from sigstore.errors import Error
from sigstore.models import Bundle, TrustedRoot
from sigstore.verify import Verifier
from sigstore.verify.policy import Identity


def main(root: str, name: str, issuer: str, file: str, *bundles: str) -> None:
    verifier = Verifier(trusted_root=TrustedRoot.from_file(root))
    policy = Identity(identity=name, issuer=issuer)
    for path in bundles:
        try:
            bundle = Bundle.from_json(Path(path).read_text())
            if "messageSignature" in Path(path).read_text():
                verifier.verify_artifact(Path(file).read_bytes(), bundle, policy)
            else:
                verifier.verify_dsse(bundle, policy)
            sys.stdout.write("verified\n")
        except Error as error:
            sys.stderr.write(f"{type(error).__name__}: {error}\n")
            sys.stdout.write("refused\n")


if __name__ == "__main__":
    main(*sys.argv[1:])
