"""The documents name only what exists, and the pages that are made from code are up to date."""

import ast
import re
from functools import cache
from pathlib import Path
from types import ModuleType

import pytest

from marketdata.domain import live_page
from marketdata.domain.formulas.functions import OWN
from marketdata.domain.indicators import page as indicators_page
from orders.domain import events_page, limits_page, reasons_page, states_page

ROOT = Path(__file__).resolve().parents[2]
PACKAGES = (
    "core", "accounts", "marketdata", "portfolio", "risk", "orders", "strategies",
    "notifications", "tradeportal", "tests", "benchmarks",
)  # fmt: skip
DOCUMENTS = [
    pytest.param(path, id=path.relative_to(ROOT).as_posix())
    for path in (*sorted(ROOT.glob("*.md")), *sorted((ROOT / "docs").rglob("*.md")))
]
SOURCES = sorted(path for package in PACKAGES for path in (ROOT / package).rglob("*.py"))

BACKTICKED = re.compile(r"`([^`\n]+)`")
LINK = re.compile(r"\]\(([^)#\s]+)[^)]*\)")
FILE = re.compile(r"[\w.-]+(?:/[\w.-]+)+\.(?:py|md|ts|css|html|toml|txt|ps1|png)")
OURS = re.compile(rf"(?:{'|'.join(PACKAGES)})(?:\.(?!py\b)\w+)+")
PLAIN_MENTION = re.compile(
    rf"(?<![\w/.<-])(?:{'|'.join(PACKAGES)}|docs|static/src)/[\w/.-]+\.(?:py|md|ts)\b"
)


def name_of(path: Path) -> str:
    return path.relative_to(ROOT).as_posix()


@cache
def names_in(path: Path) -> frozenset[str]:
    """What a module defines at its top level."""
    found: set[str] = set()
    for node in ast.parse(path.read_text()).body:
        if isinstance(node, ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef):
            found.add(node.name)
        for target in ast.walk(node) if isinstance(node, ast.Assign | ast.AnnAssign) else ():
            if isinstance(target, ast.Name):
                found.add(target.id)
    return frozenset(found)


@cache
def task_names() -> frozenset[str]:
    """What looks like a module's path but is the name of a Celery task."""
    return frozenset(
        name
        for path in SOURCES
        if path.name in {"tasks.py", "announcing.py"}
        for name in re.findall(r'(?:name=|TASK = )"([\w.]+)"', path.read_text())
    )


def exists(dotted: str) -> bool:
    """Whether there is such a module, name in a module, or task."""
    path = ROOT.joinpath(*dotted.split("."))
    if path.is_dir() or path.with_suffix(".py").is_file() or dotted in task_names():
        return True
    module = path.parent.with_suffix(".py")
    return module.is_file() and path.name in names_in(module)


@pytest.mark.parametrize("document", DOCUMENTS)
def test_every_file_that_a_document_names_exists(document: Path) -> None:
    text = document.read_text()
    named = [ROOT / words for words in BACKTICKED.findall(text) if FILE.fullmatch(words)]
    linked = [document.parent / link for link in LINK.findall(text) if not re.match(r"\w+:", link)]

    assert [str(path) for path in (*named, *linked) if not path.exists()] == []


@pytest.mark.parametrize("document", DOCUMENTS)
def test_every_module_that_a_document_names_exists(document: Path) -> None:
    named = [words for words in BACKTICKED.findall(document.read_text()) if OURS.fullmatch(words)]

    assert [words for words in named if not exists(words)] == []


def test_every_file_that_the_code_names_exists() -> None:
    missing = [
        f"{name_of(path)}: {mention}"
        for path in SOURCES
        for mention in PLAIN_MENTION.findall(path.read_text())
        if not (ROOT / mention).exists()
    ]

    assert missing == []


def test_every_module_that_the_settings_name_exists() -> None:
    settings = (ROOT / "tradeportal" / "settings" / "base.py").read_text()
    named = re.findall(rf'"({OURS.pattern})"', settings)

    assert [dotted for dotted in named if dotted != "accounts.User" and not exists(dotted)] == []


@pytest.mark.parametrize(
    "made", [events_page, indicators_page, live_page, reasons_page, states_page]
)
def test_a_page_that_is_made_from_code_is_up_to_date(made: ModuleType) -> None:
    assert made.PATH.read_text(encoding="utf-8") == made.page(), f"run: python -m {made.__name__}"


def test_the_tables_of_limits_are_made_from_their_words() -> None:
    text = limits_page.PATH.read_text(encoding="utf-8")
    assert text == limits_page.page(text), "run: python -m orders.domain.limits_page"


def test_every_function_of_the_formula_language_is_explained() -> None:
    text = (ROOT / "docs" / "formulas.md").read_text()

    assert {function.name for function in OWN if f"`{function.name}(" not in text} == set()
