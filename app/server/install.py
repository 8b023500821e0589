"""Everything that makes a Bokeh server ours. Done once per process, before the server is built."""

import logging
import sys
from functools import cache
from pathlib import Path

import panel as pn
import panel.io.server as panel_server
from bokeh.server.urls import per_app_patterns, toplevel_patterns
from bokeh.settings import settings as bokeh_settings

from app.server import access, logs
from app.server.page_handler import PageHandler
from app.server.routes import routes
from app.server.secret import derived
from app.settings import OAUTH_VARIABLE, Settings, read_settings
from engine.errors import GlocalError

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
    toplevel_patterns[:0] = routes()
    ours = {panel_server.DocHandler: PageHandler}
    per_app_patterns[:] = [(path, ours.get(handler, handler)) for path, handler in per_app_patterns]
    if not pn.config.oauth_provider:
        bokeh_settings.auth_module.set_value(str(GATE))
    logging.getLogger(__name__).debug("installed; %s is read by Panel", OAUTH_VARIABLE)


def _sign(settings: Settings) -> None:
    """Sign sessions and cookies, so that nobody can make up either."""
    bokeh_settings.sign_sessions.set_value(True)
    bokeh_settings.secret_key.set_value(derived(settings, "sessions"))
    if hasattr(bokeh_settings, "_secret_key_bytes"):  # Bokeh keeps what it read when it was imported
        del bokeh_settings._secret_key_bytes
    if not pn.config.cookie_secret:
        pn.config.cookie_secret = derived(settings, "cookies")
