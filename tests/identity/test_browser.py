"""The pages in a real Chromium with scripts switched off, against a real server on loopback.

With `KELMU_SCREENSHOTS=FOLDER` each page is also saved there as a picture.
"""

from __future__ import annotations

import os
import socket
import threading
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest
import uvicorn
from playwright.sync_api import Browser as Chromium
from playwright.sync_api import BrowserContext, Page, expect, sync_playwright

from kelmu_backend.identity.texts import Texts
from kelmu_tui.domain.organisations import Language
from tests.identity.conftest import DEVICE_GRANT, HOSTILE, build
from tests.support.requirements import program

pytestmark = pytest.mark.browser

FLAGS = (
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
)
PHONE = {"width": 320, "height": 640}
DESK = {"width": 1000, "height": 800}


class Server:
    """A terminal that signs in at a real uvicorn."""

    def __init__(self, url: str) -> None:
        self.http = httpx.Client(base_url=url, trust_env=False)

    def authorize(self, device_name: str) -> dict[str, str]:
        """Begin a sign-in."""
        form = {"client_id": "kelmu-tui", "device_name": device_name}
        answer: dict[str, str] = self.http.post("/oauth/device_authorization", data=form).raise_for_status().json()
        return answer

    def poll(self, device_code: str) -> dict[str, object]:
        """Ask for the tokens."""
        form = {"client_id": "kelmu-tui", "grant_type": DEVICE_GRANT, "device_code": device_code}
        answer: dict[str, object] = self.http.post("/oauth/token", data=form).json()
        return answer


@pytest.fixture
def server(tmp_path: Path) -> Iterator[Server]:
    """Give a running server."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        url = f"http://127.0.0.1:{listener.getsockname()[1]}"
        house = build(tmp_path, public_url=url)
        running = uvicorn.Server(uvicorn.Config(house.app, log_level="warning", access_log=False, lifespan="off"))
        thread = threading.Thread(target=running.run, kwargs={"sockets": [listener]}, name="uvicorn")
        thread.start()
        try:
            given = Server(url)
            yield given
            given.http.close()
        finally:
            running.should_exit = True
            thread.join(30)
            house.close()


@pytest.fixture(scope="module")
def chromium() -> Iterator[Chromium]:
    """Give the machine's Chromium."""
    path = program("chromium")
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=path, args=list(FLAGS))
        yield browser
        browser.close()


class Visitor:
    """Somebody in front of a browser, who reads one language and lets nothing be loaded from elsewhere."""

    def __init__(self, chromium: Chromium, server: Server, language: Language, *, phone: bool = False) -> None:
        self.t = Texts(language)
        self.context: BrowserContext = chromium.new_context(
            java_script_enabled=False,
            locale={"fi": "fi-FI", "sv": "sv-FI", "en": "en-GB"}[language],
            viewport=PHONE if phone else DESK,  # type: ignore[arg-type]
        )
        self.page: Page = self.context.new_page()
        self.asked: list[str] = []
        self.complaints: list[str] = []
        self.page.on("request", lambda request: self.asked.append(request.url))
        self.page.on("console", lambda message: self.complaints.append(message.text))
        self.url = str(server.http.base_url)
        self._name = f"{language}{'-phone' if phone else ''}"

    def look(self, name: str) -> None:
        """Check that the page fits its width, and take a picture of it where pictures are wanted."""
        box = self.page.locator("main").bounding_box()
        width = (self.page.viewport_size or DESK)["width"]
        assert box is not None
        assert box["x"] >= 0
        assert box["x"] + box["width"] <= width
        folder = os.environ.get("KELMU_SCREENSHOTS")
        if folder:
            self.page.screenshot(path=Path(folder) / f"{self._name}-{name}.png", full_page=True)

    def enter(self, user_code: str) -> None:
        """Open the first page, type the code as people do, go on."""
        self.page.goto(f"{self.url}/sign-in")
        expect(self.page.get_by_role("heading", level=1)).to_have_text(self.t("code.heading"))
        self.look("1-code")
        self.page.get_by_label(self.t("code.label"), exact=True).fill(user_code.lower().replace("-", " "))
        self.page.keyboard.press("Enter")

    def choose(self, name: str) -> None:
        """Choose a persona by name."""
        expect(self.page.get_by_role("heading", level=1)).to_have_text(self.t("identify.heading"))
        self.look("2-identify")
        self.page.get_by_role("button", name=name).click()
        expect(self.page.get_by_role("heading", level=1)).to_have_text(self.t("confirm.heading"))
        self.look("3-confirm")

    def leave(self) -> None:
        """Close the browser's window, having seen that nothing was blocked and nothing came from elsewhere."""
        assert self.complaints == []
        assert [url for url in self.asked if not url.startswith(self.url)] == []
        self.context.close()


@pytest.mark.parametrize("language", list(Language))
@pytest.mark.parametrize("phone", [False, True])
def test_approve(chromium: Chromium, server: Server, language: Language, phone: bool) -> None:
    begun = server.authorize("työasema-12")
    visitor = Visitor(chromium, server, language, phone=phone)
    visitor.enter(begun["user_code"])
    visitor.choose("Aino Virtanen")
    text = visitor.page.locator("main").inner_text()
    for shown in (begun["user_code"], "työasema-12", "127.0.0.1", "Aino Virtanen"):
        assert shown in text
    assert server.poll(begun["device_code"])["error"] == "authorization_pending"
    visitor.page.get_by_role("button", name=visitor.t("confirm.approve")).click()
    expect(visitor.page.get_by_role("heading", level=1)).to_have_text(visitor.t("done.approved_heading"))
    visitor.look("4-approved")
    tokens = server.poll(begun["device_code"])
    assert {"access_token", "refresh_token"} <= set(tokens)
    visitor.leave()


def test_refuse_and_come_back(chromium: Chromium, server: Server) -> None:
    begun = server.authorize("")
    visitor = Visitor(chromium, server, Language.FI)
    visitor.enter(begun["user_code"])
    visitor.choose("Aino Virtanen")
    visitor.page.get_by_role("button", name=visitor.t("confirm.refuse")).click()
    expect(visitor.page.get_by_role("heading", level=1)).to_have_text(visitor.t("done.refused_heading"))
    visitor.look("4-refused")
    assert server.poll(begun["device_code"])["error"] == "access_denied"
    visitor.page.go_back()
    expect(visitor.page.get_by_role("alert")).to_contain_text(visitor.t("mistake.refused"))
    visitor.look("5-mistake")
    assert "tokens" not in server.poll(begun["device_code"])


def test_the_complete_address_then_another_language_then_a_wrong_code(chromium: Chromium, server: Server) -> None:
    begun = server.authorize("asema")
    visitor = Visitor(chromium, server, Language.FI)
    visitor.page.goto(begun["verification_uri_complete"])
    field = visitor.page.locator("#user_code")
    expect(field).to_have_value(begun["user_code"])
    visitor.page.get_by_role("link", name="Svenska").click()
    expect(visitor.page.locator("html")).to_have_attribute("lang", "sv")
    expect(field).to_have_value(begun["user_code"])
    field.fill("BBBBB-BBBBB")
    visitor.page.get_by_role("button").click()
    expect(visitor.page.get_by_role("alert")).to_contain_text(Texts(Language.SV)("mistake.wrong"))
    visitor.page.get_by_role("link", name="English").click()
    expect(visitor.page.get_by_role("heading", level=1)).to_have_text(Texts(Language.EN)("code.heading"))


def test_a_hostile_device_and_name_stay_text(chromium: Chromium, server: Server) -> None:
    begun = server.authorize(HOSTILE + "\u202eevil" + "w" * 60)
    visitor = Visitor(chromium, server, Language.SV, phone=True)
    visitor.enter(begun["user_code"])
    visitor.choose(HOSTILE)
    assert HOSTILE in visitor.page.locator("dd").nth(1).inner_text()
    assert "\u202e" not in visitor.page.content()
    assert visitor.page.locator("script").count() == 0


def test_the_pages_can_be_used_with_the_keyboard_alone(chromium: Chromium, server: Server) -> None:
    begun = server.authorize("asema")
    visitor = Visitor(chromium, server, Language.FI)
    visitor.enter(begun["user_code"])
    expect(visitor.page.get_by_role("heading", level=1)).to_have_text(visitor.t("identify.heading"))
    for _ in range(3):  # the two links to other languages, then the first person
        visitor.page.keyboard.press("Tab")
    visitor.page.keyboard.press("Enter")
    expect(visitor.page.get_by_role("heading", level=1)).to_have_text(visitor.t("confirm.heading"))
    for _ in range(3):
        visitor.page.keyboard.press("Tab")
    visitor.page.keyboard.press("Enter")
    expect(visitor.page.get_by_role("heading", level=1)).to_have_text(visitor.t("done.approved_heading"))
