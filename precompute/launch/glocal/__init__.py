"""Glocal as it is installed: one package that keeps ``engine``, ``precompute``, ``app`` and ``assets`` inside it.

Names such as ``app`` or ``assets`` are too common to be put next to other distributions, so the wheel installs them
below ``glocal/``, and importing this package makes them importable. Installed with ``pip install -e``, they are those
of the checkout.

>>> import glocal
>>> import engine.adopted
"""

import sys
from importlib.util import find_spec
from pathlib import Path

PACKAGES = ("engine", "precompute", "app")


def _folder() -> Path:
    """Where the packages lie: next to this file, or in the checkout that pip put on the path."""
    here = Path(__file__).resolve().parent
    if (here / "engine" / "__init__.py").is_file():
        return here
    checkout = find_spec("engine")
    if checkout is None or checkout.origin is None:
        raise ImportError("glocal is not installed completely: install it again")
    return Path(checkout.origin).resolve().parents[1]


FOLDER = _folder()


def _make_importable() -> None:
    """Put the folder of the packages first on the path; ImportError if another package has taken one of the names."""
    for name in PACKAGES:
        taken = getattr(sys.modules.get(name), "__file__", None)
        if taken and not Path(taken).resolve().is_relative_to(FOLDER):
            raise ImportError(f"glocal needs the name {name!r}, but {taken} was imported under it; import glocal first")
    if str(FOLDER) not in sys.path:
        sys.path.insert(0, str(FOLDER))


_make_importable()


def main() -> None:
    """Run the ``glocal`` command."""
    from precompute.__main__ import main as run

    run()
