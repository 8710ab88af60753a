"""What is owned: trading accounts, the ledger, holds and positions."""
