"""Everything Switchboard does that is not a web page: usable from a script, a notebook, the pages."""
