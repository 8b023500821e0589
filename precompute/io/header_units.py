"""Units as people write them into FITS headers, understood by astropy once their spelling is put right.

``A`` is ampere to astropy and Angstrom to everyone who observes; ``10^(-16)``, ``1D-16``, ``ergs`` and ``/spaxel`` are
in the headers of public cubes (CALIFA, MUSE, MaNGA), and no standard knows them.
"""

import re
import warnings

from astropy import units as u

FLUX_PER_WAVELENGTH = u.Unit("1e-16 erg / (s cm2 Angstrom)")
# words of headers, in lower case -> words of astropy; what a spaxel is called does not matter
SPELLINGS = {
    **dict.fromkeys(("a", "å", "aa", "ang", "angs", "angstrom", "angstroms", "ångström"), "Angstrom"),
    **dict.fromkeys(("erg", "ergs"), "erg"),
    **dict.fromkeys(("s", "sec", "secs", "second", "seconds"), "s"),
    **dict.fromkeys(("spaxel", "spaxels", "spax", "pixel", "pixels", "pix", "px", "fiber", "fibre", "element"), "pix"),
    **dict.fromkeys(("nm", "nanometer", "nanometers", "nanometre", "nanometres"), "nm"),
    **dict.fromkeys(("um", "micron", "microns", "micrometer", "micrometers"), "um"),
    **dict.fromkeys(("m", "meter", "meters", "metre", "metres"), "m"),
    **dict.fromkeys(("cm", "centimeter", "centimeters"), "cm"),
    **dict.fromkeys(("nanomaggy", "nanomaggies", "nanomaggys", "nmaggy", "nmaggies", "nmgy", "nmgys"), "nmgy"),
    "flam": "(erg s-1 cm-2 Angstrom-1)",
    "per": "/",
    **dict.fromkeys(("maggy", "maggies", "mgy"), "mgy"),
}
POWER_OF_TEN = re.compile(r"\b10\s*(?:\^|\*\*)\s*[({]?\s*([+-]?\d+)\s*[)}]?")
NUMBER = re.compile(r"[\s(\[]*(\d+\.?\d*(?:[eEdD][+-]?\d+)?)[\s)\]]*(?:[*x×]|(?=\D|$))\s*")


def parse_header_unit(text: str) -> u.UnitBase | None:
    """A unit with its scale, per spaxel or not; None where the text is none.

    >>> parse_header_unit("10**-20 Angstrom-1 cm-2 erg s-1").to(u.Unit("erg / (s cm2 Angstrom)"))
    1e-20
    """
    scale, words = _leading_numbers(POWER_OF_TEN.sub(r"1e\1 ", text.strip()))
    words = re.sub(r"[^\W\d_]+", lambda word: SPELLINGS.get(word[0].lower(), word[0]), words)
    words = words.translate(str.maketrans("{}", "()", "\\[]")).replace("^", "**")
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", u.UnitsWarning)  # several slashes are read as every reader means them
        try:
            return _without_spaxel(u.Unit(scale * u.Unit(words)))
        except (ValueError, TypeError, AttributeError):  # AttributeError: a magnitude or another logarithm
            return None


def _leading_numbers(text: str) -> tuple[float, str]:
    """The product of the numbers a text begins with, and the rest: '1 x 1e-16 erg/s' gives 1e-16 and 'erg/s'."""
    scale = 1.0
    while found := NUMBER.match(text):
        scale *= float(found[1].lower().replace("d", "e"))
        text = text[found.end() :]
    return scale, text


def _without_spaxel(unit: u.UnitBase) -> u.UnitBase:
    """The unit without 'per spaxel', also where 'erg/s/cm2/A spaxel-1' ends in a spaxel divided by."""
    power = dict(zip(unit.bases, unit.powers, strict=True)).get(u.pix, 0)
    return unit / u.pix**power if abs(power) == 1 else unit


def flux_density_scale(text: str) -> float | None:
    """What values in this unit are multiplied by to be in 1e-16 erg/s/cm2/Angstrom; None for any other quantity."""
    return _scale(text, FLUX_PER_WAVELENGTH)


def nanomaggy_scale(text: str) -> float | None:
    """What values in this unit are multiplied by to be nanomaggies; None for any other quantity."""
    return _scale(text, u.Unit("nmgy"))


def angstrom_scale(text: str) -> float | None:
    """What wavelengths in this unit are multiplied by to be in Angstrom; None for any other quantity."""
    return _scale(text, u.Angstrom)


def _scale(text: str, wanted: u.UnitBase) -> float | None:
    unit = parse_header_unit(text)
    if unit is None or not unit.is_equivalent(wanted):
        return None
    scale = float(unit.to(wanted))
    return scale if scale > 0 else None
