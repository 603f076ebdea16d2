"""What an agent is to the bridge: the port, its events, its failures, and which agent is asked."""
