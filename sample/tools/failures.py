"""What a tool cannot do, in words for the model that called it.

The text of these exceptions reaches the model, and through it perhaps the user: it names no address, no
exception and no line of code, and says what to do instead.
"""


class ToolFailure(Exception):
    """A call that ends without a result."""


class InvalidArguments(ToolFailure):
    """The model can mend the call: the text names each argument, its value and what is allowed."""


class ServiceUnavailable(ToolFailure):
    """The service behind the tool gives no usable answer now; another call may succeed later."""
