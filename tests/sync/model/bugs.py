"""Planted bugs: ways to break the protocol, each of which a run has to notice."""

from __future__ import annotations

from enum import StrEnum
from typing import Final


class Bug(StrEnum):
    """One place in which the protocol is broken."""

    NO_MEMO = "no_memo"
    """The server forgets what it has answered."""
    MEMO_OUTSIDE = "memo_outside"
    """The answer is remembered in a transaction of its own, which a crash may prevent."""
    DELETE_ON_SEND = "delete_on_send"
    """A command leaves the disk when it goes out."""
    CURSOR_BEFORE_ROWS = "cursor_before_rows"
    """The cursor is committed before the rows it stands behind."""
    REMOVAL_EVERYWHERE = "removal_everywhere"
    """A removal takes a row out of every scope."""
    SETTLED_AT_ONCE = "settled_at_once"
    """An applied command stops covering its row before the replica has caught up."""
    TIMER_STOPS = "timer_stops"
    """A command that failed once is never tried again."""
    BYTES_ANEW = "bytes_anew"
    """Each attempt demands the version that the replica has by now."""
    SHOWN_BEFORE_LOGGED = "shown_before_logged"
    """A view is logged after it was shown."""
    EPOCH_STAYS = "epoch_stays"
    """A restored server pretends that nothing happened."""
    PAGE_SPLITS = "page_splits"
    """A page of the feed ends in the middle of a sequence."""
    NO_CHECKPOINT = "no_checkpoint"
    """Every page is shown by itself."""
    SETTLED_WHILE_FILLING = "settled_while_filling"
    """A command is settled although its scope still shows rows of before."""
    NO_TOMBSTONES = "no_tombstones"
    """A fill brings back what a change has removed."""
    LATE_ANSWERS = "late_answers"
    """An answer to an old question is taken."""
    LATE_FILLS = "late_fills"
    """A page of a fill that was given up is taken into the next one."""
    NO_SECOND_OFFER = "no_second_offer"
    """What a restore of the server lost is not offered again."""
    FOLLOWERS_GO_ON = "followers_go_on"
    """A command goes out although the one before it was refused."""
    NO_RECOVERY = "no_recovery"
    """What was in flight at a crash stays there."""
    OLD_COMMANDS_RUN = "old_commands_run"
    """The server runs a command that is older than its memory."""
    TWO_LEADERS = "two_leaders"
    """Nobody asks for the lock before talking to the server."""
    RECEIPT_FORGETS = "receipt_forgets"
    """A receipt drops the views behind it too."""
    WALL_CLOCK = "wall_clock"
    """The lease goes by the machine's clock, which the user may set."""
    REVOKED_STAYS = "revoked_stays"
    """A scope that is no longer granted keeps its rows."""


SEEDS: Final = dict.fromkeys(Bug, 300) | {Bug.SETTLED_WHILE_FILLING: 4000}
"""Number of seeds of 400 steps within which each has to be found."""
