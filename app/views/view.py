"""One saved view, and what is asked of one that comes from a visitor or from a file."""

import base64
import binascii
import re
import secrets
import struct
import unicodedata
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from urllib.parse import parse_qsl, urlencode

from engine.errors import GlocalError

LONGEST = {"name": 120, "note": 2000, "author": 100, "query": 4000, "survey_id": 64, "made": 40, "software": 100}
MANDATORY = ("view_id", "name", "query", "survey_id", "made")
LARGEST_PICTURE = 60_000  # bytes
LONGEST_SIDE = 400  # pixels: a small file may unfold to a huge picture in the browser
PNG_MARK = b"\x89PNG\r\n\x1a\n"
_ID = re.compile(r"[A-Za-z0-9_-]{8,40}")


class ViewError(GlocalError):
    """A view that cannot be saved, or saved views that cannot be reached."""


@dataclass(frozen=True)
class SavedView:
    """``query`` are the words of the link; ``survey_id`` names the table it was made with; ``made`` is UTC, ISO 8601;
    ``picture`` is a small PNG, or empty."""

    view_id: str
    name: str
    query: str
    survey_id: str
    made: str
    note: str = ""
    author: str = ""
    software: str = ""
    picture: bytes = b""

    def link(self) -> str:
        """The address of the view, seen from the list: it tells which table it was made with."""
        words = [(name, word) for name, word in parse_qsl(self.query, keep_blank_values=True) if name != "table"]
        return "./app?" + urlencode([*words, ("table", self.survey_id)])

    def to_json(self) -> dict[str, str]:
        """As plain words, the picture in base64."""
        return asdict(self) | {"picture": base64.b64encode(self.picture).decode("ascii")}


def new_view(name: str, query: str, survey_id: str, **more: object) -> SavedView:
    """A view that is made now; raises ViewError in one sentence."""
    now = datetime.now(UTC).isoformat(timespec="seconds")
    return checked(SavedView(secrets.token_urlsafe(9), name, query, survey_id, now, **more))


def from_json(words: object) -> SavedView:
    """A view from a file; raises ViewError if it is not one."""
    if not isinstance(words, dict) or not all(isinstance(word, str) for word in words.values()):
        raise ViewError("a view is an object of texts")
    unknown = set(words) - set(SavedView.__dataclass_fields__)
    missing = [name for name in MANDATORY if not words.get(name)]
    if unknown or missing:
        raise ViewError(f"a view has no {missing[0]}" if missing else f"{sorted(unknown)[0]!r} is not part of a view")
    try:
        picture = base64.b64decode(words.get("picture", ""), validate=True)
        datetime.fromisoformat(words["made"])
    except (binascii.Error, ValueError):
        raise ViewError(f"the view {words['name'][:40]!r} holds a picture or a time that cannot be read") from None
    return checked(SavedView(**{**words, "picture": picture}))


def checked(view: SavedView) -> SavedView:
    """The view with plain one-line words; raises ViewError if something is missing, too long or not what it claims."""
    if not _ID.fullmatch(view.view_id):
        raise ViewError("the number of a view holds signs that are not allowed")
    plain = {name: _plain(getattr(view, name), lines=name == "note") for name in LONGEST}
    if not plain["name"]:
        raise ViewError("a view needs a name")
    for name, most in LONGEST.items():
        if len(plain[name]) > most:
            raise ViewError(f"the {name} of a view may have {most} characters, this one has {len(plain[name])}")
    _check_picture(view.picture)
    return SavedView(view.view_id, picture=view.picture, **plain)


def _plain(text: str, lines: bool) -> str:
    """Text without control and direction marks, which could hide what stands there."""
    kept = (c for c in text if (lines and c == "\n") or unicodedata.category(c) not in ("Cc", "Cf", "Cs", "Co"))
    return "".join(kept).strip()


def _check_picture(picture: bytes) -> None:
    if not picture:
        return
    if len(picture) > LARGEST_PICTURE or not picture.startswith(PNG_MARK) or len(picture) < 24:
        raise ViewError(f"the picture of a view is a PNG of at most {LARGEST_PICTURE // 1000} kB")
    sides = struct.unpack(">II", picture[16:24])
    if not all(0 < side <= LONGEST_SIDE for side in sides):
        raise ViewError(f"the picture of a view has at most {LONGEST_SIDE} pixels a side")
