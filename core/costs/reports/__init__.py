"""What the cost pages show, each report one value read from the view `ledger` at one moment."""
