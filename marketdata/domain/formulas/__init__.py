"""Formulas: a small language for indicators of one's own (docs/formulas.md).

Text -> `lexer` -> `parser` -> a frozen `tree` -> `evaluator`. Nothing is ever executed as code: a
name means what `functions` says, or the formula is refused.
"""

from marketdata.domain.formulas.evaluator import evaluate, is_price, needed_before, work_of
from marketdata.domain.formulas.parser import parse_formula
from marketdata.domain.formulas.tree import Node, written

__all__ = [
    "Node",
    "evaluate",
    "is_price",
    "needed_before",
    "parse_formula",
    "work_of",
    "written",
]
