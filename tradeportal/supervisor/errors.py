"""The one kind of failure that the front door shows to a person: a single clear line.

Every module of the supervisor raises it for what the user can put right; `cli.main` prints it and
exits with its code. Anything else is a defect and keeps its traceback.
"""


class PortalError(Exception):
    """A failure with a message of one line that says what is wrong and what to do."""

    def __init__(self, message: str, exit_code: int = 1) -> None:
        super().__init__(message)
        self.exit_code = exit_code
