"""`kelmu-backend lists`: withdrawing a list, and publishing one anew with the invoice that corrects the first."""

from __future__ import annotations

import csv
import json
from collections.abc import Callable
from datetime import timedelta
from decimal import Decimal
from itertools import islice

import pytest

from kelmu_backend import population
from kelmu_backend.cli import DATABASE_VARIABLE, Exit, main
from kelmu_backend.database.engine import Database
from kelmu_backend.database.list_tables import invoice, list_row, publication
from kelmu_backend.lists import making
from kelmu_backend.population.issued import Lister
from kelmu_tui.domain.deadlines import local_date
from kelmu_tui.domain.lists import lists, published_until
from kelmu_tui.domain.organisations import municipal_authority, social_care_organiser
from kelmu_tui.platform.clock import SystemClock

NOKIA = municipal_authority("536")
PIRKANMAA = social_care_organiser("837")
ABROAD = lists()["list_treatment_abroad_reimbursements"]
SHARES = lists()["list_lms_invoice_persons_2025"]
NOW = SystemClock().now()
PERIOD = next(islice(published_until(SHARES, local_date(NOW)), 1, None))

Run = Callable[..., tuple[int, str]]


class Wrong(Lister):
    """A lister of invoices that all have a wrong total."""

    def __call__(self, *arguments: object) -> list[object]:  # type: ignore[override]
        """Make a list."""
        found = super().__call__(*arguments)  # type: ignore[arg-type]
        return [one._replace(bill=one.bill and one.bill._replace(total=one.bill.total + 700)) for one in found]


@pytest.fixture
def filled(database_url: str) -> Database:
    """Give a record with the lists of a municipality, whose invoices bill too much."""
    database = Database(database_url)
    population.fill(database, population.generate(3, NOW, people=40, notices=0))
    with database.write() as connection:
        making.make(connection, Wrong(faults=False), NOKIA.business_id, SHARES, NOW)  # type: ignore[arg-type]
    return database


@pytest.fixture
def run(database_url: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Run:
    """Run a command on the record; gives exit code and what was said."""
    monkeypatch.setenv(DATABASE_VARIABLE, database_url)

    def command(*arguments: str) -> tuple[int, str]:
        code = main(["lists", *arguments])
        return code, capsys.readouterr().err.strip()

    return command


def test_a_withdrawn_list_has_no_rows_and_is_withdrawn_once(filled: Database, run: Run) -> None:
    arguments = NOKIA.business_id, SHARES.id, PERIOD.key
    assert run("withdraw", *arguments) == (Exit.OK, f"withdrawn: {SHARES.id} {PERIOD.key}")
    with filled.read() as connection:
        row = connection.execute(publication.select().where(publication.c.period == PERIOD.key)).one()
        assert (row.withdrawn, row.rows) == (True, 0)
        assert connection.execute(list_row.select().where(list_row.c.publication == row.id)).first() is None
    for verb in ("withdraw", "republish"):
        assert run(verb, *arguments) == (
            Exit.NOT_POSSIBLE,
            "kelmu-backend: there is no such list, or it is withdrawn",
        )
    filled.dispose()


def test_publishing_anew_puts_the_invoice_right(filled: Database, run: Run) -> None:
    code, told = run("republish", NOKIA.business_id, SHARES.id, PERIOD.key)
    assert code == Exit.OK
    assert told == f"version 2: {SHARES.id} {PERIOD.key}, -7.00 euros added to its invoice"
    with filled.read() as connection:
        wanted = invoice.select().where(invoice.c.period == PERIOD.key).order_by(invoice.c.number)
        first, second = connection.execute(wanted).all()
        key = connection.execute(publication.select().where(publication.c.period == PERIOD.key)).one()
        rows = connection.execute(list_row.select().where(list_row.c.publication == key.id)).all()
    assert (second.corrects, second.cents, second.rows) == (first.number, -700, 0)
    assert (key.version, key.rows) == (2, len(rows))
    assert abs(second.sent_on - local_date(NOW)) <= timedelta(days=1)
    shares = [row.content.split('"municipal_share_eur":"')[1].split('"')[0] for row in rows]
    assert sum(map(Decimal, shares)) == Decimal(first.cents + second.cents) / 100
    filled.dispose()


def test_a_county_s_answers_are_those_that_its_invoice_was_made_from(
    filled: Database, run: Run, capsys: pytest.CaptureFixture[str]
) -> None:
    period = next(published_until(ABROAD, local_date(NOW)))
    with filled.write() as connection:
        making.make(connection, Lister(faults=False), PIRKANMAA.business_id, ABROAD, NOW)
    with filled.read() as connection:
        wanted = list_row.select().join(publication).where(publication.c.period == period.key)
        rows = [json.loads(row.content) for row in connection.execute(wanted)]
    assert main(["lists", "answers", PIRKANMAA.business_id, period.key]) == Exit.OK
    header, *lines = csv.reader(capsys.readouterr().out.splitlines(), delimiter=";")
    assert sorted(lines) == sorted([row[name] for name in header] for row in rows)
    assert len(lines) > 5
    assert run("answers", PIRKANMAA.business_id, "2026-10")[0] == Exit.NOT_POSSIBLE
    filled.dispose()


def test_what_is_not_there_is_told(filled: Database, run: Run) -> None:
    for organisation in ("1234567-1", municipal_authority("837").business_id):
        code, told = run("republish", organisation, SHARES.id, PERIOD.key)
        assert (code, told) == (Exit.NOT_POSSIBLE, "kelmu-backend: there is no such list, or it is withdrawn")
    filled.dispose()


@pytest.mark.parametrize("arguments", [["withdraw"], ["withdraw", "1-1", "no_list", "2026-10"], [], ["republish", "x"]])
def test_wrong_usage(arguments: list[str]) -> None:
    with pytest.raises(SystemExit) as caught:
        main(["lists", *arguments])
    assert caught.value.code == Exit.USAGE


def test_a_period_that_is_none_is_wrong_usage() -> None:
    with pytest.raises(SystemExit) as caught:
        main(["lists", "withdraw", "1234567-1", SHARES.id, "2026-13"])
    assert caught.value.code == Exit.USAGE
