"""What the server answers besides the page: fonts, whether it is alive and ready, numbers for the keeper."""

import hmac
import time
from collections.abc import Callable
from http import HTTPStatus

from prometheus_client import CONTENT_TYPE_LATEST, generate_latest
from tornado.web import HTTPError, RequestHandler, StaticFileHandler, authenticated

from app.failures import recent_errors
from app.server.access import LoginHandler, access, comes_from_here
from app.server.html import page
from app.server.lifecycle import state
from app.server.page_handler import HEADERS
from app.settings import ASSETS, read_settings

PAGE = "(?:/app)?"  # the page may be at /app, at /app/ and at the root: what it needs is found from all three
YEAR_S = 31_536_000
RETRY_S = 60  # until somebody who was refused for want of room may try again


class Quiet(RequestHandler):
    """Answers that say nothing of the server or of why something failed."""

    def set_default_headers(self) -> None:
        for name, value in HEADERS.items():
            self.set_header(name, value)
        self.clear_header("Server")
        self.set_header("Cache-Control", "no-store")

    def write_error(self, status_code: int, **_words: object) -> None:
        if status_code == HTTPStatus.SERVICE_UNAVAILABLE:
            self.set_header("Retry-After", str(RETRY_S))
        self.set_header("Content-Type", "text/html; charset=utf-8")
        self.finish(page("refusal.html", status=status_code, sentence=self._reason))


class ForVisitors(Quiet):
    """Answers only to those who may see the page."""

    def get_current_user(self) -> str | None:
        provider = self.application.auth_provider
        return provider.get_user(self) if provider.get_user else None

    async def prepare(self) -> None:
        if ask := self.application.auth_provider.get_user_async:
            self.current_user = await ask(self)

    def get_login_url(self) -> str:
        return "./login"


class StyleHandler(StaticFileHandler):
    """Style sheets and fonts; they are public, and hold no data."""

    def prepare(self) -> None:
        if any("\0" in word for word in self.path_args):
            raise HTTPError(404)

    def set_extra_headers(self, path: str) -> None:
        self.set_header("X-Content-Type-Options", "nosniff")
        if path.startswith("fonts/"):
            self.set_header("Cache-Control", f"public, max-age={YEAR_S}")

    def write_error(self, status_code: int, **_words: object) -> None:
        self.finish(f"{status_code}")


class LivenessHandler(Quiet):
    """The process answers. Costs nothing and tells nothing else."""

    def get(self) -> None:
        self.write({"alive": True})


class ReadinessHandler(Quiet):
    """200 once the survey is loaded and until the server is asked to stop; else 503."""

    def get(self) -> None:
        ready = state().ready
        self.set_status(200 if ready else 503)
        self.write({"ready": ready})


class KeeperHandler(ForVisitors):
    """Answers only to keepers; others see 403."""

    def check(self) -> None:
        if not access().may_keep(self.current_user):
            raise HTTPError(403, reason="This page is for the keepers named in GLOCAL_KEEPERS")


class MetricsHandler(KeeperHandler):
    """Numbers in Prometheus' text format: for this machine, for who has the token, or for keepers."""

    def get(self) -> None:
        if not (comes_from_here(self) or self._has_token()):
            if self.current_user is None:
                raise HTTPError(401)
            self.check()
        state().count()
        self.set_header("Content-Type", CONTENT_TYPE_LATEST)
        self.write(generate_latest())

    def _has_token(self) -> bool:
        wanted = read_settings().metrics_token.get_secret_value()
        given = self.request.headers.get("Authorization", "").removeprefix("Bearer ")
        return bool(wanted) and hmac.compare_digest(wanted.encode(), given.encode())


class AdminHandler(KeeperHandler):
    """The keeper's page: how many visitors, how fast, how much memory, which errors."""

    @authenticated
    def get(self) -> None:
        self.check()
        state().count()
        self.write(page("admin.html", facts=state().facts(), errors=recent_errors(), now=time.strftime("%H:%M:%S")))


def routes() -> list[tuple]:
    """Patterns and handlers, as tornado takes them."""
    plain: list[tuple[str, Callable]] = [
        (r"/liveness", LivenessHandler),
        (r"/readiness", ReadinessHandler),
        (r"/metrics", MetricsHandler),
        (r"/admin", AdminHandler),
        (r"/app/login", LoginHandler),
    ]
    return [(rf"{PAGE}/style/(.*)", StyleHandler, {"path": str(ASSETS / "style")}), *plain]
