"""Users of a hosted page: what the command writes, the server takes."""

import pytest
from typer.testing import CliRunner

from app.server.users import Users
from engine.errors import SettingsError
from precompute.__main__ import cli
from precompute.stages.password import set_user, user_line

WORD = "correct horse battery"


def test_the_server_takes_what_the_command_wrote_and_only_that(tmp_path):
    file = tmp_path / "users"
    done = CliRunner().invoke(cli, ["password", "ada", "--users", str(file)], input=f"{WORD}\n")
    assert done.exit_code == 0, done.output
    assert file.stat().st_mode & 0o777 == 0o600
    assert WORD not in file.read_text()
    users = Users(str(file))
    assert users.accepts("ada", WORD)
    assert not users.accepts("ada", WORD.upper())
    assert not users.accepts("ben", WORD)


def test_a_change_takes_effect_at_once_and_ends_former_logins(tmp_path):
    file = tmp_path / "users"
    set_user(file, user_line("ada", WORD))
    users = Users(str(file))
    before = users.fingerprint("ada")
    assert set_user(file, user_line("ada", "another one entirely"))
    users.refresh()
    assert not users.accepts("ada", WORD)
    assert users.fingerprint("ada") != before
    done = CliRunner().invoke(cli, ["password", "ada", "--users", str(file), "--remove"])
    assert done.exit_code == 0
    users.refresh()
    assert users.fingerprint("ada") is None


def test_two_equal_passwords_have_unequal_hashes():
    assert user_line("ada", WORD) != user_line("ada", WORD)


@pytest.mark.parametrize(("name", "word"), [("a:b", WORD), ("", WORD), ("a\nb", WORD), ("ada", "short")])
def test_what_cannot_be_a_user_is_refused_in_one_sentence(name, word):
    with pytest.raises(SettingsError):
        user_line(name, word)


def test_a_file_of_users_that_is_none_names_the_line(tmp_path):
    file = tmp_path / "users"
    file.write_text("# ours\nada:plain text\n")
    with pytest.raises(SettingsError, match="line 2: write name:hash"):
        Users(str(file))
