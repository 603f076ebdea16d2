"""The sample agent's tools: one module is one tool is one Lambda function.

They import nothing but the standard library and each other, so that a cold start stays short. Beside them
their asset has the time zones, which Lambda's image may lack and `zoneinfo` finds there by itself.

What each tool is called and which arguments it takes stands in `schemas.json`: the functions check arguments
by it, and the stacks of both generations of agents are made from it.
"""
