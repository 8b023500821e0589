"""What the galaxy page says: facts of a galaxy, values of a spaxel, and the search for a name. No widgets."""

import re
from html import escape

import numpy as np
import pandas as pd

from app.screen.map_data import ESTIMATES, LEVEL, MINUS_TRUE, NORTH_UP, has_values, map_axes
from app.theme import html_label, thousands
from engine.adopted import SNR_MINIMUM_PER_ANGSTROM, SURFACE_BRIGHTNESS_LIMIT
from engine.columns import MOCK, REGION, has_catalogue_number
from engine.flags import DROPPED, SpaxelFlag, flags_in

MINUS = "\N{MINUS SIGN}"
UPRIGHT = 0.05  # radians; choice: a map that is turned by less is called north up
SUPERSCRIPTS = str.maketrans("-0123456789", "⁻⁰¹²³⁴⁵⁶⁷⁸⁹")
SAMPLE_SENTENCE = "Planes: this galaxy's regions (orange) over the density of the whole survey."
COLOURS_SENTENCE = "Spectrum: observed (black, grey error), stars (orange), emission lines (blue), index bands (green)."
SPECTRUM_SENTENCE = "Posteriors: median (orange) and 16–84 % (shaded); contours hold 68 % and 95 % (dashed)."
PROFILE_SENTENCE = "Profiles: regions (grey) along the half-light ellipse, their median and 16–84 % in bins of 0.2 Rₑ."
BELOW_SENTENCES = {"spectrum": SPECTRUM_SENTENCE, "sample": SAMPLE_SENTENCE, "profiles": PROFILE_SENTENCE}
Rows = list[tuple[str, str]]


def number(value: float, decimals: int = 2) -> str:
    """A number with a real minus sign, or a dash where there is none."""
    return f"{value:.{decimals}f}".replace("-", MINUS) if np.isfinite(value) else "–"


def power(value: float) -> str:
    """A small or large number as 2.1×10⁻⁶."""
    if not np.isfinite(value) or value == 0:
        return number(value, 0)
    exponent = int(np.floor(np.log10(abs(value))))
    return f"{number(value / 10.0**exponent, 1)}×10{str(exponent).translate(SUPERSCRIPTS)}"


def galaxy_facts(galaxy: pd.Series, old_fraction: float) -> Rows:
    """Label and value of what is known of a galaxy; ``old_fraction`` of its regions lie on the old ridge."""
    lost = galaxy.get("n_spaxels_above_cut", 0) or 0
    kept = f"{thousands(galaxy.n_regions)} of {thousands(lost)}" if lost > 0 else thousands(galaxy.n_regions)
    rows = [
        (html_label("log_M_star"), number(galaxy.log_M_star)),
        (html_label("log_mu_e"), number(galaxy.log_mu_e)),
        (html_label("redshift"), number(galaxy.redshift, 4)),
        (html_label("pc_per_arcsec"), f"{number(galaxy.pc_per_arcsec, 0)} pc"),
        (html_label("n_regions"), kept),
        ("on the old ridge", f"{number(100 * old_fraction, 0)} %"),
        (html_label("inv_vmax"), f"{power(galaxy.inv_vmax)} Mpc⁻³"),
    ]
    kind = galaxy.get("hubble_type")
    return [*rows, (html_label("hubble_type"), kind)] if isinstance(kind, str) and kind.strip() else rows


def heading(galaxy: pd.Series, n_regions: int) -> str:
    """Name of the galaxy and what can be done with it."""
    known = _catalogue_number(galaxy.galaxy_id, galaxy.origin)
    number_ = f"{known} · " if known else ""
    return f"<h1>{escape(galaxy['name'])}</h1><span>{number_}{thousands(n_regions)} regions · click a spaxel</span>"


def _catalogue_number(galaxy_id: int, origin: str) -> str:
    """The number by which a real galaxy is known; empty where it has none."""
    return f"CALIFA {galaxy_id}" if origin != MOCK and has_catalogue_number(galaxy_id) else ""


def spaxel_facts(columns: dict, row: int) -> Rows:
    """Label and value ± error of one region, with its truth where the survey knows it."""
    at = {name: values[row] for name, values in columns.items()}
    rows = [(html_label(name), _with_error(at, name)) for name in ESTIMATES]
    for name in ESTIMATES:
        if has_values(columns, f"{name}{MINUS_TRUE}"):
            rows.append((html_label(f"true_{name}"), number(at[f"true_{name}"])))
    for name, decimals in (("snr_per_angstrom", 1), ("sb_r", 2), ("v_star", 0), ("sigma_star", 0)):
        if has_values(columns, name):
            rows.append((html_label(name), f"{number(at[name], decimals)} {REGION[name].bracket}"))
    if has_values(columns, "smoothing_level"):
        rows.append((html_label("smoothing_level"), str(int(at["smoothing_level"]))))
    return rows


def _with_error(at: dict, name: str) -> str:
    error = at.get(f"{name}_err", np.nan)
    return f"{number(at[name])} ± {number(error)}" if np.isfinite(error) else number(at[name])


def spaxel_sentence(columns: dict, row: int, is_old: bool | None) -> str:
    """Sequence, smoothing and flags of one region in words; ``is_old`` is None where the age is not known."""
    words = [] if is_old is None else ["old ridge" if is_old else "young sequence"]
    words += _level_words(int(columns["smoothing_level"][row]) if "smoothing_level" in columns else 0)
    flags = int(columns["flags"][row]) if "flags" in columns else 0
    told = flags_in(flags & ~SpaxelFlag.SMOOTHED)  # the level says that already
    return "; ".join([*words, *(flag.words for flag in told)])


def _level_words(level: int) -> list[str]:
    if level < 1:
        return []
    return ["as observed"] if level == 1 else [f"median with a corona of {level - 1} spaxel{'s' * (level > 2)}"]


def missing_sentence(columns: dict) -> str:
    """What this galaxy's table does not tell, in one sentence; empty if all is there."""
    kinds = {
        "errors of mass": "log_mu_star_err", "errors of age": "log_age_wr_err", "smoothing level": "smoothing_level",
        "S/N": "snr_per_angstrom", "surface brightness": "sb_r", "indices": "d4000n", "magnitudes": "mag_r",
    }  # fmt: skip
    missing = [words for words, name in kinds.items() if not has_values(columns, name)]
    return f"This table has no {_listed(missing)}." if missing else ""


def _listed(words: list[str]) -> str:
    return words[0] if len(words) == 1 else f"{', '.join(words[:-1])} or {words[-1]}"


def caption(galaxy: pd.Series, columns: dict, below: str = "sample", has_spectra: bool = False) -> str:
    """What maps and what stands ``below`` them (spectrum, sample or profiles) show, how to read it; for the screen."""
    sentences = [*_map_sentences(galaxy, columns), "Grey spaxels have no value; hover says why."]
    sentences.append(BELOW_SENTENCES[below])
    sentences.append("Drag or wheel: zoom; arrow keys: galaxies")
    sentences[-1] += ", with Shift spaxels." if has_spectra else "."
    sentences += [] if has_spectra else ["This survey keeps no spectra: a click shows the values of a spaxel."]
    return " ".join([*sentences, missing_sentence(columns)]).strip()


def printed_caption(galaxy: pd.Series, columns: dict, below: str = "sample") -> str:
    """The same for paper, where nothing can be clicked."""
    told = [*([COLOURS_SENTENCE] if below == "spectrum" else []), BELOW_SENTENCES[below]]
    sentences = [*_map_sentences(galaxy, columns), "Grey spaxels have no value.", *told]
    return " ".join([*sentences, missing_sentence(columns)]).strip()


def _map_sentences(galaxy: pd.Series, columns: dict) -> list[str]:
    sentences = ["North is up, east left." if _is_upright(galaxy) else "The arrows N and E show north and east."]
    if np.isfinite(galaxy.get("half_light_radius", np.nan)):
        sentences.append("Dashed: half-light ellipse.")
    if has_values(columns, LEVEL):
        sentences.append("Level: 1 as observed, n the median with a corona of n − 1 spaxels.")
    return sentences


def _is_upright(galaxy: pd.Series) -> bool:
    """Whether north is up and east left in the maps of a galaxy."""
    axes = map_axes(dict(galaxy))
    return all(np.allclose(axes.on_map(*to), NORTH_UP.on_map(*to), atol=UPRIGHT) for to in ((1.0, 0.0), (0.0, 1.0)))


def reasons(origin: str) -> tuple[str, ...]:
    """Why a spaxel of a map is grey, in the order of ``map_data``: VALUE, NO_REGION, NOT_MEASURED, NO_VALUE."""
    cut = f"below {SURFACE_BRIGHTNESS_LIMIT} mag arcsec⁻², S/N under {SNR_MINIMUM_PER_ANGSTROM} per Å, or masked"
    absent = f"no region here: {cut}" if origin == MOCK else "no region here: the imported table has no value"
    return "", absent, "not measured: no posterior", "no value of this quantity"


def lost_words(flags: int) -> str:
    """Why a spaxel was not kept, from its flags."""
    said = [flag.words for flag in flags_in(flags & DROPPED)]
    return f"not kept: {'; '.join(said)}" if said else "not kept, and no flag tells why"


def no_spaxel(place: tuple[int, int] | None, lost: int | None) -> str:
    """What stands in the place of a spaxel's values: why it was not kept, or what to do."""
    if lost is None:
        return "<p class='quiet'>Click a spaxel to see its values and its place.</p>"
    said = lost_words(lost)
    return f"<h2>Spaxel ({place[0]}, {place[1]})</h2><p>{said[0].upper()}{said[1:]}.</p>"


def find_galaxy(galaxies: pd.DataFrame, words: str) -> int | None:
    """galaxy_id of the name or number typed (spaces, case and a leading CALIFA do not matter), or None.

    0 is a galaxy_id like others: compare with None. Galaxies without a catalogue number are found by name alone.
    """
    ids = galaxies["galaxy_id"].to_numpy()
    names = {_plain(name): int(i) for name, i in zip(galaxies["name"], ids, strict=True)}
    typed = _plain(words.split("·", maxsplit=1)[0])
    if typed in names:
        return names[typed]
    digits = re.fullmatch(r"(?:califa|no)?(\d+)", typed)
    wanted = int(digits.group(1)) if digits else 0
    return wanted if has_catalogue_number(wanted) and wanted in ids else None


def search_words(galaxies: pd.DataFrame) -> list[str]:
    """One line per galaxy to search in: its name, and its catalogue number if it has one."""
    rows = zip(galaxies["name"], galaxies["galaxy_id"], galaxies["origin"], strict=True)
    known = [(name, _catalogue_number(number_, origin)) for name, number_, origin in rows]
    return [f"{name} · {number_}" if number_ else name for name, number_ in known]


def _plain(words: str) -> str:
    return re.sub(r"[\s_-]", "", str(words)).lower()


def rows_html(rows: Rows) -> str:
    """Rows as a table of two columns; labels are HTML of ``theme``, values plain words."""
    cells = "".join(f"<tr><th scope='row'>{k}</th><td>{escape(str(v))}</td></tr>" for k, v in rows)
    return f"<table class='facts'>{cells}</table>"
