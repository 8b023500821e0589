"""The selected regions as a table at an address that works for a while without a login: TOPCAT has no cookie.

The address carries what is asked for and until when, signed; nothing of it can be changed or guessed.
"""

import asyncio
import json
import logging
import time
from typing import NamedTuple
from urllib.parse import parse_qsl

from tornado.iostream import StreamClosedError
from tornado.web import HTTPError, create_signed_value, decode_signed_value

from app.jobs import BusyError, shared_jobs
from app.paper.numbers import facts
from app.paper.regions import region_table
from app.paper.shown import show
from app.paper.tables import ENDINGS, table_file
from app.selection import Selection
from app.server.routes import Quiet
from app.server.secret import derived
from app.settings import Settings, data_folder, read_settings
from app.store import Survey, open_survey
from engine.errors import GlocalError
from engine.figures.arrays import View

PURPOSE = "tables"
MINUTES_PER_DAY = 1440
CLOCKS_S = 60  # by which clocks of two machines may differ
KINDS = {"votable": "VOTable", "fits": "FITS", "parquet": "Parquet", "ecsv": "ECSV"}
MIME = {"votable": "application/x-votable+xml", "fits": "application/fits"}
FIGURE = "3"  # whose regions are all that are selected
log = logging.getLogger(__name__)


class Address(NamedTuple):
    """Where a table of one format is fetched, seen from the page of saved views."""

    words: str
    path: str


def addresses(query: str, survey_id: str, settings: Settings) -> list[Address]:
    """Addresses of the regions a link selects, one per format."""
    return [Address(words, f"tables/{_sign(query, kind, survey_id, settings)}/{file_name(kind)}")
            for kind, words in KINDS.items()]  # fmt: skip


def file_name(kind: str) -> str:
    """Name under which a table is saved."""
    return f"glocal-regions.{ENDINGS[kind]}"


class TableHandler(Quiet):
    """Makes the table of a signed address, in the pool of exports."""

    async def get(self, token: str) -> None:
        settings = read_settings()
        query, kind, survey_id = self._asked(token, settings)
        if shared_jobs().answering >= shared_jobs().most:  # files that nobody takes fill the memory
            raise HTTPError(503, reason="Too many tables are being fetched at the moment: try again in a minute")
        with shared_jobs().answer():
            content = await self._content(query, kind, survey_id)
            self.set_header("Content-Type", MIME.get(kind, "application/octet-stream"))
            self.set_header("Content-Disposition", f'attachment; filename="{file_name(kind)}"')
            await self._send(content, settings.send_s)

    async def _send(self, content: bytes, patience_s: float) -> None:
        """Send a file to somebody who takes it in time; else it is dropped, and the line cut."""
        try:
            await asyncio.wait_for(self.finish(content), patience_s)
        except TimeoutError:
            log.warning("a table was not taken within %g s", patience_s)
            self.request.connection.stream.close()
        except StreamClosedError:  # who asked has gone
            return

    async def _content(self, query: str, kind: str, survey_id: str) -> bytes:
        """The file, or the status and sentence why there is none."""
        try:
            survey = open_survey(data_folder())
            if survey.survey_id != survey_id:
                raise HTTPError(410, reason="The survey has been replaced since: ask for a new address")
            return await shared_jobs().run(selected_table, survey, query, kind, read_settings().table_rows)
        except BusyError as error:
            raise HTTPError(503, reason=str(error)) from None
        except GlocalError as error:
            raise HTTPError(400, reason=str(error)) from None

    def _asked(self, token: str, settings: Settings) -> tuple[str, str, str]:
        days = settings.link_minutes / MINUTES_PER_DAY
        words = decode_signed_value(derived(settings, PURPOSE), PURPOSE, token, max_age_days=days)
        if words is None:
            raise HTTPError(403, reason="This address is not valid, or not any more: ask for a new one")
        query, kind, survey_id, made = json.loads(words)
        if made > time.time() + CLOCKS_S:  # signed when the clock was ahead: it would last too long
            raise HTTPError(403, reason="This address is not valid yet: ask for a new one")
        return query, kind, survey_id


def selected_table(survey: Survey, query: str, kind: str, most: int) -> bytes:
    """The file of the regions a link selects; raises GlocalError if they are too many."""
    selection, _ = Selection.from_query(dict(parse_qsl(query, keep_blank_values=True)))
    shown = show(survey, FIGURE, selection.cut(), View(weighting=selection.weighting))
    if shown.sample.n_regions > most:
        raise GlocalError(f"{shown.sample.n_regions} regions are selected, {most} is the limit: narrow the selection")
    columns, words = region_table(shown)
    return table_file(columns, words, facts(shown), kind)


def _sign(query: str, kind: str, survey_id: str, settings: Settings) -> str:
    words = json.dumps([query, kind, survey_id, round(time.time())])
    return create_signed_value(derived(settings, PURPOSE), PURPOSE, words).decode("ascii")


ROUTES = [(r"/tables/([^/]{20,8000})/glocal-regions\.(?:vot|fits|parquet|ecsv)", TableHandler)]
