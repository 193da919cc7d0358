"""The overview of a customer as blocks to read: what a case worker asks first, at a glance, then the charts."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from datetime import date
from decimal import Decimal
from itertools import islice
from typing import Final, NamedTuple

from kelmu_tui.domain.benefits import benefits
from kelmu_tui.domain.sections import Section
from kelmu_tui.i18n import Translator
from kelmu_tui.screens.customer_columns import share
from kelmu_tui.services import customer_overview as facts
from kelmu_tui.services.benefit_words import benefit_name
from kelmu_tui.services.customer_text import state_text
from kelmu_tui.store.customer_rows import File, Payment
from kelmu_tui.widgets import bars, gauge, timeline
from kelmu_tui.widgets.bars import Bar
from kelmu_tui.widgets.painted import Line
from kelmu_tui.widgets.sheet import Block, Drawn, Field, Heading, Paragraph, Spans
from kelmu_tui.widgets.timeline import Month, Span, Track

MONTHS: Final = 24
TRACKS: Final = 6
"""Benefits in the timeline at the most, those that ran last."""
BAR_LINES: Final = 4
GAUGE: Final = 16
LISTED: Final = 4
"""Pending matters and claims named in the overview; how many more there are is told."""
MONTHS_SUMMED: Final = 12


class Look(NamedTuple):
    """How the overview is to look: plain signs, and numbers in place of charts."""

    ascii_only: bool = False
    numbers: bool = False


def overview(file: File, t: Translator, today: date, look: Look) -> Iterator[Block]:
    """Return the overview; what a section does not tell is said in the section's own words."""
    yield _field(file, Section.DECISIONS, t("customer_view.now"), _running(file, t, today), t)
    yield _field(file, Section.PENDING, t("customer_view.pending"), _pending(file, t), t)
    yield _field(file, Section.PAYMENTS, t("customer_view.next"), _next(file, t, today), t)
    yield _field(file, Section.DECISIONS, t("customer_view.last"), _last(file, t), t)
    yield _field(file, Section.CLAIMS, t("customer_view.claims"), _claims(file, t), t)
    yield _medicine(file, t, today, look)
    yield _field(file, Section.RECOVERY, t("customer_view.recovery"), _recovery(file, t), t)
    months = timeline.months_until(today, MONTHS)
    tracks = _tracks(file, months[0].first)
    if tracks:
        if look.numbers:
            yield from _periods(tracks, months, t)
        else:
            yield _chart(tracks, months, t, look)
    payments = facts.rows_of(file, Section.PAYMENTS, Payment)
    if payments:
        yield from _sums(payments, t, today, look)
    yield from _household(file, t)


def _field(file: File, section: Section, label: str, lines: Iterable[str], t: Translator) -> Block:
    """Return a label with its lines, with the section's state when that has to be known."""
    shown = file.sections.get(section)
    said = t("customers.state_waiting") if shown is None else state_text(shown, t)
    if not facts.tells(file, section):
        known = "".join(f"{line}\n" for line in lines)  # the organisation's own, whatever the section says
        return Field(label, known + said, "dim" if shown is None or shown.state in ("waiting", "hidden") else "warn")
    text = "\n".join(lines) or t("customer_view.nothing")
    if shown is not None and shown.state == "stale":
        text = f"{text}\n{said}"
    return Field(label, text)


def _more(lines: Sequence[str], t: Translator) -> Iterator[str]:
    yield from lines[:LISTED]
    if len(lines) > LISTED:
        yield t("customer_view.more", count=len(lines) - LISTED)


def _running(file: File, t: Translator, today: date) -> Iterator[str]:
    for one in facts.running(file, today):
        amount = ""
        if one.amount is not None:
            euros = t.formats.euros(one.amount)
            amount = f", {t.choice('customers.per', one.per, euros, amount=euros)}"
        yield f"{benefit_name(one.benefit, t)} {t.formats.period(one.since, one.until)}{amount}"


def _pending(file: File, t: Translator) -> Iterator[str]:
    lines = []
    for row in facts.pending(file):
        since = t("customer_view.since", day=t.formats.date(row.received))
        missing = f" ({', '.join(row.missing)})" if row.missing else ""
        stage = t.choice("customers.stage", row.stage, row.stage).lower()
        lines.append(f"{benefit_name(row.benefit, t)}, {since}, {stage}{missing}")
    return _more(lines, t)


def _next(file: File, t: Translator, today: date) -> Iterator[str]:
    found = facts.next_payment(file, today)
    if found is None:
        return
    names = ", ".join(dict.fromkeys(benefit_name(row.benefit, t) for row in found.payments))
    yield f"{t.formats.weekday(found.day)} {t.formats.date(found.day)}  {t.formats.euros(found.total)}  {names}"


def _last(file: File, t: Translator) -> Iterator[str]:
    row = facts.last_decision(file)
    if row is not None:
        outcome = t.choice("customers.outcome", row.outcome, row.outcome).lower()
        yield f"{t.formats.date(row.decided)} {benefit_name(row.benefit, t)}, {outcome}"


def _claims(file: File, t: Translator) -> Iterator[str]:
    lines = []
    for row in facts.open_claims(file):
        amount = "" if row.amount is None else f", {t.formats.euros(row.amount)}"
        status = t.choice("customers.claim", row.status, row.status).lower()
        lines.append(f"{row.claimant}: {benefit_name(row.benefit, t)}, {status}{amount}")
    return _more(lines, t)


def _recovery(file: File, t: Translator) -> Iterator[str]:
    for row in facts.open_recoveries(file):
        left = t("customer_view.left", balance=t.formats.euros(row.balance), amount=t.formats.euros(row.amount))
        each = "" if row.instalment is None else f", {t('customer_view.each', amount=t.formats.euros(row.instalment))}"
        yield f"{benefit_name(row.benefit, t)}: {left}{each}"


def _medicine(file: File, t: Translator, today: date, look: Look) -> Block:
    label = t("customer_view.medicine")
    row = facts.medicine(file, today.year)
    if row is None:
        return _field(file, Section.MEDICINE, label, (), t)
    used = share(row)
    numbers = t("customer_view.of", used=t.formats.euros(row.accrued), whole=t.formats.euros(row.cap))
    percent = t.formats.percent(gauge.percent(used))
    if row.reached_on is not None:
        numbers = f"{numbers}, {t('customer_view.reached', day=t.formats.date(row.reached_on))}"
    elif row.deductible is not None:
        begun = t.formats.euros(row.deductible_used or Decimal(0))
        numbers += f", {t('customer_view.deductible', used=begun, whole=t.formats.euros(row.deductible))}"
    drawn = "" if look.numbers else f"{gauge.bar(used, GAUGE, ascii_only=look.ascii_only)}  "
    return Field(label, f"{drawn}{percent}  {numbers}", "good" if row.reached_on is not None else "")


# --- charts, and the same as numbers --------------------------------------------------------------------------------


def _tracks(file: File, since: date) -> list[tuple[str, Track]]:
    """Return the benefits that ran last, each with its periods that reach beyond `since`."""
    found = []
    for name, periods in islice(facts.periods(file).items(), TRACKS):
        known = benefits().get(name)
        label = known.code if known is not None else name[:3].upper()
        found.append((name, Track(label, tuple(_spans(periods, since)))))
    return found


def _spans(periods: Iterable[facts.Period], since: date) -> Iterator[Span]:
    return (Span(one.start, one.end) for one in periods if one.end is None or one.end >= since)


def _chart(tracks: Sequence[tuple[str, Track]], months: Sequence[Month], t: Translator, look: Look) -> Block:
    def draw(width: int) -> Sequence[Line]:
        from kelmu_tui.widgets.sheet import LABEL_WIDTH

        label = min(LABEL_WIDTH, max(8, width // 3)) + 1
        shown = list(months)[-max(1, width - label - 4) :]
        pad = timeline.label_width([track for _, track in tracks]) + 1
        head = t("customer_view.timeline", count=len(months))
        lines: list[Line] = [[(head[: label - 1].ljust(label + pad), "dim"), (timeline.years(shown), "dim")]]
        names = {track.label: benefit_name(name, t) for name, track in tracks}
        for code, cells in timeline.rows([track for _, track in tracks], shown, ascii_only=look.ascii_only):
            room = width - label - pad - len(cells) - 2
            name = names[code] if room >= 12 else ""
            lines.append(
                [
                    (" " * label + code.ljust(pad), ""),
                    (cells, "accent"),
                    (f"  {name[:room]}" if name else "", "dim"),
                ]
            )
        return lines

    return Drawn(draw)


def _periods(tracks: Sequence[tuple[str, Track]], months: Sequence[Month], t: Translator) -> Iterator[Block]:
    yield Heading(t("customer_view.timeline", count=len(months)))
    first = months[0].first
    for name, track in tracks:
        recent = [span for span in timeline.runs(track.spans) if span.end is None or span.end >= first]
        if recent:
            text = ", ".join(t.formats.period(span.start, span.end) for span in recent)
            yield Field(track.label, f"{benefit_name(name, t)}: {text}")


def _sums(payments: Sequence[Payment], t: Translator, today: date, look: Look) -> Iterator[Block]:
    months = timeline.months_until(today, MONTHS)
    payments = [row for row in payments if row.paid_on >= months[0].first]  # of twenty years, most are older
    by_month = {one.key: one for one in facts.by_month(payments)}
    yield Heading(t("customer_view.per_month"))
    if look.numbers:
        for one in islice(by_month.values(), MONTHS_SUMMED):
            month = date.fromisoformat(one.key)
            yield Field(f"{month.month}/{month.year}", _sum_text(one, t))
    else:
        nothing = facts.Summed("", 0, Decimal(0), Decimal(0))
        found = [Bar(str(month.number), by_month.get(month.first.isoformat(), nothing).net) for month in months]
        most = max(bar.value for bar in found)

        def draw(width: int) -> Sequence[Line]:
            lines: list[Line] = [
                [(line, "accent")] for line in bars.chart(found, width, BAR_LINES, ascii_only=look.ascii_only)
            ]
            return lines

        yield Drawn(draw)
        yield Paragraph(t("customer_view.most", amount=t.formats.euros(most)), "dim")
    yield Heading(t("customer_view.per_benefit"))
    year = [row for row in payments if row.paid_on >= months[-MONTHS_SUMMED].first]
    for one in facts.by_benefit(year):
        yield Spans(((f"{benefit_name(one.key, t)}  ", ""), (_sum_text(one, t), "strong")))


def _sum_text(one: facts.Summed, t: Translator) -> str:
    net = t.formats.euros(one.net)
    if one.gross is None:
        return t("customer_view.summed_net", count=one.payments, net=net)
    return t("customer_view.summed", count=one.payments, net=net, gross=t.formats.euros(one.gross))


def _household(file: File, t: Translator) -> Iterator[Block]:
    if file.person.household:
        yield Heading(t("customers.field.household"))
    for one in file.person.household:
        relation = t.choice("kinds.relation", one.relation, one.relation)
        yield Spans(((f"{one.name}  ", ""), (f"{one.masked_code}  ", "dim"), (relation, "dim")))
