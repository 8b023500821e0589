"""Who is let in, and for how long, without a server."""

from types import SimpleNamespace

import pytest
from argon2 import PasswordHasher
from tornado.web import HTTPError

from app.server.access import COOKIE, EVERYBODY, Access, target
from app.server.users import Users
from app.settings import Settings

QUICK = PasswordHasher(time_cost=1, memory_cost=8, parallelism=1)


class Asker:
    """What Access needs of a request: where it comes from, by which name we are called, and cookies."""

    def __init__(self, ip="127.0.0.1", host="localhost", **headers):
        names = {name.replace("_", "-"): words for name, words in headers.items()}
        self.request = SimpleNamespace(remote_ip=ip, host_name=host, headers=names, protocol="http")
        self.cookies, self.days = {}, set()

    def set_signed_cookie(self, name, value, *, expires_days, **_):
        self.cookies[name] = value.encode()
        self.days.add(expires_days)

    def get_signed_cookie(self, name, max_age_days):
        self.days.add(max_age_days)
        return self.cookies.get(name)


def let_in(asker, **settings):
    """Name of who asks, or None where the page is refused."""
    try:
        return Access(Settings(**settings)).user(asker)
    except HTTPError as refusal:
        if refusal.status_code != 403:
            raise
        return None


@pytest.mark.parametrize("host", ["localhost", "127.0.0.1", "glocal.example"])
def test_without_users_this_machine_is_let_in_by_a_name_of_ours(host):
    assert let_in(Asker(host=host), origins="glocal.example:8080") == EVERYBODY


@pytest.mark.parametrize(
    "asker",
    [
        Asker(ip="192.0.2.7"),
        Asker(host="evil.example"),  # another site's name that was pointed at this machine
        Asker(X_Forwarded_For="192.0.2.7"),  # a proxy that speaks for somebody else
        Asker(X_Real_Ip="192.0.2.7"),
        Asker(Forwarded="for=192.0.2.7"),
    ],
)
def test_without_users_nobody_else_is_let_in_unless_the_page_is_open(asker):
    assert let_in(asker) is None
    assert let_in(asker, open=True) == EVERYBODY


@pytest.fixture
def users_file(tmp_path):
    path = tmp_path / "users"
    path.write_text(f"ada:{QUICK.hash('first')}\nben:{QUICK.hash('other')}\n")
    return path


def test_a_login_ends_with_the_password_or_the_user(users_file):
    rule, asker = Access(Settings(users=str(users_file))), Asker()
    assert rule.user(asker) is None
    rule.log_in(asker, "ada")
    assert rule.user(asker) == "ada"
    users_file.write_text(f"ada:{QUICK.hash('second one')}\nben:{QUICK.hash('other')}\n")
    assert rule.user(asker) is None
    rule.log_in(asker, "ada")
    users_file.write_text(f"ben:{QUICK.hash('other')}\n")
    assert rule.user(asker) is None


@pytest.mark.parametrize("words", [b"ada", b"ada|", b"ada|0123456789abcdef", b"carl|None", b""])
def test_a_name_alone_is_no_login(users_file, words):
    asker = Asker()
    asker.cookies[COOKIE] = words
    assert Access(Settings(users=str(users_file))).user(asker) is None


def test_a_login_lasts_as_many_hours_as_the_setting_says(users_file):
    rule, asker = Access(Settings(users=str(users_file), login_hours=12.0)), Asker()
    rule.log_in(asker, "ada")
    assert rule.user(asker) == "ada"
    assert asker.days == {0.5}  # both where the cookie is set and where it is read


def test_nobody_is_accepted_by_the_password_that_unknown_names_are_weighed_against():
    users = Users(f"ada:{QUICK.hash('first')}")
    assert users.accepts("ada", "first")
    assert not users.accepts("ada", "no password")
    assert not users.accepts("carl", "no password")
    assert not users.accepts("", "no password")


def test_keepers_see_the_admin_page_and_without_logins_only_this_machine_does(users_file):
    guarded = Access(Settings(users=str(users_file), keepers="ada"))
    assert [guarded.may_keep(name) for name in ("ada", "ben", None)] == [True, False, False]
    assert [Access(Settings()).may_keep(name) for name in (EVERYBODY, None)] == [True, False]
    assert not Access(Settings(open=True)).may_keep(EVERYBODY)


@pytest.mark.parametrize(("asked", "leads_to"), [
    ("/?page=masses", "./?page=masses"), ("/app?page=masses", "./app?page=masses"), ("/glocal/views", "./views"),
    ("", "./"), ("/", "./"), ("..", "./"), ("https://evil.example/app", "./"), ("/\\evil.example", "./"),
])  # fmt: skip
def test_a_login_leads_to_the_view_that_was_asked_for_also_after_a_wrong_password(asked, leads_to):
    assert target(asked) == leads_to
    assert target(leads_to) == leads_to  # the form sends back what it was given
