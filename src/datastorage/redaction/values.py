"""How values are written after a key: RE2 fragments shared by the tables of keys and of tokens."""

from __future__ import annotations

from typing import Final

# Before and after a token: anything but a letter or a digit, so that `KEY_AKIA…` counts too.
LEFT: Final = r"(?:\A|[^A-Za-z0-9])"
RIGHT: Final = r"(?:[^A-Za-z0-9]|\z)"

# Quotes may be escaped any number of times: JSON within JSON within a log line.
QUOTE: Final = r"\\*[\"']"
EQUALS: Final = r"(?:=>|:=|={1,2}|%3d)"
COLON: Final = r"[ \t]*:[ \t]*"

# A bare value ends at white space or a quote, less closing punctuation, or where the next pair begins.
_NEXT_PAIR: Final = r"(?:[,;&|]|\\+[nrt])\\*[\"']?[\w.-]+\\*[\"']?\s?[=:]"
BARE_END: Final = rf"(?:[)\]}}>]*[.,;:]?(?:[\s\"'`]|\z)|{_NEXT_PAIR})"
NO_VALUE: Final = rf"(?P<spare_empty>)(?:[)\]}}>,;&]+(?:[\s\"'`]|\z)|{_NEXT_PAIR})"
WORD_END: Final = r"[.,;:!?)\]}>]*(?:[\s\"'`\\&|,;]|\z)"

# Values that stand for a secret, or for none, and tell a reader something: null, masks, references,
# the sign that a block of YAML follows.
PLACEHOLDER: Final = (
    r"(?:null|nil|none|undefined|true|false|n/a|unset|\*+|x{4,}|\**redacted\**|\.{3}"
    r"|<[a-z _-]*>|\[(?:filtered|masked|hidden|redacted)\]"
    r"|\$\{[\w.]*\}|\$\([\w.]*\)|(?-i:\$[A-Z_][A-Z0-9_]*)|\$\d+|\$?\{\{[^{}\"'\n]*\}\}|\{\}|%[a-z]|\?|[|>][+-]?)"
)
# What prose says after `password:`; a diagnosis, not a password.
DIAGNOSIS: Final = (
    r"(?:is|was|has|have|are|must|should|cannot|can't|could|couldn't|may|not|no|too|to|or|and|for|the|of|in|on"
    r"|with|does|doesn't|did|do|will|unable|already|failed|failure|incorrect|invalid|expired|expires|missing"
    r"|required|wrong|mismatch|mismatched|rejected|denied|revoked|forbidden|unauthorized|unsupported|malformed"
    r"|authentication|verification|validation|error|command|object|found|exists|absent|present|disabled|enabled"
    r"|optional|--?[a-z][\w-]*)"
)
# References to where a key is kept are no keys. Only what a path is made of, so that a scan for its end
# stops where the next key begins: otherwise `key=a,key=a,…` would be read to its end from every key.
KEY_FILE: Final = (
    r"(?:/(?:etc|var|run|home|root|opt|usr|mnt|tmp|secrets)/[\w./-]*"
    r"|[\w./-]*\.(?:pem|key|crt|cer|p12|pfx|jks|json|ya?ml|txt))"
)
DIRECTORY: Final = r"(?:(?:/|~|\.{1,2}/|[a-z]:\\)[\w./~\\-]*)"

# `token = request.accessToken`, `token = android.os.BinderProxy@4229b328`: code, and objects as Java prints them.
IDENTIFIER: Final = r"(?:[A-Za-z_]+(?:[.$][A-Za-z_]+)+(?:@[0-9a-f]+)?)"

# The inside of a string literal; a cut-off one ends with its line.
IN_DOUBLE: Final = r"(?:[^\"\\\n]|\\[^\n])*"
IN_SINGLE: Final = r"(?:[^'\\\n]|\\[^\n]|'')*"
IN_ESCAPED: Final = r"(?:[^\"\\\n]|\\\\(?:\\[\"\\]|[^\"\\\n])|\\[^\"\\\n])*"
IN_DEEPER: Final = r"[^\"\n]*?"

# Every way to write a value, the longest escapes first; the items of a list are hidden as one.
_ITEM: Final = rf"\s*(?:\"{IN_DOUBLE}\"|'{IN_SINGLE}'|\\\"{IN_ESCAPED}\\\"|-?\d[\d.]*)\s*,?"
VALUE: Final = (
    rf"(?:\\{{2,}}\"(?P<secret_deeper>{IN_DEEPER})(?:\\*\"|\n|\z)"
    rf"|\\+'(?P<secret_escaped_single>[^'\n]*?)(?:\\*'|\n|\z)"
    rf"|\\\"(?P<secret_escaped>{IN_ESCAPED})"
    rf"|\"(?P<secret_double>{IN_DOUBLE})"
    rf"|'(?P<secret_single>{IN_SINGLE})"
    rf"|\[(?P<secret_list>(?:{_ITEM})+)"
    rf"|[\[{{(]*(?P<secret_bare>[^\s\"'`\[{{(][^\s\"'`]*?){BARE_END})"
)
