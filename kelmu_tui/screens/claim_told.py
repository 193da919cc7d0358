"""What is told in the form of a payment claim: below each field, of the whole, and all of it in a list with sources."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, ClassVar, Final, NamedTuple

from textual import on
from textual.app import ComposeResult

from kelmu_tui.actions import Context
from kelmu_tui.domain.claims.amounts import AmountFault
from kelmu_tui.domain.claims.catalogue import RuleKind
from kelmu_tui.i18n import Translator
from kelmu_tui.screens.base import Dialog
from kelmu_tui.screens.claim_fields import Note
from kelmu_tui.screens.page import PageScreen
from kelmu_tui.services.claim_days import DayFault
from kelmu_tui.services.claim_judging import Judged
from kelmu_tui.services.claim_typing import Fault, Field, Read, is_open_end
from kelmu_tui.services.claim_words import (
    account_fault_text,
    amount_fault_text,
    rule_source,
    rule_text,
    rule_why,
    unchecked_texts,
)
from kelmu_tui.widgets.cells import Column
from kelmu_tui.widgets.chrome import Caption
from kelmu_tui.widgets.picker import Choice, PickList
from kelmu_tui.widgets.sheet import Block, Heading, Paragraph

if TYPE_CHECKING:
    from kelmu_tui.screens.face import Face
    from kelmu_tui.services.code_typing import Typed
    from kelmu_tui.store.claim_rows import Payee

ROLES: Final = {RuleKind.BLOCK: "alarm", RuleKind.WARN: "warn", RuleKind.WARN_LATE: "warn", RuleKind.INFO: "dim"}
MOST_PICKS: Final = 12
FEW: Final = 2
"""As many rules that could not be checked are named below the payee; more are counted."""
UNCHECKED: Final = "unchecked"
LOOKED_UP: Final = "looked_up"
_ORDER: Final = ("block", "warn_late", "warn", UNCHECKED, "info")


class Remark(NamedTuple):
    """Something that is told.

    Attributes:
        field: where it is told; None of the whole claim.
        rule: id of the rule that tells it, empty when none does.
    """

    field: Field | None
    kind: str
    text: str
    role: str
    rule: str = ""


def fault_text(fault: Fault, t: Translator) -> str:
    """Return why a field cannot be read, and how it is written."""
    if isinstance(fault, DayFault):
        return t.choice("claim_form.day_fault", fault)
    if isinstance(fault, AmountFault):
        return amount_fault_text(fault, t)
    return account_fault_text(fault, t)


def remarks(judged: Judged, t: Translator, key: str) -> Iterator[Remark]:
    """Return everything that is told, in the order of the form; `key` looks the payee up."""
    for field in Field:
        if field is Field.PAYEE:
            yield from _of_payee(judged, t, key)
        if field in judged.faults:
            yield Remark(field, "block", fault_text(judged.faults[field], t), "alarm")
        for one in judged.findings.get(field, ()):
            yield Remark(field, one.kind.value, rule_text(one, t), ROLES[one.kind], one.rule)
    if judged.code:
        for rule in judged.unchecked:
            yield Remark(None, UNCHECKED, unchecked_texts([rule], t)[0], "dim", rule)


def _of_payee(judged: Judged, t: Translator, key: str) -> Iterator[Remark]:
    if judged.code and judged.payee is None:
        yield Remark(Field.PAYEE, "block", t("claim_form.look_up_first", key=key), "alarm")
    elif judged.payee is not None and not judged.payee.looked_up:
        yield Remark(Field.PAYEE, "warn", t("claim_form.not_looked_up", key=key), "warn")


def notes(
    judged: Judged, field: Field, t: Translator, key: str, *, quiet: bool, brief: bool, typed: bool
) -> tuple[Note, ...]:
    """Return what stands below a field.

    Args:
        typed: it is being typed in: what is not whole yet is no mistake.
        quiet: nobody has been there yet, or it is told otherwise: that it is empty needs no alarm.
        brief: leave out what is only told; it stands among all remarks.
    """
    if quiet and judged.only_missing(field):
        return ()
    if typed and judged.faults.get(field) in (DayFault.FORMAT, AmountFault.FORMAT):
        return ((fault_text(judged.faults[field], t), "dim"),)
    told = [
        (t.choice("claim_form.kind", one.kind, text=one.text), one.role)
        for one in remarks(judged, t, key)
        if one.field is field and not (brief and one.kind == RuleKind.INFO)
    ]
    if field is Field.PAYEE and judged.payee is not None and judged.payee.looked_up and judged.unchecked:
        texts = unchecked_texts(judged.unchecked, t)
        few = len(texts) <= FEW
        told += [(text, "dim") for text in (texts if few else [t("claim_form.unchecked", count=len(texts))])]
    return tuple(told)


def payee_notes(code: Typed, known: Payee | None, t: Translator, *, given: bool) -> list[Note]:
    """Say whose code it is, or how it stands while it is being typed; of a payee who is `given` the name has been said.

    Args:
        known: who has the code, None while nobody is known.
    """
    if known is not None:
        name = [] if given else [(known.name, "strong")]
        return [*name, *([(t("claim_form.non_disclosure"), "alarm")] if known.non_disclosure else [])]
    if given or not code.text:
        return []
    if code.wrong is not None:
        return [(t.choice("customer_view.wrong", code.wrong, at=code.at), "alarm")]
    if code.code is None:
        return [(t("customer_view.find_missing", count=code.missing), "dim")]
    return [(t("customer_view.find_right", day=t.formats.date(code.code.born)), "good")]


def typed_note(field: Field, text: str, said: Read, t: Translator) -> Iterator[Note]:
    """Say how a day or a sum was read where it may be read in several ways."""
    day = said.days.get(field)
    if day is not None and str(day.year) not in text:
        yield f"{t.formats.weekday(day)} {t.formats.date(day)}", "dim"
    if field is Field.LAST and is_open_end(text):
        yield t("claim_form.open_end"), "dim"
    if field is Field.AMOUNT and said.partial.amount is not None and said.partial.until_further_notice:
        yield t("claim_form.a_month", amount=t.formats.euros(said.partial.amount)), "dim"


def arrival_notes(judged: Judged, face: Face) -> Iterator[Note]:
    """Say by when the claim has to reach Kela, and for which payment day."""
    t, today = face.t, face.today()
    if judged.meant is None or judged.latest is None:
        return
    day = t.formats.date
    if judged.latest >= today:  # that it is too late is what a rule says
        left = t.formats.due_long(judged.latest, today)
        yield t("claim_form.arrives_by", pays=day(judged.meant), latest=day(judged.latest), left=left), "dim"


def status_notes(face: Face, judged: Judged, *, gone: bool, begun: bool) -> list[Note]:
    """Say how the whole stands: what hinders it, or what is missed while there is no connection."""
    t = face.t
    if gone:
        return [(t("claim_form.gone"), "alarm")]
    told: list[Note] = []
    if judged.hindrances:
        key = face.key_text("claim_form.next_blocking")
        told.append((t("claim_form.blocks", count=judged.hindrances, key=key), "warn"))
    elif begun and judged.content is not None:
        told.append((t("claim_form.ready", key=face.key_text("claim_form.register")), "good"))
    if judged.missed is not None and not face.online:
        told.append((t("claim_form.at_risk", day=t.formats.date(judged.missed)), "alarm"))
    return told


class ToldScreen(Dialog[str]):
    """Everything that is told; answers the field to go to, or `LOOKED_UP` when the payee is to be looked up."""

    CONTEXT: ClassVar[Context] = Context.CLAIM_TOLD

    def __init__(self, told: Sequence[Remark], here: Field | None) -> None:
        """List what is told, what forbids first; the cursor begins with what is told `here`."""
        super().__init__()
        self._told = tuple(sorted(told, key=lambda one: _ORDER.index(one.kind)))
        self._here = here

    def compose(self) -> ComposeResult:
        """Put the box together."""
        t = self.face.t
        columns = (
            Column("kind", "", 10, most=14),
            Column("where", "", 8, most=15, drop=1),
            Column("text", "", 14, most=80),
        )
        picks = PickList(columns, glyphs=self.face.glyphs, empty=t("claim_form.nothing_told"), id="picks")
        yield self.box(
            t("claim_form.told_title"),
            picks,
            Caption("", role="", id="told"),
            Caption(
                self.hint_line(
                    "dialog.accept",
                    "claim_told.source",
                    "claim_told.customer",
                    "dialog.cancel",
                    accept=t("claim_form.to_field"),
                )
            ),
        )

    def on_mount(self) -> None:
        """Offer the list."""
        t = self.face.t
        self.query_one(PickList).offer(
            [
                Choice(
                    str(number),
                    (
                        t.choice("claim_form.kind_name", one.kind),
                        "" if one.field is None else t.choice("claim_form.label", one.field),
                        one.text,
                    ),
                )
                for number, one in enumerate(self._told)
            ]
        )
        first = next((number for number, one in enumerate(self._told) if one.field is self._here), 0)
        self.query_one(PickList).point(str(first))

    def on_resize(self) -> None:
        """Fit the list into the terminal."""
        self.fit_picks(min(max(1, len(self._told)), MOST_PICKS), beside=7)

    @property
    def _current(self) -> Remark | None:
        choice = self.query_one(PickList).current
        return None if choice is None else self._told[int(choice.key)]

    @on(PickList.Pointed)
    def _pointed(self) -> None:
        one = self._current
        self.query_one("#told", Caption).show("" if one is None else one.text, role="" if one is None else one.role)

    @on(PickList.Picked)
    def _picked(self) -> None:
        self.action_dialog_accept()

    def action_dialog_accept(self) -> None:
        """Go to the field."""
        one = self._current
        self.dismiss(None if one is None or one.field is None else one.field.value)

    def action_claim_told_source(self) -> None:
        """Show what the remark rests on."""
        one = self._current
        if one is not None:
            self.face.push_screen(SourceScreen(one))

    def action_claim_told_customer(self) -> None:
        """Have the payee looked up."""
        self.dismiss(LOOKED_UP)

    def action_list_down(self) -> None:
        """Point at the next one."""
        self.query_one(PickList).move(1)

    def action_list_up(self) -> None:
        """Point at the one before."""
        self.query_one(PickList).move(-1)

    def action_list_page_down(self) -> None:
        """Point further down."""
        self.query_one(PickList).move(MOST_PICKS)

    def action_list_page_up(self) -> None:
        """Point further up."""
        self.query_one(PickList).move(-MOST_PICKS)

    def action_list_top(self) -> None:
        """Point at the first one."""
        self.query_one(PickList).move(-len(self._told))

    def action_list_bottom(self) -> None:
        """Point at the last one."""
        self.query_one(PickList).move(len(self._told))


class SourceScreen(PageScreen[None]):
    """A remark whole, and where its rule comes from."""

    CONTEXT: ClassVar[Context] = Context.FORM_PAGE

    def __init__(self, remark: Remark) -> None:
        super().__init__()
        self._remark = remark

    def retranslate(self) -> None:
        """Render the page in the language of now."""
        super().retranslate()
        self.sheet.show(self._blocks(), title=self.face.t("claim_form.source_title"), keep=True)

    def _blocks(self) -> Iterator[Block]:
        t, one = self.face.t, self._remark
        yield Heading(t.choice("claim_form.kind_name", one.kind))
        yield Paragraph(one.text, one.role, indent=2)
        why = rule_why(one.rule, t) if one.rule else t("claim_form.source_form")
        if why:
            yield Heading(t("claim_form.why"))
            yield Paragraph(why, indent=2)
        sources = rule_source(one.rule, t)
        if sources:
            yield Heading(t("claim_form.source"))
            for line in sources:
                yield Paragraph(line, indent=2)
