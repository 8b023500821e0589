"""Users of a hosted page: ``name:hash`` lines in a file that only its keeper can read."""

import os
import re
from pathlib import Path

from argon2 import PasswordHasher

from engine.errors import SettingsError

SHORTEST = 10  # characters: choice, as NIST SP 800-63B asks for at least 8
# The second choice of OWASP's password storage cheat sheet: 20 MB and about 30 ms per login
HASHER = PasswordHasher(time_cost=2, memory_cost=19456, parallelism=1)
_NAME = re.compile(r"[\w.@+-]{1,100}")


def user_line(name: str, password: str) -> str:
    """The line of one user; raises SettingsError for a name or password that cannot be."""
    if not _NAME.fullmatch(name):
        raise SettingsError(f"{name!r} cannot be a user's name: letters, digits and . @ + - _ can")
    if len(password) < SHORTEST:
        raise SettingsError(f"a password has at least {SHORTEST} characters, this one has {len(password)}")
    return f"{name}:{HASHER.hash(password)}"


def set_user(path: Path, line: str) -> bool:
    """Put a user's line into a file, in place of a former one; whether there was one."""
    name = line.partition(":")[0]
    lines = path.read_text(encoding="utf-8").splitlines() if path.exists() else []
    kept = [old for old in lines if old.partition(":")[0].strip() != name]
    _write(path, [*kept, line])
    return len(kept) < len(lines)


def remove_user(path: Path, name: str) -> None:
    """Take a user out of a file; raises SettingsError if they are not in it."""
    lines = path.read_text(encoding="utf-8").splitlines() if path.exists() else []
    kept = [line for line in lines if line.partition(":")[0].strip() != name]
    if len(kept) == len(lines):
        raise SettingsError(f"{path} has no user {name}")
    _write(path, kept)


def _write(path: Path, lines: list[str]) -> None:
    """Whole or not at all, and for nobody else's eyes."""
    fresh = path.with_name(f".{path.name}.{os.getpid()}")
    try:
        fresh.touch(mode=0o600)
        fresh.write_text("".join(f"{line}\n" for line in lines), encoding="utf-8")
        if path.exists():
            os.chmod(fresh, path.stat().st_mode & 0o777)
        fresh.replace(path)
    finally:
        fresh.unlink(missing_ok=True)
