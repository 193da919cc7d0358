"""`kelmu config path|show`: where the settings are, what is in force, what is wrong with them."""

from __future__ import annotations

from kelmu_tui.cli.env import Env
from kelmu_tui.cli.exits import Exit
from kelmu_tui.platform.settings import SettingsProblem


def path(env: Env) -> int:
    """Print where the settings file is, whether or not it exists."""
    where = env.profile.settings
    if env.out.as_json:
        env.out.data("config.path", {"path": str(where), "exists": where.exists()})
    else:
        env.out.line(str(where))
    return Exit.OK


def show(env: Env) -> int:
    """Print the settings in force, and each mistake in the file."""
    problems = env.loaded.problems
    values = _values(env)
    if env.out.as_json:
        env.out.data("config.show", {"settings": values, "problems": [problem._asdict() for problem in problems]})
    else:
        for key, value in values.items():
            if isinstance(value, dict):
                for name, bound in value.items():
                    env.out.line(f'{key}."{name}" = "{bound}"')
            else:
                shown = "–" if value is None else value
                env.out.line(f"{key} = {shown}  # {env.t.choice('settings.about', key)}")
        for problem in problems:
            env.out.note(described(env, problem))
    return Exit.PROBLEMS if problems else Exit.OK


def _values(env: Env) -> dict[str, object]:
    settings = env.loaded.settings
    return {
        "language": settings.language,
        "profile": settings.profile,
        "backend": settings.backend_url,
        "theme": settings.theme,
        "motion": settings.motion,
        "mouse": settings.mouse,
        "glyphs": settings.glyphs,
        "lock_minutes": settings.lock_minutes,
        "keys": dict(settings.keys),
    }


def described(env: Env, problem: SettingsProblem) -> str:
    """Return a mistake in the settings as one line."""
    what = env.t.choice("settings.problem", problem.code, detail=problem.detail)
    where = f"{env.profile.settings}:{problem.line}" if problem.line else str(env.profile.settings)
    return f"{where}: {problem.key + ': ' if problem.key else ''}{what}"
