"""What the sign-in pages are made of: no scripts, escaped text, strict headers and cookies, enough contrast."""

from __future__ import annotations

import re
from html.parser import HTMLParser

import httpx
import pytest

from kelmu_backend.identity.texts import Texts
from kelmu_tui.domain.organisations import Language
from tests.identity.conftest import HOSTILE, Browser, House

FI = Texts(Language.FI)


def _all_pages(house: House, browser: Browser) -> list[httpx.Response]:
    begun = house.authorize(device_name=HOSTILE)
    answers: list[httpx.Response] = []
    browser.http.event_hooks = {"response": [answers.append]}
    browser.open("/sign-in/confirm")
    browser.open("/sign-in")
    browser.send("/sign-in", user_code="wrong")
    browser.send("/sign-in", user_code=begun["user_code"])
    browser.send("/sign-in/identify", persona="nobody")
    browser.send("/sign-in/identify", persona="hostile")
    browser.send("/sign-in/confirm", decision="perhaps")
    browser.send("/sign-in/confirm", decision="approve")
    assert len(answers) == 11
    return answers


class _Reader(HTMLParser):
    """Collects what must and must not stand in a page."""

    def __init__(self) -> None:
        super().__init__()
        self.tags: list[str] = []
        self.attributes: list[tuple[str, str | None]] = []
        self.labelled: set[str] = set()
        self.inputs: set[str] = set()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Take a tag."""
        self.tags.append(tag)
        self.attributes += attrs
        values = dict(attrs)
        if tag == "label":
            self.labelled.add(str(values["for"]))
        if tag == "input" and values.get("type") != "hidden":
            self.inputs.add(str(values.get("id")))


def test_pages_hold_no_script_and_escape_hostile_names(house: House, browser: Browser) -> None:
    pages = [answer for answer in _all_pages(house, browser) if answer.status_code != 303]
    assert any("&lt;script&gt;alert(1)" in page.text for page in pages)
    for page in pages:
        reader = _Reader()
        reader.feed(page.text)
        assert "49" not in re.sub(r'value="\w{64}"', "", page.text)
        assert not {"script", "style", "iframe", "img", "object", "base"} & set(reader.tags)
        assert not [name for name, _ in reader.attributes if name.startswith("on") or name == "style"]
        assert not [value for _, value in reader.attributes if value and value.lower().startswith("javascript:")]
        assert reader.tags.count("h1") == reader.tags.count("main") == reader.tags.count("title") == 1
        assert reader.inputs == reader.labelled


def test_every_answer_has_the_strict_headers(house: House, browser: Browser) -> None:
    for answer in [*_all_pages(house, browser), house.http.get("/sign-in/style.css")]:
        policy = answer.headers["content-security-policy"]
        assert policy.startswith("default-src 'none'; style-src 'self'; ")
        assert "frame-ancestors 'none'" in policy
        assert "unsafe" not in policy
        assert answer.headers["x-frame-options"] == "DENY"
        assert answer.headers["referrer-policy"] == "no-referrer"
        assert answer.headers["x-content-type-options"] == "nosniff"
        if "text/html" in answer.headers.get("content-type", "text/html"):
            assert answer.headers["cache-control"] == "no-store"


def test_no_code_stands_in_an_address_after_the_first_page(house: House, browser: Browser) -> None:
    for answer in _all_pages(house, browser):
        assert "user_code" not in str(answer.request.url)
        assert "user_code" not in answer.headers.get("location", "")


def test_cookies_are_closed_to_scripts_and_other_sites(house: House, real_house: House) -> None:
    for built, secure in ((house, False), (real_house, True)):
        browser = Browser(built.client())
        begun = built.authorize()
        browser.open("/sign-in?lang=sv")
        token = re.findall(r'name="csrf" value="(\w+)"', browser.text)[0]
        answer = browser.http.post("/sign-in", data={"csrf": token, "user_code": begun["user_code"]})
        cookies = answer.headers.get_list("set-cookie")
        assert len(cookies) == 2
        for cookie in cookies:
            assert "HttpOnly" in cookie
            assert "SameSite=strict" in cookie
            assert "Path=/" in cookie
            assert ("Secure" in cookie) is secure
            assert cookie.startswith("__Host-") is secure


def test_a_real_server_without_identification_says_so(real_house: House) -> None:
    browser = Browser(real_house.client(**{"Accept-Language": "fi"}))
    begun = real_house.authorize()
    browser.open("/sign-in")
    browser.send("/sign-in", user_code=begun["user_code"])
    assert (browser.status, browser.heading) == (503, FI("identify.unconfigured_heading"))
    assert "Aino" not in browser.text
    assert FI("page.demo") not in browser.text


def test_a_real_server_takes_no_persona_by_hand(real_house: House) -> None:
    browser = Browser(real_house.client(**{"Accept-Language": "fi"}))
    begun = real_house.authorize()
    browser.open("/sign-in")
    token = re.findall(r'name="csrf" value="(\w+)"', browser.text)[0]
    browser.http.post("/sign-in", data={"csrf": token, "user_code": begun["user_code"]})
    # The form isn't shown, but its token can be had from the first page of the same browser.
    token = re.findall(r'name="csrf" value="(\w+)"', browser.open("/sign-in"))[0]
    answer = browser.http.post("/sign-in/identify", data={"csrf": token, "persona": "aino"})
    assert answer.status_code == 503
    assert browser.http.get("/sign-in/confirm").headers["location"] == "/sign-in/identify"


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_text_has_enough_contrast(house: House, scheme: str) -> None:
    style = house.http.get("/sign-in/style.css").text
    roots = re.findall(r":root \{(.*?)\}", style, re.DOTALL)
    colours = dict(re.findall(r"--([\w-]+): (#[0-9a-f]{6})", roots[0 if scheme == "light" else 1]))
    pairs = [("ink", "paper"), ("ink", "ground"), ("soft", "paper"), ("soft", "ground"), ("accent", "paper")]
    pairs += [("accent", "ground"), ("on-accent", "accent"), ("bad", "bad-ground"), ("good", "good-ground")]
    for front, back in [*pairs, ("care", "care-ground")]:
        assert _contrast(colours[front], colours[back]) >= 4.5, (scheme, front, back)


def _contrast(front: str, back: str) -> float:
    """Return the contrast of two colours by WCAG 2.2."""

    def luminance(colour: str) -> float:
        parts = [int(colour[place : place + 2], 16) / 255 for place in (1, 3, 5)]
        linear = [part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in parts]
        return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]

    lighter, darker = sorted((luminance(front), luminance(back)), reverse=True)
    return (lighter + 0.05) / (darker + 0.05)
