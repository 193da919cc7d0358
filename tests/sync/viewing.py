"""The backend's own units of work for the log of views, and a ledger that looks at things."""

from __future__ import annotations

import shutil
from pathlib import Path

from sqlalchemy import select

from kelmu_backend import view_checks, views
from kelmu_backend.database import tables
from kelmu_backend.problems import ProblemError, not_found
from kelmu_tui.api.contract import ChainRegistration, Problem, ProblemCode, ViewBatch, ViewReceipt
from kelmu_tui.api.errors import ProblemAnswer
from kelmu_tui.store import chain
from kelmu_tui.store import views as log
from kelmu_tui.store.database import Store
from kelmu_tui.sync import ship
from tests.sync.simulation.record import A, Record


def answer_of(problem: ProblemError) -> ProblemAnswer:
    """Return a problem as the client meets it."""
    return ProblemAnswer(problem.status, Problem.model_validate(problem.body()))


class Desk:
    """The place where views come in."""

    def __init__(self, record: Record, device: str = "device-1") -> None:
        self.record = record
        self.device = device

    def answer(self, step: ship.Register | ship.Batch, user: str = "aino") -> ViewReceipt:
        """Do what a request asks for."""
        if isinstance(step, ship.Register):
            return self.register(step.registration, user)
        return self.ship(step.body, step.signature)

    def register(self, registration: ChainRegistration, user: str = "aino") -> ViewReceipt:
        """Take down a log."""
        now = self.record._clock.now()
        with self.record.database.write() as connection:
            verdict = views.register(connection, user, self.device, registration, now)
        return _receipt(verdict)

    def ship(self, body: bytes, signature: str) -> ViewReceipt:
        """Take a batch."""
        now = self.record._clock.now()
        batch = ViewBatch.model_validate_json(body)
        with self.record.database.write() as connection:
            key = views.key_of(connection, batch.chain)
            if key is None:
                raise answer_of(not_found())
            if not views.is_signed(key, signature, body):
                views.unsigned(connection, batch.chain, now)
                verdict = views.Verdict(None, ProblemError(ProblemCode.VIEW_SIGNATURE_WRONG))
            else:
                verdict = views.append(connection, batch, now)
        return _receipt(verdict)

    def told(self, chain_: str | None = None) -> list[str]:
        """Return the subjects of all views that came in, or of one log: log after log, each in its order."""
        events, logs = tables.view_event.c, tables.view_chain.c
        wanted = select(events.chain, events.subject).join(tables.view_chain, logs.id == events.chain)
        with self.record.database.read() as connection:
            rows = connection.execute(wanted.order_by(logs.registered, logs.id, events.number)).all()
        return [str(row.subject) for row in rows if chain_ in (None, row.chain)]

    def found(self) -> list[tuple[str, int, int, bool]]:
        """Return the findings: kind, from, to, whether it is still open."""
        with self.record.database.read() as connection:
            return [
                (each.kind.value, each.number, each.until, each.resolved is None)
                for each in view_checks.findings(connection)
            ]

    def whole(self) -> bool:
        """Tell whether a check of the record finds every log whole."""
        with self.record.database.read() as connection:
            return all(checked.first_bad is None for checked in view_checks.verify(connection))


def _receipt(verdict: views.Verdict) -> ViewReceipt:
    if verdict.problem is not None:
        raise answer_of(verdict.problem)
    return ViewReceipt.model_validate(verdict.receipt)


def look(store: Store, *subjects: str) -> None:
    """Log looks, each in a transaction of its own as in life."""
    for subject in subjects:
        with store.write() as db:
            chain.ensure(db, store.ids)
            log.log(db, log.ViewEvent(store.clock.now(), "aino", A.business_id, "notice", subject, 1, None))
            store.changed("view_event", keys=(subject,))


def carry(store: Store, desk: Desk) -> None:
    """Ship until nothing waits or the backend refuses for good."""
    for _ in range(50):
        step = ship.next_step(store)
        if step is None:
            return
        try:
            receipt = desk.answer(step)
        except ProblemAnswer as error:
            ship.refused(store, step, error)
        else:
            ship.answered(store, step, receipt)
    raise AssertionError("shipping does not end")


def barred(store: Store) -> str | None:
    """Return why the ledger is barred."""
    with store.read() as db:
        found = chain.read(db)
    return None if found is None else found.alarm


def chain_of(store: Store) -> str:
    """Return the ledger's chain."""
    with store.read() as db:
        found = chain.read(db)
    assert found is not None
    return found.id


def numbers(store: Store) -> list[tuple[int, bool]]:
    """Return the events of the ledger, and whether each was received."""
    with store.read() as db:
        rows = db.execute("SELECT number, received_at IS NOT NULL FROM view_event ORDER BY number")
        return [(number, bool(received)) for number, received in rows]


def subjects(count: int, start: int = 1) -> list[str]:
    """Return names of so many things to look at."""
    return [f"n{number:04d}" for number in range(start, start + count)]


def spoil(store: Store, statement: str) -> None:
    """Do something to the ledger that only its owner's key makes possible."""
    with store.write() as db:
        db.execute(statement)


def backup_of(record: Record, number: int) -> Path:
    """Copy the record as it is now."""
    record.database.dispose()
    path = _path(record).with_name(f"backup-{number}")
    shutil.copy(_path(record), path)
    record._open()
    return path


def restore(record: Record, backup: Path) -> None:
    """Put a copy of the record in its place."""
    record.database.dispose()
    for companion in _path(record).parent.glob("record.db-*"):
        companion.unlink()
    shutil.copy(backup, _path(record))
    record._open()


def _path(record: Record) -> Path:
    return Path(str(record.database.url.database))
