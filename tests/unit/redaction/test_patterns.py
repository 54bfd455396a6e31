"""Every built-in pattern: what it hides, to the character, and what it leaves alone.

The secrets are made up, and put together here, so that no scanner takes this file for a leak.
"""

from __future__ import annotations

import base64

import pytest

from datastorage.redaction import Finding, Redactor
from datastorage.redaction.builtin import BUILTIN_NAMES


def run(alphabet: str, length: int) -> str:
    return (alphabet * (length // len(alphabet) + 1))[:length]


def mixed(length: int) -> str:
    return run("aB3dE5gH7jK9mN1pQ2rS4tU6vW8xY0z", length)


def upper(length: int) -> str:
    return run("Q7ZT3M5K2P8W4N6RB", length)


def hexadecimal(length: int) -> str:
    return run("3fa94c07b1e8d2650f", length)


DASHES = "-" * 5
PEM_BODY = "\n".join(["MIIEowIBAAKCAQEA" + mixed(48), mixed(64), mixed(20) + "=="])


def pem(label: str, body: str = PEM_BODY) -> str:
    return f"{DASHES}BEGIN {label}{DASHES}\n{body}\n{DASHES}END {label}{DASHES}"


JWT = "eyJ" + "hbGciOiJIUzI1NiJ9" + ".eyJ" + "zdWIiOiJib2IifQ" + "." + mixed(43)
BASIC = base64.b64encode(b"deploy:s3cr3t-pw").decode()
ESCAPED_PEM = pem("RSA PRIVATE KEY").replace("\n", "\\n")

# Name of the pattern, a text with § in the secret's place, the secret.
HIDDEN: list[tuple[str, str, str]] = [
    ("password", "connect failed: password=§ host=db-1", "hunter2"),
    ("password", "Server=db;Password=§;Uid=sa;", "p@ss;w0rd"),
    ("password", "DB_PASSWORD=§,DB_USER=app", "s3cr3t"),
    ("password", "spring.datasource.password = §", "Tr0ub4dor&3"),
    ("password", "passwd: §", "hunter2"),
    ("password", "user=bob&password_confirmation=§&y=1", "hunter2"),
    ("password", "retry with pwd=§ now", "abc"),
    ("password", "MYSQL_PWD=§ mysql -u root", "abc"),
    ("password", "PGPASSWORD=§ psql -h db", "x9-y8"),
    ("password", "psql --password § --host db", "hunter2"),
    ("password", 'args: ["--db-password", "§", "--verbose"]', "hunter2"),
    ("password", "command:\n  - --password\n  - §\n  - -v", "hunter2"),
    ("password", "GET /login?user=a&password=§&next=/ 401", "hunter%202"),
    ("password", 'time=now msg="login" password="§" user=bob', "two words"),
    ("password", "db:\n  user: app\n  password: §\n  port: 5432", "correct horse battery"),
    ("password", "password: §\nuser: app", "correct horse battery"),
    ("password", "db:\n  password: |\n    §\n  port: 1", "hunter2"),
    ("password", "<user>bob</user><password>§</password>", "hunter 2"),
    ("password", '{"name":"DB_PASSWORD","value":"§"}', "hunter2"),
    ("password", "- name: DB_PASSWORD\n  value: §\n- name: X", "hunter2"),
    ("password", "{Username:admin Password:§}", "hunter2"),
    ("password", "db_pass: §", "hunter2"),
    ("password", "dbPass=§", "hunter2"),
    ("password", "pass=§", "hunter2"),
    ("password", "(password=§)", "hunter2"),
    ("password", "password=§", "[hunter2"[1:]),
    ("password", r"log: password=§\nuser=bob", "hunter2"),
    ("json_password", '{"password": "§", "user": "x"}', "hunter2"),
    ("json_password", '{"dbPassword":"§"}', 'hun\\"ter\\\\2'),
    ("json_password", '{"password": §, "user": "x"}', "12345"),
    ("json_password", '{"passwords": [§]}', '"one", "two"'),
    ("json_password", "{'passwd': '§', 'user': 'x'}", "it''s"),
    ("json_password", r"{\"password\":\"§\",\"user\":1}", r"hun\\\"ter2"),
    ("json_password", r"{\\\"password\\\":\\\"§\\\",\\\"user\\\":1}", "hunter2"),
    ("json_password", '{"pass": "§"}', "hunter2"),
    ("json_password", '{"user": "x", "password": "§', "cut off here"),
    ("url_credentials", "postgres://app:§@db.internal:5432/audit?sslmode=require", "s3cr3t"),
    ("url_credentials", "postgresql+asyncpg://app:§@db/audit", "p@ss"),
    ("url_credentials", "postgres://app:§@db/audit", "pa/ss?x#y"),
    ("url_credentials", "mysql://root:§@10.0.0.4/shop", "1234"),
    ("url_credentials", "mongodb+srv://u:§@cluster0.example.net/db", mixed(16)),
    ("url_credentials", "redis://:§@cache:6379/0", "s3cr3t"),
    ("url_credentials", "amqp://guest:§@rabbit:5672/%2f", "guest"),
    ("url_credentials", "cloning https://bob:§@git.example.com/x.git failed", mixed(20)),
    ("sql_password", "ERROR in: ALTER USER app WITH PASSWORD '§';", "it''s"),
    ("sql_password", "CREATE USER app IDENTIFIED BY '§'", "hunter2"),
    ("password_hash", "stored §", "$2b$12$" + mixed(53)),
    ("password_hash", "stored §", "$argon2id$v=19$m=65536,t=3,p=4$" + mixed(22) + "$" + mixed(43)),
    ("password_hash", "root:§:19000:0", "$6$" + mixed(16) + "$" + mixed(86)),
    ("password_hash", "rolpassword §", "SCRAM-SHA-256$4096:" + mixed(22) + "==$" + mixed(43) + "="),
    ("command_line_password", "mysql -u root -p§ -h db", "hunter2"),
    ("command_line_password", "curl -s -u bob:§ https://api.example.com", "hunter2"),
    ("command_line_password", "sshpass -p § ssh host", "hunter2"),
    ("command_line_password", "redis-cli -h cache -a § ping", "hunter2"),
    ("command_line_password", "docker login -u bob -p § reg", "hunter2"),
    ("command_line_password", "requirepass §", "hunter2"),
    ("command_line_password", "machine git.example.com login bob password §", "hunter2"),
    ("api_key", "api_key=§", mixed(24)),
    ("api_key", "X-Api-Key: §", mixed(24)),
    ("api_key", '{"apiKey": "§"}', "abc"),
    ("api_key", "API key: §", "Zz19-xx20"),
    ("api_key", "OPENWEATHER_API_KEY='§'", hexadecimal(32)),
    ("auth_token", "access_token=§&state=1", mixed(20)),
    ("auth_token", '{"refreshToken": "§"}', "1//" + mixed(20)),
    ("auth_token", "auth_token: §", "abc"),
    ("auth_token", "X-Vault-Token: §", "s." + mixed(24)),
    ("auth_token", "GET /hook?token=§ 403", "ab12cd34"),
    ("auth_token", '{"token": "§"}', mixed(20)),
    ("client_secret", "client_secret=§", "abc"),
    ("client_secret", '{"clientSecret":"§"}', "a.b~c"),
    ("client_secret", "DJANGO_SECRET_KEY=§", "django-insecure-" + mixed(20)),
    ("client_secret", "JWT_SECRET: §", "hunter2"),
    ("client_secret", '{"secret": "§"}', mixed(20)),
    ("client_secret", "secret=§", hexadecimal(64)),
    ("openai_api_key", "key § rejected", "sk-" + mixed(48)),
    ("openai_api_key", "OPENAI_API_KEY=§", "sk-proj-" + mixed(60) + "_-" + mixed(20)),
    ("openai_api_key", "api_key: §", "sk-svcacct-" + mixed(40)),
    ("anthropic_api_key", "x-api-key: §", "sk-ant-api03-" + mixed(60) + "-" + mixed(8) + "AA"),
    ("huggingface_token", "HF_TOKEN=§", "hf_" + mixed(34)),
    ("groq_api_key", "using §", "gsk_" + mixed(52)),
    ("bearer_token", "Authorization: Bearer §", mixed(30) + ".x~y"),
    ("bearer_token", "curl -H 'authorization: bearer §'", "abcd"),
    ("bearer_token", "sent bearer § and failed", mixed(20)),
    ("basic_auth", "Authorization: Basic §", BASIC),
    ("basic_auth", '{"Authorization": "Basic §"}', "YTpi"),
    ("basic_auth", "proxy said basic § is wrong", BASIC),
    ("authorization_header", "Authorization: Token §", mixed(24)),
    ("authorization_header", "Authorization: §", mixed(24)),
    ("cookie", "Cookie: §", "session=abc123; csrf=def456"),
    ("cookie", "Cookie: §", 'hadoop.auth="u=hive&t=kerberos&s=' + mixed(20) + '"'),
    ("cookie", "Set-Cookie: sid=§; Path=/; HttpOnly", mixed(20)),
    ("jwt", "token § expired", JWT),
    ("jwt", "Authorization: Bearer §", JWT),
    ("jwt", "cut: §", JWT[:40]),
    ("github_token", "git clone failed for §", "ghp_" + mixed(36)),
    ("github_token", "remote: §", "gho_" + mixed(36)),
    ("github_token", "remote: §", "ghu_" + mixed(36)),
    ("github_token", "GITHUB_TOKEN=§", "ghs_" + mixed(36)),
    ("github_token", "remote: §", "ghr_" + mixed(36)),
    ("github_token", "https://bob:§@github.com/a/b", "github_pat_" + mixed(22) + "_" + mixed(59)),
    ("gitlab_token", "PRIVATE-TOKEN: §", "glpat-" + mixed(20)),
    ("npm_token", "//registry.npmjs.org/:_authToken=§", "npm_" + mixed(36)),
    ("pypi_token", "password = §", "pypi-AgEIcHlwaS5vcmc" + mixed(60)),
    ("rubygems_api_key", "push with §", "rubygems_" + hexadecimal(48)),
    ("docker_hub_token", "login with §", "dckr_pat_" + mixed(27)),
    ("atlassian_token", "jira: §", "ATATT3xFfGF0" + mixed(60)),
    ("slack_token", "slack said invalid_auth for §", "xoxb-" + "123456789012-123456789012-" + mixed(24)),
    ("slack_token", "app §", "xapp-1-" + "A0123-" + hexadecimal(20)),
    ("slack_webhook", "POST https://hooks.slack.com/services/§ 404", "T0123/B0456/" + mixed(24)),
    ("discord_webhook", "https://discord.com/api/webhooks/123456789/§", mixed(60)),
    (
        "teams_webhook",
        "https://acme.webhook.office.com/webhookb2/§",
        mixed(36) + "/IncomingWebhook/" + mixed(32),
    ),
    ("telegram_bot_token", "https://api.telegram.org/bot, §", "123456789:AA" + mixed(33)),
    ("pagerduty_key", "routing_key: §", hexadecimal(32)),
    ("pagerduty_key", '{"integration_key": "§"}', upper(32)),
    ("pagerduty_key", "PAGERDUTY_API_KEY=§", "u+" + mixed(18)),
    ("pagerduty_key", "Authorization: Token token=§", "y_" + mixed(18)),
    ("pagerduty_key", "https://events.pagerduty.com/integration/§/enqueue", hexadecimal(32)),
    ("sendgrid_api_key", "mail: §", "SG." + mixed(22) + "." + mixed(43)),
    ("twilio_api_key", "sms: §", "SK" + hexadecimal(32)),
    ("twilio_api_key", "sms: §", "SK" + "f" + hexadecimal(31)),
    ("mailgun_api_key", "mail: §", "key-" + hexadecimal(32)),
    ("aws_access_key_id", "InvalidClientTokenId: §", "AKIA" + upper(16)),
    ("aws_access_key_id", "aws_access_key_id=§", "ASIA" + upper(16)),
    ("aws_access_key_id", "key_§_x", "AKIA" + upper(16)),
    ("aws_secret_access_key", "aws_secret_access_key = §", mixed(38) + "/+"),
    ("aws_secret_access_key", '{"SecretAccessKey": "§"}', mixed(40)),
    ("aws_signature", "https://b.s3.amazonaws.com/k?X-Amz-Signature=§&x=1", hexadecimal(64)),
    ("gcp_api_key", "https://maps.googleapis.com/x?key=§", "AIza" + mixed(35)),
    ("google_oauth_token", "got §", "ya29." + mixed(60)),
    ("google_oauth_token", "id §", "GOCSPX-" + mixed(28)),
    (
        "gcp_service_account_key",
        '{"type": "service_account", "project_id": "p", "private_key": "§", "client_id": "1"}',
        pem("PRIVATE KEY").replace("\n", "\\n") + "\\n",
    ),
    ("azure_connection_string", "AccountName=acme;AccountKey=§;EndpointSuffix=x", mixed(86) + "=="),
    ("azure_connection_string", "SharedAccessKeyName=Root;SharedAccessKey=§", mixed(43) + "="),
    ("azure_sas_signature", "https://a.blob.core.windows.net/c?sv=2024&sig=§&se=2026", mixed(43) + "%3D"),
    ("azure_sas_signature", "SharedAccessSignature=§", "sr=x&skn=" + mixed(30)),
    ("azure_client_secret", "sp login §", mixed(3) + "8Q~" + mixed(34)),
    ("digitalocean_token", "doctl: §", "dop_v1_" + hexadecimal(64)),
    ("alibaba_access_key_id", "oss: §", "LTAI" + mixed(20)),
    ("stripe_key", "stripe: §", "sk_live_" + mixed(24)),
    ("stripe_key", "stripe: §", "rk_live_" + mixed(24)),
    ("stripe_key", "stripe: §", "sk_test_" + mixed(24)),
    ("stripe_key", "endpoint §", "whsec_" + mixed(32)),
    ("vault_token", "vault: §", "hvs." + mixed(90)),
    ("databricks_token", "dbx: §", "dapi" + hexadecimal(32) + "-2"),
    ("grafana_token", "grafana: §", "glsa_" + mixed(32) + "_" + hexadecimal(8)),
    ("terraform_token", "tfc: §", mixed(14) + ".atlasv1." + mixed(67)),
    ("pulumi_token", "pulumi: §", "pul-" + hexadecimal(40)),
    ("new_relic_key", "nr: §", "NRAK-" + upper(27)),
    ("shopify_token", "shop: §", "shpat_" + hexadecimal(32)),
    ("linear_api_key", "linear: §", "lin_api_" + mixed(40)),
    ("tailscale_key", "ts: §", "tskey-auth-" + mixed(12) + "-" + mixed(20)),
    ("age_secret_key", "age: §", "AGE-SECRET-KEY-1" + upper(58)),
    *(
        ("private_key", "could not parse key:\n§\nnext line", pem(label))
        for label in (
            "PRIVATE KEY",
            "RSA PRIVATE KEY",
            "EC PRIVATE KEY",
            "DSA PRIVATE KEY",
            "OPENSSH PRIVATE KEY",
            "ENCRYPTED PRIVATE KEY",
            "PGP PRIVATE KEY BLOCK",
        )
    ),
    ("private_key", '{"tls.key": "§", "x": 1}', ESCAPED_PEM),
    ("private_key", '{"tls.key": "§", "x": 1}', ESCAPED_PEM[:120]),
    ("private_key", "§: unexpected end", pem("EC PRIVATE KEY")[:100]),
    (
        "private_key",
        "§",
        pem("RSA PRIVATE KEY", "Proc-Type: 4,ENCRYPTED\nDEK-Info: AES-128-CBC,00FF\n\n" + PEM_BODY),
    ),
    ("certificate", "x509: bad\n§\nend", pem("CERTIFICATE")),
    ("certificate", "x509: bad\n§\nend", pem("CERTIFICATE REQUEST")),
    ("encoded_pem", "client-key-data: §", base64.b64encode(pem("RSA PRIVATE KEY").encode()).decode()),
    ("docker_auth", '{"auths":{"reg.example.com":{"auth":"§"}}}', BASIC),
    ("kubernetes_secret", "kind: Secret\nmetadata:\n  name: db\ndata:\n  url: §\ntype: Opaque", "cGc6Ly94"),
    ("kubernetes_secret", "apiVersion: v1\nstringData:\n  url: §\nkind: Secret", "plain value"),
    ("kubernetes_secret", "items:\n- data:\n    url: §\n  kind: Secret\n- kind: Pod", "cGc6Ly94"),
    ("kubernetes_secret", "kind: Secret\ndata:\n  url: |\n    §\ntype: Opaque", "cGc6Ly94"),
    ("kubernetes_secret", "kind: Secret\ndata: {url: §}", "cGc6Ly94"),
    ("kubernetes_secret", '{"data":{"url":"§"},"kind":"Secret","type":"Opaque"}', "cGc6Ly94"),
    ("kubernetes_secret", r'last: "{\"kind\":\"Secret\",\"data\":{\"url\":\"§\"}}"', "cGc6Ly94"),
]

# Name of the pattern that comes closest, and a text that has to stay as it is.
LEFT_ALONE: list[tuple[str, str]] = [
    ("password", "password: "),
    ("password", 'FATAL: password authentication failed for user "app"'),
    ("password", "password: must be at least 8 characters"),
    ("password", "password=${DB_PASSWORD} password=${{ secrets.DB }} password=$1 password=*** password=null"),
    ("password", "password_file=/run/secrets/db passwordPolicy: strong"),
    ("password", 'secret "db-password" not found; secret "db-password": not found'),
    ("password", "PWD=/app OLDPWD=/root pwd: command not found"),
    ("password", "pass=12 fail=3, bypass=true, compass=north, PASS: test_login"),
    ("password", "use --password to set it; --password --host db"),
    ("password", "pod db-password-rotator-7d9f8b6c5d-x2x4v was evicted"),
    ("json_password", '{"password": "", "passwd": null, "usePassword": true}'),
    ("json_password", '{"password": {"valueFrom": {"secretKeyRef": {"name": "db"}}}}'),
    ("url_credentials", "https://example.com:8443/a?mail=bob@example.com http://host/x"),
    ("url_credentials", "docker://nginx:1.25@sha256:" + hexadecimal(64)),
    ("url_credentials", "git@github.com:acme/app.git ssh://git@github.com/acme/app.git"),
    ("url_credentials", "postgres://app@db/audit postgres://app:***@db/audit"),
    ("sql_password", "SELECT password FROM users; password is 'weak'"),
    ("password_hash", "at org.acme.View$1$onClick$5$apply(View.java:549) cost $2"),
    ("password_hash", "at rdd.RDD$$anonfun$mapPartitions$1$$anonfun$apply$23.apply(RDD.scala:801)"),
    ("command_line_password", "mysql -u root -p -h db; mysql -port 3306; curl -u bob https://x"),
    ("api_key", "API key: missing; api key not valid; apiKeys: 3; api_key_id"),
    ("api_key", "api_key: ${KEY}, apikey=/etc/keys/api.key"),
    ("auth_token", "token expired; token: expired; invalid token: ; access token: revoked"),
    ("auth_token", "max_tokens=4096000000 tokenizer: cl100k_base tokens_used: 12345678"),
    ("auth_token", "mounting token: default-token-x7k2p"),
    ("auth_token", "System.Xml, Version=4.0.0.0, Culture=neutral, PublicKeyToken=b77a5c561934e089"),
    ("auth_token", "window token = android.os.BinderProxy@4229b328, deviceToken = e.deviceToken;"),
    ("client_secret", 'secret not found: name; {"secret":"default/db-creds"}; secretName: db'),
    ("client_secret", "fs.s3a.secret.key = (unset) [core-site.xml]"),
    ("client_secret", "secret=db-creds secretKeyRef: {name: db}"),
    ("openai_api_key", "sk-learn 1.4; pods sk-api-7d9f8b6c5d-x2x4v sk-proj-api-7d9f8b6c5d-x2x4v"),
    ("anthropic_api_key", "sk-ant-farm"),
    ("huggingface_token", "hf_hub_download hf_transfer"),
    ("groq_api_key", "gsk_enabled"),
    ("bearer_token", "bearer authentication required; Bearer realm=; missing Bearer token"),
    ("basic_auth", "basic configuration error; Basic AUTHENTICATION is off; a basic NavigationWindow"),
    (
        "authorization_header",
        "Authorization failed; -[EventStore requestAuthorization:]_block_invoke; authorization: denied; rbac.authorization.k8s.io/v1",
    ),
    ("cookie", "cookie: not found; cookie expired"),
    ("jwt", "eyJ is how they begin; eyJhbGciOiJIUzI1NiJ9 has no claims"),
    ("github_token", "ghp_ prefix; gho_short; ghcr.io/acme/app"),
    ("gitlab_token", "glpat-example"),
    ("npm_token", "npm_config_registry npm_lifecycle_event"),
    ("pypi_token", "pod pypi-mirror-7d9f8b6c5d-x2x4v"),
    ("rubygems_api_key", "rubygems_version"),
    ("docker_hub_token", "dckr_pat_short"),
    ("atlassian_token", "ATTACHMENT ATBBS"),
    ("slack_token", "xoxb-short"),
    ("slack_webhook", "https://hooks.slack.com/services/ is unreachable"),
    ("discord_webhook", "https://discord.com/api/webhooks/123"),
    ("teams_webhook", "https://acme.webhook.office.com/webhookb2/"),
    ("telegram_bot_token", "at 1714560000:AABB12"),
    ("pagerduty_key", "routing_key=orders.created.v1 service_key: web; pagerduty key: missing"),
    ("sendgrid_api_key", "SG.1 is a security group"),
    ("twilio_api_key", "SKU SK" + hexadecimal(40)),
    ("mailgun_api_key", "key-value key-" + hexadecimal(12)),
    ("aws_access_key_id", "AKIA is a prefix; AKIA" + upper(30)),
    ("aws_secret_access_key", "secret_access_key: missing; commit " + hexadecimal(40)),
    ("aws_signature", "X-Amz-Signature= is empty; X-Amz-Date=20260101T000000Z"),
    ("gcp_api_key", "AIza" + mixed(10)),
    ("google_oauth_token", "ya29. and GOCSPX-"),
    ("gcp_service_account_key", '{"type": "service_account", "private_key_id": "1"}'),
    ("azure_connection_string", "AccountKey=; SharedAccessKeyName=RootManageSharedAccessKey"),
    ("azure_sas_signature", "killed: sig=9 sig=SIGTERM signature=none"),
    ("azure_client_secret", "8Q~ alone"),
    ("digitalocean_token", "dop_v1_beta"),
    ("alibaba_access_key_id", "LTAI alone"),
    ("stripe_key", "sk_live_ mode; pk_live_" + mixed(24)),
    ("vault_token", "hvs.io and hvs.short"),
    ("databricks_token", "dapi-gateway dapi" + hexadecimal(8)),
    ("grafana_token", "glsa_short"),
    ("terraform_token", "app.atlasv1.example"),
    ("pulumi_token", "pul-request"),
    ("new_relic_key", "NRAK-47"),
    ("shopify_token", "shpat_example"),
    ("linear_api_key", "lin_api_docs"),
    ("tailscale_key", "tskey-auth-x"),
    ("age_secret_key", "AGE-SECRET-KEY-1"),
    ("private_key", DASHES + "BEGIN PUBLIC KEY" + DASHES + "\nMIIB\n" + DASHES + "END PUBLIC KEY" + DASHES),
    ("certificate", "certificate has expired: CN=example.com"),
    ("encoded_pem", "LS0tLS1 is how they begin"),
    ("docker_auth", '{"auth": "disabled", "authority": "x"}'),
    (
        "kubernetes_secret",
        "kind: ConfigMap\ndata:\n  url: http://x\n---\nkind: Secret\nmetadata:\n  name: db",
    ),
    ("kubernetes_secret", 'kind: SecretStore\ndata:\n  url: x\n{"kind":"ConfigMap","data":{"url":"x"}}'),
]

HARMLESS: list[str] = [
    "550e8400-e29b-41d4-a716-446655440000",
    "commit " + hexadecimal(40) + " and tree " + hexadecimal(64),
    "registry.example.com/acme/app:1.2.3@sha256:" + hexadecimal(64),
    "md5 " + hexadecimal(32) + " etag W/" + '"' + hexadecimal(32) + '"',
    "pod payments-api-6c9f7b8d5f-9kq2m on node ip-10-0-3-4.eu-west-1.compute.internal",
    "arn:aws:iam::123456789012:role/deploy and projects/acme/locations/eu",
    "ZGVwbG95 aGVsbG8gd29ybGQ= are short words in base64",
    "fingerprint SHA256:" + mixed(43),
    "Back-off restarting failed container=app pod=app-7d9f_prod(550e8400-e29b-41d4-a716-446655440000)",
    'level=error ts=2026-05-01T12:00:00Z caller=main.go:42 err="context deadline exceeded"',
]

REDACTOR = Redactor()


@pytest.mark.parametrize(("name", "template", "secret"), HIDDEN)
def test_hides_the_secret_and_nothing_else(name: str, template: str, secret: str) -> None:
    clean, found = REDACTOR.text(template.replace("§", secret))
    assert clean == template.replace("§", f"[REDACTED:{name}]")
    assert found == (Finding(name, 1),)


@pytest.mark.parametrize(("name", "template", "secret"), HIDDEN)
def test_has_nothing_more_to_hide_in_its_own_answer(name: str, template: str, secret: str) -> None:
    clean, _ = REDACTOR.text(template.replace("§", secret))
    assert REDACTOR.text(clean) == (clean, ())


@pytest.mark.parametrize(("name", "text"), LEFT_ALONE)
def test_leaves_a_near_miss_alone(name: str, text: str) -> None:
    assert REDACTOR.text(text) == (text, ())


@pytest.mark.parametrize("text", HARMLESS)
def test_raises_no_false_alarm_on_identifiers_and_hashes(text: str) -> None:
    assert REDACTOR.text(text) == (text, ())


def test_every_pattern_has_an_example_and_a_near_miss() -> None:
    assert {name for name, _, _ in HIDDEN} == BUILTIN_NAMES
    assert {name for name, _ in LEFT_ALONE} == BUILTIN_NAMES


def test_there_are_more_than_thirty_patterns() -> None:
    assert len(BUILTIN_NAMES) > 30
