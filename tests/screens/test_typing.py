"""Typing while the ground moves: mandates change, the lease ends, the program is killed; the text is there again."""

from __future__ import annotations

import shutil
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import delete, update
from textual.pilot import Pilot

from kelmu_backend.database import tables
from kelmu_tui.domain.capabilities import DOCUMENTS_SEND, NOTICES_INBOX, PAYMENT_CLAIMS_REGISTER, mandates, opens_for
from kelmu_tui.domain.organisations import OrganisationType
from kelmu_tui.screens import drafting
from kelmu_tui.screens.claim_form import ClaimFormScreen
from kelmu_tui.screens.claims import ClaimsScreen
from kelmu_tui.screens.closed import ClosedScreen
from kelmu_tui.screens.confirm import ConfirmScreen
from kelmu_tui.screens.customers import CustomersScreen
from kelmu_tui.screens.documents import DocumentsScreen
from kelmu_tui.screens.house import KelmuApp
from kelmu_tui.screens.inbox import InboxScreen
from kelmu_tui.screens.note import NoteScreen
from kelmu_tui.screens.outbox import OutboxScreen
from kelmu_tui.screens.personas import PersonasScreen
from kelmu_tui.screens.sending_form import SendingFormScreen
from kelmu_tui.screens.transfer import TransferScreen
from kelmu_tui.services.claim_typing import Field
from kelmu_tui.services.inbox import NotAllowed
from kelmu_tui.store import drafts, replica
from kelmu_tui.store.database import Store
from kelmu_tui.store.rows import NoticeLine
from kelmu_tui.widgets.block_field import BlockField
from tests.content.files import plain_pdf
from tests.screens.house import House, at_work, running
from tests.screens.support import text_of
from tests.screens.test_lease import Ahead
from tests.widgets.support import until

INBOX, CLAIMS, SENDING = (
    [m.id for m in mandates().values() if what in opens_for(m, OrganisationType.WELLBEING_COUNTY)]
    for what in (NOTICES_INBOX, PAYMENT_CLAIMS_REGISTER, DOCUMENTS_SEND)
)


def revoke(house: House, app: KelmuApp, *, keep: list[str]) -> None:
    """Take from the user every mandate but those of `keep`."""
    assert app.desk is not None
    user, grant = app.desk.session.user_id, tables.grant
    with house.database.write() as connection:
        connection.execute(delete(grant).where(grant.c.user == user, grant.c.mandate.not_in(keep)))
        raised = tables.app_user.c.grant_revision + 1
        connection.execute(update(tables.app_user).where(tables.app_user.c.id == user).values(grant_revision=raised))


async def begin(app: KelmuApp, pilot: Pilot[Any], inbox: InboxScreen, text: str) -> str:
    """Begin a note to a notice and return the notice's id."""
    row = next(row for row in inbox.rows.rows if isinstance(row, NoticeLine))
    inbox.rows.jump(row.id)
    await pilot.press("n", *text)
    await until(pilot, lambda: field(app) == text, "the text")
    return row.id


def field(app: KelmuApp) -> str | None:
    screen = app.screen
    found = screen.query(BlockField) if isinstance(screen, NoteScreen | TransferScreen) else None
    return found.first().text if found else None


def kept(app: KelmuApp) -> list[str]:
    assert app._store is not None
    with app._store.read() as db:
        return [line.text for line in drafts.lines(db, app._store.clock.now())]


async def test_the_note_goes_on_over_the_new_desk_when_mandates_change(house: House) -> None:
    app = house.app()
    async with running(app) as pilot:
        inbox = await at_work(app, pilot)
        await begin(app, pilot, inbox, "soitin")
        before = app.desk
        revoke(house, app, keep=INBOX)
        app.action_main_sync()
        await until(pilot, lambda: app.desk is not before and field(app) == "soitin", "the dialog over the new desk")
        await until(pilot, lambda: "app.renew" not in app.tasks.names, "the end of the change")
        await pilot.press(*"aa")
        await until(pilot, lambda: field(app) == "soitinaa", "the rest of the word")
        await pilot.press("ctrl+s")
        await until(pilot, lambda: isinstance(app.screen, InboxScreen), "the inbox")
        await until(pilot, lambda: kept(app) == [] and app._status.queued == 0, "the note to be sent")


async def test_keys_in_the_middle_of_the_change_are_text_and_no_commands(
    house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    app = house.app()
    async with running(app) as pilot:
        inbox = await at_work(app, pilot)
        await begin(app, pilot, inbox, "so")
        opened = app.open_desk

        async def typing_meanwhile(context: Any) -> None:
            for key in "dad":
                app.simulate_key(key)
            await opened(context)

        monkeypatch.setattr(app, "open_desk", typing_meanwhile)
        revoke(house, app, keep=INBOX)
        app.action_main_sync()
        await until(pilot, lambda: field(app) == "sodad", "the keys in the text")
        assert app._store is not None
        with app._store.read() as db:
            assert db.execute("SELECT count(*) FROM command").fetchone() == (0,)


def taken_away(store: Store, notice: str) -> None:
    """Do to the replica what the feed does when somebody transfers a notice."""
    with store.write("replica") as db:
        (generation,) = db.execute("SELECT generation FROM replica.notice WHERE id = ?", (notice,)).fetchone()
        replica.remove(db, generation, notice)
        store.changed("notice", keys=[notice])


async def test_a_transfer_that_is_not_open_any_more_is_kept_and_shown(house: House) -> None:
    app = house.app()
    async with running(app) as pilot:
        inbox = await at_work(app, pilot)
        row = next(
            row for row in inbox.rows.rows if isinstance(row, NoticeLine) and row.kind.value != "immigrant_2_months"
        )
        inbox.rows.jump(row.id)
        await pilot.press("t")
        await until(pilot, lambda: isinstance(app.screen, TransferScreen) and app.screen.ready, "the transfer")
        await pilot.press("tab", *"muutto")
        await until(pilot, lambda: field(app) == "muutto", "the reason")
        assert app.desk is not None
        await app.desk.run(taken_away, app._store, row.id)
        revoke(house, app, keep=INBOX)
        app.action_main_sync()
        await until(pilot, lambda: isinstance(app.screen, ConfirmScreen) and app.screen.ready, "what became of it")
        await until(pilot, lambda: app.t("inbox.draft_aside_title") in text_of(app), "its title")
        await pilot.press(*"dda")
        assert isinstance(app.screen, ConfirmScreen)
        await pilot.press("down", "enter")
        await until(pilot, lambda: isinstance(app.screen, OutboxScreen) and "muutto" in text_of(app), "the text")


async def test_the_text_stays_when_nothing_is_open_any_more(house: House) -> None:
    app = house.app()
    async with running(app) as pilot:
        inbox = await at_work(app, pilot)
        await begin(app, pilot, inbox, "soitin")
        revoke(house, app, keep=[])
        app.action_main_sync()
        await until(pilot, lambda: isinstance(app.screen, ClosedScreen), "the explanation")
        await until(pilot, lambda: app.t("organisations.ended_typed") in text_of(app), "the word on the text")
        assert kept(app) == ["soitin"]


# --- a claim, whose draft goes with its mandate ----------------------------------------------------------------------


async def claim_begun(app: KelmuApp, pilot: Pilot[Any], sum_: str) -> None:
    """Type a sum into the form of a payment claim."""
    await pilot.press("5")
    await until(pilot, lambda: isinstance(app.screen, ClaimsScreen) and app.screen.ready, "the claims")
    await pilot.press("n")
    await until(pilot, lambda: isinstance(app.screen, ClaimFormScreen) and app.screen.typing is app.typing, "the form")
    form = app.screen
    assert isinstance(form, ClaimFormScreen)
    form.go_to(Field.AMOUNT)
    await pilot.press(*sum_)
    await until(pilot, lambda: form.values.get(Field.AMOUNT) == sum_, "the sum")


def claim_drafts_of(app: KelmuApp) -> int:
    assert app._store is not None
    with app._store.read() as db:
        return int(db.execute("SELECT count(*) FROM claim_draft").fetchone()[0])


@pytest.mark.parametrize("pause", [0.01, 3600])
async def test_a_claim_that_is_being_typed_goes_with_its_mandate_and_that_is_said(
    house: House, monkeypatch: pytest.MonkeyPatch, pause: float
) -> None:
    monkeypatch.setattr(drafting, "PAUSE_SECONDS", pause)
    app = house.app()
    async with running(app) as pilot:
        await at_work(app, pilot)
        await claim_begun(app, pilot, "310")
        before = app.desk
        revoke(house, app, keep=INBOX)
        app.action_main_sync()
        await until(pilot, lambda: app.desk is not before and isinstance(app.screen, InboxScreen), "the new desk")
        await until(pilot, lambda: app.t("claim_form.lost") in text_of(app), "what became of it")
        assert claim_drafts_of(app) == 0
        assert not any(isinstance(screen, ConfirmScreen) for screen in app.screen_stack)


async def test_with_the_last_mandate_it_is_not_said_that_a_claim_is_kept(house: House) -> None:
    app = house.app()
    async with running(app) as pilot:
        await at_work(app, pilot)
        await claim_begun(app, pilot, "310")
        revoke(house, app, keep=[])
        app.action_main_sync()
        await until(pilot, lambda: isinstance(app.screen, ClosedScreen), "the explanation")
        await until(pilot, lambda: app.t("organisations.ended_claim") in text_of(app), "what became of it")
        assert app.t("organisations.ended_typed") not in text_of(app)
        assert claim_drafts_of(app) == 0


async def test_the_form_closes_with_its_text_where_nothing_can_be_kept_any_more(
    house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Another terminal has heard of the end of the mandate, and this one not yet."""
    monkeypatch.setattr(drafting, "PAUSE_SECONDS", 3600)
    app = house.app()
    async with running(app) as pilot:
        await at_work(app, pilot)
        await claim_begun(app, pilot, "310")
        assert app.desk is not None

        def barred(*_arguments: Any, **_options: Any) -> str:
            raise NotAllowed(PAYMENT_CLAIMS_REGISTER)

        monkeypatch.setattr(app.desk.claims, "save_draft", barred)
        await pilot.press("escape")
        await until(pilot, lambda: isinstance(app.screen, ClaimsScreen), "the claims")
        assert app.t("claim_form.lost") in text_of(app)
        assert app.typing is None


# --- documents, which nothing keeps but the program itself -----------------------------------------------------------


async def sending_begun(app: KelmuApp, pilot: Pilot[Any], path: Path, code: str) -> SendingFormScreen:
    """Type a code into the form of a sending and choose a file, its kind and its name."""
    path.write_bytes(plain_pdf())
    await pilot.press("9")
    await until(pilot, lambda: isinstance(app.screen, DocumentsScreen) and app.screen.ready, "the documents")
    await pilot.press("n")
    await until(pilot, lambda: isinstance(app.screen, SendingFormScreen) and app.screen.ready, "the form")
    form = app.screen
    assert isinstance(form, SendingFormScreen)
    await pilot.press(*code)
    (file,) = form.files.add([path])
    file.kind, file.name = "bill", "Sähkölasku"
    await until(pilot, lambda: form.code.text == code and file.ready, "the code and the file")
    return form


async def test_documents_that_are_chosen_stay_so_when_mandates_change(house: House, tmp_path: Path) -> None:
    app = house.app()
    async with running(app) as pilot:
        await at_work(app, pilot)
        form = await sending_begun(app, pilot, tmp_path / "lasku.pdf", "010190-900P")
        before = app.desk
        revoke(house, app, keep=SENDING)
        app.action_main_sync()
        await until(pilot, lambda: app.desk is not before and isinstance(app.screen, SendingFormScreen), "the form")
        again = app.screen
        assert isinstance(again, SendingFormScreen)
        assert again is not form
        await until(pilot, lambda: again.ready and again.files.all and again.files.all[0].ready, "its file")
        (file,) = again.files.all
        assert (file.path, file.kind, file.name) == (tmp_path / "lasku.pdf", "bill", "Sähkölasku")
        assert again.code.code is not None
        assert again.values["customer"] == "010190-900P"
        await pilot.press("escape")
        await until(pilot, lambda: isinstance(app.screen, ConfirmScreen) and app.screen.ready, "the question")
        await pilot.press("down", "enter")
        await until(pilot, lambda: isinstance(app.screen, InboxScreen), "the inbox")
        assert app.typing is None


async def test_documents_that_are_chosen_when_their_mandate_ends_are_said_not_to_be_sent(
    house: House, tmp_path: Path
) -> None:
    app = house.app()
    async with running(app) as pilot:
        await at_work(app, pilot)
        await sending_begun(app, pilot, tmp_path / "lasku.pdf", "0101")
        before = app.desk
        revoke(house, app, keep=CLAIMS)
        app.action_main_sync()
        await until(pilot, lambda: app.desk is not before and isinstance(app.screen, CustomersScreen), "the new desk")
        await until(pilot, lambda: app.t("sending_view.lost")[:60] in text_of(app), "what became of it")


async def test_a_claim_that_is_being_typed_stays_so_where_there_is_no_inbox_any_more(house: House) -> None:
    app = house.app()
    async with running(app) as pilot:
        await at_work(app, pilot)
        await claim_begun(app, pilot, "310")
        before = app.desk
        revoke(house, app, keep=CLAIMS)
        app.action_main_sync()
        await until(pilot, lambda: app.desk is not before and isinstance(app.screen, ClaimFormScreen), "the form")
        form = app.screen
        assert isinstance(form, ClaimFormScreen)
        await until(pilot, lambda: form.values.get(Field.AMOUNT) == "310", "the sum")


async def test_the_lease_ends_while_typing_and_the_note_goes_on_after_the_sign_in(house: House) -> None:
    clock = Ahead()
    app = house.app(clock=clock)
    async with running(app) as pilot:
        inbox = await at_work(app, pilot)
        await begin(app, pilot, inbox, "soitin")
        house.transport.cut = True
        clock.by = timedelta(hours=13)
        app._minute()
        await until(pilot, lambda: isinstance(app.screen, PersonasScreen), "the door")
        assert "soitin" not in text_of(app)
        clock.by = timedelta(0)
        house.transport.cut = False
        people = app.screen
        assert isinstance(people, PersonasScreen)
        await until(pilot, lambda: people.ready and people.rows.current is not None, "the people")
        await pilot.press("enter")
        await until(pilot, lambda: field(app) == "soitin", "the note")


async def test_the_lease_of_one_is_no_door_to_the_text_of_another(house: House) -> None:
    clock = Ahead()
    app = house.app(clock=clock)
    async with running(app) as pilot:
        inbox = await at_work(app, pilot)
        await begin(app, pilot, inbox, "soitin")
        clock.by = timedelta(hours=13)
        app._minute()
        await until(pilot, lambda: isinstance(app.screen, PersonasScreen), "the door")
        clock.by = timedelta(0)
        again = await at_work(app, pilot, persona=1)
        assert app.screen is again
        assert kept(app) == []
        assert "soitin" not in text_of(app)


async def test_a_killed_program_has_the_text_at_the_next_start(house: House) -> None:
    app = house.app()
    async with running(app) as pilot:
        inbox = await at_work(app, pilot)
        notice = await begin(app, pilot, inbox, "soitin")
        await until(pilot, lambda: kept(app) == ["soitin"], "a pause in typing")
        # What lies on the disk now is what a kill leaves: nothing is closed, nothing is said.
        shutil.copytree(house.folder / "home", house.folder / "killed")
        await pilot.press("escape", "n", "ctrl+u", "escape")
    again = house.app("killed")
    async with running(again) as pilot:
        await until(pilot, lambda: isinstance(again.screen, InboxScreen) and again.screen.ready, "the inbox")
        screen = again.screen
        assert isinstance(screen, InboxScreen)
        await until(pilot, lambda: any(row.id == notice for row in screen.rows.rows), "the notice")
        screen.rows.jump(notice)
        await pilot.press("n")
        await until(pilot, lambda: field(again) == "soitin", "the text")


async def test_a_hang_up_keeps_what_was_typed_since_the_last_pause(house: House) -> None:
    app = house.app()
    async with running(app) as pilot:
        inbox = await at_work(app, pilot)
        notice = await begin(app, pilot, inbox, "soitin")
        app.exit()
    again = house.app()
    async with running(again) as pilot:
        await until(pilot, lambda: isinstance(again.screen, InboxScreen) and again.screen.ready, "the inbox")
        assert again.desk is not None
        found = await again.desk.run(again.desk.drafts.find, "note", [notice])
        assert found is not None
        assert found.payload == {"text": "soitin"}
