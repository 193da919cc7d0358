"""The sign-in pages as a browser without scripts meets them."""

from __future__ import annotations

import re

import pytest
from sqlalchemy import select, update

from kelmu_backend.identity import codes, grants, guesses, texts
from kelmu_backend.identity.tables import device_grant, guess, sitting
from kelmu_backend.identity.texts import Texts
from kelmu_tui.domain.organisations import Language
from tests.identity.conftest import FORM, Browser, House

FI = Texts(Language.FI)


def test_the_whole_way_to_approval(house: House, browser: Browser) -> None:
    begun = house.authorize(device_name="asema-12 (Nokia)")
    browser.open("/sign-in")
    assert browser.heading == FI("code.heading")
    browser.send("/sign-in", user_code=begun["user_code"])
    assert browser.heading == FI("identify.heading")
    assert "Oikea Henkilö" not in browser.text
    browser.send("/sign-in/identify", persona="aino")
    assert browser.heading == FI("confirm.heading")
    for shown in ("asema-12 (Nokia)", begun["user_code"], "192.0.2.1", "10:00", "Aino Virtanen", "sosiaalityöntekijä"):
        assert shown in browser.text
    assert house.poll(begun["device_code"])[1]["error"] == "authorization_pending"
    browser.send("/sign-in/confirm", decision="approve")
    assert browser.heading == FI("done.approved_heading")
    assert house.poll(begun["device_code"])[0] == 200
    browser.open("/sign-in/done")
    assert browser.heading == FI("done.approved_heading")


def test_the_whole_way_to_refusal(house: House, browser: Browser) -> None:
    begun = house.authorize()
    browser.reach_question(begun["user_code"])
    assert FI("confirm.unknown_device") in browser.text
    browser.send("/sign-in/confirm", decision="refuse")
    assert browser.heading == FI("done.refused_heading")
    assert house.poll(begun["device_code"])[1]["error"] == "access_denied"
    assert house.audit() == [("aino", "sign_in.refused", "done")]
    browser.open("/sign-in/confirm")
    assert FI("mistake.refused") in browser.text


def test_a_complete_address_fills_the_code_in_but_does_not_send_it(house: House, browser: Browser) -> None:
    begun = house.authorize()
    browser.open(begun["verification_uri_complete"])
    assert f'value="{begun["user_code"]}"' in browser.text
    assert "&amp;lang=sv" in browser.text
    assert house.poll(begun["device_code"])[1]["error"] == "authorization_pending"
    browser.open("/sign-in?user_code=%22%3E%3Cscript%3E")
    assert "script" not in browser.text


@pytest.mark.parametrize(("language", "code"), [(each, each.value) for each in Language])
def test_pages_speak_the_language_of_the_browser(house: House, language: Language, code: str) -> None:
    t = Texts(language)
    browser = Browser(house.client(**{"Accept-Language": f"de, {code};q=0.8, *;q=0.1"}))
    begun = house.authorize()
    headings = [t(key) for key in ("code.heading", "identify.heading", "confirm.heading", "done.approved_heading")]
    seen = []
    browser.open("/sign-in")
    for path, fields in (
        ("/sign-in", {"user_code": begun["user_code"]}),
        ("/sign-in/identify", {"persona": "aino"}),
        ("/sign-in/confirm", {"decision": "approve"}),
    ):
        seen.append(browser.heading)
        assert f'<html lang="{code}">' in browser.text
        browser.send(path, **fields)
    assert [*seen, browser.heading] == headings


def test_links_switch_the_language_for_the_rest_of_the_visit(house: House, browser: Browser) -> None:
    begun = house.authorize()
    browser.open("/sign-in")
    assert 'href="/sign-in?lang=sv" lang="sv" hreflang="sv">Svenska' in browser.text
    browser.open("/sign-in?lang=sv")
    browser.send("/sign-in", user_code=begun["user_code"])
    assert browser.heading == Texts(Language.SV)("identify.heading")
    assert "socialarbetare" in browser.text
    assert "Birkalands välfärdsområde" in browser.text
    browser.open("/sign-in/identify?lang=xx")
    assert browser.heading == Texts(Language.SV)("identify.heading")


@pytest.mark.parametrize(
    ("header", "language"),
    [
        ("", "fi"),
        ("de", "fi"),
        ("sv-FI,fi;q=0.9", "sv"),
        ("fi;q=0.3, en-GB;q=0.8, sv;q=0.5", "en"),
        ("en;q=nonsense, sv;q=0.1", "sv"),
        ("sv;q=0", "fi"),
        ("," * 5000, "fi"),
    ],
)
def test_accept_language(header: str, language: str) -> None:
    assert texts.preferred(header) == language


def test_each_bad_code_has_its_message(house: House, browser: Browser) -> None:
    used, refused, expired = house.authorize(), house.authorize(), house.authorize()
    house.approve(used["user_code"])
    with house.database.write() as connection:
        connection.execute(
            update(device_grant)
            .where(device_grant.c.state == "pending", device_grant.c.id.in_(_ids(house, refused)))
            .values(state=grants.State.REFUSED.value)
        )
    browser.open("/sign-in")
    for typed, key, status in (
        ("BCDFG-HJKLM", "mistake.wrong", 400),
        ("nonsense", "mistake.wrong", 400),
        ("", "mistake.wrong", 400),
        (used["user_code"], "mistake.used", 410),
        (refused["user_code"], "mistake.refused", 410),
    ):
        browser.send("/sign-in", user_code=typed)
        assert (browser.status, key, FI(key) in browser.text) == (status, key, True)
        assert len(re.findall(r'role="alert"', browser.text)) == 1
    house.clock.pass_by(minutes=5)
    browser.send("/sign-in", user_code=expired["user_code"])
    assert (browser.status, FI("mistake.expired") in browser.text) == (410, True)


def _ids(house: House, begun: dict[str, str]) -> list[str]:
    return [codes.digest(begun["device_code"])]


def test_ten_wrong_codes_and_the_right_one_is_not_taken_either(house: House, browser: Browser) -> None:
    begun = house.authorize()
    browser.open("/sign-in")
    wrong = [f"BBBBB-BBBB{letter}" for letter in "BCDFGHJKLM"]
    for code in wrong:
        browser.send("/sign-in", user_code=code)
        assert browser.status == 400
    browser.send("/sign-in", user_code=begun["user_code"])
    assert browser.status == 429
    assert FI("mistake.limited", minutes=10) in browser.text
    assert house.approve(begun["user_code"], client=browser.http) == 429
    assert [row for row in house.audit() if row[2] == "limit_reached"] == [("-", "sign_in.failed", "limit_reached")]
    assert len(house.audit()) == 10
    # Another address isn't affected; the same one may go on when its window has passed.
    assert house.approve(begun["user_code"]) == 204
    house.clock.pass_by(minutes=10)
    browser.send("/sign-in", user_code=house.authorize()["user_code"])
    assert browser.heading == FI("identify.heading")


def test_the_limit_counts_page_and_terminal_together_and_a_success_does_not_reset_it(house: House) -> None:
    for number in range(guesses.LIMIT):
        if number == 5:
            assert house.approve(house.authorize()["user_code"]) == 204
        assert house.approve("BCDFG-HJKLM") == 404
    begun = house.authorize()
    assert house.approve(begun["user_code"]) == 429
    house.clock.pass_by(minutes=9, seconds=59)
    assert house.approve(begun["user_code"]) == 429


def test_an_ipv6_network_is_one_source(house: House) -> None:
    for number in range(guesses.LIMIT):
        house.approve("BCDFG-HJKLM", client=house.client(f"2001:db8:0:1::{number + 1}"))
    begun = house.authorize()
    assert house.approve(begun["user_code"], client=house.client("2001:db8:0:1:ffff::9")) == 429
    assert house.approve(begun["user_code"], client=house.client("2001:db8:0:2::1")) == 204


def test_sources_are_stored_keyed_and_forgotten(house: House) -> None:
    house.approve("BCDFG-HJKLM")
    with house.database.read() as connection:
        assert "192.0.2" not in str(connection.execute(select(guess)).all())
    house.clock.pass_by(minutes=11)
    house.approve("BCDFG-HJKLM", client=house.client("192.0.2.200"))
    with house.database.read() as connection:
        assert len(connection.execute(select(guess)).all()) == 1


# --- forms from elsewhere -------------------------------------------------------------------------------------------


@pytest.mark.parametrize("path", ["/sign-in", "/sign-in/identify", "/sign-in/confirm"])
def test_forms_without_the_token_of_this_browser_are_refused(house: House, browser: Browser, path: str) -> None:
    begun = house.authorize()
    browser.reach_question(begun["user_code"])
    other = Browser(house.client("203.0.113.5"))
    other.open("/sign-in")
    token = re.findall(r'name="csrf" value="(\w+)"', other.text)[0]
    fields = {"user_code": begun["user_code"], "persona": "aino", "decision": "approve"}
    for csrf in ({}, {"csrf": ""}, {"csrf": token}, {"csrf": "ä"}):
        answer = browser.http.post(path, data={**fields, **csrf})
        assert answer.status_code == 403
        assert FI("lost.text") in answer.text
    assert browser.http.post(path, content=b"csrf=%ff", headers=FORM).status_code == 403
    assert house.poll(begun["device_code"])[1]["error"] == "authorization_pending"


def test_a_token_is_worth_nothing_without_its_cookie(house: House, browser: Browser) -> None:
    begun = house.authorize()
    browser.reach_question(begun["user_code"])
    browser.http.cookies.clear()
    browser.send("/sign-in/confirm", decision="approve")
    assert browser.status == 403


def test_a_cookie_planted_before_is_worth_nothing_after(house: House) -> None:
    begun = house.authorize()
    victim = Browser(house.client("198.51.100.7"))
    victim.open("/sign-in")
    planted = dict(victim.http.cookies)
    victim.send("/sign-in", user_code=begun["user_code"])
    middle = dict(victim.http.cookies)
    victim.send("/sign-in/identify", persona="aino")
    for stolen in (planted, middle):
        thief = Browser(house.client("203.0.113.5"))
        thief.http.cookies.update({**stolen, "kelmu-code": begun["user_code"]})
        thief.open("/sign-in/confirm")
        assert thief.status == 400
    with house.database.read() as connection:
        assert len(connection.execute(select(sitting)).all()) == 1


@pytest.mark.parametrize("path", ["/sign-in/identify", "/sign-in/confirm", "/sign-in/done"])
def test_pages_in_the_middle_send_a_stranger_to_the_start(house: House, browser: Browser, path: str) -> None:
    browser.open(path)
    assert browser.status == 400
    assert browser.heading == FI("lost.heading")
    assert 'href="/sign-in"' in browser.text


def test_steps_cannot_be_skipped(house: House, browser: Browser) -> None:
    begun = house.authorize()
    browser.open("/sign-in")
    browser.send("/sign-in", user_code=begun["user_code"])
    browser.send("/sign-in/confirm", decision="approve")
    assert browser.heading == FI("identify.heading")
    for persona in ("real", "nobody", ""):
        browser.send("/sign-in/identify", persona=persona)
        assert (browser.status, FI("identify.unknown") in browser.text) == (400, True)
    browser.open("/sign-in/done")
    assert browser.heading == FI("identify.heading")
    browser.send("/sign-in/identify", persona="aino")
    browser.send("/sign-in/confirm", decision="perhaps")
    assert (browser.status, FI("confirm.choose") in browser.text) == (400, True)
    assert house.poll(begun["device_code"])[1]["error"] == "authorization_pending"


def test_a_code_that_expires_on_the_way_approves_nothing(house: House, browser: Browser) -> None:
    begun = house.authorize()
    browser.reach_question(begun["user_code"])
    house.clock.pass_by(minutes=5)
    browser.send("/sign-in/confirm", decision="approve")
    assert (browser.status, FI("mistake.expired") in browser.text) == (410, True)
    assert house.poll(begun["device_code"])[1]["error"] == "expired_token"


def test_of_two_browsers_the_first_decides(house: House, browser: Browser) -> None:
    begun = house.authorize()
    other = Browser(house.client("203.0.113.5", **{"Accept-Language": "fi"}))
    browser.reach_question(begun["user_code"])
    other.reach_question(begun["user_code"], "hostile")
    other.send("/sign-in/confirm", decision="refuse")
    browser.send("/sign-in/confirm", decision="approve")
    assert FI("mistake.refused") in browser.text
    assert house.poll(begun["device_code"])[1]["error"] == "access_denied"
