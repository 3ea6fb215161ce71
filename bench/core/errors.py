"""Exceptions of this project, and exit codes of the command line.

Raised wherever input or output cannot be used; `bench.cli` prints one line on stderr.
"""

EXIT_OK = 0
EXIT_FAILED_BACKEND = 1
EXIT_WORSE = 1
EXIT_UNUSABLE = 2
EXIT_UNDECIDED = 3
EXIT_NO_VERDICT = 4
EXIT_INTERRUPTED = 130


class UnusableError(Exception):
    """Input or output that cannot be used: the message names the place, the allowed values and the remedy."""


class UnsupportedError(Exception):
    """A backend cannot train what the spec describes: the message says what, and the run reports a skip."""
