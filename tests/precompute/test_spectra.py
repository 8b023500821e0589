"""Files of spectra: what a row holds, and where lost spaxels lie."""

from types import SimpleNamespace

import numpy as np
import pytest

from engine.flags import SpaxelFlag
from engine.inference.arrangement import arrange
from engine.inference.posterior import Observed
from engine.mock.toy import toy_library
from engine.spectra_schema import PDF, Axis
from precompute.io.spectra import PLANE_STEP, Posteriors, analysed_cells, axes_of, lost_spaxels


def test_lost_spaxels_keep_column_row_and_reason():
    flags = np.zeros((3, 5), int)
    flags[2, 4], flags[0, 1] = SpaxelFlag.SNR_TOO_LOW.value, SpaxelFlag.FOREGROUND.value
    found = lost_spaxels(flags, flags > 0)
    assert list(zip(*(found[name].tolist() for name in ("x", "y", "flags")), strict=True)) == [
        (1, 0, SpaxelFlag.FOREGROUND.value),
        (4, 2, SpaxelFlag.SNR_TOO_LOW.value),
    ]


@pytest.fixture(scope="module")
def written():
    """The row group of two spaxels of a galaxy that was analysed, the models, and the axes of the file."""
    library = toy_library(3000, 7)
    models = arrange(library)
    rows = [10, 20]
    observed = Observed(
        library.indices[rows, 0], np.full((2, 5), 0.1), 100.0 * library.flux[rows], 5.0 * library.flux[rows],
        np.full(2, 100.0),
    )  # fmt: skip
    rest = SimpleNamespace(
        flux=np.array([[5.0, 6.0, 7.0], [1.0, 2.0, 3.0]]), err=np.full((2, 3), 0.1),
        good=np.array([[True, False, True], [True, True, True]]),
    )  # fmt: skip
    measured = SimpleNamespace(rest=rest, lines=np.array([[0.0, 1.0, 2.0], [0.0, 0.5, 0.0]]), stellar=rest.flux - 0.25)
    found = SimpleNamespace(
        measured=measured, observed=observed, spaxels={"x": np.array([4, 5]), "y": np.array([8, 9])}
    )
    (cells,) = analysed_cells(found, Posteriors(models, 0.0))
    return cells, axes_of(models, Axis(5000.0, 2.0, 3))


def test_a_row_holds_the_spectrum_with_its_lines_and_nothing_where_it_is_bad(written):
    cells, _ = written
    np.testing.assert_array_equal(cells["flux"], [[5.0, np.nan, 9.0], [1.0, 2.5, 3.0]])
    np.testing.assert_array_equal(cells["gas"], [[0.0, 1.0, 2.0], [0.0, 0.5, 0.0]])
    np.testing.assert_array_equal(cells["stellar"][1], [0.75, 1.75, 2.75])
    assert (cells["x"].tolist(), cells["y"].tolist()) == ([4, 5], [8, 9])


def test_the_coarse_plane_has_the_posteriors_of_age_and_metallicity_on_its_sides(written):
    cells, axes = written
    ages, metals = (axes.plane[name] for name in ("log_age_wr", "log_Z_wr"))
    plane = cells["pdf_age_Z"].reshape(2, ages.n, metals.n)
    for name, coarse, side in (("log_age_wr", ages, plane.sum(axis=2)), ("log_Z_wr", metals, plane.sum(axis=1))):
        fine = cells[PDF[name]]
        whole = np.pad(fine, [(0, 0), (0, coarse.n * PLANE_STEP - fine.shape[1])])
        np.testing.assert_allclose(side, whole.reshape(2, coarse.n, PLANE_STEP).sum(axis=2), atol=1e-6)
        assert coarse.step == pytest.approx(PLANE_STEP * axes.estimates[name].step)
