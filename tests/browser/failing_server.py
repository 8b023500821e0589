"""``panel serve``, where opening a page fails as its link asks: ``?fail=survey``, ``shell``, ``roots`` or ``html``."""

import sys
from collections.abc import Callable
from functools import wraps
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

import panel as pn
import panel.io.server as panel_server
from panel.command import main

from app import shell

PLACES = ("survey", "shell", "roots", "html")


def failing(act: Callable, place: str) -> Callable:
    """The same, but for visitors whose link asks for a failure here."""

    @wraps(act)
    def maybe(*words: object, **more: object) -> object:
        request = pn.state.curdoc.session_context.request
        if request is not None and request.arguments.get("fail") == [place.encode()]:
            raise RuntimeError(f"{place} fails, as the link asks")
        return act(*words, **more)

    return maybe


def fail_in_places() -> None:
    """Put the failures in place: in reading, making, putting into the document, and writing."""
    shell.Shell.template = with_failing_roots(shell.Shell.template)
    shell.open_survey = failing(shell.open_survey, "survey")
    shell.Shell = failing(shell.Shell, "shell")
    panel_server.server_html_page_for_session = failing(panel_server.server_html_page_for_session, "html")


def with_failing_roots(template: Callable) -> Callable:
    """The page's template, which fails when its roots are already in the document."""

    def of_shell(self: shell.Shell, *words: object) -> pn.Template:
        page = template(self, *words)
        put = page._init_doc
        fail = failing(lambda: None, "roots")

        def put_and_fail(*words: object, **more: object) -> object:
            document = put(*words, **more)
            fail()
            return document

        page._init_doc = put_and_fail
        return page

    return of_shell


if __name__ == "__main__":
    fail_in_places()
    main()
