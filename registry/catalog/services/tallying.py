# SPDX-License-Identifier: Apache-2.0
"""Adds up the tally of facets: rows of a trigger's, one for each change, go into the sums.

Changes are rows of their own so that no two who publish wait for each other; nobody waits for the
sums either, which say the same before and after.
"""

from __future__ import annotations

from django.db import connection

FACETS = "task, licence, size, conduct, trained, verified"
# One statement: whoever reads meanwhile sees all rows as they were, or all as they are.
ADD_UP = f"""
    WITH changes AS (
        DELETE FROM catalog_tally WHERE NOT is_sum RETURNING {FACETS}, count
    )
    INSERT INTO catalog_tally ({FACETS}, count, is_sum)
    SELECT {FACETS}, sum(count), TRUE FROM changes GROUP BY {FACETS}
    HAVING sum(count) <> 0 ORDER BY {FACETS}
    ON CONFLICT ({FACETS}) WHERE is_sum
    DO UPDATE SET count = catalog_tally.count + excluded.count
"""  # noqa: S608 - made of constants


def add_up() -> None:
    """As often as one likes, and by several at once."""
    with connection.cursor() as cursor:
        cursor.execute(ADD_UP)
