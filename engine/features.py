"""Where the features of a galaxy's spectrum lie: bands of absorption indices and emission lines, in air, rest frame.

Bands: Worthey & Ottaviani (1997), Trager et al. (1998), Balogh et al. (1999). Lines: the list of GANDALF.
"""

from typing import NamedTuple

Band = tuple[float, float]


class BandIndex(NamedTuple):
    """One index: central band and side bands [Angstrom, air]; in magnitudes or as an equivalent width [Angstrom]."""

    name: str
    centre: Band
    blue: Band
    red: Band
    in_magnitudes: bool = False


LICK = (
    BandIndex("hdelta_a", (4083.500, 4122.250), (4041.600, 4079.750), (4128.500, 4161.000)),
    BandIndex("hgamma_a", (4319.750, 4363.500), (4283.500, 4319.750), (4367.250, 4419.750)),
    BandIndex("fe4531", (4514.250, 4559.250), (4504.250, 4514.250), (4560.500, 4579.250)),
    BandIndex("hbeta", (4847.875, 4876.625), (4827.875, 4847.875), (4876.625, 4891.625)),
    BandIndex("fe5015", (4977.750, 5054.000), (4946.500, 4977.750), (5054.000, 5065.250)),
    BandIndex("mg1", (5069.125, 5134.125), (4895.125, 4957.625), (5301.125, 5366.125), in_magnitudes=True),
    BandIndex("mg2", (5154.125, 5196.625), (4895.125, 4957.625), (5301.125, 5366.125), in_magnitudes=True),
    BandIndex("mgb", (5160.125, 5192.625), (5142.625, 5161.375), (5191.375, 5206.375)),
    BandIndex("fe5270", (5245.650, 5285.650), (5233.150, 5248.150), (5285.650, 5318.150)),
    BandIndex("fe5335", (5312.125, 5352.125), (5304.625, 5315.875), (5353.375, 5363.375)),
)
D4000N_BLUE = (3850.0, 3950.0)
D4000N_RED = (4000.0, 4100.0)

SODIUM_D = (5882.0, 5904.0)  # 5889.95 and 5895.92, partly interstellar, with three sigmas of 6 A FWHM on both sides
NIGHT_SKY = ((5565.0, 5590.0), (6295.0, 6307.0))  # [OI] of our atmosphere, as observed

BALMER, FORBIDDEN = range(2)  # groups of one velocity and one dispersion


class EmissionLine(NamedTuple):
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
    EmissionLine("[OII]3727", 3726.03, FORBIDDEN, 4.0),
    EmissionLine("[OII]3729", 3728.73, FORBIDDEN, 4.0, "[OII]3727", 1.35),
    EmissionLine("H10", 3797.90, BALMER, 3.0, "Hbeta", 0.0530),
    EmissionLine("H9", 3835.39, BALMER, 3.0, "Hbeta", 0.0731),
    EmissionLine("[NeIII]3869", 3868.69, FORBIDDEN, 4.0),
    EmissionLine("[NeIII]3967", 3967.40, FORBIDDEN, 4.0, "[NeIII]3869", 0.30),
    EmissionLine("H8", 3889.05, BALMER, 3.0, "Hbeta", 0.105),
    EmissionLine("Hepsilon", 3970.07, BALMER, 3.0, "Hbeta", 0.159),
    EmissionLine("Hdelta", 4101.73, BALMER, 3.0, "Hbeta", 0.259),
    EmissionLine("Hgamma", 4340.46, BALMER, 3.0, "Hbeta", 0.468),
    EmissionLine("[OIII]4363", 4363.15, FORBIDDEN, 4.0),
    EmissionLine("HeII4686", 4685.74, BALMER, 4.0),
    EmissionLine("[ArIV]4711", 4711.30, FORBIDDEN, 4.0),
    EmissionLine("[ArIV]4740", 4740.10, FORBIDDEN, 4.0),
    EmissionLine("Hbeta", 4861.32, BALMER, 3.0, with_line="Halpha"),
    EmissionLine("[OIII]4959", 4958.83, FORBIDDEN, 4.0, "[OIII]5007", 0.350),
    EmissionLine("[OIII]5007", 5006.77, FORBIDDEN, 4.0, with_line="Halpha"),
    EmissionLine("[NI]5198", 5197.90, FORBIDDEN, 4.0),
    EmissionLine("[NI]5200", 5200.39, FORBIDDEN, 4.0, "[NI]5198", 1.0),
    EmissionLine("HeI5876", 5875.60, BALMER, 4.0),
    EmissionLine("[OI]6300", 6300.20, FORBIDDEN, 4.0),
    EmissionLine("[OI]6364", 6363.67, FORBIDDEN, 4.0, "[OI]6300", 0.333),
    EmissionLine("[NII]6548", 6547.96, FORBIDDEN, 4.0, "[NII]6583", 0.340),
    EmissionLine("Halpha", 6562.80, BALMER, 4.0),
    EmissionLine("[NII]6583", 6583.34, FORBIDDEN, 4.0),
    EmissionLine("[SII]6716", 6716.31, FORBIDDEN, 4.0),
    EmissionLine("[SII]6731", 6730.68, FORBIDDEN, 4.0),
    EmissionLine("[ArIII]7136", 7135.67, FORBIDDEN, 4.0),
)
