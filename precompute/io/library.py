"""Model libraries on disk: one npz file, written whole or not at all."""

import json
from pathlib import Path
from zipfile import BadZipFile

import numpy as np

from engine.columns import BANDS, INDEX_NAMES
from engine.errors import ModelGridError
from engine.library.types import Library
from precompute.io.atomic import written_together

FORMAT = 1
_ARRAYS = ("log_age_wr", "log_Z_wr", "indices", "sigma_grid", "flux")


def save_library(library: Library, path: Path) -> None:
    """Write a library to an npz file; folders are made as needed."""
    path.parent.mkdir(parents=True, exist_ok=True)
    arrays = {name: getattr(library, name) for name in _ARRAYS}
    arrays |= {f"parameters/{name}": values for name, values in library.parameters.items()}
    head = {"format": FORMAT, "indices": INDEX_NAMES, "bands": BANDS, "meta": library.meta}
    with written_together(path) as (fresh,), open(fresh, "wb") as file:
        np.savez(file, head=np.array(json.dumps(head)), **arrays)


def load_library(path: Path) -> Library:
    """Read a library; raises ModelGridError if the file is absent, broken or of another format."""
    try:
        with open(path, "rb") as handle, np.load(handle, allow_pickle=False) as file:
            head = json.loads(str(file["head"]))
            if (head["format"], head["indices"], head["bands"]) != (FORMAT, list(INDEX_NAMES), list(BANDS)):
                raise ValueError(f"it has the format {head['format']} with {head['indices']} and {head['bands']}")
            arrays = {name: file[name] for name in file.files if name != "head"}
            return _from_arrays(arrays, head["meta"])
    except FileNotFoundError:
        raise ModelGridError(f"there is no model library {path}; `glocal library` makes one") from None
    except (OSError, EOFError, ValueError, KeyError, TypeError, AttributeError, BadZipFile) as error:
        raise ModelGridError(f"{path} is not a model library of this version of Glocal: {error}") from None


def _from_arrays(arrays: dict[str, np.ndarray], meta: dict) -> Library:
    prefix = "parameters/"
    parameters = {name.removeprefix(prefix): v for name, v in arrays.items() if name.startswith(prefix)}
    library = Library(**{name: arrays[name] for name in _ARRAYS}, parameters=parameters, meta=meta)
    n = int(meta.get("n_model", library.log_age_wr.size))
    n_sigma = library.sigma_grid.size
    wanted = {"log_age_wr": (n,), "log_Z_wr": (n,), "flux": (n, len(BANDS)), "indices": (n, n_sigma, len(INDEX_NAMES))}
    for name, shape in wanted.items():
        if getattr(library, name).shape != shape:
            raise ValueError(f"{name} has the shape {getattr(library, name).shape}, not {shape}")
    return library
