"""``python -m app.server``: the page with all settings of the environment; `glocal serve` and the Procfile run it."""

import os
import sys
from pathlib import Path

from app.settings import Settings, read_settings, refuse_unguarded
from engine.errors import GlocalError

APP = Path(__file__).resolve().parents[1]
# glibc gives freed pictures back to the system instead of keeping them: memory stays flat over many updates
MEMORY_VARIABLES = {"MALLOC_MMAP_THRESHOLD_": "262144", "MALLOC_ARENA_MAX": "2"}
CHECK_UNUSED_S = 10.0  # between two looks for pages without a browser, at most
TOKEN_S = 600  # from the page's HTML to its websocket: a slow line, a laptop that sleeps in between
MOST_LINES = 8192  # open connections and files; systems give a process 1024 unless it asks for more
LARGEST_MESSAGE = 1_000_000  # bytes from a browser; choices take a few hundred


def main() -> None:
    """Check the settings, then let Panel serve; ends with one sentence if they cannot be."""
    try:
        settings = read_settings()
        refuse_unguarded(settings)
    except GlocalError as refusal:
        sys.exit(f"glocal: {refusal}")
    if not os.environ.keys() >= MEMORY_VARIABLES.keys():  # glibc reads them when a process starts
        os.environ.update({**MEMORY_VARIABLES, **os.environ})
        os.execv(sys.executable, [sys.executable, "-m", "app.server"])
    _allow_many_lines()
    sys.argv = ["panel", *panel_words(settings)]
    from panel.command import main as panel

    from app.server.lifecycle import state

    state().greeting = greeting(settings)
    panel()


def _allow_many_lines() -> None:
    """Ask the system for as many open connections as it gives, up to a bound: silent ones must not use them all up."""
    try:
        import resource
    except ImportError:  # Windows
        return
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    wanted = MOST_LINES if hard == resource.RLIM_INFINITY else min(MOST_LINES, hard)
    resource.setrlimit(resource.RLIMIT_NOFILE, (max(soft, wanted), hard))


def greeting(settings: Settings) -> str:
    """What the terminal shows once the page can be opened."""
    shown = "127.0.0.1" if settings.address == "0.0.0.0" else settings.address
    path = f"/{settings.prefix.strip('/')}/" if settings.prefix else ""
    return f"\n  Glocal is at  http://{shown}:{settings.port}{path}\n\n  Ctrl-C ends it."


def panel_words(settings: Settings) -> list[str]:
    """The words of ``panel serve`` that the settings mean."""
    flags: dict[str, object] = {
        "--address": settings.address,
        "--port": settings.port,
        "--index": APP.name,
        "--unused-session-lifetime": round(settings.keep_session_s * 1000),
        "--check-unused-sessions": round(min(CHECK_UNUSED_S, settings.keep_session_s) * 1000),
        "--session-token-expiration": TOKEN_S,
        "--websocket-max-message-size": LARGEST_MESSAGE,
        "--log-level": "warning",
    }
    if settings.prefix:
        flags["--prefix"] = settings.prefix
    words = [str(word) for pair in flags.items() for word in pair]
    for origin in allowed_origins(settings):
        words += ["--allow-websocket-origin", origin]
    if settings.proxied:
        words.append("--use-xheaders")
    # What a session needs to know of a request; less makes a shorter token
    words += ["--include-headers", "Host", "--include-cookies", "none"]
    return ["serve", str(APP), *words]


def allowed_origins(settings: Settings) -> list[str]:
    """Hosts whose pages may open a websocket: this machine's own names on loopback, and those of the settings."""
    own = [settings.address, "localhost"] if settings.on_loopback else [settings.address]
    ours = [f"{name}:{settings.port}" for name in own if name != "0.0.0.0"]
    return [*ours, *settings.origins] or [f"localhost:{settings.port}"]


if __name__ == "__main__":
    main()
