"""Push, as synchronous units of work over the store: what to send next, and what an answer does to the command.

Whatever happens to a sending, its command ends in exactly one state, decided here and nowhere else:

    200 with a result                        acknowledged
    409 in progress, 408, 425, 429, 5xx      queued, with backoff; `Retry-After` wins
    no answer, an answer that is not ours    queued, with backoff; the same bytes go out again
    401, 426                                 queued, the whole queue pauses
    403                                      refused, and the feed is asked at once
    any other problem                        refused, with the present row in the conflict item
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final

from kelmu_tui.api.answers import CommandAnswer
from kelmu_tui.api.contract import Problem
from kelmu_tui.api.errors import ApiError, ProblemAnswer, SignInNeeded, Unreachable, UpdateNeeded, is_retryable
from kelmu_tui.domain.documents import VERBS as DOCUMENTS
from kelmu_tui.domain.documents import Fault, SendRefusal
from kelmu_tui.store import aftermath, copies, feed, outbox
from kelmu_tui.store.database import Store
from kelmu_tui.store.errors import StoreError
from kelmu_tui.store.outbox import Frozen
from kelmu_tui.sync import backoff


@dataclass(frozen=True, slots=True)
class Pushed:
    """What an answer means beyond its command.

    Attributes:
        pull_now: a mandate has ended: the feed knows more.
        sign_in, update: nothing more can be sent until somebody acts.
        reached: the backend, or something, answered.
        postponed: it answered with a fault of its own, and the command waits for another try.
        following: the command that was taken into flight in the same transaction.
    """

    pull_now: bool = False
    sign_in: bool = False
    update: bool = False
    reached: bool = True
    postponed: bool = False
    following: Frozen | None = None


def start(store: Store) -> None:
    """Put back what a dead leader left in flight and make everything due within two seconds; repeatable."""
    now = store.clock.now()
    with store.write() as db:
        outbox.recover(db)
        outbox.hasten(db, now, lambda: now + timedelta(seconds=store.ids.uniform(0.0, backoff.RESTART_SPREAD)))
        store.changed("command")


def take_due(store: Store, limit: int = outbox.PARALLEL) -> list[Frozen]:
    """Take into flight what may be sent now, in one transaction."""
    now = store.clock.now()
    with store.read() as db:
        waiting = outbox.due(db, now, limit)
    if not waiting:
        return []
    with store.write() as db:
        frozen = [item for id_ in outbox.due(db, now, limit) if (item := outbox.freeze(db, id_)) is not None]
        store.changed("command", keys={item.aggregate for item in frozen})
    return frozen


def next_due(store: Store) -> float | None:
    """Return seconds until the next command is due, None when nothing waits."""
    with store.read() as db:
        text = outbox.next_due(db)
    if text is None:
        return None
    if not text:
        return 0.0
    rest = datetime.fromisoformat(text) - store.clock.now()
    return 0.0 if rest > outbox.LONGEST_WAIT else max(0.0, rest.total_seconds())


def take_round(store: Store) -> tuple[list[Frozen], float | None]:
    """Take into flight what may be sent now, and say when to look again: `take_due` and `next_due` in one visit."""
    taken = take_due(store)
    return taken, next_due(store)


def hasten(store: Store) -> None:
    """Make everything that waits due now: the user asked, or the network is back."""
    now = store.clock.now()
    with store.write() as db:
        if outbox.hasten(db, now, lambda: now):
            store.changed("command")


def answered(store: Store, sent: Frozen, answer: CommandAnswer, *, go_on: bool = False) -> Pushed:
    """Take the backend's answer to a sending; a late one, for another attempt, does nothing.

    Args:
        go_on: take the next command that is due into flight as well; each transaction waits for the disk.
    """
    now = store.clock.now()
    with store.write() as db:
        if not outbox.in_flight(db, sent.id, sent.attempt):
            return Pushed()
        store.changed("command", "conflict", *(("sending",) if sent.verb in DOCUMENTS else ()), keys=(sent.aggregate,))
        if answer.result is not None:
            result = answer.result
            outbox.acknowledge(db, sent.id, seq=result.seq, version=result.version, epoch=result.epoch, now=now)
            if sent.verb in DOCUMENTS:
                copies.received(db, sent.aggregate)
            return Pushed(following=_following(store, db, now) if go_on else None)
        told = _told(answer.status, answer.problem, answer.request_id)
        if answer.problem is None or is_retryable(answer.status, answer.problem):
            due_at = backoff.due(now, sent.attempt, store.ids, answer.retry_after)
            outbox.postpone(db, sent.id, due_at=due_at, problem=told)
            return Pushed(postponed=True)
        current = answer.problem.current
        if current is not None and _over(store, db, sent):
            current = None
        outbox.refuse(
            db, sent.id, told, current.model_dump_json(exclude_none=True) if current is not None else None, now
        )
        return Pushed(pull_now=answer.status == 403)


def _over(store: Store, db: Any, sent: Frozen) -> bool:
    """Tell whether the scope has ended while the answer was on its way, which brings a row of it nevertheless."""
    now = feed.state(db)
    if store.organisation != sent.organisation or now.epoch is None:
        return False
    return not aftermath.shows(sent.verb, sent.organisation, (scope.name for scope in now.scopes))


def _following(store: Store, db: Any, now: datetime) -> Frozen | None:
    """Take the next command into flight, if one may go out."""
    found = next((outbox.freeze(db, id_) for id_ in outbox.due(db, now)[:1]), None)
    if found is not None:
        store.changed("command", keys=(found.aggregate,))
    return found


def failed(store: Store, sent: Frozen, error: ApiError | StoreError) -> Pushed:
    """Take a sending that brought no decision: the command goes back into the queue, as it was.

    Args:
        error: of the call, or of the store when the disk kept the call from being made.
    """
    paused = isinstance(error, SignInNeeded | UpdateNeeded)
    status = error.status if isinstance(error, ProblemAnswer) else None
    retry_after, request_id = (error.retry_after, error.request_id) if isinstance(error, ApiError) else (None, "")
    now = store.clock.now()
    with store.write() as db:
        if outbox.in_flight(db, sent.id, sent.attempt):
            due_at = None if paused else backoff.due(now, sent.attempt, store.ids, retry_after)
            told: dict[str, Any] = {"code": error.code, "request_id": request_id}
            if status is not None:
                told["status"] = status
            outbox.postpone(db, sent.id, due_at=due_at, problem=told)
            store.changed("command", keys=(sent.aggregate,))
    return Pushed(
        sign_in=isinstance(error, SignInNeeded),
        update=isinstance(error, UpdateNeeded),
        reached=not isinstance(error, Unreachable),
    )


def _told(status: int, problem: Problem | None, request_id: str) -> dict[str, Any]:
    """Return what is kept of a problem: codes only, since free text could hold anything."""
    told: dict[str, Any] = {
        "code": problem.code.value if problem is not None else "internal",
        "status": status,
        "request_id": (problem.request_id if problem is not None else None) or request_id,
    }
    if problem is not None and problem.rule is not None:
        told["rule"] = problem.rule
        if problem.rule == SendRefusal.DOCUMENT:
            told |= _document(problem)
    return told


_FAULTS: Final = frozenset(fault.value for fault in Fault)
_NAMED: Final = re.compile(r"documents\.(\d{1,3}): ([a-z_]+)", re.ASCII)


def _document(problem: Problem) -> dict[str, Any]:
    """Return which document was refused, by its place in the sending, and why; nothing where that is not said."""
    for said in problem.errors:
        found = _NAMED.fullmatch(said)
        if found is not None and found[2] in _FAULTS:
            return {"document": int(found[1]), "fault": found[2]}
    return {}
