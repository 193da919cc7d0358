"""The sign-in pages: enter the code, identify, compare and decide, done. They need no scripts.

Each page reads where its sitting stands from the database, so that the back button, a reload and a second tab show
what is true. A form answers with a redirect, or with the same page and one message.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Final
from zoneinfo import ZoneInfo

from fastapi import APIRouter
from sqlalchemy import Connection, delete, insert, select, update
from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import Response

from kelmu_backend.identity import codes, forms, grants, guesses, keys, people, visits
from kelmu_backend.identity.grants import Grant, Mistake, State
from kelmu_backend.identity.people import Person
from kelmu_backend.identity.ports import Settings, Transactions
from kelmu_backend.identity.tables import sitting
from kelmu_backend.identity.texts import Texts
from kelmu_backend.identity.visits import Visit

HELSINKI: Final = ZoneInfo("Europe/Helsinki")
EXAMPLE: Final = "BCDFG\N{NON-BREAKING HYPHEN}HJKLM"

_STATUS: Final = {Mistake.WRONG: 400, Mistake.LIMITED: 429}
_GONE: Final = 410


@dataclass(frozen=True, slots=True)
class Sitting:
    """Where a browser stands: the grant whose code it entered, and whom it was identified as."""

    grant: Grant
    user: str | None


class SignInPages:
    """The pages over one database."""

    def __init__(self, settings: Settings, database: Transactions) -> None:
        self._settings = settings
        self._database = database

    def router(self) -> APIRouter:
        """Return the routes; they are for people and stay out of the API's description."""
        router = APIRouter(include_in_schema=False)
        for path, show, take in (
            ("/sign-in", self.show_code, self.take_code),
            ("/sign-in/identify", self.show_people, self.take_person),
            ("/sign-in/confirm", self.show_question, self.take_decision),
            ("/sign-in/done", self.show_end, None),
        ):
            router.add_api_route(path, self._shown(show), methods=["GET"], response_model=None)
            if take is not None:
                router.add_api_route(path, self._taken(take), methods=["POST"], response_model=None)
        router.add_api_route("/sign-in/style.css", visits.style_sheet, methods=["GET"], response_model=None)
        return router

    # --- the code -----------------------------------------------------------------------------------------------

    def show_code(self, visit: Visit) -> Response:
        """Show the first page."""
        return _code_page(visit)

    def take_code(self, visit: Visit) -> Response:
        """Look a typed code up and begin a sitting with its grant."""
        now = self._settings.clock.now()
        typed = visit.fields.get("user_code", "")
        with self._database.write() as connection:
            found = grants.enter(connection, keys.ring(self._settings), typed, visit.caller, now)
            if isinstance(found, Grant):
                connection.execute(delete(sitting).where(sitting.c.id == visit.sitting))
                visit.renew_secret()
                connection.execute(insert(sitting).values(id=visit.sitting, grant=found.id, created=now))
        if isinstance(found, Mistake):
            return _code_page(visit, found)
        visit.keep_code(found.user_code)
        return visit.go("/sign-in/identify")

    # --- who ----------------------------------------------------------------------------------------------------

    def show_people(self, visit: Visit) -> Response:
        """Show whom one can identify as; a real server says that it has no identification service."""
        with self._database.read() as connection:
            place = self._place(connection, visit)
            if not isinstance(place, Sitting):
                return place
            return self._people_page(connection, visit)

    def take_person(self, visit: Visit) -> Response:
        """Note in the sitting who was chosen."""
        chosen = visit.fields.get("persona", "")
        with self._database.write() as connection:
            place = self._place(connection, visit)
            if not isinstance(place, Sitting):
                return place
            if not self._settings.demo or not people.persona(connection, chosen):
                return self._people_page(connection, visit, wrong=True)
            before = visit.sitting
            visit.renew_secret()
            values = {"id": visit.sitting, "user": chosen}
            connection.execute(update(sitting).where(sitting.c.id == before).values(values))
        return visit.go("/sign-in/confirm")

    def _people_page(self, connection: Connection, visit: Visit, *, wrong: bool = False) -> Response:
        if not self._settings.demo:
            heading, text = visit.t("identify.unconfigured_heading"), visit.t("identify.unconfigured")
            return visit.page("ended.html", 503, heading=heading, text=text)
        listed = people.personas(connection, visit.t.language)
        mistake = visit.t("identify.unknown") if wrong else None
        return visit.page("identify.html", 400 if wrong else 200, step=2, people=listed, mistake=mistake)

    # --- the decision -------------------------------------------------------------------------------------------

    def show_question(self, visit: Visit) -> Response:
        """Show what is to be compared, and ask."""
        with self._database.read() as connection:
            return self._question_page(connection, visit)

    def take_decision(self, visit: Visit) -> Response:
        """Approve or refuse."""
        decision = visit.fields.get("decision")
        with self._database.write() as connection:
            place = self._place(connection, visit)
            if not isinstance(place, Sitting):
                return place
            if place.user is None or decision not in ("approve", "refuse"):
                return self._question_page(connection, visit, unclear=True)
            approve = decision == "approve"
            now = self._settings.clock.now()
            grants.decide(connection, place.grant.id, place.user, visit.caller, now, approve=approve)
        # The last page says how the grant stands: if another tab was faster, that is what it shows.
        return visit.go("/sign-in/done")

    def _question_page(self, connection: Connection, visit: Visit, *, unclear: bool = False) -> Response:
        place = self._place(connection, visit)
        if not isinstance(place, Sitting):
            return place
        person = self._person(connection, visit, place)
        if person is None:
            return visit.go("/sign-in/identify")
        return visit.page(
            "confirm.html",
            400 if unclear else 200,
            step=3,
            mistake=visit.t("confirm.choose") if unclear else None,
            user_code=codes.shown(place.grant.user_code),
            device=place.grant.device_name,
            address=place.grant.address,
            started=place.grant.created.astimezone(HELSINKI),
            person=person,
        )

    def _person(self, connection: Connection, visit: Visit, place: Sitting) -> Person | None:
        return None if place.user is None else people.person(connection, place.user, visit.t.language)

    # --- the end ------------------------------------------------------------------------------------------------

    def show_end(self, visit: Visit) -> Response:
        """Show how the grant of this sitting was decided."""
        with self._database.read() as connection:
            place = self._sitting(connection, visit)
        if place is None:
            return _lost_page(visit)
        if place.grant.state is State.PENDING:
            return visit.go("/sign-in/confirm")
        return visit.page("done.html", approved=place.grant.state is not State.REFUSED)

    # --- common -------------------------------------------------------------------------------------------------

    def _place(self, connection: Connection, visit: Visit) -> Sitting | Response:
        """Return the sitting of a grant that can still be decided, or the page that says why there is none."""
        found = self._sitting(connection, visit)
        if found is None:
            return _lost_page(visit)
        mistake = grants.standing(found.grant, self._settings.clock.now())
        return found if mistake is None else _code_page(visit, mistake)

    def _sitting(self, connection: Connection, visit: Visit) -> Sitting | None:
        if visit.code is None:
            return None
        row = connection.execute(select(sitting).where(sitting.c.id == visit.sitting)).one_or_none()
        if row is None:
            return None
        grant = grants.find(connection, keys.ring(self._settings), row.grant, visit.code)
        return None if grant is None else Sitting(grant, row.user)

    def _shown(self, show: Callable[[Visit], Response]) -> Callable[[Request], Any]:
        def route(request: Request) -> Response:
            return show(Visit(self._settings, request, {}))

        return route

    def _taken(self, take: Callable[[Visit], Response]) -> Callable[[Request], Any]:
        def checked(visit: Visit) -> Response:
            return take(visit) if visit.is_ours() else _lost_page(visit, 403)

        async def route(request: Request) -> Response:
            try:
                fields = await forms.read(request)
            except forms.BadForm:
                fields = {}
            return await run_in_threadpool(checked, Visit(self._settings, request, fields))

        return route


def _code_page(visit: Visit, mistake: Mistake | None = None) -> Response:
    """Return the first page, with one message when a code was no good; what was typed isn't sent back."""
    text = None if mistake is None else _message(visit.t, mistake)
    status = 200 if mistake is None else _STATUS.get(mistake, _GONE)
    response = visit.page(
        "code.html", status, step=1, mistake=text, example=EXAMPLE, prefilled="" if mistake else visit.offered_code
    )
    if mistake is Mistake.LIMITED:
        response.headers["Retry-After"] = str(guesses.retry_after())
    return response


def _message(t: Texts, mistake: Mistake) -> str:
    match mistake:
        case Mistake.WRONG:
            return t("mistake.wrong")
        case Mistake.EXPIRED:
            return t("mistake.expired")
        case Mistake.USED:
            return t("mistake.used")
        case Mistake.REFUSED:
            return t("mistake.refused")
        case Mistake.LIMITED:
            return t("mistake.limited", minutes=guesses.retry_after() // 60)


def _lost_page(visit: Visit, status: int = 400) -> Response:
    return visit.page("ended.html", status, heading=visit.t("lost.heading"), text=visit.t("lost.text"))
