"""The reasons why a gate may end without a verdict on speed, one class each; `kind` is the start of the message."""

from typing import ClassVar

LAST_LINE = 300
"""Characters that a message quotes of the last line that a process printed."""


class NoVerdictError(Exception):
    """Seconds would say nothing."""

    kind: ClassVar[str]


class TreeLostError(NoVerdictError):
    """A side crashed, hung, or could not be started."""

    kind = "broken, not slower"

    def __init__(self, side: str, reason: str) -> None:
        super().__init__(f"the {side} side {reason}")


class WorkChangedError(NoVerdictError):
    """The two sides did not do the same work."""

    kind = "the work changed, so seconds say nothing"


class OtherCodeError(NoVerdictError):
    """A side ran code that is not its own."""

    kind = "not each side's own code"


class NotFixedWorkError(NoVerdictError):
    """The command repeats fast code more often, so it always takes about as long."""

    kind = "the work is not fixed, so seconds say nothing"


class CaseMissingError(NoVerdictError):
    """A side does not have what is to be compared."""

    kind = "nothing to compare"


def last_line(said: str) -> str:
    """`: ` and the last line of what a process printed, or nothing."""
    lines = said.strip().splitlines()
    return f": {lines[-1][:LAST_LINE]}" if lines else ""
