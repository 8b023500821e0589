"""All saved views as one file, and back."""

import json
from collections.abc import Iterable

from app.views.view import SavedView, ViewError, from_json

KIND = "glocal saved views"
VERSION = 1
MOST = 2000  # views in one file


def views_file(many: Iterable[SavedView]) -> bytes:
    """A JSON file that another instance can take in."""
    words = {"kind": KIND, "version": VERSION, "views": [view.to_json() for view in many]}
    return json.dumps(words, indent=1, ensure_ascii=False).encode()


def read_views_file(content: bytes) -> list[SavedView]:
    """The views of a file; raises ViewError in one sentence if it is not one."""
    try:
        words = json.loads(content)
    except (ValueError, RecursionError):
        raise ViewError("this is not a file of saved views") from None
    if not isinstance(words, dict) or words.get("kind") != KIND or not isinstance(words.get("views"), list):
        raise ViewError("this is not a file of saved views")
    if words.get("version") != VERSION:
        raise ViewError(f"this file has version {words.get('version')!r}; {VERSION} is known here")
    if len(words["views"]) > MOST:
        raise ViewError(f"this file holds {len(words['views'])} views; {MOST} is the limit")
    return [from_json(view) for view in words["views"]]
