# SPDX-License-Identifier: Apache-2.0
"""What the subject of an audit row is, by its action: a name that somebody has, or something else.

Names look like other things (`checkpoint-2` is an intermediate too, and a serial number a word), so
a person who leaves is looked for only where a name can stand. Each action has its place here.
"""

from __future__ import annotations

NAMES = frozenset(
    {
        "conduct.accept",
        "conduct.withdraw",
        "device.allow",
        "device.deny",
        "identity.agree",
        "identity.link",
        "identity.unlink",
        "organisation.create",
        "organisation.leave",
        "organisation.member",
        "party.readmit",
        "period.export",
        "party.suspend",
        "storage.quota",
        "user.create",
        "user.findable",
        "webhook.create",
        "webhook.disable",
        "webhook.enable",
        "webhook.remove",
        "webhook.renew",
    }
)
"""The name itself."""
PATHS = frozenset(
    {
        "access.ask",
        "access.decide",
        "access.give-up",
        "checkpoint.publish",
        "checkpoint.receive",
        "checkpoint.reject",
        "checkpoint.restore",
        "checkpoint.sign",
        "checkpoint.state-takedown",
        "checkpoint.take-down",
        "dataset.add",
        "doi.ask",
        "doi.hide",
        "doi.refuse",
        "doi.register",
        "import.ask",
        "import.convert",
        "import.refuse",
        "evaluation.add",
        "evaluation.withdraw",
        "project.create",
        "project.end",
        "project.gate",
        "project.give-back",
        "project.move",
        "project.rule",
        "project.show",
        "project.take-down",
        "pull.decide",
        "pull.hide",
        "pull.merge",
        "pull.open",
        "publisher.exchange",
        "publisher.name",
        "publisher.remove",
        "ref.add",
        "ref.remove",
        "revision.commit",
        "run.create",
    }
)
"""`NAME/PROJECT`, and what comes after it."""
IDENTITIES = frozenset({"identity.certify"})
"""What a keyless certificate names: an address, or a URI below the registry's."""
OTHERS = frozenset(
    {
        "authority.compromise",
        "authority.revoke",
        "authority.root-list",
        "authority.rotate",
        "authority.stop",
        "batch.assert",
        "batch.refuse",
        "batch.sign",
        "blob.damage",
        "blob.repair",
        "case.appeal",
        "case.decide",
        "case.propose",
        "case.refuse",
        "case.report",
        "certificate.revoke",
        "conduct.discard",
        "conduct.draft",
        "conduct.propose",
        "conduct.publish",
        "conduct.take-back",
        "lease.claim",
        "lease.complete",
        "lease.lose",
        "lease.release",
        "node.certify",
        "node.expel",
        "node.join",
        "node.readmit",
        "output.assert",
        "output.certify",
        "output.fail",
        "output.generate",
        "output.lease",
        "output.refuse",
        "output.request",
        "output.requeue",
        "output.sample",
        "output.sign",
        "person.erase",
        "storage.scrub",
        "token.issue",
        "token.revoke",
    }
)
"""An id, a serial number, an intermediate, a version, or what is left of a person: no name."""
