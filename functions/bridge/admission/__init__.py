"""Who may ask which agent, where and how often: decided after the claim, before anything shows in Slack."""
