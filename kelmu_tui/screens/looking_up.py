"""One look-up under way: whoever waits hears of the person as soon as that is stored, the sections come later."""

from __future__ import annotations

import asyncio

from kelmu_tui.api.errors import ApiError, ProblemAnswer
from kelmu_tui.i18n import Translator
from kelmu_tui.screens.desk import Desk
from kelmu_tui.screens.face import Face
from kelmu_tui.services.customers import LookUp
from kelmu_tui.services.inbox import NotAllowed
from kelmu_tui.services.known import SHUT_OUT
from kelmu_tui.store.errors import StoreError

Found = str | ApiError | NotAllowed
"""The customer's id, or why there is none."""


class LookingUp:
    """A look-up that goes on beside the screens; what hinders its rest is said on the one on top."""

    def __init__(self, face: Face, desk: Desk, query: LookUp) -> None:
        self._face = face
        self._desk = desk
        self._query = query
        self._first: asyncio.Future[Found | None] = asyncio.get_running_loop().create_future()
        face.spawn("customer.look_up", self._run())

    async def first(self) -> Found | None:
        """Return who was found as soon as that is known; None when the disk did not take it, which has been said."""
        return await asyncio.shield(self._first)

    async def _run(self) -> None:
        try:
            self._heard(await self._desk.look_up(self._query, self._heard))
        except (ApiError, NotAllowed) as problem:
            if isinstance(problem, ApiError) and (self._first.done() or problem.code in SHUT_OUT):
                # A mandate has ended, or may have: an answer ends early with it. The feed tells, if it is asked now.
                self._desk.poke()
            if not self._first.done():
                self._first.set_result(problem)
            else:
                self._face.say(problem_text(problem, self._face.t), role="alarm")
        except StoreError:
            self._heard(None)
            raise
        finally:
            self._heard(None)

    def _heard(self, customer: str | None) -> None:
        if not self._first.done():
            self._first.set_result(customer)


def problem_text(problem: ApiError | NotAllowed, t: Translator) -> str:
    """Return what hinders a look-up, as a sentence that says what to do next."""
    if isinstance(problem, NotAllowed):
        return t("errors.api.mandate_missing")
    if problem.code == "not_found":
        return t("customer_view.unknown_person")
    text = t.choice("errors.api", problem.code, t("errors.api.internal"))
    rule = rule_of(problem)
    if problem.code == "reason_needed" and rule is not None:
        return t.choice("customer_view.reason_why", rule, text)
    return text


def rule_of(problem: ApiError) -> str | None:
    """Return the rule that the backend named."""
    found = problem.problem if isinstance(problem, ProblemAnswer) else None
    return None if found is None else found.rule
