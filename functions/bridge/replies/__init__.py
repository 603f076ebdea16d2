"""From what an agent says to messages in a thread, edited or streamed."""
