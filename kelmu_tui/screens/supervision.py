"""The look-ups of the organisation, for its supervisors: searched, drawn, or extracted for a customer."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable, Mapping
from datetime import timedelta
from pathlib import Path
from typing import ClassVar

from kelmu_tui.actions import REGISTRY, Action, Context
from kelmu_tui.api.contract import AuditedLookUp
from kelmu_tui.domain.deadlines import local_date
from kelmu_tui.screens import panes
from kelmu_tui.screens.desk import Desk
from kelmu_tui.screens.paged import Hindrance, Page, PagedScreen, supervision_text
from kelmu_tui.screens.supervision_ask import AskScreen, Typed
from kelmu_tui.services.audit_typing import Part
from kelmu_tui.services.look_up_text import fields, flags_text, heading, line, outcome_text, user_text
from kelmu_tui.services.look_ups import USUAL_DAYS, USUAL_SAMPLE, Found, Kind
from kelmu_tui.terminal.clipboard import TooLong
from kelmu_tui.widgets.cells import Cell, Column
from kelmu_tui.widgets.sheet import Block, Field, Heading, Paragraph, Sheet


class SupervisionScreen(PagedScreen[AuditedLookUp]):
    """What was asked last and what came; nothing is asked before the supervisor has said for what."""

    CONTEXT: ClassVar[Context] = Context.SUPERVISION

    def __init__(self, desk: Desk) -> None:
        super().__init__()
        self.desk = desk
        self.found: Found | None = None
        self._typed: dict[Kind, Typed] = {}
        self._users: dict[str, str] = {}

    # --- what was asked ---------------------------------------------------------------------------------------------

    async def page(self, cursor: str | None) -> Page[AuditedLookUp]:
        """Read the next page of a search, or the same once more."""
        before = self.found
        if before is None:
            return (), None
        again = before.again
        if cursor is None and again is None:
            self.say(self.face.t("look_ups.type_again"), role="warn")
            return before.rows, before.next
        log = self.desk.look_ups
        came = await log.more(before) if cursor is not None or again is None else await log.find(again, before.whom)
        if self.found is before:  # else something else was asked meanwhile, and that is shown
            self.found = came
        return came.rows if cursor is None else came.rows[len(before.rows) :], came.next

    def why(self, problem: Hindrance) -> str:
        """Return the words for what hinders a reading."""
        return supervision_text(problem, self.face.t)

    def mounted(self) -> None:
        """Say what can be done here."""
        super().mounted()
        self.say_empty()

    def _ask(self, kind: Kind) -> None:
        typed = self._typed.setdefault(kind, self._usual(kind))
        self.face.push_screen(AskScreen(self.desk, kind, typed, self._all, self._users), self._got)

    def _usual(self, kind: Kind) -> Typed:
        if kind is not Kind.SAMPLE:
            return {}
        today = local_date(self.face.now())
        day = self.face.t.formats.date
        return {
            Part.SIZE: str(USUAL_SAMPLE),
            Part.SINCE: day(today - timedelta(days=USUAL_DAYS)),
            Part.UNTIL: day(today),
        }

    def _got(self, found: Found | None) -> None:
        """Show what came, from its first row."""
        if found is None or not self.alive:
            return
        self._turn += 1  # a page of what was asked before comes too late
        self.found, self.hindered, self._next = found, None, found.next
        self._all = found.rows
        self._users |= {row.user: user_text(row) for row in found.rows}
        self._text = ""
        if self.has_class("-reading"):
            self.action_list_open()
        self._narrow(keep=False)
        self.say_empty()
        self._update_view()
        self.update_hints()
        if found.seed is not None:
            t = self.face.t
            drawn = t("look_ups.drawn_of", count=len(found.rows), whole=found.drawn_from or 0)
            self.say(f"{drawn}. {t('look_ups.seed')}: {found.seed}")

    def action_supervision_search(self) -> None:
        """Search the log."""
        self._ask(Kind.SEARCH)

    def action_supervision_sample(self) -> None:
        """Draw a sample."""
        self._ask(Kind.SAMPLE)

    def action_supervision_extract(self) -> None:
        """Make a customer's extract."""
        self._ask(Kind.EXTRACT)

    # --- rows -------------------------------------------------------------------------------------------------------

    def key(self, row: AuditedLookUp) -> str:
        """Return the look-up's id."""
        return row.id

    def heading(self) -> str:
        """Return what is shown: the kind, and of a sample its seed, of an extract the masked code."""
        t, found = self.face.t, self.found
        if found is None:
            return t("look_ups.supervision")
        more = found.whom or (None if found.seed is None else f"{t('look_ups.seed')} {found.seed}")
        return " ".join(text for text in (t.choice("look_ups.kind", found.kind), more) if text)

    def no_rows(self) -> str:
        """Say that nothing was asked yet, or that nothing fits."""
        return self.face.t("look_ups.nothing_asked" if self.found is None else "look_ups.nothing_found")

    def columns(self) -> tuple[Column, ...]:
        """Return the columns."""
        t = self.face.t
        return (
            Column("at", t("look_ups.at"), 12, good=16),
            Column("user", t("look_ups.user"), 12, good=20, most=40),
            Column("whom", t("look_ups.customer"), 11, drop=2),
            Column("flags", t("look_ups.flags"), 16, good=24, most=44, drop=1),
            Column("case", t("look_ups.case"), 8, good=12, most=20, drop=4),
            Column("outcome", t("look_ups.outcome_of"), 8, good=14, most=24, drop=3),
        )

    def cells(self, row: AuditedLookUp) -> Mapping[str, Cell]:
        """Return the cells of a look-up."""
        t = self.face.t
        return {
            "at": Cell(t.formats.short_instant(row.at)),
            "user": Cell(user_text(row)),
            "whom": Cell(row.masked_code or self.face.glyphs.none, "dim"),
            "flags": Cell(flags_text(row.flags, t), "warn"),
            "case": Cell(row.case_reference or "", "dim"),
            "outcome": Cell(outcome_text(row.outcome, t), "dim"),
        }

    def flag(self, row: AuditedLookUp) -> Cell:
        """Return the sign of what should be looked at."""
        return Cell(self.face.glyphs.warning, "warn") if row.flags else Cell(" ")

    def explain(self, row: AuditedLookUp) -> Iterable[Block]:
        """Say everything that is known of a look-up: why it is flagged first."""
        t = self.face.t
        for flag in row.flags:
            yield Paragraph(t.choice("look_ups.flag_why", flag), "warn")
        for label, text in fields(row, t):
            yield Field(label, text)
        if self.found is not None:
            yield Heading(t.choice("look_ups.kind", self.found.kind))
            for label, text in heading(self.found, t):
                yield Field(label, text)

    def explain_nothing(self) -> Iterable[Block]:
        """Say what was asked, or what can be asked and that it is logged."""
        t = self.face.t
        if self.found is not None:
            for label, text in heading(self.found, t):
                yield Field(label, text)
            return
        for action in ("supervision.search", "supervision.sample", "supervision.extract"):
            yield Field(self.key_text(action), t(REGISTRY[action].help_key), label_role="key")
        yield Paragraph(t("look_ups.supervision_about"), "dim")

    # --- what leaves ------------------------------------------------------------------------------------------------

    def action_list_open(self) -> None:
        """Give what is known of a look-up room and the moving keys, or the list again."""
        self.toggle_class("-reading")
        self.query_one("#preview", Sheet).set_class(self.has_class("-reading"), "-active")

    async def perform(self, action: Action) -> None:
        """Moving keys scroll what is being read."""
        reading = self.has_class("-reading") and not self.filtering
        if not reading or not panes.scroll(self.query_one("#preview", Sheet), action.id):
            await super().perform(action)

    def action_app_back(self) -> None:
        """Go back to the list, then leave the screen."""
        if self.has_class("-reading"):
            self.action_list_open()
        else:
            super().action_app_back()

    def action_supervision_copy(self) -> None:
        """Hand a look-up to the terminal's clipboard, and say honestly what is known of that."""
        row, t = self.rows.current, self.face.t
        if row is None:
            return
        try:
            self.face.send_copy(line(row, t))
        except TooLong:
            self.say(t("customer_view.too_long"), role="warn")
        else:
            self.say(t("customer_view.sent"), role="good")

    def action_supervision_write(self) -> None:
        """Write what came to a file: as pages to be printed or archived, as a table, or as JSON."""
        from kelmu_tui.platform.saving import save_new
        from kelmu_tui.screens.save_file import SaveScreen
        from kelmu_tui.services.case_file import Form, form_of
        from kelmu_tui.services.look_up_text import saved

        t, found = self.face.t, self.found
        if found is None:
            self.say(t("look_ups.nothing_asked"), role="warn")
            return

        async def save(path: Path) -> str:
            form = form_of(path)
            text = saved(found, self.desk.session, t, form)
            await asyncio.to_thread(save_new, path, text, mark=form is Form.TABLE)
            self.say(t("saving.done", path=str(path)), role="good")
            return ""

        name = f"kelmu-{found.kind.value}-{local_date(found.at).isoformat()}.txt"
        self.face.push_screen(SaveScreen(f"~/{name}", save))
