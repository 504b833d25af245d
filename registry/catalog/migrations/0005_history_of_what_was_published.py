# SPDX-License-Identifier: Apache-2.0
"""What was published before there were revisions: each project's history, and its `main`."""

from django.db import migrations

REVISIONS = """
INSERT INTO catalog_revision
    (id, project_id, checkpoint_id, parent_id, branch, title, message, author_id, created_at)
SELECT number, project_id, checkpoint_id,
       lag(number) OVER (PARTITION BY project_id ORDER BY published_at, checkpoint_id),
       'main', name, '', author_id, published_at
FROM (
    SELECT nextval(pg_get_serial_sequence('catalog_revision', 'id')) AS number, published.*
    FROM (
        SELECT checkpoint.project_id, checkpoint.id AS checkpoint_id, checkpoint.name,
               checkpoint.published_at,
               CASE WHEN checkpoint.actor = 'user:' || person.username THEN person.id END
                   AS author_id
        FROM catalog_checkpoint checkpoint
        JOIN accounts_user person ON person.id = checkpoint.publisher_id
        WHERE checkpoint.state = 'published' AND NOT EXISTS (
            SELECT FROM catalog_revision WHERE checkpoint_id = checkpoint.id)
        ORDER BY checkpoint.published_at, checkpoint.id
    ) published
) numbered
"""
MAIN = """
INSERT INTO catalog_ref (project_id, kind, name, revision_id)
SELECT DISTINCT ON (revision.project_id) revision.project_id, 'branch', 'main', revision.id
FROM catalog_revision revision JOIN catalog_checkpoint checkpoint
     ON checkpoint.id = revision.checkpoint_id
ORDER BY revision.project_id, checkpoint.published_at DESC, checkpoint.id DESC
ON CONFLICT (project_id, name) DO NOTHING
"""


class Migration(migrations.Migration):
    dependencies = [
        ("accounts", "0004_user_is_findable"),
        ("catalog", "0004_revisions"),
    ]

    # Back: the rows go with their tables; forward again, those that are there stay.
    operations = [
        migrations.RunSQL(REVISIONS, migrations.RunSQL.noop),
        migrations.RunSQL(MAIN, migrations.RunSQL.noop),
    ]
