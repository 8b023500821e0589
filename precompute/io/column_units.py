"""Units of columns as people and surveys spell them: logarithms in brackets, solar masses in any letters."""

import re

from astropy import units as u

from engine.errors import TableError

# log(solMass), log10(Msun), dex(yr), [yr], log yr: the logarithm of a quantity in the unit within
_LOGARITHMS = (
    re.compile(r"(?:log|log10|lg|dex)\s*\((?P<inner>.*)\)", re.IGNORECASE),
    re.compile(r"(?:log|log10|lg|dex)\s+(?P<inner>.+)", re.IGNORECASE),
    re.compile(r"\[(?P<inner>.*)\]"),
)
_QUANTITY = re.compile(r"[A-Za-z*_]+\s*/\s*(?P<unit>.+)")  # the "age/" of log(age/yr)
_WHOLE_IN_BRACKETS = re.compile(r"^\(([^()]*)\)$")
_WORD = re.compile(r"[A-Za-z_]+")

# Words in small letters -> what astropy calls them. "A" is never an ampere in a table of galaxies
_SPELLINGS = {
    "msun": "solMass", "m_sun": "solMass", "msol": "solMass", "m_sol": "solMass", "solmass": "solMass",
    "lsun": "solLum", "l_sun": "solLum", "lsol": "solLum", "l_sol": "solLum", "sollum": "solLum",
    "sec": "s", "secs": "s", "second": "s", "seconds": "s", "year": "yr", "years": "yr", "yrs": "yr", "gyrs": "Gyr",
    "a": "Angstrom", "aa": "Angstrom", "ang": "Angstrom", "angs": "Angstrom", "angstroms": "Angstrom",
    "pixel": "pix", "pixels": "pix", "spaxel": "pix", "spaxels": "pix", "spax": "pix", "arcsecs": "arcsec",
    "gyr": "Gyr", "myr": "Myr", "kyr": "kyr", "mags": "mag", "degrees": "deg",
}  # fmt: skip
_SOLAR = {"zsun", "z_sun", "zsol", "z_sol", "zsolar", "z/h", "m/h", "me/h", "fe/h", "z/zsun", "z/z_sun"}
_PLAIN_NUMBERS = {"", "-", "fraction", "none", "dimensionless", "unitless", "null", *_SOLAR}


def parse_unit(text: str) -> u.UnitBase:
    """A unit from its name, a logarithm as astropy's dex; raises TableError for a name that cannot be understood.

    >>> parse_unit("log10(Msun/pc^2)") == parse_unit("[solMass pc-2]") == parse_unit("dex(solMass / pc2)")
    True
    """
    inner = _inside_logarithm(text.strip())
    if inner is not None:
        return u.dex(_linear(_without_quantity(inner)))
    unit = _linear(text)
    return u.dex(u.dimensionless_unscaled) if unit == u.dex else unit


def is_logarithmic(unit: u.UnitBase) -> bool:
    """Whether values in this unit are logarithms."""
    return isinstance(unit, u.function.FunctionUnitBase)


def _inside_logarithm(text: str) -> str | None:
    """The unit that a logarithm is taken of; None if the text is no logarithm."""
    for pattern in _LOGARITHMS:
        found = pattern.fullmatch(text)
        if found:
            return found["inner"].strip()
    return None


def _without_quantity(inner: str) -> str:
    """'yr' for 'age/yr', if only that is a unit."""
    found = _QUANTITY.fullmatch(inner)
    if found is None:
        return inner
    try:
        _linear(inner)
    except TableError:
        return found["unit"]
    return inner


def _linear(text: str) -> u.UnitBase:
    """A unit that is no logarithm of another."""
    plain = _WHOLE_IN_BRACKETS.sub(r"\1", text.strip())
    if plain.lower().replace(" ", "") in _PLAIN_NUMBERS:
        return u.dimensionless_unscaled
    for spelling in (_respelt(plain), plain):
        try:
            return u.Unit(spelling)
        except (ValueError, TypeError):
            continue
    raise TableError(f"{text!r} is not a unit that can be understood")


def _respelt(text: str) -> str:
    """The text with words as astropy spells them."""
    return _WORD.sub(lambda word: _SPELLINGS.get(word[0].lower(), word[0]), text)
