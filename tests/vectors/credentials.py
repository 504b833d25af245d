# SPDX-License-Identifier: Apache-2.0
"""Reports of a C2PA library on media: a registry's, and others that differ in one thing."""

from __future__ import annotations

from typing import Any

from tests.signing.claiming import LABEL, report, said
from tests.signing.signer.worlds import REGISTRY

FAILED = [{"code": "assertion.dataHash.mismatch"}]
UNTOLD = [{"code": "signingCredential.untrusted"}, {"code": "timeStamp.untrusted"}]


def credentials_vectors() -> dict[str, object]:
    """What is in each, and whether it is sound."""
    refused = {
        "no object": [],
        "nothing in it": {},
        "valid, and not trusted": report(validation_state="Valid"),
        "a failure of the whole": report(validation_status=FAILED),
        "a failure of the manifest": _results(activeManifest={"failure": FAILED}),
        "a failure of what it was made from": _results(
            ingredientDeltas=[{"validationDeltas": {"failure": FAILED}}]
        ),
        "a failure that its maker saw": _manifest(
            ingredients=[{"validation_results": {"activeManifest": {"failure": FAILED}}}]
        ),
        "no timestamp": _results(activeManifest={"success": []}),
        "two manifests": report(manifests={"a": {}, "b": {}}),
        "an active manifest that is not there": report(active_manifest="urn:c2pa:2"),
        "no assertion of the registry's": _manifest(assertions=["none", {"label": "x"}]),
        "two of them": _manifest(assertions=[_assertion()] * 2),
        "another registry's": _data(registry="https://other.example"),
        "another claim": _data(claim="hearsay"),
        "another version": _data(type="https://assay/media/v9"),
        "an index below zero": _data(index=-1),
        "a field too many": _data(extra=1),
        "no checkpoint": _data(checkpoint={}),
    }
    strangers = [_untold(UNTOLD), _untold(UNTOLD[:1])]
    others = {
        "trusted": _untold(UNTOLD, validation_state="Trusted"),
        "invalid": _untold(UNTOLD, validation_state="Invalid"),
        "without a failure": _untold([]),
        "an unknown time alone": _untold(UNTOLD[1:]),
        "another failure besides": _untold([*UNTOLD, *FAILED]),
        "two manifests": _untold(UNTOLD, manifests={"a": {}, "b": {}}),
        "no assertion": _untold(UNTOLD, manifests={"urn:c2pa:1": {"assertions": []}}),
        "an active manifest that is not there": _untold(UNTOLD, active_manifest="urn:c2pa:2"),
        "no object": [],
    }
    return {
        "source": "docs/spec/media.md, section 3",
        "registry": REGISTRY,
        "said": said().to_json(),
        "accepted": report(),
        "refused": [{"why": why, "report": each} for why, each in refused.items()],
        "strangers": strangers,
        "no_strangers": [{"why": why, "report": each} for why, each in others.items()],
    }


def _untold(codes: list[dict[str, str]], **changes: object) -> dict[str, Any]:
    return report(**{"validation_state": "Valid", "validation_status": codes} | changes)


def _assertion(**changes: object) -> dict[str, Any]:
    return {"label": LABEL, "data": said().to_json() | changes}


def _data(**changes: object) -> dict[str, Any]:
    return _manifest(assertions=[_assertion(**changes)])


def _manifest(**changes: object) -> dict[str, Any]:
    (manifest,) = report()["manifests"].values()
    return report(manifests={"urn:c2pa:1": manifest | changes})


def _results(**changes: object) -> dict[str, Any]:
    return report(validation_results=report()["validation_results"] | changes)
