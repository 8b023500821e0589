"""Defaults of Bokeh's models, looked up once per class instead of once per model.

Opening a page makes a few hundred models of some fifty properties each. For every property that nobody set, Bokeh walks
the class's ancestors, copies the default and checks it again, both when the model is made and whenever the document is
walked or sent: a third of the time an opening takes. What these functions remember depends on the class alone; a
default that each model has for itself, as a list, is made for each, but checked once.
"""

from functools import cache
from typing import Any

from bokeh.core.has_props import HasProps
from bokeh.core.property.bases import Property
from bokeh.core.property.descriptors import PropertyDescriptor
from bokeh.core.property.singletons import Intrinsic, Undefined

UNCHANGEABLE = (type(None), bool, int, float, str)
_instance_default = PropertyDescriptor.instance_default
_has_unstable_default = PropertyDescriptor.has_unstable_default
_overridden_defaults = HasProps._overridden_defaults.__func__  # type: ignore[attr-defined]


def remember_defaults() -> None:
    """Have Bokeh look up the defaults of each class once, in this process."""
    HasProps._overridden_defaults = classmethod(cache(_overridden_defaults))
    PropertyDescriptor.has_unstable_default = has_unstable_default
    PropertyDescriptor.instance_default = instance_default
    HasProps.themed_values = themed_values


def themed_values(model: HasProps) -> dict[str, Any] | None:
    """As Bokeh's: what a theme sets for this model. Few have any, and getattr is slow in saying so."""
    return vars(model).get("__themed_values__")


def has_unstable_default(descriptor: PropertyDescriptor, model: HasProps) -> bool:
    """As Bokeh's: whether every model has a default of its own, such as a list or another model."""
    return _is_unstable(descriptor, type(model))


def instance_default(descriptor: PropertyDescriptor, model: HasProps) -> Any:
    """As Bokeh's: the default of a model's property."""
    if model.themed_values() is None:
        known = _plain_default(descriptor, type(model))
        if known:
            return known[0]
        if _makes_sound_defaults(descriptor, type(model)):
            return _own_default(descriptor, type(model))
    return _instance_default(descriptor, model)


@cache
def _is_unstable(descriptor: PropertyDescriptor, kind: type[HasProps]) -> bool:
    return _has_unstable_default(descriptor, kind)


@cache
def _plain_default(descriptor: PropertyDescriptor, kind: type[HasProps]) -> list[Any]:
    """The default that all models of a class share, alone in a list; nothing where each has its own."""
    if _is_unstable(descriptor, kind):
        return []
    default = descriptor.class_default(kind)
    return [default] if isinstance(default, UNCHANGEABLE) else []


def _own_default(descriptor: PropertyDescriptor, kind: type[HasProps]) -> Any:
    """A new default as Bokeh makes it for one model, which need not be checked."""
    known = descriptor.property
    return known.wrap(known.transform(_raw_default(descriptor, kind)))


def _raw_default(descriptor: PropertyDescriptor, kind: type[HasProps]) -> Any:
    known = descriptor.property
    return known._copy_default(kind._overridden_defaults().get(descriptor.name, known._default))


@cache
def _makes_sound_defaults(descriptor: PropertyDescriptor, kind: type[HasProps]) -> bool:
    """Whether defaults of this property pass its own check, and the property does nothing else to them."""
    known = descriptor.property
    if type(known).prepare_value is not Property.prepare_value:
        return False
    default = _raw_default(descriptor, kind)
    return default is not Intrinsic and default is not Undefined and known.is_valid(default)
