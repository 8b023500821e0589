"""The errors Glocal raises on purpose; each carries one sentence a user can act on.

GlocalError
├── TableError       a table lacks a column, has a wrong unit, a wrong schema, impossible values
├── ModelGridError   a stellar-model file is absent or not what it claims to be
├── CubeError        a cube, an image or a mask is absent, cut short or not what it claims to be
├── SampleError      a galaxy sample cannot be used
├── SettingsError    a setting is unknown or out of its range
├── ShapeError       arrays do not fit each other
├── ClusterError     workers cannot be reached, or die
└── Interrupted      long work stopped; what is finished is kept, and the sentence says how to go on
"""


class GlocalError(Exception):
    """Anything Glocal refuses, said in one sentence."""


class TableError(GlocalError):
    """A table lacks a column, has a wrong unit, another schema, or impossible values."""


class ModelGridError(GlocalError):
    """A stellar-model file is absent or not what it claims to be."""


class CubeError(GlocalError):
    """A cube, an image or a mask is absent, cut short or not what it claims to be."""


class SampleError(GlocalError):
    """A galaxy sample cannot be used."""


class SettingsError(GlocalError):
    """A setting is unknown or out of its range."""


class ShapeError(GlocalError):
    """Arrays do not fit each other."""


class ClusterError(GlocalError):
    """Workers cannot be reached, or die."""


class Interrupted(GlocalError):
    """Long work stopped; what is finished is kept, and the sentence says how to go on."""


def first_line(error: Exception) -> str:
    """What a library says first of its error, for a sentence of our own; its kind if it says nothing."""
    lines = [line.strip() for line in str(error).splitlines() if line.strip()]
    return lines[0].rstrip(".") if lines else type(error).__name__
