"""Short messages: accounts, sending and receiving, and the services behind them."""
