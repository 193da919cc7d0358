"""The app as it talks to the backend: one engine for the present desk, begun late and ended wholly."""

from __future__ import annotations

import asyncio
import gc

from kelmu_tui.screens.watching import Watching


class Linked(Watching):
    """The part of the app that runs the engine."""

    _talking: asyncio.Task[None] | None = None

    def talk(self) -> None:
        """Begin to talk to the backend for the present desk."""
        self._talking = self.tasks.spawn("app.network", self._run_network())

    async def stop_engine(self) -> None:
        """Stop talking, and let go of the lead among the user's terminals."""
        task, self._talking = self._talking, None
        if task is not None:
            task.cancel()
            await asyncio.wait([task])

    async def _run_network(self) -> None:
        context, thread = self._working, self._thread
        if context is None or thread is None:
            return
        # Its libraries take longer to import than the first screen to paint; keys must not wait for them.
        await asyncio.to_thread(_import_network)
        from kelmu_tui.services.context import connect

        async with connect(
            context, self.backend_url, on_failure=self._network_failed, thread=thread, transport=self._transport
        ) as connection:
            self._link = connection
            stop = connection.engine.listen(self._status_changed)
            engine = self.tasks.spawn("app.engine", connection.engine.run())
            try:
                await engine
            finally:
                stop()
                self._link = None
                await _ended(engine)

    def _network_failed(self, name: str, failure: BaseException) -> None:
        """An error of our own beside the screen: it is reported, the work goes on."""
        del name
        self.report(failure)


async def _ended(task: asyncio.Task[None]) -> None:
    """Cancel a task and wait for its end."""
    task.cancel()
    await asyncio.wait([task])


def _import_network() -> None:
    import kelmu_tui.sync.engine  # noqa: F401
    from kelmu_tui.api.client import certificates

    certificates()
    # As at the lifting of the curtain: looking through all this for rubbish would hold up a key by 20 ms, once more
    # with each hundred thousand objects that come and go.
    gc.freeze()
