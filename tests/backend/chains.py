"""Logs of views as tests make them, by the contract alone: what a client ships, and what somebody could do to it."""

from __future__ import annotations

import hashlib
import json
from base64 import urlsafe_b64encode
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any

import httpx
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from kelmu_backend import view_checks
from kelmu_backend.database import tables
from kelmu_tui.api.contract import HEADER_SIGNATURE, Problem

from .conftest import START, A, World

Event = dict[str, Any]
"""An event as it is shipped."""


def packed(raw: bytes) -> str:
    """Return base64url without padding."""
    return urlsafe_b64encode(raw).rstrip(b"=").decode()


def body_of(number: int, user: str = "aino", *, as_list: bool = False, **changes: Any) -> str:
    """Return the text of an event: an object, or the list that the first version of the ledger wrote."""
    said = {
        "number": number,
        "at": (START + timedelta(seconds=number)).isoformat(),
        "user": user,
        "organisation": A.business_id,
        "view": "notice",
        "subject": f"n{number:04d}",
        "rows": 1,
        "data_at": START.isoformat(),
    } | changes
    return json.dumps(list(said.values()) if as_list else said, ensure_ascii=False, separators=(",", ":"))


def event_of(number: int, previous: str, body: str) -> Event:
    """Return an event that stands behind `previous`."""
    own = hashlib.sha256(bytes.fromhex(previous) + body.encode()).hexdigest()
    return {"number": number, "previous": previous, "hash": own, "body": body}


@dataclass
class Log:
    """A client's log of views."""

    id: str = "0" * 31 + "1"
    user: str = "aino"
    device: str = "device-1"
    key: Ed25519PrivateKey = field(default_factory=lambda: Ed25519PrivateKey.from_private_bytes(b"k" * 32))
    events: list[Event] = field(default_factory=list)

    def look(self, count: int = 1, **changes: Any) -> list[Event]:
        """Log looks and return their events."""
        before = len(self.events)
        for _ in range(count):
            previous = self.events[-1]["hash"] if self.events else "0" * 64
            number = self.events[-1]["number"] + 1 if self.events else 1
            self.events.append(event_of(number, previous, body_of(number, self.user, **changes)))
        return self.events[before:]

    def copy(self) -> Log:
        """Return a copy of the ledger as it is now."""
        return Log(self.id, self.user, self.device, self.key, list(self.events))

    async def register(self, world: World, user: str | None = None, **changes: str) -> httpx.Response:
        """Register the log."""
        raw = self.key.public_key().public_bytes_raw()
        body = {"chain": self.id, "public_key": packed(raw), "device": self.device} | changes
        return await world.client.post("/v1/view-chains", json=body, headers=world.headers(user or self.user))

    async def ship(self, world: World, events: list[Event] | None = None, *, missing: bool = False) -> httpx.Response:
        """Ship events, all by default."""
        return await self.send(world, self.batch(self.events if events is None else events, missing=missing))

    def batch(self, events: list[Event], *, missing: bool = False) -> bytes:
        """Return the body of a batch."""
        return json.dumps({"chain": self.id, "missing": missing, "events": events}, ensure_ascii=False).encode()

    async def send(self, world: World, body: bytes, signature: str | None = None) -> httpx.Response:
        """Send the bytes of a batch with their signature, or with another one."""
        headers = {HEADER_SIGNATURE: packed(self.key.sign(body)) if signature is None else signature}
        return await world.client.post("/v1/view-events", content=body, headers=headers)


def shipped(world: World) -> list[int]:
    """Return the numbers that the record has, over all logs."""
    return [row["number"] for row in world.all(tables.view_event)]


def found(world: World) -> list[tuple[str, int, int, bool]]:
    """Return the findings: kind, from, to, whether it is still open."""
    rows = world.all(tables.view_finding)
    return [(row["kind"], row["number"], row["until"], row["resolved"] is None) for row in rows]


def whole(world: World) -> bool:
    """Tell whether a check of the record finds every log in it whole."""
    with world.database.read() as connection:
        return all(checked.first_bad is None for checked in view_checks.verify(connection))


def refused(answer: Any, code: str, head: int) -> bool:
    """Tell whether a batch was refused so, with the last shared number."""
    problem = Problem.model_validate_json(answer.content)
    assert problem.head is not None
    return (answer.status_code, problem.code, problem.head.number) == (409, code, head)
