"""What HTTP requests carry to prove who they are: Authorization headers, tokens in them, cookies."""

from __future__ import annotations

from typing import Final

from datastorage.redaction.basic_credentials import user_and_password
from datastorage.redaction.pattern import Pattern
from datastorage.redaction.values import DIAGNOSIS, IDENTIFIER, LEFT, PLACEHOLDER, QUOTE, WORD_END

_AUTHORIZATION: Final = rf"(?i)(?:\A|[^a-z])authorization(?:{QUOTE})?\s*[:=]\s*(?:{QUOTE})?"
# `bearer authentication`: a word in one case is no credential.
_WORD: Final = r"(?-i:[A-Za-z]?[a-z/-]+|[A-Z]+)"
# After the scheme in a header: anything but what people write about headers.
_CREDENTIAL: Final = (
    rf"(?:(?P<spare>{DIAGNOSIS}|auth|token|scheme|header|credentials|[a-z_]+=){WORD_END}"
    r"|(?P<secret>[^\s\"'`,;\\]{4,}))"
)
_SCHEME: Final = r"(?:(?:token|api-?key|negotiate|ntlm|splunk|geniekey|ssws|bot)\s+(?:token=\\*[\"']?)?)?"
_API_VERSION: Final = r"[a-z0-9.-]+/v\d\w*"  # rbac.authorization.k8s.io/v1
_COOKIE: Final = r"[\w.$%-]+=(?:\"[^\"\n]*\"|[^;\s\"'`\\]*)"

HEADERS: Final = (
    Pattern(
        "jwt",
        (rf"{LEFT}(?P<secret>eyJ[A-Za-z0-9_-]{{8,}}\.[A-Za-z0-9_-]{{4,}}(?:\.[A-Za-z0-9_-]*){{0,3}})",),
    ),
    Pattern("basic_auth", (rf"{_AUTHORIZATION}basic\s+{_CREDENTIAL}",)),
    Pattern(
        "basic_auth",
        (r"(?i)\bbasic\s+(?P<secret>[A-Za-z0-9+/]{8,}={0,2})",),
        refine=user_and_password,
    ),
    Pattern(
        "bearer_token",
        (
            rf"{_AUTHORIZATION}bearer\s+{_CREDENTIAL}",
            (
                rf"(?i)\bbearer\s+(?:(?P<spare>{_WORD}|[a-z_]+=){WORD_END}"
                r"|(?P<secret>[A-Za-z0-9._~+/=-]{8,}))"
            ),
        ),
    ),
    Pattern(
        "authorization_header",
        (
            (
                rf"{_AUTHORIZATION}{_SCHEME}"
                rf"(?:(?P<spare>{_WORD}|AWS4-[A-Z0-9-]+|{_API_VERSION}|{IDENTIFIER}|{PLACEHOLDER}){WORD_END}"
                r"|(?P<secret>[^\s\"'`,;\\]{8,}))"
            ),
        ),
    ),
    Pattern(
        "cookie",
        (
            rf"(?i)\bset-cookie2?(?:{QUOTE})?\s*[:=]\s*(?:{QUOTE})?[\w.$%-]+=(?P<secret>[^;\s\"'`\\]+)",
            (
                rf"(?i)(?:\A|[^\w-])cookie(?:{QUOTE})?\s*[:=]\s*(?:{QUOTE})?"
                rf"(?P<secret>{_COOKIE}(?:;[ \t]*{_COOKIE})*)"
            ),
        ),
    ),
)
