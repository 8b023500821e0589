"""Words between the page's own script (assets/style/page.js) and this visitor's session."""

import json
from base64 import b64encode
from collections.abc import Callable

import panel as pn

TELL = "glocal.tell(cb_obj.value)"
STANDS = ("zoomed", "cuts")  # words that hold until they are told again


class Wire:
    """``panels`` are two unseen fields of the template: what the page asks for, and what it is told.

    Words asked for begin with a verb: ``listen("page", show)`` calls ``show("drivers")`` for "page drivers".
    """

    def __init__(self) -> None:
        look = {"css_classes": ["unseen"], "margin": 0, "width": 0, "height": 0}
        self._ask = pn.widgets.TextInput(label="", value="", **look)
        self._tell = pn.widgets.TextInput(label="", value="", **look)
        self._tell.jscallback(value=TELL)
        self._ask.param.watch(lambda event: self.hear(event.new), "value")
        self._listeners: dict[str, Callable[[str], None]] = {}
        self._told = 0
        self._standing: dict[str, object] = {}
        self.panels = {"ask": self._ask, "tell": self._tell}

    def listen(self, verb: str, act: Callable[[str], None]) -> None:
        """Call ``act`` with the rest of what is asked for by this verb."""
        self._listeners[verb] = act

    def hear(self, asked: str) -> None:
        """Do what the page asks for: a number that makes it unlike the last, a verb and its object."""
        _, _, words = asked.partition(" ")
        verb, _, rest = words.partition(" ")
        if verb in self._listeners:
            self._listeners[verb](rest)

    def tell(self, **words: object) -> None:
        """Have the page do something; see ``tell`` in page.js.

        Of several messages that leave in one go the browser gets the last one: what STANDS is told with each.
        """
        self._told += 1
        self._standing |= {word: words[word] for word in STANDS if word in words}
        self._tell.value = json.dumps(self._standing | words | {"number": self._told})

    def send_file(self, name: str, content: bytes, mime: str) -> None:
        """Have the browser save a file."""
        self.tell(file={"name": name, "type": mime, "data": b64encode(content).decode("ascii")})
