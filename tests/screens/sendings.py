"""A desk from which documents are sent: the real store, services and files, and rows as the feed brings them."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Iterable
from contextlib import asynccontextmanager
from datetime import date
from pathlib import Path
from typing import Any, Final

from textual.pilot import Pilot

from kelmu_tui.api.contract.documents import SendingRow
from kelmu_tui.domain.capabilities import DOCUMENTS_SEND
from kelmu_tui.domain.documents import DocumentState, SendingState
from kelmu_tui.domain.identifiers import parse_identity_code
from kelmu_tui.screens.documents import DocumentsScreen
from kelmu_tui.screens.sending import SendingScreen
from kelmu_tui.screens.sending_acts import open_sending_form
from kelmu_tui.screens.sending_form import Begin, SendingFormScreen
from kelmu_tui.services.sealing import Request
from kelmu_tui.services.sendings import File
from kelmu_tui.store import copies, outbox, replica
from kelmu_tui.widgets.text_field import LineField
from tests.content import files
from tests.screens.customers import LookUpOffice
from tests.screens.support import SESSION, press, settled, text_of
from tests.store.build import NOW, OWN
from tests.store.customer_lines import CODE
from tests.uploads.desk import queue
from tests.widgets.support import until

SENDER: Final = SESSION._replace(capabilities=SESSION.capabilities | {DOCUMENTS_SEND})
GENERATION: Final = 29
SCOPE: Final = f"sendings:{OWN}:{SESSION.user_id}"
NAME: Final = "Virtanen, Aino"
RECEIPT: Final = "20261123-ABCD-EF12"


def row(id: str, **changes: Any) -> dict[str, Any]:  # noqa: A002
    """Return a sending with its receipt as the wire's JSON."""
    document = {
        "id": "d1",
        "kind": "bank_statement",
        "name": "Tiliote",
        "size": 2000,
        "pages": 2,
        "state": DocumentState.RECEIVED,
    }
    values: dict[str, Any] = {
        "id": id,
        "version": 1,
        "state": SendingState.RECEIVED,
        "receipt": RECEIPT,
        "customer_name": "Korpi, Eero",
        "masked_code": "******-*123",
        "asked_by": "customer",
        "asked_on": "2026-11-20",
        "way": "telephone",
        "received_at": "2026-11-22T08:30:00Z",
        "documents": changes.pop("documents", [document]),
        "expires_at": "2026-12-22T08:30:00Z",
    }
    return SendingRow(**values | changes).model_dump(mode="json")


def refused_document(fault: str = "broken") -> dict[str, Any]:
    """Return a document that Kela has refused."""
    return {
        "id": "d2",
        "kind": "rent",
        "name": "Vuokra",
        "size": 900,
        "pages": None,
        "state": DocumentState.REFUSED,
        "refused": fault,
    }


class SendingsOffice(LookUpOffice):
    """An office whose user sends documents."""

    def __init__(self, folder: Path, rows: Iterable[dict[str, Any]] = (), **options: Any) -> None:
        options.setdefault("session", SENDER)
        super().__init__(folder, (), **options)
        self.folder = folder
        self.hold(rows)

    def hold(self, rows: Iterable[dict[str, Any]]) -> None:
        """Let the feed bring receipts."""
        with self.store.write() as db:
            replica.put_rows(db, GENERATION, list(rows))
            db.execute("INSERT OR REPLACE INTO replica.scope (name, generation) VALUES (?, ?)", (SCOPE, GENERATION))
            self.store.changed("sending")

    def give(self, *mandates: str) -> None:
        """Let the session be one with these mandates alone."""
        from kelmu_tui.services.session import put_secrets
        from tests.services.customers import grant
        from tests.services.signed_in import organisation, session_text

        made = organisation(OWN, "Pirkanmaa", grants=[grant(mandate) for mandate in mandates])
        user = {"id": SESSION.user_id, "name": "Laura Koski", "language": "fi"}
        put_secrets(self.store, {"session": session_text(made, user=user)})

    def lose(self) -> None:
        """Let the mandate end."""
        self.give()
        with self.store.write() as db:
            db.execute("DELETE FROM replica.scope WHERE name = ?", (SCOPE,))
            self.store.changed("scope", "sending")

    def file(self, name: str, content: bytes | None = None) -> Path:
        """Put a file on the disk."""
        path = self.folder / name
        path.write_bytes(files.plain_pdf() if content is None else content)
        return path

    def queue(self, name: str = NAME) -> str:
        """Hand a sending in, as the form does."""
        assert self.desk is not None
        asked = date(2026, 11, 20)
        one = File(self.file("queued.pdf", files.plain_pdf(2)), "bank_statement", "Tiliote")
        code = parse_identity_code(CODE, today=asked)
        return queue(self.desk.sendings, Request(code, name, "guardian", asked, "letter", "TAY 7/2026", [one]))

    def copy(self, sending: str, **columns: Any) -> None:
        """Let copies of a sending be otherwise, as the uploading leaves them."""
        sets = ", ".join(f"{name} = ?" for name in columns)
        with self.store.write() as db:
            held = [one.document for one in copies.of(db, sending)]
            for document in held:
                db.execute(
                    f"UPDATE main.sealed_copy SET {sets} WHERE document = ?",
                    (*columns.values(), document),
                )
            self.store.changed("sending", keys=(sending,))

    def command(self, sending: str) -> outbox.Command:
        """Return the command of a sending."""
        with self.store.read() as db:
            return next(one for one in outbox.pending(db, OWN) if one.aggregate == sending)

    def refuse(self, sending: str, code: str = "rule_refused", rule: str | None = None, **more: Any) -> None:
        """Let the backend refuse a sending."""
        found = self.command(sending)
        with self.store.write() as db:
            outbox.freeze(db, found.id)
            outbox.refuse(db, found.id, {"code": code, "rule": rule, "request_id": "req-1", **more}, None, NOW)
            self.store.changed("command", "conflict", "sending", keys=(sending,))

    def held(self) -> int:
        """Return how many copies are kept to be sent."""
        with self.store.read() as db:
            found = db.execute("SELECT count(*) FROM main.sealed_copy WHERE key IS NOT NULL").fetchone()
        return int(found[0])

    def looks(self) -> list[tuple[str, int]]:
        """Return view and rows of what was logged of sendings."""
        with self.store.read() as db:
            found = db.execute(
                "SELECT body ->> 'view', body ->> 'rows' FROM main.view_event"
                " WHERE body ->> 'view' = 'customer_list:sendings' ORDER BY number"
            ).fetchall()
        return [(view, int(rows)) for view, rows in found]


@asynccontextmanager
async def sending(
    folder: Path, rows: Iterable[dict[str, Any]] = (), size: tuple[int, int] = (80, 24), **options: Any
) -> AsyncIterator[tuple[SendingsOffice, Pilot[Any]]]:
    """Run an office from which documents are sent; wait until its inbox is there."""
    app = SendingsOffice(folder, rows, **options)
    try:
        async with app.run_test(size=size) as pilot:
            await settled(pilot)
            yield app, pilot
    finally:
        app.thread.close()


@asynccontextmanager
async def listing(
    folder: Path,
    rows: Iterable[dict[str, Any]] = (),
    size: tuple[int, int] = (80, 24),
    before: Callable[[SendingsOffice], object] | None = None,
    **options: Any,
) -> AsyncIterator[tuple[SendingsOffice, Pilot[Any]]]:
    """Run it with the list of sendings on top; `before` is done first."""
    async with sending(folder, rows, size, **options) as (app, pilot):
        if before is not None:
            before(app)
        await press(pilot, "9")
        assert isinstance(app.screen, DocumentsScreen), text_of(app)
        yield app, pilot


@asynccontextmanager
async def filling(
    folder: Path, begin: Begin | None = None, size: tuple[int, int] = (80, 24), **options: Any
) -> AsyncIterator[tuple[SendingsOffice, Pilot[Any]]]:
    """Run it with the form on top of the list."""
    async with listing(folder, (), size, **options) as (app, pilot):
        assert app.desk is not None
        assert isinstance(app.screen, DocumentsScreen)
        open_sending_form(app, app.desk, begin, app.screen.acted)
        await until(pilot, lambda: isinstance(app.screen, SendingFormScreen) and app.screen.ready, "the form")
        await settled(pilot)
        yield app, pilot


def form(app: SendingsOffice) -> SendingFormScreen:
    """Return the form, which has to be there."""
    return next(screen for screen in app.screen_stack if isinstance(screen, SendingFormScreen))


def top(app: SendingsOffice) -> type:
    """Return which screen is on top."""
    return type(app.screen)


def page(app: SendingsOffice) -> SendingScreen:
    """Return the page of a sending, which has to be on top."""
    assert isinstance(app.screen, SendingScreen)
    return app.screen


def words(app: SendingsOffice) -> str:
    """Return what is on the screen as one line of words, without the frames of boxes."""
    return " ".join(text_of(app).replace("│", " ").split())


async def add(app: SendingsOffice, pilot: Pilot[Any], *paths: Path, kind: str = "bank_statement") -> None:
    """Add files to the form as the picker gives them, each of a kind, and wait until they are checked."""
    shown = form(app)
    shown._add(paths)
    await settled(pilot)
    while app.screen is not shown:
        await press(pilot, "escape")
    for one in shown.files.all:
        one.kind = one.kind or kind
    shown.show_all()
    await until(pilot, lambda: not any(one.waits for one in shown.files.all), "checked files")
    await settled(pilot)


async def fill_in(app: SendingsOffice, pilot: Pilot[Any], *paths: Path) -> None:
    """Fill in what is needed, with files."""
    shown = form(app)
    if not shown.begin.code:
        shown.query_one("#customer", LineField).value = CODE
        await settled(pilot)
    shown.values["way"] = "telephone"
    shown.show_values()
    await settled(pilot)
    if paths:
        await add(app, pilot, *paths)
