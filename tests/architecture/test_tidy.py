"""The house's measures, held by a test and not by memory: sizes, names, what may stand where."""

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
PACKAGES = (
    "core", "accounts", "marketdata", "portfolio", "risk", "orders", "strategies",
    "notifications", "tradeportal",
)  # fmt: skip

LINE_LIMIT = 100
FILE_LIMIT = 400
FUNCTION_LIMIT = 70

BANNED_NAMES = {"utils.py", "helpers.py", "signals.py", "misc.py", "common.py"}

FLOAT_HOMES: set[str] = {
    "orders/engine/metrics.py",
}
"""Where a float may be made: statistics and drawing, never money."""

CLOCK_HOMES = {"core/domain/clock.py"}
"""Where the machine's clock may be read as a datetime."""

BLANKET_HOMES: dict[str, str] = {
    "tradeportal/relay.py": "a handler's failure is kept with its event; the loop itself goes on",
}
"""Files whose process loop may catch everything, with the reason."""


def python_in(*folders: str) -> Iterator[Path]:
    for folder in folders:
        for path in sorted((ROOT / folder).rglob("*.py")):
            if "migrations" not in path.parts:
                yield path


def sources() -> Iterator[Path]:
    return python_in(*PACKAGES)


def name_of(path: Path) -> str:
    return path.relative_to(ROOT).as_posix()


FILES = [pytest.param(path, id=name_of(path)) for path in sources()]
ALL_PYTHON = [
    pytest.param(path, id=name_of(path))
    for path in (
        *python_in(*PACKAGES, "benchmarks", "tests"),
        ROOT / "manage.py",
        ROOT / "portal",
    )
]
SCRIPTS = [
    pytest.param(path, id=name_of(path)) for path in sorted((ROOT / "static/src").rglob("*.ts"))
]


@pytest.mark.parametrize("path", FILES)
def test_a_file_keeps_to_its_measure(path: Path) -> None:
    lines = path.read_text().splitlines()

    assert path.name not in BANNED_NAMES
    assert len(lines) <= FILE_LIMIT, f"{len(lines)} lines"
    assert all(len(line) <= LINE_LIMIT for line in lines)


@pytest.mark.parametrize("path", FILES)
def test_a_function_keeps_to_its_measure(path: Path) -> None:
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            assert node.end_lineno is not None
            length = node.end_lineno - node.lineno + 1
            assert length <= FUNCTION_LIMIT, f"{node.name} has {length} lines"


@pytest.mark.parametrize("path", ALL_PYTHON)
def test_a_module_says_why_it_exists(path: Path) -> None:
    tree = ast.parse(path.read_text())

    assert not tree.body or ast.get_docstring(tree), "no module docstring"


@pytest.mark.parametrize("path", SCRIPTS)
def test_a_script_of_the_pages_says_why_it_exists(path: Path) -> None:
    assert path.read_text().startswith("//"), "no comment at the top"


@pytest.mark.parametrize("path", FILES)
def test_nothing_is_swallowed(path: Path) -> None:
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.ExceptHandler) and name_of(path) not in BLANKET_HOMES:
            assert node.type is not None, f"line {node.lineno}: bare except"
            caught = {part.id for part in ast.walk(node.type) if isinstance(part, ast.Name)}
            assert not caught & {"Exception", "BaseException"}, f"line {node.lineno}"


@pytest.mark.parametrize("path", FILES)
def test_floats_clocks_and_prints_stay_in_their_homes(path: Path) -> None:
    name = name_of(path)
    for node in ast.walk(ast.parse(path.read_text())):
        if not isinstance(node, ast.Call):
            continue
        called = ast.unparse(node.func)
        if called == "float":
            assert name in FLOAT_HOMES, f"line {node.lineno}: float("
        if called in {"datetime.now", "timezone.now", "datetime.utcnow"}:
            assert name in CLOCK_HOMES, f"line {node.lineno}: {called}("
        if called == "print":
            assert name.startswith("tradeportal/supervisor/"), f"line {node.lineno}: print("


@pytest.mark.parametrize("path", FILES)
def test_imports_stand_at_the_top(path: Path) -> None:
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            inner = [n for n in ast.walk(node) if isinstance(n, ast.Import | ast.ImportFrom)]
            assert not inner, f"line {inner[0].lineno if inner else 0}"


def test_no_signal_controls_the_flow_and_no_save_is_overridden() -> None:
    for path in sources():
        text = path.read_text()
        assert not re.search(r"django\.(db\.models|dispatch|core)\.signals|@receiver", text), path
        assert not re.search(r"^    def save\(", text, flags=re.M), path


def test_no_work_is_left_as_a_note() -> None:
    for path in sources():
        assert not re.search(r"\b(TODO|FIXME|XXX)\b", path.read_text()), path


def test_every_template_is_used() -> None:
    """Named by a template or by code; error pages by their status in tradeportal/error_pages.py."""
    templates = [path for path in (ROOT / "templates").rglob("*.*") if path.is_file()]
    used = "\n".join(path.read_text() for path in (*templates, *sources()))
    by_status = {"400.html", "403.html", "404.html", "500.html"}

    names = {path.relative_to(ROOT / "templates").as_posix() for path in templates}

    assert len(names) > 20
    assert {name for name in names - by_status if f'"{name}"' not in used} == set()
