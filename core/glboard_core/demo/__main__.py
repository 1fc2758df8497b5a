"""`python -m glboard_core.demo`: runs the embedded GitLab."""

from __future__ import annotations

import sys

from glboard_core.demo.http.process import parse


def main() -> int:
    """Parses the options, then loads what serving needs."""
    options = parse(sys.argv[1:])
    from glboard_core.demo.http.server import serve

    return serve(options)


if __name__ == "__main__":
    sys.exit(main())
