"""Keys whose value is a secret: one table, read by the text patterns and by the walk over JSON.

The end of a key decides (`DB_PASSWORD`, `spring.datasource.password`, `dbPassword`), so no table
of prefixes is needed, and `password_file` or `tokenizer` are other keys.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from datastorage.redaction import values


@dataclass(frozen=True, slots=True)
class SecretKey:
    """A family of keys, matched at the end of a key, in any case.

    `prose`: what may follow the key and a colon without being a secret; `keeps`: values that are none
    however they are written.
    """

    pattern: str
    key: str
    prose: str = values.DIAGNOSIS
    keeps: str = values.PLACEHOLDER
    json_pattern: str | None = None  # where fields of JSON have a name of their own

    @property
    def json_name(self) -> str:
        """The pattern that names a field of JSON."""
        return self.json_pattern or self.pattern


PASSWORD: Final = SecretKey(
    "password",
    r"(?:password|passwd|passphrase|passcode)(?:s|\d|[_-]?confirm(?:ation)?)?",
    json_pattern="json_password",
)
# PWD is also the working directory of every process that dumps its environment.
PWD: Final = SecretKey(
    "password",
    r"pwd",
    keeps=rf"(?:{values.PLACEHOLDER}|{values.DIRECTORY})",
    json_pattern="json_password",
)
# `pass=12 fail=3` and `PASS: some_test` sum up a test run; `bypass` and `compass` are words.
PASS: Final = SecretKey(
    "password",
    r"(?:_pass|(?-i:[a-z]Pass)|sshpass)",
    keeps=rf"(?:{values.PLACEHOLDER}|\d+%?)",
    json_pattern="json_password",
)
PLAIN_PASS: Final = SecretKey(
    "password",
    r"(?:\A|[^a-z_])pass",
    prose=r"\S+",
    keeps=rf"(?:{values.PLACEHOLDER}|\d+%?)",
    json_pattern="json_password",
)
AWS_SECRET: Final = SecretKey(
    "aws_secret_access_key",
    r"(?:secret[_\-. ]?access[_\-. ]?key|aws[_\-. ]?secret[_\-. ]?key|aws_secret)",
)
API_KEY: Final = SecretKey(
    "api_key",
    r"(?:api[_\-. ]?keys?|app[_\-. ]?key|subscription[_\-. ]?key|(?:api|access|account|auth)[_\-]?key)",
    keeps=rf"(?:{values.PLACEHOLDER}|{values.KEY_FILE}|\d{{1,5}})",
)
AUTH_TOKEN: Final = SecretKey(
    "auth_token",
    r"(?:(?:access|refresh|auth(?:entication|orization)?|session|security|bearer|csrf|xsrf|api|oauth2?|private"
    r"|job|deploy|bot|x-[\w-]+|vault|github|gitlab|slack|npm|pypi|(?:\A|[^a-z])id)[_\-. ]?token)",
    keeps=rf"(?:{values.PLACEHOLDER}|{values.KEY_FILE})",
)
CLIENT_SECRET: Final = SecretKey(
    "client_secret",
    r"(?:(?:client|app|application|consumer|shared|signing|webhook|jwt|session|cookie|oauth|auth|api|master"
    r"|private|hmac|encryption)[_\-. ]?secret(?:[_\-. ]?key)?"
    r"|secret[_\-. ]?(?:key(?:[_\-]base)?|token)|(?:encryption|signing|private|master|hmac)[_\-. ]?key)",
    keeps=rf"(?:{values.PLACEHOLDER}|{values.KEY_FILE})",
)
# The most specific first: `secret_access_key` also ends in `access_key`.
SECRET_KEYS: Final = (AWS_SECRET, PASSWORD, PWD, PASS, PLAIN_PASS, AUTH_TOKEN, CLIENT_SECRET, API_KEY)


def json_field(family: SecretKey) -> str:
    """The family as a field of JSON, or of a dict in a traceback, escaped or not."""
    left = rf"{family.key}{values.QUOTE}\s*:\s*"
    return (
        rf"(?i){left}(?:(?P<spare_prose>{values.DIAGNOSIS}){values.WORD_END}"
        rf"|(?:{values.QUOTE}|[\[({{]+)?(?P<spare>{family.keeps}){values.WORD_END}"
        rf"|{values.VALUE})"
    )


def assignment(family: SecretKey) -> str:
    """The family in `key=value`, `key: value`, `--key value`, and in name and value pairs of an environment.

    A quoted key before a colon is left to `json_field`.
    """
    quote, key = values.QUOTE, family.key
    option = rf"(?:\A|[\s\"'`=(\[])--?[\w-]*{key}(?:[ \t]+|{quote}[ \t]*,\s*{quote}|\n[ \t]*-[ \t]+)"
    spoken = rf"{key}{values.COLON}"
    pair = rf"{key}(?:{quote})?(?:\s*,\s*|\s+)(?:{quote})?value(?:{quote})?\s*[:=]\s*"
    equated = rf"{key}(?:{quote})?[ \t]*{values.EQUALS}[ \t]*"
    left = rf"(?:{option}|{pair}|{spoken}|{equated})"
    return (
        rf"(?i)(?:(?:{option}|{spoken})(?P<spare_prose>{family.prose}){values.WORD_END}"
        rf"|{left}(?:{quote}|[\[({{]+)?(?P<spare>{family.keeps}){values.WORD_END}"
        rf"|{left}(?:{values.NO_VALUE}|{values.VALUE}))"
    )


def element(family: SecretKey) -> str:
    """The family as an element of XML."""
    return rf"(?i){family.key}>(?P<secret>[^<>\n]+)</"


def yaml_scalar(family: SecretKey) -> str:
    """The family in a YAML document, where a bare value reaches to the end of its line.

    Only in a text of several lines: in a single one, what follows the value is prose.
    """
    left = rf"[ \t]*(?:-[ \t]+)?[\w.-]*{family.key}:[ \t]+"
    start = r"[^\s\"'`\[{|>#&*!]"
    return (
        rf"(?i)(?:(?:\A|\n){left}[|>][+-]?[ \t]*\n[ \t]+(?P<secret_block>[^\n]+)"
        rf"|(?:\A|\n){left}(?P<spare>{family.prose}|{family.keeps}){values.WORD_END}"
        rf"|\n{left}(?P<secret_line>{start}[^\n]*)"
        rf"|\A{left}(?P<secret_first>{start}[^\n]*)\n)"
    )
