"""The saved views of the group: SQLite beside the secret, or any database SQLAlchemy reaches."""

import logging
from collections.abc import Callable, Iterable
from datetime import UTC, datetime
from functools import lru_cache
from pathlib import Path
from typing import TypeVar

from sqlalchemy import Connection, Engine, NullPool, create_engine, event, exc, select
from sqlalchemy.engine import URL, make_url

from app.settings import read_settings
from app.views.journal import Journal
from app.views.schema import alone, migrate, views
from app.views.view import SavedView, ViewError
from engine.errors import first_line

WAIT_S = 5.0  # for another process that is writing
DAMAGED = ("malformed", "not a database", "no such table", "disk image", "no such column")
PATIENCE = {"sqlite": {"timeout": WAIT_S}, "postgresql": {"connect_timeout": round(WAIT_S)}}
T = TypeVar("T")
log = logging.getLogger(__name__)


class SavedViews:
    """All saved views. Each call opens the database, so one that is replaced or repaired is the one that is used."""

    def __init__(self, address: str):
        self._engine = _engine(address)
        self._path = _sqlite_path(address)
        self._journal = Journal(self._path.with_suffix(".jsonl")) if self._path else None
        self._prepared = False

    def listed(self) -> list[SavedView]:
        """The views that were not removed, newest first."""
        found = select(views).where(views.c.removed == "").order_by(views.c.made.desc(), views.c.view_id)
        return self._do(lambda connection: [_view(row) for row in connection.execute(found).mappings()])

    def get(self, view_id: str) -> SavedView | None:
        """One view, also if it was removed."""
        found = select(views).where(views.c.view_id == view_id)

        def read(connection: Connection) -> SavedView | None:
            row = connection.execute(found).mappings().first()
            return None if row is None else _view(row)

        return self._do(read)

    def save(self, view: SavedView) -> None:
        """Keep a view; it is on the disk when this returns. Raises ViewError in one sentence."""
        self._do(lambda connection: self._insert(connection, [view]))

    def remove(self, view_id: str) -> None:
        """Take a view off the list; its link goes on working."""
        now = datetime.now(UTC).isoformat(timespec="seconds")

        def mark(connection: Connection) -> None:
            connection.execute(views.update().where(views.c.view_id == view_id).values(removed=now))
            if self._journal:
                self._journal.removed(view_id, now)

        self._do(mark)

    def add(self, many: Iterable[SavedView]) -> int:
        """Keep the views that are not here yet, all or none; how many there were."""
        return self._do(lambda connection: self._insert(connection, list(many)))

    def _insert(self, connection: Connection, many: list[SavedView]) -> int:
        alone(connection)  # two that take in the same file would both find it new
        known = set(connection.execute(select(views.c.view_id)).scalars())
        fresh = list({view.view_id: view for view in many if view.view_id not in known}.values())
        for view in fresh:
            connection.execute(views.insert().values(**_row(view)))
            if self._journal:
                self._journal.saved(view)
        return len(fresh)

    def _do(self, work: Callable[[Connection], T]) -> T:
        """Do something in one transaction; a database that is damaged is repaired first."""
        try:
            return self._attempt(work)
        except exc.DBAPIError as error:
            if not (self._journal and any(word in str(error.orig) for word in DAMAGED)):
                raise ViewError(_sentence(error)) from None
        except OSError as error:
            raise ViewError(f"the view could not be written: {error.strerror}") from None
        try:
            self._repair()
            return self._attempt(work)
        except (exc.DBAPIError, OSError) as error:
            raise ViewError(f"the saved views cannot be reached: {getattr(error, 'orig', error)}") from None

    def _attempt(self, work: Callable[[Connection], T]) -> T:
        if not self._prepared:
            self._prepare()
        with self._engine.begin() as connection:
            return work(connection)

    def _prepare(self) -> None:
        """Bring the tables up to date, and add what only the journal knows."""
        if self._path:
            self._path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        with self._engine.begin() as connection:
            migrate(connection)
            if self._journal:
                _replay(connection, self._journal)
        self._prepared = True

    def _repair(self) -> None:
        """Put a damaged file aside and fill a new one from the journal."""
        with self._journal.alone():
            if not self._sound():
                aside = self._path.with_suffix(f".damaged-{datetime.now(UTC):%Y%m%d-%H%M%S}")
                self._path.rename(aside)
                log.error("the database of saved views was damaged: it is now %s, and was filled again", aside.name)
            self._prepared = False
            self._prepare()

    def _sound(self) -> bool:
        try:
            with self._engine.begin() as connection:
                return connection.exec_driver_sql("PRAGMA quick_check").scalar() == "ok"
        except exc.DBAPIError:
            return False


@lru_cache(maxsize=1)
def saved_views() -> SavedViews:
    """Those of this process."""
    return SavedViews(read_settings().database_address)


def _engine(address: str) -> Engine:
    try:
        url = _with_driver(make_url(address))
        kind = url.get_backend_name()
        engine = create_engine(url, poolclass=NullPool, connect_args=PATIENCE.get(kind, {}))
    except (exc.ArgumentError, exc.NoSuchModuleError) as error:
        raise ViewError(f"GLOCAL_DATABASE cannot be used: {error}") from None
    except ModuleNotFoundError as error:
        raise ViewError(f"GLOCAL_DATABASE needs {error.name}: pip install 'glocal[hosting]'") from None
    if kind == "sqlite":
        _lock_early(engine)
    return engine


def _with_driver(url: URL) -> URL:
    """PostgreSQL's address as hosts give it out, read by the driver that glocal[hosting] installs."""
    return url.set(drivername="postgresql+psycopg") if url.drivername in ("postgresql", "postgres") else url


def _lock_early(engine: Engine) -> None:
    """Have SQLite take its write lock when a transaction begins: two that read first could not both go on."""

    @event.listens_for(engine, "connect")
    def leave_transactions_to_us(connection, _record) -> None:
        connection.isolation_level = None

    @event.listens_for(engine, "begin")
    def begin(connection: Connection) -> None:
        connection.exec_driver_sql("BEGIN IMMEDIATE")


def _sqlite_path(address: str) -> Path | None:
    url = make_url(address)
    return Path(url.database) if url.get_backend_name() == "sqlite" and url.database else None


def _replay(connection: Connection, journal: Journal) -> None:
    saved, removed = journal.read()
    known = set(connection.execute(select(views.c.view_id)).scalars())
    for view_id, view in saved.items():
        if view_id not in known:
            connection.execute(views.insert().values(**_row(view), removed=removed.get(view_id, "")))


def _row(view: SavedView) -> dict:
    return {name: getattr(view, name) for name in SavedView.__dataclass_fields__}


def _view(row) -> SavedView:
    return SavedView(**{name: row[name] for name in SavedView.__dataclass_fields__})


def _sentence(error: exc.DBAPIError) -> str:
    words = str(error.orig)
    if "locked" in words:
        return "the saved views are in use at the moment: try again in a few seconds"
    if "full" in words or "disk I/O" in words:
        return f"the view could not be written: {words}"
    return f"the saved views cannot be reached: {first_line(error.orig)}"
