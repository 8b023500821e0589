"""Invented CALIFA cubes and SDSS images of galaxies whose maps are known: what the pipeline is tried on.

A galaxy's maps become spectra pixel by pixel of the sky (``sky``): histories of the library's kind, moved and
broadened, with emission lines. Each instrument blurs the sky by its Moffat profile (``spectrograph``, ``camera``), and
what spoils real data is added (``flaws``): noise that neighbours share, a foreground star, a cosmic ray, a dead fibre,
coordinates and a flux scale that are slightly wrong. ``truth`` keeps what is true, ``make`` puts all together.
"""
