"""The operator's command, `.venv/bin/bridge`: sets a bridge up and looks after it.

It reads bridge.toml (`config/`) and the outputs of the deployed stack, and needs neither Node nor the CDK.
Each subcommand is a module here, and `ops/__main__.py` lists them.
"""
