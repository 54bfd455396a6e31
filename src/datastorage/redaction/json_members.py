"""What the members of a JSON object announce: which of them hold a secret, judged by keys and neighbours."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

import re2

from datastorage.redaction.pattern import Regexp
from datastorage.redaction.secret_keys import SECRET_KEYS
from datastorage.redaction.values import PLACEHOLDER


@dataclass(frozen=True, slots=True)
class Announced:
    """A member whose value is a secret, under the name of `pattern`.

    `spoken`: what to read the value after, where only its form can tell (`token: …`).
    `deep`: holds for every member of an object as well, not just for the items of a list.
    """

    pattern: str
    keeps: Regexp
    spoken: str | None = None
    deep: bool = False

    def hides(self, value: object) -> bool:
        """Whether such a value is a secret: text and numbers are, no switch, no placeholder."""
        if isinstance(value, str):
            return (
                bool(value.strip()) and self.keeps.search(value.encode("utf-8", "surrogatepass"), 0) is None
            )
        return isinstance(value, int | float) and not isinstance(value, bool)


def _whole(expression: str) -> Regexp:
    compiled: Regexp = re2.compile(rf"(?i)\A(?:{expression})\z")
    return compiled


_PLACEHOLDER: Final = _whole(PLACEHOLDER)
_BY_KEY: Final = {
    **{
        f"family{rank}": (family.key, Announced(family.json_name, _whole(family.keeps)))
        for rank, family in enumerate(SECRET_KEYS)
    },
    "authorization": ("authorization", Announced("authorization_header", _PLACEHOLDER, "authorization: ")),
    "docker_auth": (r"\Aauth", Announced("docker_auth", _PLACEHOLDER, '"auth": "')),
    "set_cookie": ("set-cookie", Announced("cookie", _PLACEHOLDER, "set-cookie: ")),
    "cookie": ("cookie", Announced("cookie", _PLACEHOLDER, "cookie: ")),
    "token": ("token", Announced("auth_token", _PLACEHOLDER, "token: ")),
    "secret": ("secret", Announced("client_secret", _PLACEHOLDER, "secret: ")),
}
_ANY_KEY: Final = "|".join(f"(?P<{name}>{key})" for name, (key, _) in _BY_KEY.items())
_KEYS: Final = re2.compile(rf"(?i)(?:{_ANY_KEY})\z")
_LINES: Final = re2.compile(rf"(?im)(?:{_ANY_KEY})$".replace(r"\A", "^"))
_KEY_GROUPS: Final = tuple((number, _BY_KEY[name][1]) for name, number in _KEYS.groupindex.items())
_KUBERNETES_DATA: Final = Announced("kubernetes_secret", _PLACEHOLDER, deep=True)
_GCP_KEY: Final = Announced("gcp_service_account_key", _PLACEHOLDER)


def announcements(node: Mapping[str, Any]) -> dict[str, Announced]:
    """The members that hold a secret, by key."""
    announced = {key: by_key for key in node if (by_key := _announced_by(key)) is not None}
    if "value" in node and isinstance(name := node.get("name", node.get("key")), str):
        by_name = _announced_by(name)  # an environment variable of a container
        if by_name is not None:
            announced["value"] = by_name
    if node.get("kind") == "Secret":
        announced |= dict.fromkeys(("data", "stringData"), _KUBERNETES_DATA)
    if node.get("type") == "service_account":
        announced["private_key"] = _GCP_KEY
    return announced


def announces_nothing(strings: bytes) -> bool:
    """Whether none of these lines, be they keys or the names of variables, announces a secret."""
    return _LINES.search(strings) is None


def _announced_by(key: str) -> Announced | None:
    match = _KEYS.search(key.encode("utf-8", "surrogatepass"))
    if match is None:
        return None
    return next(by_key for number, by_key in _KEY_GROUPS if match.span(number)[0] >= 0)
