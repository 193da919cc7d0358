"""One round of everything, for the command line: send what waits, read to the head of the feed."""

from __future__ import annotations

import asyncio
from contextlib import aclosing

from kelmu_tui.api.errors import ApiError, ProblemAnswer, SignInNeeded, UpdateNeeded
from kelmu_tui.store.outbox import Frozen
from kelmu_tui.sync import pull, push
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
    barred = await _push(thread, client)
    await _pull(thread, client)
    return barred


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
            raise
        done = await thread.run(pull.take_changes, store, ask, answer)
        after = await thread.run(pull.next_ask, store)
        if done.applied and not done.more and after is not None and after.idle:
            return
