"""Files of keys, whole or in part, as people paste them into messages: PEM, Kubernetes, Docker, GCP."""

from __future__ import annotations

from typing import Final

from datastorage.redaction.basic_credentials import user_and_password
from datastorage.redaction.kubernetes_secrets import KIND_SECRET, secret_data
from datastorage.redaction.pattern import Pattern
from datastorage.redaction.pem_blocks import pem_blocks
from datastorage.redaction.values import LEFT, QUOTE

_PEM_BEGIN: Final = r"-{4,5} ?BEGIN (?:[A-Z0-9]+ )*"
_PEM_BEGUN: Final = r" ?-{4,5}"

KEY_FILES: Final = (
    Pattern("kubernetes_secret", (KIND_SECRET,), refine=secret_data),
    # Before private_key: the name of the file's kind says what to rotate.
    Pattern(
        "gcp_service_account_key",
        (
            (
                rf"service_account{QUOTE}[\s\S]*?private_key{QUOTE}\s*:\s*{QUOTE}"
                r"(?P<secret>-----BEGIN [^\"']*[^\"'\\])"
            ),
        ),
    ),
    Pattern("private_key", (rf"{_PEM_BEGIN}PRIVATE KEY(?: BLOCK)?{_PEM_BEGUN}",), refine=pem_blocks),
    Pattern("certificate", (rf"{_PEM_BEGIN}CERTIFICATE(?: REQUEST)?{_PEM_BEGUN}",), refine=pem_blocks),
    # Base64 of `-----BEGIN `, as kubeconfig files and Secrets hold it.
    Pattern("encoded_pem", (rf"{LEFT}(?P<secret>LS0tLS1CRUdJTi[A-Za-z0-9+/=]{{10,}})",)),
    Pattern(
        "docker_auth",
        (r"\"auth\\*\"\s*:\s*\\*\"(?P<secret>[A-Za-z0-9+/]{8,}={0,2})",),
        refine=user_and_password,
    ),
)
