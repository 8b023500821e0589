"""What app/compat.py takes from the insides of Panel and Bokeh is still there and still does what it did."""

import panel as pn
import panel.io.location as panel_location
import pytest
from bokeh.document import Document
from bokeh.models import Div, ImportedStyleSheet, Line, Plot, Range1d
from bokeh.server.protocol_handler import ProtocolHandler
from panel.io.resources import CDN_DIST
from panel.reactive import Syncable
from panel.theme import Native

from app import compat


def changes(document: Document) -> list:
    """Every event the document sends from now on."""
    heard = []
    document.on_change(heard.append)
    return heard


def test_words_send_their_text_and_nothing_else():
    words = compat.WordsPane("one", stylesheets=["p { color: red }"])
    document = Document()
    document.add_root(words.get_root(document))
    heard = changes(document)
    words.object = "two"
    assert [(event.attr, event.new) for event in heard] == [("text", "two")]


def test_a_frozen_document_finds_its_models_once_at_the_end():
    document, plot = Document(), Plot()
    with compat.frozen(document):
        document.add_root(plot)
        assert plot.id not in document.models
    assert plot.id in document.models


def test_a_failure_leaves_no_document_frozen():
    document = Document()
    with pytest.raises(ZeroDivisionError), compat.frozen(document):
        raise ZeroDivisionError
    document.add_root(plot := Plot())
    assert plot.id in document.models


def test_a_template_enters_its_document_in_one_walk(monkeypatch):
    document, walks = Document(), []
    recompute = type(document.models).recompute
    monkeypatch.setattr(type(document.models), "recompute", lambda self: (walks.append(1), recompute(self)))
    page = compat.Template("{% extends base %}")
    for i in range(5):
        page.add_panel(f"words_{i}", compat.WordsPane(f"{i}"))
    page._init_doc(document)
    assert len(document.roots) >= 5
    assert len(walks) == 1


@pytest.mark.parametrize("widget", [compat.Buttons, compat.CheckButtons, compat.Slider])
def test_panel_waits_by_the_name_that_widgets_set_to_nothing(widget):
    assert Syncable._debounce == 50
    assert widget._debounce == 0


def test_sources_share_what_nobody_changes():
    sources = compat.Sources()
    one, other = sources.source({"x": [1]}), sources.source({"x": [2]})
    assert one.selected is other.selected
    assert one.selection_policy is other.selection_policy
    assert sources.view(one) is sources.view(one)
    assert sources.view(one) is not sources.view(other)
    assert sources.view(one).filter is sources.view(other).filter
    plot = Plot(x_range=Range1d(0, 1), y_range=Range1d(0, 1))
    for source in (one, other):
        plot.add_glyph(source, Line(x="x", y="x"))
    document = Document()
    document.add_root(plot)
    assert document.to_json()


def test_bokeh_answers_what_a_page_asks_to_learn_whether_its_line_is_alive():
    assert "SERVER-INFO-REQ" in ProtocolHandler()._handlers


def test_panel_does_not_reconnect_by_itself():
    """A session that comes back is another one, whose models nobody shows: the page is loaded again instead."""
    assert pn.config.reconnect is False


def test_the_plain_design_brings_no_style_sheets():
    with pn.config.set(design=compat.PlainDesign):
        words, other = compat.WordsPane("one", design=compat.PlainDesign), pn.pane.HTML("one", design=Native)
        sheets = [len(each.get_root(Document()).stylesheets) for each in (words, other)]
    assert sheets[0] < sheets[1]
    assert compat.Template("{% extends base %}").design is compat.PlainDesign


@pytest.mark.parametrize(
    ("host", "uri"),
    [("127.0.0.1:5006", "/app"), ("glocal.example", "/app?page=data&zoom="), ("localhost:80", "/deep/app?a=%3F")],
)
def test_an_address_is_taken_apart_as_panel_does(host, uri):
    assert compat.location_of("http", host, uri) == panel_location._get_location_params("http", host, uri)


@pytest.mark.parametrize(
    ("host", "uri", "parts"),
    [
        ("127.0.0.1:5006", "/app?a=1?b=2", {"pathname": "/app", "search": "?a=1?b=2", "port": "5006"}),
        ("[::1]:5006", "/app?page=data", {"hostname": "[::1]", "port": "5006", "search": "?page=data"}),
        ("[::1]", "/app", {"hostname": "[::1]", "pathname": "/app"}),
        ("a:b:c", "/app", {"hostname": "a:b:c", "pathname": "/app"}),
    ],
)
def test_addresses_that_panel_cannot_take_apart_are_read(host, uri, parts):
    with pytest.raises(ValueError, match="too many values"):
        panel_location._get_location_params("http", "[::1]:5006", "/app?a=1?b=2")
    found = compat.location_of("http", host, uri)
    assert found | parts == found


def test_the_style_sheets_of_all_roots_are_those_of_the_server():
    document = Document()
    sheets = [ImportedStyleSheet(url=f"{CDN_DIST}css/{name}.css") for name in ("button", "loading")]
    for sheet in sheets:
        document.add_root(Div(stylesheets=[sheet]))
    for root in document.roots:
        compat.patch_style_sheets(root, "static/extensions/panel/")
    assert [sheet.url.partition("?")[0] for sheet in sheets] == [
        f"static/extensions/panel/css/{name}.css" for name in ("button", "loading")
    ]
