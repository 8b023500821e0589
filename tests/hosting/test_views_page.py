"""The page of saved views: who may do what, and what cannot be smuggled through it."""

import http.client
import json
from contextlib import closing

import pytest
import requests

from app.views.files import views_file
from app.views.view import new_view
from tests.hosting.conftest import logged_in

VIEW = "page=relations&log_M_star=9.8..10.3"
SCRIPT = "<script>alert(1)</script>"


def save(client, server, **words):
    sent = {"act": "save", "name": "a view", "view": VIEW} | words
    return client.post(server.root + "/views", data=sent, allow_redirects=False, timeout=60)


@pytest.fixture(scope="module")
def ben(guarded):
    return logged_in(guarded, "ben")


@pytest.mark.parametrize("path", ["/views", "/views/glocal-views.json", "/views/picture/abcdefgh12.png"])
def test_saved_views_are_for_users_only(guarded, path):
    assert guarded.get(path).status_code == 302


def test_a_saved_view_is_listed_with_its_picture_and_opens(guarded, ben):
    assert save(ben, guarded, name="low masses", note="see §3").status_code == 303
    text = ben.get(guarded.root + "/views", timeout=60).text
    assert "low masses" in text
    assert "see §3" in text
    picture = text.split('<img src="./')[1].split('"')[0]
    answer = ben.get(f"{guarded.root}/{picture}", timeout=60)
    assert answer.headers["Content-Type"] == "image/png"
    assert answer.content.startswith(b"\x89PNG")
    link = text.split('<h3><a href="./')[1].split('"')[0].replace("&amp;", "&")
    opened = ben.get(f"{guarded.root}/{link}", timeout=60)
    assert opened.status_code == 200
    assert "another table" not in opened.text


def test_a_view_of_another_table_says_so_in_the_list_and_when_it_opens(guarded, ben):
    foreign = new_view("from elsewhere", VIEW, "0123456789ab")
    files = {"file": ("views.json", views_file([foreign]))}
    ben.post(guarded.root + "/views", data={"act": "import"}, files=files, timeout=60)
    text = ben.get(guarded.root + "/views", timeout=60).text
    assert "Made with another table (0123456789ab)" in text
    assert "another table" in ben.get(f"{guarded.root}/app?{VIEW}&table=0123456789ab", timeout=60).text


@pytest.mark.parametrize("words", [
    {"name": SCRIPT}, {"note": SCRIPT}, {"view": f"page={SCRIPT}"}, {"view": f'"><img src=x onerror=alert(1)>{SCRIPT}'},
], ids=["name", "note", "link", "link that leaves its place"])  # fmt: skip
def test_script_is_shown_and_never_run(guarded, ben, words):
    assert save(ben, guarded, **words).status_code == 303
    for path in ("/views", f"/views?view={SCRIPT}"):
        text = ben.get(guarded.root + path, timeout=60).text
        assert SCRIPT not in text
        assert "onerror=alert" not in text.replace("&#34;&gt;&lt;img src=x onerror=alert", "")


@pytest.mark.parametrize("words", [{"name": ""}, {"name": "x" * 500}, {"view": "x" * 5000}, {"note": "x" * 3000}])
def test_what_cannot_be_saved_is_a_sentence(guarded, ben, words):
    answer = save(ben, guarded, **words)
    assert answer.status_code == 400
    assert 'role="alert"' in answer.text


def test_only_who_saved_a_view_and_keepers_may_remove_it(guarded, ben):
    ada = logged_in(guarded, "ada")
    save(ada, guarded, name="ada's own")
    listed = json.loads(ada.get(guarded.root + "/views/glocal-views.json", timeout=60).content)["views"]
    number = next(view["view_id"] for view in listed if view["name"] == "ada's own")
    words = {"act": "remove", "view_id": number}
    assert ben.post(guarded.root + "/views", data=words, timeout=60).status_code == 403
    assert ada.post(guarded.root + "/views", data=words, timeout=60).status_code == 200
    assert "ada's own" not in ada.get(guarded.root + "/views", timeout=60).text.replace("&#39;", "'")


@pytest.mark.parametrize("header", [{"Origin": "https://evil.example"}, {"Sec-Fetch-Site": "cross-site"},
                                    {"Origin": "null"}])  # fmt: skip
def test_another_site_cannot_save_in_a_visitors_name(guarded, ben, header):
    sent = {"act": "save", "name": "forged", "view": VIEW}
    assert ben.post(guarded.root + "/views", data=sent, headers=header, timeout=60).status_code == 403


def test_a_file_that_is_too_large_is_refused_before_it_is_read(guarded, ben):
    files = {"file": ("views.json", b"x" * 6_000_000)}
    try:
        answer = ben.post(guarded.root + "/views", data={"act": "import"}, files=files, timeout=60)
        assert answer.status_code in (400, 413)
    except requests.ConnectionError:
        pass  # closed while we were still sending
    assert guarded.get("/liveness").status_code == 200


@pytest.mark.parametrize("content", [b"\x1f\x8b\x08" + b"\0" * 1000, b"[" * 200_000, b'{"kind": 1}'])
def test_bombs_and_other_files_are_a_sentence(guarded, ben, content):
    files = {"file": ("views.json", content)}
    answer = ben.post(guarded.root + "/views", data={"act": "import"}, files=files, timeout=60)
    assert answer.status_code == 400
    assert "This is not a file of saved views" in answer.text


@pytest.mark.parametrize("path", [
    "/views/picture/..%2f..%2fsecret.png", "/views/picture/../../../etc/passwd.png", "/style/..%2f..%2fpyproject.toml",
    "/style/../../pyproject.toml", "/app/style/%2e%2e/%2e%2e/README.md", "/style//etc/passwd", "/style/fonts/%00",
    "/static/..%2f..%2fserver.py", "/components/app.store/Survey/_css/x",
])  # fmt: skip
def test_no_path_leads_out_of_its_folder(guarded, ben, path):
    with closing(http.client.HTTPConnection("127.0.0.1", guarded.port, timeout=60)) as connection:
        # requests would tidy the path
        connection.request("GET", path, headers={"Cookie": "; ".join(f"{c.name}={c.value}" for c in ben.cookies)})
        answer = connection.getresponse()
        assert answer.status in (302, 400, 403, 404)
        text = answer.read()
    assert not [word for word in (b"root:", b"[project]", b"import ", b"## ") if word in text]
