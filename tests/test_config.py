"""Settings: typed, from the environment or from files, and safe in production."""

from __future__ import annotations

import dataclasses
import re
from pathlib import Path

import pytest

import config
from config import ConfigError, Settings, load

GOOD = {
    "TIMEBANK_ENV": "production",
    "TIMEBANK_DATABASE_URL": "postgresql://timebank:pw@db/timebank",
    "TIMEBANK_SECRET_KEY": "fN3kQv8ZrT1yWm6Xc0Jb5Lh9Pd2Gs7Ka4Ue",
    "TIMEBANK_BASE_URL": "https://hours.example",
}


def refused(**changes: str | None) -> str:
    environ = {name: value for name, value in {**GOOD, **changes}.items() if value is not None}
    with pytest.raises(ConfigError) as caught:
        load(environ)
    assert "\n" not in str(caught.value)
    return str(caught.value)


def test_example_file_lists_exactly_the_settings_there_are() -> None:
    text = (config.ROOT / ".env.example").read_text(encoding="utf-8")
    listed = re.findall(r"^#?([A-Z][A-Z_]+)=", text, re.MULTILINE)
    assert listed == [each.metadata["variable"] for each in dataclasses.fields(Settings)]


def test_example_file_is_not_accepted_as_a_production_configuration(tmp_path: Path) -> None:
    text = (config.ROOT / ".env.example").read_text(encoding="utf-8")
    example = tmp_path / ".env"
    example.write_text(re.sub(r"^#(?=[A-Z_]+=)", "", text, flags=re.MULTILINE), encoding="utf-8")
    values = config.read_env_file(example)
    assert load({**values, "TIMEBANK_ENV": "development"}).proposal_days == 7
    with pytest.raises(ConfigError, match="TIMEBANK_SECRET_KEY"):
        load({**values, "TIMEBANK_ENV": "production"})


def test_a_good_production_environment_gives_typed_settings() -> None:
    settings = load({**GOOD, "PORT": "9000", "TIMEBANK_MAX_UPLOAD_MB": "5", "TIMEBANK_LOG_LEVEL": "warning"})
    assert settings.production
    assert settings.secure_cookies
    assert settings.port == 9000
    assert settings.max_upload_bytes == 5 * 1024 * 1024
    assert settings.log_level == "WARNING"
    assert settings.debug is False
    assert settings.smtp_url is None


@pytest.mark.parametrize(
    ("variable", "value"),
    [
        ("TIMEBANK_SECRET_KEY", None),
        ("TIMEBANK_SECRET_KEY", "short"),
        ("TIMEBANK_SECRET_KEY", "a" * 64),
        ("TIMEBANK_SECRET_KEY", "change-me-to-48-random-characters"),
        ("TIMEBANK_DATABASE_URL", None),
        ("TIMEBANK_DATABASE_URL", ""),
        ("TIMEBANK_DATABASE_URL", "mysql://db/timebank"),
        ("TIMEBANK_DATABASE_URL", "sqlite://"),
        ("TIMEBANK_DATABASE_URL", "sqlite:///:memory:"),
        ("TIMEBANK_DEBUG", "1"),
        ("TIMEBANK_DEBUG", "maybe"),
        ("TIMEBANK_ENV", "prod"),
        ("TIMEBANK_BASE_URL", "hours.example"),
        ("TIMEBANK_SMTP_URL", "http://mail"),
        ("TIMEBANK_SMTP_URL", "smtp://mail:port"),
        ("TIMEBANK_EXECUTOR", "threads"),
        ("TIMEBANK_EXECUTOR", "http://dask:8786"),
        ("TIMEBANK_EXECUTOR", "tcp://dask"),
        ("TIMEBANK_EXECUTOR", "tcp://dask:port"),
        ("TIMEBANK_LOG_LEVEL", "LOUD"),
        ("TIMEBANK_PROPOSAL_DAYS", "0"),
        ("PORT", "eighty"),
        ("PORT", "70000"),
        ("PORT", "²"),
        ("WEB_WORKERS", "-1"),
    ],
)
def test_a_bad_value_is_refused_by_the_name_of_its_variable(variable: str, value: str | None) -> None:
    assert variable in refused(**{variable: value})


def test_a_message_never_repeats_the_secret() -> None:
    assert "hunter2" not in refused(TIMEBANK_SECRET_KEY="hunter2")


def test_settings_do_not_show_secrets_when_printed() -> None:
    text = repr(load({**GOOD, "TIMEBANK_SMTP_URL": "smtp://me:hunter2@mail:587"}))
    assert "hunter2" not in text
    assert GOOD["TIMEBANK_SECRET_KEY"] not in text
    assert ":pw@" not in text


@pytest.mark.parametrize("variable", [each.metadata["variable"] for each in dataclasses.fields(Settings)])
def test_each_value_may_come_from_a_file(variable: str, tmp_path: Path) -> None:
    values = {
        **GOOD,
        "TIMEBANK_SMTP_URL": "smtp://mail:587",
        "TIMEBANK_MAIL_FROM": "Hours <hours@example.org>",
        "TIMEBANK_HOST": "0.0.0.0",  # noqa: S104 - only parsed here
        "PORT": "9000",
        "WEB_WORKERS": "3",
        "TIMEBANK_DEBUG": "0",
        "TIMEBANK_LOG_LEVEL": "ERROR",
        "TIMEBANK_PROPOSAL_DAYS": "9",
        "TIMEBANK_MAX_UPLOAD_MB": "8",
        "TIMEBANK_PROXIES": "1",
        "TIMEBANK_EXECUTOR": "tcp://dask:8786",
        "TIMEBANK_SIGNING_KEY": "-----BEGIN PRIVATE KEY-----",
    }
    expected = load(values)
    file = tmp_path / "value"
    file.write_text(values.pop(variable) + "\n", encoding="utf-8")
    assert load({**values, f"{variable}_FILE": str(file)}) == expected


def test_a_file_that_is_missing_empty_or_doubled_is_refused(tmp_path: Path) -> None:
    assert "TIMEBANK_SECRET_KEY_FILE" in refused(
        TIMEBANK_SECRET_KEY=None, TIMEBANK_SECRET_KEY_FILE=str(tmp_path / "none")
    )
    (tmp_path / "empty").touch()
    assert "TIMEBANK_SECRET_KEY_FILE" in refused(
        TIMEBANK_SECRET_KEY=None, TIMEBANK_SECRET_KEY_FILE=str(tmp_path / "empty")
    )
    assert "both set" in refused(TIMEBANK_SECRET_KEY_FILE=str(tmp_path / "empty"))


@pytest.mark.parametrize("scheme", ["postgres", "postgresql", "postgresql+psycopg"])
def test_postgresql_addresses_name_the_driver(scheme: str) -> None:
    settings = load({**GOOD, "TIMEBANK_DATABASE_URL": f"{scheme}://u:p@db:5432/name"})
    assert settings.database_url == "postgresql+psycopg://u:p@db:5432/name"
    assert not settings.is_sqlite


def test_a_sqlite_address_becomes_absolute(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.chdir(tmp_path)
    settings = load({**GOOD, "TIMEBANK_DATABASE_URL": "sqlite:///t.db"})
    assert settings.database_url == f"sqlite:///{tmp_path}/t.db"
    assert settings.is_sqlite


def test_development_needs_nothing_and_keeps_its_key(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(config, "ROOT", tmp_path)
    (tmp_path / "pyproject.toml").touch()
    first, second = load({}), load({"PORT": "8123"})
    assert first.env == "development"
    assert first.database_url == f"sqlite:///{tmp_path}/var/timebank.db"
    assert len(first.secret_key) >= config.SHORTEST_SECRET
    assert second.secret_key == first.secret_key
    assert (tmp_path / "var" / "secret-key").stat().st_mode & 0o077 == 0
    assert not (tmp_path / "var" / "timebank.db").exists()
    assert second.base_url == "http://localhost:8123"


def test_an_env_file_fills_in_for_development_only(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(config, "ROOT", tmp_path)
    (tmp_path / ".env").write_text('# mine\nexport PORT="8200"\nTIMEBANK_PROPOSAL_DAYS=6\n', encoding="utf-8")
    monkeypatch.setenv("TIMEBANK_DATABASE_URL", f"sqlite:///{tmp_path}/t.db")
    monkeypatch.setenv("TIMEBANK_SECRET_KEY", GOOD["TIMEBANK_SECRET_KEY"])
    monkeypatch.setenv("TIMEBANK_PROPOSAL_DAYS", "5")
    monkeypatch.delenv("PORT", raising=False)
    monkeypatch.setenv("TIMEBANK_ENV", "development")
    assert (load().port, load().proposal_days) == (8200, 5)
    monkeypatch.setenv("TIMEBANK_ENV", "production")
    assert load().port == 8000


def test_production_over_plain_http_or_without_mail_is_warned_about() -> None:
    environ = {**GOOD, "TIMEBANK_BASE_URL": "http://hours.example"}
    assert [text.split()[0] for text in load(environ).warnings()] == [
        "TIMEBANK_BASE_URL",
        "TIMEBANK_SMTP_URL",
    ]
    assert load({**GOOD, "TIMEBANK_SMTP_URL": "smtp://mail:587"}).warnings() == []
