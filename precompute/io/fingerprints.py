"""Checksums that tell whether finished work is still valid: of a library, the code, all that determines a posterior."""

import hashlib
import json
from functools import cache
from importlib import resources
from typing import NamedTuple

import numpy as np

from engine.columns import SCHEMA_VERSION
from engine.inference.posterior import FEW_MODELS, Observed
from engine.library.types import Library
from engine.types import FloatArray
from precompute.io.products import software_version

FORMAT = 1  # of the files of finished chunks


class Rules(NamedTuple):
    """How models count: weight of each before the data (model,), and up to how many errors are inflated."""

    prior: FloatArray | None = None
    least_models: float = FEW_MODELS


def fingerprint_of(observed: Observed, library: Library, rules: Rules, size: int) -> str:
    """sha256 of all that determines the chunks: observables, library, prior, least models, size, and the code."""
    facts = [FORMAT, SCHEMA_VERSION, code_version("engine"), size, rules.least_models]
    digest = hashlib.sha256(json.dumps(facts).encode())
    digest.update(library_checksum(library).encode())
    for part in (*observed, np.empty(0) if rules.prior is None else rules.prior):
        _feed(digest, part)
    return digest.hexdigest()


def library_checksum(library: Library) -> str:
    """sha256 of what a library holds, whatever file it lies in."""
    digest = hashlib.sha256(json.dumps(library.meta, sort_keys=True).encode())
    for part in (library.log_age_wr, library.log_Z_wr, library.indices, library.sigma_grid, library.flux):
        _feed(digest, part)
    return digest.hexdigest()


@cache
def code_version(*packages: str) -> str:
    """Version of the program with a checksum of the packages that measure, which may change between two versions."""
    digest = hashlib.sha256()
    for package in packages:
        with resources.as_file(resources.files(package)) as folder:
            for file in sorted(folder.rglob("*.py")):
                digest.update(file.read_bytes())
    return f"{software_version()}, code {digest.hexdigest()[:12]}"


def _feed(digest, values: FloatArray) -> None:
    values = np.ascontiguousarray(values)
    digest.update(f"{values.dtype} {values.shape}".encode())
    digest.update(values)
