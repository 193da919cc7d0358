"""`kelmu doctor`: what is there, what is wrong, and what to do about it."""

from __future__ import annotations

import asyncio
import os
import sys
from collections.abc import Iterator
from dataclasses import asdict
from itertools import groupby

from kelmu_tui.cli.env import Env
from kelmu_tui.cli.exits import Exit
from kelmu_tui.services.doctor import Finding, State, examine, examine_backend, last_backend
from kelmu_tui.services.session import DEMO

MARKS = {State.OK: "✓", State.NOTE: "·", State.WRONG: "✗"}


def doctor(env: Env) -> int:
    """Print the findings; the exit code tells whether anything is wrong."""
    ask = env.passphrase if sys.stdin is not None and sys.stdin.isatty() else None
    findings = examine(env.profile, env.loaded, clock=env.clock, ids=env.ids, ask=ask)
    findings += _terminal()
    findings += _backend(env, findings)
    wrong = [finding for finding in findings if finding.state is State.WRONG]
    if env.out.as_json:
        env.out.data("doctor", {"healthy": not wrong, "findings": [asdict(finding) for finding in findings]})
    else:
        _print(env, findings)
        env.out.note(env.t("doctor.wrong", count=len(wrong)) if wrong else env.t("doctor.healthy"))
    return Exit.PROBLEMS if wrong else Exit.OK


def _print(env: Env, findings: list[Finding]) -> None:
    t = env.t
    for part, group in groupby(findings, key=lambda finding: finding.part):
        env.out.line(t.choice("doctor.part", part))
        for finding in group:
            what = t.choice("doctor.what", finding.what, default=finding.what)
            hint = f"  – {t.choice('doctor.hint', finding.hint)}" if finding.hint else ""
            env.out.line(f"  {MARKS[finding.state]} {what}: {finding.value}{hint}")


def _backend(env: Env, findings: list[Finding]) -> list[Finding]:
    if env.profile.name == DEMO:
        from kelmu_tui.services.demo import Demo

        handle = Demo(env.profile, clock=env.clock).join()
        if handle is None:
            return [Finding("backend", "answers", "–", State.NOTE, "demo_away")]
        with handle:
            return asyncio.run(examine_backend(handle.url, env.clock))
    url = env.backend_url or last_backend(findings)
    if not url:
        return [Finding("backend", "answers", "–", State.NOTE, "no_backend")]
    return asyncio.run(examine_backend(url, env.clock))


def _terminal() -> Iterator[Finding]:
    from kelmu_tui.terminal.environment import facts

    found = facts(os.environ)
    yield Finding("terminal", "term", found.term or "–", State.OK if found.term not in ("", "dumb") else State.NOTE, "")
    yield Finding("terminal", "program", found.program or "–")
    yield Finding("terminal", "colours", os.environ.get("COLORTERM", "") or "–")
    yield Finding("terminal", "kind", found.profile.kind.value)
    yield Finding("terminal", "multiplexer", found.multiplexer or "–")
    try:
        size = os.get_terminal_size(sys.stderr.fileno())
        fits = size.columns >= 80 and size.lines >= 24
        value = f"{size.columns}×{size.lines}"
        yield Finding("terminal", "size", value, State.OK if fits else State.NOTE, "" if fits else "small")
    except (OSError, ValueError, AttributeError):
        yield Finding("terminal", "size", "–", State.NOTE, "no_terminal")
    utf8 = found.utf8
    yield Finding("terminal", "utf8", "+" if utf8 else "–", State.OK if utf8 else State.NOTE, "" if utf8 else "utf8")
    if found.recorders:
        yield Finding("terminal", "recorders", ", ".join(found.recorders), State.NOTE, "recorded")
    if found.ignored:
        yield Finding("terminal", "ignored", ", ".join(found.ignored), State.NOTE, "ignored")
