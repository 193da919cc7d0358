"""The ground the simulation stands on: two organisations, three users, empty records, notices, and time by hand."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any, Final

from sqlalchemy import insert

from kelmu_backend import feed, policy, pull
from kelmu_backend.database import tables
from kelmu_backend.database.engine import Database
from kelmu_backend.problems import ProblemError
from kelmu_tui.domain.capabilities import Grant, MandateKind
from kelmu_tui.domain.organisations import Organisation, social_care_organiser
from kelmu_tui.platform.ids import SeededIds
from tests.sync.simulation import claims

START: Final = datetime(2026, 11, 23, 8, 0, tzinfo=UTC)
A: Final = social_care_organiser("837")
B: Final = social_care_organiser("049")
PLACES: Final = {A.business_id: ("837", "536", "211"), B.business_id: ("049", "092", "235")}
USERS: Final = {"aino": A, "bertta": A, "bo": B}
COLLEAGUES: Final = {"kari": A, "kerttu": B}
"""Users without a terminal here: what they do just happens."""
INBOX: Final = "social_assistance_and_social_care"
LOOK_UP: Final = "benefit_viewing_and_claims"


class HandClock:
    """Time that moves when the simulation says so."""

    def __init__(self) -> None:
        self.at = START

    def now(self) -> datetime:
        """Return the present instant."""
        return self.at

    def monotonic(self) -> float:
        """Return seconds since the start."""
        return (self.at - START).total_seconds()


class ServerCrash(BaseException):
    """The backend dies here; its database undoes what was not committed."""


@dataclass(frozen=True)
class Effect:
    """A change that a command made: who made it, under which key, to what, and how old its lease was."""

    user: str
    key: str
    notice: str
    age: timedelta


@dataclass(frozen=True)
class Stream:
    """A page of a snapshot, or the problem that ended the stream."""

    page: pull.SnapshotPage | None
    problem: ProblemError | None = None


def grants(organisation: Organisation, *mandates: str) -> list[Grant]:
    """Return direct grants of `mandates`."""
    id_ = organisation.business_id
    return [Grant(name, MandateKind.MANDATE_TO_ACT, id_, id_, (), date(2025, 1, 1)) for name in mandates]


def build(path: Path) -> None:
    """Make an empty record with organisations and users in a file, copied for each run."""
    build_at(f"sqlite:///{path}")


def build_at(url: str) -> None:
    """Make an empty record with organisations and users in an empty database."""
    database = Database(url)
    database.migrate()
    with database.write() as connection:
        feed.ensure(connection, SeededIds("epoch"))
        for organisation in (A, B):
            connection.execute(
                insert(tables.organisation),
                {
                    "business_id": organisation.business_id,
                    "name_fi": organisation.name.fi,
                    "name_sv": organisation.name.sv,
                    "name_en": organisation.name.en,
                    "type": organisation.type.value,
                    "county": organisation.county,
                    "municipalities": list(organisation.municipalities),
                },
            )
            connection.execute(
                insert(tables.agreement), {"organisation": organisation.business_id, "valid_from": date(2025, 1, 1)}
            )
        for user, organisation in (USERS | COLLEAGUES).items():
            connection.execute(
                insert(tables.app_user),
                {"id": user, "name": user.title(), "language": "fi", "employer": organisation.business_id},
            )
            policy.replace_grants(connection, user, grants(organisation, INBOX, LOOK_UP))
        claims.found_people(
            connection, {user: holder.business_id for user, holder in (USERS | COLLEAGUES).items()}, START
        )
    database.dispose()


def notice_row(number: int, organisation: Organisation, now: datetime) -> dict[str, Any]:
    """Return the row of a notice that has just arrived, not yet published."""
    place = PLACES[organisation.business_id][0]
    return {
        "id": f"n{number:04d}",
        "version": 1,
        "kind": "social_work_need",
        "urgent": False,
        "status": "new",
        "organisation": organisation.business_id,
        "municipality": place,
        "created": now - timedelta(hours=1),
        "arrived": now,
        "due": date(2026, 12, 1),
        "customer": {
            "identity_code": "010190-900R",
            "family_name": "Virta",
            "given_names": "Oskar",
            "language": "fi",
            "non_disclosure": False,
        },
        "content": {"free_text": "Asiakas pyytää yhteydenottoa."},
        "published": False,
    }
