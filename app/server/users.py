"""Who may log in: names with argon2 hashes, and how often a password may be wrong."""

import hashlib
import time
from collections.abc import Callable
from pathlib import Path

from argon2 import PasswordHasher
from argon2.exceptions import Argon2Error, InvalidHashError

from engine.errors import SettingsError

HASH_MARK = "$argon2"
# Weighed against when the name is unknown, so that the answer takes as long
_DECOY = PasswordHasher(time_cost=2, memory_cost=19456, parallelism=1).hash("no password")
_MOST_TRACKED = 10_000  # names and addresses with failures; the oldest are forgotten


class Users:
    """Names and hashes from a file of ``name:hash`` lines, or from such lines themselves. The file is read again when
    it changes, so a user can be added or removed while the page is up."""

    def __init__(self, source: str):
        self._path = None if HASH_MARK in source else Path(source)
        self._stamp: object = None
        self._hashes = {} if self._path else parse_users(source, "GLOCAL_USERS")
        self._hasher = PasswordHasher()
        self.refresh()

    def refresh(self) -> None:
        """Read the file if it changed; a file that cannot be read keeps everybody out. Raises SettingsError then."""
        if self._path is None:
            return
        try:
            stat = self._path.stat()
            stamp = (stat.st_mtime_ns, stat.st_size, stat.st_ino)
            if stamp != self._stamp:
                self._hashes = parse_users(self._path.read_text(encoding="utf-8"), str(self._path))
                self._stamp = stamp
        except (OSError, UnicodeDecodeError) as error:
            self._hashes = {}
            self._stamp = None
            raise SettingsError(f"{self._path}: the users cannot be read ({error})") from None

    def accepts(self, name: str, password: str) -> bool:
        """Whether the password is the user's; takes as long for unknown names."""
        wanted = self._hashes.get(name)
        try:
            return self._hasher.verify(wanted or _DECOY, password) and wanted is not None
        except (Argon2Error, InvalidHashError):
            return False

    def fingerprint(self, name: str) -> str | None:
        """A word that changes with the password, for the login cookie; None if there is no such user."""
        wanted = self._hashes.get(name)
        return wanted and hashlib.sha256(wanted.encode()).hexdigest()[:16]


def parse_users(text: str, where: str) -> dict[str, str]:
    """Hash by name of ``name:hash`` lines (empty lines and # comments are skipped); raises SettingsError."""
    hashes = {}
    for number, line in enumerate(text.splitlines(), start=1):
        words = line.strip()
        if not words or words.startswith("#"):
            continue
        name, _, hashed = words.partition(":")
        if not name or not hashed.startswith(HASH_MARK):
            raise SettingsError(f"{where}, line {number}: write name:hash, as `glocal password` makes them")
        hashes[name] = hashed
    return hashes


class Lockout:
    """Names and addresses that gave wrong passwords, and until when they have to wait."""

    def __init__(self, attempts: int, wait_s: float, clock: Callable[[], float] = time.monotonic):
        self._attempts, self._wait_s = attempts, wait_s
        self._clock = clock  # not the time of day, which may jump
        self._failures: dict[str, list[float]] = {}

    def waits(self, *keys: str) -> float:
        """Seconds until any of the keys may try again; 0 if all may now."""
        return max((self._wait(key) for key in keys), default=0.0)

    def failed(self, *keys: str) -> None:
        """Note a wrong password."""
        for key in keys:
            times = self._failures.pop(key, [])
            self._failures[key] = [*times[-self._attempts :], self._clock()]
        while len(self._failures) > _MOST_TRACKED:
            del self._failures[next(iter(self._failures))]

    def succeeded(self, *keys: str) -> None:
        """Forget the failures of the keys."""
        for key in keys:
            self._failures.pop(key, None)

    def _wait(self, key: str) -> float:
        times = self._failures.get(key, [])
        recent = [when for when in times if self._clock() - when < self._wait_s]
        if len(recent) < self._attempts:
            return 0.0
        return self._wait_s - (self._clock() - recent[-1])
