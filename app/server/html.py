"""Pages that are plain HTML, without Bokeh: templates of assets/style, everything escaped."""

from functools import lru_cache

from jinja2 import Environment, FileSystemLoader, StrictUndefined

from app.settings import ASSETS


@lru_cache(maxsize=1)
def _templates() -> Environment:
    return Environment(loader=FileSystemLoader(ASSETS / "style"), autoescape=True, undefined=StrictUndefined)


def page(name: str, **words: object) -> str:
    """A template of assets/style filled with words; HTML in a word is shown, not obeyed."""
    css = (ASSETS / "style" / "page.css").read_text(encoding="utf-8")
    return _templates().get_template(name).render(page_css=css, **words)
