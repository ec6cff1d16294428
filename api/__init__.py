"""The HTTP API: thin routes that authenticate, validate, call core and serialise."""
