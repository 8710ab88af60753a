"""The configuration: stated defaults, and one line that names what is wrong."""

from pathlib import Path

import pytest

from tradeportal.supervisor import catalog, config, configdoc
from tradeportal.supervisor.datadir import DataDir
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
    (
        '[market]\nsource = "live"',
        "market.source must be one of simulated, replay, configured, none, not 'live'",
    ),
    ("[worker]\nconcurrency = 0", "worker.concurrency must be between 1 and 64, not 0"),
    ("[restart]\nmax_delay_seconds = nan", "restart.max_delay_seconds must be between"),
    ('[restart]\nmax_delay_seconds = "x"', "restart.max_delay_seconds must be a number"),
    (
        "[restart]\nfirst_delay_seconds = 10\nmax_delay_seconds = 1",
        "restart.first_delay_seconds must not exceed restart.max_delay_seconds",
    ),
    ("[logs\nkeep = 1", "not valid TOML"),
    *(
        (
            f'[server]\nhost = "{host}"',
            f"server.host must be an IP address or a host name, not '{host}'",
        )
        for host in ("", "here and there", "http://127.0.0.1", "127.0.0.1:8001", "1.2.3", "[::1]")
    ),
    *(
        (f'[server]\npublic_url = "{url}"', f"perhaps a port, and nothing behind it, not '{url}'")
        for url in (
            "portal.example",
            "ftp://portal.example",
            "https://",
            "https://portal.example/portal",
            "https://portal.example?x",
            "https://alice@portal.example",
            "https://portal.example:0",
            "https://portal.example:99999",
            "https://portal example",
        )
    ),
    *(
        (f'[mail]\nsmtp_url = "{url}"', f"a host name and perhaps a port, not '{shown}'")
        for url, shown in (
            ("mail.example.com:587", "mail.example.com:587"),
            ("http://mail.example.com", "http://mail.example.com"),
            ("smtp://", "smtp://"),
            ("smtp://mail.example.com:99999", "smtp://mail.example.com:99999"),
            ("smtp+ssl://olga:canary@mail.example.com", "smtp+ssl://***@mail.example.com"),
            ("smtps://olga:cana#ry@mail.example.com", "smtps://***@mail.example.com"),
            ("smtps://olga:canary", "smtps://olga:***"),
        )
    ),
    ('[server]\nmetrics_token = "canary"', "._~+/-, not the 6 characters that are there"),
    ('[server]\nmetrics_token = "canary with a space"', "not the 19 characters that are there"),
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
    assert "canary" not in str(refusal.value)


@pytest.mark.parametrize(
    "text",
    [
        *(f'[server]\nhost = "{host}"' for host in ("0.0.0.0", "::", "fe80::1%eth0", "localhost")),
        *(
            f'[server]\npublic_url = "{url}"'
            for url in ("", "http://10.0.0.5:8001", "https://portal.example/", "http://[::1]:8001")
        ),
        *(
            f'[mail]\nsmtp_url = "{url}"'
            for url in (
                "", "smtp://localhost:1025", "smtps://olga%40example.com:s%23t@mail.example.com",
                "smtp+tls://olga:secret@10.0.0.5:587",
            )
        ),
        '[server]\nmetrics_token = "0123456789abcdef=="',
    ],
)  # fmt: skip
def test_a_right_address_is_taken_as_it_is(tmp_path: Path, text: str) -> None:
    path = tmp_path / "portal.toml"
    path.write_text(text)
    section, key = text.split("]")[0].strip("["), text.split()[1]

    loaded = config.load(path)

    assert f'{key} = "{getattr(getattr(loaded, section), key)}"' in text


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


@pytest.mark.parametrize(
    ("section", "values", "message"),
    [
        (
            "market",
            {"source": "live"},
            "--market must be one of simulated, replay, configured, none, not 'live'",
        ),
        ("worker", {"concurrency": 0}, "--workers must be between 1 and 64, not 0"),
    ],
)
def test_a_wrong_option_is_named_as_it_was_typed(
    section: str, values: dict[str, object], message: str
) -> None:
    with pytest.raises(PortalError, match=message):
        config.override(config.Configuration(), section, **values)


def test_a_variable_stands_in_for_a_secret_that_the_file_leaves_out(tmp_path: Path) -> None:
    given = {"PORTAL_SMTP_URL": "smtp://localhost", "PORTAL_METRICS_TOKEN": "0123456789abcdef"}
    in_file = config.parse({"mail": {"smtp_url": "smtps://mail.example.com"}}, source="test")

    filled = config.complete(config.Configuration(), given)

    assert (filled.mail.smtp_url, filled.server.metrics_token) == tuple(given.values())
    assert config.complete(in_file, given).mail.smtp_url == "smtps://mail.example.com"
    assert config.complete(in_file, {"PORTAL_SMTP_URL": ""}) == in_file
    with pytest.raises(PortalError, match=r"PORTAL_SMTP_URL must be .* not 'nonsense'"):
        config.complete(config.Configuration(), {"PORTAL_SMTP_URL": "nonsense"})


def test_the_processes_get_what_the_configuration_says(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PORTAL_SECRET_KEY_FALLBACKS", "earlier,earliest")
    data = DataDir(tmp_path)
    data.prepare()
    document = {
        "server": {"host": "::", "metrics_token": "0123456789abcdef"},
        "mail": {"smtp_url": "smtp://localhost"},
    }
    configuration = config.parse(document, source="test")

    plan = catalog.Plan(data, configuration, 8003, data.run, "postgres://x", "redis://x")
    environment = catalog.shared_environment(plan)

    assert environment["PORTAL_METRICS_TOKEN"] == "0123456789abcdef"
    assert environment["PORTAL_SMTP_URL"] == "smtp://localhost"
    assert environment["PORTAL_SECRET_KEY_FALLBACKS"] == "earlier,earliest"
    assert environment["PORTAL_PUBLIC_URL"] == "http://[::1]:8003"
    assert environment["PORTAL_ALLOWED_HOSTS"] == "127.0.0.1,localhost,[::1]"


def test_the_documentation_is_made_from_the_definition() -> None:
    assert configdoc.PATH.read_text(encoding="utf-8") == configdoc.reference(), (
        "run: python -m tradeportal.supervisor.configdoc"
    )
