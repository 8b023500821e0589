"""Data and method: which table is loaded, how its quantities were made, what is known to be biased, how to cite."""

from html import escape

import panel as pn

from app.compat import Words
from app.looks import asset
from app.pages.context import Context
from app.registry import PageEntry


class DataPage:
    """Words about the survey that is open; they do not follow the selection."""

    def __init__(self, entry: PageEntry, context: Context):
        self.survey = context.survey
        text = f"<p>{escape(self.survey.origin)}</p>"
        self.body = pn.Column(
            Words(text, stylesheets=[asset("style/words.css")]), sizing_mode="stretch_width", margin=0
        )
