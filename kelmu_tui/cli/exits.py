"""Exit codes of `kelmu`: a contract with scripts, so a number is never given another meaning."""

from __future__ import annotations

from enum import IntEnum


class Exit(IntEnum):
    """What a command's end means; `kelmu --help` and docs/cli.md explain each."""

    OK = 0
    FAILED = 1
    USAGE = 2
    NOT_FOUND = 3
    REFUSED = 4
    NOT_SIGNED_IN = 5
    NOT_ALLOWED = 6
    OFFLINE = 7
    NOT_SENT = 8
    STORE = 9
    PROBLEMS = 10
    INTERRUPTED = 130
    BROKEN_PIPE = 141


class CliError(Exception):
    """Ends a command with one sentence for people and a code for programs.

    Attributes:
        exit: the process's exit code.
        code: stable name of what happened, in JSON.
        message: one or more lines in the user's language.
    """

    def __init__(self, exit: Exit, code: str, message: str) -> None:  # noqa: A002 - the word of the contract
        super().__init__(message)
        self.exit = exit
        self.code = code
        self.message = message
