"""Short messages: accounts, what sends them, the services behind them."""
