"""The page of saved views: the group's list, a form to save the present one, one file out and in."""

import asyncio
from urllib.parse import parse_qsl, urlencode

from tornado.web import HTTPError, authenticated

from app.failures import report
from app.jobs import BusyError, shared_jobs
from app.server.access import access
from app.server.forms import from_our_page
from app.server.html import page
from app.server.routes import ForVisitors
from app.server.tables import addresses
from app.server.thumbnail import thumbnail
from app.settings import data_folder, read_settings
from app.store import Survey, open_survey
from app.views.files import read_views_file, views_file
from app.views.store import SavedViews, saved_views
from app.views.view import LONGEST, SavedView, ViewError, new_view
from engine.errors import GlocalError

FILE_NAME = "glocal-views.json"
DONE = {
    "saved": "The view was saved.",
    "removed": "The view was taken off the list.",
    "added": "The views of the file were added.",
    "known": "All views of the file were here already.",
}


class ViewsHandler(ForVisitors):
    """Lists, saves, removes, hands out and takes in."""

    @authenticated
    async def get(self) -> None:
        await self._show()

    @authenticated
    async def post(self) -> None:
        if not from_our_page(self):
            raise HTTPError(403, reason="Refused")
        acts = {"save": self._save, "remove": self._remove, "import": self._take_in}
        act = acts.get(self.get_body_argument("act", ""))
        if act is None:
            raise HTTPError(400, reason="Nothing was asked for")
        try:
            done = await act()
        except GlocalError as error:
            self.set_status(400)
            await self._show(report(error))
            return
        self.redirect("./views?" + urlencode({"view": self._asked(), "done": done}), status=303)

    async def _save(self) -> str:
        survey = open_survey(data_folder())
        query = urlencode(parse_qsl(self._asked(), keep_blank_values=True))
        view = new_view(
            self.get_body_argument("name", ""), query, survey.survey_id,
            note=self.get_body_argument("note", "").replace("\r\n", "\n"),
            author=self._author(), software=survey.meta.get("software", ""), picture=await _picture(survey, query),
        )  # fmt: skip
        await self._do(SavedViews.save, view)
        return "saved"

    async def _remove(self) -> str:
        view = await self._do(SavedViews.get, self.get_body_argument("view_id", ""))
        if view is None:
            raise ViewError("this view is not there any more")
        if not self._may_remove(view):
            raise HTTPError(403, reason="Only who saved a view, and keepers, may remove it")
        await self._do(SavedViews.remove, view.view_id)
        return "removed"

    async def _take_in(self) -> str:
        files = self.request.files.get("file")
        if not files:
            raise ViewError("choose a file first")
        limit = read_settings().upload_mb * 1e6
        if len(files[0].body) > limit:
            raise ViewError(f"this file is larger than {limit / 1e6:g} MB")
        added = await self._do(SavedViews.add, read_views_file(files[0].body))
        return "added" if added else "known"

    async def _show(self, wrong: str = "") -> None:
        try:
            listed, lost = await self._do(SavedViews.listed), ""
        except ViewError as error:
            listed, lost = [], report(error)
        survey_id = _survey_id()
        settings = read_settings()
        words = {
            "root": f"{self.request.protocol}://{self.request.host}{self.application.prefix}/",
            "tables": addresses(self._asked(), survey_id, settings) if survey_id else [],
            "minutes": f"{settings.link_minutes:g}",
            "views": [(view, view.survey_id == survey_id, self._may_remove(view)) for view in listed],
            "view": self._asked(), "done": DONE.get(self.get_query_argument("done", ""), ""), "wrong": wrong or lost,
            "longest": LONGEST, "user": self.current_user, "logged_in": access().guests is not None,
        }  # fmt: skip
        self.finish(page("views.html", **words))

    async def _do(self, act, *words: object) -> object:
        """Ask the database in a thread: it may have to wait for others."""
        return await asyncio.to_thread(act, saved_views(), *words)

    def _asked(self) -> str:
        """The words of the link of the view in question; "" if there is none."""
        return self.get_argument("view", "")[: LONGEST["query"] + 1]

    def _author(self) -> str:
        return self.current_user if access().guests is not None else ""

    def _may_remove(self, view: SavedView) -> bool:
        return access().may_keep(self.current_user) or (bool(view.author) and view.author == self.current_user)


class ViewsFileHandler(ForVisitors):
    """All saved views as one file."""

    @authenticated
    async def get(self) -> None:
        listed = await asyncio.to_thread(SavedViews.listed, saved_views())
        self.set_header("Content-Type", "application/json")
        self.set_header("Content-Disposition", f'attachment; filename="{FILE_NAME}"')
        self.finish(views_file(listed))


class PictureHandler(ForVisitors):
    """The small picture of one view."""

    @authenticated
    async def get(self, view_id: str) -> None:
        view = await asyncio.to_thread(SavedViews.get, saved_views(), view_id)
        if view is None or not view.picture:
            raise HTTPError(404)
        self.set_header("Content-Type", "image/png")
        self.set_header("Cache-Control", "private, max-age=86400")
        self.finish(view.picture)


async def _picture(survey: Survey, query: str) -> bytes:
    """The picture of a view; none if it cannot be drawn now: the view is saved all the same."""
    try:
        return await shared_jobs().run(thumbnail, survey, dict(parse_qsl(query, keep_blank_values=True)))
    except BusyError:
        return b""


def _survey_id() -> str:
    try:
        return open_survey(data_folder()).survey_id
    except GlocalError:
        return ""


ROUTES = [
    (r"/views", ViewsHandler),
    (r"/views/glocal-views\.json", ViewsFileHandler),
    (r"/views/picture/([A-Za-z0-9_-]{8,40})\.png", PictureHandler),
]
