"""The house's measures, held by a test and not by memory: sizes, names, what may stand where."""

import ast
import re
from collections.abc import Iterator
from functools import cache
from pathlib import Path

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
    "marketdata/domain/indicators/spec.py",  # parameters of statistics
    "marketdata/domain/formulas/functions.py",
    "marketdata/domain/formulas/parser.py",
}
"""Where a float may be made: statistics and drawing, never money."""

CLOCK_HOMES = {"core/domain/clock.py"}
"""Where the machine's clock may be read as a datetime."""

BLANKET_HOMES: dict[str, str] = {
    "tradeportal/relay.py": "a handler's failure is kept with its event; the loop itself goes on",
}
"""Files whose process loop may catch everything, with the reason."""


SCRIPTS = sorted((ROOT / "static/src").rglob("*.ts"))


def python_in(*folders: str) -> Iterator[Path]:
    for folder in folders:
        for path in sorted((ROOT / folder).rglob("*.py")):
            if "migrations" not in path.parts:
                yield path


def sources() -> Iterator[Path]:
    return python_in(*PACKAGES)


def name_of(path: Path) -> str:
    return path.relative_to(ROOT).as_posix()


def sources_and_tests() -> Iterator[Path]:
    yield from python_in(*PACKAGES, "benchmarks", "tests")
    yield from (ROOT / "manage.py", ROOT / "portal")


@cache
def tree_of(path: Path) -> ast.Module:
    return ast.parse(path.read_text())


@cache
def calls_in(path: Path) -> tuple[ast.Call, ...]:
    return tuple(node for node in ast.walk(tree_of(path)) if isinstance(node, ast.Call))


@cache
def functions_in(path: Path) -> tuple[ast.FunctionDef | ast.AsyncFunctionDef, ...]:
    kinds = ast.FunctionDef | ast.AsyncFunctionDef
    return tuple(node for node in ast.walk(tree_of(path)) if isinstance(node, kinds))


# One test a rule, not one a file and rule: thousands of tests cost more than what they look at.


def test_there_is_something_to_measure() -> None:
    assert len([*sources()]) > 300
    assert len([*sources_and_tests()]) > 500
    assert len(SCRIPTS) > 30


def test_a_file_keeps_to_its_measure() -> None:
    lines = {name_of(path): path.read_text().splitlines() for path in sources()}

    assert {name for name in lines if Path(name).name in BANNED_NAMES} == set()
    long_files = {name: len(found) for name, found in lines.items() if len(found) > FILE_LIMIT}
    assert long_files == {}
    assert [
        f"{name}:{number}"
        for name, found in lines.items()
        for number, line in enumerate(found, 1)
        if len(line) > LINE_LIMIT
    ] == []


def test_a_function_keeps_to_its_measure() -> None:
    assert [
        f"{name_of(path)}: {node.name} has {length} lines"
        for path in sources()
        for node in functions_in(path)
        if (length := (node.end_lineno or 0) - node.lineno + 1) > FUNCTION_LIMIT
    ] == []


def test_a_module_says_why_it_exists() -> None:
    silent = {
        name_of(path)
        for path in sources_and_tests()
        if tree_of(path).body and not ast.get_docstring(tree_of(path))
    }

    assert silent == set(), "no module docstring"


def test_a_script_of_the_pages_says_why_it_exists() -> None:
    silent = {name_of(path) for path in SCRIPTS if not path.read_text().startswith("//")}

    assert silent == set(), "no comment at the top"


def catches_all(handler: ast.ExceptHandler) -> bool:
    if handler.type is None:
        return True
    caught = {part.id for part in ast.walk(handler.type) if isinstance(part, ast.Name)}
    return bool(caught & {"Exception", "BaseException"})


def test_nothing_is_swallowed() -> None:
    assert [
        f"{name_of(path)}:{node.lineno}"
        for path in sources()
        if name_of(path) not in BLANKET_HOMES
        for node in ast.walk(tree_of(path))
        if isinstance(node, ast.ExceptHandler) and catches_all(node)
    ] == []


def is_at_home(called: str, name: str) -> bool:
    """Whether the file may call what only few may."""
    if called == "float":
        return name in FLOAT_HOMES
    if called in {"datetime.now", "timezone.now", "datetime.utcnow"}:
        return name in CLOCK_HOMES
    return called != "print" or name.startswith("tradeportal/supervisor/")


def test_floats_clocks_and_prints_stay_in_their_homes() -> None:
    assert [
        f"{name_of(path)}:{node.lineno}: {called}("
        for path in sources()
        for node in calls_in(path)
        if not is_at_home(called := ast.unparse(node.func), name_of(path))
    ] == []


def test_imports_stand_at_the_top() -> None:
    assert [
        f"{name_of(path)}:{node.lineno}"
        for path in sources()
        for function in functions_in(path)
        for node in ast.walk(function)
        if isinstance(node, ast.Import | ast.ImportFrom)
    ] == []


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
