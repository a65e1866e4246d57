"""Named cases of a judge: `--list` lists them, a name runs one, and nothing runs them all.

Time on the emulator is moved, not waited for: its clock is manual."""

import os
import subprocess
import sys
import traceback

CASES = {}


def case(function):
    CASES[function.__name__] = function
    return function


def advance(duration):
    """Moves the emulator's clock."""
    subprocess.run(
        [os.environ["MQ_BINARY"], "emulator", "advance", duration],
        check=True,
        stdout=subprocess.DEVNULL,
    )


def refused(error, call, **arguments):
    """The error that the call must end with."""
    try:
        answer = call(**arguments)
    except error as refusal:
        return refusal
    raise AssertionError(f"answered {answer!r}")


def main():
    if sys.argv[1:] == ["--list"]:
        print("\n".join(CASES))
        return
    for name in sys.argv[1:] or CASES:
        try:
            CASES[name]()
        except Exception:
            traceback.print_exc()
            sys.exit(f"FAILED {name}")
        print("ok", name)
