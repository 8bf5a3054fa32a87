"""`python -m cmms.local run`, which bin/run calls after set-up."""

import sys

from cmms.local.options import parser
from cmms.local.supervisor import serve


def main(arguments: list[str]) -> int:
    if arguments[:1] == ["run"]:
        return serve(parser().parse_args(arguments[1:]))
    print("usage: python -m cmms.local run [--port N] [--data DIR] [--no-demo]", file=sys.stderr)
    return 2


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
