"""interop.py HOST:PORT: what kazoo and its recipes expect of a server, one check after the other.

Each check prints `ok NAME` or `not ok NAME: why`, the last line is `N passed, N failed`, and the exit
code is 1 if anything failed. The checks themselves are in the modules named after their topic.
"""

import logging
import sys

import checks
import nodes  # noqa: F401  (importing a module registers its checks)
import watches  # noqa: F401
import locks  # noqa: F401
import queues  # noqa: F401
import groups  # noqa: F401
import connection  # noqa: F401


def main(arguments):
    if len(arguments) != 2:
        print(f"usage: {arguments[0]} HOST:PORT", file=sys.stderr)
        return 2
    logging.basicConfig(level=logging.CRITICAL)
    passed, failed = checks.run_all(arguments[1])
    print(f"{passed} passed, {failed} failed", flush=True)
    return 0 if failed == 0 else 1


if __name__ == "__main__":
    sys.exit(main(sys.argv))
