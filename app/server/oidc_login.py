"""The two halves of a login at an identity provider: the way there, and the way back."""

import hmac
import json
import logging

from tornado.web import HTTPError

from app.failures import report
from app.server.access import access, login_page, target
from app.server.oidc import Attempt, LoginError
from app.server.routes import Quiet

COOKIE = "glocal_oidc"
DAYS = 10 / 1440  # from the one half to the other
OTHER_LOGIN = "this login was begun elsewhere, or too long ago: log in again"
log = logging.getLogger(__name__)


class AtProvider(Quiet):
    """What both halves share. Where logins are not a provider's, there is neither."""

    def prepare(self) -> None:
        if access().provider is None:
            raise HTTPError(404)

    @property
    def back(self) -> str:
        """The address the provider sends browsers back to; it is registered there."""
        return f"{self.request.protocol}://{self.request.host}{self.application.prefix}/login/back"

    def refuse(self, status: int, error: LoginError, leads_to: str) -> None:
        """Say why nobody is logged in, with a way to try again."""
        self.set_status(status)
        self.finish(login_page(self, report(error), leads_to))


class StartHandler(AtProvider):
    """Sends the browser to the provider, with words that have to come back."""

    async def get(self) -> None:
        attempt = Attempt.fresh()
        leads_to = target(self.get_query_argument("next", ""))
        try:
            address = await access().provider.address(attempt, self.back)
        except LoginError as error:
            return self.refuse(502, error, leads_to)
        access().keep_cookie(self, COOKIE, json.dumps([*attempt, leads_to]), DAYS)
        return self.redirect(address)


class BackHandler(AtProvider):
    """Where the provider sends the browser to: who logged in there is let in here, if they are invited."""

    async def get(self) -> None:
        rule = access()
        *words, leads_to = json.loads(self.get_signed_cookie(COOKIE, max_age_days=DAYS) or '["", "", "", "./"]')
        attempt = Attempt(*words)
        self.clear_cookie(COOKIE, path=rule.path)  # each attempt counts once
        state = self.get_query_argument("state", "")
        if not attempt.state or not hmac.compare_digest(state.encode(), attempt.state.encode()):
            return self.refuse(403, LoginError(OTHER_LOGIN), leads_to)
        code = self.get_query_argument("code", "")
        if not code:  # what the provider says of it may be anybody's words
            return self.refuse(403, LoginError("the provider did not log you in"), leads_to)
        try:
            name = await rule.provider.name(code, attempt, self.back)
        except LoginError as error:
            return self.refuse(403, error, leads_to)
        if rule.guests.fingerprint(name) is None:
            return self.refuse(403, LoginError("you are logged in at the provider, but not invited here"), leads_to)
        rule.log_in(self, name)
        return self.redirect("." + leads_to)  # one step up from /login/back


ROUTES = [(r"(?:/app)?/login/start", StartHandler), (r"/login/back", BackHandler)]
