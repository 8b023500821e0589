"""Glocal as it is installed: one package that keeps ``engine``, ``precompute``, ``app`` and ``assets`` inside it.

Names such as ``app`` or ``assets`` are too common to be put beside other distributions, so the wheel installs them
below ``glocal/``, and importing this package makes them importable. In a checkout they stand at the top.

>>> import glocal
>>> import engine.adopted
"""

import sys
from pathlib import Path

PACKAGES = ("engine", "precompute", "app")
_HERE = Path(__file__).resolve().parent
_INSTALLED = (_HERE / "engine").is_dir()
FOLDER = _HERE if _INSTALLED else _HERE.parents[2]


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
