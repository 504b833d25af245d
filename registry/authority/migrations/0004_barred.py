# SPDX-License-Identifier: Apache-2.0
"""What was revoked before the ledger kept whom it bars is barred too.

An intermediate that was stopped and is not revoked yet is barred by the next sweep, which asks the
signer.
"""

from django.db import migrations

BAR = """
INSERT INTO ledger_barred (serial, created_at)
SELECT certificate.serial, now()
FROM authority_revocation AS revocation
JOIN authority_certificate AS certificate ON certificate.id = revocation.certificate_id
ON CONFLICT DO NOTHING
"""


class Migration(migrations.Migration):
    dependencies = [("authority", "0003_issuers"), ("ledger", "0007_barred")]

    operations = [migrations.RunSQL(BAR, migrations.RunSQL.noop)]
