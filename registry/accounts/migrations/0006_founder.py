# SPDX-License-Identifier: Apache-2.0
"""Who founded an organisation: of those that there are, who was in it in its first second."""

import django.db.models.deletion
from django.conf import settings
from django.db import migrations, models

# The membership is made with the organisation; who came later, and owns it now, founded nothing.
FIRST = """
    UPDATE accounts_organisation SET founder_id = (
        SELECT user_id FROM accounts_membership
        JOIN accounts_user ON accounts_user.id = user_id AND accounts_user.is_active
        WHERE organisation_id = accounts_organisation.id
        AND accounts_membership.created_at < accounts_organisation.created_at + interval '1 second'
        ORDER BY accounts_membership.id LIMIT 1
    )
"""


class Migration(migrations.Migration):
    dependencies = [("accounts", "0005_reader")]

    operations = [
        migrations.AddField(
            "organisation",
            "founder",
            models.ForeignKey(
                null=True,
                on_delete=django.db.models.deletion.PROTECT,
                related_name="+",
                to=settings.AUTH_USER_MODEL,
            ),
        ),
        migrations.RunSQL(FIRST, migrations.RunSQL.noop),
    ]
