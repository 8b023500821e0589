"""Nothing of the data without a login, and no login without the password."""

import pytest

from tests.hosting.conftest import logged_in

CLOSED = ["/", "/app", "/app/", "/app/ws", "/app/metadata", "/app/autoload.js?bokeh-autoload-element=x", "/admin"]
PUBLIC = ["/liveness", "/readiness", "/login", "/style/fonts/inter-latin.woff2"]


@pytest.mark.parametrize("path", CLOSED)
def test_without_a_login_nothing_of_the_data_is_reached(guarded, path):
    answer = guarded.get(path)
    assert answer.status_code in (302, 400, 403)
    assert "MOCK" not in answer.text
    if answer.status_code == 302:
        assert answer.headers["Location"].partition("?")[0] in ("./login", "/login", "../app")


def test_who_has_to_log_in_first_is_no_error_in_the_log(guarded):
    assert guarded.get("/app").status_code == 302
    assert not guarded.wrote("Uncaught exception", 1.0)


@pytest.mark.parametrize("path", PUBLIC)
def test_what_is_public_tells_nothing(guarded, path):
    answer = guarded.get(path)
    assert answer.status_code == 200
    assert "MOCK" not in answer.text
    assert len(guarded.get("/liveness").json()) == 1


def test_the_right_password_opens_the_page(guarded):
    client = logged_in(guarded, "ben")
    answer = client.get(guarded.root + "/app", timeout=60)
    assert answer.status_code == 200
    assert "MOCK" in answer.text  # the stamp of the survey


def test_every_visitor_gets_the_whole_page_though_its_head_is_sent_first(guarded):
    """The head is sent before the session is made; it loads BokehJS without its largest part, MathJax."""
    client = logged_in(guarded, "ben")
    first, second = (client.get(guarded.root + "/app", timeout=60) for _ in range(2))
    for answer in (first, second):
        assert answer.text.count("<head>") == answer.text.count("</html>") == 1
        assert "bokeh-widgets.min.js" in answer.text
        assert "mathjax" not in answer.text
        assert answer.headers["Cache-Control"] == "no-store"
    assert second.headers["Transfer-Encoding"] == "chunked"
    start = second.text.index('<script type="text/javascript">')
    assert first.text[:start] == second.text[:start]


def test_a_made_up_session_is_refused_with_a_status_of_its_own(guarded):
    client = logged_in(guarded, "ben")
    client.get(guarded.root + "/app", timeout=60)  # the head is known from now on
    assert client.get(guarded.root + "/app?bokeh-session-id=made-up", timeout=60).status_code == 403


@pytest.mark.parametrize(
    ("name", "password"), [("carl", "battery staple"), ("carl", ""), ("", "x"), ("x" * 2000, "y" * 100_000)]
)
def test_a_wrong_password_is_refused_whoever_gives_it(guarded, name, password):
    words = {"name": name, "password": password}
    answer = guarded_post(guarded, words, "198.51.100.1")
    assert answer.status_code in (401, 429)
    assert "Set-Cookie" not in answer.headers


def test_capitals_of_a_password_count(guarded):
    answer = guarded_post(guarded, {"name": "ben", "password": "battery staple"}, "198.51.100.2")
    assert answer.status_code == 401


def test_after_five_wrong_passwords_even_the_right_one_waits(guarded):
    for _ in range(5):
        assert guarded_post(guarded, {"name": "dora", "password": "?"}, "198.51.100.3").status_code == 401
    answer = guarded_post(guarded, {"name": "ada", "password": "correct horse"}, "198.51.100.3")
    assert answer.status_code == 429
    assert int(answer.headers["Retry-After"]) > 600
    assert guarded_post(guarded, {"name": "dora", "password": "?"}, "198.51.100.8").status_code == 429
    assert logged_in(guarded, "ada")  # from elsewhere


def test_cookies_are_for_the_server_only_and_only_over_https_where_there_is_https(guarded):
    words = {"name": "ben", "password": "Battery Staple"}
    plain = guarded_post(guarded, words, "198.51.100.4").headers["Set-Cookie"]
    secure = guarded_post(guarded, words, "198.51.100.4", {"X-Forwarded-Proto": "https"}).headers["Set-Cookie"]
    assert plain.count("HttpOnly") == plain.count("SameSite=Lax") == 2
    assert "Secure" not in plain
    assert secure.count("Secure") == 2


@pytest.mark.parametrize("change", [lambda c: c[:-1] + ("0" if c[-1] != "0" else "1"), lambda c: "2|1:0|x|y|z|0" * 2])
def test_a_forged_cookie_opens_nothing(guarded, change):
    client = logged_in(guarded, "ben")
    cookie = next(c for c in client.cookies if c.name == "glocal_login")
    forged = {cookie.name: change(cookie.value.strip('"'))}
    assert guarded.get("/app", cookies=forged).status_code == 302


def test_another_site_can_neither_log_in_nor_open_a_socket(guarded):
    words = {"name": "ben", "password": "Battery Staple"}
    assert guarded_post(guarded, words, "198.51.100.5", {"Origin": "https://evil.example"}).status_code == 403
    client = logged_in(guarded, "ben")
    for origin, expected in (("https://evil.example", 403), (guarded.root, 101)):
        answer = client.get(guarded.root + "/app/ws", headers=SOCKET | {"Origin": origin}, timeout=60, stream=True)
        assert answer.status_code == expected
        answer.close()


@pytest.mark.parametrize(
    "target", ["https://evil.example/app", "//evil.example/app", "/\\evil.example", "javascript:x"]
)
def test_a_login_leads_to_no_other_site(guarded, target):
    words = {"name": "ben", "password": "Battery Staple", "next": target}
    assert guarded_post(guarded, words, "198.51.100.6").headers["Location"] == "./"


def test_a_login_leads_back_to_the_view_that_was_asked_for(guarded):
    asked = guarded.get("/app?page=galaxy&galaxy_id=3").headers["Location"]
    assert "next=" in asked
    words = {"name": "ben", "password": "Battery Staple", "next": "/app?page=galaxy&galaxy_id=3"}
    assert guarded_post(guarded, words, "198.51.100.6").headers["Location"] == "./app?page=galaxy&galaxy_id=3"


def test_the_keeper_sees_the_admin_page_and_others_do_not(guarded):
    assert "pages in memory" in logged_in(guarded, "ada").get(guarded.root + "/admin", timeout=60).text
    assert logged_in(guarded, "ben").get(guarded.root + "/admin", timeout=60).status_code == 403


def test_metrics_are_for_this_machine_for_the_token_and_for_keepers(guarded):
    outside = {"X-Forwarded-For": "198.51.100.9"}
    assert guarded.get("/metrics").status_code == 200
    assert guarded.get("/metrics", headers=outside).status_code == 401
    assert guarded.get("/metrics", headers=outside | {"Authorization": "Bearer wrong"}).status_code == 401
    text = guarded.get("/metrics", headers=outside | {"Authorization": "Bearer numbers"}).text
    assert "glocal_sessions " in text
    assert "glocal_update_seconds_bucket" in text


def test_logs_name_no_visitor(guarded):
    guarded_post(guarded, {"name": "ben", "password": "wrong one"}, "198.51.100.77")
    guarded.get("/nothing?galaxy_id=4", headers={"X-Forwarded-For": "198.51.100.77"})
    assert guarded.wrote("a wrong password was given")
    assert guarded.wrote("404 GET /nothing")
    assert not [word for word in ("198.51.100.77", "ben", "wrong one", "galaxy_id") if word in guarded.log]


SOCKET = {
    "Connection": "Upgrade", "Upgrade": "websocket", "Sec-WebSocket-Version": "13",
    "Sec-WebSocket-Key": "dGhlIHNhbXBsZSBub25jZQ==", "Sec-WebSocket-Protocol": "bokeh, x",
}  # fmt: skip


def guarded_post(server, words: dict, address: str, headers: dict | None = None):
    """Send the login form as a proxy would hand it on for a visitor."""
    import requests

    sent = {"X-Forwarded-For": address} | (headers or {})
    return requests.post(server.root + "/login", data=words, headers=sent, allow_redirects=False, timeout=60)
