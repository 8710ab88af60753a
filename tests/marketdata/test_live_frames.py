"""What the server says of prices, as pages read it (static/tests/live_frames.test.ts)."""

from tests.marketdata.live_frames import PATH, page


def test_the_frames_that_pages_are_tested_with_are_the_servers() -> None:
    assert PATH.read_text(encoding="utf-8") == page(), "python -m tests.marketdata.live_frames"
