"""Every setting of the page, in one place: ``GLOCAL_...`` variables, whatever starts the server.

``glocal serve``, the Procfile and plain ``panel serve app`` all read these. docs/hosting.md lists them.
"""

import ipaddress
import os
from pathlib import Path
from typing import Annotated, Literal

from pydantic import Field, SecretStr, ValidationError, field_validator
from pydantic_settings import BaseSettings, NoDecode, SettingsConfigDict

from engine.errors import SettingsError

PREFIX = "GLOCAL_"
DATA_VARIABLE = PREFIX + "DATA"
PANELS_LOGINS = ("PANEL_OAUTH_PROVIDER", "PANEL_BASIC_AUTH")
ASSETS = Path(__file__).resolve().parents[1] / "assets"
Names = Annotated[tuple[str, ...], NoDecode]


def _state_folder() -> Path:
    """Where programs keep what outlives a run (XDG base directories)."""
    return Path(os.environ.get("XDG_STATE_HOME") or Path.home() / ".local" / "state") / "glocal"


class Settings(BaseSettings):
    """What a keeper may set; each field is the variable GLOCAL_ and its name in capitals."""

    model_config = SettingsConfigDict(env_prefix=PREFIX, env_ignore_empty=True, frozen=True, extra="forbid")

    data: Path = Field(Path("assets") / "data", description="Folder of the survey.")
    state: Path = Field(default_factory=_state_folder, description="Folder for the secret and the saved views.")
    cache: Path | None = Field(None, description="Folder for columns that processes share; else below the state.")

    address: str = Field("127.0.0.1", description="Address to listen on; others than loopback need users or open.")
    port: int = Field(5006, ge=1, le=65535, description="Port to listen on.")
    origins: Names = Field((), description="Host names, with port if not 80 or 443, at which visitors see the page.")
    proxied: bool = Field(False, description="Believe X-Forwarded-For and -Proto: only behind a proxy that sets them.")
    prefix: str = Field("", pattern=r"^[\w/.~-]*$", description="Path below which a proxy shows the page.")

    open: bool = Field(False, description="Let in everybody who reaches the address, without a login.")
    users: str = Field("", description="File of users made by `glocal password`, or its lines themselves.")
    keepers: Names = Field((), description="Users who may see the admin page and the metrics.")
    login_hours: float = Field(168.0, gt=0, description="How long a login lasts.")
    login_attempts: int = Field(5, ge=1, description="Wrong passwords in a row before a name or address has to wait.")
    lockout_minutes: float = Field(15.0, gt=0, description="How long it then has to wait.")
    oidc_issuer: str = Field("", description="OpenID Connect provider at which people log in, https://...")
    oidc_client: str = Field("", description="Client registered there, with the redirect address .../login/back.")
    oidc_secret: SecretStr = Field(SecretStr(""), description="Secret of that client, if it has one.")
    oidc_claim: str = Field("email", min_length=1, description="What the provider tells of people that names them.")
    invited: Names = Field((), description="Who of them may come in: names, @domain for all of a domain, * for all.")
    secret: SecretStr = Field(SecretStr(""), description="Signs logins, sessions and downloads; else made once.")
    metrics_token: SecretStr = Field(SecretStr(""), description="Bearer token by which Prometheus may read /metrics.")

    sessions: int = Field(60, ge=1, description="Open pages per process before further visitors are asked to wait.")
    keep_session_s: float = Field(60.0, gt=0, description="How long a page that lost its browser is kept.")
    ping_s: float = Field(10.0, gt=0, description="Between two pings to a page; one that answers none of two is gone.")
    again_s: int = Field(15, ge=1, description="After how long a page that found no room asks again.")
    look_s: float = Field(5.0, gt=0, description="Between two looks whether the survey was replaced.")
    jobs: int = Field(1, ge=1, description="Exports made at a time, per process.")
    queue: int = Field(8, ge=0, description="Exports that may wait; more are refused.")
    job_s: float = Field(60.0, gt=0, description="Longest time for an export.")
    send_s: float = Field(600.0, gt=0, description="Longest time for a table to be fetched once it is made.")
    table_rows: int = Field(250_000, ge=1, description="Most regions in a table: each takes about 1 kB meanwhile.")
    link_minutes: float = Field(60.0, gt=0, description="How long the address of a table works without a login.")

    database: str = Field("", description="Saved views: an SQLAlchemy address; else an SQLite file in the state.")
    upload_mb: float = Field(4.0, gt=0, description="Largest file of views that may be imported.")
    log: Literal["text", "json"] = Field("text", description="Log lines as words or as JSON objects.")

    @field_validator("origins", "keepers", "invited", mode="before")
    @classmethod
    def _split(cls, words: object) -> object:
        return tuple(words.replace(",", " ").split()) if isinstance(words, str) else words

    @property
    def on_loopback(self) -> bool:
        """Whether only this machine can reach the address."""
        return is_loopback(self.address)

    @property
    def cache_folder(self) -> Path:
        """Where shared columns lie."""
        return self.cache or self.state / "columns"

    @property
    def database_address(self) -> str:
        """Where saved views lie, for SQLAlchemy."""
        return self.database or f"sqlite:///{(self.state / 'views.sqlite').absolute()}"


def read_settings() -> Settings:
    """The settings of the environment; raises SettingsError naming the variable, what is wanted and what came."""
    known = {PREFIX + name.upper() for name in Settings.model_fields}
    unknown = sorted(name for name in os.environ if name.startswith(PREFIX) and name not in known)
    if unknown:
        raise SettingsError(f"{unknown[0]} is not a setting; those are {', '.join(sorted(known))}")
    for name in PANELS_LOGINS:
        if os.environ.get(name):
            raise SettingsError(f"{name} is not read: logins are set by GLOCAL_USERS or GLOCAL_OIDC_ISSUER")
    try:
        return Settings()
    except ValidationError as error:
        first = error.errors(include_url=False)[0]
        name = PREFIX + str(first["loc"][0]).upper()
        raise SettingsError(f"{name} is {os.environ.get(name, '')!r}: {first['msg']}") from None


def refuse_unguarded(settings: Settings) -> None:
    """Raise SettingsError if the network could reach the page and nothing was said about who may see it."""
    guarded = settings.users or settings.open or settings.oidc_issuer
    if not (settings.on_loopback or guarded):
        raise SettingsError(
            f"{settings.address} can be reached by others: name the users with GLOCAL_USERS (see `glocal password`), "
            f"set GLOCAL_OIDC_ISSUER, or let everybody in with GLOCAL_OPEN=yes"
        )


def is_loopback(address: str) -> bool:
    """Whether an address is this machine's own; a name other than localhost is not."""
    try:
        return ipaddress.ip_address(address).is_loopback
    except ValueError:
        return address == "localhost"


def data_folder() -> Path:
    """The folder of the survey: ``$GLOCAL_DATA``, else ``assets/data`` below the current folder."""
    return Path(os.environ.get(DATA_VARIABLE) or Path("assets") / "data")
