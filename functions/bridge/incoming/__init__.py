"""From the bytes of a request to a command: signatures, events, presses of buttons, a person's text."""
