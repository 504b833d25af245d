# SPDX-License-Identifier: Apache-2.0
"""By what evidence a project's revision stands: a facet, filled and counted for those listed.

The trigger is away meanwhile: a tally of a change for each row would be as long as the list.
"""

from django.db import migrations, models

TRIGGER = """
CREATE OR REPLACE FUNCTION catalog_listing_is_counted() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF TG_OP = 'UPDATE' AND
       ({new}, NEW.is_public) IS NOT DISTINCT FROM
       ({old}, OLD.is_public) THEN
        RETURN NULL;
    END IF;
    IF TG_OP <> 'INSERT' AND OLD.is_public THEN
        INSERT INTO catalog_tally ({names}, count, is_sum) VALUES ({old}, -1, FALSE);
    END IF;
    IF TG_OP <> 'DELETE' AND NEW.is_public THEN
        INSERT INTO catalog_tally ({names}, count, is_sum) VALUES ({new}, 1, FALSE);
    END IF;
    RETURN NULL;
END $$;
"""
NO_TRIGGER = "DROP TRIGGER catalog_listing_is_counted ON catalog_listing"
TRIGGERED = """
CREATE TRIGGER catalog_listing_is_counted AFTER INSERT OR UPDATE OR DELETE ON catalog_listing
    FOR EACH ROW EXECUTE FUNCTION catalog_listing_is_counted();
"""
FILL = """
UPDATE catalog_listing listing
SET verified = found.verified,
    labels = listing.labels
        || ARRAY['verified:' || found.verified, '=verified:' || found.verified]
FROM (SELECT id, CASE WHEN run_statement_id IS NOT NULL THEN 'run'
                      WHEN actor LIKE 'publisher:%' THEN 'publisher'
                      ELSE 'person' END AS verified
      FROM catalog_checkpoint) found
WHERE found.id = listing.checkpoint_id AND listing.version > 0
"""
EMPTY = """
UPDATE catalog_listing
SET labels = array_remove(array_remove(labels, 'verified:' || verified), '=verified:' || verified)
"""
TALLY = """
DELETE FROM catalog_tally;
INSERT INTO catalog_tally ({names}, count, is_sum)
SELECT {names}, count(*), TRUE FROM catalog_listing WHERE is_public GROUP BY {names};
"""
BEFORE = ("task", "licence", "size", "conduct", "trained")
SINCE = (*BEFORE, "verified")


def trigger(facets: tuple[str, ...]) -> str:
    """The function that tells the tally of each change of these."""
    return TRIGGER.format(
        names=", ".join(facets),
        new=", ".join(f"NEW.{name}" for name in facets),
        old=", ".join(f"OLD.{name}" for name in facets),
    )


def tally(facets: tuple[str, ...]) -> str:
    """All of it, counted anew."""
    return TALLY.format(names=", ".join(facets))


class Migration(migrations.Migration):
    dependencies = [("catalog", "0020_evaluations")]

    operations = [
        migrations.RunSQL(NO_TRIGGER, TRIGGERED),
        migrations.RunSQL(migrations.RunSQL.noop, tally(BEFORE)),
        migrations.RunSQL(trigger(SINCE), trigger(BEFORE)),
        migrations.AddField(
            "listing", "verified", models.CharField(blank=True, max_length=9, default="")
        ),
        migrations.AddField("tally", "verified", models.CharField(max_length=9, default="")),
        migrations.RemoveConstraint("tally", "catalog_tally_sum"),
        migrations.AddConstraint(
            "tally",
            models.UniqueConstraint(
                condition=models.Q(("is_sum", True)), fields=SINCE, name="catalog_tally_sum"
            ),
        ),
        migrations.RunSQL(FILL, EMPTY),
        migrations.RunSQL(tally(SINCE), "DELETE FROM catalog_tally"),
        migrations.RunSQL(TRIGGERED, NO_TRIGGER),
    ]
