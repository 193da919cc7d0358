"""A real backend behind a real network that can be cut, and a worker's machine."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from kelmu_tui.domain.capabilities import DOCUMENTS_SEND
from kelmu_tui.platform import paths
from kelmu_tui.platform.paths import Profile
from kelmu_tui.services.context import Context, open_context
from kelmu_tui.services.sendings import Sendings
from kelmu_tui.store.database import Store
from tests.content.files import photo_at
from tests.e2e.world import WORKER, World, served_world
from tests.ordeal.record import folder_of
from tests.services.conftest import profile as profile
from tests.services.conftest import store as store
from tests.services.conftest import time as time
from tests.services.customers import at_work
from tests.services.signed_in import FIRST
from tests.uploads.cutter import Cutter
from tests.uploads.desk import SOCIAL


@dataclass(frozen=True)
class Wired:
    """A world whose backend is known to clients by a cutter's address."""

    world: World
    line: Cutter
    code: str
    """Identity code of somebody whose notice the worker has."""
    name: str

    @property
    def folder(self) -> Path:
        """Folder of the worker's files."""
        return folder_of(self.world, WORKER)

    def opened(self) -> Context:
        """Open the worker's store in this process."""
        return open_context(paths.profile("demo"), user=WORKER, ask=_never, needs=frozenset({DOCUMENTS_SEND}))

    def sent(self) -> list[tuple[str, int]]:
        """Return the sendings that the backend has, each with how many documents."""
        return self.world.sql(
            "SELECT s.id, count(d.id) FROM sending AS s LEFT JOIN sent_document AS d ON d.sending = s.id"
            " GROUP BY s.id ORDER BY s.received"
        )

    def sizes(self, sending: str) -> list[int]:
        """Return the sizes of a sending's documents at the backend."""
        rows = self.world.sql("SELECT size FROM sent_document WHERE sending = ? ORDER BY number", sending)
        return [size for (size,) in rows]


def _never(new: bool) -> str:
    raise AssertionError("the demo asks for no passphrase")


@pytest.fixture(scope="session")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Wired]:
    """A backend of this folder's own, and a worker who has signed in."""
    home = tmp_path_factory.mktemp("uploads")
    line = Cutter()
    with served_world(home, line.url) as (world, address):
        line.point_at(address)
        world.sign_in(WORKER, sync=True)
        row = next(row for row in world.inbox(WORKER))
        told = world.kelmu("--user", WORKER, "inbox", "show", row["id"], "--full", "--json").data
        customer = told.get("notice", told)["customer"]
        name = f"{customer['family_name']}, {customer['given_names']}"
        yield Wired(world, line, customer["identity_code"], name)
    line.close()


@pytest.fixture
def wired(served: Wired, monkeypatch: pytest.MonkeyPatch) -> Wired:
    """The same, with this process's home there as well."""
    monkeypatch.setenv(paths.HOME_VARIABLE, str(served.world.home))
    return served


@pytest.fixture
def context(profile: Profile, store: Store) -> Context:
    """What a worker with a mandate for documents has open, without a backend."""
    store.attach(FIRST)
    return at_work(profile, store, SOCIAL)


@pytest.fixture
def sendings(context: Context) -> Sendings:
    """The documents of that worker."""
    return context.sendings


@pytest.fixture
def photo(tmp_path: Path) -> Path:
    """A photo that says where it was taken."""
    return photo_at(tmp_path)
