"""The survey tables in words: every column's name, unit, label and meaning, once.

A *survey* is a folder with two Parquet files that belong together: ``regions.parquet`` (one row
per kept spaxel, sorted by galaxy) and ``galaxies.parquet`` (one row per galaxy). Labels on plots,
tooltips, file headers and error messages all come from here.

Logs are base 10 and start with ``log_``. Capital M is a whole galaxy, mu is per area.
"""

import math
from typing import NamedTuple

from engine.flags import legend

SCHEMA_VERSION = 1
META_KEY = b"glocal"  # of the JSON in which a Parquet file tells its history
REGIONS_FILE = "regions.parquet"
GALAXIES_FILE = "galaxies.parquet"
LIBRARY_FILE = "library.npz"

# Numbers of galaxies that have none in a catalogue, or share it with another galaxy, start here; 0: the only one
FIRST_OWN_NUMBER = 1_000_000  # choice: above every catalogue of galaxies with cubes

MOCK, MEASURED, MIXED = "mock", "measured", "mixed"  # values of the metadata key "origin"


class Column(NamedTuple):
    """One column of a survey table.

    ``unit`` is an astropy unit string ("" if none); ``label`` is the words of axes and tooltips,
    without unit; ``tex`` the same for matplotlib; ``bracket`` and ``tex_bracket`` the unit as the
    journals print it; ``limits`` the values a sane table may hold (inclusive); ``may_be_nan`` tells
    whether a region without a value is kept.
    """

    name: str
    dtype: str
    unit: str
    label: str
    tex: str
    bracket: str
    tex_bracket: str
    description: str
    ucd: str = ""
    limits: tuple[float, float] | None = None
    required: bool = True
    may_be_nan: bool = False

    @property
    def axis(self) -> str:
        """Label with unit in brackets, in Unicode."""
        return f"{self.label} [{self.bracket}]" if self.bracket else self.label

    @property
    def tex_axis(self) -> str:
        """Label with unit in brackets, in mathtext."""
        return f"{self.tex} [{self.tex_bracket}]" if self.tex_bracket else self.tex


_DENSITY = ("M⊙ pc⁻²", r"$M_\odot\,\mathrm{pc}^{-2}$")
_MASS = ("M⊙", r"$M_\odot$")
_SOLAR_Z = ("Z⊙", r"$Z_\odot$")
_ANGSTROM = ("Å", r"$\mathrm{\AA}$")
_NONE = ("", "")
_DEX = ("dex", "dex")


def _index(name: str, label: str, tex: str, unit: str, bracket: tuple[str, str], what: str) -> tuple[Column, Column]:
    text = f"Absorption index {what}, emission lines removed, at 6 Å FWHM."
    return (
        Column(name, "f4", unit, label, tex, *bracket, text, "spect.index", required=False, may_be_nan=True),
        Column(
            f"{name}_err", "f4", unit, f"error of {label}", f"error of {tex}", *bracket,
            f"One-sigma error of {label}.", "stat.error;spect.index", required=False, may_be_nan=True,
        ),
    )  # fmt: skip


def _band(band: str) -> tuple[Column, Column]:
    text = f"SDSS {band} AB magnitude of the spaxel, emission lines removed."
    ucd = {"u": "em.opt.U", "g": "em.opt.B", "r": "em.opt.R", "i": "em.opt.I", "z": "em.opt.I"}[band]
    return (
        Column(f"mag_{band}", "f4", "mag", band, f"${band}$", "AB mag", "AB mag", text,
               f"phot.mag;{ucd}", required=False, may_be_nan=True),
        Column(f"mag_{band}_err", "f4", "mag", f"error of {band}", f"error of ${band}$", "mag", "mag",
               f"One-sigma error of mag_{band}.", f"stat.error;phot.mag;{ucd}", required=False, may_be_nan=True),
    )  # fmt: skip


def _estimate(column: Column, limits: tuple[float, float]) -> tuple[Column, Column, Column]:
    error = Column(
        f"{column.name}_err", "f4", "dex", f"error of {column.label}", f"error of {column.tex}", *_DEX,
        f"Half of the 16-84 percentile range of the posterior of {column.label}.",
        f"stat.error;{column.ucd}", (0.0, 5.0), may_be_nan=True,
    )  # fmt: skip
    truth = column._replace(
        name=f"true_{column.name}", label=f"true {column.label}", tex=f"true {column.tex}",
        description=f"{column.label} put into the mock, before noise and measurement; that of the whole "
        "kernel where spaxels were smoothed.",
        required=False, may_be_nan=True,
    )  # fmt: skip
    return column._replace(limits=limits, may_be_nan=True), error, truth


_MU_STAR = _estimate(
    Column("log_mu_star", "f4", "dex(solMass / pc2)", "log μ∗", r"$\log\,\mu_\ast$", *_DENSITY,
           "Stellar surface mass density of the region, per projected area.", "phys.density"),
    (-4.0, 7.0),
)  # fmt: skip
_AGE = _estimate(
    Column("log_age_wr", "f4", "dex(yr)", "log Age_wr", r"$\log\,\mathrm{Age}_{wr}$", "yr", "yr",
           "Mean stellar age, linear, weighted by r-band light (ZG22 eq. 1).", "time.age"),
    (5.0, 10.5),
)  # fmt: skip
_Z = _estimate(
    Column("log_Z_wr", "f4", "dex", "log Z∗wr", r"$\log\,Z_{\ast wr}$", *_SOLAR_Z,
           "Mean stellar metallicity over solar, linear, weighted by r-band light (ZG22 eq. 2).", "phys.abund.Z"),
    (-4.0, 2.0),
)  # fmt: skip

INDEX_NAMES = ("d4000n", "hbeta", "hdelta_a_hgamma_a", "mg2fe", "mgfe_prime")
BANDS = ("u", "g", "r", "i", "z")

REGION_COLUMNS: tuple[Column, ...] = (
    Column("region_id", "i4", "", "region", "region", *_NONE, "Unique row number.", "meta.id;meta.main", (0, 2**31 - 1)),
    Column("galaxy_id", "i4", "", "galaxy", "galaxy", *_NONE, "Number of the galaxy, as in the galaxy table.",
           "meta.id.parent", (0, 2**31 - 1)),
    Column("x", "i2", "pix", "x", "x", "spaxel", "spaxel", "Column of the spaxel in the map, from 0; grows to x_axis_angle of the galaxy, or to the west.",
           "pos.cartesian.x", (-32768, 32767)),
    Column("y", "i2", "pix", "y", "y", "spaxel", "spaxel", "Row of the spaxel in the map, from 0; grows to y_axis_angle of the galaxy, or to the north.",
           "pos.cartesian.y", (-32768, 32767)),
    _MU_STAR[0], _MU_STAR[1], _AGE[0], _AGE[1], _Z[0], _Z[1],
    Column("area_pc2", "f4", "pc2", "area", "area", "pc²", r"pc$^2$", "Projected area of the spaxel.", "phys.area", (0.0, 1e12)),
    Column("weight", "f8", "pc2 / Mpc3", "weight", "weight", "pc² Mpc⁻³", r"pc$^2$ Mpc$^{-3}$",
           "Statistical weight: area times 1/V'max (ZG22 sec. 2.2).", "stat.weight", (0.0, 1e15)),
    Column("smoothing_level", "i1", "", "smoothing level", "smoothing level", *_NONE,
           "1: spaxel as observed; n: median with a corona of n-1 spaxels; 0: not known.", "meta.code", (0, 50), required=False),
    Column("snr_per_angstrom", "f4", "Angstrom(-1/2)", "S/N", "S/N", "per Å", r"per $\mathrm{\AA}$",
           "Signal-to-noise ratio per Angstrom after smoothing.", "stat.snr", (0.0, 1e6), required=False, may_be_nan=True),
    Column("sb_r", "f4", "mag / arcsec2", "μ_r", r"$\mu_r$", "mag arcsec⁻²", r"mag arcsec$^{-2}$",
           "Surface brightness in r of the spaxel as observed.", "phot.mag.sb;em.opt.R", (0.0, 40.0), required=False, may_be_nan=True),
    Column("v_star", "f4", "km / s", "v∗", r"$v_\ast$", "km s⁻¹", r"km s$^{-1}$",
           "Stellar velocity relative to the galaxy.", "phys.veloc", (-5e3, 5e3), required=False, may_be_nan=True),
    Column("sigma_star", "f4", "km / s", "σ∗", r"$\sigma_\ast$", "km s⁻¹", r"km s$^{-1}$",
           "Stellar velocity dispersion.", "phys.veloc.dispersion", (0.0, 2e3), required=False, may_be_nan=True),
    Column("chi2", "f4", "", "χ² of the best model", r"$\chi^2$ of the best model", *_NONE,
           "Smallest chi-square in the library.", "stat.fit.chi2", (0.0, 1e9), required=False, may_be_nan=True),
    Column("flags", "i4", "", "flags", "flags", *_NONE, f"What to know of the region, a sum of bits: {legend()}.", "meta.code.qual", (0, 2**31 - 1), required=False),
    *_index("d4000n", "D4000n", r"D4000$_n$", "", _NONE, "D4000n (Balogh+99)"),
    *_index("hbeta", "Hβ", r"H$\beta$", "Angstrom", _ANGSTROM, "Hβ"),
    *_index("hdelta_a_hgamma_a", "HδA+HγA", r"H$\delta_A$+H$\gamma_A$", "Angstrom", _ANGSTROM, "HδA+HγA"),
    *_index("mg2fe", "[Mg2Fe]", r"[Mg$_2$Fe]", "", _NONE, "[Mg2Fe] = 0.6 Mg2 + 0.4 log(Fe4531 + Fe5015)"),
    *_index("mgfe_prime", "[MgFe]′", r"[MgFe]$^\prime$", "Angstrom", _ANGSTROM, "[MgFe]′ = √(Mgb (0.72 Fe5270 + 0.28 Fe5335))"),
    *(column for band in BANDS for column in _band(band)),
    _MU_STAR[2], _AGE[2], _Z[2],
)  # fmt: skip

GALAXY_COLUMNS: tuple[Column, ...] = (
    Column("galaxy_id", "i4", "", "galaxy", "galaxy", *_NONE, "Unique number of the galaxy: its CALIFA number if it has one, else 0 or a number from 1 000 000 on.",
           "meta.id;meta.main", (0, 2**31 - 1)),
    Column("name", "str", "", "name", "name", *_NONE, "Name; mock galaxies are called mock.", "meta.id;src"),
    Column("origin", "str", "", "origin", "origin", *_NONE, "mock or measured.", "meta.code.class"),
    Column("ra", "f8", "deg", "RA", "RA", "deg", "deg", "Right ascension, ICRS.", "pos.eq.ra", (0.0, 360.0), required=False, may_be_nan=True),
    Column("dec", "f8", "deg", "Dec", "Dec", "deg", "deg", "Declination, ICRS.", "pos.eq.dec", (-90.0, 90.0), required=False, may_be_nan=True),
    Column("redshift", "f4", "", "redshift", "redshift", *_NONE, "Redshift behind distances and V'max.", "src.redshift", (0.0, 10.0)),
    Column("log_M_star", "f4", "dex(solMass)", "log M∗", r"$\log\,M_\ast$", *_MASS, "Total stellar mass.", "phys.mass", (4.0, 14.0)),
    Column("log_mu_e", "f4", "dex(solMass / pc2)", "log ⟨μ∗⟩e", r"$\log\,\langle\mu_\ast\rangle_e$", *_DENSITY,
           "Mean stellar surface mass density inside the half-light ellipse.", "phys.density", (-4.0, 7.0), may_be_nan=True),
    Column("inv_vmax", "f8", "Mpc(-3)", "1/V′max", r"$1/V'_\mathrm{max}$", "Mpc⁻³", r"Mpc$^{-3}$",
           "Inverse of the density-corrected volume (Walcher+14 sec. 4.1).", "stat.weight", (0.0, 1e6)),
    Column("pc_per_arcsec", "f4", "pc / arcsec", "1″", "1\N{DOUBLE PRIME}", "pc", "pc", "Projected length of one arcsecond.", "phys.size", (0.0, 1e6)),
    Column("spaxel_arcsec", "f4", "arcsec", "spaxel", "spaxel", "″", "arcsec", "Side of a spaxel.", "phys.angSize", (0.0, 60.0)),
    Column("axis_ratio", "f4", "", "b/a", "b/a", *_NONE, "Axis ratio of the half-light ellipse.", "src.ellipticity", (0.0, 1.0), required=False, may_be_nan=True),
    Column("position_angle", "f4", "deg", "PA", "PA", "deg", "deg", "Position angle of the major axis, north through east.", "pos.posAng",
           (-360.0, 360.0), required=False, may_be_nan=True),
    Column("half_light_radius", "f4", "arcsec", "R_e", r"$R_e$", "″", "arcsec", "Semi-major axis of the half-light ellipse, r band.",
           "phys.angSize", (0.0, 600.0), required=False, may_be_nan=True),
    Column("iso_diameter", "f4", "arcsec", "isoA_r", r"isoA$_r$", "″", "arcsec", "Isophotal major axis in r, of the diameter selection.",
           "phys.angSize", (0.0, 3600.0), required=False, may_be_nan=True),
    Column("x_centre", "f4", "pix", "x of centre", "x of centre", "spaxel", "spaxel", "Centre of the galaxy in the map.", "pos.cartesian.x",
           (-32768, 32767), required=False, may_be_nan=True),
    Column("y_centre", "f4", "pix", "y of centre", "y of centre", "spaxel", "spaxel", "Centre of the galaxy in the map.", "pos.cartesian.y",
           (-32768, 32767), required=False, may_be_nan=True),
    Column("x_axis_angle", "f4", "deg", "PA of x", "PA of $x$", "deg", "deg",
           "Position angle in which x of the maps grows, north through east; -90 where it is not given.", "pos.posAng",
           (-360.0, 360.0), required=False, may_be_nan=True),
    Column("y_axis_angle", "f4", "deg", "PA of y", "PA of $y$", "deg", "deg",
           "Position angle in which y of the maps grows, north through east; 0 where it is not given.", "pos.posAng",
           (-360.0, 360.0), required=False, may_be_nan=True),
    Column("hubble_type", "str", "", "type", "type", *_NONE, "Hubble type, or spheroid/disc in the mock.", "src.morph.type", required=False),
    Column("n_regions", "i4", "", "regions", "regions", *_NONE, "Rows of this galaxy in the region table.", "meta.number", (0, 2**31 - 1)),
    Column("n_spaxels_above_cut", "i4", "", "spaxels above the cut", "spaxels above the cut", *_NONE,
           "Spaxels brighter than the surface-brightness cut, kept or not.", "meta.number", (0, 2**31 - 1), required=False),
)  # fmt: skip

REGION = {column.name: column for column in REGION_COLUMNS}
GALAXY = {column.name: column for column in GALAXY_COLUMNS}


def has_catalogue_number(galaxy_id: int) -> bool:
    """Whether a galaxy_id is the galaxy's number in a catalogue; others are 0, or were given out by this program."""
    return 0 < galaxy_id < FIRST_OWN_NUMBER


def column(name: str) -> Column:
    """The column of that name, from the region table first, then from the galaxy table."""
    return REGION[name] if name in REGION else GALAXY[name]


def limits_of(name: str) -> tuple[float, float]:
    """The values that a column of the region table may hold; without end where none is stated."""
    return REGION[name].limits or (-math.inf, math.inf)
