"""The page itself: at one address, with headers that browsers obey, as long as there is room for another one."""

from bokeh.util.token import get_session_id
from panel.io.server import DocHandler, WSHandler
from tornado.web import authenticated

from app.metrics import REFUSED
from app.server.html import page
from app.server.lifecycle import state
from app.settings import read_settings

AGAIN_S = 15  # until a page that found no room asks again
PING_S = 10.0  # between two pings to a browser, and the longest time for its answer

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


class PageHandler(DocHandler):
    """Bokeh's page of an app, at /app and not at /app/, from where its scripts would not be found."""

    def set_default_headers(self) -> None:
        for name, value in HEADERS.items():
            self.set_header(name, value)
        self.clear_header("Server")

    @authenticated
    async def get(self, *words: str, **more: str) -> None:
        if self.request.path.endswith("/app/"):
            query = f"?{self.request.query}" if self.request.query else ""
            self.redirect(f"../app{query}", permanent=False)
        elif is_full():
            self._ask_to_wait()
        else:
            await super().get(*words, **more)

    def _ask_to_wait(self) -> None:
        """A page without a session: one with a session would take the room it waits for."""
        self.set_status(503)
        self.set_header("Retry-After", str(AGAIN_S))
        self.set_header("Cache-Control", "no-store")
        self.finish(page("full.html", again_s=AGAIN_S))


class LineHandler(WSHandler):
    """The websocket of a page. A browser that does not answer has gone to sleep: its line is closed."""

    ping_interval = PING_S
    ping_timeout = PING_S

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
