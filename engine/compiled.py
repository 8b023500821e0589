"""Compiled loops, kept on disk between runs for as long as the code they were built from is the same.

numba compares a cached kernel with the file it stands in. But a kernel also holds the constants and functions that it
took from other modules, and would go on answering with old ones after these had changed. Here the stamp of a cached
kernel is a checksum of its module and of everything in the engine that this imports, directly or not.
"""

import ast
import hashlib
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import cache, partial
from pathlib import Path
from types import FunctionType
from typing import Any, TypeVar

import numba
from numba.core import caching

_ROOT = Path(__file__).parent
_Kernel = TypeVar("_Kernel", bound=Callable[..., Any])


def njit(**options: Any) -> Callable[[_Kernel], _Kernel]:
    """``numba.njit(cache=True, **options)`` whose cache notices every change; without one where none can be written."""

    def decorate(function: _Kernel) -> _Kernel:
        with _our_locator():
            try:
                return _stamped_first(numba.njit(cache=True, **options)(function))
            except RuntimeError:  # numba found no folder to write to
                return numba.njit(**options)(function)

    return decorate


def _stamped_first(kernel: Any) -> Any:
    """The kernel, of whose cache our stamp is compared before all else.

    numba reads the types of arguments together with its stamp, and fails where a class among them has another name by
    now. Only the version it compares before.
    """
    if hasattr(kernel, "_cache"):  # a plain function with NUMBA_DISABLE_JIT
        file = kernel._cache._cache_file
        file._version = f"{file._version} {file._source_stamp}"
    return kernel


def code_stamp(*modules: str) -> str:
    """Checksum (sha256, hexadecimal) of the code of modules of the engine and of all of it that they import."""
    reached: set[str] = set()
    pending = list(modules)
    while pending:
        name = pending.pop()
        if name not in reached:
            reached.add(name)
            pending += _imports(name)
    digest = hashlib.sha256()
    for name in sorted(reached):
        digest.update(f"{name}\n{_sources()[name]}\n".encode())
    return digest.hexdigest()


class EngineCacheLocator:
    """The place numba itself would choose for a kernel, with a stamp of ours.

    numba asks a list of such classes where a function is to be cached (NUMBA_CACHE_LOCATOR_CLASSES). NUMBA_CACHE_DIR
    counts as usual. Stale files are overwritten, and nothing in their names changes with the code.
    """

    @classmethod
    def from_function(cls, function: FunctionType, file: str) -> Any:
        """Locator of a function that stands in a file; None if there is no place for it."""
        kinds: list[Any] = caching.CacheImpl._locator_classes
        found = (kind.from_function(function, file) for kind in kinds)
        locator = next((one for one in found if one is not None), None)
        if locator is not None:
            locator.get_source_stamp = partial(code_stamp, function.__module__)
            locator.get_disambiguator = lambda: "engine"  # not the line, which would leave files behind
        return locator


@contextmanager
def _our_locator() -> Iterator[None]:
    """Ours for the functions decorated meanwhile; other libraries keep numba's."""
    config: Any = numba.config  # its settings are made at run time
    before = config.CACHE_LOCATOR_CLASSES
    config.CACHE_LOCATOR_CLASSES = f"{__name__}.{EngineCacheLocator.__name__}"
    try:
        yield
    finally:
        config.CACHE_LOCATOR_CLASSES = before


@cache
def _sources() -> dict[str, str]:
    """Code of all modules of the engine by their names."""
    files = {file.relative_to(_ROOT.parent).with_suffix(""): file for file in _ROOT.rglob("*.py")}
    named = {".".join(place.parts).removesuffix(".__init__"): file for place, file in files.items()}
    return {name: file.read_text(encoding="utf-8") for name, file in named.items()}


@cache
def _imports(module: str) -> frozenset[str]:
    """Modules of the engine that one of them imports anywhere in its code."""
    names: set[str] = set()
    for node in ast.walk(ast.parse(_sources()[module])):
        if isinstance(node, ast.Import):
            names.update(alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module:
            names.update((node.module, *(f"{node.module}.{alias.name}" for alias in node.names)))
    return frozenset(names & _sources().keys())
