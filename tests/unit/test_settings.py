"""Settings: every fault at once, no secret told, the strongest source wins."""

import os
from collections.abc import Callable
from pathlib import Path

import pytest

from datastorage.db.url import configured_url
from datastorage.errors import SettingsError
from datastorage.settings import (
    EmbeddedMode,
    LogFormat,
    LogLevel,
    ProviderKind,
    Settings,
    SslMode,
    load_settings,
    unknown_variables,
)

SECRET = "hunter2-correct-horse"
UNNAMED = "is off and no database is named: set DATASTORAGE_DATABASE_URL (or DATASTORAGE_DATABASE_HOST)"
SetVariables = Callable[..., None]


@pytest.fixture(autouse=True)
def nothing_set(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """No variable of ours, and no .env in the current directory."""
    for name in os.environ:
        if name.upper().startswith("DATASTORAGE_"):
            monkeypatch.delenv(name)
    monkeypatch.chdir(tmp_path)


@pytest.fixture
def env(monkeypatch: pytest.MonkeyPatch) -> SetVariables:
    """Sets variables, by their names without the prefix."""

    def set_(**values: str) -> None:
        for name, value in values.items():
            monkeypatch.setenv(f"DATASTORAGE_{name}", value)

    return set_


def refusal(**overrides: object) -> list[str]:
    """The lines of the message that refuses the settings."""
    with pytest.raises(SettingsError) as refused:
        load_settings(**overrides)
    assert SECRET not in str(refused.value)
    first, *lines = str(refused.value).splitlines()
    assert first == "wrong settings:"
    return [line.strip() for line in lines]


def test_nothing_has_to_be_set() -> None:
    settings = load_settings()

    assert (settings.http_host, settings.http_port, settings.metrics_port) == ("127.0.0.1", 8080, 9090)
    assert (settings.pool_size, settings.pool_acquire_timeout_s) == (50, 10.0)
    assert (settings.query_timeout_s, settings.write_timeout_s, settings.request_timeout_s) == (30, 10, 60)
    assert not settings.has_database


def test_every_setting_is_described() -> None:
    undescribed = [name for name, field in Settings.model_fields.items() if not field.description]

    assert undescribed == []


def test_settings_cannot_be_changed() -> None:
    with pytest.raises(ValueError, match="frozen"):
        load_settings().http_port = 1


# --- faults


def test_all_faults_come_in_one_message(env: SetVariables, tmp_path: Path) -> None:
    env(
        HTTP_PORT="eighty",
        WORKERS="0",
        LOG_LEVEL="loud",
        EMBEDDED="off",
        REDACTION_PATTERNS="{not json",
        QUERY_TIMEOUT_S="0",
        SECRETS_DIR=str(tmp_path / "absent"),
        CONFIG_FILE=str(tmp_path / "absent.yaml"),
    )

    assert refusal() == [
        f"DATASTORAGE_CONFIG_FILE: {tmp_path}/absent.yaml: No such file or directory",
        f"DATASTORAGE_SECRETS_DIR: {tmp_path}/absent is no directory",
        "DATASTORAGE_HTTP_PORT: Input should be a valid integer, unable to parse string as an integer",
        "DATASTORAGE_WORKERS: Input should be greater than or equal to 1",
        "DATASTORAGE_LOG_LEVEL: Input should be 'debug', 'info', 'warning', 'error' or 'critical'",
        f"DATASTORAGE_EMBEDDED: {UNNAMED}",
        "DATASTORAGE_QUERY_TIMEOUT_S: Input should be greater than or equal to 0.001",
        'DATASTORAGE_REDACTION_PATTERNS: is no JSON; expected {"name": "RE2 expression"}',
    ]


@pytest.mark.parametrize(
    ("name", "value", "fault"),
    [
        ("HTTP_PORT", "65536", "less than or equal to 65535"),
        ("METRICS_PORT", "-1", "greater than or equal to 0"),
        ("DATABASE_PORT", "0", "greater than or equal to 1"),
        ("POOL_SIZE", "7", "greater than or equal to 8"),
        ("WORKERS", "65", "less than or equal to 64"),
        ("INSECURE", "perhaps", "valid boolean"),
        ("QUERY_TIMEOUT_S", "inf", "less than or equal to 86400"),
        ("WRITE_TIMEOUT_S", "nan", "less than or equal to 86400"),
        ("REQUEST_TIMEOUT_S", "0.0001", "greater than or equal to 0.001"),
        ("POOL_ACQUIRE_TIMEOUT_S", "-1", "greater than or equal to 0.001"),
        ("SHUTDOWN_TIMEOUT_S", "31", "less than or equal to 30"),
        ("DATABASE_SSL_MODE", "sometimes", "'disable', 'allow', 'prefer', 'require'"),
        ("EMBEDDING_PROVIDER", "oracle", "'static', 'onnx', 'openai' or 'none'"),
        ("EMBEDDING_DIMENSIONS", "4001", "less than or equal to 4000"),
        ("EMBEDDING_CHARS_MAX", "99", "greater than or equal to 100"),
        ("EMBEDDING_TIMEOUT_S", "0", "greater than or equal to 0.001"),
        ("EMBEDDING_THREADS", "0", "greater than or equal to 1"),
        ("EMBEDDING_URL", "tei:8080/v1", "is no URL of an endpoint"),
        ("EMBEDDING_URL", f"http://me:{SECRET}@tei/v1", "must carry no user, password or query"),
        ("CACHE_BACKEND", "disk", "'memory' or 'redis'"),
        ("CACHE_BYTES_MAX", "-1", "greater than or equal to 0"),
        ("RATE_LIMIT_BACKEND", "disk", "'memory' or 'redis'"),
        ("RATE_LIMIT_PRINCIPAL_PER_S", "-1", "greater than or equal to 0"),
        ("RATE_LIMIT_ADDRESS_PER_S", "inf", "less than or equal to 1000000"),
        ("RATE_LIMIT_ADDRESS_BURST", "0", "greater than or equal to 1"),
        ("TRUSTED_PROXIES", "10.0.0.0/8,0.0.0.0/0", "holds every address there is"),
        ("REQUESTS_IN_FLIGHT_MAX", "0", "greater than or equal to 1"),
        ("REQUEST_BODY_BYTES_MAX", "100", "greater than or equal to 1024"),
        ("BATCH_ROWS_MAX", "501", "less than or equal to 500"),
        ("REDIS_URL", f"http://:{SECRET}@redis:6379", "is no URL of Redis"),
        ("CORS_ORIGINS", "*", "* is no origin"),
        ("CORS_ORIGINS", "https://a.example, https://b.example/path", "https://b.example/path is no origin"),
        ("CORS_ORIGINS", "null", "null is no origin"),
        ("HTTP_HOSTS", "api.example:8080", "api.example:8080 is no name"),
        ("HTTP_HOSTS", "*", "* is no name"),
        ("HTTP_HOSTS", "http://api.example", "http://api.example is no name"),
        ("CLIENT_TIMEOUT_S", "0", "greater than 0"),
        ("TLS_CLIENT_CA_FILE", "ca.pem", "needs DATASTORAGE_TLS_CERT_FILE"),
        ("REDACTION_PATTERNS", '["a"]', "valid dictionary"),
        ("REDACTION_PATTERNS", '{"a": 1}', "valid string"),
    ],
)
def test_a_value_out_of_bounds_is_refused_by_name(
    env: SetVariables, name: str, value: str, fault: str
) -> None:
    env(**{name: value})

    (line,) = refusal()

    assert line.startswith(f"DATASTORAGE_{name}")
    assert fault in line


def test_no_secret_is_told_in_messages_or_representations(env: SetVariables) -> None:
    env(DATABASE_URL=f"postgresql://me:{SECRET}@db/x", DATABASE_PASSWORD=SECRET, HTTP_PORT="eighty")
    refusal()
    env(HTTP_PORT="80")

    settings = load_settings()

    assert SECRET not in repr(settings)
    assert SECRET not in str(settings)
    assert SECRET not in settings.model_dump_json()
    assert SECRET not in repr(configured_url(settings))
    assert configured_url(settings).password == SECRET


@pytest.mark.parametrize(
    "value",
    [
        f"mysql://me:{SECRET}@db/x",
        f"{SECRET}",
        f"postgresql://me:pass@db:{SECRET}/x",
        f"postgresql://me:{SECRET}@db/x?sslmode=nonsense",
        f"postgresql://me:{SECRET}@db/x?unheard=of",
        f"://me:{SECRET}@db",
    ],
)
def test_a_refused_url_is_not_told(env: SetVariables, value: str) -> None:
    env(DATABASE_URL=value, EMBEDDED="off")

    (line,) = refusal()

    assert line.startswith("DATASTORAGE_DATABASE_URL: ")


def test_embedded_off_needs_a_database(env: SetVariables) -> None:
    env(EMBEDDED="off")
    assert refusal() == [f"DATASTORAGE_EMBEDDED: {UNNAMED}"]

    env(DATABASE_HOST="db")
    assert load_settings().has_database

    env(DATABASE_HOST="", DATABASE_URL="postgresql://db/x")
    assert load_settings().has_database


def test_what_a_provider_or_a_cache_needs_is_asked_for_all_at_once(env: SetVariables) -> None:
    env(EMBEDDING_PROVIDER="openai", CACHE_BACKEND="redis")

    assert refusal() == [
        "DATASTORAGE_EMBEDDING_MODEL: is needed by DATASTORAGE_EMBEDDING_PROVIDER=openai",
        "DATASTORAGE_EMBEDDING_URL: is needed by DATASTORAGE_EMBEDDING_PROVIDER=openai",
        "DATASTORAGE_EMBEDDING_DIMENSIONS: is needed by DATASTORAGE_EMBEDDING_PROVIDER=openai",
        "DATASTORAGE_REDIS_URL: is needed by DATASTORAGE_CACHE_BACKEND=redis",
    ]

    env(EMBEDDING_PROVIDER="static", CACHE_BACKEND="memory", RATE_LIMIT_BACKEND="redis")
    assert refusal() == ["DATASTORAGE_REDIS_URL: is needed by DATASTORAGE_RATE_LIMIT_BACKEND=redis"]

    env(EMBEDDING_PROVIDER="onnx", RATE_LIMIT_BACKEND="memory")
    assert refusal() == ["DATASTORAGE_EMBEDDING_MODEL: is needed by DATASTORAGE_EMBEDDING_PROVIDER=onnx"]


def test_client_certificates_need_somebody_who_signs_them(env: SetVariables) -> None:
    env(AUTH_MODES="mtls", AUTH_GRANTS='{"mtls:CN=a": {"role": "reader"}}')

    assert refusal() == ["DATASTORAGE_TLS_CLIENT_CA_FILE: is needed by DATASTORAGE_AUTH_MODES=mtls"]


def test_keys_of_embedding_and_cache_are_secrets(env: SetVariables) -> None:
    env(
        EMBEDDING_PROVIDER="openai",
        EMBEDDING_URL="https://tei:8443/v1",
        EMBEDDING_MODEL="m",
        EMBEDDING_DIMENSIONS="384",
        EMBEDDING_API_KEY=SECRET,
        CACHE_BACKEND="redis",
        REDIS_URL=f"rediss://:{SECRET}@redis:6379/1",
    )

    settings = load_settings()

    assert SECRET not in repr(settings)
    assert SECRET not in settings.model_dump_json()
    assert settings.embedding_api_key is not None
    assert settings.embedding_api_key.get_secret_value() == SECRET


# --- sources


def test_the_strongest_source_wins(env: SetVariables, tmp_path: Path) -> None:
    secrets, config = tmp_path / "secrets", tmp_path / "config.yaml"
    secrets.mkdir()
    env(SECRETS_DIR=str(secrets), CONFIG_FILE=str(config))
    ports = []

    config.write_text("http_port: 1001\nmetrics_port: 2001\n")
    ports.append(load_settings().http_port)
    (secrets / "DATASTORAGE_HTTP_PORT").write_text("1002\n")
    ports.append(load_settings().http_port)
    (tmp_path / ".env").write_text("DATASTORAGE_HTTP_PORT=1003\n")
    ports.append(load_settings().http_port)
    env(HTTP_PORT="1004")
    ports.append(load_settings().http_port)
    ports.append(load_settings(http_port=1005).http_port)

    assert ports == [1001, 1002, 1003, 1004, 1005]
    assert load_settings(http_port=None).http_port == 1004  # an option that was not given
    assert load_settings().metrics_port == 2001


def test_secrets_come_from_mounted_files(env: SetVariables, tmp_path: Path) -> None:
    (tmp_path / "datastorage_database_password").write_text(f"{SECRET}\n")
    env(SECRETS_DIR=str(tmp_path))

    password = load_settings().database_password

    assert password is not None
    assert password.get_secret_value() == SECRET


def test_an_empty_variable_is_as_if_not_set(env: SetVariables) -> None:
    env(DATABASE_URL="", HTTP_PORT="", SECRETS_DIR="", CONFIG_FILE="")

    settings = load_settings()

    assert (settings.database_url, settings.http_port) == (None, 8080)


def test_words_and_names_may_be_in_any_case(env: SetVariables, monkeypatch: pytest.MonkeyPatch) -> None:
    env(
        LOG_LEVEL=" Debug",
        LOG_FORMAT="JSON",
        EMBEDDED="Auto",
        EMBEDDING_PROVIDER="NONE",
        DATABASE_SSL_MODE="Verify-Full",
    )
    monkeypatch.setenv("datastorage_http_port", "1234")

    settings = load_settings()

    assert settings.log_level is LogLevel.DEBUG
    assert settings.log_format is LogFormat.JSON
    assert settings.embedded is EmbeddedMode.AUTO
    assert settings.embedding_provider is ProviderKind.NONE
    assert settings.database_ssl_mode is SslMode.VERIFY_FULL
    assert settings.http_port == 1234


def test_redaction_patterns_come_as_json_or_as_yaml(env: SetVariables, tmp_path: Path) -> None:
    config = tmp_path / "config.yaml"
    config.write_text("redaction_patterns:\n  badge: 'B-[0-9]+'\n")
    env(CONFIG_FILE=str(config))
    from_yaml = load_settings().redaction_patterns
    env(REDACTION_PATTERNS='{"ticket": "T-[0-9]+"}')

    assert from_yaml == {"badge": "B-[0-9]+"}
    assert load_settings().redaction_patterns == {"ticket": "T-[0-9]+"}


@pytest.mark.parametrize(
    ("content", "fault"),
    [
        (f"password: [{SECRET}", "is no YAML (line 1"),
        (f"- {SECRET}", "holds no settings; expected lines such as `http_port: 8080`"),
        (SECRET, "holds no settings"),
        ("\x00", "is no YAML"),
    ],
)
def test_a_configuration_file_that_cannot_be_read_is_a_fault(
    env: SetVariables, tmp_path: Path, content: str, fault: str
) -> None:
    (tmp_path / "config.yaml").write_text(content)
    env(CONFIG_FILE=str(tmp_path / "config.yaml"))

    (line,) = refusal()

    assert line.startswith(f"DATASTORAGE_CONFIG_FILE: {tmp_path}/config.yaml: {fault}")


def test_an_empty_configuration_file_sets_nothing(env: SetVariables, tmp_path: Path) -> None:
    (tmp_path / "config.yaml").write_text("# nothing yet\n")
    env(CONFIG_FILE=str(tmp_path / "config.yaml"))

    assert load_settings().http_port == 8080


# --- unknown variables


def test_unknown_variables_are_named_with_a_guess(
    env: SetVariables, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    env(HTP_PORT="1", XYZZY="2", HTTP_PORT="3", TEST_DATABASE_URL="4", CONFIG_FILE=str(tmp_path / "c.yaml"))
    monkeypatch.setenv("datastorage_databse_url", "5")
    monkeypatch.setenv("OTHER_PROGRAM", "6")
    (tmp_path / ".env").write_text("DATASTORAGE_POOLSIZE=7\nCOMPOSE_PROJECT_NAME=x\n")
    (tmp_path / "c.yaml").write_text("log_lvl: debug\nworkers: 2\n")

    assert unknown_variables() == [
        "DATASTORAGE_HTP_PORT is not a setting; did you mean DATASTORAGE_HTTP_PORT?",
        "DATASTORAGE_POOLSIZE (in .env) is not a setting; did you mean DATASTORAGE_POOL_SIZE?",
        "DATASTORAGE_XYZZY is not a setting",
        "datastorage_databse_url is not a setting; did you mean DATASTORAGE_DATABASE_URL?",
        f"log_lvl (in {tmp_path}/c.yaml) is not a setting; did you mean log_level?",
    ]


def test_known_variables_are_not_named(env: SetVariables, tmp_path: Path) -> None:
    env(**{name.upper(): "1" for name in Settings.model_fields}, SECRETS_DIR=str(tmp_path))

    assert unknown_variables() == []


def test_what_kubernetes_sets_for_a_service_of_our_name_is_not_named(env: SetVariables) -> None:
    env(
        SERVICE_HOST="10.0.0.1",
        SERVICE_PORT="8080",
        SERVICE_PORT_METRICS="9090",
        PORT="tcp://10.0.0.1:8080",
        PORT_8080_TCP="tcp://10.0.0.1:8080",
        PORT_8080_TCP_ADDR="10.0.0.1",
        PORT_8080_TCP_PORT="8080",
        PORT_8080_TCP_PROTO="tcp",
    )

    assert unknown_variables() == []
