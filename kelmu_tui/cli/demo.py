"""`kelmu demo`, and `kelmu` alone: the full-screen app, on the embedded backend or on the one of the settings."""

from __future__ import annotations

from collections.abc import Callable

from kelmu_tui.cli.env import Env
from kelmu_tui.cli.exits import CliError, Exit
from kelmu_tui.platform.paths import profile
from kelmu_tui.services.demo import PROFILE, Demo, DemoHandle, DemoInUse, DemoNotStarted, Progress, Shape, Stage

LOG_LINES = 5


def app(env: Env) -> int:
    """Start the app on the backend of the settings, or of the last sign-in."""
    from kelmu_tui.platform.ephemeral import sweep

    if env.profile.name == PROFILE:
        return demo(env)
    sweep()
    if env.option("ephemeral"):
        from kelmu_tui.cli.ephemeral import ephemeral

        if not env.backend_url:
            raise CliError(Exit.USAGE, "no_backend", env.t("cli.no_backend", path=env.profile.settings))
        with ephemeral(env, env.profile.name) as folder:
            return _run(env, env.backend_url, at_the_end=folder.remove)
    if not env.backend_url:
        _demand_sign_in(env)
    return _run(env, env.backend_url)


def _run(env: Env, url: str, handle: DemoHandle | None = None, at_the_end: Callable[[], object] | None = None) -> int:
    from kelmu_tui.app import run

    return run(
        env.profile,
        env.loaded.settings,
        url,
        demo=handle,
        user=env.option("user"),
        language=env.language,
        loaded=env.loaded,
        at_the_end=at_the_end,
    )


def _demand_sign_in(env: Env) -> None:
    """Without an address nobody can sign in; who has signed in before has one in their ledger."""
    from kelmu_tui.services.session import NotSignedIn, find_folder

    try:
        find_folder(env.profile, env.option("user"))
    except NotSignedIn:
        raise CliError(Exit.USAGE, "no_backend", env.t("cli.no_backend", path=env.profile.settings)) from None


def demo(env: Env) -> int:
    """Start or join the demo's backend, then do what was asked: sign in, list the personas, or start the app."""
    from kelmu_tui.platform.ephemeral import sweep

    sweep()
    env.profile = profile(PROFILE)
    if env.option("ephemeral"):
        return _ephemeral_demo(env)
    with open_demo(env) as handle:
        if env.option("personas"):
            return _personas(env, handle)
        if env.option("sign_in_as") is not None:
            return _sign_in(env, handle, env.option("sign_in_as"))
        return _run(env, handle.url, handle)


def _ephemeral_demo(env: Env) -> int:
    """Run the app on a backend of its own; both leave nothing."""
    from kelmu_tui.cli.ephemeral import ephemeral

    if env.option("personas") or env.option("sign_in_as") is not None:
        raise CliError(Exit.USAGE, "ephemeral", env.t("cli.ephemeral_app"))
    with ephemeral(env, PROFILE) as folder:
        with open_demo(env) as handle:
            code = _run(env, handle.url, handle, at_the_end=folder.remove)
        Demo(env.profile, clock=env.clock).await_end()
        return code


def open_demo(env: Env) -> DemoHandle:
    """Return a hold on the demo's backend, telling on stderr what takes its time."""
    shape = Shape(env.option("seed"), env.option("people"), env.option("notices"))
    narrator = _Narrator(env)
    try:
        handle = Demo(env.profile, clock=env.clock).open(
            shape, fresh=bool(env.option("fresh")), on_progress=narrator.tell
        )
    except DemoInUse:
        raise CliError(Exit.REFUSED, "demo_in_use", env.t("demo.in_use")) from None
    except DemoNotStarted as error:
        tail = "\n".join(error.tail.splitlines()[-LOG_LINES:])
        raise CliError(
            Exit.FAILED, "demo_not_started", env.t("demo.not_started", log=error.log) + (f"\n{tail}" if tail else "")
        ) from None
    finally:
        narrator.end()
    handle.browser = bool(env.option("browser"))
    if handle.shape_ignored:
        env.out.note(env.t("demo.shape_ignored"))
    return handle


class _Narrator:
    """Tells on stderr how far the start is: one line that is rewritten on a terminal, single lines elsewhere."""

    def __init__(self, env: Env) -> None:
        self._env = env
        self._stage: Stage | None = None
        self._shown = False

    def tell(self, progress: Progress) -> None:
        import sys

        t = self._env.t
        if progress.stage is Stage.READY:
            return
        text = t.choice("demo.stage", progress.stage)
        if progress.total:
            text += f" {t.formats.number(progress.done)}/{t.formats.number(progress.total)}"
        if sys.stderr.isatty():
            sys.stderr.write(f"\r\x1b[K{text}")
            sys.stderr.flush()
            self._shown = True
        elif progress.stage is not self._stage:
            self._env.out.note(text)
        self._stage = progress.stage

    def end(self) -> None:
        import sys

        if self._shown:
            sys.stderr.write("\r\x1b[K")
            sys.stderr.flush()


def _personas(env: Env, handle: DemoHandle) -> int:
    import asyncio

    from kelmu_tui.api.contract import Persona
    from kelmu_tui.api.sign_in import SignIn
    from kelmu_tui.cli.output import Column

    async def ask() -> list[Persona]:
        async with SignIn(handle.url, clock=env.clock) as sign_in:
            return await sign_in.personas()

    found = asyncio.run(ask())
    if env.out.as_json:
        env.out.data("demo.personas", {"personas": [persona.model_dump() for persona in found]})
        return Exit.OK
    t = env.t
    columns = [
        Column(t("cli.column_id")),
        Column(t("cli.column_name")),
        Column(t("cli.column_title"), shrinks=True),
        Column(t("cli.column_organisation"), shrinks=True),
    ]
    titles = {persona.id: getattr(persona.title, t.language) for persona in found}
    env.out.table(columns, [[p.id, p.name, titles[p.id], p.organisation] for p in found])
    return Exit.OK


def _sign_in(env: Env, handle: DemoHandle, persona: str) -> int:
    import asyncio

    from kelmu_tui.cli.account import report_sign_in, sign_in_async

    store = asyncio.run(sign_in_async(env, handle.url, persona))
    try:
        return report_sign_in(env, store)
    finally:
        store.close()
