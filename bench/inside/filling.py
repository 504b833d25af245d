# SPDX-License-Identifier: Apache-2.0
"""Fills a catalogue in SQL with projects like one that was published, for bench/catalogue.py.

Whatever a row of a project would hold is there: words are taken log-uniformly from a vocabulary,
which is how words and facets are distributed (Zipf), so there are very common and very rare ones.
"""

import random
import time
from collections.abc import Mapping, Sequence

from django.db import connection
from django.db.backends.utils import CursorWrapper

VOCABULARY = 20_000
CARDS = 5_000  # different texts; each project has one of them, and a title of its own
CARD_WORDS = 120
PROJECTS_OF_AN_OWNER = 100
BATCH = 100_000
FIRST = 1_000_000  # the keys begin behind it
TABLES = ("catalog_file", "catalog_listing", "catalog_checkpoint", "catalog_revision")
SYLLABLES = [first + second for first in "bdfgklmnprstvz" for second in "aeiou"]
TASKS = 40
LICENCES = ("Apache-2.0", "MIT", "CC-BY-4.0", "LicenseRef-openrail", "CC-BY-NC-4.0", "GPL-3.0-only")
SIZES = ("under-100m", "3b-8b", "1b-3b", "100m-1b", "8b-30b", "30b-100b", "over-100b")

MADE = """
    CREATE UNLOGGED TABLE bench_made AS
    SELECT made.number, w1.word AS first, w1.word || ' ' || w2.word || ' ' || w3.word AS title,
           w1.word || '-' || w2.word || '-' || made.number AS name,
           made.card, made.task, made.licence, made.size, made.trained
    FROM (
        SELECT number, floor(power(%(words)s, random()))::int a,
               floor(power(%(words)s, random()))::int b, floor(power(%(words)s, random()))::int c,
               1 + floor(random() * %(cards)s)::int card,
               CASE WHEN random() < 0.3 THEN 'run' ELSE 'person' END trained,
               'task-' || floor(power(%(tasks)s + 1, random()))::int task,
               (%(licences)s::text[])[floor(power(%(n_licences)s + 1, random()))::int] licence,
               (%(sizes)s::text[])[floor(power(%(n_sizes)s + 1, random()))::int] size
        FROM generate_series(1, %(projects)s) number
    ) made
    JOIN bench_word w1 ON w1.id = a JOIN bench_word w2 ON w2.id = b JOIN bench_word w3 ON w3.id = c
"""
OWNERS = """
    INSERT INTO accounts_namespace (id, name, created_at)
    SELECT 1000000 + number, 'owner-' || number, now() FROM generate_series(0, %(owners)s) number
"""
# What must be each row's own; all else is the template's.
OWN: Mapping[str, Mapping[str, str]] = {
    "catalog_project": {
        "id": "1000000 + number",
        "owner_id": "1000000 + number / %(each)s",
        "name": "made.name",
        "title": "made.title",
        "summary": "'A model that somebody made of ' || made.title",
        "created_at": "now() - make_interval(secs => %(projects)s - number)",
    },
    "catalog_checkpoint": {
        "id": "1000000 + number",
        "project_id": "1000000 + number",
        "manifest_sha256": "md5(number || 'a') || md5(number || 'b')",
        "run_id": "CASE WHEN made.trained = 'run' THEN 'run-' || number END",
    },
    "catalog_revision": {
        "id": "1000000 + number",
        "project_id": "1000000 + number",
        "checkpoint_id": "1000000 + number",
    },
    "catalog_ref": {
        "id": "1000000 + number",
        "project_id": "1000000 + number",
        "revision_id": "1000000 + number",
    },
    "catalog_listing": {
        "project_id": "1000000 + number",
        "checkpoint_id": "1000000 + number",
        "task": "made.task",
        "licence": "made.licence",
        "size": "made.size",
        "trained": "made.trained",
        "verified": "made.trained",
        "labels": "ARRAY[made.task, 'license:' || lower(made.licence), 'safetensors', made.first, "
        "'=task:' || made.task, '=licence:' || made.licence, '=size:' || made.size, "
        "'=trained:' || made.trained, '=verified:' || made.trained, "
        "'=conduct:' || template.conduct]",
        "parameters": "7000000000",
        "downloads": "floor(power(100000, random()))::int - 1",
        "created_at": "now() - make_interval(secs => %(projects)s - number)",
        "updated_at": "now() - make_interval(secs => random() * 10000000)",
        "vector": "setweight(to_tsvector('simple', 'owner-' || number / %(each)s || ' ' || "
        "made.name), 'A') || setweight(to_tsvector('english', made.title), 'A') || "
        "(SELECT said.vector FROM bench_card said WHERE said.id = made.card)",
    },
}
FILES = """
    INSERT INTO catalog_file (checkpoint_id, name, sha256, size)
    SELECT 1000000 + number, 'model-' || part || '.safetensors',
           md5(number || '-' || part) || md5(part || '-' || number), 5000000
    FROM bench_made CROSS JOIN generate_series(1, %(files)s) part
    WHERE number BETWEEN %(first)s AND %(last)s
"""
TALLY = """
    INSERT INTO catalog_tally
        (task, licence, size, conduct, trained, verified, count, is_sum)
    SELECT task, licence, size, conduct, trained, verified, count(*), TRUE FROM catalog_listing
    GROUP BY task, licence, size, conduct, trained, verified
"""
SECONDARY = """
    SELECT indexname, indexdef FROM pg_indexes
    WHERE tablename = ANY(%s) AND NOT EXISTS (
        SELECT FROM pg_constraint WHERE conname = indexname)
"""


def vocabulary() -> Sequence[str]:
    """Made-up words, each once; the first are the most common."""
    chance = random.Random(1)  # noqa: S311 - the same words each time
    found: dict[str, None] = {}
    while len(found) < VOCABULARY:
        found["".join(chance.choices(SYLLABLES, k=chance.randint(2, 4)))] = None
    return list(found)


def fill(*, projects: int, files: int) -> None:
    """As many projects like the one that there is; their keys begin at a million."""
    given: dict[str, object] = {
        "projects": projects,
        "files": files,
        "owners": projects // PROJECTS_OF_AN_OWNER,
        "each": PROJECTS_OF_AN_OWNER,
        "words": VOCABULARY + 1,
        "cards": CARDS,
        "tasks": TASKS,
        "licences": list(LICENCES),
        "n_licences": len(LICENCES),
        "sizes": list(SIZES),
        "n_sizes": len(SIZES),
    }
    with connection.cursor() as cursor:
        cursor.execute("SET session_replication_role = replica")  # no triggers: all of it is sound
        cursor.execute("SET maintenance_work_mem = '1GB'")
        cursor.execute("SET synchronous_commit = off")
        _words(cursor)
        _said("words and projects to be", cursor, MADE, given)
        cursor.execute("CREATE INDEX ON bench_made (number)")
        cursor.execute("ANALYZE bench_made")
        cursor.execute(SECONDARY, [list(TABLES)])
        indexes = cursor.fetchall()
        for name, _ in indexes:
            cursor.execute(f'DROP INDEX "{name}"')
        _said("owners", cursor, OWNERS, given)
        statements = {table: _copies(cursor, table) for table in OWN} | {"catalog_file": FILES}
        for what, statement in statements.items():
            for first in range(1, projects + 1, BATCH):
                given |= {"first": first, "last": min(first + BATCH - 1, projects)}
                _said(f"{what} from {first}", cursor, statement, given)
        cursor.execute("DELETE FROM catalog_tally")
        _said("tally", cursor, TALLY, given)
        for name, definition in indexes:
            _said(name, cursor, definition, {})
        for table in (*OWN, "catalog_file", "accounts_namespace"):
            _said(f"vacuum {table}", cursor, f"VACUUM (ANALYZE) {table}", {})
        cursor.execute("VACUUM (ANALYZE) catalog_tally")
        cursor.execute("SET session_replication_role = origin")


def _words(cursor: CursorWrapper) -> None:
    chance = random.Random(2)  # noqa: S311 - the same cards each time
    words = vocabulary()
    cursor.execute("CREATE UNLOGGED TABLE bench_word (id int PRIMARY KEY, word text)")
    cursor.execute(
        "INSERT INTO bench_word SELECT * FROM unnest(%s::int[], %s::text[])",
        [list(range(1, len(words) + 1)), list(words)],
    )
    cards = [
        " ".join(words[int(len(words) ** chance.random()) - 1] for _ in range(CARD_WORDS))
        for _ in range(CARDS)
    ]
    cursor.execute("CREATE UNLOGGED TABLE bench_card (id int PRIMARY KEY, vector tsvector)")
    cursor.execute(
        "INSERT INTO bench_card SELECT id, setweight(to_tsvector('english', said), 'D') "
        "FROM unnest(%s::int[], %s::text[]) made (id, said)",
        [list(range(1, CARDS + 1)), cards],
    )
    cursor.execute("ANALYZE bench_word, bench_card")


def _copies(cursor: CursorWrapper, table: str) -> str:
    """Rows like the one that is there, but for what must be their own."""
    cursor.execute(
        "SELECT attname FROM pg_attribute WHERE attrelid = %s::regclass "
        "AND attnum > 0 AND NOT attisdropped ORDER BY attnum",
        [table],
    )
    columns = [name for (name,) in cursor.fetchall()]
    values = [OWN[table].get(name, f'template."{name}"') for name in columns]
    quoted = (f'"{name}"' for name in columns)
    return f"""
        INSERT INTO {table} ({", ".join(quoted)}) SELECT {", ".join(values)}
        FROM bench_made made CROSS JOIN (SELECT * FROM {table} LIMIT 1) template
        WHERE number BETWEEN %(first)s AND %(last)s
    """  # noqa: S608 - names out of the database's own catalogue


def _said(what: str, cursor: CursorWrapper, statement: str, given: object) -> None:
    started = time.perf_counter()
    cursor.execute(statement, given or None)
    print(f"  {what:<44}{time.perf_counter() - started:9.1f} s", flush=True)
