"""Secrets that show themselves by their own form, grouped by who issues them."""

from __future__ import annotations

from typing import Final

from datastorage.redaction.pattern import Pattern
from datastorage.redaction.values import LEFT, RIGHT


def _token(name: str, *forms: str) -> Pattern:
    """A token in its own form, wherever it stands by itself."""
    return Pattern(name, tuple(rf"{LEFT}(?P<secret>{form})" for form in forms))


def _exact(name: str, *forms: str) -> Pattern:
    """The same, for forms of a fixed length: a longer run of the same characters is something else."""
    return Pattern(name, tuple(rf"{LEFT}(?P<secret>{form}){RIGHT}" for form in forms))


AI_PROVIDERS: Final = (
    _token("anthropic_api_key", r"sk-ant-[A-Za-z0-9_-]{10,}"),
    # Either long enough for a key with dashes in it, or one run: Deployments may be called sk-proj-….
    Pattern(
        "openai_api_key",
        (
            (
                rf"{LEFT}(?:(?P<spare>sk-(?:[a-z]+-)+[a-z0-9]{{6,10}}-[a-z0-9]{{5}}){RIGHT}"
                r"|(?P<secret>sk-(?:(?:proj|svcacct|admin|None|or-v1|lf)-[A-Za-z0-9_-]{12,}|[A-Za-z0-9]{16,})))"
            ),
        ),
    ),
    _token("huggingface_token", r"(?:hf|api_org)_[A-Za-z0-9]{30,}"),
    _token("groq_api_key", r"gsk_[A-Za-z0-9]{40,}"),
)

CODE_HOSTS: Final = (
    _token("github_token", r"gh[pousr]_[A-Za-z0-9]{20,}", r"github_pat_[A-Za-z0-9_]{20,}"),
    _token("gitlab_token", r"gl(?:pat|dt|rt|cbt|ptt|ft|imt|agent|soat|oas|rtr)-[A-Za-z0-9_.-]{16,}"),
    _exact("npm_token", r"npm_[A-Za-z0-9]{36}"),
    # All of them are macaroons, which begin with the same bytes; pods may be called pypi-mirror-….
    _token("pypi_token", r"pypi-Ag[A-Za-z0-9_-]{14,}"),
    _token("rubygems_api_key", r"rubygems_[a-f0-9]{48}"),
    _token("docker_hub_token", r"dckr_(?:pat|oat)_[A-Za-z0-9_-]{20,}"),
    _token("atlassian_token", r"AT(?:ATT|CTT|BB)[A-Za-z0-9_=-]{28,}"),
)

CHAT_AND_ALERTING: Final = (
    _token("slack_token", r"xox[a-z](?:\.xox[a-z])?-[A-Za-z0-9-]{10,}", r"xapp-\d-[A-Za-z0-9-]{10,}"),
    Pattern(
        "slack_webhook",
        (r"(?i)hooks\.slack(?:-gov)?\.com/(?:services|workflows|triggers)/(?P<secret>[\w/+-]{8,})",),
    ),
    _exact("telegram_bot_token", r"\d{8,10}:AA[A-Za-z0-9_-]{33}"),
    Pattern("discord_webhook", (r"(?i)discord(?:app)?\.com/api/webhooks/\d+/(?P<secret>[\w-]{20,})",)),
    Pattern(
        "teams_webhook",
        (r"(?i)webhook\.office\.com/webhookb2/(?P<secret>[\w@-]+/IncomingWebhook/[\w/-]{16,})",),
    ),
    Pattern(
        "pagerduty_key",
        (
            rf"(?i)(?:routing|integration|service)[_\-. ]?key\\*[\"']?\s*[:=]\s*\\*[\"']?(?P<secret>[0-9a-z]{{32}}){RIGHT}",
            r"(?i)(?:pagerduty|\bpd)(?:[_\-. ]\w+)*?[_\-. ]?(?:key|token)\\*[\"']?\s*[:=]\s*\\*[\"']?(?P<secret>[\w+-]{16,})",
            r"(?i)\bToken token=\\*[\"']?(?P<secret>[\w+-]{16,})",
            rf"(?i)events\.(?:eu\.)?pagerduty\.com/[\w/-]*?(?P<secret>[0-9a-f]{{32}}){RIGHT}",
        ),
    ),
    _token("sendgrid_api_key", r"SG\.[A-Za-z0-9_-]{16,}\.[A-Za-z0-9_-]{16,}"),
    _exact("twilio_api_key", r"SK[0-9][0-9a-f]{31}", r"SK[a-f][0-9a-f]{31}"),
    _exact("mailgun_api_key", r"key-[0-9a-f]{32}"),
)

CLOUDS: Final = (
    _exact("aws_access_key_id", r"(?:AKIA|ASIA)[A-Z0-9]{16}"),
    # The secret half, where a credentials file or a log prints both side by side.
    Pattern(
        "aws_secret_access_key",
        (
            rf"{LEFT}(?:AKIA|ASIA)[A-Z0-9]{{16}}[\s:,;|/\"']{{1,3}}(?P<secret>[A-Za-z0-9/+]{{40}})(?:[^A-Za-z0-9/+]|\z)",
        ),
    ),
    Pattern(
        "aws_signature",
        (r"(?i)X-Amz-(?:Signature|Security-Token)=(?P<secret>[A-Za-z0-9%+/=_.~-]+)",),
    ),
    _token("gcp_api_key", r"AIza[A-Za-z0-9_-]{35}"),
    _token("google_oauth_token", r"ya29\.[A-Za-z0-9_.-]{20,}", r"GOCSPX-[A-Za-z0-9_-]{20,}"),
    Pattern(
        "azure_connection_string",
        (r"(?i)(?:Account|SharedAccess)Key\\*[\"']?\s*[:=]\s*\\*[\"']?(?P<secret>[A-Za-z0-9+/]{16,}={0,2})",),
    ),
    Pattern(
        "azure_sas_signature",
        (
            r"(?i)(?:[?&;\s\"']|\\u0026|&amp;|\A)sig=(?P<secret>[A-Za-z0-9%+/_-]{20,}={0,2})",
            r"(?i)SharedAccessSignature\s*=\s*(?P<secret>[^\s\"'`;]{16,})",
        ),
    ),
    # Three characters, a digit, `Q~`: the form of every client secret of an Entra application.
    _token("azure_client_secret", r"[A-Za-z0-9_~.-]{3}\dQ~[A-Za-z0-9_~.-]{31,34}"),
    _token("digitalocean_token", r"do[opr]_v1_[a-f0-9]{64}"),
    _token("alibaba_access_key_id", r"LTAI[A-Za-z0-9]{12,}"),
)

PLATFORMS: Final = (
    _token("stripe_key", r"(?:sk|rk)_(?:live|test)_[A-Za-z0-9]{10,}", r"whsec_[A-Za-z0-9+/=]{16,}"),
    _token("vault_token", r"hv[sbr]\.[A-Za-z0-9_-]{20,}"),
    _token("databricks_token", r"dapi[a-f0-9]{32}(?:-\d)?"),
    _token("grafana_token", r"glsa_[A-Za-z0-9]{32}_[a-f0-9]{8}", r"glc_[A-Za-z0-9+/=]{32,}"),
    _token("terraform_token", r"[A-Za-z0-9]{14}\.atlasv1\.[A-Za-z0-9_=-]{60,}"),
    _token("pulumi_token", r"pul-[a-f0-9]{40}"),
    _exact("new_relic_key", r"NRAK-[A-Z0-9]{27}"),
    _token("shopify_token", r"shp(?:at|ca|pa|ss)_[a-fA-F0-9]{32}"),
    _token("linear_api_key", r"lin_api_[A-Za-z0-9]{32,}"),
    _token("tailscale_key", r"tskey-[a-z]+-[A-Za-z0-9-]{16,}"),
    _token("age_secret_key", r"AGE-SECRET-KEY-1[0-9A-Z]{58}"),
)
