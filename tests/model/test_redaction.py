"""What must never leave a log is masked, and what only looks like it is not."""

import pytest

from analyzer.model.redaction import MASK, mask_name, mask_params, mask_text


@pytest.mark.parametrize(
    "text",
    [
        "postgresql://user:hunter2@db/mlflow",
        "https://user:hunter2@host:5000/path",
        "postgresql://user:p@hunter2@db/mlflow",
        "https://host/?token=hunter2&x=1",
        "https://host/a?api_key=hunter2",
        "see s3://bucket?X-Amz-Signature=hunter2 there",
        "Authorization: Bearer hunter2hunter2",
        "postgresql://u:pa/hunter2@h",
        "mysql://u:a#hunter2@h",
        "postgresql:/u:hunter2@h/db",
        "{'password': 'hunter2'}",
        '{"api_key": "hunter2hunter2"}',
        "train.py --password hunter2 --lr 0.1",
        "train.py --api-key=hunter2",
        "Authorization: Basic hunter2hunter2",
        "dsn user=u password=hunter2",
        "https://hooks.slack.com/services/T0/B0/hunter2",
        "https://host/cb#access_token=hunter2",
        "key ghp_hunter2hunter2hunter2hunter2",
        "-----BEGIN RSA PRIVATE KEY-----\nhunter2\nhunter2==\n-----END RSA PRIVATE KEY----- and more",
        "-----BEGIN OPENSSH PRIVATE KEY-----\nhunter2 that was cut off",
        "password='a hunter2 phrase'",
        "password=abc;hunter2",
        "password=abc,hunter2",
        "authorization: bearer abchunter2hunter2",
        "['train.py', '--password', 'hunter2']",
        '["--api-key", "hunter2 with blanks"]',
        "clientSecret=hunter2",
        "dbPassword: hunter2",
        "AccountKey=hunter2hunter2hunter2hunter2==;EndpointSuffix=x",
        "SharedAccessKey=hunter2",
        "use sk_live_hunter2hunter2",
        "use gsk_hunter2hunter2hunter2hunter2",
        "use hvs.hunter2hunter2hunter2hunter2",
        "use ya29.hunter2hunter2hunter2",
        "use GOCSPX-hunter2hunter2hunter2",
        "use xapp-1-hunter2hunter2",
        "use nvapi-hunter2hunter2hunter2",
        "use npm_hunter2hunter2hunter2hunter2hunter2",
        "use pypi-hunter2hunter2hunter2",
        "secret1=hunter2",
    ],
)
def test_a_secret_in_a_text_is_masked(text):
    assert "hunter2" not in mask_text(text)
    assert MASK in mask_text(text)


@pytest.mark.parametrize(
    "text",
    [
        "train/loss",
        "https://host/path?run=3",
        "a@b.c wrote it",
        "lr=0.1&batch=3",
        "author=me",
        "max_tokens: 512",
        "http://h/a and b@c.d",
        "basic training went well",
        "a bearer bond",
        "token: true",
        "passed=3 of 4",
    ],
)
def test_plain_texts_stay_as_they_are(text):
    assert mask_text(text) == text


@pytest.mark.parametrize(
    "name",
    [
        "db_password",
        "API_KEY",
        "hf_token",
        "secret",
        "apiKey",
        "mlflow.auth.token",
        "aws_secret_access_key",
        "DB_PASS",
        "smtp.pass",
        "pw",
        "password1",
        "password_hash",
        "private_key_pem",
        "secret_sauce",
        "jwt",
        "bearer",
        "cookie",
        "session_id",
        "dsn",
        "connection_string",
        "connectionString",
        "webhook_url",
        "kubeconfig",
        "sshkey",
        "secret1",
        "pwd1",
        "clientSecret",
    ],
)
def test_a_parameter_that_names_a_credential_is_masked(name):
    assert mask_params({name: "1234"}) == {name: MASK}


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("max_tokens", "512"),
        ("tokens", 1e9),
        ("tokenizer", "bpe"),
        ("key", "3"),
        ("monkey", "x"),
        ("keys", 4),
        ("passes", "3"),
        ("compass", "north"),
        ("author", "me"),
        ("num_tokens", "3e9"),
        ("key_dim", "64"),
        ("session", "3"),
        ("cookies_per_batch", "4"),
        ("special_tokens_map", "a.json"),
    ],
)
def test_counts_and_other_words_are_not(name, value):
    assert mask_params({name: value}) == {name: value}


@pytest.mark.parametrize("name", ["eval/token=word/loss", "lr=0.1,token=bpe", "key=3", "auth=none", "runs/2024-05-01"])
def test_settings_in_names_are_no_secrets(name):
    assert mask_name(name) == name


@pytest.mark.parametrize("name", ["password=hunter2", "u/token=hunter2hunter2", "http://u:hunter2@h/x"])
def test_a_secret_in_a_name_is_replaced_by_a_digest_of_its_own(name):
    masked, other = mask_name(name), mask_name(name.replace("hunter2", "hunter3"))
    assert "hunter2" not in masked and MASK in masked and masked != other
    assert mask_name(masked) == masked
