"""Who comes in: this machine alone, everybody, users with a password, or who logs in at an identity provider."""

import asyncio
import logging
from concurrent.futures import ThreadPoolExecutor
from functools import lru_cache
from typing import Protocol
from urllib.parse import urlencode, urlsplit

from tornado.web import HTTPError, RequestHandler

from app.server.forms import from_our_page
from app.server.html import page
from app.server.oidc import Invited, Provider
from app.server.users import Lockout, Users
from app.settings import Settings, is_loopback, read_settings
from engine.errors import SettingsError

EVERYBODY = "visitor"  # name of whoever needs no login
COOKIE, PANELS_COOKIE = "glocal_login", "user"
LONGEST = 1024  # characters of a password: hashing longer ones would be work for nothing
SECONDS_PER_DAY = 86_400
CLOSED = (
    "This Glocal shows its page to its own machine only. To open it to others, name its users with GLOCAL_USERS, or "
    "let everybody in with GLOCAL_OPEN=yes"
)
log = logging.getLogger(__name__)
_hashing = ThreadPoolExecutor(1, thread_name_prefix="glocal-login")  # one at a time: each takes 20 MB or more


class Guests(Protocol):
    """Who may have a login."""

    def refresh(self) -> None:
        """Notice changes; raises SettingsError where nobody can be let in."""

    def fingerprint(self, name: str) -> str | None:
        """A word for the login cookie; None if there is no such guest (any more)."""


class Access:
    """The rule in force, and the failures so far. One per process."""

    def __init__(self, settings: Settings):
        if settings.users and settings.oidc_issuer:
            raise SettingsError("GLOCAL_USERS and GLOCAL_OIDC_ISSUER are both set: choose one")
        self.settings = settings
        self.users = Users(settings.users) if settings.users else None
        self.provider = Provider(settings) if settings.oidc_issuer else None
        self.guests: Guests | None = Invited(settings) if settings.oidc_issuer else self.users
        self.lockout = Lockout(settings.login_attempts, settings.lockout_minutes * 60)

    def user(self, handler: RequestHandler) -> str | None:
        """Name of who asks; None: log in first. Raises 403 where the page is for its own machine only."""
        if self.guests is not None:
            return self._logged_in(handler)
        if self.settings.open or (comes_from_here(handler) and self._named_as_ours(handler.request.host_name)):
            return EVERYBODY
        raise HTTPError(403, CLOSED, reason="This page is for its own machine only, by the name localhost")

    def _named_as_ours(self, host: str) -> bool:
        """Whether a browser called us by a name of ours: another site's name may have been pointed at this machine."""
        named = {origin.partition(":")[0] for origin in self.settings.origins}
        return is_loopback(host) or host in named

    def may_keep(self, name: str | None) -> bool:
        """Whether somebody may see the admin page."""
        if self.guests is None and not self.settings.open:
            return name is not None
        return name in self.settings.keepers

    def log_in(self, handler: RequestHandler, name: str) -> None:
        """Set the cookies of somebody who proved who they are."""
        for cookie, value in ((COOKIE, f"{name}|{self.guests.fingerprint(name)}"), (PANELS_COOKIE, name)):
            self.keep_cookie(handler, cookie, value, self._days)

    def keep_cookie(self, handler: RequestHandler, name: str, value: str, days: float) -> None:
        """Have the browser keep a signed word that no script and no other site can use."""
        secure = handler.request.protocol == "https"
        handler.set_signed_cookie(
            name, value, expires_days=days, path=self.path, httponly=True, secure=secure, samesite="Lax"
        )

    def log_out(self, handler: RequestHandler) -> None:
        """Take the cookies back."""
        for cookie in (COOKIE, PANELS_COOKIE):
            handler.clear_cookie(cookie, path=self.path)

    def _logged_in(self, handler: RequestHandler) -> str | None:
        words = handler.get_signed_cookie(COOKIE, max_age_days=self._days)
        if words is None:
            return None
        name, _, fingerprint = words.decode("utf-8", "replace").rpartition("|")
        try:
            self.guests.refresh()
        except SettingsError as error:
            log.error("%s", error)
            return None
        return name if fingerprint and fingerprint == self.guests.fingerprint(name) else None

    @property
    def _days(self) -> float:
        return self.settings.login_hours * 3600 / SECONDS_PER_DAY

    @property
    def path(self) -> str:
        """Below which our cookies are sent."""
        return "/" + self.settings.prefix.strip("/")


@lru_cache(maxsize=1)
def access() -> Access:
    """The rule of this process."""
    return Access(read_settings())


def comes_from_here(handler: RequestHandler) -> bool:
    """Whether a request comes from this machine, and not through a proxy that speaks for somebody else."""
    forwarded = any(name in handler.request.headers for name in ("X-Forwarded-For", "X-Real-Ip", "Forwarded"))
    return is_loopback(handler.request.remote_ip) and not forwarded


class LoginHandler(RequestHandler):
    """The login page, and the answer to what was typed."""

    def get(self) -> None:
        self._show("")

    async def post(self) -> None:
        rule = access()
        if rule.users is None or not from_our_page(self):
            raise HTTPError(403, reason="Refused")
        name = self.get_body_argument("name", "")
        password = self.get_body_argument("password", "", strip=False)
        keys = (f"name {name}", f"address {self.request.remote_ip}")
        if wait := rule.lockout.waits(*keys):
            self.set_status(429)
            self.set_header("Retry-After", str(round(wait) + 1))
            return self._show(f"Too many wrong passwords. Try again in {round(wait / 60) or 1} min.")
        if await self._right(rule, name, password):
            rule.lockout.succeeded(*keys)
            rule.log_in(self, name)
            return self.redirect(target(self.get_body_argument("next", "")), status=303)
        rule.lockout.failed(*keys)
        log.warning("a wrong password was given")
        self.set_status(401)
        return self._show("Name or password is wrong.")

    async def _right(self, rule: Access, name: str, password: str) -> bool:
        if len(name) > LONGEST or len(password) > LONGEST:
            return False
        rule.users.refresh()
        return await asyncio.get_running_loop().run_in_executor(_hashing, rule.users.accepts, name, password)

    def _show(self, sentence: str) -> None:
        self.set_header("Cache-Control", "no-store")
        self.finish(login_page(self, sentence, target(self.get_argument("next", ""))))


class LogoutHandler(RequestHandler):
    """Takes the cookies back and shows the login page."""

    def get(self) -> None:
        access().log_out(self)
        self.redirect("./login")


def login_page(handler: RequestHandler, sentence: str, leads_to: str) -> str:
    """The page that asks for a password, or leads to the provider."""
    provider = access().provider
    start = f"{handler.application.prefix}/login/start?" + urlencode({"next": leads_to})
    return page("login.html", sentence=sentence, next=leads_to, start=start, host=provider.host if provider else "")


def target(asked: str) -> str:
    """Where a login leads: a page of ours below this address, or the front page; never another site."""
    parts = urlsplit(asked)
    last = parts.path.rstrip("/").rpartition("/")[2].removeprefix(".")  # "./?page=masses" is what this returns
    if parts.scheme or parts.netloc or "\\" in asked or last not in ("", "app", "views", "admin"):
        return "./"
    return f"./{last}" + (f"?{parts.query}" if parts.query else "")
