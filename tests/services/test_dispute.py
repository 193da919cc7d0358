"""The document of a dispute: what stands in it and what does not, and that it is logged before it is made."""

from __future__ import annotations

import re
import stat
from collections.abc import Sequence
from datetime import date
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from kelmu_backend.lists.publishing import Issue
from kelmu_backend.population.issued import Fault, make_sheets
from kelmu_tui.domain.lists import KelaList
from kelmu_tui.domain.organisations import counties
from kelmu_tui.domain.review.verdicts import Verdict
from kelmu_tui.i18n import LANGUAGES, Translator
from kelmu_tui.platform.saving import save_new
from kelmu_tui.services.case_file import LINES, WIDTH
from kelmu_tui.services.context import Context
from kelmu_tui.services.dispute import document
from kelmu_tui.services.inbox import NotAllowed
from kelmu_tui.services.reviewing import Found, Reviewed
from kelmu_tui.store import views
from kelmu_tui.store.database import Store
from kelmu_tui.store.errors import StoreFull
from kelmu_tui.store.lists import Publication
from kelmu_tui.store.thread import StoreThread
from tests.population.issued_support import clean, periods, roll
from tests.services.customers import events
from tests.services.invoices import LMS, REIMBURSED, AtWork, grant_invoices, hold, kind_of, reviewed
from tests.services.signed_in import NOW

FAULTS = (Fault.SHARE_WRONG, Fault.SUM_MISSING, Fault.DUPLICATE, Fault.TOTAL_WRONG, Fault.PERSON_UNKNOWN)
REASON = "Päivät on laskettu väärin.\nKatso liite \u202e3."


def planted(one: KelaList, *faults: Fault) -> Issue:
    (sheet,) = make_sheets(roll(1, one.id), 1, one, periods(one)[-1:], lambda _: faults)
    return sheet.issue


async def disputed(thread: StoreThread, context: Context, one: KelaList, issue: Issue, *rules: str) -> Reviewed:
    """Return a review in which the findings of these rules are disputed, and the others accepted or noted."""
    await thread.run(hold, context, one, [issue])
    found, judge = await reviewed(thread, context, one, issue), context.invoices.judge
    for place, each in enumerate(found.found):
        verdict = Verdict.DISPUTED if each.finding.rule in rules else (Verdict.ACCEPTED, Verdict.NOTED)[place % 2]
        await thread.run(judge, kind_of(one), issue.period.key, [each], verdict, REASON)
    held = await thread.run(context.invoices.held, kind_of(one), issue.period.key)
    assert held is not None
    assert {each.finding.rule for each in held.disputed} == set(rules)
    return held


async def written(
    thread: StoreThread, context: Context, found: Reviewed, t: Translator, which: Sequence[Found] | None = None
) -> str:
    which = found.disputed if which is None else which
    return document(found, which, t, await thread.run(context.invoices.leaving, found, which))


def flat(text: str) -> str:
    """Return a text without its lines and pages."""
    return re.sub(r"\s+", " ", text)


@pytest.mark.parametrize("language", LANGUAGES)
async def test_what_is_disputed_stands_in_it_with_its_rows(language: str, at_work: AtWork, thread: StoreThread) -> None:
    context, issue, t = at_work(LMS), planted(LMS, *FAULTS), Translator(language)
    found = await disputed(thread, context, LMS, issue, "share_wrong", "duplicate")
    text = await written(thread, context, found, t)
    words = flat(text)
    (head,) = found.billing.heads
    rows = {row.id: row.content for row in issue.rows}
    assert head.number in words
    assert flat(t.formats.euros(head.total)) in words
    for part in ("536 Nokia", "Outi Rautio", "9900080-0"):
        assert part in words
    named = {id_ for each in found.disputed for id_ in each.finding.rows}
    assert len(named) == 3
    for id_ in named:
        assert id_ in words
        assert rows[id_]["identity_code"] in words
        assert rows[id_]["name"] in words
        assert t.formats.date(date.fromisoformat(rows[id_]["paid_on"])) in words
    billed = sum((Decimal(rows[id_]["municipal_share_eur"]) for id_ in named), Decimal("0.00"))
    assert flat(t.formats.euros(billed)) in words
    (share,) = [each.finding for each in found.disputed if each.finding.rule == "share_wrong"]
    assert isinstance(share.expected, Decimal)
    assert words.count(flat(t.formats.euros(share.expected))) >= 2  # in the sentence and at the row
    # The reason is the user's, and nothing in it turns the lines around.
    assert "Päivät on laskettu väärin. Katso liite \ufffd3." in words
    assert "\u202e" not in text


async def test_what_is_accepted_or_noted_does_not_stand_in_it(at_work: AtWork, thread: StoreThread) -> None:
    context, issue, t = at_work(LMS), planted(LMS, *FAULTS), Translator("en")
    found = await disputed(thread, context, LMS, issue, "share_wrong")
    words = flat(await written(thread, context, found, t))
    for each in found.found:
        if each.finding.rule != "share_wrong":
            assert not any(id_ in words for id_ in each.finding.rows)
    assert "adds up" not in words
    assert "The invoice's total is" not in words
    assert "2. " not in words


async def test_a_dispute_of_the_total_is_one_of_the_whole_invoice(at_work: AtWork, thread: StoreThread) -> None:
    context, issue, t = at_work(LMS), planted(LMS, Fault.TOTAL_WRONG), Translator("en")
    found = await disputed(thread, context, LMS, issue, "total_wrong")
    words = flat(await written(thread, context, found, t))
    assert "Disputed: the total of the invoice" in words
    assert "The invoice's total is" in words
    assert words.count("Disputed:") == 1
    assert found.billing.total != found.total
    assert flat(t.formats.euros(found.total)) in words


async def test_corrections_stand_in_it(at_work: AtWork, thread: StoreThread) -> None:
    context, issue, t = at_work(LMS), planted(LMS, Fault.SHARE_WRONG), Translator("fi")
    found = await disputed(thread, context, LMS, issue, "share_wrong")
    (head,) = found.billing.heads
    more = head._replace(number="2-536-oikaisu", corrects=head.number, total=Decimal("-10.00"))
    await thread.run(context.invoices.announce, [head, more])
    found = await reviewed(thread, context, LMS, issue)
    words = flat(await written(thread, context, found, t))
    assert "Oikaisulasku: 2-536-oikaisu, -10,00 €, lähetetty 16.11.2026, eräpäivä 30.11.2026" in words
    assert f"oikaisee laskun {head.number}" in words


async def test_a_county_disputes_treatment_abroad(at_work: AtWork, thread: StoreThread) -> None:
    context, t = at_work(REIMBURSED), Translator("sv")
    issue = planted(REIMBURSED, Fault.ANSWER_DIFFERS, Fault.COUNTRY_OUTSIDE)
    found = await disputed(thread, context, REIMBURSED, issue, "answer_differs", "country_outside")
    words = flat(await written(thread, context, found, t))
    payer = found.billing.heads[0].payer
    assert f"Betalare: {payer} {counties()[payer].name.sv}" in words
    assert "Vårdtid:" in words
    assert "det borde stå" in words
    assert "Bestrids: 2 rader" in words


async def test_a_row_of_an_earlier_invoice_stands_in_it_with_its_period(at_work: AtWork, thread: StoreThread) -> None:
    context, t = at_work(LMS), Translator("en")
    before, now = clean(1, LMS.id)[-2:]
    twice = before.rows[0]
    again = twice._replace(id="ffff", content=twice.content | {"id": "ffff"})
    now = now._replace(rows=[*now.rows, again])
    await thread.run(hold, context, LMS, [before, now])
    found = await reviewed(thread, context, LMS, now)
    which = [each for each in found.found if each.finding.rule == "duplicate"]
    await thread.run(context.invoices.judge, "lms_2025", now.period.key, which, Verdict.DISPUTED, "Twice")
    found_ = await thread.run(context.invoices.held, "lms_2025", now.period.key)
    assert found_ is not None
    words = flat(await written(thread, context, found_, t))
    assert f"Row {twice.id} (invoicing period 1.9.–30.9.2026): {twice.content['name']}" in words
    assert "Row ffff: " in words
    assert "Disputed: 1 row, for which" in words
    # Withdrawn meanwhile, the earlier row is named and not shown.
    publication = Publication(LMS.id, before.period.key, 1, NOW, 0)
    await thread.run(context.lists.withdrawn, publication)
    words = flat(await written(thread, context, found_, t))
    assert f"Row {twice.id} of an earlier invoice whose rows are not here any more" in words


async def test_pages_are_as_printers_take_them(at_work: AtWork, thread: StoreThread) -> None:
    context, issue, t = at_work(LMS), planted(LMS, *FAULTS), Translator("fi")
    found = await disputed(thread, context, LMS, issue, "share_wrong", "duplicate", "sum_missing", "person_unknown")
    pages = (await written(thread, context, found, t, found.disputed * 5)).split("\f")
    assert len(pages) > 1
    for number, page in enumerate(pages, 1):
        lines = page.splitlines()
        assert len(lines) <= LINES
        assert max(map(len, lines)) <= WIDTH
        assert lines[-1].strip() == f"Sivu {number}/{len(pages)}"


async def test_that_rows_leave_is_logged_before_they_do(
    at_work: AtWork, thread: StoreThread, store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    context, issue = at_work(LMS), planted(LMS, *FAULTS)
    found = await disputed(thread, context, LMS, issue, "duplicate")
    subject = f"{LMS.id}/{issue.period.key}"
    leaving = await thread.run(context.invoices.leaving, found, found.disputed)
    assert len(leaving.rows) == 2
    assert leaving.disputed.rows == 2
    last = events(store)[-1]
    assert (last["view"], last["subject"], last["rows"]) == ("invoice_dispute", subject, 2)

    def full(*_: Any) -> int:
        raise StoreFull

    monkeypatch.setattr(views, "log", full)
    with pytest.raises(StoreFull):
        await thread.run(context.invoices.leaving, found, found.disputed)


async def test_the_backend_takes_the_event(at_work: AtWork, thread: StoreThread, store: Store) -> None:
    from kelmu_backend.views import _capability
    from kelmu_tui.api.contract.views import ViewBody

    context, issue = at_work(LMS), planted(LMS, Fault.SHARE_WRONG)
    found = await disputed(thread, context, LMS, issue, "share_wrong")
    await thread.run(context.invoices.leaving, found, found.disputed)
    said = ViewBody.model_validate(events(store)[-1])
    assert said.view == "invoice_dispute"
    assert _capability(said) == LMS.id


async def test_without_the_mandate_nothing_leaves(at_work: AtWork, thread: StoreThread, store: Store) -> None:
    context, issue = at_work(LMS), planted(LMS, Fault.SHARE_WRONG)
    found = await disputed(thread, context, LMS, issue, "share_wrong")
    grant_invoices(store, LMS, "labour_market_subsidy_material")
    before = events(store)
    with pytest.raises(NotAllowed):
        await thread.run(context.invoices.leaving, found, found.disputed)
    assert events(store) == before


async def test_nothing_disputed_makes_no_document(at_work: AtWork, thread: StoreThread) -> None:
    context, issue = at_work(LMS), planted(LMS, Fault.SHARE_WRONG)
    found = await disputed(thread, context, LMS, issue)
    leaving = await thread.run(context.invoices.leaving, found, found.found)
    with pytest.raises(ValueError, match="nothing is disputed"):
        document(found, found.disputed, Translator("fi"), leaving)


async def test_its_file_is_for_the_user_alone(at_work: AtWork, thread: StoreThread, tmp_path: Path) -> None:
    context, issue = at_work(LMS), planted(LMS, Fault.SHARE_WRONG)
    found = await disputed(thread, context, LMS, issue, "share_wrong")
    path = tmp_path / "riitautus.txt"
    text = await written(thread, context, found, Translator("fi"))
    save_new(path, text)
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert path.read_text(encoding="utf-8") == text
