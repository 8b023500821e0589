"""Settings files in TOML: read, checked against a pydantic model, refused in one sentence.

A model for a file derives from ``StrictTable``; ``checked_settings`` fills it. The sentence names the file, the table
and the key, what came, and what is wanted: ``survey.toml: [smoothing] target must be a number, not 'high'``.
"""

import tomllib
from pathlib import Path
from typing import Any, TypeVar, get_args

from pydantic import BaseModel, ConfigDict, ValidationError
from pydantic_core import ErrorDetails

from engine.errors import SettingsError

# pydantic's names of what can be wrong, in our words; {…} is filled from the error's own context
WANTED = {
    "float_type": "a number",
    "finite_number": "a finite number",
    "int_type": "a whole number",
    "int_from_float": "a whole number",
    "bool_type": "true or false",
    "string_type": "text",
    "tuple_type": "a list",
    "dict_type": "a table",
    "model_type": "a table",
    "model_attributes_type": "a table",
    "literal_error": "{expected}",
    "greater_than": "above {gt:g}",
    "greater_than_equal": "{ge:g} or more",
    "less_than": "below {lt:g}",
    "less_than_equal": "{le:g} or less",
    "string_too_short": "text of {min_length} characters or more",
    "too_short": "a list of {min_length} or more",
    "too_long": "a list of {max_length} or fewer",
}


class StrictTable(BaseModel):
    """A table of a settings file: unknown keys and other types are refused, numbers are finite, lists are tuples."""

    model_config = ConfigDict(extra="forbid", strict=True, frozen=True, allow_inf_nan=False)


Model = TypeVar("Model", bound=BaseModel)


def read_toml(path: Path) -> dict[str, Any]:
    """Content of a TOML file, with or without a byte-order mark.

    Raises SettingsError for a file that is not there, not text, or not TOML.
    """
    try:
        return tomllib.loads(Path(path).read_text(encoding="utf-8-sig"))
    except FileNotFoundError:
        raise SettingsError(f"there is no file {path}") from None
    except (OSError, tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise SettingsError(f"{path} is not a TOML file that can be read: {error}") from None


def checked_settings(model: type[Model], content: dict[str, Any], path: Path) -> Model:
    """The content of a settings file as a model; raises SettingsError with the first mistake as a sentence."""
    try:
        return model.model_validate(_with_tuples(content))
    except ValidationError as error:
        raise SettingsError(f"{path}: {_sentence(error.errors()[0], model)}") from None


def _with_tuples(content: object) -> object:
    """TOML knows lists only; settings are immutable."""
    if isinstance(content, dict):
        return {key: _with_tuples(value) for key, value in content.items()}
    if isinstance(content, list):
        return tuple(_with_tuples(value) for value in content)
    return content


def _sentence(error: ErrorDetails, model: type[BaseModel]) -> str:
    """Place, what is wanted and what came."""
    kind = error["type"]
    place = _place(error["loc"])
    if kind == "extra_forbidden":
        known = ", ".join(sorted(_known_keys(model, error["loc"])))
        return f"{place} is not a known entry; known are {known}"
    if kind == "missing":
        return f"{place} must be given"
    if kind == "value_error":  # raised by a validator of ours, with a sentence of its own
        return f"{place} {error['ctx']['error']}"
    context = error.get("ctx", {})
    wanted = WANTED[kind].format(**context) if kind in WANTED else f"valid ({error['msg']})"
    return f"{place} must be {wanted}, not {_as_toml(error['input'])}"


def _place(location: tuple[int | str, ...]) -> str:
    """'[kinematics] fit_range, entry 2' for ("kinematics", "fit_range", 1)."""
    names = [str(part) for part in location if isinstance(part, str)]
    entries = [f", entry {part + 1}" for part in location if isinstance(part, int)]
    table = f"[{'.'.join(names[:-1])}] " if names[1:] else ""
    return table + (names[-1] if names else "the file") + "".join(entries)


def _known_keys(model: type[BaseModel], location: tuple[int | str, ...]) -> list[str]:
    """Keys that could stand where an unknown one does."""
    inner: Any = model
    for part in location[:-1]:
        if isinstance(inner, type) and issubclass(inner, BaseModel):
            inner = inner.model_fields[str(part)].annotation
        else:  # dict[str, Model]
            inner = get_args(inner)[-1]
    return list(inner.model_fields)


def _as_toml(value: object) -> str:
    """A value as the file holds it, cut where it is long."""
    if isinstance(value, bool):
        return str(value).lower()
    text = repr(list(value)) if isinstance(value, tuple) else repr(value)
    return text if len(text) <= 60 else f"{text[:57]}..."
