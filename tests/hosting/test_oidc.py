"""Logins at an identity provider: who is invited comes in; no answer but the provider's own, to this login, counts."""

import time

import jwt
import pytest
import requests
from cryptography.hazmat.primitives.asymmetric import ec

from app.server.access import Access
from app.server.oidc import Attempt, Invited, LoginError, Provider
from app.settings import Settings, refuse_unguarded
from engine.errors import SettingsError
from tests import loops
from tests.hosting.provider import CLIENT, KEY, SECRET, provider


@pytest.fixture(scope="module")
def _provider():
    with provider() as one:
        yield one


@pytest.fixture
def at(_provider):
    _provider.reset()
    return _provider


@pytest.fixture(scope="module")
def server(serve, small_survey, _provider):
    return serve(
        small_survey, oidc_issuer=_provider.issuer, oidc_client=CLIENT, oidc_secret=SECRET, proxied="yes",
        invited="ada@institute.example @guests.example", keepers="ada@institute.example",
    )  # fmt: skip


def log_in(server, view: str = "", client: requests.Session | None = None) -> requests.Response:
    """What a browser sees that follows the login to its end, not beyond."""
    client = client or requests.Session()
    there = client.get(server.root + "/login/start", params={"next": view}, allow_redirects=False, timeout=60)
    back = client.get(there.headers["Location"], allow_redirects=False, timeout=60)
    return client.get(back.headers["Location"], allow_redirects=False, timeout=60)


def came_in(answer: requests.Response) -> bool:
    return "glocal_login" in answer.cookies


def test_who_is_invited_comes_in_to_the_view_that_was_asked_for(server, at):
    client = requests.Session()
    page = client.get(server.root + "/app?page=drivers", timeout=60)
    assert f"Log in at 127.0.0.1:{at.server_port}" in page.text
    assert "MOCK" not in page.text
    answer = log_in(server, "/app?page=drivers", client)
    assert came_in(answer)
    assert answer.headers["Location"] == "../app?page=drivers"
    assert "MOCK" in client.get(server.root + "/app", timeout=60).text
    assert client.get(server.root + "/views", timeout=60).status_code == 200
    assert client.get(server.root + "/admin", timeout=60).status_code == 200


@pytest.mark.parametrize("email", ["carl@institute.example", "ada@institute.example.evil", "@guests.example.evil", "*",
                                   "", 7, "x" * 200 + "@guests.example", "a\n@guests.example"])  # fmt: skip
def test_who_is_not_invited_stays_outside(server, at, email):
    at.who["email"] = email
    answer = log_in(server)
    assert answer.status_code == 403
    assert not came_in(answer)


def test_a_whole_domain_may_be_invited(server, at):
    at.who["email"] = "somebody@guests.example"
    assert came_in(log_in(server))


def test_an_address_that_nobody_verified_is_no_name(server, at):
    at.who["email_verified"] = False
    assert "has not verified your e-mail address" in log_in(server).text


def test_names_may_come_from_the_userinfo_address_of_the_same_person_only(server, at):
    at.in_token = False
    assert came_in(log_in(server))
    at.lies = {"sub": "somebody else"}
    assert "somebody else" in log_in(server).text


@pytest.mark.parametrize("lies", [
    {"nonce": "of another login"}, {"iss": "https://evil.example"}, {"aud": "another client"},
    {"exp": time.time() - 3600}, {"iat": time.time() + 3600}, {"aud": [CLIENT, "another client"]},
    {"azp": "another client"},
], ids="-".join)  # fmt: skip
def test_a_token_of_another_login_issuer_client_or_time_opens_nothing(server, at, lies):
    at.lies = lies
    answer = log_in(server)
    assert answer.status_code == 403
    assert not came_in(answer)


@pytest.mark.parametrize("signs", [
    lambda claims: jwt.encode(claims, ec.generate_private_key(ec.SECP256R1()), "ES256", headers={"kid": KEY}),
    lambda claims: jwt.encode(claims, None, "none", headers={"kid": KEY}),
    lambda claims: jwt.encode(claims, "x" * 64, "HS256", headers={"kid": KEY}),
    lambda claims: jwt.encode(claims, "x" * 64, "HS256", headers={"kid": "unknown"}),
    lambda claims: "no token at all",
], ids=["another key", "none", "shared secret", "unknown key", "nonsense"])  # fmt: skip
def test_a_token_that_the_provider_did_not_sign_opens_nothing(server, at, signs):
    at.signs = signs
    answer = log_in(server)
    assert answer.status_code == 403
    assert "not signed" in answer.text


def test_a_state_that_is_not_this_browsers_opens_nothing(server, at):
    client, other = requests.Session(), requests.Session()
    forged = other.get(server.root + "/login/start", allow_redirects=False, timeout=60).headers["Location"]
    back = other.get(forged, allow_redirects=False, timeout=60).headers["Location"]
    client.get(server.root + "/login/start", allow_redirects=False, timeout=60)
    for browser in (requests.Session(), client):  # without a login under way, and with another one
        answer = browser.get(back, allow_redirects=False, timeout=60)
        assert answer.status_code == 403
        assert not came_in(answer)
    assert came_in(other.get(back, allow_redirects=False, timeout=60))
    assert not came_in(other.get(back, allow_redirects=False, timeout=60))  # each login counts once


@pytest.mark.parametrize("query", ["?state=x&code=y", "?error=<script>alert(1)</script>", ""])
def test_an_address_that_somebody_made_up_is_a_sentence(server, query):
    answer = server.get("/login/back" + query)
    assert answer.status_code == 403
    assert "<script>alert" not in answer.text


def test_a_login_leads_to_no_other_site(server, at):
    assert log_in(server, "https://evil.example/app").headers["Location"] == "../"


def test_nobody_is_let_in_with_a_password_here(server):
    answer = requests.post(server.root + "/login", data={"name": "ada@institute.example"}, timeout=60)
    assert answer.status_code == 403


def test_cookies_are_secure_under_https(server):
    answer = server.get("/login/start", headers={"X-Forwarded-Proto": "https"})
    assert {"Secure", "HttpOnly", "SameSite=Lax"} <= set(answer.headers["Set-Cookie"].split("; "))
    assert "redirect_uri=https" in answer.headers["Location"]


def test_a_provider_that_is_gone_is_a_sentence():
    settings = Settings(oidc_issuer="http://127.0.0.1:9", oidc_client=CLIENT, invited="*")
    with pytest.raises(LoginError, match="gave no answer that can be used"):
        loops.run(Provider(settings).address(Attempt.fresh(), "http://localhost/login/back"))


def test_who_was_invited_is_not_let_in_any_more_once_taken_off_the_list():
    invited = Invited(Settings(oidc_issuer="https://x.example", invited="ada@x.example"))
    assert invited.fingerprint("ADA@x.example")
    assert invited.fingerprint("ben@x.example") is None


@pytest.mark.parametrize(("words", "sentence"), [
    ({"oidc_client": "c"}, "GLOCAL_INVITED is empty"),
    ({"invited": "*"}, "GLOCAL_OIDC_CLIENT is empty"),
    ({"invited": "*", "oidc_client": "c", "oidc_issuer": "http://x.example"}, "https://"),
    ({"invited": "*", "oidc_client": "c", "users": "users"}, "choose one"),
])  # fmt: skip
def test_settings_that_do_not_fit_are_refused(words, sentence):
    with pytest.raises(SettingsError, match=sentence):
        Access(Settings(**{"oidc_issuer": "https://x.example", **words}))


def test_a_provider_guards_other_addresses_than_loopback():
    refuse_unguarded(Settings(address="0.0.0.0", oidc_issuer="https://x.example"))
