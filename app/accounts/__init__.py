"""The room of accounts: who may come in, and with what. Handed a connection; knows no web framework."""
