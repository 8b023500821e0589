"""Runs the engine over files and writes the survey tables; see ``glocal --help``."""
