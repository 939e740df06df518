"""`make set-test`: the whole set test, its verdict on standard output and in the exit code."""

import argparse
import asyncio
import random
import sys
import time

from tests.chaos.rounds import Plan, SetTest


def say(line: str) -> None:
    sys.stdout.write(line + "\n")
    sys.stdout.flush()


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m tests.chaos", description=__doc__)
    parser.add_argument("--rounds", type=int, default=10)
    parser.add_argument("--clients", type=int, default=50)
    parser.add_argument("--keys", type=int, default=60)
    parser.add_argument("--seed", type=int, default=random.randrange(1 << 31))
    given = parser.parse_args()
    test = SetTest(Plan(given.rounds, given.clients, given.keys, given.seed), say)
    began = time.monotonic()
    total = asyncio.run(test.run())
    is_good = total.is_good and test.is_good and total.finished > 0
    say(f"{'passed' if is_good else 'FAILED'} in {time.monotonic() - began:.0f} s")
    return 0 if is_good else 1


if __name__ == "__main__":
    sys.exit(main())
