"""The page itself: at one address, with headers that browsers obey, as long as there is room for another one."""

from typing import ClassVar

import panel as pn
from bokeh.util.token import get_session_id
from panel.io.server import DocHandler, WSHandler
from tornado.web import HTTPError, authenticated

from app.failures import report
from app.metrics import REFUSED
from app.server.html import page
from app.server.lifecycle import state
from app.settings import read_settings

# Bokeh compiles models in the browser (unsafe-eval) and starts pages by a script in them (unsafe-inline); all else
# comes from this server
POLICY = (
    "default-src 'self'; script-src 'self' 'unsafe-inline' 'unsafe-eval' blob:; style-src 'self' 'unsafe-inline'; "
    "img-src 'self' data: blob:; font-src 'self' data:; connect-src 'self' ws: wss:; object-src 'none'; "
    "base-uri 'self'; form-action 'self'; frame-ancestors 'self'"
)
HEADERS = {
    "Content-Security-Policy": POLICY,
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "SAMEORIGIN",
    "Referrer-Policy": "same-origin",
}
OF_A_SESSION = ("bokeh-session-id", "bokeh-token")  # a request that names its session may have to be refused
LAST_SCRIPT = "</script>"


class PageHandler(DocHandler):
    """Bokeh's page of an app, at /app and not at /app/, from where its scripts would not be found.

    The head of the page is the same for every visitor and is sent before the session is made: the browser reads
    BokehJS (1 s) while the server makes the figures.
    """

    heads: ClassVar[dict[str, str]] = {}  # by path, as it was when the page was last made
    sent = ""

    def set_default_headers(self) -> None:
        for name, value in HEADERS.items():
            self.set_header(name, value)
        self.clear_header("Server")

    async def get(self, *words: str, **more: str) -> None:
        if self.request.path.endswith("/app/"):
            query = f"?{self.request.query}" if self.request.query else ""
            self.redirect(f"../app{query}", permanent=False)
            return
        opening = self._open(*words, **more)
        if opening is not None:  # else the visitor has been sent to log in
            await opening

    @authenticated
    async def _open(self, *words: str, **more: str) -> None:
        if is_full():
            self._ask_to_wait()
            return
        if self._is_sure_to_succeed():
            await self._send_head()
        try:
            await super().get(*words, **more)
        except HTTPError:
            raise
        except Exception as error:
            self._apologise(report(error))

    def write(self, chunk: str | bytes | dict) -> None:
        """The page, less the part that the browser has."""
        if isinstance(chunk, str):
            self.heads[self.request.path] = head_of(chunk) or self.heads.get(self.request.path, "")
            chunk = chunk.removeprefix(self.sent)
        super().write(chunk)

    def _is_sure_to_succeed(self) -> bool:
        named = any(self.get_argument(name, None) for name in OF_A_SESSION) or OF_A_SESSION[0] in self.request.headers
        return not named and not pn.config.authorize_callback

    async def _send_head(self) -> None:
        head = self.heads.get(self.request.path, "")
        if not head:
            return
        self.set_header("Content-Type", "text/html; charset=UTF-8")
        self.set_header("Cache-Control", "no-store")
        self.set_header("X-Accel-Buffering", "no")  # nginx passes it on at once
        super().write(head)
        await self.flush()
        self.sent = head

    def _apologise(self, sentence: str) -> None:
        """The end of a page that could not be made, whether its head has left or not."""
        if not self.sent:
            self.set_status(500)
        super().write(page("refusal.html", status=500, sentence=sentence))
        self.finish()

    def _ask_to_wait(self) -> None:
        """A page without a session: one with a session would take the room it waits for."""
        self.set_status(503)
        again_s = read_settings().again_s
        self.set_header("Retry-After", str(again_s))
        self.set_header("Cache-Control", "no-store")
        self.finish(page("full.html", again_s=again_s))


def head_of(text: str) -> str:
    """The start of a page up to its last script file; nothing if it has none."""
    before, found, after = text.rpartition('<script type="text/javascript" src=')
    return before + found + after[: after.index(LAST_SCRIPT) + len(LAST_SCRIPT)] if found else ""


class LineHandler(WSHandler):
    """The websocket of a page. A browser that does not answer has gone to sleep: its line is closed."""

    @property
    def ping_interval(self) -> float:
        """Seconds between two pings, and the longest time for an answer."""
        return read_settings().ping_s

    @property
    def ping_timeout(self) -> float:
        """Seconds until a browser that does not answer counts as gone."""
        return read_settings().ping_s

    async def prepare(self) -> None:
        await super().prepare()
        if not self._finished and self._needs_room() and is_full():
            self.set_status(503)
            self.finish()

    def open(self, *words: str, **more: str) -> object:
        state().lines.add(self)
        return super().open(*words, **more)

    @property
    def is_sending(self) -> bool:
        """Whether something written to it has not left yet."""
        connection = self.ws_connection
        return connection is not None and connection.stream.writing()

    def _needs_room(self) -> bool:
        """Whether the page this line is for is not in memory any more, and would be made again."""
        token = self.request.headers.get("Sec-WebSocket-Protocol", "").rpartition(",")[2].strip()
        try:
            asked = get_session_id(token)
        except (KeyError, TypeError, ValueError):  # Bokeh refuses what is no token
            return False
        return asked not in {session.id for session in state().sessions()}


def is_full() -> bool:
    """Whether this process holds as many pages as it may; counts who is refused."""
    full = len(state().sessions()) >= read_settings().sessions
    if full:
        REFUSED.inc()
    return full
