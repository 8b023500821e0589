"""The secret that signs logins, sessions and downloads, and the words it signs."""

import hashlib
import hmac
import logging
import os
import secrets
from functools import lru_cache
from pathlib import Path

from app.settings import Settings

SECRET_FILE = "secret"
log = logging.getLogger(__name__)


def derived(settings: Settings, purpose: str) -> str:
    """A key for one purpose, so that a word signed for one cannot serve another; hexadecimal."""
    return hmac.new(_secret(settings).encode(), purpose.encode(), hashlib.sha256).hexdigest()


@lru_cache(maxsize=4)
def _secret(settings: Settings) -> str:
    given = settings.secret.get_secret_value()
    return given or _kept_secret(settings.state / SECRET_FILE)


def _kept_secret(path: Path) -> str:
    """The secret of the state folder, made on the first start; one for this process if nothing can be written."""
    try:
        path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        if not (path.is_file() and path.stat().st_size):
            _write_once(path)
        return path.read_text(encoding="ascii").strip()
    except (OSError, UnicodeDecodeError) as error:
        log.warning("no secret could be kept in %s (%s): logins end with this process", path.parent, error)
        return secrets.token_hex(32)


def _write_once(path: Path) -> None:
    """Write a new secret whole; where another process was first, its secret stays."""
    fresh = path.with_name(f".{path.name}.{os.getpid()}")
    fresh.touch(mode=0o600)
    fresh.write_text(secrets.token_hex(32), encoding="ascii")
    try:
        if path.is_file():  # empty: a crash of the machine
            fresh.replace(path)
        else:
            os.link(fresh, path)
    except FileExistsError:
        pass
    finally:
        fresh.unlink(missing_ok=True)
