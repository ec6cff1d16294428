"""What tokens cost: prices, arithmetic, and the ledger."""
