"""How old something is, in words that fit a table's cell."""


def age_text(seconds: int) -> str:
    """ "45 s", "12 min", "5 h", "3 d": as much as one needs to see what waits for long."""
    for size, unit in ((86_400, "d"), (3_600, "h"), (60, "min")):
        if seconds >= 2 * size:
            return f"{seconds // size} {unit}"
    return f"{max(0, seconds)} s"
