"""Libraries on disk and the stage that builds them."""

import numpy as np
import pytest
from PIL import Image

from engine.errors import ModelGridError
from precompute.io.library import load_library, save_library
from precompute.stages import library as stage
from precompute.stages.library import build_and_save, load_or_build, plot_priors
from tests.reference.toy_library import toy_library


@pytest.fixture(scope="module")
def built(tmp_path_factory):
    path = tmp_path_factory.mktemp("data") / "below" / "library.npz"
    seen = []
    library = build_and_save(path, n_model=200, seed=5, phases=lambda name: lambda *step: seen.append((name, *step)))
    return path, library, seen


def assert_same(one, other):
    for name in ("log_age_wr", "log_Z_wr", "indices", "sigma_grid", "flux"):
        assert np.array_equal(getattr(one, name), getattr(other, name))
        assert getattr(one, name).dtype == getattr(other, name).dtype
    assert one.parameters.keys() == other.parameters.keys()
    assert all(np.array_equal(one.parameters[name], other.parameters[name], equal_nan=True) for name in one.parameters)
    assert one.meta == other.meta


def test_what_is_built_is_what_is_read(built):
    path, library, seen = built
    assert_same(load_library(path), library)
    assert seen[-1] == ("building models", 200, 200)
    assert library.meta["n_model"] == 200
    assert library.meta["imf"] == "Kroupa"


def test_nothing_is_left_beside_the_library(built):
    assert [path.name for path in built[0].parent.iterdir()] == ["library.npz"]


def test_a_library_that_cannot_be_written_leaves_the_old_one(tmp_path):
    path, library = tmp_path / "library.npz", toy_library(20, np.random.default_rng(1))
    save_library(library, path)
    with pytest.raises(TypeError):
        save_library(library._replace(meta={"not": object()}), path)
    assert_same(load_library(path), library)


@pytest.mark.parametrize("content", [b"", b"PK\x03\x04 nonsense", None])
def test_what_is_no_library_is_refused(tmp_path, content):
    path = tmp_path / "library.npz"
    if content is None:
        np.savez(path, something=np.ones(3))
    else:
        path.write_bytes(content)
    with pytest.raises(ModelGridError, match="not a model library"):
        load_library(path)


def test_a_missing_library_says_how_to_make_one(tmp_path):
    with pytest.raises(ModelGridError, match="glocal library"):
        load_library(tmp_path / "library.npz")


def test_the_priors_become_a_picture(built, tmp_path):
    plot_priors(built[1], tmp_path / "priors.png")
    picture = np.asarray(Image.open(tmp_path / "priors.png").convert("L"))
    assert picture.shape[1] > 1500
    assert (picture < 200).mean() > 0.02


def test_a_library_that_a_file_holds_is_not_built_again(built, real_grid, filters, tmp_path, monkeypatch):
    path, library, _ = built
    monkeypatch.setattr(stage, "build_library", lambda *_, **__: pytest.fail("built again"))
    assert_same(load_or_build((tmp_path / "none.npz", path), real_grid, filters, 200, 5), library)


@pytest.mark.parametrize(("n_model", "seed"), [(200, 6), (300, 5)])
def test_another_library_is_built_and_kept_in_the_last_file(
    built, real_grid, filters, tmp_path, monkeypatch, n_model, seed
):
    asked = []
    monkeypatch.setattr(stage, "build_library", lambda *words, **_: asked.append(words[2:4]) or built[1])
    load_or_build((built[0], tmp_path / "other.npz"), real_grid, filters, n_model, seed)
    assert asked == [(n_model, seed)]
    assert_same(load_library(tmp_path / "other.npz"), built[1])
