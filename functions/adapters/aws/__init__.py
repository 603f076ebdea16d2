"""The bridge's own stores: clients, queue, ledger, secrets."""
