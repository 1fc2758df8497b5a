"""The architecture holds: which package can import which, and what the core never loads."""

from __future__ import annotations

import ast
import json
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
SOURCES = sorted(p for top in ("core", "tui", "styles") for p in (ROOT / top).rglob("*.py"))


def test_sources_are_found() -> None:
    assert len(SOURCES) > 30


def test_using_the_core_never_loads_textual() -> None:
    program = (
        "import glboard_core.session, glboard_core.sync.engine, glboard_core.gitlab.gateway\n"
        "import glboard_core.store.sqlite, glboard_core.demo.world.world, json, sys\n"
        "print(json.dumps([m for m in sys.modules if m.split('.')[0] in ('textual', 'glboard_tui')]))"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert json.loads(done.stdout) == []


@pytest.mark.parametrize("command", [["--help"], ["show", "--help"], ["edit", "--help"], ["config", "show"]])
def test_commands_that_print_never_load_textual(command: list[str]) -> None:
    program = (
        "import sys\n"
        "from glboard_tui.cli.main import run\n"
        f"status = run({command!r})\n"
        "print([m for m in sys.modules if m.split('.')[0] in ('textual', 'httpx')], file=sys.stderr)\n"
        "sys.exit(status)"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=False)
    assert done.stderr.strip() == "[]"


def test_first_frame_loads_nothing_that_is_needed_later() -> None:
    program = (
        "import glboard_tui.cli.open, glboard_tui.app, glboard_core.store.sqlite, sys\n"
        "print(*sorted(m for m in sys.modules if m.startswith(('glboard_core.demo', 'glboard_core.reports',"
        " 'glboard_core.milestone_setup', 'httpx', 'zipfile', 'argparse'))))"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert done.stdout.split() == []


def test_an_open_engine_loads_no_network_stack_before_it_connects() -> None:
    program = (
        "import asyncio, sys\n"
        "from glboard_core.config import Settings\n"
        "from glboard_core.gitlab.account import Account, Secret\n"
        "from glboard_core.session import Place, open_engine\n"
        "account = Account(url='http://localhost:1', token=Secret('t'))\n"
        "async def main():\n"
        "    async with open_engine(Place(group='top', keep=False), Settings(), account=account) as engine:\n"
        "        engine.now()\n"
        "asyncio.run(main())\n"
        "print(*[m for m in ('httpx', 'httpcore', 'gitlab', 'requests') if m in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert done.stdout.split() == []


def test_every_module_has_a_docstring() -> None:
    bare = [
        str(path.relative_to(ROOT))
        for path in SOURCES
        if path.read_text(encoding="utf-8").strip()
        and ast.get_docstring(ast.parse(path.read_text("utf-8"))) is None
    ]
    assert bare == []


def _is_broad(handler: ast.ExceptHandler) -> bool:
    named = handler.type.id if isinstance(handler.type, ast.Name) else ""
    broad = handler.type is None or named in ("Exception", "BaseException")
    # A handler that cleans up and re-raises hides nothing.
    last = handler.body[-1]
    return broad and not (isinstance(last, ast.Raise) and last.exc is None)


def test_no_broad_excepts_outside_the_worker_boundary() -> None:
    broad = {
        str(path.relative_to(ROOT))
        for path in SOURCES
        for node in ast.walk(ast.parse(path.read_text("utf-8")))
        if isinstance(node, ast.ExceptHandler) and _is_broad(node)
    }
    assert broad <= {"tui/glboard_tui/app.py"}


def test_only_three_packages_are_installed() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))
    packages = project["tool"]["hatch"]["build"]["targets"]["wheel"]["packages"]
    assert packages == ["core/glboard_core", "tui/glboard_tui", "styles/glboard_styles"]
