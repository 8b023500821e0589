"""What the tests of a run share: a machine of one process, small mocks, and changes to what a run reads."""

from astropy.io import fits
from astropy.table import Table

from precompute.cluster import Machines
from precompute.stages import mock_cubes as mock_stage
from precompute.stages.run import run_survey

ALONE = Machines(workers=1)
N_MODEL, SEED = 30_000, 2  # of a library that other tests use too
# Zero points are right, so that offsets are our own; pPXF takes most of the time, hence as few spectra as claims allow
EXACT = mock_stage.SMALL._replace(wrong_colour=0.0, shape=(22, 24), star_place=(0.85, 0.80))
FEW_HISTORIES = (6_000, 3_000)  # of any kind and quiet, for some hundred regions
FAST = "\n[kinematics]\nn_sums = 2\n"


def spoil(folder, harm, name="MOCK002"):
    """Write a galaxy's cube again with something wrong."""
    path = folder / "cubes" / f"{name}.COMB.rscube.fits.gz"
    with fits.open(path) as hdus:
        copies = fits.HDUList([hdu.copy() for hdu in hdus])
    harm(copies)
    copies.writeto(path, overwrite=True)


def change_row(folder, **values):
    """Other facts of MOCK002 in the catalogue."""
    table = Table.read(folder / "catalogue.csv")
    row = list(table["name"]).index("MOCK002")
    for name, value in values.items():
        table[name] = table[name].astype(float)
        table[name][row] = value(table[name][row])
    table.write(folder / "catalogue.csv", overwrite=True)


def rerun(folder):
    """Outcomes by name of another run."""
    return {one.name: one for one in run_survey(folder / "survey.toml", ALONE).outcomes}
