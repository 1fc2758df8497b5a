"""The architecture holds: no cycles, one name for one class, and what the core never loads.

Which package can import which is in the contracts of pyproject.toml.
"""

from __future__ import annotations

import ast
import json
import subprocess
import sys
import tomllib
from collections import defaultdict
from collections.abc import Iterator, Mapping
from graphlib import CycleError, TopologicalSorter
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
        " 'glboard_core.milestone_setup', 'glboard_tui.screens.prompts', 'httpx', 'csv', 'zipfile',"
        " 'argparse'))))"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert done.stdout.split() == []


def test_an_open_engine_loads_no_network_stack_before_it_connects() -> None:
    program = (
        "import asyncio, sys\n"
        "from glboard_core.config import Settings\n"
        "from glboard_core.gitlab.account import Account, Secret\n"
        "from glboard_core.session import EngineOptions, open_engine\n"
        "account = Account(url='http://localhost:1', token=Secret('t'))\n"
        "async def main():\n"
        "    options = EngineOptions(group='top', keep=False)\n"
        "    async with open_engine(options, Settings(), account=account) as engine:\n"
        "        engine.now()\n"
        "asyncio.run(main())\n"
        "print(*[m for m in ('httpx', 'httpcore', 'gitlab', 'requests') if m in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert done.stdout.split() == []


@pytest.fixture(scope="module", name="modules")
def all_modules() -> dict[str, ast.Module]:
    """Every module of the three packages by its name, parsed."""
    found = {}
    for path in SOURCES:
        _, *parts = path.relative_to(ROOT).with_suffix("").parts
        name = ".".join(parts[:-1] if parts[-1] == "__init__" else parts)
        found[name] = ast.parse(path.read_text("utf-8"))
    return found


def imports(module: ast.Module, known: Mapping[str, object]) -> Iterator[str]:
    """Our own modules that one imports, wherever in it: in functions and for type checking, too."""
    for node in ast.walk(module):
        if isinstance(node, ast.ImportFrom) and node.module:
            for alias in node.names:
                inner = f"{node.module}.{alias.name}"
                yield inner if inner in known else node.module
        elif isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)


def cycle(modules: Mapping[str, ast.Module]) -> list[str]:
    """Modules that import one another in a circle, the first again at the end; none if there is no circle."""
    graph = {
        name: {one for one in imports(module, modules) if one in modules and one != name}
        for name, module in modules.items()
    }
    try:
        TopologicalSorter(graph).prepare()
    except CycleError as error:
        found: list[str] = error.args[1]
        return found
    return []


def test_no_modules_import_one_another_in_a_circle(modules: dict[str, ast.Module]) -> None:
    assert cycle(modules) == []


def test_a_circle_is_found_also_through_lazy_and_type_checking_imports() -> None:
    lazy = ast.parse("def run():\n    from p import b\n")
    typed = ast.parse("if TYPE_CHECKING:\n    from p.a import A\n")
    assert set(cycle({"p.a": lazy, "p.b": typed})) == {"p.a", "p.b"}
    assert cycle({"p.a": lazy, "p.b": ast.parse("import sys")}) == []


def test_a_public_class_has_its_name_alone(modules: dict[str, ast.Module]) -> None:
    """Outside the embedded GitLab, which has GitLab's names once more on purpose."""
    places: dict[str, list[str]] = defaultdict(list)
    for name, module in modules.items():
        if name.startswith("glboard_core.demo"):
            continue
        for node in module.body:
            if isinstance(node, ast.ClassDef) and not node.name.startswith("_"):
                places[node.name].append(name)
    assert {name: where for name, where in places.items() if len(where) > 1} == {}


def test_every_module_has_a_docstring(modules: dict[str, ast.Module]) -> None:
    bare = [
        name
        for name, module in modules.items()
        if module.body and len((ast.get_docstring(module) or "").strip(" .")) < 10
    ]
    assert bare == []


def _is_broad(handler: ast.ExceptHandler) -> bool:
    named = handler.type.id if isinstance(handler.type, ast.Name) else ""
    broad = handler.type is None or named in ("Exception", "BaseException")
    # A handler that cleans up and re-raises hides nothing.
    last = handler.body[-1]
    return broad and not (isinstance(last, ast.Raise) and last.exc is None)


def test_no_broad_excepts_outside_the_boundaries(modules: dict[str, ast.Module]) -> None:
    broad = {
        name
        for name, module in modules.items()
        for node in ast.walk(module)
        if isinstance(node, ast.ExceptHandler) and _is_broad(node)
    }
    # The last steps, and the boundaries to the HTTP library and the keyring's: what their parts raise is
    # listed nowhere.
    boundaries = {"glboard_core.gitlab.http", "glboard_core.auth.keyring_access"}
    assert broad <= {"glboard_tui.app", "glboard_tui.cli.main", *boundaries}


def test_only_three_packages_are_installed() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))
    packages = project["tool"]["hatch"]["build"]["targets"]["wheel"]["packages"]
    assert packages == ["core/glboard_core", "tui/glboard_tui", "styles/glboard_styles"]
