"""Playwright for the tests of this folder, which are skipped where it is not installed."""

import pytest

playwright = pytest.importorskip("playwright.sync_api", reason="playwright is not installed")
expect = playwright.expect
expect.set_options(timeout=30_000)  # it holds for the whole process, whichever file sets it
