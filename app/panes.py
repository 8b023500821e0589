"""Panes as Panel has them, but for what costs too much."""

from collections.abc import Iterator
from contextlib import contextmanager, nullcontext

import panel as pn


@contextmanager
def one_change() -> Iterator[None]:
    """What is put on the page in here goes to the browser as one message, after one walk over all models.

    Panel has the document walk them for each pane that is filled: six planes would take longer than their making.
    """
    document, failure = pn.state.curdoc, None
    with pn.io.hold(), document.models.freeze() if document else nullcontext():
        try:
            yield
        except Exception as error:  # through Bokeh's freeze it would leave the document frozen
            failure = error
    if failure is not None:
        raise failure


class Words(pn.pane.HTML):
    """HTML whose look stays as it was made: only its text is sent when it changes.

    Panel sends all style sheets again with every text. The first time they count as new, and the document walks all
    its models (0.3 s) for each pane.
    """

    priority = 0.0  # never chosen for a string; asked for by name

    def _update(self, ref, model) -> None:
        text = self._get_properties(model.document)["text"]
        if text != model.text:
            model.text = text
