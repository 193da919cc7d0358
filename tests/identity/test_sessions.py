"""Refresh and revocation: a lost answer signs nobody out, a copied token ends the session."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

from sqlalchemy import select, update

from kelmu_backend.identity import families, keys, tokens
from kelmu_backend.identity.tables import refresh_token, token_family
from tests.backend.conftest import database_url as record
from tests.backend.conftest import postgresql
from tests.identity.conftest import House

__all__ = ["postgresql", "record"]  # fixtures: these tests run on both engines


def _works(house: House, access_token: str) -> bool:
    try:
        tokens.verify_access_token(house.config, house.database, access_token, house.clock.now())
    except tokens.InvalidToken:
        return False
    return True


def test_each_refresh_hands_out_the_next_token(house: House) -> None:
    held = house.sign_in()
    seen = {held["refresh_token"]}
    for _ in range(5):
        status, held = house.refresh(held["refresh_token"])
        assert status == 200
        assert held["refresh_token"] not in seen
        assert _works(house, held["access_token"])
        seen.add(held["refresh_token"])


def test_a_retry_after_a_lost_answer_succeeds_until_the_new_token_was_used(house: House) -> None:
    first = house.sign_in()
    lost = house.refresh(first["refresh_token"])[1]
    again = house.refresh(first["refresh_token"])[1]
    house.clock.pass_by(hours=1)
    late = house.refresh(first["refresh_token"])[1]
    assert lost["refresh_token"] == again["refresh_token"] == late["refresh_token"]
    assert house.refresh(late["refresh_token"])[0] == 200


def test_later_reuse_ends_the_family(house: House) -> None:
    first = house.sign_in()
    second = house.refresh(first["refresh_token"])[1]
    third = house.refresh(second["refresh_token"])[1]
    assert _works(house, third["access_token"])
    status, body = house.refresh(first["refresh_token"])
    assert (status, body["error"]) == (400, "invalid_grant")
    for held in (second, third):
        assert house.refresh(held["refresh_token"])[1]["error"] == "invalid_grant"
        assert not _works(house, held["access_token"])
    assert house.audit()[-1] == ("aino", "session.ended", "reuse")


def test_concurrent_refreshes_agree(house: House) -> None:
    held = house.sign_in()
    ring, now = keys.ring(house.config), house.clock.now()

    def renew(_: int) -> str | None:
        with house.database.write() as connection:
            renewal = families.renew(connection, ring, held["refresh_token"], "kelmu-tui", now)
        return renewal.refresh_token if renewal else None

    with ThreadPoolExecutor(8) as pool:
        answers = set(pool.map(renew, range(24)))
    assert len(answers) == 1
    assert None not in answers
    with house.database.read() as connection:
        assert len(connection.execute(select(refresh_token.c.id)).all()) == 2
    assert house.refresh(str(answers.pop()))[0] == 200


def test_concurrent_use_of_old_and_new_ends_the_family_or_not_but_never_splits_it(house: House) -> None:
    first = house.sign_in()
    second = house.refresh(first["refresh_token"])[1]
    ring, now = keys.ring(house.config), house.clock.now()

    def renew(token: str) -> bool:
        with house.database.write() as connection:
            return families.renew(connection, ring, token, "kelmu-tui", now) is not None

    with ThreadPoolExecutor(2) as pool:
        old, new = pool.map(renew, (first["refresh_token"], second["refresh_token"]))
    # Either the old one came first, then both are honest retries; or it came later, then the session ended.
    assert new
    assert _works(house, second["access_token"]) is old


def test_a_session_ends_after_twelve_hours_whatever_was_refreshed(house: House) -> None:
    held = house.sign_in()
    for _ in range(11):
        house.clock.pass_by(hours=1)
        held = house.refresh(held["refresh_token"])[1]
    house.clock.pass_by(minutes=57)
    last = house.refresh(held["refresh_token"])[1]
    assert last["expires_in"] == 180
    house.clock.pass_by(minutes=3)
    assert not _works(house, last["access_token"])
    assert house.refresh(last["refresh_token"])[1]["error"] == "invalid_grant"


def test_another_client_cannot_use_a_refresh_token(house: House) -> None:
    held = house.sign_in()
    with house.database.write() as connection:
        connection.execute(update(token_family).values(client="other"))
    assert house.refresh(held["refresh_token"])[1]["error"] == "invalid_grant"


def test_a_retry_still_works_when_the_hash_key_was_replaced(house: House) -> None:
    first = house.sign_in()
    second = house.refresh(first["refresh_token"])[1]
    (house.config.secret_folder / keys.FOLDER / "hash.json").unlink()
    other = house.refresh(first["refresh_token"])[1]
    assert other["refresh_token"] != second["refresh_token"]
    assert house.refresh(other["refresh_token"])[0] == 200
    # Two branches: the one not taken is a copy as far as anybody can tell.
    assert house.refresh(first["refresh_token"])[1]["error"] == "invalid_grant"


def test_an_administrator_ends_all_sessions_of_a_user(house: House) -> None:
    held = [house.sign_in(), house.sign_in()]
    begun = house.authorize()
    house.approve(begun["user_code"], "hostile")
    other = house.poll(begun["device_code"])[1]
    with house.database.write() as connection:
        assert families.end_all(connection, "aino", house.clock.now()) == 2
        assert families.end_all(connection, "aino", house.clock.now()) == 0
    assert [_works(house, each["access_token"]) for each in (*held, other)] == [False, False, True]
    assert house.audit()[-1] == ("aino", "session.ended", "administrator")


def test_sign_out_by_refresh_token_works_at_once_and_twice(house: House) -> None:
    held = house.sign_in()
    for _ in range(2):
        answer = house.http.post("/oauth/revoke", data={"client_id": "kelmu-tui", "token": held["refresh_token"]})
        assert (answer.status_code, answer.content) == (200, b"")
    assert not _works(house, held["access_token"])
    assert house.refresh(held["refresh_token"])[1]["error"] == "invalid_grant"
    assert [row for row in house.audit() if row[1] == "session.signed_out"] == [
        ("aino", "session.signed_out", "sign_out")
    ]


def test_sign_out_by_an_expired_access_token(house: House) -> None:
    held = house.sign_in()
    house.clock.pass_by(minutes=30)
    form = {"client_id": "kelmu-tui", "token": held["access_token"], "token_type_hint": "access_token"}
    assert house.http.post("/oauth/revoke", data=form).status_code == 200
    assert house.refresh(held["refresh_token"])[1]["error"] == "invalid_grant"


def test_revoking_what_is_no_token_answers_the_same_and_ends_nothing(house: House) -> None:
    held = house.sign_in()
    for token in ("unknown", "a.b.c", held["access_token"][:-4] + "AAAA"):
        answer = house.http.post("/oauth/revoke", data={"client_id": "kelmu-tui", "token": token})
        assert (answer.status_code, answer.content) == (200, b"")
    assert _works(house, held["access_token"])
    answer = house.http.post("/oauth/revoke", data={"client_id": "other", "token": held["refresh_token"]})
    assert answer.json()["error"] == "invalid_client"
    assert _works(house, held["access_token"])


def test_long_expired_sessions_are_forgotten(house: House) -> None:
    house.sign_in()
    house.clock.pass_by(hours=12 + 25)
    house.authorize()
    with house.database.read() as connection:
        assert connection.execute(select(token_family.c.id)).all() == []
        assert connection.execute(select(refresh_token.c.id)).all() == []


def test_audit_tells_the_whole_story_without_a_code_or_a_token(house: House) -> None:
    begun = house.authorize(device_name="työasema")
    headers = {"Kelmu-Request-Id": "req-1"}
    body = {"user_code": begun["user_code"], "persona": "aino"}
    assert house.http.post("/v1/demo/approve", json=body, headers=headers).status_code == 204
    house.poll(begun["device_code"])
    assert house.audit() == [("aino", "sign_in.approved", "done"), ("aino", "session.started", "done")]


def test_life_of_a_session_and_its_tokens_stay_within_the_rules() -> None:
    assert timedelta(hours=12) >= families.LIFE
    assert timedelta(minutes=10) >= tokens.LIFE
    assert keys.RETIRED_AFTER > tokens.LIFE
