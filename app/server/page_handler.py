"""The page itself: at one address, with headers that browsers obey, and its scripts on their way at once."""

from typing import ClassVar

import panel as pn
from panel.io.server import DocHandler
from tornado.web import authenticated

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
        await self._open(*words, **more)

    @authenticated
    async def _open(self, *words: str, **more: str) -> None:
        if self._is_sure_to_succeed():
            await self._send_head()
        await super().get(*words, **more)

    def write(self, chunk: str | bytes | dict) -> None:
        """The page, less the part that the browser has."""
        if isinstance(chunk, str):
            self.heads[self.request.path] = head_of(chunk)
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


def head_of(page: str) -> str:
    """The start of a page up to its last script file; nothing if it has none."""
    before, found, after = page.rpartition('<script type="text/javascript" src=')
    return before + found + after[: after.index(LAST_SCRIPT) + len(LAST_SCRIPT)] if found else ""
