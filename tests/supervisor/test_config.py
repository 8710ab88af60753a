"""The configuration: stated defaults, and one line that names what is wrong."""

from pathlib import Path

import pytest

from tradeportal.supervisor import config, configdoc
from tradeportal.supervisor.errors import PortalError

WRONG = [
    ("[sever]\nport = 1", "unknown section [sever]"),
    ("[server]\nprot = 1", "unknown key server.prot"),
    ("server = 1", "server must be a section"),
    ("[server]\nport = 70000", "server.port must be between 0 and 65535, not 70000"),
    ("[server]\nport = -1", "server.port must be between 0 and 65535, not -1"),
    ('[server]\nport = "8001"', "server.port must be a whole number, not '8001'"),
    ("[server]\nport = 1.5", "server.port must be a whole number, not 1.5"),
    ("[server]\nport = true", "server.port must be a whole number, not True"),
    ("[server]\nhost = 1", "server.host must be text in quotes, not 1"),
    ('[server]\nlog_level = "LOUD"', "server.log_level must be one of DEBUG, INFO"),
    ('[market]\nsource = "live"', "market.source must be one of simulated, none, not 'live'"),
    ('[market]\nsource = "replay"', "the replay market is not available in this version"),
    ("[worker]\nconcurrency = 0", "worker.concurrency must be between 1 and 64, not 0"),
    ("[restart]\nmax_delay_seconds = nan", "restart.max_delay_seconds must be between"),
    ('[restart]\nmax_delay_seconds = "x"', "restart.max_delay_seconds must be a number"),
    (
        "[restart]\nfirst_delay_seconds = 10\nmax_delay_seconds = 1",
        "restart.first_delay_seconds must not exceed restart.max_delay_seconds",
    ),
    ("[logs\nkeep = 1", "not valid TOML"),
]


@pytest.mark.parametrize(("text", "message"), WRONG)
def test_a_wrong_key_or_value_is_named_in_one_line(tmp_path: Path, text: str, message: str) -> None:
    path = tmp_path / "portal.toml"
    path.write_text(text)

    with pytest.raises(PortalError) as refusal:
        config.load(path)

    assert message in str(refusal.value)
    assert str(path) in str(refusal.value)
    assert "\n" not in str(refusal.value)


def test_a_missing_file_means_the_stated_defaults(tmp_path: Path) -> None:
    assert config.load(tmp_path / "portal.toml") == config.Configuration()


def test_a_file_that_was_asked_for_must_exist(tmp_path: Path) -> None:
    with pytest.raises(PortalError, match=r"there is no such configuration file"):
        config.load(tmp_path / "other.toml", must_exist=True)


def test_a_file_changes_only_what_it_names(tmp_path: Path) -> None:
    path = tmp_path / "portal.toml"
    path.write_text("[server]\nport = 9000\n[stop_timeout_seconds]\nengine = 3\n")

    loaded = config.load(path)

    assert loaded.server.port == 9000
    assert loaded.server.host == "127.0.0.1"
    assert loaded.stop_timeout_seconds.engine == 3
    assert loaded.postgres == config.Postgres()


def test_the_command_line_wins_and_is_held_to_the_same_rules() -> None:
    changed = config.override(config.Configuration(), "server", port=8005)
    untouched = config.override(config.Configuration(), "server", port=None)

    assert changed.server.port == 8005
    assert untouched == config.Configuration()
    with pytest.raises(PortalError, match=r"--port must be between 0 and 65535"):
        config.override(config.Configuration(), "server", port=70000)
    with pytest.raises(PortalError, match=r"replay market is not available"):
        config.override(config.Configuration(), "market", source="replay")


def test_the_documentation_is_made_from_the_definition() -> None:
    assert configdoc.PATH.read_text(encoding="utf-8") == configdoc.reference(), (
        "run: python -m tradeportal.supervisor.configdoc"
    )
