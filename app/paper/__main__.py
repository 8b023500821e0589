"""``python -m app.paper SURVEY``: the figures of the paper as files; ``glocal figures`` starts it."""

import argparse
import json
import os
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import NoReturn

import numpy as np

from app.paper import caption, images, numbers, pictures, regions, tables
from app.paper.look import WIDTHS
from app.paper.shown import Shown, show
from app.store import open_survey
from engine.adopted import LOG_M_STAR_BINS
from engine.errors import GlocalError, SettingsError
from engine.figures.arrays import View
from engine.figures.catalogue import FIGURES
from engine.figures.numbers import N_BOOTSTRAP, as_json, compare
from engine.figures.sample import select
from engine.figures.table import WEIGHTINGS
from engine.figures.words import cut_words, parse_cut

NUMBERS_FILE = "figures.json"
SEED = 2022  # of the bootstrap: the same survey gives the same file


def main(arguments: list[str] | None = None) -> int:
    """Write what is asked for; a line per figure on the standard output. Returns the exit code: 2 for a refusal."""
    options = _parser().parse_args(arguments)
    options.format = options.format or ["pdf"]
    try:
        for line in write_figures(options):
            print(line, flush=True)
    except GlocalError as refusal:
        print(f"glocal: {refusal}", file=sys.stderr)
        return 2
    except OSError as trouble:
        print(f"glocal: {trouble.strerror}: {trouble.filename}", file=sys.stderr)
        return 2
    return 0


def write_figures(options: argparse.Namespace) -> Iterator[str]:
    """Every figure asked for as files in a folder; yields what was written, figure by figure."""
    survey = open_survey(options.survey)
    cut = parse_cut(options.cut)
    view = View(weighting=options.weight, min_count=options.min_count)
    edges = _edges(options.edges)
    keys = [_known(key) for key in options.fig or FIGURES]
    if select(survey, cut, view.weighting).n_regions == 0:
        raise SettingsError("no region of this survey lies in the cut; nothing was drawn")
    options.out.mkdir(parents=True, exist_ok=True)
    for key in keys:
        shown = show(survey, key, cut, view, edges)
        names = [_write(options.out / name, make()) for name, make in _files(shown, options)]
        yield f"Fig. {key}: {', '.join(names)}"
    yield _write(options.out / NUMBERS_FILE, _numbers(shown))
    if options.regions:
        for name, make in (("regions", regions.region_table), ("galaxies", regions.galaxy_table)):
            file = options.out / f"{name}.{tables.ENDINGS[options.regions]}"
            yield _write(file, _table_file(shown, make, options.regions))


def _files(shown: Shown, options: argparse.Namespace) -> Iterator[tuple[str, Callable[[], bytes]]]:
    """Names of the files of one figure, and what makes them."""
    for kind in options.format:
        yield f"{shown.stem}.{kind}", lambda kind=kind: pictures.picture(shown, options.width, kind)
    yield f"{shown.stem}-caption.txt", lambda: caption.caption_file(shown).encode()
    yield f"{shown.stem}-caption.tex", lambda: caption.latex_caption(shown).encode()
    for kind in options.data:
        yield f"{shown.stem}.{tables.ENDINGS[kind]}", lambda kind=kind: _table_file(shown, numbers.line_table, kind)
    if options.data and images.has_images(shown):
        yield f"{shown.stem}-planes.fits", lambda: images.image_file(shown)


def _table_file(shown: Shown, make: Callable[[Shown], tuple[tables.Columns, tables.Descriptions]], kind: str) -> bytes:
    columns, words = make(shown)
    return tables.table_file(columns, words, numbers.facts(shown), kind)


def _numbers(shown: Shown) -> bytes:
    """Every number of the selection next to the paper's, as the bytes of a JSON file."""
    sample = shown.sample
    told = {
        "survey": str(shown.survey.meta.get("survey_id", "")),
        "origin": shown.survey.origin,
        "software": f"glocal {caption.glocal_version()}",
        "selected": cut_words(shown.cut) or "all regions",
        "weighting": sample.weighting,
        "error": f"scatter over {N_BOOTSTRAP} bootstrap draws of galaxies, seed {SEED}",
        "numbers": as_json(compare(sample, np.random.default_rng(SEED))),
    }
    return json.dumps(told, indent=1, ensure_ascii=False).encode() + b"\n"


def _write(path: Path, content: bytes) -> str:
    """The whole file or none of it; returns its name."""
    fresh = path.with_name(f".{path.name}.{os.getpid()}")
    try:
        fresh.write_bytes(content)
        fresh.replace(path)
    finally:
        fresh.unlink(missing_ok=True)
    return path.name


def _known(key: str) -> str:
    if key.upper() not in FIGURES:
        raise SettingsError(f"there is no figure {key!r}; the paper's are {', '.join(FIGURES)}")
    return key.upper()


def _edges(words: str) -> tuple[float, ...]:
    if not words:
        return LOG_M_STAR_BINS
    try:
        edges = tuple(float(word) for word in words.split(","))
    except ValueError:
        raise SettingsError(f"edges of bins are numbers parted by commas, not {words!r}") from None
    if list(edges) != sorted(set(edges)):
        raise SettingsError(f"edges of bins must rise, got {words}")
    return edges


class _Parser(argparse.ArgumentParser):
    def error(self, message: str) -> NoReturn:
        """One sentence instead of a page of usage."""
        print(f"glocal: {message}", file=sys.stderr)
        sys.exit(2)


def _parser() -> argparse.ArgumentParser:
    parser = _Parser("python -m app.paper", description="The figures of the paper as files.")
    parser.add_argument("survey", type=Path, help="folder of the survey")
    parser.add_argument("--out", type=Path, default=Path("figures"), help="folder for the files")
    parser.add_argument("--fig", action="append", default=[], help="key of a figure (1 to 7, A1, B1); all by default")
    parser.add_argument("--format", action="append", choices=pictures.PICTURES, help="kind of picture; pdf by default")
    parser.add_argument("--width", choices=tuple(WIDTHS), default="two", help="columns of the journal")
    parser.add_argument("--cut", action="append", default=[], help="which regions count, as log_M_star>10.5")
    parser.add_argument("--weight", choices=tuple(WEIGHTINGS), default="area/V'max", help="how regions are weighted")
    parser.add_argument("--min-count", type=int, default=View().min_count, help="regions a bin or cell needs")
    parser.add_argument("--edges", default="", help="bins of galaxy mass of Figs. 6 and 7, as 9.8,10.3,10.8")
    parser.add_argument("--data", action="append", choices=tuple(tables.WRITERS), default=[], help="numbers behind")
    parser.add_argument("--regions", choices=tuple(tables.WRITERS), help="also the selected regions and galaxies")
    return parser


if __name__ == "__main__":
    sys.exit(main())
