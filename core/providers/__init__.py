"""Calls to models: value types, gateways, and the model that ships with the app."""
