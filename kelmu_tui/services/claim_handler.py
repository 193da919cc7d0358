"""Who handles claims here: what the user wrote as handler and telephone the last time, kept in the ledger."""

from __future__ import annotations

import json
from typing import Final, NamedTuple

from kelmu_tui.services.session import put_secrets, secret
from kelmu_tui.store.database import Store
from kelmu_tui.store.rows import ActiveSession

_KEY: Final = "claim_handler"


class Handler(NamedTuple):
    """Whom Kela can ask; empty where nothing was said."""

    name: str
    telephone: str


def last_handler(store: Store, session: ActiveSession) -> Handler:
    """Return what was written in the user's last claim for the organisation; before it the user's own name."""
    text = secret(store, _key(session))
    if text is None:
        return Handler(session.user_name, "")
    name, telephone = json.loads(text)
    return Handler(name, telephone)


def keep_handler(store: Store, session: ActiveSession, handler: Handler) -> None:
    """Keep it for the next claim."""
    put_secrets(store, {_key(session): json.dumps([*handler], ensure_ascii=False)})


def _key(session: ActiveSession) -> str:
    return f"{_KEY}:{session.organisation.business_id}"
