"""What the invented survey is made of: every number once, with its source, or *choice* where none settles it."""

from dataclasses import dataclass

from engine.adopted import N_GALAXIES


@dataclass(frozen=True)
class MockSettings:
    """Ingredients of the mock survey; logs base 10, masses in Msun, densities in Msun/pc2, angles in arcsec."""

    n_galaxies: int = N_GALAXIES

    # Galaxies ------------------------------------------------------------------------------------------
    # Mass function: double Schechter, Baldry+12 (MNRAS 421, 621) sec. 4.2: log M*, phi1, alpha1, phi2, alpha2
    mass_function: tuple[float, ...] = (10.66, 3.96e-3, -0.35, 0.79e-3, -1.47)
    mass_offset: float = 0.1  # dex: masses of CALIFA DR3 over those of GAMA; tuned to the DR3 counts per Mpc3
    log_mass_range: tuple[float, float] = (8.5, 12.0)  # lightest galaxy of CALIFA DR3 has 8.5
    # Sizes: Shen+03 (MNRAS 343, 978) table 1, masses: R = gamma M^alpha (1 + M/M0)^(beta - alpha), a M^b [kpc]
    disc_size: tuple[float, float, float, float] = (0.10, 0.14, 0.39, 3.98e10)  # gamma, alpha, beta, M0
    spheroid_size: tuple[float, float] = (2.88e-6, 0.56)
    spheroid_size_floor: float = 1.5  # kpc; Shen's line is for massive galaxies only: choice
    # Semi-major half-light axes over Shen's radii, discs and spheroids. Started from el_hlr of CALIFA DR3, whose growth
    # curves give smaller galaxies than Sersic fits, then tuned to the slope of <mu*>e against M* (ZG22 sec. 3)
    size_factor: tuple[float, float] = (1.0, 0.68)
    # Scatter in ln R below and above M0: 0.47 and 0.34 in Shen+03, trimmed to that of el_hlr in DR3
    size_scatter: tuple[float, float] = (0.40, 0.30)
    spheroid_fraction: tuple[float, float] = (10.60, 0.25)  # centre, width in log M*: E/S0 of CALIFA DR3, by eye
    disc_thickness: float = 0.2  # intrinsic axis ratio of discs: choice, usual
    spheroid_axis_ratio: tuple[float, float] = (0.72, 0.14)  # mean, scatter: choice
    bulge_fraction: tuple[float, float] = (0.10, 0.18)  # of discs: at log M* = 10, rise per dex: choice
    spheroid_bulge_fraction: float = 0.70  # choice
    bulge_fraction_scatter: float = 0.08  # choice
    sersic: tuple[float, float] = (2.0, 3.5)  # index of bulges in discs and in spheroids: choice
    bulge_to_disc_size: tuple[float, float] = (0.25, 0.5)  # half-mass radii, discs and spheroids: choice
    # SDSS isoA_r is named after 25 mag/arcsec2, but with the growth-curve magnitude and half-light axis of
    # CALIFA DR3 an exponential galaxy reaches isoA_r / 2 at 22.1 +- 0.6, one of Sersic index 2 at 22.3 +- 0.5.
    # Tuned within that to the number of regions; it also leaves about 1000 galaxies in the volume (CALIFA: 937).
    isophote: float = 21.7
    mass_error: float = 0.1  # dex, ZG22 sec. 2.2: 0.1 to 0.15

    # Maps ----------------------------------------------------------------------------------------------
    clumps: float = 0.06  # dex, scatter of log mu* about the smooth model: choice
    correlation_length: float = 3.0  # arcsec, of every random field: choice
    # Ages: tuned so that what is measured has the ridge of ZG22 sec. 5 (9.8 to 9.9) and the valley of eq. 3
    old_log_age: float = 9.84
    # dex, of regions and of galaxies, near the measured scatter of ZG22 app. B (0.05 and 0.1). With more, coverage of
    # old regions would be nearer to 0.68 (`glocal validate --survey`), and the ridge would be lost
    old_age_scatter: tuple[float, float] = (0.06, 0.10)
    young_log_age: tuple[float, float] = (9.13, 0.24)  # at log mu* = 2, rise per dex
    young_age_scatter: tuple[float, float] = (0.09, 0.08)
    outskirts_scatter: float = 0.5  # by how much ages of galaxies spread more per dex of density below 10^2.5: choice
    faint_disc_step: float = 0.10  # dex younger below log mu* = 1.5 in light galaxies: ZG22 sec. 5, part of 0.25
    step_width: float = 0.15  # dex, in mass and in density: choice, nothing in the paper says that the step is sharp
    # Density where half of the regions are old: spheroids; discs at 10^10.3, change per dex above and below.
    # Tuned: the balance of the sequences follows M* more than mu* (ZG22 sec. 5), and so does the valley
    old_half_spheroid: float = -1.0
    old_half_disc: tuple[float, float, float] = (2.6, -2.6, -4.0)
    old_half_width: float = 2.5  # dex: choice
    old_half_scatter: float = 0.3  # dex from galaxy to galaxy: choice
    bulge_is_older: float = 0.2  # dex in log mu*, for a pure bulge: choice
    # Metallicity at log mu* = 2, rise per dex (ZG22 Fig. 7), fall per dex of M* below the threshold (Fig. 5)
    log_Z: tuple[float, float, float] = (-0.17, 0.17, 0.30)
    log_Z_scatter: tuple[float, float] = (0.10, 0.06)  # of regions; of galaxies. ZG22 sec. 4.2: 0.1 or less
    young_log_Z_offset: float = 0.07  # young minus old at fixed M*, mu*: ZG22 sec. 5, below 0.1
    dust_depth: tuple[float, float] = (0.10, 0.40)  # V-band depth of the diffuse dust, old and young: choice
    dust_scatter: float = 0.25  # dex: choice
    quiet_since: float = 9.5  # log yr; old regions had no burst later than this: choice
    quiet_onset_age: tuple[float, float] = (4e9, 2e10)  # yr, of old regions: choice
    quiet_tau_v: float = 1.0  # most dust of old regions: choice
    # Stars born together stay near: where it is less dense than this, patches of equal mass have one history each, so
    # that smoothing mixes few of them; where it is denser, each spaxel has its own. choice, log Msun/pc2
    patch_log_mu: float = 3.0
    neighbours: int = 6  # each region takes one of so many library histories nearest to its target: choice
    neighbour_scale: tuple[float, float, float] = (0.04, 0.08, 0.15)  # log age, log Z, depth that count as equal

    # Kinematics [km/s] at log M* = 10 and rise per dex (Tully-Fisher, Faber-Jackson, rounded): choice
    rotation: tuple[float, float] = (150.0, 0.27)
    dispersion: tuple[float, float] = (110.0, 0.27)
    disc_dispersion: float = 45.0
    kinematic_errors: tuple[float, float] = (8.0, 12.0)  # of v_star and sigma_star at the target S/N: choice

    # Field and sampling --------------------------------------------------------------------------------
    map_shape: tuple[int, int] = (72, 78)  # rows, columns of a CALIFA cube (Sanchez+16: 72-73 by 77-78)
    field_arcsec: tuple[float, float] = (74.0, 64.0)  # width across corners, height across flats: Sanchez+12
    oversampling: int = 3  # choice

    # Noise ---------------------------------------------------------------------------------------------
    # S/N per Angstrom = k F / sqrt(F + B): photons of source and sky, F relative to 21 mag/arcsec2 in r.
    # k is tuned to the share of unsmoothed spaxels of ZG22 app. A (36.4 %). Sky and scatter were moved too (from
    # 20.8 and 0.08) with all five shares in view; levels 3 and 5 still miss them by 4 to 5 per cent of the spaxels.
    snr_per_angstrom_at_21: float = 13.6
    sky_brightness: float = 20.4  # r of the dark sky at Calar Alto, 20.8 (recalled), with some read-out noise: choice
    snr_scatter: float = 0.15  # dex from galaxy to galaxy: choice
    correlated_noise: bool = True  # Garcia-Benito+15 eq. 1: errors of N summed spaxels grow by 1 + 1.07 log N
    median_penalty: float = 1.2533  # noise of a median over that of a mean, sqrt(pi/2)
    # One-sigma error of each index at S/N = 1 per Angstrom at 5600 A: those of two CALIFA COMBO spectra of NGC2691,
    # propagated by engine.spectrum.indices; [Mg2Fe], whose error grows where iron is weak, for 1.3 times their iron
    index_noise: tuple[float, ...] = (0.35, 10.2, 17.0, 0.8, 6.5)
    index_noise_factor: float = 1.2  # over photon noise, for the removal of emission lines: tuned to ZG22 Fig. 1
    index_snr_ceiling: float = 120.0  # per Angstrom, where calibration and templates limit: tuned to ZG22 Fig. 1
    # mag: calibration, and matching of images to spectra spaxel by spaxel; Z17's own is not known. Tuned to the errors
    # of mu* in ZG22 Fig. 1, which with 0.03 mag came out at 0.07 to 0.12 dex
    photometric_floor: tuple[float, ...] = (0.10, 0.07, 0.07, 0.07, 0.07)
    # One-sigma sky noise of SDSS in one square arcsecond [mag]: from 5-sigma point sources 22.0 22.2 22.2 21.3 20.5
    photometric_depth: tuple[float, ...] = (24.55, 24.75, 24.75, 23.85, 23.05)

    # Losses (foreground, artefacts, failures): tuned to the 90.8 % that ZG22 keeps ---------------------------
    stars_per_field: float = 1.2
    star_radius: tuple[float, float] = (2.0, 7.0)
    failures: float = 0.035  # of the spaxels
