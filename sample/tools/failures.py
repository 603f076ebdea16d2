"""Failures of a tool, with a text for the model that called it.

The text may reach the user through the model. It names no address, exception or line of code, and says what
to do instead.
"""


class ToolFailure(Exception):
    """A call that ends without a result."""


class InvalidArguments(ToolFailure):
    """The arguments are wrong: the text names each one, its value and what is allowed."""


class ServiceUnavailable(ToolFailure):
    """The service behind the tool gives no usable answer now; another call may succeed later."""
