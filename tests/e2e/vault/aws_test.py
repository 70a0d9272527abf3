"""S4-17: secrets that AWS Secrets Manager keeps: moto's server over TLS, which checks each signature by botocore."""
import json
import os
import subprocess
import unittest

import authority
import leaks
import processes
import scratch
from gateway import Gateway
from remote_case import add, refused, seen_by
from vault_case import digest

MOTO = os.path.join(scratch.ROOT, "build", "moto", "bin")

# Makes a user who may read secrets, and one secret; from then on moto demands signatures.
SET_UP = """
import json, sys, boto3
def client(service): return boto3.client(service, region_name="eu-central-1", endpoint_url=sys.argv[1], aws_access_key_id="x", aws_secret_access_key="x")
iam = client("iam")
iam.create_user(UserName="sallyport")
iam.put_user_policy(UserName="sallyport", PolicyName="read", PolicyDocument=json.dumps({"Version": "2012-10-17",
  "Statement": [{"Effect": "Allow", "Action": "secretsmanager:GetSecretValue", "Resource": "*"}]}))
secrets = client("secretsmanager")
secrets.create_secret(Name="prod/mail", SecretString=json.dumps({"user": "ada", "password": "aws-password-77"}))
secrets.create_secret(Name="prod/raw", SecretBinary=b"aws-binary-\\xc3\\xa4")
key = iam.create_access_key(UserName="sallyport")["AccessKey"]
print(json.dumps([key["AccessKeyId"], key["SecretAccessKey"]]))
"""


@unittest.skipUnless(os.path.exists(os.path.join(MOTO, "moto_server")), "scripts/pip-venv build/moto tests/support/moto/requirements.txt")
class SecretsManager(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        folder = scratch.folder("moto")
        cls.authority = authority.Authority(folder)
        pair = cls.authority.issue("moto", "IP:127.0.0.1")
        port = processes.free_port()
        cls.url = "https://127.0.0.1:%d" % port
        moto = processes.Beside([os.path.join(MOTO, "moto_server"), "-H", "127.0.0.1", "-p", str(port), "-s", "-c", pair.certificate, "-k", pair.key], port,
                                os.path.join(folder, "log"), {"INITIAL_NO_AUTH_ACTION_COUNT": "5"}, 90)
        cls.addClassCleanup(moto.stop)
        made = subprocess.run([os.path.join(MOTO, "python"), "-c", SET_UP, cls.url], capture_output=True, text=True, timeout=120,
                              env={**os.environ, "AWS_CA_BUNDLE": cls.authority.pem})
        assert made.returncode == 0, made.stderr
        cls.key_id, cls.key = json.loads(made.stdout)

    def gateway(self, key, **more):
        settings = {"vault.aws.region": "eu-central-1", "vault.aws.endpoint": self.url, "vault.aws.allow_private": True,
                    "vault.aws.ca": self.authority.pem, "vault.aws.access_key_id": self.key_id, **more}
        gateway = Gateway("aws", settings, environment={"AWS_SECRET_ACCESS_KEY": key}).__enter__()
        self.addCleanup(gateway.close)
        return gateway

    def test_a_server_gets_field_text_and_bytes(self):
        gateway = self.gateway(self.key)
        add(gateway, "mail", "${aws:prod/mail#user}/${aws:prod/mail#password}")
        add(gateway, "raw", "${aws:prod/raw}")
        self.assertEqual(seen_by(self, gateway, "mail")["TOKEN"], digest("ada/aws-password-77"))
        self.assertEqual(seen_by(self, gateway, "raw")["TOKEN"], digest("aws-binary-ä"))
        refused(self, gateway, "${aws:prod/absent}", "${aws:prod/absent}: there is no such secret")
        gateway.stop()
        self.assertEqual(leaks.found({"key": self.key, "value": "aws-password-77"}, leaks.written(gateway.folder)), [])

    def test_a_wrong_key_signs_nothing(self):
        """That moto checks at all is what this shows too."""
        gateway = self.gateway("A" * 40)
        refused(self, gateway, "${aws:prod/mail#password}", "${aws:prod/mail#password}: HTTP status 403")

    def test_an_endpoint_whose_authority_vault_aws_ca_does_not_have_is_told_nothing(self):
        gateway = self.gateway(self.key, **{"vault.aws.ca": authority.Authority(scratch.folder("aws-ca"), "other").pem})
        refused(self, gateway, "${aws:prod/mail#password}", "unknown CA")


if __name__ == "__main__":
    unittest.main()
