"""What a check of the ledger finds: which rule, which row, and what is wrong with it."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Discrepancy:
    """`check` is the rule's name, `row` names the row, `problem` states what it says and what it
    should.
    """

    check: str
    row: str
    problem: str
