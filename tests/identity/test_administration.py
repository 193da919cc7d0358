"""`kelmu-backend users end-sessions` on sign-ins of every stage, on both engines; the other commands around it."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from sqlalchemy import select

from kelmu_backend.cli import DATABASE_VARIABLE, Exit, main, users
from kelmu_backend.identity import tokens
from kelmu_backend.identity.tables import sitting
from tests.backend.conftest import database_url as record
from tests.backend.conftest import postgresql
from tests.identity.conftest import Browser, House

__all__ = ["postgresql", "record"]  # fixtures: these tests run on both engines

EndSessions = Callable[[str], int]


@pytest.fixture
def end_sessions(house: House, monkeypatch: pytest.MonkeyPatch) -> EndSessions:
    """Runs the command on the house's record at the house's time."""
    monkeypatch.setenv(DATABASE_VARIABLE, house.config.database_url)
    monkeypatch.setattr(users, "SystemClock", lambda: house.clock)
    return lambda user: main(["users", "end-sessions", user])


def _works(house: House, token: str) -> bool:
    try:
        tokens.verify_access_token(house.config, house.database, token, house.clock.now())
    except tokens.InvalidToken:
        return False
    return True


def test_all_sessions_of_one_user_end_at_once(
    house: House, end_sessions: EndSessions, capsys: pytest.CaptureFixture[str]
) -> None:
    held = [house.sign_in(), house.sign_in()]
    begun = house.authorize()
    assert house.approve(begun["user_code"], "hostile") == 204
    other = house.poll(begun["device_code"])[1]
    assert end_sessions("aino") == Exit.OK
    out, err = capsys.readouterr()
    assert (out, err) == ("", "sessions ended: 2; sign-ins under way that were refused: 0\n")
    assert [_works(house, each["access_token"]) for each in (*held, other)] == [False, False, True]
    assert house.refresh(held[0]["refresh_token"])[1]["error"] == "invalid_grant"
    assert house.refresh(other["refresh_token"])[0] == 200
    assert house.audit()[-2:] == [("aino", "session.ended", "administrator")] * 2
    assert end_sessions("aino") == Exit.OK
    assert "sessions ended: 0;" in capsys.readouterr().err
    assert len([row for row in house.audit() if row[1] == "session.ended"]) == 2
    assert _works(house, house.sign_in()["access_token"])


def test_an_approval_that_no_terminal_has_collected_ends_too(
    house: House, end_sessions: EndSessions, capsys: pytest.CaptureFixture[str]
) -> None:
    begun = house.authorize()
    assert house.approve(begun["user_code"]) == 204
    assert end_sessions("aino") == Exit.OK
    assert capsys.readouterr().err == "sessions ended: 0; sign-ins under way that were refused: 1\n"
    assert house.poll(begun["device_code"])[1]["error"] == "access_denied"
    assert house.audit()[-1] == ("aino", "sign_in.refused", "administrator")


def test_a_page_that_knows_who_it_is_cannot_approve_any_more(
    house: House, browser: Browser, end_sessions: EndSessions
) -> None:
    begun = house.authorize()
    browser.reach_question(begun["user_code"])
    with house.database.read() as connection:
        assert connection.execute(select(sitting.c.user)).scalars().all() == ["aino"]
    assert end_sessions("aino") == Exit.OK
    browser.send("/sign-in/confirm", decision="approve")
    assert browser.status == 400, browser.text
    assert house.poll(begun["device_code"])[1]["error"] in ("authorization_pending", "slow_down")


def test_an_unknown_user_is_told(house: House, end_sessions: EndSessions, capsys: pytest.CaptureFixture[str]) -> None:
    held = house.sign_in()
    before = house.audit()
    assert end_sessions("nobody-of-that-name") == Exit.NOT_POSSIBLE
    assert capsys.readouterr().err == "kelmu-backend: there is no such user\n"
    assert _works(house, held["access_token"])
    assert house.audit() == before


@pytest.mark.parametrize(
    "command",
    [
        ["list"],
        ["end-sessions", "aino"],
        ["grant", "aino", "social_assistance_and_social_care", "1234567-1"],
        ["revoke", "aino", "social_assistance_and_social_care", "1234567-1"],
    ],
)
@pytest.mark.parametrize("place", ["nowhere", "empty"])
def test_a_record_that_is_not_migrated_is_told_and_not_made(
    command: list[str], place: str, tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv(DATABASE_VARIABLE, raising=False)
    data = tmp_path / "d"
    if place == "empty":
        monkeypatch.setenv(DATABASE_VARIABLE, f"sqlite:///{tmp_path / 'other' / 'kelmu.db'}")
    assert main(["users", *command, "--data", str(data)]) == Exit.NOT_POSSIBLE
    out, err = capsys.readouterr()
    assert out == ""
    assert "kelmu-backend migrate" in err
    assert not data.exists()


@pytest.mark.parametrize(
    ("url", "said"),
    [
        ("no url at all with a pass-word", "names no record"),
        ("nosuchengine://user:pass-word@localhost/kelmu", "names no record"),
        ("postgresql+psycopg://user:pass-word@127.0.0.1:9/kelmu", "cannot be reached"),
    ],
)
@pytest.mark.parametrize("command", [["users", "list"], ["migrate"]])
def test_a_record_out_of_reach_is_told_without_its_address(
    command: list[str], url: str, said: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv(DATABASE_VARIABLE, url)
    assert main(command) == Exit.NOT_POSSIBLE
    err = capsys.readouterr().err
    assert said in err
    assert "pass-word" not in err
    assert len(err.splitlines()) == 1
