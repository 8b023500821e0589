"""The tables of the saved views, and the steps that lead an older database to them."""

from collections.abc import Callable

from sqlalchemy import Column, Connection, Integer, LargeBinary, MetaData, String, Table, Text, inspect, text

metadata = MetaData()
versions = Table("glocal_schema", metadata, Column("version", Integer, nullable=False))
views = Table(
    "glocal_views",
    metadata,
    Column("view_id", String(40), primary_key=True),
    Column("name", String(120), nullable=False),
    Column("query", Text, nullable=False),
    Column("survey_id", String(64), nullable=False),
    Column("made", String(40), nullable=False),
    Column("note", Text, nullable=False),
    Column("author", String(100), nullable=False),
    Column("software", String(100), nullable=False),
    Column("picture", LargeBinary, nullable=False),
    Column("removed", String(40), nullable=False, server_default=""),  # when; nothing is ever deleted
)
LOCK = 7_261_904  # any number, the same in all processes, for PostgreSQL's advisory lock


def _first_tables(connection: Connection) -> None:
    first = Table("glocal_views", MetaData(), *(c._copy() for c in views.columns if c.name != "removed"))
    first.create(connection)


def _removed_views_stay(connection: Connection) -> None:
    connection.execute(text("ALTER TABLE glocal_views ADD COLUMN removed VARCHAR(40) NOT NULL DEFAULT ''"))


STEPS: tuple[Callable[[Connection], None], ...] = (_first_tables, _removed_views_stay)


def alone(connection: Connection) -> None:
    """Wait until no other process writes, and keep others waiting until this transaction ends.

    SQLite's transactions begin so; PostgreSQL takes an advisory lock.
    """
    if connection.dialect.name == "postgresql":
        connection.execute(text("SELECT pg_advisory_xact_lock(:lock)"), {"lock": LOCK})


def migrate(connection: Connection) -> int:
    """Take the steps that are missing, inside the caller's transaction; how many there were."""
    alone(connection)
    if not inspect(connection).has_table(versions.name):
        versions.create(connection)
        connection.execute(versions.insert().values(version=0))
    version = connection.execute(versions.select()).scalar_one()
    for step in STEPS[version:]:
        step(connection)
    connection.execute(versions.update().values(version=max(version, len(STEPS))))
    return max(len(STEPS) - version, 0)
