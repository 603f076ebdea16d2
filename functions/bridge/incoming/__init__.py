"""From the bytes of a request to a command: signature, events, presses, and what a person wrote."""
