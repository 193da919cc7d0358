"""`kelmu sign-in`, `sign-out`, `status`, `sync`."""

from __future__ import annotations

from contextlib import nullcontext
from typing import TYPE_CHECKING, Any

from kelmu_tui.cli.env import Env
from kelmu_tui.cli.exits import CliError, Exit
from kelmu_tui.services import session as sessions
from kelmu_tui.services.known import OPENERS
from kelmu_tui.services.session import DEMO, KnownSession, Session

if TYPE_CHECKING:
    from kelmu_tui.api.contract import DeviceAuthorization
    from kelmu_tui.services.context import Context
    from kelmu_tui.services.demo import DemoHandle
    from kelmu_tui.services.diagnostics import Diagnostics
    from kelmu_tui.store.database import Store

SYNC_SECONDS = 120.0
"""How long `kelmu sync` may take when no time is given: a first fill over a slow line."""


def sign_in(env: Env) -> int:
    """Sign in by the device grant; with `--persona`, approve it as a persona of the demo."""
    import asyncio

    with _demo(env) or nullcontext() as demo:
        url = _backend_url(env, demo)
        store = asyncio.run(sign_in_async(env, url, env.option("persona"), browser=bool(env.option("browser"))))
    try:
        return report_sign_in(env, store)
    finally:
        store.close()


async def sign_in_async(env: Env, url: str, persona: str | None, *, browser: bool = False) -> Store:
    """Run the device grant and keep what comes of it."""
    from kelmu_tui.api.sign_in import SignIn
    from kelmu_tui.services.network import complete, revoke_queued

    device = sessions.device(env.profile, env.ids)
    try:
        sign_in = SignIn(url, device=device, clock=env.clock)
    except ValueError:
        raise CliError(Exit.USAGE, "backend_url", env.t("cli.backend_url")) from None
    async with sign_in:
        authorization = await sign_in.start(device_name())
        if persona is None:
            _show_code(env, authorization, browser=browser)
        else:
            await sign_in.approve(authorization.user_code, persona)
        tokens = await sign_in.poll(authorization, at_once=persona is not None)
        store = await complete(env.profile, url, tokens, clock=env.clock, ids=env.ids, ask=env.passphrase)
        env.tell_incidents(store)
        await revoke_queued(store, sign_in)
    return store


def device_name() -> str:
    """Return what the approval page calls this machine, so that the user can compare: the host's own name."""
    import platform

    return platform.node()[:60]


def _show_code(env: Env, authorization: DeviceAuthorization, *, browser: bool) -> None:
    minutes = max(1, authorization.expires_in // 60)
    env.out.note(
        env.t(
            "cli.sign_in_here",
            address=authorization.verification_uri,
            code=authorization.user_code,
            minutes=str(minutes),
        )
    )
    if browser:
        import webbrowser

        webbrowser.open(authorization.verification_uri_complete or authorization.verification_uri)


def report_sign_in(env: Env, store: Store) -> int:
    """Tell who is signed in, and remember the organisation if one was named or there is no choice."""
    session = Session(store)
    known = session.known()
    wanted = env.option("organisation")
    if wanted is not None:
        chosen = sessions.named(known, wanted).organisation.business_id
        sessions.put_secrets(store, {"organisation": chosen})
    today = _today(env)
    usable = known.usable(today, OPENERS)
    if env.out.as_json:
        env.out.data("sign-in", {"user": _user(known), "organisations": _organisations(known, env)})
    else:
        env.out.note(env.t("cli.signed_in", name=known.user_name))
        for found in known.organisations:
            mark = "•" if found in usable else "–"
            code, name = found.organisation.business_id, found.organisation.name.get(env.t.language)
            env.out.line(f"{mark} {code}  {name}")
    if not usable:
        env.out.note(env.t("cli.no_mandates"))
    return Exit.OK


def sign_out(env: Env) -> int:
    """Sign out; with unsent commands only after the user has said what becomes of them."""
    import asyncio

    store = env.store()
    try:
        with _running_demo(env) or nullcontext() as demo:
            _settle_unsent(env, store)
            url = demo.url if demo is not None else sessions.secret(store, "backend")
            told = asyncio.run(_end(env, store, url if demo is not None or env.profile.name != DEMO else None))
    finally:
        store.close()
    if env.out.as_json:
        env.out.data("sign-out", {"revoked": told})
    env.out.note(env.t("cli.signed_out") if told else env.t("cli.signed_out_later"))
    return Exit.OK


async def _end(env: Env, store: Store, url: str | None) -> bool:
    from kelmu_tui.services.network import calls, end_session

    if not url:
        return await end_session(env.profile, store, None, env.ids)
    async with calls(store, url, env.clock) as (sign_in, client):
        return await end_session(env.profile, store, sign_in, env.ids, client)


def _settle_unsent(env: Env, store: Store) -> None:
    from kelmu_tui.services.unsent import discard_unsent, unsent

    choice = env.option("unsent")
    if unsent(store) and choice == "send":
        with env.context(OPENERS) as context:
            from kelmu_tui.cli.document_upload import bring_up_waiting
            from kelmu_tui.cli.pushing import push

            push(env, context, SYNC_SECONDS)
            bring_up_waiting(env, context)
    count = unsent(store)
    if not count or choice == "keep":
        return
    if choice == "discard":
        left = discard_unsent(store, env.clock.now())
        if left:
            env.out.note(env.t("cli.unsent_left", count=left))
        return
    code = "unsent_still" if choice == "send" else "unsent"
    raise CliError(Exit.REFUSED, code, env.t("cli.unsent", count=count))


def status(env: Env) -> int:
    """Tell who is signed in, for whom, how old the data is and what waits; needs no connection."""
    from kelmu_tui.services.diagnostics import as_data, examine
    from kelmu_tui.sync.status import figures

    with env.context(OPENERS) as context:
        found = figures(context.store)
        told = examine(context.store, context.session)
        lease, until = context.session.lease()
        del lease
        value = {
            "user": {"id": context.active.user_id, "name": context.active.user_name},
            "organisation": {
                "id": context.active.organisation.business_id,
                "name": context.active.organisation.name.get("fi"),
            },
            "capabilities": context.active.capabilities,
            "signed_in": context.session.signed_in(),
            "synced_at": found.synced_at,
            "lease_until": until,
            "queued": found.queued,
            "conflicts": found.conflicts,
            "refreshing": found.refreshing,
            "views": {view.value: count for view, count in context.inbox.counts().items()},
            "incidents": [{"file": i.file, "kind": i.kind} for i in context.store.incidents],
            "diagnostics": as_data(told),
        }
        if env.out.as_json:
            env.out.data("status", value)
            return Exit.OK
        _print_status(env, context.active.organisation.name.get(env.t.language), value, told)
    return Exit.OK


def _print_status(env: Env, organisation: str, value: dict[str, Any], told: Diagnostics) -> None:
    from kelmu_tui.services.diagnostics_text import status_lines

    t, synced = env.t, value["synced_at"]
    rows = [
        (t("cli.status_user"), value["user"]["name"]),
        (t("cli.status_organisation"), f"{organisation} ({value['organisation']['id']})"),
        (t("cli.status_session"), t("cli.session_open") if value["signed_in"] else t("cli.session_over")),
        (t("cli.status_synced"), t("cli.never") if synced is None else t.formats.instant(synced)),
        (t("cli.status_lease"), t.formats.instant(value["lease_until"])),
        (t("cli.status_queued"), t.formats.number(value["queued"])),
        (t("cli.status_conflicts"), t.formats.number(value["conflicts"])),
        (t("cli.status_unhandled"), t.formats.number(value["views"]["unhandled"])),
        *status_lines(told, t, env.clock.now()),
    ]
    size = max(len(label) for label, _ in rows)
    for label, text in rows:
        env.out.line(f"{label:<{size}}  {text}")


def sync(env: Env) -> int:
    """Send what waits and read to the head of the feed."""
    from kelmu_tui.cli.pushing import push

    with _context(env) as context:
        from kelmu_tui.cli.document_upload import bring_up_waiting

        result = push(env, context, env.option("wait") or SYNC_SECONDS)
        problem = result.problem or bring_up_waiting(env, context)
        if problem is not None:
            raise problem
        found = result.status
        if env.out.as_json:
            env.out.data(
                "sync",
                {
                    "state": found.state,
                    "synced_at": found.synced_at,
                    "queued": found.queued,
                    "conflicts": found.conflicts,
                },
            )
        elif found.state == "following":
            env.out.note(env.t("cli.sync_elsewhere"))
        else:
            env.out.note(env.t("cli.synced", queued=found.queued, conflicts=found.conflicts))
        return Exit.OK


def _context(env: Env) -> Context:
    """Open the context; when nothing opens by what was heard last, the backend is asked before that is believed."""
    from kelmu_tui.cli.pushing import ask_again

    try:
        return env.context(OPENERS)
    except (sessions.NothingOpens, sessions.NoSuchOrganisation):
        try:
            ask_again(env, env.option("wait") or SYNC_SECONDS)
        except TimeoutError:
            raise CliError(Exit.OFFLINE, "timeout", env.t("cli.too_slow")) from None
        return env.context(OPENERS)


# --- demo and addresses ---------------------------------------------------------------------------------------------


def _demo(env: Env) -> DemoHandle | None:
    """Hold the demo's backend, started if need be; None outside the demo profile."""
    if env.profile.name != DEMO:
        if env.option("persona") is not None:
            raise CliError(Exit.USAGE, "not_a_demo", env.t("cli.not_a_demo"))
        return None
    from kelmu_tui.cli.demo import open_demo

    return open_demo(env)


def _running_demo(env: Env) -> DemoHandle | None:
    """Hold the demo's backend if it runs."""
    if env.profile.name != DEMO:
        return None
    from kelmu_tui.services.demo import Demo

    return Demo(env.profile, clock=env.clock).join()


def _backend_url(env: Env, demo: DemoHandle | None) -> str:
    if demo is not None:
        return demo.url
    from kelmu_tui.platform.settings_file import is_backend_url

    url = env.option("backend") or env.backend_url
    if not url:
        raise CliError(Exit.USAGE, "no_backend", env.t("cli.no_backend", path=env.profile.settings))
    if not is_backend_url(url):
        raise CliError(Exit.USAGE, "backend_url", env.t("cli.backend_url"))
    return str(url).rstrip("/")


def _today(env: Env) -> Any:
    from kelmu_tui.domain.deadlines import local_date

    return local_date(env.clock.now())


def _user(known: KnownSession) -> dict[str, str]:
    return {"id": known.user_id, "name": known.user_name}


def _organisations(known: KnownSession, env: Env) -> list[dict[str, Any]]:
    today = _today(env)
    return [
        {
            "id": o.organisation.business_id,
            "name": o.organisation.name.get("fi"),
            "type": o.organisation.type,
            "capabilities": o.capabilities(today).names,
        }
        for o in known.organisations
    ]
