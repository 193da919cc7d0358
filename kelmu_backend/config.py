"""Settings of one backend: where its record and its secrets lie, and how it presents itself."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path

from kelmu_tui.platform.clock import Clock, SystemClock
from kelmu_tui.platform.ids import Ids, RandomIds


@dataclass(frozen=True)
class Config:
    """Everything `app.create_app` needs to know.

    Args:
        database_url: SQLAlchemy URL, `sqlite:////folder/kelmu.db` or `postgresql+psycopg://…`.
        public_url: address under which clients and browsers reach the backend, without a slash at its end.
        demo: personas may be signed in as, and notices arrive by themselves.
        secret_folder: folder of the signing keys; all processes of one backend share it.
        lease_hours: how long a client may show data without a connection.
        hints: send wake-ups between processes; without them waiting polls notice changes within a second.
        background: run the loop that publishes due notices; a test that steps time by hand turns it off.
        seed: seed of the demo's live arrivals.
    """

    database_url: str = field(repr=False)
    public_url: str
    demo: bool
    secret_folder: Path
    clock: Clock = field(default_factory=SystemClock)
    ids: Ids = field(default_factory=RandomIds)
    lease_hours: int = 12
    hints: bool = True
    background: bool = True
    seed: int = 1

    @property
    def issuer(self) -> str:
        """The issuer named in tokens: the public address."""
        return self.public_url
