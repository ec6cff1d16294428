"""Conversations, the messages in them, and the engine that runs a turn."""
