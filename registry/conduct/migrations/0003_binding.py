# SPDX-License-Identifier: Apache-2.0
"""When a version binds those who accepted an earlier one: of what is there, 30 days from now."""

from django.db import migrations, models

# The trigger that keeps versions as they are knows nothing of the new column, and is there again
# before anybody else can write.
FORWARD = """
ALTER TABLE conduct_policyversion DISABLE TRIGGER conduct_version_is_immutable;
UPDATE conduct_policyversion
    SET binds_at = greatest(effective_at, now()) + interval '30 days'
    WHERE document->>'severity' <> 'minor';
ALTER TABLE conduct_policyversion ENABLE TRIGGER conduct_version_is_immutable;
"""


class Migration(migrations.Migration):
    dependencies = [("conduct", "0002_erasing")]

    operations = [
        migrations.AddField("policyversion", "binds_at", models.DateTimeField(null=True)),
        migrations.RunSQL(FORWARD, migrations.RunSQL.noop),
    ]
