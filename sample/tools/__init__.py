"""The sample agent's tools: one module is one tool is one Lambda function.

They import only the standard library and each other, so that a cold start stays short. Their asset also has
the time zones, which Lambda's image may lack.

`schemas.json` has the names and arguments of the tools. The functions check arguments against it, and the
stacks of both kinds of agent are made from it.
"""
