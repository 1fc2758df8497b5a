"""The embedded GitLab as a process of its own."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager

import httpx
import pytest

from glboard_core.demo.http.process import (
    DemoOptions,
    OptionsError,
    SpawnError,
    is_loopback,
    parse,
    parse_address,
    spawn,
)

COMMAND = [sys.executable, "-m", "glboard_core.demo"]


@contextmanager
def child(*arguments: str) -> Iterator[tuple[subprocess.Popen[str], dict[str, str]]]:
    process = subprocess.Popen(
        [*COMMAND, *arguments],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    assert process.stdout is not None
    lines = [process.stdout.readline().strip() for _ in range(3)]
    try:
        yield process, dict(one.split("=", 1) for one in lines)
    finally:
        process.kill()
        process.wait()
        for pipe in (process.stdin, process.stdout, process.stderr):
            if pipe is not None:
                pipe.close()


def test_prints_three_lines_and_serves_until_stopped() -> None:
    with child("--serve", "127.0.0.1:0", "--issues", "40", "--relative-url", "/gitlab") as (process, said):
        assert list(said) == ["GITLAB_HOST", "GLBOARD_GROUP", "GITLAB_TOKEN"]
        assert said["GITLAB_HOST"].endswith("/gitlab")
        headers = {"private-token": said["GITLAB_TOKEN"]}
        url = f"{said['GITLAB_HOST']}/api/v4/groups/{said['GLBOARD_GROUP']}/issues"
        assert httpx.get(url, headers=headers, timeout=5).headers["x-total"] == "40"
        process.send_signal(signal.SIGTERM)
        assert process.wait(10) == 0
        assert process.stdout is not None
        assert process.stdout.read() == ""


def test_ends_with_its_parent() -> None:
    with child("--with-parent", "--issues", "20") as (process, said):
        assert said["GITLAB_HOST"].startswith("http://127.0.0.1:")
        assert process.stdin is not None
        process.stdin.close()
        assert process.wait(10) == 0


def test_does_not_end_with_standard_input_alone() -> None:
    with child("--issues", "20") as (process, said):
        assert process.stdin is not None
        process.stdin.close()
        headers = {"private-token": said["GITLAB_TOKEN"]}
        assert (
            httpx.get(f"{said['GITLAB_HOST']}/api/v4/version", headers=headers, timeout=5).status_code == 200
        )
        process.send_signal(signal.SIGINT)
        assert process.wait(10) == 0


@pytest.mark.parametrize(
    ("arguments", "status", "told"),
    [
        (["--serve", "0.0.0.0:0"], 2, "--allow-remote"),
        (["--serve", "example.com:80"], 2, "--allow-remote"),
        (["--serve", "127.0.0.1:x"], 2, "is not HOST:PORT"),
        (["--faults", "nope:1"], 2, "is not a fault"),
        (["--as-of", "soon"], 2, "is not a time"),
        (["--scenario", "/nowhere/at/all.json"], 1, "no such file"),
        (["--nope"], 2, "--nope"),
    ],
)
def test_wrong_use(arguments: list[str], status: int, told: str) -> None:
    done = subprocess.run([*COMMAND, *arguments], capture_output=True, text=True, timeout=20, check=False)
    assert (done.returncode, done.stdout) == (status, "")
    assert told in done.stderr


def test_spawn_and_stop() -> None:
    with spawn(DemoOptions(issues=30, as_of="2026-12-07T15:00:00Z", faults="500:0.0")) as demo:
        assert demo.running
        response = httpx.get(f"{demo.url}/api/v4/version", headers={"private-token": demo.token}, timeout=5)
        assert response.headers["date"].startswith("Mon, 07 Dec 2026 15:00:")
        assert demo.group == "demo-org"
    assert not demo.running
    demo.stop()
    with pytest.raises(httpx.ConnectError):
        httpx.get(demo.url, timeout=5)


def test_spawn_reports_why_it_failed() -> None:
    with pytest.raises(SpawnError, match=r"no such file"):
        spawn(DemoOptions(scenario="/nowhere/at/all.json"))
    with pytest.raises(OptionsError):
        spawn(DemoOptions(host="0.0.0.0"))


def test_another_user_can_sign_in() -> None:
    with spawn(DemoOptions(issues=30, user="eng_alder")) as demo:
        response = httpx.get(f"{demo.url}/api/v4/user", headers={"private-token": demo.token}, timeout=5)
        assert response.json()["username"] == "eng_alder"
    with pytest.raises(SpawnError, match=r"user eng_adler not found; choose from em_maple, eng_alder"):
        spawn(DemoOptions(issues=30, user="eng_adler"))


def test_the_parents_side_loads_the_standard_library_only() -> None:
    code = (
        "import sys; import glboard_core.demo.http.process;"
        " print([m for m in sys.modules if m in sys.argv[1:]])"
    )
    heavy = ["graphql", "starlette", "uvicorn", "msgspec", "httpx"]
    done = subprocess.run([sys.executable, "-c", code, *heavy], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


def test_demo_never_loads_the_clients_side() -> None:
    code = """import sys; import glboard_core.demo.http.server
theirs = ("glboard_core.gitlab", "glboard_tui", "textual", "rich", "httpx")
print([name for name in sys.modules if name.startswith(theirs)])"""
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


def test_options_survive_the_command_line() -> None:
    options = DemoOptions(
        scenario="a.json", issues=5, seed=9, host="::1", port=81, latency_ms=2.5, faults="429:0.1",
        tier="free", edition="ce", gitlab_version="16.8", relative_url="/x", rate_limit=60, with_parent=True,
    )  # fmt: skip
    assert parse(options.arguments()) == options
    assert parse([]) == DemoOptions()


def test_addresses() -> None:
    assert parse_address("127.0.0.1:8080") == ("127.0.0.1", 8080)
    assert parse_address("[::1]:80") == ("::1", 80)
    assert parse_address(":0") == ("127.0.0.1", 0)
    assert parse_address("localhost") == ("localhost", 0)
    assert all(is_loopback(one) for one in ("localhost", "127.9.9.9", "::1"))
    assert not any(is_loopback(one) for one in ("0.0.0.0", "10.0.0.1", "gitlab.com"))


def test_process_ids_are_its_own() -> None:
    with spawn(DemoOptions(issues=5)) as demo:
        assert demo.pid != os.getpid()
