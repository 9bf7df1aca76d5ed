"""Settings, read once from the environment.

``load()`` is the only place that reads environment variables. It gives a frozen, typed ``Settings``, or raises
``ConfigError`` with one line that names the variable and says what to do. Every value may also come from a file
whose path is in ``<NAME>_FILE`` (the way container platforms hand over secrets).
"""

from __future__ import annotations

import os
import secrets
from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from pathlib import Path
from typing import Any, Final, Literal, cast
from urllib.parse import urlsplit

Environment = Literal["production", "development", "test"]

ROOT: Final = Path(__file__).resolve().parent
SHORTEST_SECRET: Final = 32
LOG_LEVELS: Final = ("DEBUG", "INFO", "WARNING", "ERROR", "CRITICAL")
# Pieces of text that only occur in examples and documentation, never in a random key.
EXAMPLE_WORDS: Final = ("change", "example", "secret", "password", "replace", "your-", "xxxxxx")


class ConfigError(Exception):
    """A setting is missing or wrong. The text is one line: the variable and what to do."""


def _setting(variable: str, **options: Any) -> Any:
    """A dataclass field that knows the environment variable it is read from."""
    return field(metadata={"variable": variable}, **options)


@dataclass(frozen=True, kw_only=True)
class Settings:
    """Everything that may differ between installations. Addresses and keys stay out of ``repr``: they hold secrets."""

    env: Environment = _setting("TIMEBANK_ENV")
    database_url: str = _setting("TIMEBANK_DATABASE_URL", repr=False)
    secret_key: str = _setting("TIMEBANK_SECRET_KEY", repr=False)
    base_url: str = _setting("TIMEBANK_BASE_URL", default="http://localhost:8000")
    smtp_url: str | None = _setting("TIMEBANK_SMTP_URL", default=None, repr=False)
    mail_from: str = _setting("TIMEBANK_MAIL_FROM", default="Timebank <timebank@localhost>")
    host: str = _setting("TIMEBANK_HOST", default="127.0.0.1")
    port: int = _setting("PORT", default=8000)
    workers: int = _setting("WEB_WORKERS", default=2)
    debug: bool = _setting("TIMEBANK_DEBUG", default=False)
    log_level: str = _setting("TIMEBANK_LOG_LEVEL", default="INFO")
    proposal_days: int = _setting("TIMEBANK_PROPOSAL_DAYS", default=7)
    max_upload_bytes: int = _setting("TIMEBANK_MAX_UPLOAD_MB", default=20 * 1024 * 1024)
    proxies: int = _setting("TIMEBANK_PROXIES", default=0)
    executor: str | None = _setting("TIMEBANK_EXECUTOR", default=None)
    signing_key: str | None = _setting("TIMEBANK_SIGNING_KEY", default=None, repr=False)

    @property
    def production(self) -> bool:
        return self.env == "production"

    @property
    def is_sqlite(self) -> bool:
        return self.database_url.startswith("sqlite")

    @property
    def secure_cookies(self) -> bool:
        """Cookies are marked Secure where the site is served over https."""
        return self.base_url.startswith("https://")

    @property
    def var_folder(self) -> Path:
        """Where this installation keeps its local files (database, lock, key). Whoever writes there makes it."""
        return var_folder()

    def warnings(self) -> list[str]:
        """What is allowed, but seldom meant. Written to the log at start."""
        found = []
        if self.production and not self.secure_cookies:
            found.append(
                "TIMEBANK_BASE_URL is not https: sign-in cookies travel unprotected. Put TLS in front."
            )
        if self.production and self.smtp_url is None:
            found.append("TIMEBANK_SMTP_URL is not set: no e-mail leaves this installation.")
        return found


def var_folder() -> Path:
    """``var/`` in the source tree, or below the current folder when the package is installed from a wheel."""
    return (ROOT if (ROOT / "pyproject.toml").is_file() else Path.cwd()) / "var"


def load(environ: Mapping[str, str] | None = None) -> Settings:
    """Read the settings from ``environ``, by default the process environment.

    In development a file ``.env`` beside this module fills in what the process environment does not say.
    Raises ``ConfigError`` naming the variable when a value is missing, unreadable or insecure.
    """
    source = _Source(_process_environment() if environ is None else environ)
    env = cast(
        Environment, source.choice("TIMEBANK_ENV", ("production", "development", "test"), "development")
    )
    port = source.integer("PORT", _default("port"), 1, 65535)
    settings = Settings(
        env=env,
        database_url=_database_url(source, env),
        secret_key=_secret_key(source, env),
        base_url=_base_url(source, port),
        smtp_url=_smtp_url(source),
        mail_from=source.text("TIMEBANK_MAIL_FROM") or _default("mail_from"),
        host=source.text("TIMEBANK_HOST") or _default("host"),
        port=port,
        workers=source.integer("WEB_WORKERS", _default("workers"), 1, 64),
        debug=source.boolean("TIMEBANK_DEBUG", _default("debug")),
        log_level=source.choice("TIMEBANK_LOG_LEVEL", LOG_LEVELS, _default("log_level"), upper=True),
        proposal_days=source.integer("TIMEBANK_PROPOSAL_DAYS", _default("proposal_days"), 1, 60),
        max_upload_bytes=1024 * 1024 * source.integer("TIMEBANK_MAX_UPLOAD_MB", 20, 1, 1024),
        proxies=source.integer("TIMEBANK_PROXIES", _default("proxies"), 0, 5),
        executor=_executor(source),
        signing_key=source.text("TIMEBANK_SIGNING_KEY"),
    )
    if settings.production and settings.debug:
        raise ConfigError("TIMEBANK_DEBUG must be off in production: unset it or set it to 0.")
    return settings


def _default(name: str) -> Any:
    return next(each.default for each in fields(Settings) if each.name == name)


def _process_environment() -> Mapping[str, str]:
    file = ROOT / ".env"
    if os.environ.get("TIMEBANK_ENV", "development") != "development" or not file.is_file():
        return os.environ
    return {**read_env_file(file), **os.environ}


def read_env_file(path: Path) -> dict[str, str]:
    """``NAME=value`` lines; blank lines and lines starting with # are skipped, quotes around a value are dropped."""
    values = {}
    for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), 1):
        text = line.strip()
        if not text or text.startswith("#"):
            continue
        name, separator, value = text.removeprefix("export ").partition("=")
        if not separator:
            raise ConfigError(f"{path.name} line {number}: write NAME=value.")
        value = value.strip()
        if len(value) >= 2 and value[0] == value[-1] and value[0] in "'\"":
            value = value[1:-1]
        values[name.strip()] = value
    return values


class _Source:
    """Typed look-ups in the environment. An empty value counts as not set."""

    def __init__(self, environ: Mapping[str, str]) -> None:
        self.environ = environ

    def text(self, name: str) -> str | None:
        direct = self.environ.get(name, "").strip()
        path = self.environ.get(f"{name}_FILE", "").strip()
        if direct and path:
            raise ConfigError(f"{name} and {name}_FILE are both set: keep one.")
        if not path:
            return direct or None
        try:
            content = Path(path).read_text(encoding="utf-8").strip()
        except (OSError, UnicodeDecodeError) as error:
            raise ConfigError(
                f"{name}_FILE names a file that cannot be read ({path}): correct the path."
            ) from error
        if not content:
            raise ConfigError(f"{name}_FILE names an empty file ({path}): write the value into it.")
        return content

    def integer(self, name: str, default: int, least: int, most: int) -> int:
        value = self.text(name)
        if value is None:
            return default
        if not (value.isascii() and value.isdigit() and least <= int(value) <= most):
            raise ConfigError(f"{name} must be a whole number from {least} to {most}, not {value!r}.")
        return int(value)

    def boolean(self, name: str, default: bool) -> bool:
        value = self.text(name)
        if value is None:
            return default
        if value.lower() in ("1", "true", "yes", "on"):
            return True
        if value.lower() in ("0", "false", "no", "off"):
            return False
        raise ConfigError(f"{name} must be 1 or 0, not {value!r}.")

    def choice(self, name: str, allowed: tuple[str, ...], default: str, *, upper: bool = False) -> str:
        value = self.text(name)
        if value is None:
            return default
        value = value.upper() if upper else value.lower()
        if value not in allowed:
            raise ConfigError(f"{name} must be one of {', '.join(allowed)}, not {value!r}.")
        return value


def _database_url(source: _Source, env: Environment) -> str:
    value = source.text("TIMEBANK_DATABASE_URL")
    if value is None:
        if env == "development":
            return f"sqlite:///{var_folder() / 'timebank.db'}"
        raise ConfigError(
            "TIMEBANK_DATABASE_URL is not set: give the database's address, as postgresql://user:password@host/name."
        )
    scheme, separator, rest = value.partition("://")
    if not separator or scheme not in ("postgres", "postgresql", "postgresql+psycopg", "sqlite"):
        raise ConfigError("TIMEBANK_DATABASE_URL must start with postgresql:// or sqlite:///.")
    if scheme == "sqlite":
        if not rest.startswith("/") or len(rest) < 2 or rest.startswith("/:memory:"):
            # Several processes share the database, so one that lives in a process's memory cannot work.
            raise ConfigError(
                "TIMEBANK_DATABASE_URL must name a file, as sqlite:////var/lib/timebank/timebank.db."
            )
        # Absolute, so that all processes mean the same file whatever folder they were started in.
        file, question, options = rest[1:].partition("?")
        return f"sqlite:///{Path(file).absolute()}{question}{options}"
    return f"postgresql+psycopg://{rest}"


def _secret_key(source: _Source, env: Environment) -> str:
    value = source.text("TIMEBANK_SECRET_KEY")
    advice = "make one with: python3 -c 'import secrets; print(secrets.token_urlsafe(48))'"
    if value is None:
        if env == "production":
            raise ConfigError(f"TIMEBANK_SECRET_KEY is not set: {advice}")
        return secrets.token_urlsafe(48) if env == "test" else _kept_key(var_folder() / "secret-key")
    if env == "production":
        if len(value) < SHORTEST_SECRET:
            raise ConfigError(f"TIMEBANK_SECRET_KEY is shorter than {SHORTEST_SECRET} characters: {advice}")
        if len(set(value)) < 10 or any(word in value.lower() for word in EXAMPLE_WORDS):
            raise ConfigError(f"TIMEBANK_SECRET_KEY is an example or easily guessed: {advice}")
    return value


def _kept_key(path: Path) -> str:
    """Development's own key: made once, so that sign-ins survive a restart; readable by the owner alone."""
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        if not path.exists():
            # Written aside and linked into place: of two processes that start at once, both read one whole key.
            own = path.with_name(f"{path.name}.{os.getpid()}")
            own.write_text(secrets.token_urlsafe(48), encoding="utf-8")
            own.chmod(0o600)
            try:
                os.link(own, path)
            except FileExistsError:
                pass
            finally:
                own.unlink()
        return path.read_text(encoding="utf-8").strip()
    except OSError as error:
        raise ConfigError(f"TIMEBANK_SECRET_KEY is not set and {path} cannot be kept: set it.") from error


def _base_url(source: _Source, port: int) -> str:
    value = source.text("TIMEBANK_BASE_URL")
    if value is None:
        return f"http://localhost:{port}"
    parts = urlsplit(value)
    if parts.scheme not in ("http", "https") or not parts.netloc or parts.query or parts.fragment:
        raise ConfigError("TIMEBANK_BASE_URL must be the site's full address, as https://timebank.example.")
    return value.rstrip("/")


def _smtp_url(source: _Source) -> str | None:
    value = source.text("TIMEBANK_SMTP_URL")
    if value is None:
        return None
    if not _is_server(value, ("smtp", "smtps"), usual_port=25):
        raise ConfigError(
            "TIMEBANK_SMTP_URL must look like smtp://user:password@host:587 or smtps://user:password@host."
        )
    return value


def _executor(source: _Source) -> str | None:
    value = source.text("TIMEBANK_EXECUTOR")
    if value is None or value == "processes":
        return value
    if not _is_server(value, ("tcp", "tls")):
        raise ConfigError(
            "TIMEBANK_EXECUTOR must be processes, or a Dask scheduler's address as tcp://host:8786."
        )
    return value


def _is_server(address: str, schemes: tuple[str, ...], usual_port: int = 0) -> bool:
    """Whether it names a host and, where there is no usual one, a port."""
    try:
        parts = urlsplit(address)
        return parts.scheme in schemes and bool(parts.hostname) and (parts.port or usual_port) > 0
    except ValueError:  # a port that is no number
        return False
