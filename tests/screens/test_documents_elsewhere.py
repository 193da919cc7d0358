"""Documents to Kela seen from elsewhere: the outbox, a customer's file, and other terminals."""

from __future__ import annotations

from pathlib import Path

from kelmu_tui.screens.customer import CustomerScreen
from kelmu_tui.screens.outbox import OutboxScreen
from kelmu_tui.screens.sending import SendingScreen
from kelmu_tui.screens.sending_form import Begin, SendingFormScreen
from kelmu_tui.store import endings, outbox
from kelmu_tui.widgets.text_field import LineField
from tests.screens.sendings import NAME, fill_in, filling, form, listing, sending, top, words
from tests.screens.support import press, settled, text_of
from tests.store.build import NOW
from tests.store.customer_lines import CODE
from tests.widgets.support import until


async def test_the_outbox_tells_a_sending_in_words_and_leads_to_it(tmp_path: Path) -> None:
    async with listing(tmp_path, size=(120, 40)) as (app, pilot):
        app.queue()
        await settled(pilot)
        await press(pilot, "6")
        assert isinstance(app.screen, OutboxScreen)
        assert "lähetä asiakirjoja" in text_of(app)
        assert "Asiakirja (1)" in words(app)
        assert CODE not in text_of(app)
        await press(pilot, "enter")
        assert isinstance(app.screen, SendingScreen)


async def test_a_refused_sending_is_mended_from_the_outbox(tmp_path: Path) -> None:
    async with listing(tmp_path, size=(120, 40)) as (app, pilot):
        id_ = app.queue()
        app.refuse(id_, rule="sending_customer")
        await settled(pilot)
        await press(pilot, "6")
        assert "Hae ensin asiakkaan tiedot" in words(app)
        assert "tuhoaa suojatut kopiot" in words(app)
        await press(pilot, "enter")
        assert "Avaa lähetys" in text_of(app)
        await press(pilot, "enter")
        assert isinstance(app.screen, SendingScreen)
        assert app.held() == 1
        await press(pilot, "q", "R")
        assert app.command(id_).state is outbox.State.QUEUED
        app.refuse(id_, rule="sending_customer")
        await settled(pilot)
        await press(pilot, "v")
        assert isinstance(app.screen, SendingScreen)
        assert app.held() == 1


async def test_an_undeliverable_sending_says_that_its_copies_are_destroyed(tmp_path: Path) -> None:
    async with listing(tmp_path, size=(120, 40)) as (app, pilot):
        id_ = app.queue()
        command = app.command(id_).id
        with app.store.write() as db:
            db.execute("UPDATE main.command SET state = 'undeliverable' WHERE id = ?", (command,))
            db.execute("UPDATE main.sealed_copy SET state = 'ended', key = NULL WHERE sending = ?", (id_,))
            app.store.changed("command", "sending", keys=(id_,))
        await settled(pilot)
        assert "pysäytetty" in text_of(app)
        assert "Suojatut kopiot on tuhottu" in words(app)
        await press(pilot, "t")
        assert "Ei onnistu nyt" in text_of(app)
        await press(pilot, "6")
        assert "Suojatut kopiot on tuhottu" in words(app)


async def test_from_a_file_documents_of_that_customer_are_sent(tmp_path: Path) -> None:
    from tests.screens.customers import whole
    from tests.store.customer_lines import answer, head

    async with sending(tmp_path) as (app, pilot):
        answer(app.store, head(), *whole())
        app.show_customer("p1")
        await until(pilot, lambda: isinstance(app.screen, CustomerScreen) and app.screen.file is not None, "the file")
        await settled(pilot)
        await press(pilot, "C")
        assert top(app) is SendingFormScreen
        assert "Virtanen" in text_of(app)
        assert CODE not in text_of(app)
        code = form(app).code.code
        assert code is not None
        assert code.value == CODE
        await press(pilot, "escape")
        assert top(app) is CustomerScreen


async def test_nothing_here_is_left_from_a_discard_elsewhere(tmp_path: Path) -> None:
    async with listing(tmp_path) as (app, pilot):
        id_ = app.queue()
        await settled(pilot)
        with app.store.write() as db:
            endings.discard(db, app.command(id_).id, NOW)
            app.store.changed("command", "sending", keys=(id_,))
        await settled(pilot)
        assert "Lähetyksiä ei ole" in text_of(app)


async def test_the_form_says_in_the_language_of_now_how_a_code_is_written(tmp_path: Path) -> None:
    async with filling(tmp_path) as (app, pilot):
        app.set_language("sv")
        await settled(pilot)
        assert form(app).query_one("#customer", LineField).placeholder == app.t("sending_view.customer_hint")


async def test_who_was_known_from_the_first_stays_named_when_their_file_is_gone(tmp_path: Path) -> None:
    async with filling(tmp_path, Begin(CODE, NAME)) as (app, pilot):
        with app.store.write("replica"):
            app.store.changed("customer")
        await settled(pilot)
        assert form(app).who == NAME
        assert app.looks() == []
        await fill_in(app, pilot, app.file("a.pdf"))
        await press(pilot, "ctrl+s")
        assert NAME in words(app)
