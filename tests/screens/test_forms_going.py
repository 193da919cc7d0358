"""Forms that go after waiting: each takes only itself away, whatever covers it by then, and gives its answer once."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from textual import events
from textual.pilot import Pilot

from kelmu_tui.screens.claim_begin import Begin
from kelmu_tui.screens.claim_form import ClaimFormScreen
from kelmu_tui.screens.claim_preview import PreviewScreen
from kelmu_tui.screens.documents import DocumentsScreen
from kelmu_tui.screens.face import Face
from kelmu_tui.screens.help import HelpScreen
from kelmu_tui.screens.lock import Hindrance, LockScreen
from kelmu_tui.screens.sending_form import Begin as BeginSending
from kelmu_tui.screens.sending_form import SendingFormScreen
from kelmu_tui.store.errors import StoreFull
from tests.screens import sendings
from tests.screens.claim_forms import ASSISTANCE, NAME, drafts, filling, form, kept, on_top, say
from tests.screens.claims import words
from tests.screens.sendings import SendingsOffice, fill_in
from tests.screens.support import press, settled, text_of
from tests.store.customer_lines import CODE
from tests.widgets.support import until

CUSTOMER = Begin.customer(CODE, NAME)


@contextmanager
def held_up(monkeypatch: pytest.MonkeyPatch, target: object, name: str) -> Iterator[threading.Event]:
    """Let a method of a service wait until the event is set, at the latest when the test ends."""
    gate, real = threading.Event(), getattr(target, name)

    def waiting(*arguments: Any, **options: Any) -> Any:
        gate.wait(30)
        return real(*arguments, **options)

    monkeypatch.setattr(target, name, waiting)
    try:
        yield gate
    finally:
        gate.set()


async def lock(app: Face, pilot: Pilot[Any]) -> LockScreen:
    """Put the lock over everything, as the app does before it closes the files."""

    async def unlock(_typed: str) -> Hindrance | None:
        return None

    screen = LockScreen(lambda: "keyring", unlock, "")
    app.push_screen(screen)
    await until(pilot, lambda: app.screen is screen and screen.ready, "the lock")
    return screen


# --- documents -------------------------------------------------------------------------------------------------------


@contextmanager
def sealing(app: SendingsOffice, monkeypatch: pytest.MonkeyPatch) -> Iterator[threading.Event]:
    """Let sealing take until the event is set."""
    assert app.desk is not None
    with held_up(monkeypatch, app.desk.sendings, "seal") as gate:
        yield gate


async def send(app: SendingsOffice, pilot: Pilot[Any]) -> SendingFormScreen:
    """Fill in a form and send it, and wait until it is being sealed."""
    await fill_in(app, pilot, app.file("a.pdf"))
    screen = sendings.form(app)
    await pilot.press("ctrl+s", "enter")
    await until(pilot, lambda: screen.sealing is not None, "sealing")
    return screen


async def test_a_dialog_over_the_form_stays_until_it_is_left_and_the_sending_is_one(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with sendings.filling(tmp_path, BeginSending(CODE, NAME)) as (app, pilot):
        with sealing(app, monkeypatch) as gate:
            screen = await send(app, pilot)
            app.action_app_help()
            await until(pilot, lambda: isinstance(app.screen, HelpScreen) and app.screen.ready, "the keys")
            gate.set()
            await until(pilot, lambda: screen.sealing is None, "the end of sealing")
            await settled(pilot)
        assert isinstance(app.screen, HelpScreen)
        assert screen.busy
        screen.action_sending_form_preview()
        assert isinstance(app.screen, HelpScreen)
        await press(pilot, "escape")
        assert isinstance(app.screen, DocumentsScreen)
        assert "Lähetys on jätetty" in text_of(app)
        assert app.held() == 1
        await press(pilot, "u")
        assert app.held() == 0


async def test_the_lock_stays_when_the_sending_is_committed_below_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with sendings.filling(tmp_path, BeginSending(CODE, NAME)) as (app, pilot):
        with sealing(app, monkeypatch) as gate:
            screen = await send(app, pilot)
            locked = await lock(app, pilot)
            gate.set()
            await until(pilot, lambda: screen.sealing is None, "the end of sealing")
            await settled(pilot)
        assert app.screen is locked
        assert app.held() == 1
        await app.pop_screen()
        await settled(pilot)
        assert sendings.top(app) is DocumentsScreen
        await press(pilot, "u")
        assert app.held() == 0


async def test_while_it_is_sealed_no_key_changes_it_or_puts_a_dialog_over_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with sendings.filling(tmp_path, BeginSending(CODE, NAME)) as (app, pilot):
        with sealing(app, monkeypatch) as gate:
            screen = await send(app, pilot)
            for field in ("files", "way"):
                screen.set_focus(screen.query_one(f"#{field}"))
                for key in ("f1", "f3", "f4", "f5", "f6", "f7", "f8", "ctrl+s", "delete", "k", "enter", "escape"):
                    await pilot.press(key)
                    assert app.screen is screen, key
                    assert len(screen.files.all) == 1, key
            assert "Kopioita suojataan juuri" in text_of(app)
            assert screen.values["way"] == "telephone"
            gate.set()
            await until(pilot, lambda: isinstance(app.screen, DocumentsScreen), "the list")
        assert app.held() == 1


# --- claims ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("ahead", ["escape", "f9"])
@pytest.mark.parametrize("keys", [("ctrl+s",), ("f2", "enter")], ids=["form", "preview"])
async def test_keys_typed_ahead_of_a_registration_do_not_leave_it_unsaid(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, keys: tuple[str, ...], ahead: str
) -> None:
    async with filling(tmp_path, CUSTOMER) as (app, pilot, answers):
        said, tell = list[str](), app.say

        def hear(text: str, **options: Any) -> None:
            said.append(text)
            tell(text, **options)

        await say(app, pilot, ASSISTANCE)
        await kept(app, pilot)
        monkeypatch.setattr(app, "say", hear)
        *before, last = keys
        await press(pilot, *before)
        desk = app.desk
        assert desk is not None
        with held_up(monkeypatch, desk.claims, "register") as gate:
            app.post_message(events.Key(last, None))
            await until(pilot, lambda: form(app)._registering, "registering")
            app.post_message(events.Key(ahead, None))
            await until(pilot, lambda: app._held or app._key_guard or not on_top(app, ClaimFormScreen), "the next key")
            gate.set()
            await settled(pilot)
        assert not any(isinstance(one, ClaimFormScreen) for one in app.screen_stack)
        assert [len(answer or ()) for answer in answers] == [1]
        assert app.t("claim_form.registered") in said
        assert app.t("claim_form.draft_kept") not in said
        assert [verb for verb, _, _ in app.commands()] == ["claim-register"]
        assert drafts(app) == []
        assert app.pokes


async def test_the_lock_stays_when_a_claim_is_registered_below_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with filling(tmp_path, CUSTOMER) as (app, pilot, answers):
        await say(app, pilot, ASSISTANCE)
        await kept(app, pilot)
        screen, desk = form(app), app.desk
        assert desk is not None
        with held_up(monkeypatch, desk.claims, "register") as gate:
            app.spawn("test.register", screen._register())
            locked = await lock(app, pilot)
            gate.set()
            await until(pilot, lambda: not screen._registering, "the end of registering")
            await settled(pilot)
        assert app.screen is locked
        assert answers == []
        await app.pop_screen()
        await settled(pilot)
        assert not any(isinstance(one, ClaimFormScreen) for one in app.screen_stack)
        assert [len(answer or ()) for answer in answers] == [1]
        assert app.t("claim_form.registered") in words(app)


async def test_a_full_disk_while_registering_from_the_preview_loses_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(*_arguments: Any, **_options: Any) -> str:
        raise StoreFull

    async with filling(tmp_path, CUSTOMER) as (app, pilot, answers):
        await say(app, pilot, ASSISTANCE)
        await kept(app, pilot)
        desk = app.desk
        assert desk is not None
        with monkeypatch.context() as patch:
            patch.setattr(desk.claims, "register", full)
            await press(pilot, "f2")
            assert on_top(app, PreviewScreen)
            await press(pilot, "enter")
            assert on_top(app, ClaimFormScreen)
            patch.setattr(desk.claims, "drop_draft", full)
            await press(pilot, "f9", "down", "enter")
            assert on_top(app, ClaimFormScreen)
        assert answers == []
        assert app.typing is form(app).typing
        await press(pilot, "ctrl+s")
        assert len(answers) == 1
