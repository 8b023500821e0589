"""Everything that makes a Bokeh server ours. Done once per process, before the server is built."""

import sys
from functools import cache, partial
from pathlib import Path

import bokeh.server.server as bokeh_server
import panel as pn
import panel.io.location as panel_location
import panel.io.server as panel_server
from bokeh.server.urls import per_app_patterns, toplevel_patterns
from bokeh.settings import settings as bokeh_settings
from tornado.httpserver import HTTPServer

from app.bokeh_defaults import remember_defaults
from app.compat import lean_bundle, location_of, patch_style_sheets
from app.server import access, logs, oidc_login, tables, views_page
from app.server.page_handler import LineHandler, PageHandler
from app.server.routes import routes
from app.server.secret import derived
from app.settings import Settings, read_settings
from engine.errors import GlocalError

BODY_S = 30.0  # longest time for the body of a request
IDLE_S = 120.0  # longest time for its head, and between two requests
GATE = Path(__file__).with_name("gate.py")


@cache
def install() -> None:
    """Read the settings and put routes, login, signatures and logs in place; ends the process if they are refused."""
    try:
        settings = read_settings()
        access.access()
    except GlocalError as error:
        sys.exit(f"glocal: {error}")
    logs.configure(settings)
    _sign(settings)
    _bound_requests(settings)
    toplevel_patterns[:0] = [*routes(), *views_page.ROUTES, *tables.ROUTES, *oidc_login.ROUTES]
    ours = {panel_server.DocHandler: PageHandler, panel_server.WSHandler: LineHandler}
    per_app_patterns[:] = [(path, ours.get(handler, handler)) for path, handler in per_app_patterns]
    panel_server.bundle_resources = lean_bundle
    panel_server.patch_model_css = patch_style_sheets
    remember_defaults()
    panel_location._get_location_params = location_of
    bokeh_settings.perform_document_validation.set_value(False)  # a tenth of every opening, for hints to developers
    bokeh_settings.auth_module.set_value(str(GATE))


def _bound_requests(settings: Settings) -> None:
    """Take no large uploads and wait for no slow ones: Bokeh's command has no words for that."""
    limits = {
        "max_body_size": round(settings.upload_mb * 1.1e6),
        "body_timeout": BODY_S,
        "idle_connection_timeout": IDLE_S,
    }
    bokeh_server.HTTPServer = partial(HTTPServer, **limits)


def _sign(settings: Settings) -> None:
    """Sign sessions and cookies, so that nobody can make up either."""
    bokeh_settings.sign_sessions.set_value(True)
    bokeh_settings.secret_key.set_value(derived(settings, "sessions"))
    if hasattr(bokeh_settings, "_secret_key_bytes"):  # Bokeh keeps what it read when it was imported
        del bokeh_settings._secret_key_bytes
    if not pn.config.cookie_secret:
        pn.config.cookie_secret = derived(settings, "cookies")
