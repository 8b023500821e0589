"""Every number the paper fixes, once, with its address.

"ZG22" is Zibetti & Gallazzi (2022, MNRAS, doi:10.1093/mnras/stac370).
Choices that no source settles are marked *choice*.
"""

# Cosmology, ZG22 sec. 1
H0 = 70.0  # km/s/Mpc
OMEGA_LAMBDA = 0.7
OMEGA_M = 0.3

# Sample, ZG22 sec. 2.1
N_GALAXIES = 362
N_REGIONS = 601_282
N_ANALYSED = 394  # galaxies before mergers are dropped
EXCLUDED_NAMES = ("UGC11694", "UGC01123")  # bright star; artefacts in the noise spectrum
REDSHIFT_RANGE = (0.005, 0.03)  # nominal, Walcher+14

# Diameter selection of the mother sample, Walcher+14 sec. 2
ISO_DIAMETER_RANGE_ARCSEC = (45.0, 79.2)
SURVEY_AREA_DEG2 = 8703.0
SKY_AREA_DEG2 = 41253.0

# Data, ZG22 sec. 2.1
SURFACE_BRIGHTNESS_LIMIT = 22.5  # r band, mag/arcsec2
SNR_TARGET_PER_ANGSTROM = 15.0  # smoothing stops here
SNR_TARGET_PER_PIXEL = 20.0
SNR_MINIMUM_PER_ANGSTROM = 7.5  # spaxels below are dropped
SNR_MINIMUM_PER_PIXEL = 10.0
SMOOTHING_RADIUS_MAX_ARCSEC = 5.0
SMOOTHING_LEVEL_FRACTIONS = (0.364, 0.086, 0.102, 0.078, 0.370)  # levels 1..5, ZG22 app. A
FRACTION_KEPT = 0.908  # of the spaxels above the surface-brightness cut
CALIFA_FWHM_ANGSTROM = 6.0
CALIFA_PIXEL_ANGSTROM = 2.0
CALIFA_PSF_FWHM_ARCSEC = 2.57
CALIFA_SPAXEL_ARCSEC = 1.0  # Sanchez+16

# Solar values
Z_SUN = 0.02  # BC03 scale; also Gallazzi+05
M_SUN_R_AB = 4.65  # absolute r magnitude of the Sun, AB; Willmer (2018) table 3, SDSS r

# Green valley, ZG22 eq. 3: log Age_wr = slope * log mu_star + intercept
GREEN_VALLEY_SLOPE = 0.095
GREEN_VALLEY_INTERCEPT = 9.40
GREEN_VALLEY_BIN_DEX = 0.25  # ZG22 footnote 4
OLD_RIDGE_LOG_AGE = 9.8  # ZG22 sec. 4.1

# Masses, ZG22 secs. 3, 4, 5
MU_E_MASS_SLOPE = 0.55  # <mu*>_e against M*
MU_E_MASS_SCATTER_DEX = 0.34
MU_STAR_SLOPE = 0.2  # log mu* of regions against log M*, and against log <mu*>e
MU_STAR_SCATTER_DEX = 0.45  # the middle of the printed 0.4 to 0.5
LOG_M_STAR_THRESHOLD = 10.3
LOG_MU_E_THRESHOLD = 2.5
M_STAR_BIN_DEX = 0.2  # running medians, ZG22 footnote 6

# Median errors, ZG22 Fig. 1 as stated in sec. 2.2: column, log mu_star, dex
MEDIAN_ERRORS = (
    ("log_age_wr", 2.0, 0.25),
    ("log_Z_wr", 1.0, 0.3),
    ("log_Z_wr", 4.0, 0.1),
    ("log_mu_star", 1.5, 0.15),
    ("log_mu_star", 4.0, 0.10),
)

# Presets of the selectors (Fig. 6 shows four bins of M*; its edges are not printed: choice)
LOG_M_STAR_BINS = (9.8, 10.3, 10.8)
LOG_MU_E_BINS = (2.2, 2.5, 2.8)
