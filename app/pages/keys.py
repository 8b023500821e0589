"""Arrow keys: the page hears them wherever the visitor is not typing."""

from collections.abc import Callable

import param
from panel.custom import JSComponent

ARROWS = {"ArrowLeft": (-1, 0), "ArrowRight": (1, 0), "ArrowUp": (0, 1), "ArrowDown": (0, -1)}


class ArrowKeys(JSComponent):
    """Calls ``heard(dx, dy, shift)`` for each arrow pressed while ``active``."""

    active = param.Boolean(default=False)

    _esm = """
    const TYPING = ["INPUT", "SELECT", "TEXTAREA"]
    export function render({ model }) {
      const press = (event) => {
        const where = event.composedPath()[0]
        const typing = TYPING.includes(where?.tagName) || where?.isContentEditable || where?.role === "slider"
        const other = event.ctrlKey || event.metaKey || event.altKey || !event.key.startsWith("Arrow")
        if (!model.active || typing || other) return
        event.preventDefault()
        model.send_msg({ key: event.key, shift: event.shiftKey })
      }
      window.addEventListener("keydown", press)
      model.on("remove", () => window.removeEventListener("keydown", press))
      const ear = document.createElement("span")
      ear.className = "hears-arrows"
      return ear
    }
    """

    def __init__(self, heard: Callable[[int, int, bool], None], **params) -> None:
        super().__init__(**params)
        self._heard = heard

    def _handle_msg(self, data: dict) -> None:
        step = ARROWS.get(data.get("key"))
        if step is not None:
            self._heard(*step, bool(data.get("shift")))
