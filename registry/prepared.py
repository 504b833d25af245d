# SPDX-License-Identifier: Apache-2.0
"""Prepared queries: composed once by Django, and planned once by PostgreSQL for each connection.

What becomes of a QuerySet is the same SQL each time, and both take longer over it than PostgreSQL
takes to find a few rows by their keys. A `Prepared` one keeps it, with a place for each value:

    by_name = Prepared(lambda name: Namespace.objects.filter(name=name))
    by_name.first(name="alice")  # <Namespace: alice>, or None

Only for what is found by keys: there is one plan whatever the values are. They go to PostgreSQL as
they are, so in the types of the columns (a row's key, not the row). Whatever else the query names
must be the same each time; a moment, say, would be that of the first time for ever, and is refused.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from contextvars import ContextVar
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any, Generic, TypeVar, cast

from django.db import DEFAULT_DB_ALIAS, Error, connection, connections
from django.db.backends.base.base import BaseDatabaseWrapper
from django.db.backends.postgresql.compiler import SQLCompiler
from django.db.models import BooleanField, Expression, F, Func, QuerySet
from django.db.models.sql import Query
from django.db.transaction import TransactionManagementError
from psycopg import Cursor
from psycopg.pq import Format

if TYPE_CHECKING:
    from django.db.backends.utils import CursorWrapper

Found = TypeVar("Found")
_IS_BY_KEYS: ContextVar[bool] = ContextVar("_IS_BY_KEYS", default=False)


class Given(Expression):
    """The place of a value, in a query that is composed before there is one."""

    placeholder = "%s"

    def __init__(self, name: str) -> None:
        super().__init__()
        self.name = name

    def as_sql(self, compiler: SQLCompiler, connection: BaseDatabaseWrapper) -> tuple[str, Any]:
        """A parameter, which says itself what it stands for."""
        return self.placeholder, [self]


class _Listed(Given):
    """The place of a list, in psycopg's binary form: digests as text take it six times as long."""

    placeholder = "%b"


class Among(Func):
    """A condition: the column is one of the values, which are given as one list.

    As an array, so that the SQL is the same however many there are.
    """

    template = "%(expressions)s)"
    arg_joiner = " = ANY("
    output_field = BooleanField()

    def __init__(self, column: F, values: Given) -> None:
        super().__init__(column, _Listed(values.name))


class Prepared(Generic[Found]):
    """A query of which its values alone change; any thread may ask it."""

    def __init__(self, make: Callable[..., QuerySet[Any, Found]]) -> None:
        """`make` composes it, from the places of its values, by their names."""
        self._make = make
        self._names = inspect.signature(make).parameters.keys()

    def all(self, **given: object) -> list[Found]:
        """What is found for these values."""
        if given.keys() != self._names:
            raise TypeError(f"expected {', '.join(self._names)}, found {', '.join(given)}")
        asked = self._composed.all()
        vars(asked.query)["given"] = given
        return list(asked)

    def first(self, **given: object) -> Found | None:
        """The first of it; the query should ask for no more, or they are all read."""
        return next(iter(self.all(**given)), None)

    @cached_property
    def _composed(self) -> QuerySet[Any, Found]:
        found, again = (self._make(**{each: Given(each) for each in self._names}) for _ in "12")
        form = _Form.of(found.query)
        if form.constants != _Form.of(again.query).constants:
            raise ValueError("expected a query of constants and what is given, found another value")
        found.query.__class__ = _Query  # as Query.chain does it
        vars(found.query)["form"] = form
        return found


def rows(sql: str, values: Sequence[Any], *, is_binary: bool = False) -> list[tuple[Any, ...]]:
    """What PostgreSQL answers, which prepares SQL of ours, too: one text, whatever the values are.

    Lists should be given in their binary form, `%b`: psycopg writes the other two to six times as
    slowly.
    Bytes should be asked for in it (`is_binary`): the other is twice as long, and read in twice the
    time.

    Not by Django's own kind of cursor, which writes the values into the text. What is asked for by
    this one is prepared at once (settings.DATABASES).
    """
    held = connections[DEFAULT_DB_ALIAS]  # `connection` would look for it at each of its names
    held.ensure_connection()
    is_logged = held.queries_logged
    wrap = held.make_debug_cursor if is_logged else held.make_cursor
    asking = Cursor(held.connection)
    asking.format = Format.BINARY if is_binary else Format.TEXT
    with wrap(cast("CursorWrapper", asking)) as cursor:
        cursor.execute(sql, values)
        if is_logged:  # which a prepared query's text is not
            held.queries_log[-1]["sql"] = sql
        found: list[tuple[Any, ...]] = cursor.fetchall()
        return found


@contextmanager
def by_keys() -> Iterator[None]:
    """Find rows by an index alone, for as long as the block takes; it may be within another.

    A plan that was made while a table was empty, or small, reads all of it: and goes on to, until
    PostgreSQL has counted its rows anew, which is a minute in which a ledger grows by thousands.
    """
    if _IS_BY_KEYS.get():
        yield
        return
    within = _IS_BY_KEYS.set(True)
    try:
        with connection.cursor() as cursor:
            cursor.execute("SET enable_seqscan = off")
        yield
    finally:
        _IS_BY_KEYS.reset(within)
        with suppress(Error), connection.cursor() as cursor:  # undone with what has failed
            cursor.execute("RESET enable_seqscan")


@dataclass(frozen=True, slots=True, kw_only=True)
class _Form:
    """What Django made of a query, and what it needs to make objects of its rows."""

    sql: str
    parameters: Sequence[object]
    reading: Mapping[str, Any]

    @classmethod
    def of(cls, query: Query) -> _Form:
        compiler = SQLCompiler(query, connection, connection.alias)
        sql, parameters = compiler.as_sql()
        names = ("select", "klass_info", "annotation_col_map", "col_count")
        reading = {name: getattr(compiler, name) for name in names}
        return cls(sql=sql, parameters=parameters, reading=reading)

    @property
    def constants(self) -> list[object]:
        """What is not given."""
        return [self.sql, *(each for each in self.parameters if not isinstance(each, Given))]

    def filled(self, given: Mapping[str, object]) -> list[Any]:
        """The parameters, each in its place."""
        return [given[each.name] if isinstance(each, Given) else each for each in self.parameters]


class _Query(Query):
    """One whose SQL is there."""

    form: _Form
    given: Mapping[str, object]

    def get_compiler(
        self,
        using: str | None = None,
        connection: BaseDatabaseWrapper | None = None,
        elide_empty: bool = True,  # noqa: FBT001, FBT002 - as Django has it
    ) -> SQLCompiler:
        return _Compiler(self, connection or connections[using or "default"], using)


class _Compiler(SQLCompiler):
    """Has nothing to compile."""

    query: _Query

    def __init__(self, query: _Query, connection: BaseDatabaseWrapper, using: str | None) -> None:
        super().__init__(query, connection, using)
        vars(self).update(self.query.form.reading)

    def execute_sql(self, *_how: object, **_much: object) -> Any:  # noqa: ANN401 - as Django has it
        """All rows at once, whichever way they are asked for."""
        if self.query.select_for_update and self.connection.get_autocommit():
            raise TransactionManagementError("rows are locked in a transaction, and there is none")
        return [rows(self.query.form.sql, self.query.form.filled(self.query.given))]
