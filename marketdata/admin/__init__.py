"""What trades and where, for operators to read, and the feeds that they configure.

Importing a module registers its pages. Halting asks the engine: see orders.admin.
"""

from marketdata.admin import feeds
from marketdata.admin.reference import InstrumentAdmin

__all__ = ["InstrumentAdmin", "feeds"]
