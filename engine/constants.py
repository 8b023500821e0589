"""Constants of nature and of the Gaussian in the units of this project, once, from astropy."""

import numpy as np
from astropy import units as u
from astropy.constants import L_sun, c, pc
from astropy.stats import gaussian_sigma_to_fwhm

LIGHT_SPEED = float(c.to_value(u.AA / u.s))
LIGHT_SPEED_KMS = float(c.to_value(u.km / u.s))
SOLAR_LUMINOSITY = float(L_sun.cgs.value)  # erg/s, nominal (IAU 2015 resolution B3)
PARSEC = float(pc.cgs.value)  # cm
TEN_PARSEC_FLUX = SOLAR_LUMINOSITY / (4 * np.pi * (10 * PARSEC) ** 2)  # erg/s/cm2 of 1 Lsun at 10 pc
AB_ZERO_FLUX = float((3631 * u.Jy).cgs.value)  # of AB magnitude 0; SDSS's nanomaggies rest on this number
ARCSEC_PER_RADIAN = float(u.rad.to(u.arcsec))
# mag/arcsec2 of one source of absolute magnitude 0 per pc2, at any distance: 21.572
PC2_SURFACE_BRIGHTNESS = 5.0 * float(np.log10(ARCSEC_PER_RADIAN)) - 5.0

FWHM_PER_SIGMA = float(gaussian_sigma_to_fwhm)  # 2.3548
MAG_PER_E_FOLD = 2.5 / float(np.log(10.0))  # error of a magnitude over relative error of its flux
