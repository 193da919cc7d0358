"""A worker's desk with documents to send, without a backend: the store, the service and a photo."""

from __future__ import annotations

from datetime import date
from pathlib import Path

from kelmu_tui.domain.identifiers import make_identity_code
from kelmu_tui.services.sealing import Request
from kelmu_tui.services.sendings import File, Sendings
from kelmu_tui.store import copies, sealed
from kelmu_tui.store.copies import State
from kelmu_tui.store.database import Store
from tests.services.signed_in import TODAY

SOCIAL = "social_assistance_and_social_care"
CODE = make_identity_code(date(1990, 1, 1), "-", 919)
NAME = "Virtanen, Aino"


def request(*paths: Path, **changes: object) -> Request:
    """Return a sending of `paths` at the customer's request."""
    values: dict[str, object] = {
        "customer": CODE,
        "name": NAME,
        "asked_by": "customer",
        "asked_on": TODAY,
        "way": "telephone",
        "case_reference": None,
        "files": [File(path, "bill", "Sähkölasku") for path in paths],
    }
    return Request(**(values | changes))  # type: ignore[arg-type]


def queue(sendings: Sendings, request: Request) -> str:
    """Seal and commit in one go; return the sending."""
    return sendings.commit(sendings.seal(request))


def files_of(store: Store) -> list[str]:
    """Return the names of the sealed files."""
    folder = sealed.folder(store.folder)
    return sorted(path.name for path in folder.iterdir()) if folder.exists() else []


def states(store: Store, sending: str) -> list[State]:
    """Return the states of a sending's copies."""
    with store.read() as db:
        return [one.state for one in copies.of(db, sending)]
