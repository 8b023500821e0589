"""Saved views: what was saved is there again, whatever happens to the database."""

import json
import multiprocessing
import sqlite3
import threading
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace

import pytest
from sqlalchemy import NullPool, create_engine, make_url

from app.views import schema
from app.views.files import read_views_file, views_file
from app.views.store import PATIENCE, SavedViews, _with_driver
from app.views.view import SavedView, ViewError, from_json, new_view
from tests.postgres import postgres

QUERY = "page=relations&log_M_star=9.8..10.3"
PICTURE = b"\x89PNG\r\n\x1a\n" + b"\x00\x00\x00\rIHDR" + b"\x00\x00\x00\x20" * 2 + bytes(range(256))


@pytest.fixture
def path(tmp_path):
    return tmp_path / "state" / "views.sqlite"


@pytest.fixture
def saved(path) -> SavedViews:
    return SavedViews(f"sqlite:///{path}")


@pytest.fixture(scope="module")
def server():
    with postgres() as one:
        yield one


@pytest.fixture(params=["sqlite", "postgresql"])
def address(request, path) -> str:
    """Where views are kept: what is claimed with this holds for both kinds of database."""
    return f"sqlite:///{path}" if request.param == "sqlite" else request.getfixturevalue("server").address()


def view(name: str = "low masses", **more) -> SavedView:
    return new_view(name, QUERY, "abc123", **more)


def test_what_was_saved_is_listed_newest_first(address):
    saved = SavedViews(address)
    first = replace(view("first"), made="2026-01-01T00:00:00+00:00")
    second = replace(view("second", note="two\nlines µ*", picture=PICTURE), made="2026-01-02T00:00:00+00:00")
    for one in (first, second):
        saved.save(one)
    assert saved.listed() == [second, first]


def test_a_removed_view_leaves_the_list_and_stays_in_the_database(address):
    saved = SavedViews(address)
    one = view()
    saved.save(one)
    saved.remove(one.view_id)
    assert saved.listed() == []
    assert saved.get(one.view_id) == one


def test_the_link_of_a_view_names_its_table_and_nothing_else(saved):
    one = replace(view(), query="page=galaxy&table=other&galaxy_id=3")
    assert one.link() == "./app?page=galaxy&galaxy_id=3&table=abc123"


def test_views_go_through_a_file_to_another_instance_once(address, tmp_path):
    saved = SavedViews(address)
    kept = [view("one", note="with “quotes” & <tags>"), view("two")]
    saved.add(kept)
    other = SavedViews(f"sqlite:///{tmp_path / 'other.sqlite'}")
    file = views_file(saved.listed())
    assert other.add(read_views_file(file)) == 2
    assert other.add(read_views_file(file)) == 0
    assert sorted(other.listed(), key=str) == sorted(kept, key=str)


def test_a_database_of_the_first_version_is_led_to_the_last(address, path):
    path.parent.mkdir()
    engine = create_engine(_with_driver(make_url(address)), poolclass=NullPool)
    with engine.begin() as connection:
        schema.versions.create(connection)
        connection.execute(schema.versions.insert().values(version=1))
        schema.STEPS[0](connection)
        words = {name: value for name, value in vars(view("old")).items()}
        columns = ", ".join(words)
        marks = ", ".join(f":{name}" for name in words)
        connection.execute(schema.text(f"INSERT INTO glocal_views ({columns}) VALUES ({marks})"), words)
    assert [one.name for one in SavedViews(address).listed()] == ["old"]


def write_many(address: str, who: str, n: int) -> None:
    saved = SavedViews(address)
    for i in range(n):
        saved.save(view(f"{who} {i}"))


def test_two_processes_that_write_at_once_lose_nothing(address):
    context = multiprocessing.get_context("spawn")
    writers = [context.Process(target=write_many, args=(address, who, 10)) for who in ("a", "b")]
    for writer in writers:
        writer.start()
    for writer in writers:
        writer.join(120)
        assert writer.exitcode == 0
    assert sorted(one.name for one in SavedViews(address).listed()) == sorted(
        f"{w} {i}" for w in "ab" for i in range(10)
    )


def test_two_that_take_in_the_same_file_at_once_both_succeed(address):
    many = [view(str(i)) for i in range(20)]
    with ThreadPoolExecutor(4) as threads:
        added = list(threads.map(lambda _: SavedViews(address).add(many), range(4)))
    assert sorted(added) == [0, 0, 0, 20]
    assert len(SavedViews(address).listed()) == 20


def test_a_database_server_that_is_gone_is_one_sentence():
    with pytest.raises(ViewError, match="cannot be reached") as refusal:
        SavedViews("postgresql://glocal@127.0.0.1:9/views").listed()
    assert "\n" not in str(refusal.value)


@pytest.mark.parametrize(("address", "sentence"), [("no address", "Could not parse"), ("orakel://x", "orakel")])
def test_an_address_that_is_none_is_named(address, sentence):
    with pytest.raises(ViewError, match=f"GLOCAL_DATABASE cannot be used: .*{sentence}"):
        SavedViews(address)


@pytest.mark.parametrize("damage", [
    lambda path: path.write_bytes(path.read_bytes()[:2000]),
    lambda path: path.write_bytes(b""),
    lambda path: path.write_bytes(b"no database at all" * 100),
    lambda path: path.unlink(),
    lambda path: path.write_bytes(path.read_bytes()[:1000] + b"\xff" * 3000 + path.read_bytes()[4000:]),
], ids=["cut short", "emptied", "overwritten", "deleted", "scribbled on"])  # fmt: skip
def test_views_survive_damage_to_the_database(saved, path, damage):
    kept = [view("one"), view("two")]
    saved.add(kept)
    saved.remove(kept[1].view_id)
    damage(path)
    assert saved.listed() == [kept[0]]
    third = view("three")
    saved.save(third)
    assert {one.name for one in SavedViews(f"sqlite:///{path}").listed()} == {"one", "three"}


def test_a_damaged_database_is_put_aside_and_not_thrown_away(saved, path):
    saved.save(view())
    path.write_bytes(b"no database at all" * 100)
    saved.listed()
    assert [aside.read_bytes()[:18] for aside in path.parent.glob("*.damaged-*")] == [b"no database at all"]


def test_a_locked_database_is_a_sentence_and_then_works_again(saved, path, monkeypatch):
    monkeypatch.setitem(PATIENCE, "sqlite", {"timeout": 0.1})
    quick = SavedViews(f"sqlite:///{path}")
    quick.save(view("before"))
    other = sqlite3.connect(path, isolation_level=None)
    other.execute("BEGIN EXCLUSIVE")
    with pytest.raises(ViewError, match="in use at the moment"):
        quick.save(view("refused"))
    other.execute("COMMIT")
    other.close()
    quick.save(view("after"))
    assert {one.name for one in quick.listed()} == {"before", "after"}


def test_a_full_disk_is_a_sentence_and_nothing_is_half_saved(saved, path, monkeypatch):
    saved.save(view("before"))

    def full(_handle, _line):
        raise OSError(28, "No space left on device")

    with monkeypatch.context() as patch:
        patch.setattr("app.views.journal.os.write", full)
        with pytest.raises(ViewError, match="No space left on device"):
            saved.save(view("lost"))
    assert [one.name for one in saved.listed()] == ["before"]
    assert "lost" not in path.with_suffix(".jsonl").read_text()


def test_a_folder_that_cannot_be_made_is_a_sentence(tmp_path):
    (tmp_path / "file").write_text("in the way")
    with pytest.raises(ViewError, match="could not be written"):
        SavedViews(f"sqlite:///{tmp_path / 'file' / 'views.sqlite'}").listed()


def test_threads_share_the_views(saved):
    threads = [threading.Thread(target=lambda i=i: saved.save(view(f"t{i}"))) for i in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(saved.listed()) == 4


@pytest.mark.parametrize(("words", "sentence"), [
    ({"name": ""}, "needs a name"),
    ({"name": "x" * 200}, "120 characters"),
    ({"note": "x" * 3000}, "2000 characters"),
    ({"query": "x" * 9000}, "4000 characters"),
    ({"picture": b"GIF89a" + b"x" * 100}, "is a PNG"),
    ({"picture": b"\x89PNG\r\n\x1a\n" + b"\x00\x00\x00\rIHDR" + b"\x00\x00\xff\xff" * 2}, "400 pixels"),
])  # fmt: skip
def test_what_is_no_view_is_refused_in_one_sentence(words, sentence):
    with pytest.raises(ViewError, match=sentence):
        new_view(**({"name": "n", "query": QUERY, "survey_id": "s"} | words))


def test_signs_that_hide_what_stands_there_are_dropped():
    hidden = view("safe\N{RIGHT-TO-LEFT OVERRIDE}gpj.exe\x07", note="a\nb\x00c")
    assert (hidden.name, hidden.note) == ("safegpj.exe", "a\nbc")


@pytest.mark.parametrize("content", [
    b"", b"[]", b"{}", b"[" * 100_000, b"\x1f\x8b\x08\x00bomb", json.dumps({"kind": "glocal saved views"}).encode(),
    json.dumps({"kind": "glocal saved views", "version": 9, "views": []}).encode(),
    json.dumps({"kind": "glocal saved views", "version": 1, "views": [{"name": 5}]}).encode(),
    json.dumps({"kind": "glocal saved views", "version": 1, "views": [{}] * 3000}).encode(),
], ids=range(9))  # fmt: skip
def test_a_file_that_holds_no_views_is_refused_in_one_sentence(content):
    with pytest.raises(ViewError):
        read_views_file(content)


def test_a_view_from_a_file_may_hold_nothing_unknown():
    with pytest.raises(ViewError, match="'removed' is not part"):
        from_json(view().to_json() | {"removed": "x"})
