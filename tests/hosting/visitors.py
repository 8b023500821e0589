"""Visitors without a browser, as the benchmark has them."""

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[2] / "benchmarks"))

from load_client import PICTURE_BYTES, Visitor

__all__ = ["MASSES", "PICTURE_BYTES", "Visitor"]
MASSES = ("9.8–10.3", "10.3–10.8")
