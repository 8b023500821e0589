"""Point spreads as Moffat profiles, and what brings an image from one to a wider one."""

import numpy as np
from photutils.psf_matching import make_wiener_kernel
from scipy.signal import fftconvolve

from engine.cube.types import Moffat
from engine.types import FloatArray

KERNEL_RADIUS_ARCSEC = 30.0  # a Moffat profile with CALIFA's wings keeps 2 % of its light further out
REGULARISATION = 1e-3  # of the transfer of the sharper profile: finer detail than it can carry is not invented


def moffat_image(psf: Moffat, pixel_arcsec: float, radius_arcsec: float = KERNEL_RADIUS_ARCSEC) -> FloatArray:
    """A Moffat profile sampled on pixels, centred in a square of odd side, (y, x), sum 1."""
    half = int(np.ceil(radius_arcsec / pixel_arcsec))
    step = np.arange(-half, half + 1) * pixel_arcsec
    profile = (1.0 + (step[:, None] ** 2 + step**2) / psf.alpha**2) ** -psf.beta
    return profile / profile.sum()


def matching_kernel(source: Moffat, target: Moffat, pixel_arcsec: float) -> FloatArray | None:
    """Kernel (y, x), sum 1, that turns the point spread of source into that of target; None if it is not narrower.

    The ratio of the two Fourier transforms, damped where the source carries nothing (Wiener's filter).
    """
    if not source.fwhm < target.fwhm:
        return None
    narrow, wide = (moffat_image(psf, pixel_arcsec) for psf in (source, target))
    return make_wiener_kernel(narrow, wide, regularization=REGULARISATION**2)


def convolve(values: FloatArray, kernel: FloatArray) -> FloatArray:
    """Values (y, x) spread by a kernel; NaN neither spread nor get a value, what is missing is made up for.

    Beyond the border nothing is known: the mean weight of what is known stands in for it.
    """
    known = np.isfinite(values)
    spread = fftconvolve(np.where(known, values, 0.0), kernel, mode="same")
    weight = fftconvolve(known.astype(float), kernel, mode="same")
    with np.errstate(divide="ignore", invalid="ignore"):
        return np.where(known & (weight > 0.3), spread / weight, np.nan)
