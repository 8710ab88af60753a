"""How Python's garbage collector works in a process that people wait for: the engine, the
gateways and the worker call this once, when they have loaded what they will keep.
"""

import gc
from typing import Final

NEW_OBJECTS: Final = 10_000
"""As many may come into being, beyond those that have gone, before it looks at them. At Python's
own 700 it looks several times in each batch, at objects that are all still in use: a fourteenth of
the engine's work.
"""


def leave_what_is_loaded() -> None:
    """From now on the collector passes over all that there is, and looks at what is new more
    seldom. Looking through everything would stop each order for tens of milliseconds.
    """
    gc.freeze()
    gc.set_threshold(NEW_OBJECTS)
