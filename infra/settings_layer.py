"""The Lambda layer with the settings document."""

import tempfile
from pathlib import Path

from aws_cdk import aws_lambda as lambda_
from constructs import Construct

from config.document import FILE_NAME, document
from functions.settings import Settings
from infra.code_asset import ARCHITECTURE, RUNTIME


class SettingsLayer(Construct):
    """A Lambda layer of one file. `path`: where functions with the layer find it.

    In the functions' asset a change of a setting would replace the receiver too. Environment variables are
    limited to 4 KB:
    docs.aws.amazon.com/lambda/latest/dg/gettingstarted-limits.html
    """

    path = f"/opt/{FILE_NAME}"

    def __init__(self, scope: Construct, construct_id: str, settings: Settings) -> None:
        super().__init__(scope, construct_id)
        with tempfile.TemporaryDirectory() as folder:
            file = Path(folder, FILE_NAME)
            file.write_text(document(settings), "utf-8")
            file.chmod(0o644)  # whatever the umask: in Lambda another user reads it
            # The CDK copies the file now, under the hash of its content: new settings make a new version.
            self.layer = lambda_.LayerVersion(
                self,
                "Layer",
                code=lambda_.Code.from_asset(folder),
                compatible_runtimes=[RUNTIME],
                compatible_architectures=[ARCHITECTURE],
            )
