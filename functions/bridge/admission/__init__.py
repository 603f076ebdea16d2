"""Who may ask whom, where and how much: decided after a turn is claimed, before anything of it shows."""
