"""Pages as the server makes them."""

from collections.abc import Iterator

import pytest
from bokeh.core.has_props import HasProps
from bokeh.core.property.descriptors import PropertyDescriptor

from app.bokeh_defaults import remember_defaults


@pytest.fixture(scope="module")
def as_served() -> Iterator[None]:
    """Bokeh with the defaults of its models remembered, as the server has it; pages are made twice as fast."""
    owners = (HasProps, PropertyDescriptor)
    theirs = [dict(vars(owner)) for owner in owners]
    remember_defaults()
    yield
    for owner, before in zip(owners, theirs, strict=True):
        for name, value in vars(owner).copy().items():
            if value is not before[name]:
                setattr(owner, name, before[name])
