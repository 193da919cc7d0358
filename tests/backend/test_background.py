"""The loops of a backend outlive whatever their work raises, and say of it nothing but its type and place."""

from __future__ import annotations

import asyncio
import logging

import pytest
from sqlalchemy.exc import OperationalError

from kelmu_backend.background import MINUTE, Background

from .conftest import World

SECRET = "010190-900P"


class _EnoughError(Exception):
    """Ends a loop that has no end."""


@pytest.mark.parametrize(
    ("failure", "level", "rests"),
    [
        (OperationalError("SELECT", {"code": SECRET}, OSError()), logging.WARNING, [5.0, 5.0]),
        (OSError(SECRET), logging.WARNING, [5.0, 5.0]),
        (ValueError(SECRET), logging.ERROR, [MINUTE, 5.0, 5.0]),
    ],
)
async def test_a_failure_ends_no_loop_and_one_that_nobody_expected_lets_it_rest(
    world: World,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
    failure: Exception,
    level: int,
    rests: list[float],
) -> None:
    worked, rested = 0, []

    async def work() -> None:
        nonlocal worked
        worked += 1
        if worked == 1:
            raise failure

    async def rest(seconds: float) -> None:
        rested.append(seconds)
        if worked == 2:
            raise _EnoughError

    with monkeypatch.context() as patched:
        patched.setattr(asyncio, "sleep", rest)
        with pytest.raises(_EnoughError):
            await Background(world.core)._every(5.0, work)
    assert (worked, rested) == (2, rests)
    (line,) = (one for one in caplog.records if one.name == "kelmu_backend")
    assert line.levelno == level
    assert type(failure).__name__ in line.getMessage()
    assert SECRET not in caplog.text
