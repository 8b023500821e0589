"""What Bokeh asks who a visitor is (its ``auth_module``); it loads this file by its path."""

from tornado.web import RequestHandler

from app.server.access import LoginHandler, LogoutHandler, access

__all__ = ["LoginHandler", "LogoutHandler", "get_user", "login_url", "logout_url"]
login_url = "/login"
logout_url = "/logout"


def get_user(handler: RequestHandler) -> str | None:
    """Name of the visitor; None if they have to log in first."""
    return access().user(handler)
