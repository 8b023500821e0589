"""Remembered defaults are those that Bokeh itself would look up, for every property of every model there is."""

import re

import bokeh.models
import panel as pn
import pytest
from bokeh.core.has_props import HasProps, is_abstract
from bokeh.core.property.descriptors import PropertyDescriptor
from bokeh.model import Model
from bokeh.models import ColumnDataSource, LinearAxis, Plot
from bokeh.themes import Theme

from app import bokeh_defaults

THEIRS = {
    (PropertyDescriptor, "instance_default"): PropertyDescriptor.instance_default,
    (PropertyDescriptor, "has_unstable_default"): PropertyDescriptor.has_unstable_default,
    (HasProps, "_overridden_defaults"): vars(HasProps)["_overridden_defaults"],
    (HasProps, "themed_values"): HasProps.themed_values,
}
pytestmark = pytest.mark.usefixtures("remembering")


@pytest.fixture
def remembering(monkeypatch):
    """Bokeh with our functions in place; its own come back afterwards."""
    for (owner, name), theirs in THEIRS.items():
        monkeypatch.setattr(owner, name, theirs)
    bokeh_defaults.remember_defaults()


def test_every_model_has_the_defaults_that_bokeh_gives_it():
    assert bokeh.models
    assert pn.widgets
    kinds = [kind for kind in Model.model_class_reverse_map.values() if not is_abstract(kind)]
    assert len(kinds) > 300
    differ = [f"{kind.__name__}.{name}" for kind in kinds for name in differing(kind)]
    assert differ == []


def differing(kind: type[Model]) -> list[str]:
    """Properties of a model whose default or whose kind of default is not Bokeh's."""
    model = kind.__new__(kind)
    model._property_values, model._unstable_default_values, model._unstable_themed_values = {}, {}, {}
    found = []
    for name in kind.properties():
        descriptor = kind.lookup(name)
        if not isinstance(descriptor, PropertyDescriptor):
            continue
        unstable = THEIRS[PropertyDescriptor, "has_unstable_default"](descriptor, model)
        same = bokeh_defaults.has_unstable_default(descriptor, model) == unstable
        ours = bokeh_defaults.instance_default(descriptor, model)
        theirs = THEIRS[PropertyDescriptor, "instance_default"](descriptor, model)
        if not same or type(ours) is not type(theirs) or without_id(ours) != without_id(theirs):
            found.append(name)
    return found


def without_id(default: object) -> str:
    """A default in words, the same for each of two models that are alike."""
    return re.sub(r"id='?\w+'?", "id", repr(default))


def test_what_a_theme_sets_comes_before_the_default_and_goes_with_it():
    plot = Plot()
    plain = plot.outline_line_color
    Theme(json={"attrs": {"Plot": {"outline_line_color": "red"}}}).apply_to_model(plot)
    assert plot.outline_line_color == "red"
    plot.unapply_theme()
    assert plot.outline_line_color == plain


def test_models_never_share_a_default_that_can_be_changed():
    one, other = ColumnDataSource(), ColumnDataSource()
    one.data["x"] = [1]
    assert other.data == {}
    assert LinearAxis().ticker is not LinearAxis().ticker
