"""One round of everything, for the command line: send what waits, read to the head of the feed, tell of views."""

from __future__ import annotations

import asyncio
from contextlib import aclosing

from kelmu_tui.api.errors import ApiError, ProblemAnswer, SignInNeeded, UpdateNeeded
from kelmu_tui.store.outbox import Frozen
from kelmu_tui.sync import pull, push, ship, upload
from kelmu_tui.sync.seams import Api, Runner


async def sync_once(thread: Runner, client: Api) -> bool:
    """Send and read once; the caller holds the lead.

    Returns:
        Whether a command was refused for want of a mandate: the session is then older than the mandates.

    Raises:
        ApiError: the backend could not be reached, wants a sign-in or an update; nothing is lost.
    """
    store = thread.store
    await thread.run(push.start, store)
    await thread.run(push.hasten, store)
    await thread.run(pull.follow_up, store)
    try:
        barred = await _push(thread, client)
        await _pull(thread, client)
        await thread.run(upload.mend, store)
    except (SignInNeeded, UpdateNeeded):
        await ship_once(thread, client)
        raise
    await ship_once(thread, client)
    return barred


async def ship_once(thread: Runner, client: Api) -> bool:
    """Tell the backend of all views that wait, as far as it takes them; what it does not take waits for next time.

    Returns:
        Whether nothing is left to be told.
    """
    mended = False
    while step := await thread.run(ship.next_step, thread.store):
        try:
            await send(thread, client, step)
        except ProblemAnswer as error:
            # One refusal may have been about something that could be mended; the next one waits.
            if mended or not await thread.run(ship.refused, thread.store, step, error):
                return False
            mended = True
        except ApiError:
            return False
    return True


async def send(thread: Runner, client: Api, step: ship.Register | ship.Batch) -> None:
    """Do one step of shipping and store its receipt.

    Raises:
        ApiError: it was refused, or there was no answer; the store has not been told.
    """
    if isinstance(step, ship.Register):
        receipt = await client.register_views(step.registration)
    else:
        receipt = await client.ship_views(step.body, step.signature)
    await thread.run(ship.answered, thread.store, step, receipt)


async def _push(thread: Runner, client: Api) -> bool:
    barred = False
    while items := await thread.run(push.take_due, thread.store):
        for came in await asyncio.gather(*(_send(thread, client, item) for item in items)):
            if isinstance(came, push.Pushed):
                barred = barred or came.pull_now
            elif not isinstance(came, ProblemAnswer) or isinstance(came, SignInNeeded | UpdateNeeded):
                raise came
    return barred


async def _send(thread: Runner, client: Api, item: Frozen) -> ApiError | push.Pushed:
    try:
        answer = await client.command(
            item.organisation, item.aggregate, item.verb, item.id, item.if_match, item.body, item.lease, item.schema
        )
    except ApiError as error:
        await thread.run(push.failed, thread.store, item, error)
        return error
    return await thread.run(push.answered, thread.store, item, answer)


async def _pull(thread: Runner, client: Api) -> None:
    store = thread.store
    while True:
        fill = await thread.run(pull.next_fill, store)
        if fill is not None:
            async with aclosing(client.snapshot(fill.organisation, fill.scope, fill.after)) as parts:
                async for part in parts:
                    if not await thread.run(pull.take_part, store, fill, part):
                        break
        ask = await thread.run(pull.next_ask, store)
        if ask is None:
            return
        if fill is not None and await thread.run(pull.next_fill, store) not in (None, fill):
            continue
        try:
            answer = await client.changes(ask.organisation, ask.cursor)
        except ProblemAnswer as error:
            if error.status == 403:
                await thread.run(pull.shut_out, store, ask)
                while not await thread.run(pull.sweep, store):
                    pass
            raise
        done = await thread.run(pull.take_changes, store, ask, answer)
        after = await thread.run(pull.next_ask, store)
        if done.applied and not done.more and after is not None and after.idle:
            return
