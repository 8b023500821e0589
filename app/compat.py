"""Every use of what Panel and Bokeh keep to themselves; ``tests/app/test_compat.py`` fails when a release changes it.

pyproject.toml caps both libraries below their next minor release for the same reason.
"""

from collections.abc import Iterator
from contextlib import contextmanager, nullcontext

import panel as pn
import param
from bokeh.document import Document
from bokeh.models import AllIndices, CDSView, ColumnDataSource, ImportedStyleSheet, Model, UnionRenderers
from bokeh.models import Selection as Picked
from panel.io.resources import Resources, bundle_resources, patch_stylesheet
from panel.theme import Design

UNUSED_COMPONENTS = ("bokeh-gl", "bokeh-mathjax")
# Of a figure's own event: what its views remember of earlier zooms
FORGET_ZOOMS = "Bokeh.index.find_one(cb_obj.origin)?.state.clear()"


@contextmanager
def frozen(document: Document | None) -> Iterator[None]:
    """The document walks its models once, at the end, and not for each that comes or goes."""
    failure = None
    with document.models.freeze() if document else nullcontext():
        try:
            yield
        except Exception as error:  # through Bokeh's freeze it would leave the document frozen
            failure = error
    if failure is not None:
        raise failure


@contextmanager
def one_change() -> Iterator[None]:
    """What is put on the page in here goes to the browser as one message, after one walk over all models.

    Panel has the document walk them for each pane that is filled: six planes would take longer than their making.
    """
    with pn.io.hold(), frozen(pn.state.curdoc):
        yield


def lean_bundle(roots: list, resources: Resources, **more: object) -> object:
    """What a page loads, less two parts of BokehJS it never uses (MathJax: 1.8 MB)."""
    components = [name for name in resources.components if name not in UNUSED_COMPONENTS]
    return bundle_resources(roots, resources.clone(components=components), enable_mathjax=False, **more)


def patch_style_sheets(root: Model, dist_url: str) -> None:
    """Panel's patch_model_css before a page is sent, which walks all models below each root to find the style sheets.

    The document knows its models: those of all roots are patched with the first. Nobody listens to it yet.
    """
    if root is not root.document.roots[0]:
        return
    for sheet in root.document.models:
        if isinstance(sheet, ImportedStyleSheet):
            patch_stylesheet(sheet, dist_url)


class WordsPane(pn.pane.HTML):
    """HTML whose look stays as it was made: only its text is sent when it changes.

    Panel sends all style sheets again with every text. The first time they count as new, and the document walks all
    its models (0.3 s) for each pane.
    """

    priority = 0.0  # never chosen for a string; asked for by name

    def _update(self, ref, model) -> None:
        text = self._get_properties(model.document)["text"]
        if text != model.text:
            model.text = text


class FigurePane(pn.pane.Bokeh):
    """A Bokeh figure as it is. Panel would walk its models for scripts that name the figure; ours do not."""

    priority = 0.0

    def _get_model(self, doc, root=None, parent=None, comm=None):
        if root is None:
            return self.get_root(doc, comm)
        self._models[root.ref["id"]] = (self.object, parent)
        return self.object


class PlainDesign(Design):
    """No style sheets of Panel's own: two of them in each of 39 shadow roots held the first picture up."""


class Template(pn.Template):
    """A template whose roots enter the document in one go: one by one, each would walk all models again."""

    design = param.ClassSelector(class_=Design, default=PlainDesign, is_instance=False, instantiate=False)

    def __repr__(self) -> str:
        """A few words: Panel asks for them with each panel that is added, and would have all panels tell theirs."""
        return type(self).__name__

    def _init_doc(self, doc: Document | None = None, *words: object, **more: object) -> Document:
        document = doc or pn.state.curdoc
        with frozen(document):
            return super()._init_doc(document, *words, **more)


class Buttons(pn.widgets.RadioButtonGroup):
    """Buttons of which one is down. A click acts at once: Panel would wait 50 ms for more of them."""

    _debounce = 0


class CheckButtons(pn.widgets.CheckButtonGroup):
    """Buttons of which any may be down; a click acts at once."""

    _debounce = 0


class Slider(pn.widgets.RangeSlider):
    """A slider with two handles that acts at once when one is let go."""

    _debounce = 0


def location_of(protocol: str | None, host: str | None, uri: str | None) -> dict[str, str]:
    """The parts of an address for Panel's ``Location``, whatever was typed.

    Panel's own reader takes an address apart at every "?" and a host at every ":": it fails at a second "?" and at a
    host that is an IPv6 address with a port.
    """
    name, _, port = (host or "").rpartition(":")
    if not port.isdigit():
        name, port = host or "", ""
    path, asks, search = (uri or "").partition("?")
    parts = {
        "protocol": f"{protocol}:" if protocol else "",
        "hostname": name,
        "port": port,
        "pathname": path,
        "search": asks + search if search else "",
        "href": f"{protocol}://{host}{uri or ''}",
    }
    return {name: words for name, words in parts.items() if words}


class Sources:
    """Makes data sources that share what nobody ever changes: the empty selection and the view of every row.

    Bokeh makes a selection, a policy, a view and a filter for every glyph, a millisecond each at opening.
    """

    def __init__(self) -> None:
        self._picked = Picked()
        self._policy = UnionRenderers()
        self._every_row = AllIndices()
        self._views: dict[str, CDSView] = {}

    def source(self, columns: dict) -> ColumnDataSource:
        """A source of which nothing is ever picked."""
        return ColumnDataSource(columns, selected=self._picked, selection_policy=self._policy)

    def view(self, source: ColumnDataSource) -> CDSView:
        """The view of every row of a source, one for all glyphs drawn from it."""
        if source.id not in self._views:
            self._views[source.id] = CDSView(filter=self._every_row)
        return self._views[source.id]
