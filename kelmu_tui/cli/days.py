"""Days on a line, read as on the screen, with a sentence for each that cannot be."""

from __future__ import annotations

from datetime import date

from kelmu_tui.cli.env import Env
from kelmu_tui.cli.exits import CliError, Exit
from kelmu_tui.services.claim_days import InvalidDay, parse_day


def read_day(env: Env, text: str, today: date, code: str, label: str) -> date:
    """Return a day of the line.

    Args:
        code: what the code of the error begins with.
        label: name of the option's field, for the sentence.

    Raises:
        CliError: there is no such day.
    """
    try:
        return parse_day(text, today)
    except InvalidDay as failure:
        said = f"{label}: {env.t.choice('claim_form.day_fault', failure.fault)}"
        raise CliError(Exit.USAGE, f"{code}_{failure.fault.value}", said) from None
