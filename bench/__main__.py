"""Starts the command line: for the console command `scratchbench`, and for `python -m bench` in a checkout."""

import sys

from bench.core.complaints import complain


def main(name: str = "scratchbench") -> None:
    """Run the command that the arguments name, and end the process with its exit code."""
    try:
        from bench import cli  # here, so that a package that is not installed is one line
    except (Exception, KeyboardInterrupt) as error:
        sys.exit(complain(error))
    cli.main(prog_name=name)


if __name__ == "__main__":
    main("python -m bench")
