"""What is chosen in the form of a payment claim: first what is possible, then the rest with why not and what to use."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from datetime import date
from typing import ClassVar, Final

from textual import on
from textual.app import ComposeResult
from textual.widgets import Input

from kelmu_tui.actions import Context
from kelmu_tui.domain.benefits import Benefit, benefits
from kelmu_tui.domain.claims.accounts import InvalidAccount, parse_account, shown_account
from kelmu_tui.domain.claims.catalogue import NO_CLAIMS, SOCIAL_ASSISTANCE, bases, claimable, forms_for, kelmu_bases
from kelmu_tui.i18n import Translator
from kelmu_tui.screens.base import Dialog
from kelmu_tui.screens.claim_told import fault_text
from kelmu_tui.services.claim_typing import Field
from kelmu_tui.services.claim_words import basis_name, form_name
from kelmu_tui.store.claim_rows import Account
from kelmu_tui.widgets.cells import Column
from kelmu_tui.widgets.chrome import Caption
from kelmu_tui.widgets.picker import Choice, PickList
from kelmu_tui.widgets.text_field import LineField

MOST_PICKS: Final = 14
BESIDE: Final = 8
"""Lines of the box that are no choices: border, field, what is told of the choice, hints."""
LETTER: Final = "letter:"
"""Stands before the basis whose letter is wanted, in the answer."""


def basis_choices(benefit: str, t: Translator) -> Iterator[Choice]:
    """Return the bases: the two of Kelmu, then those for which it goes in writing."""
    for basis in kelmu_bases():
        unfit = benefit and benefit not in basis.benefits
        why = t("claim_form.not_this_benefit") if unfit else t("claim_form.in_kelmu")
        yield Choice(basis.id, (basis_name(basis.id, t), why), f"{basis.code} {basis.section}")
    for basis in bases().values():
        if not basis.in_kelmu:
            names = [form_name(form, t) for form in basis.forms]
            why = t("claim_form.in_writing", forms=", ".join(names))
            yield Choice(basis.id, (basis_name(basis.id, t), why), f"{basis.code} {basis.section}", closed=True)


def benefit_choices(basis: str, today: date, t: Translator) -> Iterator[Choice]:
    """Return the benefits: those that a basis allows (any of the two while none is chosen), then those it does not."""
    allowed = [
        one
        for one in benefits().values()
        if (claimable(basis, one.id) if basis else any(claimable(known.id, one.id) for known in kelmu_bases()))
    ]
    for one in allowed:
        ended = "" if one.exists_on(today) else t("claim_form.no_such_benefit_now")
        yield Choice(one.id, (one.name.get(t.language), ended), _words(one))
    open_ = {one.id for one in allowed}
    for one in benefits().values():
        if one.id not in open_:
            yield Choice(one.id, (one.name.get(t.language), why_not(basis, one.id, t)), _words(one), closed=True)


def _words(benefit: Benefit) -> str:
    """Return by what a benefit is found besides its name: its code, and its names in the other languages."""
    name = benefit.name
    return f"{benefit.code} {name.fi} {name.sv} {name.en}"


def why_not(basis: str, benefit: str, t: Translator) -> str:
    """Say why a benefit cannot be claimed on a basis in Kelmu, and what to use."""
    if benefit in NO_CLAIMS:
        return t("claim_form.nobody_claims")
    forms = ", ".join(form_name(form.id, t) for form in forms_for(basis or SOCIAL_ASSISTANCE, benefit))
    other = next((known for known in kelmu_bases() if known.id != basis and benefit in known.benefits), None)
    if other is not None:
        return t("claim_form.other_basis", basis=basis_name(other.id, t))
    return t("claim_form.in_writing", forms=forms) if forms else t("claim_form.nobody_claims")


def account_choices(accounts: Sequence[Account]) -> Iterator[Choice]:
    """Return the organisation's accounts, in groups of four."""
    for one in accounts:
        yield Choice(one.iban, (shown_account(one.iban), one.name), one.iban)


class PickScreen(Dialog[str]):
    """A field, the choices that match, and what is to be said of the one under the cursor; answers its key.

    What is closed can be pointed at and read, not chosen. A basis for which it goes in writing leads to the text of
    the letter; the answer then is `LETTER` and its id.
    """

    CONTEXT: ClassVar[Context] = Context.CLAIM_PICK

    def __init__(
        self,
        field: Field,
        choices: Sequence[Choice],
        current: str,
        typed: str = "",
        *,
        judge: Callable[[str], tuple[str, str]] | None = None,
    ) -> None:
        """Offer choices for a field, of which `current` is chosen now; `typed` is what the user has begun to type.

        Args:
            judge: says what is to be said of a text that matches nothing, and in which role.
        """
        super().__init__()
        self._field = field
        self._choices = tuple(choices)
        self._current = current
        self._typed_first = typed
        self._judge = judge

    def compose(self) -> ComposeResult:
        """Put the box together."""
        t = self.face.t
        columns = (Column("name", "", 20, good=34, most=44), Column("why", "", 14, most=70, drop=1))
        picks = PickList(columns, glyphs=self.face.glyphs, empty=t("common.nothing_matches"), id="picks")
        hints = ["dialog.accept", "dialog.cancel"]
        if self._field is Field.BASIS:
            hints.insert(1, "claim_pick.letter")
        yield self.box(
            t.choice("claim_form.choose", self._field),
            LineField(self._typed_first, id="field", max_length=60),
            picks,
            Caption("", role="", id="told"),
            Caption(self.hint_line(*hints)),
        )

    def on_mount(self) -> None:
        """Point at what is chosen now."""
        picks, field = self.query_one(PickList), self.query_one(LineField)
        picks.offer(self._choices)
        picks.point(self._current)
        picks.search(self._typed_first)
        self.set_focus(field)
        field.cursor_position = len(field.value)

    def on_resize(self) -> None:
        """Fit the list into the terminal."""
        self.fit_picks(min(max(1, len(self._choices)), MOST_PICKS), beside=BESIDE)

    @on(Input.Changed)
    def _typed(self, event: Input.Changed) -> None:
        picks = self.query_one(PickList)
        picks.search(event.value)
        if not picks.matches:
            self._tell(*(self._judge(event.value) if self._judge is not None else ("", "dim")))

    @on(PickList.Pointed)
    def _pointed(self, event: PickList.Pointed) -> None:
        choice = event.choice
        if choice is not None:
            self._tell(": ".join(part for part in choice.cells if part), "warn" if choice.closed else "dim")

    def _tell(self, text: str, role: str) -> None:
        self.query_one("#told", Caption).show(text, role=role)

    @on(PickList.Picked)
    def _picked(self) -> None:
        self.action_dialog_accept()

    def action_dialog_accept(self) -> None:
        """Answer what is under the cursor, or say why that cannot be."""
        choice = self.query_one(PickList).current
        if choice is None:
            return
        if choice.closed:
            key = self.key_text("claim_pick.letter") if self._field is Field.BASIS else ""
            more = f" {self.face.t('claim_form.letter_hint', key=key)}" if key else ""
            self._tell(": ".join(part for part in choice.cells if part) + more, "alarm")
            return
        self.dismiss(choice.key)

    def action_claim_pick_letter(self) -> None:
        """Show the text of a claim in writing."""
        choice = self.query_one(PickList).current
        if self._field is Field.BASIS and choice is not None:
            self.dismiss(LETTER + choice.key)

    def action_dialog_down(self) -> None:
        """Point at the next choice."""
        self.query_one(PickList).move(1)

    def action_dialog_up(self) -> None:
        """Point at the choice before."""
        self.query_one(PickList).move(-1)


def judge_account(accounts: Sequence[Account], t: Translator) -> Callable[[str], tuple[str, str]]:
    """Return what is said of an account that was typed and is none of the organisation's."""

    def judge(text: str) -> tuple[str, str]:
        try:
            iban = parse_account(text)
        except InvalidAccount as problem:
            return fault_text(problem.fault, t), "alarm"
        known = any(one.iban == iban for one in accounts)
        return ("", "dim") if known else (t("claim_form.not_own_account"), "alarm")

    return judge
