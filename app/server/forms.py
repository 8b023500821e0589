"""What forms have in common: they come from our own page, and are not too large."""

from urllib.parse import urlsplit

from tornado.web import RequestHandler


def from_our_page(handler: RequestHandler) -> bool:
    """Whether a form was sent by a page of this server: no other site shall act in a visitor's name."""
    site = handler.request.headers.get("Sec-Fetch-Site", "same-origin")
    origin = handler.request.headers.get("Origin")
    return site in ("same-origin", "none") and (origin is None or urlsplit(origin).netloc == handler.request.host)
