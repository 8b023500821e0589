"""Logins at the group's own identity provider, by OpenID Connect (Core 1.0, authorization code flow with PKCE).

Nothing is kept between the two halves of a login but a signed cookie, so either may be served by another process.
"""

import asyncio
import base64
import hashlib
import hmac
import json
import secrets
import time
from typing import NamedTuple
from urllib.parse import quote_plus, urlencode, urlsplit

from tornado.httpclient import AsyncHTTPClient, HTTPRequest

from app.settings import Settings, is_loopback
from engine.errors import GlocalError, SettingsError

# Signatures that only the provider can make; "none" and those with a shared secret are not among them
ALGORITHMS = ("RS256", "RS384", "RS512", "PS256", "PS384", "PS512", "ES256", "ES384", "ES512", "EdDSA")
SCOPES = "openid email profile"
WELL_KNOWN = "/.well-known/openid-configuration"
ENDPOINTS = ("issuer", "authorization_endpoint", "token_endpoint", "jwks_uri")
KNOWN_S = 3600.0  # how long the provider's addresses are believed
PATIENCE_S = 10.0  # for each answer of the provider
CLOCKS_S = 60  # by which its clock may differ from ours
LONGEST_NAME = 100
FORM = {"Content-Type": "application/x-www-form-urlencoded", "Accept": "application/json"}
EVERYBODY = "*"
BASIC = ("client_secret_basic",)  # how a client shows its secret where the provider does not say


class LoginError(GlocalError):
    """A login at the provider that does not lead in."""


class Attempt(NamedTuple):
    """What has to come back from the provider, or be told to it, at the end of a login."""

    state: str
    nonce: str
    verifier: str

    @classmethod
    def fresh(cls) -> "Attempt":
        """Words that nobody can guess."""
        return cls(*(secrets.token_urlsafe(32) for _ in cls._fields))


class Invited:
    """Who may come in of those the provider knows: names, ``@domain`` for all of a domain, ``*`` for all."""

    def __init__(self, settings: Settings):
        if not settings.invited:
            raise SettingsError("GLOCAL_INVITED is empty: name who may come in, @domain for all of a domain, or *")
        self._names = {name.casefold() for name in settings.invited}
        self._provider = f"{settings.oidc_issuer} {settings.oidc_client}"

    def refresh(self) -> None:
        """Nothing to read again: who is invited is a setting."""

    def welcomes(self, name: str) -> bool:
        """Whether somebody of that name is invited."""
        lower = name.casefold()
        _, found, domain = lower.rpartition("@")
        return bool(self._names & {lower, EVERYBODY, f"@{domain}" if found else lower})

    def fingerprint(self, name: str) -> str | None:
        """A word for the login cookie that changes with the provider; None for those who are not invited any more."""
        return hashlib.sha256(self._provider.encode()).hexdigest()[:16] if self.welcomes(name) else None


class Provider:
    """The identity provider at ``GLOCAL_OIDC_ISSUER``."""

    def __init__(self, settings: Settings):
        self.issuer = settings.oidc_issuer.rstrip("/")
        self.host = urlsplit(self.issuer).netloc
        self._client = settings.oidc_client
        self._secret = settings.oidc_secret.get_secret_value()
        self._claim = settings.oidc_claim
        self._facts: dict = {}
        self._asked = -KNOWN_S
        self._refuse_what_cannot_work()

    def _refuse_what_cannot_work(self) -> None:
        parts = urlsplit(self.issuer)
        if parts.scheme != "https" and not (parts.scheme == "http" and is_loopback(parts.hostname or "")):
            raise SettingsError(f"GLOCAL_OIDC_ISSUER is {self.issuer!r}: an address https://... is wanted")
        if not self._client:
            raise SettingsError("GLOCAL_OIDC_CLIENT is empty: set the client that you registered at the provider")
        try:
            import jwt  # noqa: F401 - wanted at the first login
        except ModuleNotFoundError:
            raise SettingsError("logins at a provider need PyJWT: pip install 'glocal[hosting]'") from None

    async def address(self, attempt: Attempt, back: str) -> str:
        """Where the visitor's browser is sent; the provider sends it on to the address ``back``."""
        facts = await self._known()
        challenge = base64.urlsafe_b64encode(hashlib.sha256(attempt.verifier.encode()).digest()).rstrip(b"=")
        words = {
            "response_type": "code", "client_id": self._client, "redirect_uri": back, "scope": SCOPES,
            "state": attempt.state, "nonce": attempt.nonce,
            "code_challenge": challenge.decode(), "code_challenge_method": "S256",
        }  # fmt: skip
        known = facts["authorization_endpoint"]
        return known + ("&" if urlsplit(known).query else "?") + urlencode(words)

    async def name(self, code: str, attempt: Attempt, back: str) -> str:
        """Who logged in; raises LoginError in one sentence."""
        facts = await self._known()
        tokens = await self._tokens(facts, code, attempt, back)
        keys = await self._ask(facts["jwks_uri"])
        claims = verified(str(tokens.get("id_token", "")), keys, self._client, facts["issuer"])
        if not hmac.compare_digest(str(claims.get("nonce", "")).encode(), attempt.nonce.encode()):
            raise LoginError("the provider's answer belongs to another login: log in again")
        if self._claim not in claims and facts.get("userinfo_endpoint"):
            claims |= await self._more(facts["userinfo_endpoint"], tokens, claims["sub"])
        return named(claims, self._claim)

    async def _tokens(self, facts: dict, code: str, attempt: Attempt, back: str) -> dict:
        words = {"grant_type": "authorization_code", "code": code, "redirect_uri": back,
                 "code_verifier": attempt.verifier}  # fmt: skip
        login: dict = {}
        if self._secret and BASIC[0] in facts.get("token_endpoint_auth_methods_supported", BASIC):
            login = {"auth_username": quote_plus(self._client), "auth_password": quote_plus(self._secret)}
        else:
            words |= {"client_id": self._client} | ({"client_secret": self._secret} if self._secret else {})
        return await self._ask(facts["token_endpoint"], method="POST", body=urlencode(words), headers=FORM, **login)

    async def _more(self, address: str, tokens: dict, subject: str) -> dict:
        """What the provider tells of who logged in besides the token."""
        more = await self._ask(address, headers={"Authorization": f"Bearer {tokens.get('access_token', '')}"})
        if more.get("sub") != subject:
            raise LoginError("the provider told of somebody else than who logged in")
        return more

    async def _known(self) -> dict:
        """The provider's addresses, asked for now and then."""
        if time.monotonic() - self._asked > KNOWN_S:
            facts = await self._ask(self.issuer + WELL_KNOWN)
            missing = [name for name in ENDPOINTS if not isinstance(facts.get(name), str)]
            if missing or facts["issuer"].rstrip("/") != self.issuer:
                raise LoginError(f"the provider at {self.host} does not describe itself as OpenID Connect asks")
            self._facts = facts
            self._asked = time.monotonic()
        return self._facts

    async def _ask(self, address: str, **words: object) -> dict:
        """A JSON object of the provider."""
        request = HTTPRequest(address, request_timeout=PATIENCE_S, follow_redirects=False, **words)
        try:
            answer = await asyncio.wait_for(AsyncHTTPClient().fetch(request), 2 * PATIENCE_S)
            found = json.loads(answer.body)
        except Exception as error:  # no line, no such host, a refusal, no JSON: the visitor can do nothing about either
            raise LoginError(f"the provider at {self.host} gave no answer that can be used ({error})") from None
        if not isinstance(found, dict):
            raise LoginError(f"the provider at {self.host} gave no answer that can be used")
        return found


def verified(token: str, keys: dict, client: str, issuer: str) -> dict:
    """What an ID token claims, once its signature, issuer, audience and times are right (OpenID Connect Core 3.1.3.7);
    raises LoginError."""
    import jwt

    wanted = {"require": ["iss", "aud", "exp", "iat", "sub"]}
    try:
        key = _key(jwt.PyJWKSet.from_dict(keys).keys, jwt.get_unverified_header(token).get("kid"))
        claims = jwt.decode(token, key, list(ALGORITHMS), wanted, audience=client, issuer=issuer, leeway=CLOCKS_S)
    except (jwt.PyJWTError, StopIteration, ValueError, TypeError, AttributeError):
        raise LoginError(
            "the provider's answer is not signed, not meant for this page, or not valid any more"
        ) from None
    several = isinstance(claims["aud"], list) and len(claims["aud"]) > 1
    if claims.get("azp", None if several else client) != client:
        raise LoginError("the provider's answer is not meant for this page")
    return claims


def named(claims: dict, claim: str) -> str:
    """The name of who logged in, e-mail addresses in small letters; raises LoginError if none can be relied on."""
    name = claims.get(claim)
    if not isinstance(name, str) or not 0 < len(name) <= LONGEST_NAME or not name.isprintable():
        raise LoginError(f"the provider told no {claim} of who logged in")
    if claim == "email" and claims.get("email_verified") in (False, "false"):
        raise LoginError("the provider has not verified your e-mail address")
    return name.casefold() if "@" in name else name


def _key(keys: list, kid: str | None) -> object:
    """The key a token names, or the only one there is; those with shared secrets are left out."""
    usable = [key for key in keys if key.algorithm_name in ALGORITHMS]
    if kid is None and len(usable) == 1:
        return usable[0]
    return next(key for key in usable if key.key_id == kid)
