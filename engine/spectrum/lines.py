"""Emission lines of ionised gas: where they are, which share an amplitude or a velocity, when they are believed."""

from typing import NamedTuple

import numpy as np

from engine.types import FloatArray

BALMER, FORBIDDEN = range(2)  # groups of one velocity and one dispersion


class Line(NamedTuple):
    """One line. ``parent`` and ``ratio``: its flux is that many times the parent's; no parent: its own amplitude.

    It is taken out when its amplitude is ``threshold`` times the noise, or when ``with_line`` is taken out.
    """

    name: str
    wave: float  # Angstrom, air
    group: int
    threshold: float
    parent: str = ""
    ratio: float = 1.0
    with_line: str = ""


# Wavelengths and ties: the list of GANDALF as distributed with nGIST, 3700-7140 A, with H9 and H10 of pPXF.
# Thresholds: 4 for all (nGIST), 3 for Hbeta (Sarzi+06). Hbeta goes with Halpha, which is three times as strong: else a
# threshold on Hbeta's own noise would leave the infill in just where it falls below; so does [OIII] 5007, which lies in
# Fe5015 (left in below its threshold it lowers [Mg2Fe] by half an error). Balmer lines from Hgamma on follow
# Hbeta as case B (Storey & Hummer 1995, 10^4 K), reddened as the decrement tells. [OII] 3726, 3729 and [NI] 5198, 5200
# are one line at 6 A; their ratios are *choice*: low density.
LINES = (
    Line("[OII]3727", 3726.03, FORBIDDEN, 4.0),
    Line("[OII]3729", 3728.73, FORBIDDEN, 4.0, "[OII]3727", 1.35),
    Line("H10", 3797.90, BALMER, 3.0, "Hbeta", 0.0530),
    Line("H9", 3835.39, BALMER, 3.0, "Hbeta", 0.0731),
    Line("[NeIII]3869", 3868.69, FORBIDDEN, 4.0),
    Line("[NeIII]3967", 3967.40, FORBIDDEN, 4.0, "[NeIII]3869", 0.30),
    Line("H8", 3889.05, BALMER, 3.0, "Hbeta", 0.105),
    Line("Hepsilon", 3970.07, BALMER, 3.0, "Hbeta", 0.159),
    Line("Hdelta", 4101.73, BALMER, 3.0, "Hbeta", 0.259),
    Line("Hgamma", 4340.46, BALMER, 3.0, "Hbeta", 0.468),
    Line("[OIII]4363", 4363.15, FORBIDDEN, 4.0),
    Line("HeII4686", 4685.74, BALMER, 4.0),
    Line("[ArIV]4711", 4711.30, FORBIDDEN, 4.0),
    Line("[ArIV]4740", 4740.10, FORBIDDEN, 4.0),
    Line("Hbeta", 4861.32, BALMER, 3.0, with_line="Halpha"),
    Line("[OIII]4959", 4958.83, FORBIDDEN, 4.0, "[OIII]5007", 0.350),
    Line("[OIII]5007", 5006.77, FORBIDDEN, 4.0, with_line="Halpha"),
    Line("[NI]5198", 5197.90, FORBIDDEN, 4.0),
    Line("[NI]5200", 5200.39, FORBIDDEN, 4.0, "[NI]5198", 1.0),
    Line("HeI5876", 5875.60, BALMER, 4.0),
    Line("[OI]6300", 6300.20, FORBIDDEN, 4.0),
    Line("[OI]6364", 6363.67, FORBIDDEN, 4.0, "[OI]6300", 0.333),
    Line("[NII]6548", 6547.96, FORBIDDEN, 4.0, "[NII]6583", 0.340),
    Line("Halpha", 6562.80, BALMER, 4.0),
    Line("[NII]6583", 6583.34, FORBIDDEN, 4.0),
    Line("[SII]6716", 6716.31, FORBIDDEN, 4.0),
    Line("[SII]6731", 6730.68, FORBIDDEN, 4.0),
    Line("[ArIII]7136", 7135.67, FORBIDDEN, 4.0),
)
LINE_NAMES = tuple(line.name for line in LINES)
STRONG = ("[OII]3727", "Hbeta", "[OIII]5007", "Halpha", "[NII]6583", "[SII]6716")  # tell whether there is gas
CASE_B_HALPHA_HBETA = 2.86
HALPHA, HBETA = 6562.80, 4861.32
EBV_LIMIT = 1.5  # mag; *choice*


class LineTable(NamedTuple):
    """The lines as arrays; a *column* is one free amplitude, that of the lines without parent, in their order."""

    wave: FloatArray  # (line,) Angstrom, air, rest frame
    group: FloatArray  # (line,) int
    column: FloatArray  # (line,) int
    ratio: FloatArray  # (line,)
    threshold: FloatArray  # (line,)
    with_column: FloatArray  # (column,) int: the column it goes with, itself if none
    strong: FloatArray  # (column,) bool


def line_table(lines: tuple[Line, ...] = LINES) -> LineTable:
    """Lines as arrays."""
    names = [line.name for line in lines if not line.parent]
    own = [line for line in lines if not line.parent]
    return LineTable(
        np.array([line.wave for line in lines]), np.array([line.group for line in lines]),
        np.array([names.index(line.parent or line.name) for line in lines]),
        np.array([line.ratio for line in lines]), np.array([line.threshold for line in lines]),
        np.array([names.index(line.with_line or line.name) for line in own]),
        np.array([line.name in STRONG for line in own]),
    )  # fmt: skip


def reddened_ratios(table: LineTable, ebv: float, lines: tuple[Line, ...] = LINES) -> FloatArray:
    """Ratios (line,) with those to Hbeta dimmed by a screen of E(B-V) in front of the gas (Cardelli+89, R_V 3.1)."""
    follows = np.array([line.parent == "Hbeta" for line in lines])
    dimmed = 10 ** (-0.4 * ebv * (extinction(table.wave) - extinction(HBETA)))
    return np.where(follows, table.ratio * dimmed, table.ratio)


def extinction(wave: FloatArray | float) -> FloatArray:
    """A(lambda) / E(B-V) in the optical (3030-9090 A), R_V = 3.1; Cardelli, Clayton & Mathis (1989) eq. 3."""
    y = 1e4 / np.asarray(wave) - 1.82
    a = np.polynomial.polynomial.polyval(y, [1, 0.17699, -0.50447, -0.02427, 0.72085, 0.01979, -0.77530, 0.32999])
    b = np.polynomial.polynomial.polyval(y, [0, 1.41338, 2.28305, 1.07233, -5.38434, -0.62251, 5.30260, -2.09002])
    return 3.1 * a + b


def decrement_ebv(halpha: float, hbeta: float, limit: float = EBV_LIMIT) -> float:
    """E(B-V) [mag] of the Balmer decrement, from 0 to a limit; 0 without both lines."""
    if not (halpha > 0 and hbeta > 0):
        return 0.0 if not halpha > 0 else limit
    slope = 0.4 * float(extinction(HBETA) - extinction(HALPHA))
    return float(np.clip(np.log10(halpha / hbeta / CASE_B_HALPHA_HBETA) / slope, 0.0, limit))
