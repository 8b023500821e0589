"""Emission lines of ionised gas: where they are, which share an amplitude or a velocity, when they are believed."""

from typing import NamedTuple

import numpy as np

from engine.features import LINES, EmissionLine
from engine.types import FloatArray

LINE_NAMES = tuple(line.name for line in LINES)
STRONG = ("[OII]3727", "Hbeta", "[OIII]5007", "Halpha", "[NII]6583", "[SII]6716")  # tell whether there is gas
CASE_B_HALPHA_HBETA = 2.86
HALPHA, HBETA = (next(line.wave for line in LINES if line.name == name) for name in ("Halpha", "Hbeta"))
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


def line_table(lines: tuple[EmissionLine, ...] = LINES) -> LineTable:
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


def reddened_ratios(table: LineTable, ebv: float, lines: tuple[EmissionLine, ...] = LINES) -> FloatArray:
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
